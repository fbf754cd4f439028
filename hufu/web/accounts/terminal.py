"""Signing in at the terminal: by the same doors as on the page, without a browser.

A browser's cookie is not there, so no device is trusted; and no address is known, so access limits by network are
closed. What somebody proves counts for one command.
"""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from hufu import audit
from hufu.access import gates
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.transaction import acting
from hufu.people import passwords
from hufu.people.models import Status, User
from hufu.people.terminal import Answers
from hufu.web.accounts.adapter import WRONG
from hufu.web.accounts.backend import candidate
from hufu.web.accounts.signals import DEMO, as_themselves
from hufu.web.passage import TerminalRequest
from hufu.web.second_factor import required
from hufu.web.second_factor.forms import CodeForm
from hufu.web.second_factor.proof import factors


def sign_in(login: str, answers: Answers) -> Actor:
    """Return the person who proved who they are; raise Invalid or GateClosed, and record why not."""
    request = _request()
    with context.request_context(request):
        user = _person(request, login, answers)
        if factors(user.pk).exists():
            _prove(request, user, answers.code())
        # Nobody comes in as an account that was closed, or got another password, while the questions were answered.
        stands = User.objects.filter(
            pk=user.pk, status=Status.ACTIVE, password=user.password, link_number=user.link_number
        )
        if not stands.exists():
            raise Invalid({"": [str(WRONG)]})
        request.user = user
        actor = as_themselves(request, user)
        with acting(actor):
            gates.refuse_the_person()
            # In the demo company nobody must have one.
            if answers.password and required.is_missing(actor):
                raise Invalid(
                    {"": [_("Administrators prove a second factor. Set one up on the site first.")]}
                )
            if passwords.is_too_old(user):
                raise Invalid({"": [_("Your password is too old. Choose another one on the site first.")]})
            method = "password" if answers.password else DEMO
            audit.record(actor, "auth.signed_in", data={"method": method})
    return actor


def _request() -> TerminalRequest:
    request = TerminalRequest()
    request.method = "POST"
    request.META |= {"REMOTE_ADDR": "", "HTTP_HOST": urlsplit(settings.HUFU_ORIGIN).netloc}
    request.user = AnonymousUser()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    return request


def _person(request: TerminalRequest, login: str, answers: Answers) -> User:
    if answers.password is None:
        user = candidate(login)
        if user is None or user.status != Status.ACTIVE or user.has_usable_password():
            raise Invalid({"": [str(WRONG)]})
        record_authentication(request, user, DEMO)
        return user
    try:
        user = get_adapter().authenticate(request, username=login, password=answers.password())
    except ValidationError as error:
        raise Invalid({"": error.messages}) from None
    if user is None:
        raise Invalid({"": [str(WRONG)]})
    record_authentication(request, user, "password")
    found: User = user
    return found


def _prove(request: TerminalRequest, user: User, code: str) -> None:
    coded = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN)
    if not coded.exists():
        raise Invalid(
            {"": [_("You have passkeys alone, which the terminal cannot ask. Do this on the site instead.")]}
        )
    form = CodeForm(user=user, data={"code": code})
    if not form.is_valid():
        raise Invalid({"": [str(message) for messages in form.errors.values() for message in messages]})
    form.save()
