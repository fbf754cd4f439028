"""Conditions of sharing rules: `all`, `any` and `not` over atoms about a record's owner, department and fields.

As they are kept, conditions name things by number, amounts in minor units and days as text:

    {"all": [{"owner_department": 5, "below": true}, {"not": {"field": "industry", "is": ["medical"]}}]}

INVARIANT (never wider): three-valued logic. An atom about what is not there (a record without owner, an owner without
department or level, an empty field) is unknown, its negation too, and only a condition that is true covers. The same
stands in sql/sharing.sql; see docs/decisions/0017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

# A condition with more alternatives is refused: each is looked at for every record that changes.
MOST_ALTERNATIVES = 32
# How deep a condition may be nested; more is nothing that a person wrote.
DEEPEST = 12

Condition = Mapping[str, Any]
Literal = tuple[bool, Condition]  # negated, atom
Truth = bool | None


class Untranslatable(ValueError):
    """A condition that says nothing exactly: it shares nothing. `place` leads to the part that is wrong."""

    def __init__(self, place: str = "") -> None:
        super().__init__(place)
        self.place = place


def disjuncts(condition: Condition, *, negated: bool = False) -> list[list[Literal]]:
    """Return the alternatives of a condition, each a list of literals that must all hold.

    Raise Untranslatable for what is no condition, and for more than MOST_ALTERNATIVES.
    """
    return _disjuncts(condition, negated, "", 0)


def _disjuncts(condition: Any, negated: bool, place: str, depth: int) -> list[list[Literal]]:
    if not isinstance(condition, Mapping) or depth > DEEPEST:
        raise Untranslatable(place)
    joined = next((word for word in ("not", "all", "any") if word in condition), None)
    if joined is None:
        return [[(negated, condition)]]
    if len(condition) != 1:
        raise Untranslatable(place)
    here = f"{place}.{joined}" if place else joined
    if joined == "not":
        return _disjuncts(condition["not"], not negated, here, depth + 1)
    parts = condition[joined]
    if not isinstance(parts, list) or not parts:
        raise Untranslatable(here)
    together = (joined == "all") is not negated
    result: list[list[Literal]] = [[]] if together else []
    for index, part in enumerate(parts, start=1):
        more = _disjuncts(part, negated, f"{here}[{index}]", depth + 1)
        result = [one + other for one in result for other in more] if together else result + more
        if len(result) > MOST_ALTERNATIVES:
            raise Untranslatable(here)
    return result


def atoms(condition: Condition) -> Iterator[Condition]:
    """Yield the atoms of a condition."""
    for literals in disjuncts(condition):
        for _negated, atom in literals:
            yield atom


def truth(condition: Condition, of_atom: Callable[[Condition], Truth]) -> Truth:
    """Return whether a condition holds, or None where that is unknown."""
    if "not" in condition:
        inner = truth(condition["not"], of_atom)
        return None if inner is None else not inner
    if "all" in condition:
        return both(truth(part, of_atom) for part in condition["all"])
    if "any" in condition:
        # Either of them: not both of their opposites.
        opposite = both(_not(truth(part, of_atom)) for part in condition["any"])
        return _not(opposite)
    return of_atom(condition)


def both(parts: Iterator[Truth]) -> Truth:
    """Return false where one is false, else unknown where one is unknown, else true."""
    found = list(parts)
    if False in found:
        return False
    return None if None in found else True


def _not(value: Truth) -> Truth:
    return None if value is None else not value


def field_holds(atom: Condition, value: Any, currency: Any = None) -> Truth:
    """Return whether an atom about a field holds for its value; `currency` is that of an amount."""
    absent = value is None or value == ""
    if "empty" in atom:
        return absent
    held: Truth
    if absent:
        held = None
    elif isinstance(value, date):
        day = f"{value.year:04}-{value.month:02}-{value.day:02}"
        held = atom.get("from", day) <= day <= atom.get("until", day)
    elif "is" in atom:
        held = value in atom["is"]
    else:
        held = bool(atom.get("at_least", value) <= value <= atom.get("at_most", value))
    if "currency" not in atom:
        return held
    return both(iter((held, (currency == atom["currency"]) if currency else None)))
