"""What the database has to know of each independent type to read its lists: its table, orders and filters."""

from __future__ import annotations

import json
from typing import Any

from hufu.access import registry, states
from hufu.access.decision.states import State
from hufu.access.lists import KEPT, STREAM
from hufu.access.registry import Kind, ResourceType
from hufu.core.schema import sql_file

# Kinds of which a list is narrowed to some values.
FILTERED = frozenset({Kind.CHOICE, Kind.REFERENCE, Kind.USER, Kind.DEPARTMENT, Kind.PARTITION})
_TYPES = {
    "BigIntegerField": "bigint",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "IntegerField": "int",
}


def statements() -> str:
    """Return the SQL that reads lists."""
    cases = "".join(
        f"\n    WHEN '{resource.name}' THEN '{json.dumps(_described(resource), sort_keys=True)}'::jsonb"
        for resource in registry.resource_types()
        if resource.parent_type is None
    )
    return f"""{sql_file("hufu.access", "lists")}
-- What there is to know of a type. An unknown one is an error.
CREATE OR REPLACE FUNCTION hufu.listed_type(of_type text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE of_type {cases}
    END;
END $$;
"""


def _described(resource: ResourceType) -> dict[str, Any]:
    sorts = {declared.sort: _column(resource, declared.sort) for declared in resource.fields if declared.sort}
    return {
        "name": resource.name,
        "table": resource.table,
        "stream": STREAM,
        "states": _states(resource),
        "sorts": {name: kind for name, (kind, _nullable) in sorts.items()},
        "nullable": [name for name, (_kind, nullable) in sorts.items() if nullable],
        "filters": {
            declared.column: "text" if declared.kind is Kind.CHOICE else "bigint"
            for declared in resource.fields
            if declared.filterable and declared.kind in FILTERED
        },
    }


def _states(resource: ResourceType) -> dict[str, str]:
    """Return the condition in SQL of each state of the record `r` that a list can be narrowed to."""

    def is_open(closed_in: State) -> str:
        return f"(true{states.is_open_sql(closed_in & resource.states, 'r')})"

    return {
        KEPT: is_open(State.VOID),
        "open": is_open(resource.states),
        "locked": f"NOT {is_open(State.LOCKED | State.PENDING)}",
        "void": f"NOT {is_open(State.VOID)}",
    }


def _column(resource: ResourceType, name: str) -> tuple[str, bool]:
    """Return the type of a column in SQL, and whether it may be empty."""
    column: Any = resource.model_class._meta.get_field(name)
    target = column.target_field if column.is_relation else column
    kind = target.get_internal_type()
    return ("int" if kind.endswith("AutoField") else _TYPES[kind]), column.null
