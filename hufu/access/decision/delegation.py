"""Delegation: somebody acts with what a colleague holds, cut down to what was named, and as nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hufu.access.decision.terms import RecordFacts

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import PersonFacts, Snapshot


@dataclass(frozen=True)
class DelegationFacts:
    """`user_id` stands in for `delegator_id` with these permissions, within a term."""

    id: int
    delegator_id: int
    user_id: int
    permissions: frozenset[str]
    starts_at: datetime
    ends_at: datetime

    def in_force(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


def standing_in(snapshot: Snapshot, person: PersonFacts) -> Mapping[int, tuple[DelegationFacts, ...]]:
    """Return for whom the person stands in now, by number, and what they lent. Whoever is not active lends nothing."""
    found: dict[int, tuple[DelegationFacts, ...]] = {}
    for lent in sorted(snapshot.delegations, key=lambda lent: (lent.delegator_id, lent.id)):
        giver = snapshot.people.get(lent.delegator_id)
        if lent.user_id == person.id and lent.in_force(snapshot.at) and giver is not None and giver.active:
            found[lent.delegator_id] = (*found.get(lent.delegator_id, ()), lent)
    return found


def lent_through(lent: tuple[DelegationFacts, ...], permission: str) -> DelegationFacts | None:
    """Return the delegation that names the permission."""
    return next((each for each in lent if permission in each.permissions), None)


def lent_part(snapshot: Snapshot, permissions: frozenset[str]) -> Snapshot:
    """Return the snapshot in which roles grant nothing but these permissions, and nothing is delegated, or reaches
    anybody by a rule or a pool.

    INVARIANT: what somebody holds by delegation is never handed on. Quotas bind whoever acts, and were asked of them.
    """
    roles = {
        role.id: replace(role, grants=tuple(grant for grant in role.grants if grant[0] in permissions))
        for role in snapshot.roles.values()
    }
    return replace(snapshot, roles=roles, rules={}, pools={}, quotas=(), delegations=(), glass_uses=())


def unshared(record: RecordFacts | None) -> RecordFacts | None:
    """Return the record as if it were shared with nobody and nobody were in its team: that belongs to people."""
    if record is None:
        return None
    return replace(record, team={}, shared={}, across={}, shares=(), parent=unshared(record.parent))


def past_and_to_come(snapshot: Snapshot, person: PersonFacts, permission: str) -> Iterator[DelegationFacts]:
    """Yield the delegations to the person of this permission that ended or have not begun."""
    for lent in snapshot.delegations:
        if lent.user_id == person.id and permission in lent.permissions and not lent.in_force(snapshot.at):
            yield lent
