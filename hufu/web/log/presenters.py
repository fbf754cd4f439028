"""What an entry of the log looks like: who, what, on which record; never a field's value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hufu.access import registry
from hufu.audit.queries import LogEntry
from hufu.core.actor import OPERATOR_ID
from hufu.people.models import User

RESULTS: dict[str, tuple[str | Promise, str]] = {
    "done": (_("Done"), "green"),
    "refused": (_("Refused"), "red"),
    "failed": (_("Failed"), "amber"),
}
CHANNELS: dict[str, str | Promise] = {"web": _("Web page"), "cli": _("Command line"), "job": _("Job")}


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
    summary: str
    changed: list[str | Promise]
    details: list[tuple[str, str]]


def lines(entries: Sequence[LogEntry]) -> list[Line]:
    """Return the entries with names for numbers."""
    names = dict(
        User.objects.filter(pk__in={entry.actor_id for entry in entries if entry.actor_id}).values_list(
            "pk", "name"
        )
    )
    names |= _people_in(entries)
    return [_line(entry, names) for entry in entries]


def _people_in(entries: Iterable[LogEntry]) -> dict[int, str]:
    wanted = {entry.target.id for entry in entries if entry.target and entry.target.type == "user"}
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "name"))


def _line(entry: LogEntry, names: dict[int, str]) -> Line:
    result, tone = RESULTS.get(entry.result, (entry.result, "grey"))
    return Line(
        entry=entry,
        who=actor_name(entry.actor_id, names),
        number=entry.actor_id or 0,
        about=target_name(entry, names),
        result=result,
        tone=tone,
        channel=CHANNELS.get(entry.channel, entry.channel),
        summary=summary(entry),
        changed=[field_label(entry, name) for name in entry.changed],
        details=[
            (name, in_words(value))
            for name, value in sorted(entry.details.items())
            if value not in (None, "", [])
        ],
    )


def actor_name(number: int | None, names: dict[int, str]) -> str:
    """Return whom the log names as the actor."""
    if number is None or number == 0:
        return str(_("Nobody signed in"))
    if number == OPERATOR_ID:
        return str(_("Operator (command line)"))
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


def summary(entry: LogEntry) -> str:
    """Return in a few words what matters in an entry: the permission, the fields, or how many records."""
    if permission := entry.details.get("permission"):
        known = {declared.name: declared.label for declared in registry.permissions()}
        return str(known.get(permission, permission))
    if entry.changed:
        return ", ".join(str(field_label(entry, name)) for name in entry.changed)
    count = entry.details.get("count")
    return ngettext("%d record", "%d records", count) % count if isinstance(count, int) else ""


def field_label(entry: LogEntry, name: str) -> str | Promise:
    """Return what a changed field is called on screen."""
    for resource in registry.resource_types():
        if entry.target and resource.name == entry.target.type and name in resource.by_name:
            return resource.by_name[name].label
    return name


def in_words(value: Any) -> str:
    """Return a fact of a deed as text."""
    if isinstance(value, (list, tuple)):
        return ", ".join(in_words(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {in_words(item)}" for name, item in sorted(value.items()))
    return str(value)
