"""Standing in for a colleague: named permissions, for a term, with a reason. Who lends, and who holds what is lent.

Whoever stands in acts with what the other holds, in terms of reach of their own that are never put together with
theirs. What ends for the one who lends ends for the other. What was shared with somebody, and the teams they are in,
are not lent; fields show what they show of others' records; nothing that is lent can be lent on or shared for editing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from hufu.access import guard, reach, registry
from hufu.access.delegation_models import Delegation
from hufu.access.registry import Permission
from hufu.audit import Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.people.models import User

LONGEST = timedelta(days=92)
LONGEST_REASON = 500


def delegable_sql() -> str:
    """Return SQL that tells the database which permissions may be lent."""
    names = ", ".join(
        f"'{declared.name}'" for declared in registry.permissions() if declared.may_be_delegated
    )
    return f"""
CREATE OR REPLACE FUNCTION hufu.may_be_delegated(permission text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT permission IN ({names}) $$;
"""


def delegable(actor: Actor) -> tuple[Permission, ...]:
    """Return what the actor may lend: what they hold as their own, and may be lent at all."""
    own = [term for term in reach.terms(actor) if not term.delegated]
    return tuple(
        declared
        for declared in registry.permissions()
        if declared.may_be_delegated and any(term.scope_of(declared.name) for term in own)
    )


def delegate(
    actor: Actor, to: User, *, permissions: Iterable[str], starts_at: datetime, ends_at: datetime, reason: str
) -> Delegation:
    """Let a colleague act with these permissions in the actor's stead, from one moment until another.

    What each builds on is lent with it: editing needs viewing. Raise Denied for what the actor does not hold as their
    own, Invalid with all else that is wrong, and where a separation of duties would be broken in the colleague's hand.
    """
    named = frozenset(permissions)
    known = {declared.name for declared in registry.permissions() if declared.may_be_delegated}
    for foreign in sorted((named & known) - {declared.name for declared in delegable(actor)}):
        raise guard.denied(actor, foreign)
    _check(actor, to, named, starts_at, ends_at, reason)
    made = Delegation(
        delegator_id=actor.user_id,
        user=to,
        permissions=sorted(named),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
    )
    made.save(force_insert=True)
    record(
        actor,
        "delegation.given",
        target=Target("user", to.pk),
        data={"permissions": sorted(named), "starts_at": starts_at, "ends_at": ends_at},
        reason=reason,
    )
    reach.changed()
    return made


def end_delegation(actor: Actor, number: int) -> bool:
    """End a delegation before its time: by either of the two, and by whoever assigns roles.

    Return whether there was anything to end: not where it is not there (any more), or is unknown to the actor.
    """
    found = Delegation.objects.filter(pk=number).first()
    if found is None:
        return False
    if actor.user_id not in (found.delegator_id, found.user_id):
        guard.authorize(actor, "role.assign")
    found.delete()
    record(
        actor,
        "delegation.ended",
        target=Target("user", found.user_id),
        data={"delegator": found.delegator_id, "permissions": found.permissions},
    )
    reach.changed()
    return True


def given(actor: Actor) -> list[Delegation]:
    """Return what the actor lends, now or to come, the next to begin first."""
    return list(_standing().filter(delegator_id=actor.user_id))


def received(actor: Actor) -> list[Delegation]:
    """Return what is lent to the actor, now or to come, the next to begin first."""
    return list(_standing().filter(user_id=actor.user_id))


def _standing() -> QuerySet[Delegation]:
    rows = Delegation.objects.select_related("delegator", "user").filter(ends_at__gt=clock.now())
    return rows.order_by("starts_at", "id")


def builds_on(permission: str) -> frozenset[str]:
    """Return the other permissions without which this one does nothing: viewing, and what its parent asks for."""
    if registry.is_about_records(permission):
        return frozenset(need.permission for need in registry.requirement(permission).needs) - {permission}
    resource = registry.type_of(permission)
    parent = resource.parent_type if resource else None
    return builds_on(parent.permission("edit")) | {parent.permission("edit")} if parent else frozenset()


def _check(
    actor: Actor, to: User, named: frozenset[str], starts_at: datetime, ends_at: datetime, reason: str
) -> None:
    problems: dict[str, list[str]] = {}
    if to.pk == actor.user_id:
        problems["to"] = [_("Nobody stands in for themselves.")]
    elif not to.is_active:
        problems["to"] = [_("The account of %s is suspended or has left.") % to.name]
    if not named:
        problems["permissions"] = [_("Choose what your colleague may do in your stead.")]
    own = {declared.name: declared for declared in delegable(actor)}
    if never := sorted(named - own.keys()):
        labels = {declared.name: declared.label for declared in registry.permissions()}
        problems["permissions"] = [_("“%s” is never lent.") % labels.get(name, name) for name in never]
    missing = {name: builds_on(name) - named for name in sorted(named & own.keys())}
    problems.setdefault("permissions", []).extend(
        _("“%(permission)s” does nothing without: %(others)s.")
        % {
            "permission": own[name].label,
            "others": _(", ").join(str(registry.permission(other).label) for other in sorted(others)),
        }
        for name, others in missing.items()
        if others
    )
    if not problems["permissions"]:
        del problems["permissions"]
    if ends_at <= max(starts_at, clock.now()):
        problems["ends_at"] = [_("The end lies before the beginning, or in the past.")]
    elif ends_at - starts_at > LONGEST:
        problems["ends_at"] = [_("At most %s days at a time.") % LONGEST.days]
    if not reason.strip():
        problems["reason"] = [_("Say why.")]
    elif not is_storable(reason):
        problems["reason"] = [_("This text cannot be stored. Type it anew.")]
    elif len(reason) > LONGEST_REASON:
        problems["reason"] = [_("Too long: at most %s characters.") % LONGEST_REASON]
    if not problems and not _is_let(to, named):
        problems["to"] = [
            _(
                "%s is an administrator: in three-administrator mode no administrator sees customers or other business "
                "records, in nobody's stead either."
            )
            % to.name
        ]
    if problems:
        raise Invalid(problems)


def _is_let(to: User, named: frozenset[str]) -> bool:
    """Say whether the database lets the actor lend this (hufu.may_delegate)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.may_delegate(%s, %s)", [to.pk, sorted(named)])
        return bool(cursor.fetchone()[0])
