"""Editing many records at once, each under the rules of a single edit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, lost_rights, quotas
from hufu.access.registry import ResourceType
from hufu.audit import Event, Subject, Target, changes, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict
from hufu.crm.actions import sealed_fields
from hufu.crm.actions.common import columns as written
from hufu.crm.duplicates import exclusive


def lock_editable(actor: Actor, resource: ResourceType, ids: Collection[int]) -> dict[int, Any]:
    """Return those of the records that the actor may edit, locked until the end of the transaction."""
    rows = guard.scope(actor, resource.permission("edit")).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def edit_many(
    actor: Actor, resource: ResourceType, edits: Mapping[int, tuple[Any, Mapping[str, Any]]]
) -> None:
    """Change records that `lock_editable` gave: (record, values that differ) by number; before and after recorded.

    A single one whose exclusive value is taken is refused with a sentence; of several the database's error passes.
    """
    quotas.consume(actor, resource.permission("edit"), len(edits))
    exclusive.must_be_open(actor, resource, [values for _row, values in edits.values()])
    if len(edits) == 1:
        [(number, (row, values))] = edits.items()
        with exclusive.refusing(actor, resource, values, partition_id=row.partition_id, record_id=number):
            _edit_many(actor, resource, edits)
    else:
        _edit_many(actor, resource, edits)


def _edit_many(
    actor: Actor, resource: ResourceType, edits: Mapping[int, tuple[Any, Mapping[str, Any]]]
) -> None:
    events = []
    columns = {"lock_version", "updated_at", "updated_by_id"}
    moment = clock.now()
    sealed = sealed_fields(resource)
    for number, (row, values) in edits.items():
        before = {name: getattr(row, resource.by_name[name].column) for name in values}
        for column, value in written(resource, values).items():
            setattr(row, column, value)
            columns.add(column)
        row.lock_version += 1
        row.updated_at, row.updated_by_id = moment, actor.user_id
        events.append(
            Event(
                f"{resource.name}.changed",
                Target(resource.name, number, row.partition_id),
                subject=Subject(resource.name, number),
                **changes(before, values, sealed=sealed),
            )
        )
    _update(actor, resource, [row for row, _values in edits.values()], sorted(columns))
    record_many(actor, events)


def _update(actor: Actor, resource: ResourceType, rows: Sequence[Any], columns: Sequence[str]) -> None:
    """Write these columns of these rows, in one statement."""
    by_name = {field.attname: field for field in resource.model_class._meta.concrete_fields}
    fields = [by_name[name] for name in ("id", *columns)]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in fields)
    names = ", ".join(f'"{field.column}"' for field in fields)
    assigned = ", ".join(f'"{field.column}" = new."{field.column}"' for field in fields[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {resource.table} AS r SET {assigned} FROM unnest({arrays}) AS new ({names}) WHERE r.id = new.id",
            [
                [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]
                for field in fields
            ],
        )
        if cursor.rowcount != len(rows):
            raise lost_rights.lost(actor) or Conflict(
                _("Some of the records were changed meanwhile. Nothing was imported; import again.")
            )
