"""Closing the gate of an account for a while, and opening it again. Never one's own."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Session, Status, User
from hufu.staffing.actions.common import alone_holds, authorize_about, locked, require_somebody_else
from hufu.staffing.actions.people import change_users


def suspend(actor: Actor, user: User, *, reason: str) -> int:
    """Close an account at once and return how many open sessions ended with it; what it holds stays for later.

    Raise Invalid where the account is not active, without a reason, and where nobody else could manage people or
    rights.
    """
    authorize_about(actor, user)
    _require_reason(reason)
    with transaction.atomic():
        user = locked(user.id)
        if user.status != Status.ACTIVE:
            raise Invalid({"": [_("The account of %s is not active.") % user.name]})
        require_somebody_else(user, alone_holds(user.id))
        sessions = Session.objects.filter(user=user).count()
        change_users(actor, {user.id: {"status": Status.SUSPENDED.value}})
        _record(actor, user, "user.suspended", reason, {"sessions": sessions})
    return sessions


def reactivate(actor: Actor, user: User, *, reason: str) -> None:
    """Open a suspended account again; its former sessions stay ended. Raise Invalid for any other account."""
    authorize_about(actor, user)
    _require_reason(reason)
    with transaction.atomic():
        user = locked(user.id)
        if user.status != Status.SUSPENDED:
            raise Invalid({"": [_("The account of %s is not suspended.") % user.name]})
        change_users(actor, {user.id: {"status": Status.ACTIVE.value}})
        _record(actor, user, "user.reactivated", reason, {})


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the log keeps it.")]})


def _record(actor: Actor, user: User, type_name: str, reason: str, data: dict[str, int]) -> None:
    record(
        actor,
        type_name,
        target=Target("user", user.id),
        subject=Subject("user", user.id),
        reason=reason,
        data=data,
    )
