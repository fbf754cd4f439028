"""Editing many records at once, each under the rules of a single edit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.audit import Event, Subject, Target, changes, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.text import initials, sort_key
from hufu.crm.actions import sealed_fields

BATCH = 500


def lock_editable(actor: Actor, resource: ResourceType, ids: Collection[int]) -> dict[int, Any]:
    """Return those of the records that the actor may edit, locked until the end of the transaction."""
    rows = guard.scope(actor, resource.permission("edit")).filter(pk__in=ids).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def edit_many(
    actor: Actor, resource: ResourceType, edits: Mapping[int, tuple[Any, Mapping[str, Any]]]
) -> None:
    """Change records that `lock_editable` gave: (record, values that differ) by number; before and after recorded."""
    events = []
    columns = {"lock_version", "updated_at", "updated_by_id"}
    moment = clock.now()
    sealed = sealed_fields(resource)
    for number, (row, values) in edits.items():
        before = {name: getattr(row, resource.by_name[name].column) for name in values}
        for name, value in values.items():
            setattr(row, resource.by_name[name].column, value)
            columns.add(resource.by_name[name].column)
        if "name" in values:
            row.name_sort, row.name_initials = sort_key(row.name), initials(row.name)
            columns |= {"name_sort", "name_initials"}
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
    rows = [row for row, _values in edits.values()]
    resource.model_class._base_manager.bulk_update(rows, sorted(columns), batch_size=BATCH)
    record_many(actor, events)
