"""What every deed on a person asks before it changes anything."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import company, guard, registry
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User

# Without anybody who holds these, nobody could ever change people or rights again.
NEEDED = ("user.manage", "role.assign")


def authorize_about(actor: Actor, user: User) -> None:
    """Let a deed on an account through for whoever manages people, never for oneself."""
    guard.authorize(actor, "user.manage")
    if actor.user_id == user.id:
        raise guard.denied(actor, "user.manage")


def require_no_other_administrator(actor: Actor, user: User) -> None:
    """Raise Invalid where somebody who acts would get at the account of an administrator of another kind."""
    if actor.is_person and company.administers_more(user.id):
        raise Invalid(
            {
                "": [
                    _(
                        "%s is an administrator of another kind than you: whoever gets at both accounts would be two "
                        "administrators. The operator does this on the server."
                    )
                    % user.name
                ]
            }
        )


def locked(user_id: int) -> User:
    """Return the account; nobody changes facts, and nobody gives this person a record, until the deed is done.

    The lock of the facts comes before that of any row, as everywhere.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7252, 1)")
    return User.objects.select_for_update().get(pk=user_id)


def alone_holds(user_id: int) -> set[str]:
    """Return what a company cannot be without and nobody else who is active holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wanted FROM unnest(%s::text[]) wanted WHERE hufu.alone_holds(%s, wanted)",
            [list(NEEDED), user_id],
        )
        return {row[0] for row in cursor.fetchall()}


def require_somebody_else(user: User, permissions: Iterable[str]) -> None:
    """Raise Invalid for permissions that nobody would hold any more."""
    for permission in sorted(permissions):
        raise Invalid(
            {
                "": [
                    _("Nobody but %(person)s holds “%(permission)s”. Let somebody else have it first.")
                    % {"person": user.name, "permission": registry.permission(permission).label}
                ]
            }
        )
