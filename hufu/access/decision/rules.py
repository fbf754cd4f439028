"""Sharing rules and territories in a snapshot: whom they reach, and whether a record meets their condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from hufu.access.decision.conditions import Condition, Truth, field_holds, truth
from hufu.access.decision.terms import Need, RecordFacts, Share, is_shared

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import Given, PersonFacts, Snapshot


@dataclass(frozen=True)
class RuleFacts:
    """A sharing rule or a territory, with its recipients. `broken`: its condition cannot be translated any more."""

    id: int
    key: str
    name: str
    type: str
    opens: Share
    condition: Condition | None
    to: tuple[Given, ...]
    superiors: bool = False
    territory: bool = False
    parent_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    broken: bool = False

    def in_force(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or self.ends_at > at
        )


@dataclass(frozen=True)
class RuleShare:
    """A rule that covers a record for a person; `given` is the gift that reaches them.

    `through` is the territory above whose member they are; `superior` says that they stand above a recipient.
    """

    rule: RuleFacts
    given: Given
    through: RuleFacts | None = None
    superior: bool = False


def of_type(snapshot: Snapshot, need: Need) -> Iterator[RuleFacts]:
    """Yield the rules about records of the type that the need is about."""
    wanted = need.permission.partition(".")[0]
    return (rule for rule in snapshot.rules.values() if rule.type == wanted)


def rule_for(snapshot: Snapshot, person: PersonFacts, need: Need, record: RecordFacts) -> RuleShare | None:
    """Return a rule in force that covers the need for the person, and how it reaches them."""
    if need.share is Share.NONE:
        return None
    for rule in of_type(snapshot, need):
        if is_shared(need, rule.opens) and rule.in_force(snapshot.at):
            share = reaching(snapshot, rule, person)
            if share is not None and meets(snapshot, rule, record):
                return share
    return None


def reaching(snapshot: Snapshot, rule: RuleFacts, person: PersonFacts) -> RuleShare | None:
    """Return how a rule reaches the person, whenever it is in force; None where it does not."""
    # The rule is the snapshot's own: its number says which.
    return snapshot.once(("reaching", rule.id, person), lambda: _reaching(snapshot, rule, person))


def _reaching(snapshot: Snapshot, rule: RuleFacts, person: PersonFacts) -> RuleShare | None:
    place: RuleFacts | None = rule
    while place is not None:
        for given in place.to:
            if snapshot.reaches(given, person):
                return RuleShare(rule, given, None if place is rule else place)
        place = snapshot.rules.get(place.parent_id) if place.parent_id is not None else None
    if rule.superiors:
        for given in rule.to:
            if person.id in snapshot.superiors_of(given):
                return RuleShare(rule, given, superior=True)
    return None


def meets(snapshot: Snapshot, rule: RuleFacts, record: RecordFacts) -> bool:
    """Say whether the record meets the rule's condition. Unknown is no, and so is what cannot be translated."""
    if rule.condition is None or rule.broken:
        return False
    return truth(rule.condition, lambda atom: _atom_holds(snapshot, atom, record)) is True


def _atom_holds(snapshot: Snapshot, atom: Condition, record: RecordFacts) -> Truth:
    if "field" in atom:
        name = str(atom["field"])
        return field_holds(atom, record.values.get(name), record.values.get(f"{name}.currency"))
    if "department" in atom:
        above = snapshot.above(record.department_id) if "below" in atom else (record.department_id,)
        return atom["department"] in above
    owner = snapshot.people.get(record.owner_id) if record.owner_id is not None else None
    if owner is None:
        return None
    if "owner_department" in atom:
        places = snapshot.departments_of(owner)
        if not places:
            return None
        return any(
            atom["owner_department"] in (snapshot.above(place) if "below" in atom else (place,))
            for place in places
        )
    if "owner_level" in atom:
        return None if owner.level_id is None else atom["owner_level"] in snapshot.levels_held(owner.level_id)
    return owner.id in holders(snapshot, atom["owner_role"])


def holders(snapshot: Snapshot, role_id: int) -> frozenset[int]:
    """Return who holds a role, by whatever way, inherited ones too. Gates on roles do not count here."""
    if role_id in snapshot.role_holders:
        return snapshot.role_holders[role_id]
    return snapshot.once(("holders", role_id), lambda: _holders(snapshot, role_id))


def _holders(snapshot: Snapshot, role_id: int) -> frozenset[int]:
    holding = {role.id for role in snapshot.roles.values() if role_id in inherited(snapshot, role.id)}
    gifts = [
        given for given in snapshot.assignments if given.role_id in holding and given.in_force(snapshot.at)
    ]
    return frozenset(
        person.id for person in snapshot.people.values() if any(snapshot.reaches(g, person) for g in gifts)
    )


def inherited(snapshot: Snapshot, role_id: int) -> set[int]:
    """Return the role and all that it inherits."""
    waiting, found = [role_id], set[int]()
    while waiting:
        role = waiting.pop()
        if role not in found:
            found.add(role)
            waiting.extend(snapshot.roles[role].inherits)
    return found


def roles_named(rules: Mapping[int, RuleFacts]) -> set[int]:
    """Return the roles that conditions name."""
    return {
        number
        for rule in rules.values()
        if rule.condition is not None and not rule.broken
        for number in _roles_in(rule.condition)
    }


def _roles_in(condition: Condition) -> Iterator[int]:
    if "owner_role" in condition:
        yield condition["owner_role"]
    for part in (*condition.get("all", ()), *condition.get("any", ())):
        yield from _roles_in(part)
    if "not" in condition:
        yield from _roles_in(condition["not"])
