"""Conditions of sharing rules in a policy document: by codes and keys, amounts as people write them.

    {any: [{owner_department: east, below: true},
           {all: [{field: industry, is: medical}, {not: {owner_role: partner}}]}]}

What cannot be translated exactly is a problem with its place: unknown names, closed fields, relative days, wrong kinds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.decision.conditions import DEEPEST, MOST_ALTERNATIVES, Untranslatable, disjuncts
from hufu.access.models import Role
from hufu.access.policy_document.draft import Draft
from hufu.access.registry import Field, Kind, ResourceType
from hufu.access.rule_fields import COMPARED, DAY, NUMBER, WORDS, comparable
from hufu.core import wording
from hufu.core.errors import Invalid
from hufu.core.money import from_minor, to_minor
from hufu.people.models import Department, Level

OWNERS = ("owner_department", "department", "owner_role", "owner_level")
JOINED = ("all", "any", "not")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_condition(draft: Draft, place: str, entry: Any, resource: ResourceType) -> dict[str, Any]:
    """Return the condition as it is kept, but with roles by key: the plan may yet create them (`with_roles`)."""
    before = len(draft.problems.found)
    found = _read(draft, place, entry, resource, 0)
    if len(draft.problems.found) == before:
        try:
            disjuncts(found)
        except Untranslatable as wrong:
            draft.problems.add(
                f"{place}.{wrong.place}" if wrong.place else place,
                _("This makes more than %s alternatives. Divide it into several rules.") % MOST_ALTERNATIVES,
            )
    return found


def with_roles(condition: Mapping[str, Any], roles: Mapping[str, Role | None]) -> dict[str, Any] | None:
    """Return the condition with its roles by number; None while one of them is not there yet."""
    found: dict[str, Any] = {}
    for word, value in condition.items():
        if word == "owner_role":
            role = roles.get(value)
            if role is None:
                return None
            found[word] = role.id
        elif word in ("all", "any"):
            parts = [with_roles(part, roles) for part in value]
            if None in parts:
                return None
            found[word] = parts
        elif word == "not":
            inner = with_roles(value, roles)
            if inner is None:
                return None
            found[word] = inner
        else:
            found[word] = value
    return found


def _read(draft: Draft, place: str, entry: Any, resource: ResourceType, depth: int) -> dict[str, Any]:
    problems = draft.problems
    if not isinstance(entry, Mapping) or depth > DEEPEST:
        problems.add(place, _("This must be a condition: all, any, not, or one about an owner or a field."))
        return {}
    kinds = [word for word in (*JOINED, *OWNERS, "field") if word in entry]
    if len(kinds) != 1:
        problems.add(place, _("Name exactly one of: %s.") % ", ".join((*JOINED, *OWNERS, "field")))
        return {}
    word = kinds[0]
    if word in JOINED:
        if not problems.check_keys(place, entry, (word,), (word,)):
            return {}
        if word == "not":
            return {"not": _read(draft, f"{place}.not", entry["not"], resource, depth + 1)}
        parts = [
            _read(draft, where, part, resource, depth + 1)
            for where, part in problems.entries(f"{place}.{word}", entry[word])
        ]
        if not parts:
            problems.add(f"{place}.{word}", _("This must name at least one condition."))
        return {word: parts}
    if word == "field":
        return _field(draft, place, entry, resource)
    return _owner(draft, place, entry, word)


def _owner(draft: Draft, place: str, entry: Mapping[str, Any], word: str) -> dict[str, Any]:
    problems = draft.problems
    more = ("below",) if word.endswith("department") else ()
    if not problems.check_keys(place, entry, (word, *more), (word,)):
        return {}
    name = str(entry[word])
    if not isinstance(entry.get("below", False), bool):
        problems.add(f"{place}.below", _("This must be true or false."))
    if word == "owner_role":
        if name not in draft.roles:
            problems.add(f"{place}.{word}", _("There is no role “%s”.") % name)
        return {word: name}
    found: Department | Level | None
    if word == "owner_level":
        ladder, _dot, key = name.partition(".")
        found = Level.objects.filter(ladder__key=ladder, key=key).first()
    else:
        found = Department.objects.filter(code=name).first()
    if found is None:
        kind = "level" if word == "owner_level" else "department"
        problems.add(f"{place}.{word}", wording.unknown(kind, name))
        return {}
    return {word: found.pk, **({"below": True} if entry.get("below") is True else {})}


def _field(draft: Draft, place: str, entry: Mapping[str, Any], resource: ResourceType) -> dict[str, Any]:
    problems = draft.problems
    name = str(entry["field"])
    declared = comparable(resource).get(name)
    if declared is None:
        problems.add(f"{place}.field", _cannot_be_named(resource, name))
        return {}
    kind = COMPARED[declared.kind]
    words = (*WORDS[kind], *(("currency",) if declared.currency else ()), "empty")
    if not problems.check_keys(place, entry, ("field", *words), ()):
        return {}
    said = {word: entry[word] for word in words if word in entry}
    if "empty" in said:
        if said != {"empty": True}:
            problems.add(f"{place}.empty", _("“empty” stands alone and is true; its opposite is “not”."))
        return {"field": name, "empty": True}
    if not said or ("is" in said and set(said) - {"is", "currency"}):
        problems.add(place, _("Say what the field is compared with: %s.") % ", ".join(words))
        return {}
    found: dict[str, Any] = {"field": name}
    if declared.currency:
        codes = [code for code, _label in resource.by_name[declared.currency].choices]
        if said.get("currency") not in codes:
            problems.add(
                f"{place}.currency",
                _("Amounts are compared within one currency. Name one of: %s.") % ", ".join(codes),
            )
        found["currency"] = said.pop("currency", "")
    for word, value in said.items():
        if word == "is":
            values = value if isinstance(value, list) else [value]
            if not values:
                problems.add(f"{place}.is", _("This must name at least one value."))
            found["is"] = [_value(draft, f"{place}.is", declared, one) for one in values]
        else:
            found[word] = _value(draft, f"{place}.{word}", declared, value)
    return found


def _cannot_be_named(resource: ResourceType, name: str) -> str:
    allowed = ", ".join(comparable(resource))
    if name not in resource.by_name:
        return _("There is no field “%(field)s”. Rules can compare: %(allowed)s.") % {
            "field": name,
            "allowed": allowed,
        }
    return _(
        "Rules cannot compare “%(field)s”: what is personal, confidential or sealed must not show in who sees a "
        "record, and long texts have no exact value. Rules can compare: %(allowed)s."
    ) % {"field": name, "allowed": allowed}


def _value(draft: Draft, place: str, declared: Field, value: Any) -> Any:
    kind = COMPARED[declared.kind]
    if kind == NUMBER:
        return _number(draft, place, declared, value)
    if kind == DAY:
        text = value.isoformat() if isinstance(value, date) else str(value)
        try:
            if _DAY.fullmatch(text) and date.fromisoformat(text):
                return text
        except ValueError:
            pass
        draft.problems.add(
            place,
            _(
                "“%s” is not a day such as 2027-03-31. Rules name days themselves: today would change by itself."
            )
            % text,
        )
        return ""
    if not isinstance(value, str) or not value.strip():
        draft.problems.add(
            place, _("This must be text; write numbers in quotes, and “empty: true” for none.")
        )
        return ""
    choices = dict(declared.choices)
    if declared.kind is Kind.CHOICE and value not in choices:
        draft.problems.add(
            place,
            _("“%(text)s” is not one of: %(allowed)s.") % {"text": value, "allowed": ", ".join(choices)},
        )
    return value


def _number(draft: Draft, place: str, declared: Field, value: Any) -> int:
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise Invalid({"": [_("“%s” is not a number.") % value]})
        if declared.kind is Kind.MONEY:
            return to_minor(str(value))
        if not isinstance(value, int):
            raise Invalid({"": [_("“%s” is not a whole number.") % value]})
    except Invalid as invalid:
        draft.problems.add(place, str(invalid))
        return 0
    return value


def export_condition(condition: Mapping[str, Any], resource: ResourceType) -> dict[str, Any]:
    """Return a condition as a document says it; a name that is gone stands as its number, which no document may say."""
    found: dict[str, Any] = {}
    declared = resource.by_name.get(str(condition.get("field")))
    for word, value in condition.items():
        if word in ("all", "any"):
            found[word] = [export_condition(part, resource) for part in value]
        elif word == "not":
            found[word] = export_condition(value, resource)
        elif word in OWNERS:
            found[word] = _name(word, value)
        elif word == "is":
            values = [_plain(declared, one) for one in value]
            found[word] = values[0] if len(values) == 1 else values
        elif word in ("at_least", "at_most"):
            found[word] = _plain(declared, value)
        else:
            found[word] = value
    return found


def _plain(declared: Field | None, value: Any) -> Any:
    if declared is None or declared.kind is not Kind.MONEY:
        return value
    amount = from_minor(value)
    return int(amount) if amount == amount.to_integral_value() else str(amount)


def _name(word: str, number: int) -> str:
    if word == "owner_role":
        role = Role.objects.filter(pk=number).first()
        return role.key if role else f"#{number}"
    if word == "owner_level":
        level = Level.objects.select_related("ladder").filter(pk=number).first()
        return f"{level.ladder.key}.{level.key}" if level else f"#{number}"
    department = Department.objects.filter(pk=number).first()
    return department.code if department else f"#{number}"
