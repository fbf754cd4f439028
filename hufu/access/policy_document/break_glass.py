"""The section `break_glass`: who may open what to themselves in an emergency. What a document does not name stays."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import break_glass_rules, registry
from hufu.access.break_glass_models import MOST_MINUTES, BreakGlass
from hufu.access.break_glass_rules import Rule
from hufu.access.policy_document.draft import Draft, Section, again
from hufu.core.actor import Actor

KEYS = ("key", "name", "role", "types", "partitions", "access", "minutes")


def _plan(draft: Draft, entries: Any) -> None:
    standing = {row.key: break_glass_rules.standing(row) for row in _rows()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("break_glass", entries):
        if not draft.problems.check_keys(place, entry, KEYS, ("key", "name", "role", "types", "minutes")):
            continue
        key = str(entry["key"])
        if again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        rule = _read(draft, place, key, entry)
        if len(draft.problems.found) > before or standing.get(key) == rule:
            continue
        known = standing.get(key)
        draft.add(
            place,
            f"break_glass:{key}",
            partial(_set, draft, rule),
            creates=known is None,
            narrows=known is not None and rule.narrows(known),
        )


def _read(draft: Draft, place: str, key: str, entry: Any) -> Rule:
    problems = draft.problems
    role = str(entry["role"])
    if role not in draft.roles:
        problems.add(f"{place}.role", _("There is no role “%s”.") % role)
    types = problems.names(f"{place}.types", entry["types"])
    known = {resource.name: resource for resource in registry.resource_types()}
    for name in types:
        resource = known.get(name)
        if resource is None:
            problems.add(f"{place}.types", _("There is no type “%s”.") % name)
        elif resource.parent_type is not None and resource.parent_type.name not in types:
            problems.add(
                f"{place}.types",
                _("“%(type)s” opens with “%(parent)s”: name both.")
                % {"type": name, "parent": resource.parent_type.name},
            )
    partitions = problems.names(f"{place}.partitions", entry.get("partitions"))
    for name in partitions:
        if name not in draft.partitions:
            problems.add(f"{place}.partitions", _("There is no partition “%s”.") % name)
    access = str(entry.get("access", BreakGlass.Access.READ.value))
    if access not in BreakGlass.Access.values:
        problems.add(
            f"{place}.access",
            _("“%(text)s” is not one of: %(allowed)s.")
            % {"text": access, "allowed": ", ".join(BreakGlass.Access.values)},
        )
    minutes = entry["minutes"]
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MOST_MINUTES:
        problems.add(f"{place}.minutes", _("This must be a number of minutes, at most %s.") % MOST_MINUTES)
        minutes = 1
    return Rule(key, str(entry["name"]), role, tuple(types), tuple(partitions), access, minutes)


def _set(draft: Draft, rule: Rule, actor: Actor) -> None:
    break_glass_rules.set_rule(
        actor, rule, role=draft.role(rule.role), partitions=[draft.partition(key) for key in rule.partitions]
    )


def _rows() -> list[BreakGlass]:
    return list(BreakGlass.objects.select_related("role").order_by("id"))


def _export() -> list[dict[str, Any]]:
    exported = []
    for row in _rows():
        rule = break_glass_rules.standing(row)
        said: dict[str, Any] = {
            "key": rule.key,
            "name": rule.name,
            "role": rule.role,
            "types": list(rule.types),
        }
        if rule.partitions:
            said["partitions"] = list(rule.partitions)
        if rule.access != BreakGlass.Access.READ:
            said["access"] = rule.access
        exported.append({**said, "minutes": rule.minutes})
    return exported


def _remove(draft: Draft, place: str, entry: Any) -> None:
    row = BreakGlass.objects.select_related("role").filter(key=str(entry)).first()
    if row is None:
        draft.problems.add(place, _("There is no break-glass rule “%s”.") % entry)
        return
    draft.add(
        place,
        f"break_glass:{row.key}",
        partial(break_glass_rules.remove_rule, row=row),
        creates=False,
        narrows=True,
        removes=True,
    )


SECTION = Section("break_glass", _plan, _export, _remove)
