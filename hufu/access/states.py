"""The states of records in the database: their columns, the condition that they leave open, and the deeds."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db.models import Q

from hufu.access.decision.states import State, StateFacts
from hufu.access.registry import ResourceType, resource_type

# What says that a record is in a state: its column, and the value of it that says no.
COLUMNS: dict[State, tuple[str, Any]] = {
    State.VOID: ("voided_at", None),
    State.LOCKED: ("locked_at", None),
    State.PENDING: ("pending_tasks", 0),
}
# All that is kept of the states; deeds alone set it.
KEPT: dict[State, tuple[str, ...]] = {
    State.VOID: ("voided_at", "voided_by_id", "void_reason"),
    State.LOCKED: ("locked_at", "locked_by_id", "lock_reason"),
    State.PENDING: ("pending_tasks",),
}
# Whose past is kept. Reasons are words about a record: they stand in it, and in the log.
PAST = ("voided_at", "voided_by_id", "locked_at", "locked_by_id", "pending_tasks")
FIXED = frozenset(column for columns in KEPT.values() for column in columns)


def is_open(closed_in: State, of: str = "") -> Q:
    """Return the condition that a record, or what `of` leads to, is in none of these states."""
    condition = Q()
    for state, (column, absent) in COLUMNS.items():
        if state in closed_in:
            how = {f"{of}{column}__isnull": True} if absent is None else {f"{of}{column}": absent}
            condition &= Q(**how)
    return condition


def is_open_sql(closed_in: State, row: str) -> str:
    """Return the same condition in SQL for `row`, each part with AND before it."""
    return "".join(
        f" AND {row}.{column} IS NULL" if absent is None else f" AND {row}.{column} = {absent}"
        for state, (column, absent) in COLUMNS.items()
        if state in closed_in
    )


@cache
def _columns(type_name: str) -> tuple[str, ...]:
    states = resource_type(type_name).states
    return tuple(column for state, (column, _absent) in COLUMNS.items() if state in states)


def facts(resource: ResourceType, record: Any) -> tuple[StateFacts, ...]:
    """Return the states that a record is in, from its row or from what is kept of its past."""
    for column in _columns(resource.name):
        if getattr(record, column):
            break
    else:
        return ()
    found = []
    if State.VOID in resource.states and record.voided_at is not None:
        said = getattr(record, "void_reason", "")
        found.append(StateFacts(State.VOID, record.voided_at, record.voided_by_id, said))
    if State.LOCKED in resource.states and record.locked_at is not None:
        said = getattr(record, "lock_reason", "")
        found.append(StateFacts(State.LOCKED, record.locked_at, record.locked_by_id, said))
    if State.PENDING in resource.states and record.pending_tasks:
        found.append(StateFacts(State.PENDING))
    return tuple(found)
