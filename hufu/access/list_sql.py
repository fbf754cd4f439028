"""What the database has to know of each independent type to read its lists: its table, orders and filters."""

from __future__ import annotations

import json
from typing import Any

from hufu.access import registry, states
from hufu.access.decision.states import State
from hufu.access.lists import KEPT, STREAM
from hufu.access.registry import Kind, ResourceType, Search
from hufu.core.schema import sql_file

# Kinds of which a list is narrowed to some values.
FILTERED = frozenset({Kind.CHOICE, Kind.REFERENCE, Kind.USER, Kind.DEPARTMENT, Kind.PARTITION})
# How the search box looks into a column: for a part of it, for its beginning, for all of it.
CONTAINS, BEGINS, EQUALS = "contains", "begins", "equals"
_TYPES = {
    "BigIntegerField": "bigint",
    "CharField": "text",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "IntegerField": "int",
}


def statements() -> str:
    """Return the SQL that reads lists, and what a search is answered from."""
    independent = [resource for resource in registry.resource_types() if resource.parent_type is None]
    pieces = "".join(
        f"CREATE INDEX IF NOT EXISTS {pieces_index(resource, column)} ON public.{resource.table}"
        f" USING gin (hufu.pieces({column}));\n"
        for resource in independent
        for column, ways in searched(resource).items()
        if CONTAINS in ways
    )
    cases = "".join(
        f"\n    WHEN '{resource.name}' THEN '{json.dumps(_described(resource), sort_keys=True)}'::jsonb"
        for resource in independent
    )
    return f"""{sql_file("hufu.access", "search")}{pieces}{sql_file("hufu.access", "lists")}
-- What there is to know of a type. An unknown one is an error.
CREATE OR REPLACE FUNCTION hufu.listed_type(of_type text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE of_type {cases}
    END;
END $$;
"""


def searched(resource: ResourceType) -> dict[str, tuple[str, ...]]:
    """Return the columns into which the search box looks, and how it may; sealed fields have indexes of their own."""
    columns = {column.column for column in resource.model_class._meta.concrete_fields}
    found: dict[str, tuple[str, ...]] = {}
    for declared in resource.fields:
        if declared.search is Search.PREFIX:
            found[declared.column] = (CONTAINS, BEGINS, EQUALS)
            sounds = (f"{declared.name}_sort", f"{declared.name}_initials")
            found |= {column: (BEGINS,) for column in sounds if column in columns}
        elif declared.search is Search.EXACT and not declared.is_encrypted:
            found[declared.column] = (EQUALS,)
    return found


def pieces_index(resource: ResourceType, column: str) -> str:
    """Return the name of the index of the pieces of a column, by which sql/search.sql knows it, too."""
    return f"{resource.table}_{column}_pieces"


def _described(resource: ResourceType) -> dict[str, Any]:
    sorts = {declared.sort: _column(resource, declared.sort) for declared in resource.fields if declared.sort}
    return {
        "name": resource.name,
        "table": resource.table,
        "stream": STREAM,
        "states": _states(resource),
        "sorts": {name: kind for name, (kind, _nullable) in sorts.items()},
        "nullable": [name for name, (_kind, nullable) in sorts.items() if nullable],
        "searched": searched(resource),
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
