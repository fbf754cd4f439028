"""The half of a sign-in that waits for the rest: for whom it began, and whether it may still be finished."""

from __future__ import annotations

from allauth.account.internal.stagekit import clear_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from hufu.people.models import Status, User
from hufu.web.accounts.signals import record_failure

# In the session: a digest of what the account was when its sign-in began.
KEY = "hufu_pending"


def begin(request: HttpRequest, user: User) -> None:
    """Remember what the account is now that a sign-in as somebody begins."""
    request.session[KEY] = _digest(user)


def stands(request: HttpRequest, user: User, *, lock: bool = False) -> bool:
    """Say whether the sign-in of a request may go on: the account is active, and its password is the same.

    An account that was closed meanwhile is not the same either, though it be open again: the database renews its
    link number when it closes. With `lock` the account stays as it is to the end of the transaction.
    """
    accounts = User.objects.filter(pk=user.pk, status=Status.ACTIVE)
    now = (accounts.select_for_update(no_key=True) if lock else accounts).first()
    return now is not None and constant_time_compare(str(request.session.get(KEY, "")), _digest(now))


def refuse(request: HttpRequest, user: User, words: str) -> HttpResponseRedirect:
    """Forget a sign-in that may not be finished, record the attempt, and lead back to where one begins."""
    request.session.pop(KEY, None)
    clear_login(request)
    record_failure(request, user.username)
    messages.error(request, words)
    return HttpResponseRedirect(reverse("account_login"))


def _digest(user: User) -> str:
    state = f"{user.pk}|{user.get_session_auth_hash()}|{user.link_number}"
    return salted_hmac(KEY, state, algorithm="sha256").hexdigest()
