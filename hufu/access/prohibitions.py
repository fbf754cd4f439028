"""Prohibitions: an explicit no to a principal, for one permission or all of a type. They win over everything.

They are built into reach, so that what is forbidden is not held in either half.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, reach, registry
from hufu.access.actions import Principal
from hufu.access.decision.snapshot import names_permission
from hufu.access.models import PRINCIPALS, Prohibition
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid


def is_nameable(forbidden: str) -> bool:
    """Say whether a prohibition can name this: a permission, or all of a type (`customer.*`)."""
    return any(names_permission(forbidden, permission.name) for permission in registry.permissions())


def forbid(
    actor: Actor,
    permission: str,
    *,
    to: Principal,
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Prohibition:
    """Forbid a permission (or `TYPE.*`) to a principal; a level means exactly that level. It holds at once.

    By whoever assigns roles, at any time, or in a change set. Nobody forbids to themselves what they hold: nobody else
    might be left to give it back.
    """
    if not publishing.is_on():
        guard.authorize(actor, "role.assign")
    if not is_nameable(permission):
        raise Invalid({"permission": [_("There is no permission “%s”.") % permission]})
    if _is_mine(to) and _asked("SELECT hufu.holds_any(%s)", permission):
        raise guard.denied(actor, "role.assign")
    made = Prohibition(
        permission=permission,
        reason=reason,
        starts_at=starts_at,
        ends_at=ends_at,
        given_by=actor.user_id,
        **to.columns(),
    )
    made.save(force_insert=True)
    said = {"permission": permission, "principal": str(to), "starts_at": starts_at, "ends_at": ends_at}
    record(actor, "prohibition.made", data=said, reason=reason)
    reach.changed()
    return made


def end(actor: Actor, prohibition: Prohibition, *, reason: str) -> None:
    """End a prohibition, which widens: from version 1 on in a change set alone. Whom it binds never does."""
    publishing.authorize(actor, "role.assign")
    to = forbidden_to(prohibition)
    if _is_mine(to):
        raise guard.denied(actor, "role.assign")
    data = {"permission": prohibition.permission, "principal": str(to)}
    prohibition.delete()
    record(actor, "prohibition.ended", data=data, reason=reason)
    reach.changed()


def forbidden_to(row: Prohibition) -> Principal:
    """Return to whom something is forbidden."""
    return Principal(**{name: getattr(row, name) for name in (*PRINCIPALS, "below", "post")})


def _is_mine(to: Principal) -> bool:
    return _asked("SELECT %s IN (SELECT hufu.my_principals())", str(to))


def _asked(sql: str, value: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [value])
        answer: bool = cursor.fetchone()[0]
    return answer
