"""Deeds on records: authorize → change the version that was read → record, in one transaction.

A refused deed leaves only its event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.fields import FieldAccess
from hufu.access.registry import Kind, ResourceType, Sensitivity
from hufu.audit import Event, Subject, Target, changes, record, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.core.text import sound
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


def create_record(actor: Actor, resource: ResourceType, new: NewRecord) -> int:
    """Add a record and return its number. Owner and partition are checked, never trusted."""
    _check_fields(actor, resource, None, new.values)
    return create_many(actor, resource, [new])[0]


def create_many(actor: Actor, resource: ResourceType, records: Sequence[NewRecord]) -> list[int]:
    """Add records and return their numbers, each authorized like a single one. All, or none."""
    guard.authorize(actor, resource.permission("create"))
    if any(new.created_at or new.updated_at or new.department_id for new in records):
        guard.authorize(actor, resource.permission("import"))
    _check_owners(actor, resource, records)
    _check_references(actor, resource, [(new.partition_id, new.values) for new in records])
    departments = dict(
        User.objects.filter(id__in={new.owner_id for new in records}).values_list("id", "main_department_id")
    )
    numbers = _numbers(resource, len(records))
    moment = clock.now()
    rows = [
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
            **_columns(resource, new.values),
        )
        for number, new in zip(numbers, records, strict=True)
    ]
    # Nothing is read back: whoever may create a record need not be one who may view it.
    resource.model_class._base_manager.bulk_create(rows, batch_size=BATCH)
    record_many(actor, (_created_event(resource, row) for row in rows))
    return numbers


def edit_record(
    actor: Actor, resource: ResourceType, record_id: int, values: Mapping[str, Any], *, version: int
) -> Any:
    """Change fields of a record that was read at `version`; raise Conflict where it has changed since."""
    current = guard.get(actor, resource.permission("edit"), record_id)
    _check_fields(actor, resource, current, values)
    wanted = {
        name: value
        for name, value in values.items()
        if getattr(current, resource.by_name[name].column) != value
    }
    if current.lock_version != version:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at what is new, then save again.")
        )
    # Each reference that is named, changed or not: a right guess at a hidden one must look like a wrong one.
    _check_references(actor, resource, [(current.partition_id, values)])
    if not wanted:
        return current
    updated = resource.model_class._base_manager.filter(
        pk=record_id, partition_id=current.partition_id, lock_version=version
    ).update(
        **_columns(resource, wanted),
        lock_version=version + 1,
        updated_at=clock.now(),
        updated_by_id=actor.user_id,
    )
    if not updated:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at what is new, then save again.")
        )
    record(
        actor,
        f"{resource.name}.changed",
        target=_target(resource, current),
        subject=Subject(resource.name, record_id),
        **changes(
            {name: getattr(current, resource.by_name[name].column) for name in wanted},
            wanted,
            sealed=sealed_fields(resource),
        ),
    )
    return resource.model_class._base_manager.get(pk=record_id)


def delete_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int) -> None:
    """Put a record into the bin."""
    current = guard.get(actor, resource.permission("delete"), record_id)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT hufu.bin_{resource.table}(%s, %s)", [record_id, version])
        if not cursor.fetchone()[0]:
            raise Conflict(
                _("Somebody else changed this record meanwhile. Look at it again before you delete it.")
            )
    record(
        actor,
        f"{resource.name}.deleted",
        target=_target(resource, current),
        subject=Subject(resource.name, record_id),
        **changes(
            {declared.name: getattr(current, declared.column) for declared in resource.editable_fields()},
            None,
            sealed=sealed_fields(resource),
        ),
    )


def transfer_record(
    actor: Actor, resource: ResourceType, record_id: int, *, to: int, reason: str, version: int
) -> None:
    """Give a record to a new owner, who is active and admitted; its department becomes theirs."""
    current = guard.get(actor, resource.permission("transfer"), record_id)
    owner = User.objects.filter(pk=to).first()
    if owner is None or owner.main_department_id is None or not _may_own({(to, current.partition_id)}):
        raise Invalid(
            {
                "to": [
                    _(
                        "This person cannot own the record: the account must be active, in a department, and"
                        " admitted to the record's partition to read and edit."
                    )
                ]
            }
        )
    if to == current.owner_id:
        raise Invalid({"to": [_("This person owns the record already.")]})
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT hufu.transfer_{resource.table}(%s, %s, %s)", [record_id, to, version])
        if not cursor.fetchone()[0]:
            raise Conflict(
                _("Somebody else changed this record meanwhile. Look at it again before you transfer it.")
            )
    record(
        actor,
        f"{resource.name}.transferred",
        target=_target(resource, current),
        data={
            "from_owner": current.owner_id,
            "to_owner": to,
            "from_department": current.department_id,
            "to_department": owner.main_department_id,
        },
        reason=reason,
    )


def possible_owners(actor: Actor, partition_id: int) -> QuerySet[User]:
    """Return who may own a record in the partition, for pickers."""
    may_own = RawSQL("hufu.may_own(people_user.id, %s)", [partition_id], output_field=BooleanField())
    return (
        User.objects.filter(may_own, main_department__isnull=False)
        .select_related("main_department")
        .order_by("name_sort", "id")
    )


def sealed_fields(resource: ResourceType) -> frozenset[str]:
    """Return the fields whose values the log keeps as ciphertext."""
    return frozenset(
        declared.name
        for declared in resource.fields
        if declared.sensitivity in (Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL)
    )


def _target(resource: ResourceType, row: Any) -> Target:
    return Target(resource.name, row.pk, row.partition_id)


def _created_event(resource: ResourceType, row: Any) -> Event:
    return Event(
        f"{resource.name}.created",
        _target(resource, row),
        subject=Subject(resource.name, row.pk),
        **changes(
            None,
            {declared.name: getattr(row, declared.column) or None for declared in resource.editable_fields()}
            | {"owner": row.owner_id, "department": row.department_id},
            sealed=sealed_fields(resource),
        ),
    )


def _check_fields(actor: Actor, resource: ResourceType, current: Any, values: Mapping[str, Any]) -> None:
    """Raise Denied for a field that the actor may not write. A masked one may be replaced blind."""
    access = guard.fields(actor, resource, current)
    permission = resource.permission("create" if current is None else "edit")
    for name in values:
        if access.get(name) not in (FieldAccess.EDITABLE, FieldAccess.MASKED):
            raise guard.denied(actor, permission, current)


def _check_owners(actor: Actor, resource: ResourceType, records: Sequence[NewRecord]) -> None:
    places = {(new.owner_id, new.partition_id) for new in records}
    for owner_id, partition_id in places:
        if not guard.may_create(actor, resource, partition_id=partition_id, owner_id=owner_id):
            raise guard.denied(actor, resource.permission("create"))
    if not _may_own(places):
        raise Invalid(
            {
                "owner": [
                    _(
                        "The owner must be active, in a department, and admitted to the partition to read and edit."
                    )
                ]
            }
        )


def _may_own(places: set[tuple[int, int]]) -> bool:
    """Say whether each of these people may own records in each of these partitions."""
    owners, partitions = zip(*places, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(bool_and(hufu.may_own(o, p) AND u.main_department_id IS NOT NULL), false)"
            " FROM unnest(%s::int[], %s::int[]) AS place (o, p) LEFT JOIN people_user u ON u.id = o",
            [list(owners), list(partitions)],
        )
        allowed: bool = cursor.fetchone()[0]
    return allowed


def _check_references(
    actor: Actor, resource: ResourceType, places: Sequence[tuple[int, Mapping[str, Any]]]
) -> None:
    """Raise Invalid for a reference to a record that is absent, not viewable, or in another partition."""
    from hufu.access.registry import resource_type

    for declared in resource.fields:
        if declared.kind is not Kind.REFERENCE or declared.reference is None:
            continue
        wanted = {
            (partition_id, values[declared.name])
            for partition_id, values in places
            if values.get(declared.name) is not None
        }
        if not wanted:
            continue
        rows = guard.scope(actor, resource_type(declared.reference).permission("view")).filter(
            pk__in={number for _partition, number in wanted}
        )
        if wanted - set(rows.values_list("partition_id", "pk")):
            raise Invalid(
                {
                    declared.name: [
                        _("“%s” must be one that you may view, in the same partition.") % declared.label
                    ]
                }
            )


def _columns(resource: ResourceType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return column values, with what is derived from names for sorting and searching."""
    columns = {resource.by_name[name].column: value for name, value in values.items()}
    if "name" in values:
        columns["name_sort"], columns["name_initials"] = sound(values["name"])
    return columns


def _numbers(resource: ResourceType, amount: int) -> list[int]:
    """Take numbers for new records: they are known before the insert."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s) FROM generate_series(1, %s)", [f"public.{resource.table}_id_seq", amount]
        )
        return [row[0] for row in cursor.fetchall()]
