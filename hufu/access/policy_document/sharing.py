"""The sections `sharing_rules` and `territories`: records that meet a condition are shared. What is not named stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import registry, sharing
from hufu.access.actions import Principal
from hufu.access.models import SharingRule
from hufu.access.policy_document.conditions import export_condition, read_condition, with_roles
from hufu.access.policy_document.draft import Draft, Section, again
from hufu.access.policy_document.principals import export_principal, read_moment, read_principal
from hufu.access.registry import ResourceType
from hufu.access.sharing import Rule
from hufu.core import wording
from hufu.core.actor import Actor

ACCESS = {"view": "read", "edit": "edit"}
RULE_KEYS = ("key", "name", "type", "condition", "to", "access", "superiors", "starts", "ends")
TERRITORY_KEYS = ("key", "name", "type", "condition", "members", "access", "starts", "ends", "children")


def _plan_rules(draft: Draft, entries: Any) -> None:
    """Plan to bring each rule that the document names to exactly what it says; others stay."""
    standing = _standing(territory=False)
    named: set[str] = set()
    for place, entry in draft.problems.entries("sharing_rules", entries):
        if not draft.problems.check_keys(place, entry, RULE_KEYS, ("key", "name", "type", "condition", "to")):
            continue
        if again(draft, place, str(entry["key"]), named):
            continue
        resource = _type(draft, place, entry["type"])
        if not isinstance(entry.get("superiors", False), bool):
            draft.problems.add(f"{place}.superiors", _("This must be true or false."))
        if resource is not None:
            _plan(draft, standing, place, entry, "to", resource, superiors=entry.get("superiors") is True)


def _plan_territories(draft: Draft, entries: Any) -> None:
    """Plan the tree: what stands below has the type of the root, and what is not named stays where it is."""
    standing = _standing(territory=True)
    named: set[str] = set()

    def branch(place: str, entries: Any, above: str | None, of: ResourceType | None) -> None:
        for where, entry in draft.problems.entries(place, entries):
            required = ("key", "name") if of is not None else ("key", "name", "type")
            allowed = [key for key in TERRITORY_KEYS if of is None or key != "type"]
            if not draft.problems.check_keys(where, entry, allowed, required):
                continue
            key = str(entry["key"])
            resource = of or _type(draft, where, entry["type"])
            if again(draft, where, key, named) or resource is None:
                continue
            _plan(draft, standing, where, entry, "members", resource, territory=True, parent=above)
            branch(f"{where}.children", entry.get("children"), key, resource)

    branch("territories", entries, None, None)


def _plan(
    draft: Draft,
    standing: Mapping[str, Rule],
    place: str,
    entry: Mapping[str, Any],
    recipients: str,
    resource: ResourceType,
    **more: Any,
) -> None:
    problems = draft.problems
    before = len(problems.found)
    access = str(entry.get("access", "view"))
    if access not in ACCESS:
        problems.add(
            f"{place}.access",
            _("“%(text)s” is not one of: %(allowed)s.") % {"text": access, "allowed": ", ".join(ACCESS)},
        )
    starts_at = read_moment(f"{place}.starts", entry.get("starts"), problems)
    ends_at = read_moment(f"{place}.ends", entry.get("ends"), problems)
    if starts_at and ends_at and starts_at >= ends_at:
        problems.add(f"{place}.ends", _("It would end before it starts."))
    condition = None
    if entry.get("condition") is not None:
        condition = read_condition(draft, f"{place}.condition", entry["condition"], resource)
    to = _principals(draft, f"{place}.{recipients}", entry.get(recipients))
    if len(problems.found) > before:
        return
    rule = Rule(
        str(entry["key"]),
        str(entry["name"]),
        resource.name,
        condition,
        to,
        ACCESS[access],
        starts_at=starts_at,
        ends_at=ends_at,
        **more,
    )
    known = standing.get(rule.key)
    resolved = _resolved(rule, draft)
    if known is not None and resolved is not None and not sharing.differs(known, resolved):
        return
    draft.add(
        place,
        f"{rule.kind}:{rule.key}",
        partial(_set, draft, rule),
        creates=known is None,
        covers=partial(_covers, draft, rule),
    )


def _resolved(rule: Rule, draft: Draft) -> Rule | None:
    """Return the rule with roles by number, or None while one is not there yet."""
    if rule.condition is None:
        return rule
    condition = with_roles(rule.condition, draft.roles)
    return None if condition is None else replace(rule, condition=condition)


def _set(draft: Draft, rule: Rule, actor: Actor) -> None:
    resolved = _resolved(rule, draft)
    assert resolved is not None
    sharing.set_rule(actor, resolved)


def _covers(draft: Draft, rule: Rule) -> tuple[str, Mapping[str, Any]] | None:
    resolved = _resolved(rule, draft)
    return (
        (resolved.type, resolved.condition)
        if resolved is not None and resolved.condition is not None
        else None
    )


def _principals(draft: Draft, place: str, entry: Any) -> tuple[Principal, ...]:
    """Return the recipients; a single one may stand alone."""
    if isinstance(entry, Mapping):
        found = read_principal(place, entry, draft.problems)
        return (found,) if found is not None else ()
    every = (read_principal(where, to, draft.problems) for where, to in draft.problems.entries(place, entry))
    return tuple({str(found): found for found in every if found is not None}.values())


def _type(draft: Draft, place: str, name: Any) -> ResourceType | None:
    known = {resource.name: resource for resource in registry.resource_types() if not resource.parent}
    if str(name) not in known:
        draft.problems.add(
            f"{place}.type",
            _("“%(text)s” is not one of: %(allowed)s.") % {"text": name, "allowed": ", ".join(known)},
        )
    return known.get(str(name))


def _standing(*, territory: bool) -> dict[str, Rule]:
    rows = SharingRule.objects.filter(territory=territory).select_related("parent").order_by("id")
    return {row.key: sharing.standing(row) for row in rows}


def _export_rules() -> list[dict[str, Any]]:
    return [_exported(rule, "to") for rule in _standing(territory=False).values()]


def _export_territories() -> list[dict[str, Any]]:
    standing = _standing(territory=True)

    def below(parent: str | None) -> Iterator[dict[str, Any]]:
        for rule in standing.values():
            if rule.parent == parent:
                exported = _exported(rule, "members")
                if children := list(below(rule.key)):
                    exported["children"] = children
                yield exported

    return list(below(None))


def _exported(rule: Rule, recipients: str) -> dict[str, Any]:
    resource = registry.resource_type(rule.type)
    to = [export_principal(principal) for principal in rule.to]
    exported: dict[str, Any] = {"key": rule.key, "name": rule.name}
    if rule.parent is None:
        exported["type"] = rule.type
    if rule.access == ACCESS["edit"]:
        exported["access"] = "edit"
    if rule.condition is not None:
        exported["condition"] = export_condition(rule.condition, resource)
    if to:
        exported[recipients] = to[0] if len(to) == 1 else to
    if rule.superiors:
        exported["superiors"] = True
    if rule.starts_at:
        exported["starts"] = rule.starts_at.isoformat()
    if rule.ends_at:
        exported["ends"] = rule.ends_at.isoformat()
    return exported


def _remove(draft: Draft, place: str, entry: Any, *, territory: bool) -> None:
    row = SharingRule.objects.filter(key=str(entry), territory=territory).first()
    if row is None:
        kind = "territory" if territory else "rule"
        draft.problems.add(place, wording.unknown(kind, entry))
        return
    kind = "territory" if territory else "sharing_rule"
    deed = partial(sharing.end_rule, row=row, reason="")
    draft.add(place, f"{kind}:{row.key}", deed, creates=False, narrows=True, removes=True)


RULES = Section("sharing_rules", _plan_rules, _export_rules, partial(_remove, territory=False))
TERRITORIES = Section("territories", _plan_territories, _export_territories, partial(_remove, territory=True))
