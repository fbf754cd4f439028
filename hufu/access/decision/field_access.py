"""Access to one field of a record that may be viewed: what decides, and why. The most permissive rule wins.

Rules come through roles like grants: inherited roles' count, in their time, and not through a role behind a closed
gate. A rule counts where its role holds view of the type, itself or by what it inherits. Without any that counts the
field's sensitivity decides. A closed gate on the sensitivity hides, whatever a rule says, and so
does the pool in which a record lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hufu.access.decision.pools import PoolFacts, hiding
from hufu.access.decision.snapshot import FieldRule, Given, PersonFacts, Snapshot, roles_through
from hufu.access.decision.terms import RecordFacts, Share


class FieldAccess(StrEnum):
    """What may be done with a field, the least first."""

    HIDDEN = "hidden"
    MASKED = "masked"
    READ_ONLY = "read_only"
    EDITABLE = "editable"

    @property
    def level(self) -> int:
        """Return the number that stands for it in reach (hufu.field_level)."""
        return LEVELS.index(self)

    @property
    def is_readable(self) -> bool:
        return self.level >= FieldAccess.READ_ONLY.level


LEVELS = tuple(FieldAccess)
# What holds without a rule: of a record that is one's own, and of others'.
BY_SENSITIVITY: Mapping[str, tuple[FieldAccess, FieldAccess]] = {
    "public": (FieldAccess.EDITABLE, FieldAccess.EDITABLE),
    "internal": (FieldAccess.EDITABLE, FieldAccess.EDITABLE),
    "personal": (FieldAccess.EDITABLE, FieldAccess.MASKED),
    "confidential": (FieldAccess.HIDDEN, FieldAccess.HIDDEN),
}


@dataclass(frozen=True)
class AboutField:
    """The field asked about: its type, its name, its sensitivity, and whether deeds alone set it."""

    type: str
    name: str
    sensitivity: str
    system: bool = False


class FieldCode(StrEnum):
    """What decided about a field."""

    SYSTEM = "system"
    GATE_CLOSED = "gate_closed"
    POOL = "pool"
    RULE = "rule"
    SENSITIVITY = "sensitivity"
    WALL = "wall"


@dataclass(frozen=True)
class FieldDecision:
    """The access to a field, and why. `rule` is the one that decided, by `given` and `roles`, the path to it."""

    about: AboutField
    person_id: int
    mine: bool
    access: FieldAccess
    code: FieldCode
    rule: FieldRule | None = None
    given: Given | None = None
    roles: tuple[int, ...] = ()
    gates: tuple[int, ...] = ()
    pool: PoolFacts | None = None


@dataclass(frozen=True)
class RulePath:
    """How a field rule comes to a person: what was given, and the roles from there to the one that has the rule."""

    given: Given
    roles: tuple[int, ...]
    rule: FieldRule


def is_mine(person_id: int, record: RecordFacts) -> bool:
    """Say whether somebody owns the record (or its parent) or is an edit-member of its team."""
    decides = record.parent or record
    return decides.owner_id == person_id or decides.team.get(person_id) is Share.EDIT


def decide_field(
    snapshot: Snapshot,
    person_id: int,
    about: AboutField,
    *,
    record: RecordFacts,
    closed: frozenset[int] = frozenset(),
) -> FieldDecision:
    """Decide what somebody may do with a field of a record that they may view, with the whole reason."""
    mine = is_mine(person_id, record)

    def decided(access: FieldAccess, code: FieldCode) -> FieldDecision:
        return FieldDecision(about, person_id, mine, access, code)

    if about.system:
        return decided(FieldAccess.READ_ONLY, FieldCode.SYSTEM)
    shut = tuple(
        sorted(
            use.gate_id
            for use in snapshot.gate_uses
            if use.sensitivity == about.sensitivity and use.gate_id in closed
        )
    )
    if shut:
        return FieldDecision(about, person_id, mine, FieldAccess.HIDDEN, FieldCode.GATE_CLOSED, gates=shut)
    pool = hiding(snapshot, record, about.type, about.name)
    if pool is not None:
        return FieldDecision(about, person_id, mine, FieldAccess.HIDDEN, FieldCode.POOL, pool=pool)
    person = snapshot.people.get(person_id)
    best: RulePath | None = None
    for path in rule_paths(snapshot, person, about, closed) if person else ():
        if best is None or said(path.rule, mine=mine).level > said(best.rule, mine=mine).level:
            best = path
    if best is None:
        of_mine, of_others = BY_SENSITIVITY[about.sensitivity]
        return decided(of_mine if mine else of_others, FieldCode.SENSITIVITY)
    access = said(best.rule, mine=mine)
    return FieldDecision(about, person_id, mine, access, FieldCode.RULE, best.rule, best.given, best.roles)


def said(rule: FieldRule, *, mine: bool) -> FieldAccess:
    """Return what a rule says; an unknown word is hidden."""
    word = rule.mine if mine else rule.others
    return FieldAccess(word) if word in LEVELS else FieldAccess.HIDDEN


def rule_paths(
    snapshot: Snapshot, person: PersonFacts, about: AboutField, closed: frozenset[int] = frozenset()
) -> Iterator[RulePath]:
    """Yield every way by which a rule about the field that counts comes to the person."""
    for given in snapshot.assignments:
        if given.in_force(snapshot.at) and snapshot.reaches(given, person):
            yield from rules_through(snapshot, given, about, closed)


def rules_through(
    snapshot: Snapshot, given: Given, about: AboutField, closed: frozenset[int] = frozenset()
) -> Iterator[RulePath]:
    """Yield the rules about the field that count and come by an assigned role, its own and inherited ones."""
    rules = {
        rule.role_id: rule
        for rule in snapshot.field_rules
        if (rule.type, rule.field) == (about.type, about.name)
    }
    if not rules:
        return
    for chain in roles_through(snapshot, given, closed):
        rule = rules.get(chain[-1])
        if rule is not None and views(snapshot, chain[-1], about.type):
            yield RulePath(given, chain, rule)


def views(snapshot: Snapshot, role_id: int, type_name: str) -> bool:
    """Say whether a role holds view of a type, itself or by what it inherits, whatever gates are on these."""
    alone = Given(0, role_id=role_id)
    return any(
        granted == f"{type_name}.view"
        for chain in roles_through(snapshot, alone)
        for granted, _scope in snapshot.roles[chain[-1]].grants
    )
