"""Sharing a record by hand: with a principal, for a time, for a reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.actions import Principal
from hufu.access.models import RecordShare, TeamMember
from hufu.access.registry import ResourceType
from hufu.audit import Event, Target, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.crm.actions.common import call, target

LONGEST_REASON = 500
# One share opens so many records along with its own at most: more is a rule, not a deed by hand.
MOST_ALONG = 1000


class OutsideWall(Invalid):
    """The person is active and not admitted to the record's partition: only its owner lets a share reach them."""


def share_record(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    *,
    to: Principal,
    access: str,
    reason: str,
    ends_at: datetime | None = None,
    starts_at: datetime | None = None,
    superiors: bool = False,
    along: Iterable[str] = (),
) -> int:
    """Share a record of an independent type with a principal; return the number of the share.

    It opens view, or view and edit, to those who hold these at any scope and are admitted to the partition; never
    more, and nothing to whoever gives it. `superiors`: also to those above them in the reporting line. `along` names
    types whose records that belong to this one now, and that the actor may share, are shared in the same way; what
    comes later is not. Nobody gives an edit that they do not have.
    """
    current = guard.use(actor, resource.permission("share"), record_id)
    check_share(actor, current, to, access, reason, starts_at, ends_at)
    if access == TeamMember.Access.EDIT and not guard.may_give_edit(actor, resource, current):
        raise guard.denied(actor, resource.permission("edit"), current)
    taken = list(_along(actor, resource, record_id, frozenset(along), access))
    term = (superiors, starts_at, ends_at, reason)
    share = _share(resource, record_id, to, access, term)
    if share is None:
        raise _no_way_in(to)
    said = {
        "share": share,
        "to": str(to),
        "superiors": superiors,
        "starts": starts_at,
        "ends": ends_at,
    }
    events = [
        Event(f"{resource.name}.shared", target(resource, current), {**said, "access": access}, reason=reason)
    ]
    for other, child, its_access in taken:
        # A record that the recipient owns is theirs anyway, and is passed over.
        if _share(other, child.pk, to, its_access, term, along_with=share) is not None:
            events.append(
                Event(
                    f"{other.name}.shared",
                    target(other, child),
                    {**said, "access": its_access, "along": True},
                    reason=reason,
                )
            )
    reach.shares_changed()
    record_many(actor, events)
    return share


def end_share(actor: Actor, resource: ResourceType, record_id: int, share_id: int) -> bool:
    """End a share and what it took along: by whoever may share the record, gave it, or got it by name.

    Return whether there was anything to end: not where there is no such share (any more).
    """
    share = RecordShare.objects.filter(pk=share_id, type=resource.name, record_id=record_id).first()
    concerned = share is not None and actor.user_id in (share.user_id, share.given_by)
    current = guard.get(actor, resource.permission("view" if concerned else "share"), record_id)
    if share is None:
        return False
    ended = json.loads(call(f"hufu.unshare_{resource.table}", record_id, share_id))
    reach.shares_changed()
    record_many(actor, _ended(resource, current, share, ended))
    return True


def _ended(
    resource: ResourceType, current: Any, share: RecordShare, ended: list[list[Any]]
) -> Iterator[Event]:
    said = {"share": share.pk, "to": principal_text(share)}
    for name, number in ended:
        along = (name, number) != (resource.name, current.pk)
        yield Event(
            f"{name}.share_ended", Target(name, number, current.partition_id), {**said, "along": along}
        )


def principal_text(share: RecordShare) -> str:
    """Return to whom a share is given, as one text."""
    return str(
        Principal(
            user=share.user,
            group=share.group,
            department=share.department,
            below=share.below,
            post=share.post,
            position=share.position,
            level=share.level,
        )
    )


def _no_way_in(to: Principal) -> Invalid:
    """Return why a share with somebody by name was not made."""
    if to.user is not None and call("hufu.is_active", to.user.pk):
        return OutsideWall(
            {
                "to": [
                    _(
                        "A wall stands between this person and the record: they are not admitted to its partition"
                        " (to edit: not with the right to edit). Where one shares the record, its page offers to ask"
                        " the partition's owner."
                    )
                ]
            }
        )
    return Invalid({"to": [_("The account of this person is closed.")]})


def check_share(
    actor: Actor,
    current: Any,
    to: Principal,
    access: str,
    reason: str,
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> None:
    """Raise Invalid for what no share may say."""
    problems: dict[str, list[str]] = {}
    if access not in TeamMember.Access.values:
        problems["access"] = [_("Choose whether they may view or also edit.")]
    if not reason.strip():
        problems["reason"] = [_("Say why.")]
    elif not is_storable(reason):
        problems["reason"] = [_("This text cannot be stored. Type it anew.")]
    elif len(reason) > LONGEST_REASON:
        problems["reason"] = [_("Too long: at most %s characters.") % LONGEST_REASON]
    if ends_at is not None and ends_at <= max(clock.now(), starts_at or clock.now()):
        problems["ends_at"] = [_("The end lies before the beginning, or in the past.")]
    if to.user is not None and to.user.pk == actor.user_id:
        problems["to"] = [_("Nobody gives rights to themselves.")]
    if to.user is not None and to.user.pk == current.owner_id:
        problems["to"] = [_("This person owns the record already.")]
    if problems:
        raise Invalid(problems)


def _along(
    actor: Actor, resource: ResourceType, record_id: int, wanted: frozenset[str], access: str
) -> Iterator[tuple[ResourceType, Any, str]]:
    """Yield what comes along: each record that the actor may share, with what they may give of it."""
    known = {other.name: (other, declared) for other, declared in resource.takes_along()}
    if wanted - known.keys():
        raise Invalid({"along": [_("This type cannot come along.")]})
    for name in sorted(wanted):
        other, declared = known[name]
        named = {declared.column: record_id}
        rows = guard.scope(actor, other.permission("share")).filter(**named).order_by("pk")
        children = list(rows[: MOST_ALONG + 1])
        if len(children) > MOST_ALONG:
            raise Invalid({"along": [_("More than %s records would come along.") % MOST_ALONG]})
        editable: frozenset[int] = frozenset()
        if access == TeamMember.Access.EDIT:
            may_give = guard.scope_to_give_edit(actor, other).filter(**named)
            editable = frozenset(may_give.values_list("pk", flat=True))
        for child in children:
            given = TeamMember.Access.EDIT if child.pk in editable else TeamMember.Access.READ
            yield other, child, given.value


def _share(
    resource: ResourceType,
    record_id: int,
    to: Principal,
    access: str,
    term: tuple[bool, datetime | None, datetime | None, str],
    along_with: int | None = None,
) -> int | None:
    columns = [thing.pk if thing is not None else None for thing in (to.user, to.group, to.department)]
    others = [thing.pk if thing is not None else None for thing in (to.position, to.level)]
    made: int | None = call(
        f"hufu.share_{resource.table}",
        record_id,
        *columns,
        to.below,
        to.post,
        *others,
        access,
        *term,
        along_with,
    )
    return made
