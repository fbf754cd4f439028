"""What allauth does differently here: no sign-up, few messages, one answer to every failed sign-in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from hufu.access import gates
from hufu.core.actor import Actor
from hufu.core.errors import GateClosed, SecondFactorNeeded
from hufu.core.transaction import acting, current_actor
from hufu.people import passwords
from hufu.people.models import User
from hufu.web import client, errors
from hufu.web.accounts import device_cookie, limits, pending
from hufu.web.accounts.backend import candidate
from hufu.web.accounts.signals import record_failure
from hufu.web.middleware import context_of

WRONG = _("This name and password do not match. Check both; after several failures you have to wait.")

SAID = {
    "account/messages/password_changed.txt",
    "mfa/messages/recovery_codes_generated.txt",
    "mfa/messages/totp_activated.txt",
    "mfa/messages/totp_deactivated.txt",
    "mfa/messages/webauthn_added.txt",
    "mfa/messages/webauthn_removed.txt",
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come from the company's administrators, never from a form on the sign-in page."""

    _account_usage: ratelimit.RateLimitUsage | None = None

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "username_password_mismatch": WRONG,
        "invalid_login": WRONG,
        "too_many_login_attempts": _("Too many failed attempts. Wait a few minutes, then try again."),
        "incorrect_password": _("This is not your password."),
        "rate_limited": _("Too many failed attempts. Wait a few minutes, then try again."),
        "enter_current_password": _("This is not your current password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return what limits per address count: the same address that the log names."""
        return client.address_of(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Say what was changed; that somebody signed in or out they can see."""
        if message_template in SAID:
            super().add_message(request, level, message_template, *args, **kwargs)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Return how somebody proves again who they are: with a second factor where they have one, never less."""
        flows = {flow["id"] for flow in get_reauthentication_flows(user)}
        if "mfa_reauthenticate" in flows:
            return [{"id": "mfa_reauthenticate", "description": "", "url": reverse("mfa_reauthenticate")}]
        if "reauthenticate" in flows:
            return [{"id": "reauthenticate", "description": "", "url": reverse("account_reauthenticate")}]
        return []

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase | None:
        """Tell whoever knows the password, and nobody else, that an access limit is closed to them.

        A second factor comes after the password; whether it is fresh is asked at the first request. From here on the
        account has to stay as it is until somebody is in.
        """
        pending.begin(request, user)
        answer: HttpResponseBase | None = super().pre_login(request, user, **kwargs)
        if answer is not None or current_actor() is not None:
            return answer
        try:
            where = replace(
                context_of(request), trusted_device=device_cookie.would_be_trusted(request, user.pk)
            )
            with acting(Actor(user.pk, user.name, where)):
                gates.refuse_the_person()
        except SecondFactorNeeded:
            return None
        except GateClosed as refusal:
            return errors.closed(request, message=str(refusal))
        return None

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponseBase:
        """Answer a closed account like a wrong password."""
        return pending.refuse(request, user, str(WRONG))

    def login(self, request: HttpRequest, user: User) -> None:
        """Open the session of somebody who proved all that was asked, unless the account changed meanwhile.

        INVARIANT: the account is asked under a lock, in the transaction that opens the session: who closes it or
        sets another password comes before, and nobody gets in, or after, and ends the session.
        """
        with transaction.atomic():
            if stands := pending.stands(request, user, lock=True):
                request.session.pop(pending.KEY)
                super().login(request, user)
        if not stands:
            raise ImmediateHttpResponse(pending.refuse(request, user, str(WRONG)))

    def set_password(self, user: User, password: str) -> None:
        """Set the password that somebody chose, and remember it where the profile says so."""
        super().set_password(user, password)
        passwords.remember(user)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse before the password is looked at when there were too many failures, and record that too."""
        login = limits.typed(credentials)
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            record_failure(request, login, reason="too_many_failures")
            raise
        self._account_usage = limits.consume(request, login, candidate(login))

    def clear_failures(self, request: HttpRequest, user: User) -> None:
        """Forget the failures at an account, in both counts: whoever set its password by a link comes in at once."""
        limits.clear(request, user)
        for login in filter(None, (user.username, user.email)):
            self._delete_login_attempts_cached_email(request, email=login)

    def _rollback_login_failed_rl_usage(self) -> None:
        """Take back what a right password was counted as, in both counts."""
        super()._rollback_login_failed_rl_usage()
        if self._account_usage is not None:
            self._account_usage.rollback()
