"""Whose a record is, and where it lives: transfer, and the move to another partition."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from django.db import IntegrityError
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.registry import Kind, ResourceType
from hufu.audit import Event, Target, record, record_many
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.crm.actions.common import call, may_own, target
from hufu.crm.duplicates import exclusive
from hufu.people.models import User


class FormerOwner(StrEnum):
    """What becomes of the owner when a record is transferred."""

    LEAVES = ""
    READS = "read"
    EDITS = "edit"


def transfer_record(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    *,
    to: int,
    reason: str,
    version: int,
    former_owner: FormerOwner = FormerOwner.LEAVES,
    keep_department: bool = False,
) -> None:
    """Give a record to a new owner, who is active and admitted.

    The former owner leaves, or stays in the team with a right to read or to edit. The record's department becomes the
    new owner's main department, or stays.
    """
    current = guard.use(actor, resource.permission("transfer"), record_id)
    owner = User.objects.filter(pk=to).first()
    if owner is None or owner.main_department_id is None or not may_own({(to, current.partition_id)}):
        raise Invalid({"to": [cannot_own()]})
    if to == current.owner_id:
        raise Invalid({"to": [_("This person owns the record already.")]})
    if not call(
        f"hufu.transfer_{resource.table}", record_id, to, version, keep_department, former_owner.value
    ):
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you transfer it.")
        )
    reach.shares_changed()
    record(
        actor,
        f"{resource.name}.transferred",
        target=target(resource, current),
        data={
            "from_owner": current.owner_id,
            "to_owner": to,
            "from_department": current.department_id,
            "to_department": current.department_id if keep_department else owner.main_department_id,
            "former_access": former_owner.value or None,
        },
        reason=reason,
    )


def cannot_own() -> str:
    """Return why somebody cannot own a record."""
    return _(
        "This person cannot own the record: the account must be active, in a department, and"
        " admitted to the record's partition to read and edit."
    )


def move_record(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    *,
    to: int,
    owner: int | None,
    reason: str,
    version: int,
) -> None:
    """Move a record to another partition, with everything that belongs to it.

    The owner must be admitted there, or a new one is named, who also gets what belongs to people who are not. Naming
    another where the owner could follow, or oneself, needs transfer as well; so does naming one for a record in a pool,
    which it leaves. Memberships that can no longer be reached
    end. Raise Invalid, saying what to do, where it cannot go.
    """
    current = guard.use(actor, resource.permission("move_partition"), record_id)
    guard.authorize(actor, resource.permission("create"))
    if to not in guard.creatable_partitions(actor, resource):
        raise Invalid({"to": [_("Choose a partition in which you may create records.")]})
    if to == current.partition_id:
        raise Invalid({"to": [_("The record is in this partition already.")]})
    for declared in resource.fields:
        if declared.kind is Kind.REFERENCE and getattr(current, declared.column) is not None:
            raise Invalid(
                {
                    "to": [
                        _(
                            "It belongs to a “%s” and moves with it. Move that one, or take it out of this one first."
                        )
                        % declared.label
                    ]
                }
            )
    new_owner = owner or current.owner_id
    if new_owner is None or not may_own({(new_owner, to)}):
        raise Invalid(
            {"owner": [_("Choose an owner who is active and admitted to that partition to read and edit.")]}
        )
    could_follow = current.owner_id is not None and may_own({(current.owner_id, to)})
    takes = current.owner_id is None or could_follow or new_owner == actor.user_id
    if new_owner != current.owner_id and takes:
        guard.authorize(actor, resource.permission("transfer"), current)
    if not guard.may_create(actor, resource, partition_id=to, owner_id=new_owner):
        raise guard.denied(actor, resource.permission("create"))
    theirs = exclusive.of_record(resource, current)
    exclusive.must_be_open(actor, resource, [theirs])
    try:
        with exclusive.refusing(actor, resource, theirs, partition_id=to, record_id=record_id):
            answer = call(f"hufu.move_{resource.table}", record_id, to, new_owner, version)
    except IntegrityError:
        raise Invalid(
            {"to": [_("Its external number, or one of what belongs to it, is taken in that partition.")]}
        ) from None
    if answer is None:
        raise Conflict(_("Somebody else changed this record meanwhile. Look at it again before you move it."))
    said = json.loads(answer)
    if "held" in said:
        raise Invalid(
            {"to": [_("Something that belongs to it is locked, and stays where it is until it is unlocked.")]}
        )
    reach.shares_changed()
    record_many(actor, _moved_events(resource, current, to, new_owner, said, reason))


def _moved_events(
    resource: ResourceType, current: Any, to: int, owner: int, said: Mapping[str, Any], reason: str
) -> Iterator[Event]:
    """Yield what moving a record did: to it, to what belongs to it, and to those who lost a membership or share."""
    handed = {(name, number): former for name, number, former in said["handed"]}
    moved: list[tuple[str, int, int | None, int | None]] = [
        (resource.name, current.pk, current.owner_id, owner)
    ]
    for name, numbers in said["children"].items():
        for number in numbers:
            former = handed.get((name, number))
            moved.append((name, number, former, owner if former is not None else None))
    for name, number, former, now in moved:
        facts = {"from_partition": current.partition_id, "to_partition": to}
        if former is not None and former != now:
            facts |= {"from_owner": former, "to_owner": now}
        yield Event(f"{name}.moved", Target(name, number, to), data=facts, reason=reason)
    for name, number, member in said["ended"]:
        yield Event(f"{name}.member_left", Target(name, number, to), data={"member": member})
    for name, number, share in said["unshared"]:
        yield Event(f"{name}.share_ended", Target(name, number, to), data={"share": share})


def possible_owners(actor: Actor, partition_id: int) -> QuerySet[User]:
    """Return who may own a record in the partition, for pickers."""
    may_own = RawSQL("hufu.may_own(people_user.id, %s)", [partition_id], output_field=BooleanField())
    return (
        User.objects.filter(may_own, main_department__isnull=False)
        .select_related("main_department")
        .order_by("name_sort", "id")
    )
