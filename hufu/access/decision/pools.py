"""Pools in a snapshot: who is a member of which, and what they hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hufu.access.decision.terms import Need, RecordFacts

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import Given, PersonFacts, Snapshot


@dataclass(frozen=True)
class PoolFacts:
    """A pool with its members, and the fields that are hidden in it, as (type, field)."""

    id: int
    key: str
    name: str
    type: str
    partition_id: int
    members: tuple[Given, ...]
    hidden: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class PoolShare:
    """A pool in which a record lies, and the principal by which the person is a member of it."""

    pool: PoolFacts
    given: Given


def pool_for(snapshot: Snapshot, person: PersonFacts, need: Need, record: RecordFacts) -> PoolShare | None:
    """Return how a person is a member of the record's pool, where that covers the need."""
    pool = pool_of(snapshot, record)
    if pool is None or not need.pooled:
        return None
    for given in pool.members:
        if snapshot.reaches(given, person):
            return PoolShare(pool, given)
    return None


def pool_of(snapshot: Snapshot, record: RecordFacts) -> PoolFacts | None:
    """Return the pool of the record, or of the one that it is decided with."""
    decides = record.parent or record
    return snapshot.pools.get(decides.pool_id) if decides.pool_id is not None else None


def hiding(snapshot: Snapshot, record: RecordFacts, type_name: str, field: str) -> PoolFacts | None:
    """Return the record's pool where it hides the field."""
    pool = pool_of(snapshot, record)
    return pool if pool is not None and (type_name, field) in pool.hidden else None
