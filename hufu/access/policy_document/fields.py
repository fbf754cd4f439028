"""What a role of the document says of fields: `fields: {contact: {phone: {mine: editable, others: masked}}}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import field_rules
from hufu.access.decision.field_access import FieldAccess
from hufu.access.field_rules import Rule
from hufu.access.fields import CLOSABLE
from hufu.access.models import Role
from hufu.access.policy_document.draft import Draft, Problems
from hufu.access.registry import Risk, resource_types
from hufu.core.actor import Actor

RULE_KEYS = ("mine", "others", "export")


def plan_fields(draft: Draft, place: str, key: str, entry: Any) -> None:
    """Plan to bring the field rules of a role to exactly what its entry says; none where it says nothing."""
    wanted = _read(draft.problems, place, entry)
    role = draft.roles.get(key)
    standing = field_rules.rules_of(role) if role is not None else {}
    if wanted != standing:
        deed = partial(_set, draft, key, wanted)
        about = {about for about in wanted | standing if wanted.get(about) != standing.get(about)}
        draft.add(place, f"role:{key}", deed, creates=role is None, risk=_risk(about))


def _risk(about: Iterable[tuple[str, str]]) -> Risk:
    """Return how dangerous it is to change rules about these fields.

    To make, to change and to end a rule may each open something, by what else somebody holds: no change is known to
    take away only.
    """
    marks = {
        resource.by_name[name].sensitivity
        for type_name, name in about
        for resource in resource_types()
        if resource.name == type_name and name in resource.by_name
    }
    return Risk.HIGH if marks & CLOSABLE else Risk.MEDIUM


def _set(draft: Draft, key: str, wanted: dict[tuple[str, str], Rule], actor: Actor) -> None:
    field_rules.set_field_rules(actor, draft.role(key), wanted)


def _read(problems: Problems, place: str, entry: Any) -> dict[tuple[str, str], Rule]:
    if entry is None:
        return {}
    if not isinstance(entry, Mapping) or not all(isinstance(of, Mapping) for of in entry.values()):
        problems.add(place, _("This must map types to fields, and these to what is said of them."))
        return {}
    found: dict[tuple[str, str], Rule] = {}
    for type_name, fields in entry.items():
        for name, said in fields.items():
            where = f"{place}.{type_name}.{name}"
            rule = _rule(problems, where, said)
            if rule is None:
                continue
            found[str(type_name), str(name)] = rule
            if problem := field_rules.problem_of(str(type_name), str(name), rule):
                problems.add(where, problem)
    return found


def _rule(problems: Problems, place: str, said: Any) -> Rule | None:
    if not isinstance(said, Mapping):
        access = _access(problems, place, said)
        return Rule(access, access) if access else None
    if not problems.check_keys(place, said, RULE_KEYS, ("mine", "others")):
        return None
    mine, others = (_access(problems, f"{place}.{name}", said[name]) for name in ("mine", "others"))
    export = said.get("export", True)
    if not isinstance(export, bool):
        problems.add(f"{place}.export", _("This must be true or false."))
    return Rule(mine, others, export is True) if mine and others else None


def _access(problems: Problems, place: str, said: Any) -> FieldAccess | None:
    if said in tuple(FieldAccess):
        return FieldAccess(said)
    words = {"text": said, "allowed": ", ".join(FieldAccess)}
    problems.add(place, _("“%(text)s” is not one of: %(allowed)s.") % words)
    return None


def export_fields(role: Role) -> dict[str, dict[str, Any]]:
    """Return the field rules of a role as its entry says them."""
    exported: dict[str, dict[str, Any]] = {}
    for (type_name, name), rule in field_rules.rules_of(role).items():
        exported.setdefault(type_name, {})[name] = rule.words()
    return exported
