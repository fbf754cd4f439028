"""What an entry of the log looks like: who, what, on which record; never a field's value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from hufu.access import registry
from hufu.access.models import Partition
from hufu.audit.queries import LogEntry
from hufu.core.actor import OPERATOR_ID, SETUP_ID, SINGLE_SIGN_ON_ID
from hufu.people.models import Department, Post, User
from hufu.web.log import words

RESULTS: dict[str, tuple[str | Promise, str]] = {
    "done": (_("Done"), "green"),
    "refused": (_("Refused"), "red"),
    "failed": (_("Failed"), "amber"),
}
CHANNELS: dict[str, str | Promise] = {
    "web": _("Web page"),
    "cli": _("Command line"),
    "job": _("Job"),
    "demo": _("Demo year"),
}


@dataclass(frozen=True)
class Line:
    """One entry, in words."""

    entry: LogEntry
    who: str
    number: int
    about: str
    result: str | Promise
    tone: str
    channel: str | Promise
    reason: str | Promise
    summary: str
    changed: list[str | Promise]
    details: list[tuple[str | Promise, str]]


@dataclass(frozen=True)
class Names:
    """The names of the people, departments and partitions that some entries speak of."""

    people: dict[int, str]
    departments: dict[int, str]
    partitions: dict[int, str]


def lines(entries: Sequence[LogEntry]) -> list[Line]:
    """Return the entries with names for numbers."""
    names = Names(
        dict(User.objects.filter(pk__in=people_in(entries)).values_list("pk", "name")),
        dict(
            Department.objects.filter(pk__in=facts_in(entries, words.DEPARTMENTS)).values_list("pk", "name")
        ),
        dict(Partition.objects.filter(pk__in=facts_in(entries, words.PARTITIONS)).values_list("pk", "name")),
    )
    return [line(entry, names) for entry in entries]


def people_in(entries: Iterable[LogEntry]) -> set[int]:
    """Return the numbers of the users that act, are acted on, or stand in the facts."""
    found = {who for entry in entries for who in (entry.actor_id, entry.on_behalf_id) if who}
    found |= {entry.target.id for entry in entries if entry.target and entry.target.type == "user"}
    return found | facts_in(entries, words.USERS)


def facts_in(entries: Iterable[LogEntry], wanted: set[str]) -> set[int]:
    """Return the numbers that stand under some names in the facts of the deeds."""
    found: set[int] = set()
    for entry in entries:
        for name in wanted:
            value = entry.details.get(name)
            found |= {
                item for item in (value if isinstance(value, list) else [value]) if isinstance(item, int)
            }
    return found


def line(entry: LogEntry, names: Names) -> Line:
    """Return one entry in words."""
    result, tone = RESULTS.get(entry.result, (entry.result, "grey"))
    return Line(
        entry=entry,
        who=who_did_it(entry, names.people),
        number=entry.actor_id or 0,
        about=target_name(entry, names.people),
        result=result,
        tone=tone,
        channel=CHANNELS.get(entry.channel, entry.channel),
        reason=words.REASONS.get(entry.reason, entry.reason),
        summary=summary(entry, names),
        changed=[field_label(entry, name) for name in entry.changed],
        details=[
            (words.label_of(entry.type, name), fact(entry, name, names))
            for name in entry.details
            if entry.details[name] not in (None, "", [], {}) and (name, entry.details[name]) != ("search", 0)
        ],
    )


def fact(entry: LogEntry, name: str, names: Names) -> str:
    """Return a fact of a deed as text."""
    value = entry.details[name]
    if name in words.USERS:
        people = value if isinstance(value, list) else [value]
        return _comma().join(names.people.get(number, f"#{number}") for number in people)
    if name in words.DEPARTMENTS:
        return names.departments.get(value, f"#{value}")
    if name in words.PARTITIONS:
        return names.partitions.get(value, f"#{value}")
    if name == "search" and isinstance(value, int):
        return ngettext("%d character", "%d characters", value) % value
    if name == "permission":
        return permission_label(value)
    if name == "permissions" and isinstance(value, list):
        return _comma().join(permission_label(each) for each in value)
    if name == "post" and value in Post.values:
        return str(Post(value).label)
    if name == "changed" and isinstance(value, list):
        return _comma().join(str(words.FACTS.get(item, item)) for item in value)
    if name in ("filter", "sort") and not isinstance(value, dict):
        asked = [value] if isinstance(value, str) else value
        return _comma().join(str(field_label(entry, item.removeprefix("-"))) for item in asked)
    return in_words(value)


def who_did_it(entry: LogEntry, names: dict[int, str]) -> str:
    """Return who did it, and for whom where they stood in for somebody."""
    name = actor_name(entry.actor_id, names)
    if entry.on_behalf_id is None:
        return name
    return _("%(name)s, for %(other)s") % {"name": name, "other": actor_name(entry.on_behalf_id, names)}


def actor_name(number: int | None, names: dict[int, str]) -> str:
    """Return whom the log names as the actor."""
    if number is None or number == 0:
        return str(_("Nobody signed in"))
    if number == OPERATOR_ID:
        return str(_("Operator (command line)"))
    if number == SETUP_ID:
        return str(_("Set-up page"))
    if number == SINGLE_SIGN_ON_ID:
        return str(_("Single sign-on"))
    return names.get(number, f"#{number}")


def target_name(entry: LogEntry, names: dict[int, str]) -> str:
    """Return the record that an entry is about: type and number, since its title is business data."""
    if entry.target is None:
        return ""
    if entry.target.type == "user":
        return names.get(entry.target.id, f"#{entry.target.id}")
    label = next(
        (str(resource.label) for resource in registry.resource_types() if resource.name == entry.target.type),
        entry.target.type,
    )
    return f"{label} #{entry.target.id}"


def summary(entry: LogEntry, names: Names) -> str:
    """Return in a few words what matters in an entry: the permission, the fields, who got it, how many records."""
    if permission := entry.details.get("permission"):
        return permission_label(permission)
    if entry.changed:
        return _comma().join(str(field_label(entry, name)) for name in entry.changed)
    if "to_owner" in entry.details:
        return f"{fact(entry, 'from_owner', names)} → {fact(entry, 'to_owner', names)}"
    count = entry.details.get("count")
    return ngettext("%d record", "%d records", count) % count if isinstance(count, int) else ""


def permission_label(name: str) -> str:
    """Return what a permission is called on screen."""
    known = {declared.name: declared.label for declared in registry.permissions()}
    return str(known.get(name, name))


def field_label(entry: LogEntry, name: str) -> str | Promise:
    """Return what a field of the record that an entry is about is called on screen."""
    about = entry.target.type if entry.target else entry.type.partition(".")[0]
    for resource in registry.resource_types():
        if resource.name == about and name in resource.by_name:
            return resource.by_name[name].label
    return name


def in_words(value: Any) -> str:
    """Return a value of a fact as text."""
    if isinstance(value, (list, tuple)):
        return _comma().join(in_words(item) for item in value)
    if isinstance(value, dict):
        return _comma().join(f"{name}: {in_words(item)}" for name, item in sorted(value.items()))
    return str(value)


def _comma() -> str:
    return gettext(", ")
