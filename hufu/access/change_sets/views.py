"""What everybody views, as sets that are compared and counted without looking at a record.

Sets of people, departments and partitions are whole numbers whose bits are the numbers in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connection

from hufu.access import registry
from hufu.access.decision.scopes import Scope
from hufu.access.registry import ResourceType

# An owner or a department that is told apart from no other. No person and no department has this number.
OTHER = 0
# As plain numbers: they are compared some hundred thousand times.
_EVERYTHING, _SUBORDINATES, _REPORTS = (
    int(scope) for scope in (Scope.EVERYTHING, Scope.SUBORDINATES, Scope.DIRECT_REPORTS)
)
_DEPARTMENT, _BELOW = int(Scope.DEPARTMENT), int(Scope.DEPARTMENT_AND_BELOW)


@dataclass(frozen=True, slots=True)
class Scoped:
    """What the scopes of a term hold in partitions: everything, or what is of these owners and what of these
    departments has an owner."""

    partitions: int
    everything: bool
    owners: int = 0
    departments: int = 0

    def holds(self, owner: int | None, department: int) -> bool:
        """Say whether a record of this owner and department is held in these partitions."""
        if self.everything:
            return True
        return owner is not None and bool(self.owners >> owner & 1 or self.departments >> department & 1)


@dataclass(frozen=True, slots=True)
class RulePart:
    """An alternative of a sharing rule: what it gives is of these owners and departments (None: any), and, `by_fields`,
    one of its matches."""

    number: int
    owners: int | None
    departments: int | None
    by_fields: bool

    def holds(self, owner: int | None, department: int) -> bool:
        """Say whether a record of this owner and department is given, as far as these decide."""
        return (self.owners is None or (owner is not None and bool(self.owners >> owner & 1))) and (
            self.departments is None or bool(self.departments >> department & 1)
        )


@dataclass(frozen=True, slots=True)
class View:
    """What somebody views of a type: by scopes, and, in partitions `own` to them, by what is shared with people.

    `holds`: they hold the permission as their own, so that what was let across the wall to them is viewed.
    """

    scoped: tuple[Scoped, ...] = ()
    holds: bool = False
    own: int = 0
    rules: tuple[RulePart, ...] = ()
    pools: frozenset[int] = frozenset()

    @property
    def partitions(self) -> int:
        """Where anything is viewed as a whole cell."""
        return reduce(or_, (each.partitions for each in self.scoped), self.own)

    @property
    def owners(self) -> int:
        """Owners who are told apart by scopes."""
        return reduce(or_, (each.owners for each in self.scoped), 0)

    @property
    def departments(self) -> int:
        """Departments that are told apart by scopes."""
        return reduce(or_, (each.departments for each in self.scoped), 0)

    def by_place(self) -> tuple[RulePart, ...]:
        """Return the alternatives of rules that look at no field: they give cells."""
        return tuple(part for part in self.rules if not part.by_fields)


class Term(NamedTuple):
    """A term as it was read: whose, where and over whom (holder, partitions, owners, reports, departments, below), and
    the scope of each permission to view."""

    place: tuple[Any, ...]
    scopes: dict[str, int]


@dataclass
class Everybody:
    """What everybody holds and by what they view, at one moment of a rehearsal."""

    permissions: dict[int, dict[str, int]] = field(default_factory=dict)
    partitions: dict[int, dict[str, int]] = field(default_factory=dict)
    terms: dict[int, list[Term]] = field(default_factory=dict)
    rules: dict[str, dict[int, list[RulePart]]] = field(default_factory=dict)
    # The alternatives over fields.
    matched: frozenset[int] = frozenset()
    pools: dict[str, dict[int, set[int]]] = field(default_factory=dict)
    _views: dict[tuple[int, str], View] = field(default_factory=dict)

    def moved(self, after: Everybody, user_id: int) -> bool:
        """Say whether what somebody holds or views by reach is another one afterwards."""
        return (
            self.permissions.get(user_id) != after.permissions.get(user_id)
            or self.partitions.get(user_id) != after.partitions.get(user_id)
            or self.terms.get(user_id) != after.terms.get(user_id)
            or any(
                of.get(name, {}).get(user_id) != other.get(name, {}).get(user_id)
                for of, other in ((self.rules, after.rules), (self.pools, after.pools))
                for name in of.keys() | other.keys()
            )
        )

    def change(self, after: Everybody, user_id: int, resource: ResourceType) -> tuple[View, View] | None:
        """Return what somebody views of a type here and afterwards; None where that is the same."""
        decides = resource.independent
        asked = {resource.permission("view"), decides.permission("view")}
        rows, rows_after = self.terms.get(user_id, ()), after.terms.get(user_id, ())
        if (
            len(rows) == len(rows_after)
            and all(
                was.place == is_now.place
                and all(was.scopes.get(name) == is_now.scopes.get(name) for name in asked)
                for was, is_now in zip(rows, rows_after, strict=True)
            )
            and all(
                of.get(decides.name, {}).get(user_id) == other.get(decides.name, {}).get(user_id)
                for of, other in ((self.rules, after.rules), (self.pools, after.pools))
            )
        ):
            return None
        was, is_now = self.view(user_id, resource), after.view(user_id, resource)
        return None if was == is_now else (was, is_now)

    def reached_by(self, parts: frozenset[int]) -> set[int]:
        """Return whom any of these alternatives of rules reach."""
        return {
            user_id
            for of in self.rules.values()
            for user_id, reached in of.items()
            if any(part.number in parts for part in reached)
        }

    def view(self, user_id: int, resource: ResourceType) -> View:
        """Return what somebody views of a type, of a following one by what they view of its parents."""
        decides = resource.independent
        rows = self.terms.get(user_id, ())
        if decides is not resource:
            held = {row.place[0] for row in rows if resource.permission("view") in row.scopes}
            kept = [row for row in rows if row.place[0] in held]
            if len(kept) == len(rows):
                return self.view(user_id, decides)
            return self._made(user_id, decides, kept)
        if (user_id, resource.name) not in self._views:
            self._views[user_id, resource.name] = self._made(user_id, resource, rows)
        return self._views[user_id, resource.name]

    def _made(self, user_id: int, decides: ResourceType, rows: Iterable[Term]) -> View:
        permission = decides.permission("view")
        scoped: dict[tuple[bool, int, int], int] = {}
        own, holds = 0, False
        for (holder, partitions, *sets), scopes in rows:
            if permission not in scopes:
                continue
            mask, where = scopes[permission], bits(partitions)
            if holder == user_id:
                own, holds = own | where, True
            key = _scoped(holder, mask, *sets)
            scoped[key] = scoped.get(key, 0) | where
        return View(
            tuple(Scoped(where, *key) for key, where in sorted(scoped.items()) if where),
            holds,
            own,
            tuple(self.rules.get(decides.name, {}).get(user_id, ())) if own else (),
            frozenset(self.pools.get(decides.name, {}).get(user_id, ())) if own else frozenset(),
        )


def everybody() -> Everybody:
    """Return it as it stands; within a rehearsal."""
    found = Everybody()
    wanted = [resource.permission("view") for resource in registry.resource_types()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hufu.held_by_everybody()")
        for user_id, permissions, scopes, partitions, rights in cursor.fetchall():
            found.permissions[user_id] = dict(zip(permissions or (), scopes or (), strict=True))
            found.partitions[user_id] = dict(zip(partitions or (), rights or (), strict=True))
        cursor.execute("SELECT * FROM hufu.views_of_everybody(%s)", [wanted])
        for user_id, holder, *sets, permissions, scopes in cursor.fetchall():
            term = Term((holder, *map(bytes, sets)), dict(zip(permissions, scopes, strict=True)))
            found.terms.setdefault(user_id, []).append(term)
        cursor.execute("SELECT * FROM hufu.rules_of_everybody() ORDER BY part")
        for number, name, owners, departments, by_fields, people in cursor.fetchall():
            part = RulePart(number, _some(owners), _some(departments), by_fields)
            if by_fields:
                found.matched |= {number}
            for user_id in people:
                found.rules.setdefault(name, {}).setdefault(user_id, []).append(part)
        cursor.execute("SELECT * FROM hufu.pools_of_everybody()")
        for pool, name, people in cursor.fetchall():
            for user_id in people:
                found.pools.setdefault(name, {}).setdefault(user_id, set()).add(pool)
    return found


def _scoped(
    holder: int, mask: int, owners: bytes, reports: bytes, departments: bytes, below: bytes
) -> tuple[bool, int, int]:
    if mask & _EVERYTHING:
        return True, 0, 0
    # By break-glass nobody holds (a negative number): no record is their own.
    whose = 1 << holder if holder > 0 else 0
    if mask & _SUBORDINATES:
        whose |= bits(owners)
    if mask & _REPORTS:
        whose |= bits(reports)
    where = bits(departments) if mask & _DEPARTMENT else 0
    if mask & _BELOW:
        where |= bits(below)
    return False, whose, where


def bits(bitmap: bytes | memoryview) -> int:
    """Return a bitmap of the database as a number: bit n of it is bit n mod 8 of byte n div 8."""
    return int.from_bytes(bitmap, "little")


def bitmap(of: int) -> bytes:
    """Return a number as a bitmap of the database."""
    return of.to_bytes((of.bit_length() + 7) // 8, "little")


def numbers(of: int) -> Iterator[int]:
    """Yield the numbers in a set, in order."""
    while of:
        lowest = of & -of
        yield lowest.bit_length() - 1
        of ^= lowest


def united(sets: Iterable[int | None]) -> int:
    """Return what is in any of these sets; None adds nothing."""
    return reduce(or_, (each for each in sets if each is not None), 0)


def _some(bitmap: bytes | memoryview | None) -> int | None:
    return None if bitmap is None else bits(bitmap)
