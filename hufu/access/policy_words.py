"""The policy in the reader's words: labels instead of words of the document, names instead of keys, days instead of
moments. What is not known here, or is gone, is shown as it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone, is_aware, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from hufu.access import registry
from hufu.access.break_glass_models import BreakGlass
from hufu.access.change_sets.differences import Difference
from hufu.access.change_sets.totals import Totals
from hufu.access.code_words import code_words
from hufu.access.duty_models import Duty
from hufu.access.explain import RIGHT_LABELS, SCOPE_LABELS
from hufu.access.explain_fields import SENSITIVITY_LABELS
from hufu.access.models import (
    PRINCIPALS,
    Administrator,
    BaseAccess,
    FieldRule,
    Gate,
    Partition,
    Pool,
    Quota,
    Role,
    SharingRule,
)
from hufu.access.principal_words import principal_text
from hufu.access.request_models import Approver
from hufu.core import days
from hufu.people.models import Department, Group, Level, Position, User

NOTHING = "—"

SECTIONS: dict[str, str | Promise] = {
    "partitions": gettext_lazy("Partition"),
    "base_access": gettext_lazy("Base access"),
    "roles": gettext_lazy("Role"),
    "duties": gettext_lazy("Separation of duties"),
    "assignments": gettext_lazy("What a level holds"),
    "approved_moves": gettext_lazy("Combination approved beforehand"),
    "approvals": gettext_lazy("Approver of requests, or owner of the partition"),
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
_NAMED: dict[str, Any] = {
    "partitions": Partition,
    "roles": Role,
    "duties": Duty,
    "break_glass": BreakGlass,
    "sharing_rules": SharingRule,
    "territories": SharingRule,
    "pools": Pool,
    "gates": Gate,
    "quotas": Quota,
}

LABELS: dict[str, str | Promise] = {
    "access": pgettext_lazy("policy", "Opens"),
    "administrator": pgettext_lazy("policy", "Administrator"),
    "anything": pgettext_lazy("policy", "Everything"),
    "at_least": pgettext_lazy("policy", "At least"),
    "at_most": pgettext_lazy("policy", "At most"),
    "below": pgettext_lazy("policy", "With those below"),
    "binds": pgettext_lazy("policy", "Binds"),
    "by": pgettext_lazy("policy", "Decided by"),
    "children": pgettext_lazy("policy", "Below it"),
    "condition": pgettext_lazy("policy", "Condition"),
    "conditions": pgettext_lazy("policy", "Conditions"),
    "counts": pgettext_lazy("policy", "Counts"),
    "days": pgettext_lazy("policy", "Days"),
    "department": pgettext_lazy("policy", "Department"),
    "description": pgettext_lazy("policy", "Description"),
    "ends": pgettext_lazy("policy", "Until"),
    "export": pgettext_lazy("policy", "Export"),
    "fields": pgettext_lazy("policy", "Fields"),
    "from": pgettext_lazy("policy", "From"),
    "grants": pgettext_lazy("policy", "Grants"),
    "group": pgettext_lazy("policy", "Group"),
    "hides": pgettext_lazy("policy", "Hidden until claimed"),
    "holidays": pgettext_lazy("policy", "Holidays"),
    "hours": pgettext_lazy("policy", "Hours"),
    "inherits": pgettext_lazy("policy", "Inherits"),
    "key": pgettext_lazy("policy", "Key"),
    "level": pgettext_lazy("policy", "Level"),
    "manager": pgettext_lazy("policy", "Manager is the department's head"),
    "members": pgettext_lazy("policy", "Members"),
    "mine": pgettext_lazy("policy", "own records"),
    "minutes": pgettext_lazy("policy", "Minutes at most"),
    "most": pgettext_lazy("policy", "Roles held together at most"),
    "name": pgettext_lazy("policy", "Name"),
    "networks": pgettext_lazy("policy", "Networks"),
    "others": pgettext_lazy("policy", "others' records"),
    "partition": pgettext_lazy("policy", "Partition"),
    "partitions": pgettext_lazy("policy", "Partitions"),
    "per_day": pgettext_lazy("policy", "A day"),
    "per_hour": pgettext_lazy("policy", "An hour"),
    "permission": pgettext_lazy("policy", "Permission"),
    "permissions": pgettext_lazy("policy", "Permissions"),
    "position": pgettext_lazy("policy", "Position"),
    "principals": pgettext_lazy("policy", "People"),
    "reason": pgettext_lazy("policy", "Reason"),
    "records": pgettext_lazy("policy", "Records"),
    "role": pgettext_lazy("policy", "Role"),
    "roles": pgettext_lazy("policy", "Roles"),
    "second_factor": pgettext_lazy("policy", "Second factor, not older than minutes"),
    "sensitivities": pgettext_lazy("policy", "Sensitivities"),
    "sign_in": pgettext_lazy("policy", "Signing in"),
    "starts": pgettext_lazy("policy", "From"),
    "superiors": pgettext_lazy("policy", "With their superiors"),
    "to": pgettext_lazy("policy", "To"),
    "tolerate": pgettext_lazy("policy", "Known exceptions"),
    "training": pgettext_lazy("policy", "Training"),
    "trusted_device": pgettext_lazy("policy", "Trusted device"),
    "type": pgettext_lazy("policy", "Records"),
    "types": pgettext_lazy("policy", "Records"),
    "until": pgettext_lazy("policy", "Until"),
    "warn_at": pgettext_lazy("policy", "Warns at"),
    "within": pgettext_lazy("policy", "Within department"),
    "working_days": pgettext_lazy("policy", "Working days"),
    "zone": pgettext_lazy("policy", "Time zone"),
}
_ADMINISTRATORS = {str(value): label for value, label in Administrator.choices}
_ACCESS = {
    **dict(BreakGlass.Access.choices),
    **{str(value): label for value, label in BaseAccess.Access.choices},
    **{str(value): label for value, label in FieldRule.Access.choices},
}
_JOINED = {
    "all": pgettext_lazy("condition", "all of: %s"),
    "any": pgettext_lazy("condition", "one of: %s"),
    "not": pgettext_lazy("condition", "not: %s"),
}
_OWNERS = {
    "owner_department": pgettext_lazy("condition", "the owner's department is %s"),
    "department": pgettext_lazy("condition", "the record's department is %s"),
    "owner_role": pgettext_lazy("condition", "the owner holds the role %s"),
    "owner_level": pgettext_lazy("condition", "the owner's level is %s"),
}
_COMPARED = {
    "is": pgettext_lazy("condition", "%(field)s is %(value)s"),
    "at_least": pgettext_lazy("condition", "%(field)s is at least %(value)s"),
    "at_most": pgettext_lazy("condition", "%(field)s is at most %(value)s"),
    "from": pgettext_lazy("condition", "%(field)s from %(value)s on"),
    "until": pgettext_lazy("condition", "%(field)s until %(value)s"),
}


class PolicyWords:
    """Names and labels for what a policy document says; read once, and for one answer."""

    # What stands under these words names something by its key.
    def __init__(self) -> None:
        role, partition, level = self._role, self._partition, self._level
        self._leaves: dict[str, Callable[[str], str]] = {
            **dict.fromkeys(("role", "roles", "inherits", "owner_role", "by_role"), role),
            **dict.fromkeys(("partition", "partitions"), partition),
            **dict.fromkeys(("level", "owner_level"), level),
            **dict.fromkeys(("department", "owner_department", "within"), self._department),
            **dict.fromkeys(("permission", "permissions", "counts", "may"), permission_words),
            **dict.fromkeys(("type", "types", "records"), type_words),
            **dict.fromkeys(("starts",), _moment),
            **dict.fromkeys(("ends", "until"), _end),
            **dict.fromkeys(("access", "mine", "others"), lambda text: str(_ACCESS.get(text, text))),
            "administrator": lambda text: str(_ADMINISTRATORS.get(text, text)),
            "by": lambda text: str(dict(Approver.By.choices).get(text, text)),
            "group": self._group,
            "hides": field_words,
            "position": self._position,
            "rights": lambda text: {str(right): str(said) for right, said in RIGHT_LABELS.items()}.get(
                text, text
            ),
            "sensitivities": lambda text: str(SENSITIVITY_LABELS.get(text, text)),
            "user": self._user,
        }

    def section(self, name: str) -> str:
        """Return what an entry of a section is called."""
        return str(SECTIONS.get(name, name))

    def entry(self, section: str, key: str) -> str:
        """Return the name of an entry: of what has one, its own, otherwise of what it names."""
        if section in ("base_access", "duplicate_check"):
            return type_words(key)
        if section in _NAMED:
            return self._names(_NAMED[section]).get(key, key)
        if section == "tests":
            return self.test(key)
        parts = key.split(" → ")
        # What comes first in who decides is a type, a role or a partition, be a department called by the same key.
        first = self._partition(parts[0]) if section == "approvals" else parts[0]
        said = [first] if first != parts[0] else [self._anything(parts[0])]
        return " → ".join([*said, *(self._anything(part) for part in parts[1:])])

    def test(self, text: str) -> str:
        """Return a test of the policy in words, from the line that names it (`asserting.words`)."""
        who, about, *said = text.split(" · ")
        return " · ".join((self._user(who), permission_words(about), *map(verdict, said)))

    def difference(self, found: Difference | Mapping[str, Any]) -> tuple[str, list[tuple[str, str, str]]]:
        """Return the name of an entry that differs, and what of it: what it is, what it was, what it becomes."""
        section, key, parts = (
            (found.section, found.key, found.parts)
            if isinstance(found, Difference)
            else (found["section"], found["key"], found["parts"])
        )
        name = self.entry(section, key)
        if name == key:
            # What is yet to be made, or was renamed or removed since.
            name = next((after or before for path, before, after in parts if path == "name"), key)
        return name, [self.part(section, key, *each) for each in parts if each[0] != "key"]

    def part(self, section: str, key: str, path: str, before: Any, after: Any) -> tuple[str, str, str]:
        """Return one part of an entry in words: what it is, what it was, what it becomes."""
        if path.startswith("grants."):
            permission = path.removeprefix("grants.")
            return permission_words(permission), scopes_words(before), scopes_words(after)
        if section == "duplicate_check":
            said = [
                _comma(field_words(f"{key}.{name}", alone=True) for name in of or ())
                for of in (before, after)
            ]
            return "", said[0] or NOTHING, said[1] or NOTHING
        words = path.split(".") if path else []
        if words and words[0] == "fields" and len(words) > 2:
            about = [field_words(f"{words[1]}.{words[2]}"), *(self.label(word) for word in words[3:])]
            last = words[3] if len(words) > 3 else "access"
            return " · ".join(about), self.value(last, before), self.value(last, after)
        last = words[-1] if words else "access"
        said = [self._usual(section, last, of) or self.value(last, of) for of in (before, after)]
        return " · ".join(map(self.label, words)), said[0], said[1]

    def _usual(self, section: str, word: str, value: Any) -> str:
        """Return what holds where an entry says nothing."""
        if value is not None:
            return ""
        if section == "base_access":
            return str(BaseAccess.Access.PRIVATE.label)
        if section != "break_glass":
            return ""
        return {"partitions": _everywhere(), "access": str(BreakGlass.Access.READ.label)}.get(word, "")

    def label(self, word: str) -> str:
        """Return what a part of an entry is called."""
        return str(LABELS.get(word, word))

    def value(self, word: str, value: Any) -> str:
        """Return what stands under a word."""
        if value is None or value == []:
            return NOTHING
        if isinstance(value, bool):
            return pgettext("policy", "yes") if value else pgettext("policy", "no")
        if isinstance(value, Mapping):
            return self._mapping(word, value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return _comma(self.value(word, item) for item in value)
        leaf = self._leaves.get(word)
        return leaf(value) if leaf is not None and isinstance(value, str) else str(value)

    def offers(self, glass: Mapping[str, Sequence[Any]], pools: Mapping[str, Sequence[Any]]) -> list[str]:
        """Return what somebody may open by break-glass, before and afterwards, and what pools come to hide from them
        and to show."""
        said = [
            _("Break-glass “%(rule)s”: %(before)s → %(after)s")
            % {
                "rule": self.entry("break_glass", key),
                "before": self._opens(before),
                "after": self._opens(after),
            }
            for key, (before, after) in glass.items()
        ]
        for key, (before, after) in pools.items():
            words = {"pool": self.entry("pools", key)}
            if now_hidden := [each for each in after if each not in before]:
                fields = self.value("hides", now_hidden)
                said.append(_("Pool “%(pool)s” hides from them: %(fields)s") % {**words, "fields": fields})
            if now_shown := [each for each in before if each not in after]:
                fields = self.value("hides", now_shown)
                said.append(_("Pool “%(pool)s” shows to them: %(fields)s") % {**words, "fields": fields})
        return said

    def _opens(self, rule: Mapping[str, Any] | None) -> str:
        if rule is None:
            return NOTHING
        places = self.value("partitions", list(rule["partitions"])) if rule["partitions"] else _everywhere()
        minutes = ngettext("%s minute", "%s minutes", rule["minutes"]) % rule["minutes"]
        return " · ".join(
            [self.value("types", list(rule["types"])), places, self.value("access", rule["access"]), minutes]
        )

    def principal(self, entry: Mapping[str, Any]) -> str:
        """Return a principal, as documents name it, in words."""
        kind = next(kind for kind in PRINCIPALS if kind in entry)
        name = self._leaves[kind](str(entry[kind]))
        return principal_text(kind, name, below=entry.get("below") is True, post=str(entry.get("post") or ""))

    def _mapping(self, word: str, entry: Mapping[str, Any]) -> str:
        if word in ("condition", *_JOINED):
            return self._condition(entry)
        if sum(kind in entry for kind in PRINCIPALS) == 1 and set(entry) <= {*PRINCIPALS, "below", "post"}:
            return self.principal(entry)
        return _("; ").join(told(self.label(name), self.value(name, of)) for name, of in entry.items())

    def _condition(self, entry: Mapping[str, Any]) -> str:
        said = []
        for word, of in entry.items():
            if word in _JOINED:
                each = of if isinstance(of, list) else [of]
                said.append(str(_JOINED[word]) % _("; ").join(self._condition(one) for one in each))
            elif word in _OWNERS:
                kind = {"owner_department": "department", "owner_role": "role", "owner_level": "level"}
                name = _("“%s”") % self.value(kind.get(word, word), of)
                if entry.get("below") is True:
                    name = _("%s and those below") % name
                said.append(str(_OWNERS[word]) % name)
            elif word == "field":
                said += _compared(str(of), entry)
        return _("; ").join(said)

    def _anything(self, text: str) -> str:
        """Return what a key names, whatever kind of thing it is; of several the first."""
        for find in (permission_words, type_words, self._level, self._user, self._role, self._department):
            if (said := find(text)) != text:
                return said
        for find in (self._group, self._position, self._partition):
            if (said := find(text)) != text:
                return said
        return _moment(text)

    def _names(self, model: Any) -> Mapping[str, str]:
        if model not in self._known:
            self._known[model] = dict(model.objects.values_list("key", "name"))
        return self._known[model]

    @cached_property
    def _known(self) -> dict[Any, dict[str, str]]:
        return {}

    @cached_property
    def _levels(self) -> dict[str, str]:
        rows = Level.objects.values_list("ladder__key", "key", "name")
        return {f"{ladder}.{key}": name for ladder, key, name in rows}

    @cached_property
    def _departments(self) -> dict[str, str]:
        return dict(Department.objects.values_list("code", "name"))

    @cached_property
    def _people(self) -> dict[str, str]:
        return dict(User.objects.values_list("username", "name"))

    def _role(self, key: str) -> str:
        return self._names(Role).get(key, key)

    def _partition(self, key: str) -> str:
        return self._names(Partition).get(key, key)

    def _group(self, key: str) -> str:
        return self._names(Group).get(key, key)

    def _position(self, key: str) -> str:
        return self._names(Position).get(key, key)

    def _level(self, key: str) -> str:
        return self._levels.get(key, key)

    def _department(self, code: str) -> str:
        return self._departments.get(code, code)

    def _user(self, username: str) -> str:
        return self._people.get(username, username)


def kind_words(of: Totals) -> str:
    """Return what a kind of people is called in the totals of a change set."""
    if of.kind is None:
        return pgettext("kinds of people", "All others")
    return of.kind or _("Without a level or a title")


def _everywhere() -> str:
    return _("every partition of theirs")


def verdict(text: str) -> str:
    """Return what a test is about, expects, or found: a record, yes or no and why, or how many."""
    word, _space, rest = text.partition(" ")
    of_type, _colon, number = text.partition(":")
    if number.isdigit():
        return _("%(type)s, number %(number)s") % {
            "type": type_words(of_type, plural=False),
            "number": number,
        }
    if word in ("yes", "no"):
        said = pgettext("policy", "yes") if word == "yes" else pgettext("policy", "no")
        return f"{said} ({code_words(rest.strip('()'))})" if rest else said
    if word in ("is", "at_least", "at_most") and rest:
        return f"{LABELS.get(word, '=')} {rest}"
    return text


def told(what: str, value: str) -> str:
    """Return what something is, and its value, as one text."""
    return _("%(what)s: %(value)s") % {"what": what, "value": value}


def permission_words(name: str) -> str:
    """Return what a permission is called, or all of a type (`customer.*`)."""
    type_name, _dot, verb = name.partition(".")
    if verb == "*":
        return pgettext("policy", "everything about %s") % type_words(type_name, plural=True)
    try:
        return str(registry.label_of(name))
    except KeyError:
        return name


def type_words(name: str, *, plural: bool = True) -> str:
    """Return what records of a type are called."""
    try:
        resource = registry.resource_type(name)
    except KeyError:
        return name
    return str(resource.label_plural if plural else resource.label)


def field_words(text: str, *, alone: bool = False) -> str:
    """Return what a field (`customer.phone`) is called, with its type unless `alone`."""
    type_name, _dot, name = text.partition(".")
    try:
        resource = registry.resource_type(type_name)
        label = str(resource.by_name[name].label)
    except KeyError:
        return name if alone else text
    return (
        label
        if alone
        else pgettext("field of a type", "%(type)s · %(field)s")
        % {
            "type": resource.label,
            "field": label,
        }
    )


def _compared(name: str, entry: Mapping[str, Any]) -> list[str]:
    declared = next((kind.by_name[name] for kind in registry.resource_types() if name in kind.by_name), None)
    label = str(declared.label) if declared is not None else name

    def said(value: Any) -> str:
        listed = value if isinstance(value, list) else [value]
        if declared is not None and declared.choices:
            return _comma(str(declared.choice_label(str(each))) for each in listed)
        return _comma(map(str, listed))

    if entry.get("empty") is True:
        return [pgettext("condition", "%s is empty") % label]
    return [
        str(words) % {"field": label, "value": said(entry[word])}
        for word, words in _COMPARED.items()
        if word in entry
    ]


def scopes_words(value: Any) -> str:
    """Return the scopes of a grant in words."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return _comma(str(SCOPE_LABELS.get(scope, scope)) for scope in listed) or NOTHING


def _moment(text: str) -> str:
    moment = _read(text)
    return days.moment_words(moment) if moment is not None else text


def _end(text: str) -> str:
    moment = _read(text)
    return days.end_words(moment) if moment is not None else text


def _read(text: str) -> Any:
    """Return the moment that a document names: of a day, its beginning."""
    try:
        moment = parse_datetime(text)
        day = parse_date(text)
    except ValueError:
        return None
    if day is not None:
        return days.beginning_of(day)
    if moment is None:
        return None
    return moment if is_aware(moment) else make_aware(moment, get_current_timezone())


def _comma(words: Any) -> str:
    return _(", ").join(words)
