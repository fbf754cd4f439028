"""The section `roles`: grants, field rules, and what roles inherit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from hufu.access import actions, registry
from hufu.access.decision.scopes import is_within
from hufu.access.duty_models import DutyRole
from hufu.access.models import Administrator, Assignment, GateUse, Grant, Role, RoleInherits
from hufu.access.policy_document.draft import Draft, Problems, Section, again
from hufu.access.policy_document.fields import export_fields, plan_fields
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.errors import Invalid

ROLE_KEYS = {"key", "name", "description", "administrator", "inherits", "grants", "fields"}


def _plan_roles(draft: Draft, entries: Any) -> None:
    standing = {role.key: role for role in Role.objects.all()}
    held: dict[str, list[str]] = {key: [] for key in standing}
    for key, other in RoleInherits.objects.order_by("id").values_list("role__key", "inherits__key"):
        held[key].append(other)
    draft.roles.update(standing)
    draft.grants.update({key: set() for key in standing})
    for key, permission, scope in Grant.objects.values_list("role__key", "permission", "scope"):
        draft.grants[key].add((permission, scope))
    draft.inherits.update(held)
    draft.administrators.update(key for key, role in standing.items() if role.administrator)
    named: dict[str, str] = {}
    for place, entry in draft.problems.entries("roles", entries):
        if not draft.problems.check_keys(place, entry, ROLE_KEYS, ("key", "name")):
            continue
        key = str(entry["key"])
        if again(draft, place, key, named):
            continue
        named[key] = place
        _plan_role(draft, place, key, entry)
    for key, place in named.items():
        others = draft.inherits[key]
        for other in others:
            if other not in draft.roles:
                draft.problems.add(f"{place}.inherits", _("There is no role “%s”.") % other)
        if circle := _circle(key, draft.inherits):
            draft.problems.add(
                f"{place}.inherits", _("Roles would inherit in a circle: %s.") % " → ".join(circle)
            )
    # What ends comes first: between two circle-free policies there is then none with a circle.
    for wider in (False, True):
        for key, place in named.items():
            before = held.get(key, [])
            after = [other for other in before if other in draft.inherits[key]]
            if wider:
                before, after = after, draft.inherits[key]
            if set(before) != set(after):
                deed = partial(_inherit, draft, key, after)
                risk = max_risk(risk_of_role(draft, other) for other in set(after) - set(before))
                creates = key not in standing
                draft.add(place, f"role:{key}", deed, creates=creates, narrows=not wider, risk=risk)
    _refuse_administrators_on_levels(draft, named)


def _refuse_administrators_on_levels(draft: Draft, named: Mapping[str, str]) -> None:
    """Find roles that hang on a level already and would come to be, or to inherit, an administrator role."""
    on_levels = Assignment.objects.filter(level__isnull=False).values_list("role__key", flat=True)
    for key in sorted(set(on_levels)):
        holds = with_inherited(key, draft.inherits)
        if holds & draft.administrators:
            place = next((named[role] for role in sorted(holds) if role in named), "roles")
            refuse_administrator(draft, place, key)


def _plan_role(draft: Draft, place: str, key: str, entry: Mapping[str, Any]) -> None:
    grants = _grants(draft.problems, f"{place}.grants", entry.get("grants"))
    draft.inherits[key] = draft.problems.names(f"{place}.inherits", entry.get("inherits"))
    values = {
        "name": str(entry["name"]),
        "description": str(entry.get("description") or ""),
        "administrator": str(entry.get("administrator") or ""),
    }
    if values["administrator"] not in Administrator.values:
        draft.problems.add(
            f"{place}.administrator",
            _("“%s” is not one of system, security, audit.") % values["administrator"],
        )
    draft.administrators.discard(key)
    if values["administrator"]:
        draft.administrators.add(key)
    standing = draft.roles.setdefault(key, None)
    wanted = {(permission, scope) for permission, scopes in grants.items() for scope in scopes}
    held = draft.grants.get(key, set())
    # What a wider scope of the same permission held already is no gain.
    added = {
        (permission, scope)
        for permission, scope in wanted - held
        if not any(name == permission and is_within(scope, other) for name, other in held)
    }
    draft.grants[key] = wanted
    if standing is None:
        deed = partial(_create_role, draft, key, grants, values)
        risk = Risk.HIGH if values["administrator"] else risk_of_grants(added)
        draft.add(place, f"role:{key}", deed, creates=True, risk=risk)
    elif actions.role_differs(standing, grants=grants, **values):
        same = all(getattr(standing, name) == value for name, value in values.items())
        administrator = standing.administrator != values["administrator"] or (
            added and values["administrator"]
        )
        draft.add(
            place,
            f"role:{key}",
            partial(_change_role, standing, grants, values),
            creates=False,
            # Less of a role whose field rules hide something may show it by another role.
            narrows=same and not added and not standing.field_rules.exists(),
            risk=Risk.HIGH if administrator else risk_of_grants(added),
        )
    plan_fields(draft, f"{place}.fields", key, entry.get("fields"))


def risk_of_role(draft: Draft, key: str) -> Risk:
    """Return how dangerous it is to hold a role, with all that it inherits."""
    held = with_inherited(key, draft.inherits)
    if held & draft.administrators:
        return Risk.HIGH
    return max_risk(risk_of_grants(draft.grants.get(role, set())) for role in held)


def max_risk(risks: Iterable[Risk]) -> Risk:
    """Return the highest of some risks; low where there is none."""
    return max(risks, key=list(Risk).index, default=Risk.LOW)


def risk_of_grants(grants: Iterable[tuple[str, str]]) -> Risk:
    """Return how dangerous grants are: what is so by itself, and whatever reaches every record."""
    risks = []
    for name, scope in grants:
        try:
            declared = registry.permission(name)
        except KeyError:
            continue
        is_wide = scope == "everything" and len(declared.scopes) > 1
        risks.append(Risk.HIGH if is_wide else declared.risk)
    return max_risk(risks)


def _remove(draft: Draft, place: str, entry: Any) -> None:
    """Plan to remove a role: by its key where nobody holds it; `assignments: end` says that what holds it ends."""
    ends = isinstance(entry, Mapping)
    if ends and not draft.problems.check_keys(place, entry, ("key", "assignments"), ("key", "assignments")):
        return
    if ends and entry["assignments"] != "end":
        draft.problems.add(place, _("Write “assignments: end”, or the key of the role alone."))
        return
    key = str(entry["key"] if ends else entry)
    role = draft.roles.get(key)
    if role is None or not role.pk:
        draft.problems.add(place, _("There is no role “%s”.") % key)
        return
    held = Assignment.objects.filter(role=role).count()
    if held and not ends:
        draft.problems.add(
            place,
            _(
                "“%(role)s” is assigned %(count)s times. Write {key: %(role)s, assignments: end} where these shall end."
            )
            % {"role": key, "count": held},
        )
    heirs = sorted(other for other, inherits in draft.inherits.items() if key in inherits and other != key)
    if heirs:
        draft.problems.add(place, _("These roles inherit it: %s.") % ", ".join(heirs))
    limits = GateUse.objects.filter(role=role).values_list("gate__key", flat=True)
    if limits:
        draft.problems.add(place, _("These access limits bind it: %s.") % ", ".join(sorted(set(limits))))
    duties = DutyRole.objects.filter(role=role).values_list("duty__key", flat=True)
    if duties:
        draft.problems.add(place, _("These duties name it: %s.") % ", ".join(sorted(set(duties))))
    deed = partial(actions.remove_role, role=role)
    narrows = not role.field_rules.exists()
    draft.add(place, f"role:{key}", deed, creates=False, narrows=narrows, removes=True)


def _create_role(
    draft: Draft, key: str, grants: dict[str, list[str]], values: dict[str, str], actor: Actor
) -> None:
    draft.roles[key] = actions.create_role(actor, key=key, grants=grants, **values)


def _change_role(role: Role, grants: dict[str, list[str]], values: dict[str, str], actor: Actor) -> None:
    actions.change_role(actor, role, grants=grants, **values)


def _inherit(draft: Draft, key: str, others: list[str], actor: Actor) -> None:
    actions.set_inherited_roles(actor, draft.role(key), [draft.role(other) for other in others])


def _circle(start: str, inherits: Mapping[str, list[str]]) -> list[str] | None:
    """Return the path from a role back to itself, or None."""
    waiting = [[start]]
    seen = set()
    while waiting:
        path = waiting.pop()
        for other in inherits.get(path[-1], ()):
            if other == start:
                return [*path, other]
            if other not in seen:
                seen.add(other)
                waiting.append([*path, other])
    return None


def with_inherited(start: str, inherits: Mapping[str, list[str]]) -> set[str]:
    """Return a role and all that it inherits."""
    found = {start}
    waiting = [start]
    while waiting:
        for other in inherits.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _grants(problems: Problems, place: str, entry: Any) -> dict[str, list[str]]:
    if entry is None:
        return {}
    if not isinstance(entry, Mapping):
        problems.add(place, _("This must map permissions to scopes."))
        return {}
    grants = {
        str(permission): problems.names(f"{place}.{permission}", scopes)
        for permission, scopes in entry.items()
    }
    try:
        actions.check_grants(grants)
    except Invalid as invalid:
        for where, messages in invalid.problems.items():
            for message in messages:
                problems.add(f"{place}.{where}", message)
    return grants


def refuse_administrator(draft: Draft, place: str, key: str) -> None:
    for role in sorted(with_inherited(key, draft.inherits) & draft.administrators):
        draft.problems.add(place, _("“%s” is an administrator role and cannot hang on a level.") % role)


def _export() -> list[dict[str, Any]]:
    inherits = RoleInherits.objects.select_related("inherits").order_by("id")
    roles = Role.objects.order_by("id").prefetch_related(Prefetch("inherits_rows", inherits), "field_rules")
    # Of hundreds of roles there are thousands of grants: plain rows, for pages read them at every change of a draft.
    grants: dict[int, dict[str, list[str]]] = defaultdict(dict)
    for role_id, permission, scope in Grant.objects.order_by("id").values_list(
        "role_id", "permission", "scope"
    ):
        grants[role_id].setdefault(permission, []).append(scope)
    return [_export_role(role, grants[role.pk]) for role in roles]


def _export_role(role: Role, grants: Mapping[str, list[str]]) -> dict[str, Any]:
    exported: dict[str, Any] = {"key": role.key, "name": role.name}
    if role.description:
        exported["description"] = role.description
    if role.administrator:
        exported["administrator"] = role.administrator
    if inherits := [row.inherits.key for row in role.inherits_rows.all()]:
        exported["inherits"] = inherits
    exported["grants"] = {name: scopes[0] if len(scopes) == 1 else scopes for name, scopes in grants.items()}
    if fields := export_fields(role):
        exported["fields"] = fields
    return exported


SECTION = Section("roles", _plan_roles, _export, _remove)
