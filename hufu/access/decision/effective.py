"""What somebody holds in all: by which ways, until when, and what binds it. Of a snapshot, and of no record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hufu.access.decision.break_glass import GlassUse
from hufu.access.decision.decide import instead
from hufu.access.decision.delegation import DelegationFacts, lent_through
from hufu.access.decision.field_access import (
    BY_SENSITIVITY,
    AboutField,
    FieldAccess,
    RulePath,
    rules_through,
    said,
)
from hufu.access.decision.scopes import Scope, united
from hufu.access.decision.snapshot import Given, Path, PersonFacts, Snapshot, paths
from hufu.access.decision.terms import Right


@dataclass(frozen=True)
class Way:
    """How a permission comes to somebody: as their own, in another's stead (`lent`), or by break-glass (`glass`)."""

    path: Path
    lent: DelegationFacts | None = None
    glass: GlassUse | None = None

    @property
    def is_own(self) -> bool:
        return self.lent is None and self.glass is None

    @property
    def ends_at(self) -> datetime | None:
        """When it ends: with what was given, and with what is only lent or opened before that."""
        ends = (
            self.path.assignment.ends_at,
            self.lent.ends_at if self.lent else None,
            self.glass.ends_at if self.glass else None,
        )
        return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True)
class Held:
    """A permission of somebody. `opened`: base access widens it to everything. `gates` bind it, or some of its ways;
    quotas stand among them by negative numbers. What is `forbidden` is held by no way."""

    permission: str
    ways: tuple[Way, ...] = ()
    opened: bool = False
    forbidden: tuple[Given, ...] = ()
    gates: tuple[int, ...] = ()

    @property
    def is_held(self) -> bool:
        return bool(self.ways)

    @property
    def scope(self) -> Scope:
        """The scope that is their own; where there is none, the one that they have in another's stead."""
        own = united(way.path.scope for way in self.ways if way.is_own)
        return own or united(way.path.scope for way in self.ways)

    @property
    def is_own(self) -> bool:
        return any(way.is_own for way in self.ways)

    @property
    def ends_at(self) -> datetime | None:
        """When the last of its ways ends; None where one has no end."""
        ends = [way.ends_at for way in self.ways]
        return max((end for end in ends if end is not None), default=None) if None not in ends else None


@dataclass(frozen=True)
class Place:
    """A partition to which somebody is admitted, with which rights, and by what."""

    partition_id: int
    rights: frozenset[Right]
    gifts: tuple[Given, ...]


@dataclass(frozen=True)
class FieldSays:
    """What somebody may do with a field: of records that are theirs, of others', and whether it may leave. `paths` are
    the rules that say so; without any its sensitivity does."""

    about: AboutField
    mine: FieldAccess
    others: FieldAccess
    export: bool
    paths: tuple[RulePath, ...] = ()


def held(snapshot: Snapshot, person: PersonFacts, permission: str) -> Held:
    """Return by which ways a person holds a permission; by none where their account is not active."""
    if not person.active:
        return Held(permission)
    if forbidden := snapshot.prohibitions_on(permission, person):
        return Held(permission, forbidden=forbidden)
    ways = tuple(_ways(snapshot, person, permission))
    if not ways:
        return Held(permission)
    return Held(
        permission, ways, permission in snapshot.opened, gates=_gates(snapshot, person, permission, ways)
    )


def _ways(snapshot: Snapshot, person: PersonFacts, permission: str) -> Iterator[Way]:
    for path in paths(snapshot, person, permission):
        yield Way(path)
    lent, broken = instead(snapshot, person)
    for delegator, delegations, part in lent:
        by = lent_through(delegations, permission)
        if by is not None:
            for path in paths(part, snapshot.people[delegator], permission):
                yield Way(path, lent=by)
    for use, part in broken:
        for path in paths(part, person, permission):
            yield Way(path, glass=use)


def _gates(
    snapshot: Snapshot, person: PersonFacts, permission: str, ways: tuple[Way, ...]
) -> tuple[int, ...]:
    every = frozenset(snapshot.gate_names) | {-quota.id for quota in snapshot.quotas}
    roles = {role for way in ways for role in way.path.roles}
    on_roles = {use.gate_id for use in snapshot.gate_uses if use.role_id in roles}
    return tuple(sorted({*snapshot.gates_on_permission(permission, person, every), *on_roles}))


def gates_on_everything(snapshot: Snapshot, person: PersonFacts) -> tuple[int, ...]:
    """Return the gates that bind whatever the person does: on signing in, or on a principal that they are of."""
    return snapshot.gates_on_person(person, frozenset(snapshot.gate_names))


def places(snapshot: Snapshot, person: PersonFacts) -> tuple[Place, ...]:
    """Return the partitions to which the person is admitted now, in their order."""
    gifts: dict[int, list[Given]] = {}
    for given in snapshot.given_to(person, "admissions") if person.active else ():
        assert given.partition_id is not None
        gifts.setdefault(given.partition_id, []).append(given)
    return tuple(
        Place(number, frozenset().union(*(given.rights for given in those)), tuple(those))
        for number, those in sorted(gifts.items())
    )


def field_says(snapshot: Snapshot, person: PersonFacts, about: AboutField) -> FieldSays:
    """Return what a person may do with a field of records that they may view. Gates and pools are not asked."""
    if about.system:
        return FieldSays(about, FieldAccess.READ_ONLY, FieldAccess.READ_ONLY, export=True)
    found = tuple(
        path
        for given in snapshot.given_to(person, "assignments")
        for path in rules_through(snapshot, given, about)
    )
    if not found:
        mine, others = BY_SENSITIVITY[about.sensitivity]
        return FieldSays(about, mine, others, export=True)

    def widest(*, mine: bool) -> FieldAccess:
        return max((said(path.rule, mine=mine) for path in found), key=lambda access: access.level)

    return FieldSays(
        about, widest(mine=True), widest(mine=False), any(path.rule.export for path in found), found
    )
