"""How a person stands towards what a permission needs: all of a decision that is the same for every record.

A snapshot finds it once for a person and a need; a record is then held against it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from hufu.access.decision.pools import PoolShare, pool_for
from hufu.access.decision.rules import RuleShare, meets, of_type, reaching
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import (
    Given,
    PersonFacts,
    ShareFacts,
    Snapshot,
    admissions_for,
    gates_on_roles,
    paths,
)
from hufu.access.decision.terms import Need, RecordFacts, Share, is_shared, opens


class Because(NamedTuple):
    """Why a record is among somebody's: the narrowest scope that holds it; where none does, what shared it."""

    scope: Scope
    share: ShareFacts | None = None
    rule: RuleShare | None = None
    pool: PoolShare | None = None


_BY = {scope: Because(scope) for scope in Scope}
NOTHING = Because(Scope.NOTHING)
_OWN, _TEAM, _EVERYTHING = _BY[Scope.OWN], _BY[Scope.TEAM], _BY[Scope.EVERYTHING]
_DIRECT_REPORTS, _SUBORDINATES = _BY[Scope.DIRECT_REPORTS], _BY[Scope.SUBORDINATES]
_DEPARTMENT, _BELOW = _BY[Scope.DEPARTMENT], _BY[Scope.DEPARTMENT_AND_BELOW]


class Mask:
    """The scopes that somebody has for a need, to be asked which of them holds a record."""

    def __init__(self, snapshot: Snapshot, person: PersonFacts, scopes: Scope, need: Need) -> None:
        self._snapshot, self._person, self._need = snapshot, person, need
        self._nothing = not scopes
        # A membership in the team that counts as a share is `team`.
        self._memberships = frozenset(share for share in Share if opens(scopes, need, share))
        self._reports = Scope.DIRECT_REPORTS in scopes
        self._line = Scope.SUBORDINATES in scopes
        self._everything = Scope.EVERYTHING in scopes
        departments = snapshot.departments_of(person)
        self._departments = departments if Scope.DEPARTMENT in scopes else frozenset()
        self._heads = departments if Scope.DEPARTMENT_AND_BELOW in scopes else frozenset()

    def holds(self, record: RecordFacts) -> Because:
        """Return the narrowest scope that holds the record; SHARED where a share alone does, POOL where the membership
        of its pool alone does, or NOTHING."""
        if self._nothing:
            return NOTHING
        owner, number = record.owner_id, self._person.id
        if owner == number:
            return _OWN
        if record.team.get(number) in self._memberships:
            return _TEAM
        if owner is not None and (found := self._by_owner(owner, record.department_id)):
            return found
        if self._everything:
            return _EVERYTHING
        return self._shared(record)

    def _by_owner(self, owner: int, department: int | None) -> Because | None:
        if self._reports or self._line:
            line = self._snapshot.line_of(owner)
            if self._reports and line[:1] == (self._person.id,):
                return _DIRECT_REPORTS
            if self._line and self._person.id in line:
                return _SUBORDINATES
        if department in self._departments:
            return _DEPARTMENT
        if self._heads and not self._heads.isdisjoint(self._snapshot.above(department)):
            return _BELOW
        return None

    def _shared(self, record: RecordFacts) -> Because:
        share = self._snapshot.share_for(self._person, self._need, record)
        if share is not None:
            return Because(Scope.SHARED, share=share)
        for rule in self._rules:
            if meets(self._snapshot, rule.rule, record):
                return Because(Scope.SHARED, rule=rule)
        pool = pool_for(self._snapshot, self._person, self._need, record)
        return NOTHING if pool is None else Because(Scope.POOL, pool=pool)

    @cached_property
    def _rules(self) -> list[RuleShare]:
        """The rules in force that reach the person and open enough for the need."""
        if self._need.share is Share.NONE:
            return []
        return [
            share
            for rule in of_type(self._snapshot, self._need)
            if is_shared(self._need, rule.opens)
            and rule.in_force(self._snapshot.at)
            and (share := reaching(self._snapshot, rule, self._person)) is not None
        ]


def in_scope(
    snapshot: Snapshot, person: PersonFacts, scopes: Scope, need: Need, record: RecordFacts
) -> Scope:
    """Return the narrowest scope of the mask that holds the record, as `Mask.holds` does."""
    return Mask(snapshot, person, scopes, need).holds(record).scope


class Standing:
    """What a person holds for a need about records, past the gates that are closed, and where they are admitted.

    `covers` and `missing` are the decision's to keep what it said of one kind of record.
    """

    def __init__(self, snapshot: Snapshot, person: PersonFacts, need: Need, closed: frozenset[int]) -> None:
        self.held = paths(snapshot, person, need.permission, closed)
        self.behind = gates_on_roles(snapshot, person, need.permission, closed)
        self.granted = Scope.NOTHING
        for path in self.held:
            self.granted |= path.scope
        # Base access of the type widens what is held at any scope.
        opened = bool(self.held) and need.permission in snapshot.opened
        self.scopes = self.granted | Scope.EVERYTHING if opened else self.granted
        self.mask = Mask(snapshot, person, self.scopes, need)
        self.admissions: dict[int | None, Given] = {}
        if need.right is not None:
            for admission in admissions_for(snapshot, person, None, need.right):
                self.admissions.setdefault(admission.partition_id, admission)
        self.covers: dict[Any, Any] = {}
        self.missing: dict[Any, Any] = {}
