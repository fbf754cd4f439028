"""A change set in words: what it changes, whom it concerns in numbers, and what its tests say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import registry
from hufu.access.explain import RIGHT_LABELS, SCOPE_LABELS
from hufu.access.models import ChangeSet, Role
from hufu.people.models import User

SECTIONS = {
    "partitions": gettext_lazy("Partition"),
    "base_access": gettext_lazy("Base access"),
    "roles": gettext_lazy("Role"),
    "duties": gettext_lazy("Separation of duties"),
    "assignments": gettext_lazy("What a level holds"),
    "approved_moves": gettext_lazy("Combination approved beforehand"),
    "approvals": gettext_lazy("Approver of access requests"),
    "break_glass": gettext_lazy("Break-glass"),
    "delegated_administration": gettext_lazy("Delegated administration"),
    "sharing_rules": gettext_lazy("Sharing rule"),
    "territories": gettext_lazy("Territory"),
    "pools": gettext_lazy("Pool"),
    "gates": gettext_lazy("Access limit"),
    "quotas": gettext_lazy("Quota"),
    "prohibitions": gettext_lazy("Prohibition"),
    "duplicate_check": gettext_lazy("Duplicate check"),
    "tests": gettext_lazy("Test"),
}
KINDS = {
    "added": (gettext_lazy("added"), "green"),
    "changed": (gettext_lazy("changed"), "blue"),
    "removed": (gettext_lazy("removed"), "red"),
}
RISKS = {ChangeSet.Risk.LOW: "grey", ChangeSet.Risk.MEDIUM: "amber", ChangeSet.Risk.HIGH: "red"}
STATES = {
    ChangeSet.State.SUBMITTED: "amber",
    ChangeSet.State.PUBLISHED: "green",
    ChangeSet.State.REJECTED: "red",
    ChangeSet.State.WITHDRAWN: "grey",
}
# So many people are shown, those first for whom most records come or go.
MOST_PEOPLE = 50
NOTHING = "—"


@dataclass(frozen=True)
class Card:
    """A change set in a list."""

    draft: ChangeSet
    author: str
    decided_by: str

    @property
    def state(self) -> str:
        return str(ChangeSet.State(self.draft.state).label)

    @property
    def tone(self) -> str:
        return STATES[ChangeSet.State(self.draft.state)]

    @property
    def risk(self) -> str:
        narrow = _("Takes away only")
        return narrow if self.draft.narrows else str(ChangeSet.Risk(self.draft.risk).label)

    @property
    def risk_tone(self) -> str:
        return "teal" if self.draft.narrows else RISKS[ChangeSet.Risk(self.draft.risk)]


@dataclass(frozen=True)
class Line:
    """An entry that changes, and what of it."""

    section: str
    name: str
    kind: str
    tone: str
    parts: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Person:
    """What changes for somebody."""

    name: str
    rights: list[str]
    records: list[str]
    weight: int = 0


@dataclass(frozen=True)
class Outcome:
    """What the rehearsal found when the change set was submitted."""

    lines: list[Line] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    concerned: int = 0
    tests: list[dict[str, Any]] = field(default_factory=list)


def card(draft: ChangeSet, names: Mapping[int, str]) -> Card:
    """Return a change set with the names of its people."""
    return Card(draft, _who(draft.author, names), _who(draft.decided_by, names) if draft.decided_by else "")


def names_of(drafts: Iterable[ChangeSet]) -> dict[int, str]:
    """Return the names of everybody who wrote or decided these."""
    numbers = {number for draft in drafts for number in (draft.author, draft.decided_by) if number}
    return dict(User.objects.filter(pk__in=numbers).values_list("pk", "name"))


def outcome(draft: ChangeSet) -> Outcome:
    """Return what was found, in words."""
    found = json.loads(draft.outcome or "{}")
    labels = {permission.name: str(permission.label) for permission in registry.permissions()}
    roles = dict(Role.objects.values_list("key", "name"))
    people = found.get("people", [])
    names = dict(User.objects.filter(pk__in=[one["user_id"] for one in people]).values_list("pk", "name"))
    listed = [_person(one, names, labels) for one in people]
    listed.sort(key=lambda person: -person.weight)
    return Outcome(
        [_line(one, labels, roles) for one in found.get("differences", [])],
        listed[:MOST_PEOPLE],
        len(listed),
        found.get("tests", []),
    )


def _who(number: int, names: Mapping[int, str]) -> str:
    return names.get(number) or _("command line")


def _line(found: Mapping[str, Any], labels: Mapping[str, str], roles: Mapping[str, str]) -> Line:
    section = found["section"]
    kind, tone = KINDS[found["kind"]]
    name = roles.get(found["key"], found["key"]) if section == "roles" else found["key"]
    parts = [_part(path, before, after, labels) for path, before, after in found["parts"]]
    return Line(str(SECTIONS.get(section, section)), name, str(kind), tone, parts)


def _part(path: str, before: Any, after: Any, labels: Mapping[str, str]) -> tuple[str, str, str]:
    if path.startswith("grants."):
        permission = path.removeprefix("grants.")
        return labels.get(permission, permission), _scopes(before), _scopes(after)
    return path, _text(before), _text(after)


def _scopes(value: Any) -> str:
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return _(", ").join(str(SCOPE_LABELS.get(scope, scope)) for scope in listed) or NOTHING


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _person(found: Mapping[str, Any], names: Mapping[int, str], labels: Mapping[str, str]) -> Person:
    rights = [
        f"{labels.get(name, name)}: {_scopes(before)} → {_scopes(after)}"
        for name, (before, after) in found["permissions"].items()
    ]
    words = {str(right): str(label) for right, label in RIGHT_LABELS.items()}
    rights += [
        f"{name}: {_rights(before, words)} → {_rights(after, words)}"
        for name, (before, after) in found["partitions"].items()
    ]
    records = [
        f"{registry.resource_type(name).label_plural}: {one['before']} → {one['after']} "
        f"(+{one['gained']} −{one['lost']})"
        for name, one in found["records"].items()
    ]
    weight = sum(one["gained"] + one["lost"] for one in found["records"].values())
    return Person(names.get(found["user_id"], NOTHING), rights, records, weight)


def _rights(value: list[str], words: Mapping[str, str]) -> str:
    return _(", ").join(words.get(right, right) for right in value) or NOTHING
