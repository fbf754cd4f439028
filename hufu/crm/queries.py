"""Reading records for an actor: lists, counts, one record. Always through the guard."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from hufu.access import cells, guard, lists, quotas
from hufu.access.fields import is_open
from hufu.access.lists import Order
from hufu.access.models import RecordShare, TeamMember
from hufu.access.queries import PRINCIPAL_NAMES
from hufu.access.registry import Field as DeclaredField
from hufu.access.registry import Kind, ResourceType, resource_type, type_of
from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.crm import record_states, search

PAGE = 50
LARGEST_PAGE = 200
# What is found is counted so far.
MOST_COUNTED = 1000
# Of records, by type and number.
Titles = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class ListQuery:
    """What a list asks for: values per filterable field, a search text, a sort (`-` for descending), a cursor.

    `bin` asks for records in the bin that the actor may restore.
    """

    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    search: str = ""
    sort: str = ""
    cursor: str = ""
    limit: int = PAGE
    bin: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a list. Cursors are positions, not rights: whoever uses one sees what is theirs."""

    records: tuple[Any, ...]
    next_cursor: str
    previous_cursor: str


def list_records(actor: Actor, resource: ResourceType, query: ListQuery) -> Page:
    """Return a page of the records that the actor may view; the list is one event in the log."""
    sort, descending = _sort(resource, query)
    limit = max(1, min(query.limit, LARGEST_PAGE))
    backwards, position = _read_cursor(query.cursor, resource, sort)
    found, more = _read(actor, resource, query, descending is not backwards, position, limit)
    if backwards:
        found.reverse()
    page = Page(
        tuple(found),
        _write_cursor(resource, sort, found[-1], False) if found and (more or backwards) else "",
        _write_cursor(resource, sort, found[0], True) if found and (more if backwards else position) else "",
    )
    _record_list(actor, resource, query, found)
    return page


def _read(
    actor: Actor,
    resource: ResourceType,
    query: ListQuery,
    descending: bool,
    position: tuple[Any, int] | None,
    limit: int,
) -> tuple[list[Any], bool]:
    """Return the records of one page, and whether there are more beyond.

    They come from ordered streams where these can tell all that the list is narrowed to.
    """
    sort, _as_asked = _sort(resource, query)
    narrowing = _narrowing(actor, resource, query)
    if narrowing is not None:
        assert sort.sort is not None
        numbers = lists.page(actor, resource, Order(sort.sort, descending), position, narrowing, limit + 1)
        return lists.records(actor, resource, numbers[:limit], shown_with(resource)), len(numbers) > limit
    rows = _narrowed(actor, resource, query)
    if position is not None:
        rows = rows.filter(_beyond(resource, sort, descending, *position))
    ordered = _ordered(resource, rows, sort, descending)
    found = list(ordered.select_related(*shown_with(resource))[: limit + 1])
    return found[:limit], len(found) > limit


def _narrowing(actor: Actor, resource: ResourceType, query: ListQuery) -> dict[str, list[Any]] | None:
    """Return the columns and values that a list is narrowed to; None where its streams cannot tell.

    They cannot for following types, the bin, and fields that are readable on some records alone.
    """
    if resource.parent or query.bin:
        return None
    if leaves_out(actor, resource, query) or not is_open(actor, resource, _sort(resource, query)[0]):
        return None
    found: dict[str, list[Any]] = {}
    if resource.states:
        found[lists.STATE] = record_states.wanted_states(query.filters.get(record_states.NAME, ())) or [
            lists.KEPT
        ]
    for name, values in query.filters.items():
        if values and not record_states.is_filter(resource, name):
            declared = _filterable(actor, resource, name)[0]
            found[declared.column] = _wanted(actor, declared, name, values)
    if query.search.strip():
        ways = search.ways(actor, resource, query.search)
        if ways is None:
            return None
        found[lists.SEARCH] = ways
    return found


def page_statement(
    resource: ResourceType, rows: QuerySet[Any], query: ListQuery
) -> tuple[str, Sequence[Any]]:
    """Return the statement that reads one page of some rows, forwards, as `list_records` reads it: to be measured."""
    sort, descending = _sort(resource, query)
    _backwards, position = _read_cursor(query.cursor, resource, sort)
    if position is not None:
        rows = rows.filter(_beyond(resource, sort, descending, *position))
    ordered = _ordered(resource, rows, sort, descending).select_related(*shown_with(resource))
    sql, values = ordered[: query.limit + 1].query.sql_with_params()
    return sql, values


def shown_with(resource: ResourceType) -> tuple[str, ...]:
    """Return the relations that a list or a page shows of a record, or that decide about it."""
    if resource.parent:
        return (resource.parent, "partition")
    return ("owner", "department", "partition", *(["pool"] if resource.pooled else []))


def count_records(actor: Actor, resource: ResourceType, query: ListQuery | None = None) -> int:
    """Return how many records the actor may view, under the query's filters and search.

    Under these it is AtLeast from MOST_COUNTED on, and without for whom very many are named one by one.
    """
    asked = query or ListQuery()
    if not _narrows(actor, resource, asked):
        return cells.count(actor, resource, with_void=False)
    narrowing = _narrowing(actor, resource, asked)
    if narrowing is not None:
        newest = Order(lists.STREAM, descending=True)
        found = len(lists.page(actor, resource, newest, None, narrowing, MOST_COUNTED + 1))
    else:
        rows = _narrowed(actor, resource, asked)
        if not _is_asked_for(asked):
            return rows.count()
        found = rows[: MOST_COUNTED + 1].count()
    return cells.AtLeast(MOST_COUNTED) if found > MOST_COUNTED else found


def _narrows(actor: Actor, resource: ResourceType, query: ListQuery) -> bool:
    """Say whether a list shows less than all that the actor views and is not void: else cells know its number."""
    # What follows a parent is counted one by one: how many children somebody views is no number of a cell.
    return bool(
        resource.parent or query.bin or _is_asked_for(query) or _sort_readable(actor, resource, query)
    )


def _is_asked_for(query: ListQuery) -> bool:
    """Say whether a list is narrowed by what somebody chose or typed."""
    return bool(query.search.strip() or any(query.filters.values()))


def count(actor: Actor, permission: str) -> int:
    """Return on how many records the actor may use the permission, exactly."""
    resource = type_of(permission)
    if resource is not None and not resource.parent and permission == resource.permission("view"):
        found = cells.count(actor, resource, with_void=True)
        if not isinstance(found, cells.AtLeast):
            return found
    return guard.scope(actor, permission).count()


def get_record(actor: Actor, resource: ResourceType, record_id: int) -> Any:
    """Return one record or raise NotFound; absent and forbidden look the same. The view is recorded."""
    found = guard.get(actor, resource.permission("view"), record_id)
    record_view(actor, resource, found)
    return found


def record_view(actor: Actor, resource: ResourceType, found: Any) -> None:
    """Record that the actor was shown a record: on its page, or in a form that shows what is stored.

    It counts against their quota of views, each record once in an hour and once in a day.
    """
    target = Target(resource.name, found.pk, found.partition_id)
    quotas.consume(actor, resource.permission("view"), records=[found.pk], target=target)
    record(actor, f"{resource.name}.viewed", target=target)


def team(actor: Actor, resource: ResourceType, record_id: int) -> list[TeamMember]:
    """Return the related team of a record that the actor may view, as the row policy gives it; by name."""
    rows = TeamMember.objects.filter(type=resource.name, record_id=record_id)
    return list(rows.select_related("user__main_department").order_by("user__name_sort", "user_id"))


def shares(actor: Actor, resource: ResourceType, record_id: int) -> list[RecordShare]:
    """Return the shares by hand of a record that the actor may view, as the row policy gives them; newest first."""
    rows = RecordShare.objects.filter(type=resource.name, record_id=record_id)
    return list(rows.select_related(*PRINCIPAL_NAMES).order_by("-id"))


def visible_titles(actor: Actor, resource: ResourceType, ids: Sequence[int]) -> dict[int, str]:
    """Return the titles of those records that the actor may view: what a reference may show."""
    rows = guard.scope(actor, resource.permission("view")).filter(pk__in=set(ids))
    return dict(rows.values_list("pk", resource.title))


def titles_of(actor: Actor, records: Iterable[tuple[str, int]]) -> Titles:
    """Return the titles of those records, given as (type, number), that the actor may view; one query for each type."""
    wanted: dict[str, set[int]] = {}
    for name, number in records:
        wanted.setdefault(name, set()).add(number)
    return {
        (name, number): title
        for name, numbers in wanted.items()
        for number, title in visible_titles(actor, resource_type(name), sorted(numbers)).items()
    }


def find(actor: Actor, resource: ResourceType, text: str, *, limit: int = 20) -> list[Any]:
    """Return viewable records that the search box finds, for pickers: what is the text, what begins with it, the rest.

    What is offered was read: it is one event in the log, as a list is.
    """
    found = _found(actor, resource, text, limit)
    _record_list(actor, resource, ListQuery(search=text), found)
    return found


def _found(actor: Actor, resource: ResourceType, text: str, limit: int) -> list[Any]:
    narrowing = _narrowing(actor, resource, ListQuery(search=text))
    if narrowing is None:
        rows = record_states.narrowed(guard.scope(actor, resource.permission("view")), resource, ())
        rows = search.narrowed(actor, rows, resource, text) if text.strip() else rows
        return list(rows.order_by("-updated_at", "-pk")[:limit])
    newest = Order(lists.STREAM, descending=True)
    numbers: dict[int, None] = {}
    for ways in search.from_the_nearest(narrowing.get(lists.SEARCH)):
        numbers |= dict.fromkeys(lists.page(actor, resource, newest, None, narrowing | ways, limit))
    return lists.records(actor, resource, list(numbers)[:limit], ())


def _record_list(actor: Actor, resource: ResourceType, query: ListQuery, found: Sequence[Any]) -> None:
    """Record that records were listed: which filters, how many, which numbers; what was typed as ciphertext."""
    typed = {name: list(values) for name, values in query.filters.items() if values}
    if query.search:
        typed["search"] = [query.search]
    record(
        actor,
        f"{resource.name}.listed",
        subject=_subject(actor),
        data={
            "filter": sorted(name for name, values in query.filters.items() if values)
            + (["bin"] if query.bin else []),
            "sort": query.sort or resource.default_sort,
            "search": len(query.search),
            "count": len(found),
            "ids": [row.pk for row in found],
        },
        personal={"values": typed} if typed else {},
    )


def _subject(actor: Actor) -> Subject:
    return Subject("user" if actor.is_person else "system", actor.user_id)


def _narrowed(actor: Actor, resource: ResourceType, query: ListQuery) -> QuerySet[Any]:
    rows = guard.scope(actor, resource.permission("restore" if query.bin else "view"))
    if not query.bin:
        rows = record_states.narrowed(rows, resource, query.filters.get(record_states.NAME, ()))
    for name, values in query.filters.items():
        if values and not record_states.is_filter(resource, name):
            rows = rows.filter(_filtered(actor, resource, name, values))
    rows = rows.filter(_sort_readable(actor, resource, query))
    if query.search.strip():
        rows = search.narrowed(actor, rows, resource, query.search)
    return rows


def _filtered(actor: Actor, resource: ResourceType, name: str, values: Sequence[str]) -> Q:
    """Return the condition of one filter; a field that may not be filtered by is refused, not ignored.

    A reference is found only by what the actor may view: a hidden one must not be guessed by its number. Where the
    field is readable on some records alone, only these are found.
    """
    declared, readable = _filterable(actor, resource, name)
    return readable & Q(**{f"{declared.column}__in": _wanted(actor, declared, name, values)})


def _filterable(actor: Actor, resource: ResourceType, name: str) -> tuple[DeclaredField, Q]:
    declared = resource.by_name.get(name)
    readable = guard.readable(actor, resource, declared) if declared and declared.filterable else None
    if declared is None or readable is None:
        raise Invalid({name: [_("The list cannot be filtered by “%s”.") % name]})
    return declared, readable


def _wanted(actor: Actor, declared: DeclaredField, name: str, values: Sequence[str]) -> list[Any]:
    """Return the values that a filter's column may have."""
    if declared.kind is Kind.CHOICE:
        unknown = [value for value in values if value not in dict(declared.choices)]
        if unknown:
            raise Invalid({name: [_("“%s” is not one of the values.") % unknown[0]]})
        return list(values)
    try:
        numbers = [int(value) for value in values]
    except ValueError:
        raise Invalid({name: [_("“%s” is not one of the values.") % values[0]]}) from None
    # A number that no column holds is nobody's.
    numbers = [number for number in numbers if abs(number) <= guard.LARGEST_NUMBER]
    if declared.kind is not Kind.REFERENCE:
        return list(numbers)
    assert declared.reference is not None
    seen = guard.scope(actor, resource_type(declared.reference).permission("view")).filter(pk__in=numbers)
    return list(seen.values_list("pk", flat=True))


# The bin begins with what was deleted last. No page shows the field.
DELETED = DeclaredField("deleted_at", "", Kind.TIMESTAMP, system=True, sort="deleted_at")


def _sort(resource: ResourceType, query: ListQuery) -> tuple[DeclaredField, bool]:
    """Return the field to sort by and whether descending; a field that may not be sorted by is refused."""
    if query.bin and not query.sort:
        return DELETED, True
    name = query.sort or resource.default_sort
    declared = resource.by_name.get(name.removeprefix("-"))
    if declared is None or declared.sort is None:
        raise _unsortable(name)
    return declared, name.startswith("-")


def _sort_readable(actor: Actor, resource: ResourceType, query: ListQuery) -> Q:
    """Return the condition for the records that the sort can place: those on which its field is readable."""
    declared, _descending = _sort(resource, query)
    readable = Q() if declared is DELETED else guard.readable(actor, resource, declared)
    if readable is None:
        raise _unsortable(declared.name)
    return readable


def _unsortable(name: str) -> Invalid:
    return Invalid({"sort": [_("The list cannot be sorted by “%s”.") % name.removeprefix("-")]})


def leaves_out(actor: Actor, resource: ResourceType, query: ListQuery) -> list[DeclaredField]:
    """Return the fields by which a list is sorted or filtered and which are readable on some of its records alone.

    Records on which they are not readable are left out: a list says so.
    """
    named = {name for name, values in query.filters.items() if values} | {query.sort.removeprefix("-")}
    return [
        declared
        for declared in resource.fields
        if declared.name in named and not is_open(actor, resource, declared)
    ]


def _ordered(
    resource: ResourceType, rows: QuerySet[Any], sort: DeclaredField, descending: bool
) -> QuerySet[Any]:
    """Order by the field, empty values last when descending, and by number: every sort ends in the id.

    A column that is never empty is ordered plainly, which an index serves.
    """
    assert sort.sort is not None
    if not _is_nullable(resource, sort):
        return rows.order_by(*([f"-{sort.sort}", "-pk"] if descending else [sort.sort, "pk"]))
    if descending:
        return rows.order_by(F(sort.sort).desc(nulls_last=True), "-pk")
    return rows.order_by(F(sort.sort).asc(nulls_first=True), "pk")


def _beyond(resource: ResourceType, sort: DeclaredField, descending: bool, value: Any, record_id: int) -> Q:
    """Return the condition for records after a position in the order of `_ordered`."""
    assert sort.sort is not None
    side = "lt" if descending else "gt"
    after_id = Q(**{f"pk__{side}": record_id})
    if not _is_nullable(resource, sort):
        # The outer bound says nothing new; it is what an index scan can begin at.
        return Q(**{f"{sort.sort}__{side}e": value}) & (Q(**{f"{sort.sort}__{side}": value}) | after_id)
    empty = Q(**{f"{sort.sort}__isnull": True})
    if value is None:
        return empty & after_id if descending else (empty & after_id) | ~empty
    beyond = Q(**{f"{sort.sort}__{side}": value}) | (Q(**{sort.sort: value}) & after_id)
    return beyond | empty if descending else beyond


def _is_nullable(resource: ResourceType, sort: DeclaredField) -> bool:
    assert sort.sort is not None
    column: Any = resource.model_class._meta.get_field(sort.sort)
    return bool(column.null)


def _write_cursor(resource: ResourceType, sort: DeclaredField, row: Any, backwards: bool) -> str:
    assert sort.sort is not None
    value = getattr(row, sort.sort)
    text = value.isoformat() if isinstance(value, (date, datetime)) else value
    packed = json.dumps([sort.name, backwards, text, row.pk], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _read_cursor(
    cursor: str, resource: ResourceType, sort: DeclaredField
) -> tuple[bool, tuple[Any, int] | None]:
    """Return the direction and the position; a cursor of another sort, or a broken one, means the beginning."""
    if not cursor:
        return False, None
    assert sort.sort is not None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, backwards, value, record_id = json.loads(base64.urlsafe_b64decode(padded))
        # A truth value is a whole number to Python, and none to the database.
        if name != sort.name or type(backwards) is not bool or type(record_id) is not int:
            return False, None
        if type(value) not in (str, int, type(None)) or not is_storable(str(value)):
            return False, None
        if value is None and not _is_nullable(resource, sort):
            return False, None
        if value is not None:
            column: Any = resource.model_class._meta.get_field(sort.sort)
            value = column.to_python(value)
        if any(isinstance(each, int) and abs(each) > guard.LARGEST_NUMBER for each in (value, record_id)):
            return False, None
        return backwards, (value, record_id)
    except Exception:
        return False, None
