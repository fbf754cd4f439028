"""Terms of reach, and coverage: whether terms cover a record. The same rule stands in SQL (access/policies.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    def __hash__(self) -> int:
        return hash((self.permission, self.of_parent))

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


class Coverage:
    """What somebody's terms cover of what is required, made once and asked about many records.

    INVARIANT: the halves of two people are never put together: one holder's terms cover everything, or nobody's do.
    """

    __slots__ = ("_holders", "_requirement")

    def __init__(self, terms: Sequence[Term], requirement: Requirement) -> None:
        self._requirement = requirement
        self._holders = [
            (holder, [(need.of_parent, _ways(held, need)) for need in requirement.needs])
            for holder, held in by_holder(terms).items()
        ]

    def holder_of(self, record: RecordFacts) -> int | None:
        """Return by whose terms the record is covered, the person's own first; None where by nobody's: deny."""
        if not self._requirement.is_about(record) or self._is_shut(record):
            return None
        for holder, needs in self._holders:
            for of_parent, ways in needs:
                about = record.parent if of_parent else record
                assert about is not None
                for way in ways:
                    if way(about):
                        break
                else:
                    break
            else:
                return holder
        return None

    def covers(self, record: RecordFacts) -> bool:
        """Say whether somebody's terms cover the record."""
        return self.holder_of(record) is not None

    def _is_shut(self, record: RecordFacts) -> bool:
        if not record.states and (record.parent is None or not record.parent.states):
            return False
        return any(shutting(need, decided_by(need, record)) for need in self._requirement.needs)


Way = Callable[[RecordFacts], bool]
_NONE: frozenset[int] = frozenset()


def _ways(held: Sequence[Term], need: Need) -> list[Way]:
    return [way for term in held if (way := _way(term, need)) is not None]


def _way(term: Term, need: Need) -> Way | None:
    """Return what says whether a term covers a record for a need; None where it covers none.

    Of shares and memberships it is settled here which of them open anything.
    """
    scopes = term.scope_of(need.permission)
    if not scopes:
        return None
    if need.right is None:
        return lambda record: True
    partitions, holder, own = term.partitions[need.right], term.holder_id, not term.delegated
    everything = Scope.EVERYTHING in scopes
    owners = (term.reports if Scope.DIRECT_REPORTS in scopes else _NONE) | (
        term.owners if Scope.SUBORDINATES in scopes else _NONE
    )
    departments = (term.departments if Scope.DEPARTMENT in scopes else _NONE) | (
        term.departments_below if Scope.DEPARTMENT_AND_BELOW in scopes else _NONE
    )
    member = frozenset(share for share in Share if opens(scopes, need, share))
    shared = frozenset(share for share in Share if is_shared(need, share))
    across = frozenset(share for share in Share if is_let_across(need, share))

    def covers(record: RecordFacts) -> bool:
        if record.partition_id not in partitions:
            return own and record.across.get(holder) in across
        owner = record.owner_id
        if everything or owner == holder:
            return True
        if owner is not None and (owner in owners or record.department_id in departments):
            return True
        return own and (
            record.team.get(holder) in member
            or record.shared.get(holder) in shared
            or (need.pooled and holder in record.pool_members)
        )

    return covers


def by_holder(terms: Sequence[Term]) -> dict[int, list[Term]]:
    """Return the terms of each holder; those of whoever acts come first."""
    found: dict[int, list[Term]] = {}
    for term in sorted(terms, key=lambda term: (term.delegated, term.holder_id)):
        found.setdefault(term.holder_id, []).append(term)
    return found
