"""Terms of reach, and coverage: whether a term covers a record. The same rule stands in SQL (access/policies.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from hufu.access.decision.scopes import Scope
from hufu.access.decision.states import State, StateFacts

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import ShareFacts


class Right(StrEnum):
    """What an admission gives in a partition; each of the last three implies read."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


class Share(IntEnum):
    """What a share of a record (by hand, or as a member of its related team) opens: nothing, view, or view and edit."""

    NONE = 0
    READ = 1
    EDIT = 2


@dataclass(frozen=True)
class RecordFacts:
    """What coverage looks at. A record without owner is covered by `everything`, its team, shares and rules alone.

    `team` maps members to what their membership opens, `shared` people to what the shares that reach them open; where
    only one person is asked about, theirs is enough. `across` maps people to what a share opens to them through the
    wall of the record's partition. An explanation goes by the `shares` themselves, and for
    rules by the `values` of fields, by name; `NAME.currency` is that of an amount. `pool_id` is the pool of a record
    without owner, `pool_members` who is a member of it; an explanation knows the members by the pool itself.
    A record of a following type is decided with its `parent`; its own owner and department do not exist.
    """

    partition_id: int
    owner_id: int | None = None
    department_id: int | None = None
    deleted: bool = False
    team: Mapping[int, Share] = field(default_factory=dict)
    shared: Mapping[int, Share] = field(default_factory=dict)
    across: Mapping[int, Share] = field(default_factory=dict)
    shares: tuple[ShareFacts, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    states: tuple[StateFacts, ...] = ()
    pool_id: int | None = None
    pool_members: frozenset[int] = frozenset()
    parent: RecordFacts | None = None


@dataclass(frozen=True)
class Need:
    """One permission that must be open: covered for the record (or its parent), or, without `right`, only held.

    `share` is what a share must open to cover it like a scope does; NONE: shares do not count. In the states of
    `closed_in` the record (or its parent) is closed to it. `pooled`: to be a member of the record's pool covers it,
    too. `walled`: a share that was let across the wall does not cover it.
    """

    permission: str
    right: Right | None
    share: Share = Share.NONE
    of_parent: bool = False
    closed_in: State = State.OPEN
    pooled: bool = False
    walled: bool = False

    @property
    def share_across(self) -> Share:
        """Return what a share must open to cover it through the wall; NONE: none does."""
        return Share.NONE if self.walled else self.share


@dataclass(frozen=True)
class Requirement:
    """All that using a permission on an existing record asks for; `of_bin` ones are about records in the bin,
    `of_pool` ones about records in a pool."""

    needs: tuple[Need, ...]
    of_bin: bool = False
    of_pool: bool = False

    def is_about(self, record: RecordFacts) -> bool:
        """Say whether the record's state fits: in the bin or not, in a pool where it must be, below a parent that is
        not in the bin."""
        if self.of_pool and record.pool_id is None:
            return False
        return record.deleted is self.of_bin and not (record.parent and record.parent.deleted)


def decided_by(need: Need, record: RecordFacts) -> RecordFacts:
    """Return the facts that a need looks at: the record's, or its parent's."""
    if not need.of_parent:
        return record
    assert record.parent is not None
    return record.parent


@dataclass(frozen=True)
class Term:
    """One term of somebody's reach: where, whose, which departments, and the scopes per permission.

    `holder_id` is whose position in the company it is. A term by delegation (`delegated`) is another person's: what
    was shared by hand or through a team belongs to people, and is not in it.
    """

    holder_id: int
    partitions: Mapping[Right, frozenset[int]]
    owners: frozenset[int]
    reports: frozenset[int]
    departments: frozenset[int]
    departments_below: frozenset[int]
    scopes: Mapping[str, Scope]
    delegated: bool = False

    def scope_of(self, permission: str) -> Scope:
        return self.scopes.get(permission, Scope.NOTHING)


def covering_scope(term: Term, need: Need, record: RecordFacts) -> Scope:
    """Return the narrowest scope by which the term covers the record for a need, or NOTHING.

    For a permission that need only be held, return all its scopes.
    """
    scopes = term.scope_of(need.permission)
    if not scopes or need.right is None:
        return scopes
    if record.partition_id not in term.partitions[need.right]:
        across = not term.delegated and is_let_across(need, record.across.get(term.holder_id, Share.NONE))
        return Scope.SHARED if across else Scope.NOTHING
    if record.owner_id == term.holder_id:
        return Scope.OWN
    if not term.delegated and opens(scopes, need, record.team.get(term.holder_id, Share.NONE)):
        return Scope.TEAM
    if record.owner_id is not None:
        if Scope.DIRECT_REPORTS in scopes and record.owner_id in term.reports:
            return Scope.DIRECT_REPORTS
        if Scope.SUBORDINATES in scopes and record.owner_id in term.owners:
            return Scope.SUBORDINATES
        if Scope.DEPARTMENT in scopes and record.department_id in term.departments:
            return Scope.DEPARTMENT
        if Scope.DEPARTMENT_AND_BELOW in scopes and record.department_id in term.departments_below:
            return Scope.DEPARTMENT_AND_BELOW
    if Scope.EVERYTHING in scopes:
        return Scope.EVERYTHING
    if term.delegated:
        return Scope.NOTHING
    if is_shared(need, record.shared.get(term.holder_id, Share.NONE)):
        return Scope.SHARED
    return Scope.POOL if need.pooled and term.holder_id in record.pool_members else Scope.NOTHING


def is_shared(need: Need, share: Share) -> bool:
    """Say whether a share covers a need: view, or edit where it opens that, and nothing else."""
    return need.share is not Share.NONE and share >= need.share


def is_let_across(need: Need, share: Share) -> bool:
    """Say whether a share that was let across the wall covers a need through it."""
    return need.share_across is not Share.NONE and share >= need.share_across


def shutting(need: Need, record: RecordFacts) -> tuple[StateFacts, ...]:
    """Return the states of a record that close it to a need."""
    return tuple(each for each in record.states if each.state & need.closed_in)


def opens(scopes: Scope, need: Need, membership: Share) -> bool:
    """Say whether a team membership covers a need: as a share, or by the scope `team`."""
    if membership is Share.NONE:
        return False
    return Scope.TEAM in scopes or is_shared(need, membership)


def covers(terms: Sequence[Term], requirement: Requirement, record: RecordFacts) -> bool:
    """Say whether everything that is required is covered within the terms of one holder. No cover → deny."""
    return covering_holder(terms, requirement, record) is not None


def covering_holder(terms: Sequence[Term], requirement: Requirement, record: RecordFacts) -> int | None:
    """Return by whose terms everything that is required is covered, the person's own first; None where by nobody's.

    INVARIANT: the halves of two people are never put together.
    """
    if not requirement.is_about(record):
        return None
    if any(shutting(need, decided_by(need, record)) for need in requirement.needs):
        return None
    for holder, held in by_holder(terms).items():
        if all(
            any(covering_scope(term, need, decided_by(need, record)) for term in held)
            for need in requirement.needs
        ):
            return holder
    return None


def by_holder(terms: Sequence[Term]) -> dict[int, list[Term]]:
    """Return the terms of each holder; those of whoever acts come first."""
    found: dict[int, list[Term]] = {}
    for term in sorted(terms, key=lambda term: (term.delegated, term.holder_id)):
        found.setdefault(term.holder_id, []).append(term)
    return found
