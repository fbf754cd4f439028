"""Break-glass: what somebody opened to themselves for some minutes, decided by itself and never with what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from hufu.access.decision.rules import holders

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import PersonFacts, Snapshot


@dataclass(frozen=True)
class GlassRule:
    """Holders of a role may open these permissions; in some partitions, or (None) wherever they are admitted."""

    id: int
    key: str
    name: str
    role_id: int
    permissions: frozenset[str]
    partitions: frozenset[int] | None
    minutes: int


@dataclass(frozen=True)
class GlassUse:
    """Somebody opened what a rule names."""

    id: int
    user_id: int
    rule_id: int
    starts_at: datetime
    ends_at: datetime

    def in_force(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


def opened(snapshot: Snapshot, person: PersonFacts) -> Iterator[tuple[GlassUse, GlassRule]]:
    """Yield what the person has open now: while the rule stands and they hold its role."""
    for use in snapshot.glass_uses:
        rule = snapshot.glass_rules.get(use.rule_id)
        if (
            use.user_id == person.id
            and use.in_force(snapshot.at)
            and rule is not None
            and person.id in holders(snapshot, rule.role_id)
        ):
            yield use, rule


def glass_part(snapshot: Snapshot, person: PersonFacts, rule: GlassRule) -> Snapshot:
    """Return the snapshot in which the person holds nothing but what the rule opens, through its role.

    INVARIANT: nothing else of theirs is in it but their admissions, as far as the rule goes.
    """
    from hufu.access.decision.snapshot import Given

    role = replace(
        snapshot.roles[rule.role_id],
        inherits=(),
        grants=tuple((permission, "everything") for permission in sorted(rule.permissions)),
    )
    return replace(
        snapshot,
        roles={role.id: role},
        assignments=(Given(0, user_id=person.id, role_id=role.id),),
        admissions=tuple(
            given
            for given in snapshot.admissions
            if rule.partitions is None or given.partition_id in rule.partitions
        ),
        rules={},
        pools={},
        delegations=(),
        opened=frozenset(),
        glass_uses=(),
    )
