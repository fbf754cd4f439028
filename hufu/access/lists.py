"""Half one of lists: a page of what the actor may view, from ordered streams (sql/lists.sql, decision 0033).

The database merges the streams, in the way that is cheaper by what was counted. Each record of the page is then decided
in Python like any single one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from hufu.access.reach import coverage, facts, look_at, terms
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.prepared import prepared

# The column by which the indices of streams are ordered.
STREAM = "updated_at"
# What narrows a list to states, and the state of what is not void.
STATE = "state"
KEPT = "kept"
# What narrows a list to what a search finds: any of its ways, of which each is all of its words, each of these in any
# of some columns, with how it is there (hufu.access.list_sql.searched). The column ID has numbers instead of a text.
SEARCH = "search"
ID = "id"
Ways = list[list[list[tuple[str, str, Any]]]]


class Way(StrEnum):
    """How a page is found: from streams, by a walk through the type in order, or from what a search finds."""

    KEYS = "keys"
    WALK = "walk"
    MATCH = "match"


@dataclass(frozen=True)
class Order:
    """How a list is ordered: by a column, then by number. Empty values come last when descending."""

    column: str
    descending: bool


def page(
    actor: Actor,
    resource: ResourceType,
    order: Order,
    place: tuple[Any, int] | None,
    narrowing: Mapping[str, Sequence[Any]],
    most: int,
    way: Way | None = None,
) -> list[int]:
    """Return the numbers, in order, of at most `most` live records of an independent type that the actor may view.

    They come after `place` (a value of the column, and a number). `narrowing` names filterable columns and the values
    that are wanted of each, under STATE the wanted states, and under SEARCH the ways of a search. `way` forces one.
    """
    if not any(term.scope_of(resource.permission("view")) for term in terms(actor)):
        return []
    with prepared(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.page(%s, %s, %s, %s::jsonb, %s::jsonb, %s, %s)",
            [
                *(resource.name, order.column, order.descending),
                None if place is None else json.dumps({"value": _plain(place[0]), "id": place[1]}),
                json.dumps({name: list(values) for name, values in narrowing.items()}),
                *(most, way),
            ],
        )
        return list(cursor.fetchone()[0])


def records(
    actor: Actor, resource: ResourceType, numbers: Sequence[int], related: Sequence[str]
) -> list[Any]:
    """Return the records of a page in its order: those that their row policy gives and the point check allows."""
    rows = resource.model_class._base_manager.filter(pk__among=numbers).select_related(*related)
    with prepared():
        found = {row.pk: row for row in rows}
    look_at(actor, resource, found)
    viewed = coverage(actor, resource.permission("view"))
    read = (found[number] for number in numbers if number in found)
    return [record for record in read if viewed.covers(facts(actor, resource, record))]


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    return value.isoformat() if isinstance(value, (date, datetime)) else value
