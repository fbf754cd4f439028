"""From the address of a list to the query it asks for, and back to chips and controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.decision.terms import Right
from hufu.access.models import Partition
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core.actor import Actor
from hufu.crm import record_states
from hufu.crm.queries import PAGE, ListQuery
from hufu.people.models import Department, User
from hufu.web.numbers import number

RESERVED = {"q", "sort", "cursor"}
FEW = 8


@dataclass(frozen=True)
class Option:
    """One value that one can filter by."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class Control:
    """A filter in the panel. `shape` is checks, select or person."""

    field: Field
    shape: str
    options: list[Option]


@dataclass(frozen=True)
class Chip:
    """A filter that is on: what it says, and the query without it."""

    label: str
    value: str
    without: str


def read(params: QueryDict) -> ListQuery:
    """Return what the address asks for. Every name that is not ours is a filter: the query refuses unknown ones."""
    return ListQuery(
        filters={
            name: [value for value in params.getlist(name) if value]
            for name in params
            if name not in RESERVED
        },
        search=params.get("q", "").strip()[:100],
        sort=params.get("sort", ""),
        cursor=params.get("cursor", ""),
        limit=PAGE,
    )


def controls(
    actor: Actor, resource: ResourceType, query: ListQuery, *, chosen_only: bool = False
) -> list[Control]:
    """Return the filters that the panel offers; `chosen_only`: those that are on, with what is chosen alone."""
    made = []
    for declared in resource.fields:
        chosen = {*query.filters.get(declared.name, ())}
        if not declared.filterable or declared.kind is Kind.REFERENCE or (chosen_only and not chosen):
            continue
        if guard.readable(actor, resource, declared) is None:
            continue
        if declared.kind is Kind.CHOICE:
            options = [(value, str(label)) for value, label in declared.choices]
            shape = "checks" if len(options) <= FEW else "select"
        elif declared.kind is Kind.USER:
            options, shape = _people(chosen), "person"
        elif declared.kind is Kind.DEPARTMENT:
            options, shape = _departments(chosen) if chosen_only else departments(), "select"
        else:
            options, shape = partitions(actor), "select"
            if len(options) < 2:
                continue
        made.append(_control(declared, shape, options, chosen))
    chosen = {*query.filters.get(record_states.NAME, ())}
    if resource.states and (chosen or not chosen_only):
        options = [(value, str(label)) for value, label in record_states.FILTER.choices]
        made.append(_control(record_states.FILTER, "checks", options, chosen))
    return made


def _control(declared: Field, shape: str, options: list[tuple[str, str]], chosen: set[str]) -> Control:
    return Control(declared, shape, [Option(value, label, value in chosen) for value, label in options])


def chips(params: QueryDict, shown: list[Control]) -> list[Chip]:
    """Return the filters that are on."""
    made = []
    for control in shown:
        chosen = [option.label for option in control.options if option.chosen]
        if chosen:
            made.append(
                Chip(
                    str(control.field.label),
                    _(", ").join(chosen),
                    without(params, control.field.name),
                )
            )
    return made


def without(params: QueryDict, *names: str) -> str:
    """Return the address's query without some names, from its first page."""
    left = params.copy()
    for name in (*names, "cursor"):
        left.pop(name, None)
    return f"?{left.urlencode()}" if left else "?"


def departments() -> list[tuple[str, str]]:
    """Return all departments in the order of the tree, indented by depth."""
    children: dict[int | None, list[Department]] = {}
    for department in Department.objects.order_by("id"):
        children.setdefault(department.parent_id, []).append(department)

    def below(parent: int | None, depth: int) -> list[tuple[str, str]]:
        found = []
        for department in children.get(parent, ()):
            found.append((str(department.id), "\u3000" * depth + department.name))
            found += below(department.id, depth + 1)
        return found

    return below(None, 0)


def partitions(actor: Actor) -> list[tuple[str, str]]:
    """Return the partitions that the actor may read in."""
    readable = {number for term in reach.terms(actor) for number in term.partitions[Right.READ]}
    rows: Any = Partition.objects.filter(id__in=readable).order_by("id")
    return [(str(row.id), row.name) for row in rows]


def _departments(chosen: set[str]) -> list[tuple[str, str]]:
    found = Department.objects.filter(id__in=[number(value) for value in chosen]).order_by("id")
    return [(str(department.id), department.name) for department in found]


def _people(chosen: set[str]) -> list[tuple[str, str]]:
    people = User.objects.filter(id__in=[number(value) for value in chosen])
    return [(str(user.id), user.name) for user in people]
