"""What would nearly have shown a field: rules by roles that ended, have not begun, or are given to others."""

from __future__ import annotations

from dataclasses import dataclass

from hufu.access.decision.field_access import (
    AboutField,
    FieldAccess,
    FieldCode,
    FieldDecision,
    rules_through,
    said,
)
from hufu.access.decision.near import MOST, Nearness, by_distance, nearness_of
from hufu.access.decision.snapshot import FieldRule, Given, PersonFacts, Snapshot


@dataclass(frozen=True)
class RuleMiss:
    """A rule that opens more, the roles that lead to it, to whom they are given, and how that misses the person."""

    nearness: Nearness
    rule: FieldRule
    access: FieldAccess
    roles: tuple[int, ...]
    given: Given


def field_misses(snapshot: Snapshot, decision: FieldDecision) -> tuple[RuleMiss, ...]:
    """Return rules that would show the field where it is not readable, nearest first, at most a handful."""
    person = snapshot.people.get(decision.person_id)
    if person is None or decision.access.is_readable:
        return ()
    # What no rule opens: a closed gate, a pool, the wall.
    if decision.code not in (FieldCode.RULE, FieldCode.SENSITIVITY):
        return ()
    found = _misses(snapshot, person, decision.about, mine=decision.mine)
    order = list(Nearness)
    ranked = sorted(
        found, key=lambda miss: (order.index(miss.nearness), by_distance(snapshot, person, miss.given))
    )
    return tuple(ranked[:MOST])


def _misses(snapshot: Snapshot, person: PersonFacts, about: AboutField, *, mine: bool) -> list[RuleMiss]:
    """Return each such rule once: as its role was given to the person, else as others have it."""
    found: list[RuleMiss] = []
    named: set[int] = set()
    for given in sorted(snapshot.assignments, key=lambda given: not snapshot.reaches(given, person)):
        nearness = nearness_of(snapshot, person, given)
        if nearness is None:
            continue
        for path in rules_through(snapshot, given, about):
            access = said(path.rule, mine=mine)
            if access.is_readable and path.rule.role_id not in named:
                named.add(path.rule.role_id)
                found.append(RuleMiss(nearness, path.rule, access, path.roles, given))
    return found
