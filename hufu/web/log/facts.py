"""The facts of a deed in the reader's words: names instead of keys and numbers, the reader's time instead of UTC.

What is not known here, or is gone, is shown as the log keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from hufu.access import registry
from hufu.access.models import ChangeSet, Mode, Partition, Pool
from hufu.access.pending_models import PendingField
from hufu.access.policy_words import PolicyWords, field_words, type_words
from hufu.access.principal_words import principal_text
from hufu.audit import events
from hufu.audit.queries import LogEntry
from hufu.core import days
from hufu.crm import consents
from hufu.crm.duplicate_models import DuplicateDispute
from hufu.people.models import Department, Group, Level, Position, Post, User

MOMENTS = frozenset(
    {"at", "starts", "starts_at", "written_at", "moment", "last_event_at", "missing_from", "missing_until"}
)
ENDS = frozenset({"ends", "ends_at", "until"})
PEOPLE = frozenset(
    {
        "delegator",
        "from_owner",
        "to_owner",
        "owner",
        "manager",
        "member",
        "reports_to",
        "successors",
        "asked_by",
    }
)
# Which section of the policy a key is of, by the thing that the event is about.
_KEYS = {
    "partition": "partitions",
    "role": "roles",
    "gate": "gates",
    "quota": "quotas",
    "duty": "duties",
    "pool": "pools",
    "glass": "break_glass",
    "rule": "sharing_rules",
}
_QUESTIONS: dict[str, str | Promise] = {
    "explain": gettext_lazy("Why may they, or not?"),
    "who_can": gettext_lazy("Who may?"),
    "who": gettext_lazy("Who may?"),
    "rights": gettext_lazy("What do they hold?"),
    "count": gettext_lazy("How many records?"),
    "reach": gettext_lazy("What may they reach?"),
    "coverage": gettext_lazy("What does a rule cover?"),
}
_WAYS_IN: dict[str, str | Promise] = {
    "password": gettext_lazy("Password"),
    "demo": gettext_lazy("One click in the demo"),
    "socialaccount": gettext_lazy("Single sign-on"),
}
_PRINCIPAL = re.compile(r"(user|group|position|level|department):([0-9]{1,9})=?(?:\.(head|assistant))?(\+)?")
_MODELS: dict[str, Any] = {
    "user": User,
    "group": Group,
    "position": Position,
    "level": Level,
    "department": Department,
    "pool": Pool,
}
_OF_PENDING = {
    "department": "department",
    "other_department": "department",
    "head": "department",
    "assistant": "department",
    "parent": "department",
    "manager": "user",
}


class FactWords:
    """The facts of some entries in words; each kind of name is read once."""

    def __init__(self) -> None:
        policy = self._policy = PolicyWords()

        def of_policy(word: str) -> Callable[[LogEntry, Any], str]:
            return lambda _entry, value: policy.value(word, value)

        self._says: dict[str, Callable[[LogEntry, Any], str]] = {
            **dict.fromkeys(MOMENTS, lambda _entry, value: _moment(value, days.moment_words)),
            **dict.fromkeys(ENDS, lambda _entry, value: _moment(value, days.end_words)),
            **dict.fromkeys(PEOPLE, lambda _entry, value: self._listed("user", value)),
            **dict.fromkeys(
                ("from_department", "to_department"), lambda _e, v: self._listed("department", v)
            ),
            **dict.fromkeys(("principal", "to"), lambda _entry, value: self.principal(value)),
            **dict.fromkeys(("before", "after"), self._before_or_after),
            **dict.fromkeys(("key", "gate", "quota"), self._key),
            **{
                word: of_policy(word) for word in ("access", "administrator", "hides", "rights", "partitions")
            },
            **dict.fromkeys(("role", "roles", "by_role"), of_policy("role")),
            **dict.fromkeys(("level", "levels", "includes"), of_policy("level")),
            **dict.fromkeys(("group", "groups"), of_policy("group")),
            **dict.fromkeys(("position", "positions"), of_policy("position")),
            **dict.fromkeys(("permission", "permissions"), of_policy("permission")),
            **dict.fromkeys(("within", "code"), of_policy("department")),
            **dict.fromkeys(("changed", "fields", "field"), self._fields),
            **dict.fromkeys(("filter", "sort"), self._asked),
            "basis": lambda _entry, value: consents.label(consents.BASES, str(value)),
            "by": of_policy("by"),
            "children": lambda _entry, value: _counted(value),
            "department": lambda _entry, value: (
                self._listed("department", value)
                if isinstance(value, int)
                else policy.value("department", value)
            ),
            "given_on": lambda _entry, value: date_format(date.fromisoformat(value), "DATE_FORMAT"),
            "method": lambda _entry, value: str(_WAYS_IN.get(value, value)),
            "mode": lambda _entry, value: str(dict(Mode.choices).get(value, value)),
            "outcome": lambda _entry, value: str(dict(DuplicateDispute.Outcome.choices).get(value, value)),
            "parent": lambda entry, value: policy.value(
                "department" if entry.type.startswith("department.") else "parent", value
            ),
            "from_partition": lambda _entry, value: self._partitions.get(value, f"#{value}"),
            "to_partition": lambda _entry, value: self._partitions.get(value, f"#{value}"),
            "partition": lambda _entry, value: (
                self._partitions.get(value, f"#{value}")
                if isinstance(value, int)
                else policy.value("partition", value)
            ),
            "pool": lambda _entry, value: self._listed("pool", value),
            "post": lambda _entry, value: str(dict(Post.choices).get(value, value)),
            "posts": lambda _entry, value: _comma([self._post(str(each)) for each in value]),
            "purpose": lambda _entry, value: consents.label(consents.PURPOSES, str(value)),
            "question": lambda _entry, value: str(_QUESTIONS.get(value, value)),
            "risk": lambda _entry, value: str(dict(ChangeSet.Risk.choices).get(value, value)),
            "rule": lambda entry, value: self._policy.entry(
                "break_glass" if entry.type.startswith("security.") else "sharing_rules", str(value)
            ),
            "search": lambda _entry, value: (
                ngettext("%d character", "%d characters", value) % value
                if isinstance(value, int)
                else in_words(value)
            ),
            "source": lambda _entry, value: consents.label(consents.SOURCES_OF_CONSENT, str(value)),
            "type": _type,
            "value": self._pending,
        }

    def text(self, entry: LogEntry, name: str) -> str:
        """Return a fact as text."""
        value = entry.details[name]
        if isinstance(value, bool):
            return in_words(value)
        say = self._says.get(name)
        return say(entry, value) if say is not None else in_words(value)

    def principal(self, text: Any) -> str:
        """Return a principal in words, from its one text (`department:5.head+`)."""
        found = _PRINCIPAL.fullmatch(str(text))
        if found is None:
            return str(text)
        kind, number, post, below = found.groups()
        return principal_text(kind, self._name(kind, int(number)), below=bool(below), post=post or "")

    def _listed(self, kind: str, value: Any) -> str:
        numbers = value if isinstance(value, list) else [value]
        return _comma([self._name(kind, number) for number in numbers])

    def _name(self, kind: str, number: Any) -> str:
        if kind not in self._names:
            self._names[kind] = dict(_MODELS[kind].objects.values_list("pk", "name"))
        return self._names[kind].get(number, f"#{number}")

    @cached_property
    def _names(self) -> dict[str, dict[int, str]]:
        return {}

    @cached_property
    def _partitions(self) -> dict[int, str]:
        return dict(Partition.objects.values_list("pk", "name"))

    def _key(self, entry: LogEntry, value: Any) -> str:
        thing = entry.type.partition(".")[0]
        if thing in ("group", "position"):
            return self._policy.value(thing, value)
        section = _KEYS.get(thing) or _KEYS.get("gate" if "gate" in entry.details else "quota", "")
        return self._policy.entry(section, str(value))

    def _before_or_after(self, entry: LogEntry, value: Any) -> str:
        if entry.type == "base_access.changed":
            return self._policy.value("access", value)
        if entry.type == "duplicate_check.configured":
            type_name = str(entry.details.get("type", ""))
            return _comma([field_words(f"{type_name}.{each}", alone=True) for each in value])
        return in_words(value)

    def _fields(self, entry: LogEntry, value: Any) -> str:
        if entry.type.startswith("change."):
            return str(dict(PendingField.choices).get(value, value))
        listed = value if isinstance(value, list) else [value]
        return _comma([str(field_label(entry, str(each))) for each in listed])

    def _asked(self, entry: LogEntry, value: Any) -> str:
        if isinstance(value, dict):
            return in_words(value)
        listed = [value] if isinstance(value, str) else value
        return _comma([str(field_label(entry, each.removeprefix("-"))) for each in listed])

    def _pending(self, entry: LogEntry, value: Any) -> str:
        field = str(entry.details.get("field", ""))
        return (
            self._name(_OF_PENDING.get(field, field), value) if field in PendingField.values else str(value)
        )

    def _post(self, text: str) -> str:
        code, _dot, post = text.rpartition(".")
        return principal_text("department", self._policy.value("department", code), post=post)


# Facts of people and departments that change, and that are no field of a resource type.
OF_PEOPLE: dict[str, str | Promise] = {
    "username": gettext_lazy("User name"),
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("Email"),
    "external_id": gettext_lazy("External number"),
    "title": gettext_lazy("Title"),
    "status": gettext_lazy("Status"),
    "main_department_id": gettext_lazy("Department"),
    "other_department_ids": gettext_lazy("Secondary departments"),
    "manager_id": gettext_lazy("Manager"),
    "level_id": gettext_lazy("Level"),
    "parent": gettext_lazy("Department above"),
    "department": gettext_lazy("Department"),
    "other_departments": gettext_lazy("Secondary departments"),
    "manager": gettext_lazy("Manager"),
    "level": gettext_lazy("Level"),
}


def field_label(entry: LogEntry, name: str) -> str | Promise:
    """Return what a field of the record, person or department that an entry is about is called on screen."""
    about = entry.target.type if entry.target else entry.type.partition(".")[0]
    for resource in registry.resource_types():
        if resource.name == about and name in resource.by_name:
            return resource.by_name[name].label
    return OF_PEOPLE.get(name, name) if about in ("user", "department") else name


def in_words(value: Any) -> str:
    """Return a value of a fact as text."""
    if isinstance(value, bool):
        return pgettext("policy", "yes") if value else pgettext("policy", "no")
    if isinstance(value, (list, tuple)):
        return _comma([in_words(item) for item in value])
    if isinstance(value, Mapping):
        return _comma([f"{name}: {in_words(item)}" for name, item in sorted(value.items())])
    return str(value)


def _moment(value: Any, say: Callable[[Any], str]) -> str:
    try:
        moment = parse_datetime(str(value))
    except ValueError:
        moment = None
    return say(moment) if moment is not None and moment.tzinfo is not None else str(value)


def _counted(value: Any) -> str:
    if not isinstance(value, Mapping):
        return in_words(value)
    return _comma([f"{type_words(name)}: {in_words(number)}" for name, number in sorted(value.items())])


def _type(entry: LogEntry, value: Any) -> str:
    known = events.find(str(value)) if entry.type.startswith("log.") else None
    return str(known.label) if known is not None else type_words(str(value))


def _comma(words: list[str]) -> str:
    return _(", ").join(words)
