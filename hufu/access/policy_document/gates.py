"""The section `gates`: conditions, and what they bind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import actions, registry
from hufu.access.actions import Binds
from hufu.access.decision import gates
from hufu.access.fields import CLOSABLE
from hufu.access.models import Gate
from hufu.access.policy_document.draft import Draft, Problems, Section, again
from hufu.access.policy_document.principals import export_principal, read_principal
from hufu.core.actor import Actor

GATE_KEYS = {"key", "name", "conditions", "binds"}
CONDITION_HELP: dict[str, str | Promise] = {
    "conditions": gettext_lazy(
        "Name one or more of: networks, hours, trusted_device, second_factor, training."
    ),
    "networks": gettext_lazy("List networks such as 10.1.0.0/16 or 2001:db8::/32."),
    "hours": gettext_lazy("Name zone, days, from and to; holidays and working_days if you like."),
    "hours.zone": gettext_lazy("Name a time zone such as Asia/Shanghai."),
    "hours.days": gettext_lazy("List days of the week: mon, tue, wed, thu, fri, sat, sun."),
    "hours.from": gettext_lazy('Write a time such as "09:00", in quotes.'),
    "hours.to": gettext_lazy('Write a time such as "18:00", in quotes, other than the beginning.'),
    "hours.holidays": gettext_lazy("List days such as 2027-10-01."),
    "hours.working_days": gettext_lazy("List days such as 2027-10-10."),
    "trusted_device": gettext_lazy("Write true, or leave it out."),
    "training": gettext_lazy("List keys of courses."),
    "second_factor": gettext_lazy("Write the minutes that a proof counts as fresh, from 1 to 1440."),
}


def _plan_gates(draft: Draft, entries: Any) -> None:
    """Plan to bring each gate that the document names to exactly what it says; others stay."""
    standing = {gate.key: gate for gate in Gate.objects.all()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("gates", entries):
        if not draft.problems.check_keys(place, entry, GATE_KEYS, ("key", "name", "conditions")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        conditions = _conditions(f"{place}.conditions", entry["conditions"], draft.problems)
        binds = _binds(draft, f"{place}.binds", entry.get("binds"))
        if len(draft.problems.found) > before:
            continue
        gate = standing.get(key)
        if gate is not None and (gate.name, gate.conditions) == (name, conditions):
            uses = actions.binds_of(gate)
            if set(uses.words()) == set(binds.words()):
                continue
        deed = partial(_set_gate, draft, key, name, conditions, binds)
        draft.add(place, f"gate:{key}", deed, creates=gate is None, narrows=gate is None)


def _set_gate(
    draft: Draft, key: str, name: str, conditions: dict[str, Any], binds: Binds, actor: Actor
) -> None:
    actions.set_gate(actor, key=key, name=name, conditions=conditions, binds=binds)


def _conditions(place: str, entry: Any, problems: Problems) -> dict[str, Any]:
    plain: dict[str, Any] = _plain_conditions(entry)
    try:
        gates.read(plain)
    except gates.WrongCondition as wrong:
        problems.add(
            f"{place}.{wrong.name}" if wrong.name != "conditions" else place,
            _("“%(text)s” is not understood here. %(help)s")
            % {"text": wrong.value, "help": CONDITION_HELP.get(wrong.name, CONDITION_HELP["conditions"])},
        )
    return plain


def _plain_conditions(value: Any) -> Any:
    """Return conditions with days as text, as they are kept."""
    if isinstance(value, Mapping):
        return {str(key): _plain_conditions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_conditions(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _binds(draft: Draft, place: str, entry: Any) -> Binds:
    problems = draft.problems
    if entry is None or not problems.check_keys(
        place, entry, ("sign_in", "permissions", "sensitivities", "roles", "principals"), ()
    ):
        return Binds()
    if not isinstance(entry.get("sign_in", False), bool):
        problems.add(f"{place}.sign_in", _("This must be true or false."))
    declared = {permission.name for permission in registry.permissions()}
    permissions = problems.names(f"{place}.permissions", entry.get("permissions"))
    for permission in permissions:
        if permission not in declared:
            problems.add(f"{place}.permissions", _("There is no permission “%s”.") % permission)
    sensitivities = problems.names(f"{place}.sensitivities", entry.get("sensitivities"))
    for sensitivity in sensitivities:
        if sensitivity not in CLOSABLE:
            problems.add(f"{place}.sensitivities", _("Name one or more of: personal, confidential."))
    roles = problems.names(f"{place}.roles", entry.get("roles"))
    for role in roles:
        if role not in draft.roles:
            problems.add(f"{place}.roles", _("There is no role “%s”.") % role)
    principals = [
        found
        for where, to in problems.entries(f"{place}.principals", entry.get("principals"))
        if (found := read_principal(where, to, problems)) is not None
    ]
    return Binds(
        entry.get("sign_in") is True,
        tuple(permissions),
        tuple(sensitivities),
        tuple(roles),
        tuple(principals),
    )


def _remove(draft: Draft, place: str, entry: Any) -> None:
    gate = Gate.objects.filter(key=str(entry)).first()
    if gate is None:
        draft.problems.add(place, _("There is no access limit “%s”.") % entry)
        return
    deed = partial(actions.remove_gate, gate=gate)
    draft.add(place, f"gate:{gate.key}", deed, creates=False, removes=True)


def _export() -> list[dict[str, Any]]:
    return [_export_gate(gate) for gate in Gate.objects.order_by("id")]


def _export_gate(gate: Gate) -> dict[str, Any]:
    binds = actions.binds_of(gate)
    listed = {
        "sign_in": binds.sign_in,
        "permissions": list(binds.permissions),
        "sensitivities": list(binds.sensitivities),
        "roles": list(binds.roles),
        "principals": [export_principal(principal) for principal in binds.principals],
    }
    return {
        "key": gate.key,
        "name": gate.name,
        "conditions": gate.conditions,
        "binds": {name: value for name, value in listed.items() if value},
    }


SECTION = Section("gates", _plan_gates, _export, _remove)
