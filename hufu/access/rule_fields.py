"""What a sharing rule can compare in the records of a type, and whether a condition can be translated exactly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hufu.access import registry
from hufu.access.decision.conditions import Condition, Untranslatable, disjuncts
from hufu.access.record_history import can_be_named
from hufu.access.registry import Field, Kind, ResourceType

TEXT, NUMBER, DAY = "text", "number", "day"
COMPARED = {
    Kind.CHOICE: TEXT,
    Kind.CODE: TEXT,
    Kind.TEXT: TEXT,
    Kind.INTEGER: NUMBER,
    Kind.MONEY: NUMBER,
    Kind.DATE: DAY,
}
WORDS = {TEXT: ("is",), NUMBER: ("is", "at_least", "at_most"), DAY: ("from", "until")}
LARGEST = 10**18
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Named:
    """Which departments, roles and levels there are: atoms that name others cannot be translated."""

    departments: Mapping[int, Any]
    roles: Mapping[int, Any]
    levels: Mapping[int, Any]


# What was found of the types that are registered; every decision about a record asks.
_comparable: dict[str, tuple[ResourceType, Mapping[str, Field]]] = {}


def comparable(resource: ResourceType) -> Mapping[str, Field]:
    """Return the fields of a type that a rule can compare, by name: open ones whose past is kept."""
    known = _comparable.get(resource.name)
    if known is None or known[0] is not resource:
        found = {
            declared.name: declared
            for declared in resource.fields
            if can_be_named(declared) and declared.kind in COMPARED
        }
        known = _comparable[resource.name] = resource, found
    return known[1]


def fields_named(resource: ResourceType) -> tuple[Field, ...]:
    """Return what a rule looks at in a record, currencies of amounts included."""
    found = comparable(resource)
    currencies = {declared.currency for declared in found.values() if declared.currency}
    return tuple(
        declared for declared in resource.fields if declared.name in found or declared.name in currencies
    )


def check_atom(type_name: str, atom: Condition, named: Named) -> None:
    """Raise Untranslatable unless the atom says exactly one thing about records of the type."""
    whose = {
        "owner_department": named.departments,
        "department": named.departments,
        "owner_role": named.roles,
        "owner_level": named.levels,
    }
    for word, things in whose.items():
        if word in atom:
            more = {"below"} if word.endswith("department") else set()
            if set(atom) - {word} - more or atom[word] not in things or atom.get("below", True) is not True:
                raise Untranslatable
            return
    declared = comparable(registry.resource_type(type_name)).get(str(atom.get("field")))
    if declared is None or not _says_one_thing(declared, atom):
        raise Untranslatable


def _says_one_thing(declared: Field, atom: Condition) -> bool:
    said = {key: value for key, value in atom.items() if key != "field"}
    if said == {"empty": True}:
        return True
    if bool(declared.currency) is not ("currency" in said):
        return False
    currency = said.pop("currency", "-")
    kind = COMPARED[declared.kind]
    if not isinstance(currency, str) or not currency or not said or set(said) - set(WORDS[kind]):
        return False
    if "is" in said:
        values = said["is"]
        return (
            len(said) == 1
            and isinstance(values, list)
            and bool(values)
            and all(_fits(kind, value) for value in values)
        )
    return all(_fits(kind, value) for value in said.values())


def _fits(kind: str, value: Any) -> bool:
    if kind == NUMBER:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST
    if not isinstance(value, str) or not value:
        return False
    if kind == TEXT:
        return True
    try:
        return _DAY.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False


def is_broken(type_name: str, condition: Condition, named: Named) -> bool:
    """Say whether a condition cannot be translated exactly: it then shares nothing."""
    try:
        check(type_name, condition, named)
    except Untranslatable:
        return True
    return False


def check(type_name: str, condition: Condition, named: Named) -> None:
    """Raise Untranslatable unless every part of the condition says exactly one thing about records of the type."""
    for literals in disjuncts(condition):
        for _negated, atom in literals:
            check_atom(type_name, atom, named)


def rule_values(resource: ResourceType, record: Any, names: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what rules look at in a record, by the name of the field; `NAME.currency` is that of an amount.

    Of some fields alone where they are named; one that no rule can compare is a KeyError.
    """
    found: dict[str, Any] = {}
    fields = comparable(resource)
    for name in fields if names is None else names:
        declared = fields[name]
        found[name] = getattr(record, declared.column)
        if declared.currency:
            found[f"{name}.currency"] = getattr(record, declared.currency)
    return found
