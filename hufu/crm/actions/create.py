"""Adding records: each is authorized like a single one, all or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, quotas
from hufu.access.decision.decide import Code
from hufu.access.registry import ResourceType
from hufu.audit import Event, Subject, changes, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid, NotAsked
from hufu.core.prepared import prepared
from hufu.core.transaction import note_on_behalf
from hufu.crm.actions.common import check_fields, check_references, columns, may_own, sealed_fields, target
from hufu.crm.duplicates import exclusive
from hufu.people.models import User

BATCH = 2000


@dataclass(frozen=True)
class NewRecord:
    """What a record is created from. `values` are of declared fields, already parsed.

    Who may import also says the department, and the times of the record's life elsewhere; otherwise it belongs
    to its owner's main department and begins now.
    """

    partition_id: int
    owner_id: int
    values: Mapping[str, Any]
    department_id: int | None = None
    external_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class NewChild:
    """What a record of a following type is created from: the parent that it is decided with, and parsed values."""

    parent_id: int
    values: Mapping[str, Any]
    external_id: str | None = None


def create_record(actor: Actor, resource: ResourceType, new: NewRecord) -> int:
    """Add a record and return its number. Owner and partition are checked, never trusted."""
    check_fields(actor, resource, None, new.values)
    return create_many(actor, resource, [new])[0]


def create_many(actor: Actor, resource: ResourceType, records: Sequence[NewRecord]) -> list[int]:
    """Add records and return their numbers, each authorized like a single one. All, or none.

    A single one whose exclusive value is taken is refused with a sentence; of several the database's error passes.
    """
    guard.authorize(actor, resource.permission("create"))
    exclusive.must_be_open(actor, resource, [new.values for new in records])
    if any(new.created_at or new.updated_at or new.department_id for new in records):
        guard.authorize(actor, resource.permission("import"))
    quotas.consume(actor, resource.permission("create"), len(records))
    _check_owners(actor, resource, records)
    check_references(actor, resource, [(new.partition_id, new.values) for new in records])
    departments = dict(
        User.objects.filter(id__in={new.owner_id for new in records}).values_list("id", "main_department_id")
    )
    numbers = _numbers(resource, len(records))
    moment = clock.now()
    rows: list[Any] = [
        resource.model_class(
            id=number,
            partition_id=new.partition_id,
            owner_id=new.owner_id,
            department_id=new.department_id or departments[new.owner_id],
            external_id=new.external_id,
            created_at=new.created_at or moment,
            created_by_id=actor.user_id,
            updated_at=new.updated_at or new.created_at or moment,
            updated_by_id=actor.user_id,
            **columns(resource, new.values),
        )
        for number, new in zip(numbers, records, strict=True)
    ]
    for row in rows:
        holder = guard.creates_as(actor, resource, partition_id=row.partition_id, owner_id=row.owner_id)
        note_on_behalf(resource.name, row.pk, holder if holder != actor.user_id else None)
    # Nothing is read back: whoever may create a record need not be one who may view it.
    if len(records) == 1:
        with exclusive.refusing(
            actor, resource, records[0].values, partition_id=records[0].partition_id, record_id=numbers[0]
        ):
            with prepared():
                resource.model_class._base_manager.bulk_create(rows)
    else:
        resource.model_class._base_manager.bulk_create(rows, batch_size=BATCH)
    record_many(actor, (_created_event(resource, row) for row in rows))
    return numbers


def create_child(actor: Actor, resource: ResourceType, new: NewChild) -> int:
    """Add a record of a following type and return its number; it needs what editing its parent needs."""
    check_fields(actor, resource, None, new.values)
    return create_children(actor, resource, [new])[0]


def create_children(actor: Actor, resource: ResourceType, records: Sequence[NewChild]) -> list[int]:
    """Add records of a following type and return their numbers, each authorized like a single one. All, or none."""
    parent_type = resource.parent_type
    assert parent_type is not None
    guard.authorize(actor, resource.permission("create"))
    quotas.consume(actor, resource.permission("create"), len(records))
    wanted = {new.parent_id for new in records}
    parents = {
        row.pk: row for row in guard.scope(actor, parent_type.permission("edit")).filter(pk__in=wanted)
    }
    for missing in sorted(wanted - parents.keys()):
        # Absent, not viewable and not editable are told apart by this.
        guard.get(actor, parent_type.permission("edit"), missing)
    adds_as = {number: guard.adds_as(actor, resource, parent) for number, parent in parents.items()}
    if None in adds_as.values():
        # To edit the parent by one person's rights and to add to it by another's is neither's.
        raise guard.denied(actor, resource.permission("create"))
    numbers = _numbers(resource, len(records))
    moment = clock.now()
    rows = [
        resource.model_class(
            id=number,
            partition_id=parents[new.parent_id].partition_id,
            external_id=new.external_id,
            created_at=moment,
            created_by_id=actor.user_id,
            updated_at=moment,
            updated_by_id=actor.user_id,
            **{resource.by_name[resource.parent].column: new.parent_id},
            **columns(resource, new.values),
        )
        for number, new in zip(numbers, records, strict=True)
    ]
    for new, number in zip(records, numbers, strict=True):
        holder = adds_as[new.parent_id]
        note_on_behalf(resource.name, number, holder if holder != actor.user_id else None)
    resource.model_class._base_manager.bulk_create(rows, batch_size=BATCH)
    record_many(actor, (_created_event(resource, row) for row in rows))
    return numbers


def _created_event(resource: ResourceType, row: Any) -> Event:
    placed = (resource.parent,) if resource.parent else ("owner", "department")
    return Event(
        f"{resource.name}.created",
        target(resource, row),
        subject=Subject(resource.name, row.pk),
        **changes(
            None,
            {declared.name: getattr(row, declared.column) or None for declared in resource.editable_fields()}
            | {name: getattr(row, resource.by_name[name].column) for name in placed},
            sealed=sealed_fields(resource),
        ),
    )


def _check_owners(actor: Actor, resource: ResourceType, records: Sequence[NewRecord]) -> None:
    places = {(new.owner_id, new.partition_id) for new in records}
    for owner_id, partition_id in places:
        if not guard.may_create(actor, resource, partition_id=partition_id, owner_id=owner_id):
            raise _not_so(actor, resource, partition_id)
    if not may_own(places):
        raise Invalid(
            {
                "owner": [
                    _(
                        "The owner must be active, in a department, and admitted to the partition to read and edit."
                    )
                ]
            }
        )


def _not_so(actor: Actor, resource: ResourceType, partition_id: int) -> Denied:
    """Return the refusal of a record that the actor may not enter there, or not for the owner that is named."""
    refusal = guard.denied(actor, resource.permission("create"))
    elsewhere = partition_id not in guard.creatable_partitions(actor, resource)
    said = (
        _("You may not create %(records)s in this partition. Nothing was saved: choose another one.")
        if elsewhere
        else _(
            "You may enter %(records)s for yourself, not for this owner. Nothing was saved: leave the owner as it is."
        )
    )
    reason = Code.NOT_ADMITTED if elsewhere else Code.OUT_OF_SCOPE
    return NotAsked(
        replace(refusal.decision, code=reason),
        said % {"records": resource.label_plural},
        event={**(refusal.event or {}), "reason": str(reason)},
    )


def _numbers(resource: ResourceType, amount: int) -> list[int]:
    """Take numbers for new records: they are known before the insert."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)", [f"public.{resource.table}_id_seq", amount]
        )
        return [row[0] for row in cursor.fetchall()]
