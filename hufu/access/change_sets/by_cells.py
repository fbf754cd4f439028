"""How many records come and go for people whose views changed, counted by cells (docs/decisions/0036).

A cell is viewed whole or not at all; in those that are not, what reaches somebody record by record is viewed. Cells
that nobody's scopes tell apart are one sum: each person is asked about partitions, about the departments that their
scopes name, and about the cells of owners whom these name.

INVARIANT: exactly what lists hold, in every number; tests compare both (tests/access/test_preview_by_cells.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

from django.db import connection

from hufu.access.change_sets.views import OTHER, RulePart, View, bitmap, numbers, united
from hufu.access.registry import ResourceType

# For so many people of a type, those for whom most comes and goes, all that they view is counted, too: for each more of
# them all that is shared with them has to be looked at.
COUNTED = 200
# Up to so many cells of a person are looked up one by one.
FEW_CELLS = 2000

Change = tuple[View, View]


@dataclass(slots=True)
class Amounts:
    """How many records come for somebody, how many go, and how many they view before (None: not counted)."""

    gained: int = 0
    lost: int = 0
    before: int | None = None

    @property
    def after(self) -> int | None:
        return None if self.before is None else self.before + self.gained - self.lost

    @property
    def moved(self) -> int:
        return self.gained + self.lost


def amounts(resource: ResourceType, changes: Mapping[int, Change]) -> dict[int, Amounts]:
    """Return for each person how many records of a type a change of their view brings and takes.

    Within a rehearsal. The number of statements does not grow with that of people.
    """
    if not changes:
        return {}
    asked = _Asked(resource, changes)
    places = _Places(resource, asked)
    if not places.whole:
        return {}
    for one in asked.people.values():
        _add_places(one, places)
    people = asked.people
    if len(people) <= COUNTED:
        owners, named = list(_owners(asked, people)), list(_named(asked, people))
        _add_owners(people, owners)
        _add_named(people, named)
    else:
        _add_owners(people, _owners(asked, people, moved=True))
        _add_named(people, _named(asked, {n: one for n, one in people.items() if one.differs}, moved=True))
        most = sorted(people.items(), key=lambda item: -item[1].found.moved)
        people = dict(most[:COUNTED])
        owners, named = list(_owners(asked, people)), list(_named(asked, people))
    _add_before(people, owners, named)
    return {user_id: one.found for user_id, one in asked.people.items()}


def _add_owners(people: Mapping[int, _Person], owners: Iterable[OwnerCell]) -> None:
    """Set right what comes and goes by owners who are told apart: they were counted as somebody's."""
    for user_id, cell, records in owners:
        people[user_id].add_change(cell, records)
        people[user_id].add_change(_anybodys(cell), -records, looked_at=False)


def _add_named(people: Mapping[int, _Person], named: Iterable[Named]) -> None:
    """Set right what comes and goes by what reaches people record by record."""
    for user_id, cell, given, records in named:
        people[user_id].add_named_change(cell, given, records)


def _add_before(people: Mapping[int, _Person], owners: Iterable[OwnerCell], named: Iterable[Named]) -> None:
    """Count all that these people view before."""
    for one in people.values():
        one.found.before = one.before_by_place
    for user_id, cell, records in owners:
        people[user_id].add_before(cell, records)
        people[user_id].add_before(_anybodys(cell), -records)
    for user_id, cell, given, records in named:
        people[user_id].add_named_before(cell, given, records)


class Cell(NamedTuple):
    """Records of a partition with the same owner (None: none) and department, each OTHER where they are not told
    apart, in the same pool; `marks`: which of the rules' alternatives by place hold it."""

    partition: int
    owner: int | None
    department: int
    pool: int | None
    marks: int


class Given(NamedTuple):
    """By what records reach somebody one by one."""

    is_shared: bool
    is_across: bool
    parts: frozenset[int]


OwnerCell = tuple[int, Cell, int]
Named = tuple[int, Cell, Given, int]


class _Side:
    """A view before or after, and which marks hold for it."""

    __slots__ = ("_by_fields", "_marks", "view")

    def __init__(self, view: View, places: Mapping[RulePart, int]) -> None:
        self.view = view
        self._marks = united(places[part] for part in view.by_place())
        self._by_fields = {part.number: part for part in view.rules if part.by_fields}

    def views(self, cell: Cell) -> bool:
        view, where = self.view, 1 << cell.partition
        for each in view.scoped:
            if each.partitions & where and each.holds(cell.owner, cell.department):
                return True
        return bool(view.own & where) and bool(self._marks & cell.marks or cell.pool in view.pools)

    def views_named(self, cell: Cell, given: Given) -> bool:
        if given.is_across and self.view.holds:
            return True
        if not self.view.own >> cell.partition & 1:
            return False
        return given.is_shared or any(
            self._by_fields[part].holds(cell.owner, cell.department)
            for part in given.parts
            if part in self._by_fields
        )


class _Person:
    """Both sides of a person's view, what these tell apart, and what was counted."""

    __slots__ = (
        *("_after", "_before", "before_by_place", "departments", "everywhere", "found", "owners"),
        *("partitions", "where"),
    )

    def __init__(self, change: Change, places: Mapping[RulePart, int]) -> None:
        before, after = change
        self._before, self._after = _Side(before, places), _Side(after, places)
        self.partitions = before.partitions | after.partitions
        self.owners = before.owners | after.owners
        self.departments = before.departments | after.departments
        self.found, self.before_by_place = Amounts(), 0
        # Where named records can come or go: in these departments of partitions that are open to them, or anywhere.
        self.where = 0
        self.everywhere = (
            before.own != after.own or before.holds != after.holds or before.rules != after.rules
        )

    @property
    def differs(self) -> bool:
        return self.everywhere or self.where != 0

    @property
    def holds(self) -> bool:
        return self._before.view.holds or self._after.view.holds

    @property
    def own(self) -> int:
        return self._before.view.own | self._after.view.own

    def rules(self) -> tuple[RulePart, ...]:
        return (*self._before.view.rules, *self._after.view.rules)

    def told_in_departments_alone(self) -> bool:
        """Say whether owners who are told apart change what comes and goes in departments that are, and nowhere else.

        Not looked into where there are many of them, or where rules tell more apart.
        """
        if self.rules() or _size(self.owners, self.partitions, self.departments) > FEW_CELLS:
            return False
        return not any(
            self._before.views(cell) != self._after.views(cell)
            for partition in numbers(self.partitions)
            for owner in (OTHER, *numbers(self.owners))
            for cell in (Cell(partition, owner, OTHER, None, 0),)
        )

    def add_place(self, cell: Cell, records: int, *, looked_at: bool = True) -> None:
        """Count a cell, or take it out again."""
        self.add_change(cell, records, looked_at=looked_at)
        if self._before.views(cell):
            self.before_by_place += records

    def add_change(self, cell: Cell, records: int, *, looked_at: bool = True) -> None:
        """Count a cell where it comes or goes; where it is one that there is, named records are looked at there."""
        was, is_now = self._before.views(cell), self._after.views(cell)
        if was != is_now:
            if is_now:
                self.found.gained += records
            else:
                self.found.lost += records
            if looked_at:
                self.where |= 1 << cell.department
                self.everywhere |= cell.department == OTHER

    def add_named_change(self, cell: Cell, given: Given, records: int) -> None:
        """Set right what comes and goes where records are viewed one by one."""
        was, is_now = self._before.views(cell), self._after.views(cell)
        if was and is_now:
            return
        found = self.found
        if is_now:
            found.gained -= records
        elif was:
            found.lost -= records
        was = was or self._before.views_named(cell, given)
        is_now = is_now or self._after.views_named(cell, given)
        if is_now and not was:
            found.gained += records
        elif was and not is_now:
            found.lost += records

    def add_before(self, cell: Cell, records: int) -> None:
        """Count a cell that is viewed before."""
        assert self.found.before is not None
        if self._before.views(cell):
            self.found.before += records

    def add_named_before(self, cell: Cell, given: Given, records: int) -> None:
        """Count records that are viewed before one by one, in no cell that is."""
        assert self.found.before is not None
        if not self._before.views(cell) and self._before.views_named(cell, given):
            self.found.before += records


def _size(*sets: int) -> int:
    return prod(each.bit_count() for each in sets)


def _anybodys(cell: Cell) -> Cell:
    """Return the cell as it is counted among those of owners who are not told apart."""
    return cell._replace(owner=OTHER)


@dataclass
class _Asked:
    """Whom is asked about, and the alternatives of rules by place that reach them; marks have their order."""

    resource: ResourceType
    changes: Mapping[int, Change]
    parts: tuple[RulePart, ...] = ()
    people: dict[int, _Person] = field(default_factory=dict)

    def __post_init__(self) -> None:
        every = dict.fromkeys(
            part for change in self.changes.values() for view in change for part in view.by_place()
        )
        self.parts = tuple(every)
        places = {part: 1 << number for number, part in enumerate(self.parts)}
        self.people = {user_id: _Person(change, places) for user_id, change in self.changes.items()}

    def sets(self) -> list[Any]:
        """Return the owners and departments of the alternatives, as the database is asked."""
        return [
            [None if part.owners is None else bitmap(part.owners) for part in self.parts],
            [None if part.departments is None else bitmap(part.departments) for part in self.parts],
        ]

    def marks_of(self, owner: int | None, department: int) -> int:
        """Return which alternatives hold records of this owner and department."""
        return united(1 << place for place, part in enumerate(self.parts) if part.holds(owner, department))


class _Places:
    """Sums of cells by partition, and of those that have an owner by partition and department."""

    def __init__(self, resource: ResourceType, asked: _Asked) -> None:
        self.whole: dict[int, dict[Cell, int]] = {}
        self.departments: dict[tuple[int, int], list[tuple[Cell, int]]] = {}
        told = united(one.departments for one in asked.people.values())
        for partition, department, owned, pool, marks, records in _rows(
            f"preview_places_{resource.table}(%s::bytea[], %s::bytea[])", asked.sets()
        ):
            owner, mark = OTHER if owned else None, _mark(marks)
            cell = Cell(partition, owner, OTHER, pool, mark)
            sums = self.whole.setdefault(partition, {})
            sums[cell] = sums.get(cell, 0) + records
            if owned and told >> department & 1:
                apart = Cell(partition, OTHER, department, None, mark)
                self.departments.setdefault((partition, department), []).append((apart, records))


def _add_places(one: _Person, places: _Places) -> None:
    """Count whole partitions as if nobody told anything apart in them, then set the person's departments right."""
    departments = tuple(numbers(one.departments))
    for partition in numbers(one.partitions):
        for cell, records in places.whole.get(partition, {}).items():
            one.add_place(cell, records)
        for department in departments:
            for cell, records in places.departments.get((partition, department), ()):
                one.add_place(cell, records)
                one.add_place(cell._replace(department=OTHER), -records, looked_at=False)


def _owners(asked: _Asked, people: Mapping[int, _Person], *, moved: bool = False) -> Iterator[OwnerCell]:
    """Yield the cells of owners whom scopes name: all, or (`moved`) those that matter to what comes and goes."""
    told, pairs = [], []
    for user_id, one in people.items():
        told.append((user_id, bitmap(one.departments)))
        narrow = moved and one.told_in_departments_alone()
        within = list(numbers(one.departments)) if narrow else [None]
        pairs += [
            (user_id, owner, partition, department)
            for owner in numbers(one.owners)
            for partition in numbers(one.partitions)
            for department in within
        ]
    if not pairs:
        return
    for user_id, partition, owner, department, marks, records in _rows(
        f"preview_owners_{asked.resource.table}(%s::bytea[], %s::bytea[], %s::int[], %s::bytea[],"
        " %s::int[], %s::int[], %s::int[], %s::int[])",
        [*asked.sets(), *_columns(told), *_columns(pairs)],
    ):
        yield user_id, Cell(partition, owner, department, None, _mark(marks)), records


def _named(asked: _Asked, people: Mapping[int, _Person], *, moved: bool = False) -> Iterator[Named]:
    """Yield what reaches people record by record: all of it, or only where cells come or go (`moved`).

    The cells tell apart whatever their views do.
    """
    told, places = [], []
    for user_id, one in people.items():
        if not one.holds:
            continue
        owners = united([one.owners, *(part.owners for part in one.rules())])
        departments = united([one.departments, *(part.departments for part in one.rules())])
        told.append((user_id, bitmap(owners), bitmap(departments)))
        within = [None] if not moved or one.everywhere else list(numbers(one.where))
        places += [(user_id, place, department) for place in numbers(one.own) for department in within]
    if not told:
        return
    by_fields = {
        user_id: {part.number for part in one.rules() if part.by_fields} for user_id, one in people.items()
    }
    every = sorted(set().union(*by_fields.values()))
    marks = {part: f"{1 << place:0{len(every)}b}"[::-1] for place, part in enumerate(every)}
    reached = [(user_id, part, marks[part]) for user_id, parts in by_fields.items() for part in parts]
    for user_id, partition, owner, department, pool, is_shared, is_across, matched, records in _rows(
        f"preview_named_{asked.resource.independent.table}(%s, %s::int[], %s::bytea[], %s::bytea[],"
        " %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::varbit[])",
        [asked.resource.name, *_columns(told), *_columns(places, 3), *_columns(reached, 3)],
    ):
        cell = Cell(partition, owner, department, pool, asked.marks_of(owner, department))
        parts = frozenset(every[place] for place in numbers(_mark(matched)))
        yield user_id, cell, Given(is_shared, is_across, parts), records


def _columns(rows: Iterable[tuple[Any, ...]], amount: int = 0) -> list[list[Any]]:
    """Return rows as columns; without any row as many empty ones as are said."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _n in range(amount)]


def _rows(function: str, values: Iterable[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM hufu.{function}", list(values))
        return list(cursor.fetchall())


def _mark(marks: str | None) -> int:
    """Return marks, which the database says with the first alternative first, with that as the lowest bit."""
    return int(marks[::-1], 2) if marks else 0
