"""What an entry of the log looks like: who, what, on which record; never a field's value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from hufu.access import registry, system_actors
from hufu.audit import events
from hufu.audit.queries import LogEntry
from hufu.people.models import User
from hufu.web.log import words
from hufu.web.log.facts import FactWords, field_label

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


def lines(entries: Sequence[LogEntry]) -> list[Line]:
    """Return the entries with names for numbers."""
    people = dict(User.objects.filter(pk__in=people_in(entries)).values_list("pk", "name"))
    facts = FactWords()
    return [line(entry, people, facts) for entry in entries]


def people_in(entries: Iterable[LogEntry]) -> set[int]:
    """Return the numbers of the users that act or are acted on."""
    found = {who for entry in entries for who in (entry.actor_id, entry.on_behalf_id) if who}
    return found | {entry.target.id for entry in entries if entry.target and entry.target.type == "user"}


def line(entry: LogEntry, people: dict[int, str], facts: FactWords) -> Line:
    """Return one entry in words."""
    result, tone = RESULTS.get(entry.result, (entry.result, "grey"))
    return Line(
        entry=entry,
        who=who_did_it(entry, people),
        number=entry.actor_id or 0,
        about=target_name(entry, people),
        result=result,
        tone=tone,
        channel=CHANNELS.get(entry.channel, entry.channel),
        reason=words.REASONS.get(entry.reason, entry.reason),
        summary=summary(entry, facts),
        changed=[field_label(entry, name) for name in entry.changed],
        details=[
            (words.label_of(entry.type, name), facts.text(entry, name))
            for name in in_order(entry)
            if entry.details[name] not in (None, "", [], {}) and (name, entry.details[name]) != ("search", 0)
        ],
    )


def in_order(entry: LogEntry) -> list[str]:
    """Return the names of the facts in the order in which their event type declares them."""
    kind = events.find(entry.type)
    declared = [fact.name for fact in kind.declared] if kind is not None else []
    return sorted(entry.details, key=lambda name: declared.index(name) if name in declared else len(declared))


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
    return system_actors.name_of(number) or names.get(number, f"#{number}")


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


def summary(entry: LogEntry, facts: FactWords) -> str:
    """Return in a few words what matters in an entry: the permission, the fields, who got it, how many records."""
    if entry.details.get("permission"):
        return facts.text(entry, "permission")
    if entry.changed:
        return _comma().join(str(field_label(entry, name)) for name in entry.changed)
    if "to_owner" in entry.details:
        return f"{facts.text(entry, 'from_owner')} → {facts.text(entry, 'to_owner')}"
    count = entry.details.get("count")
    return ngettext("%d record", "%d records", count) % count if isinstance(count, int) else ""


def _comma() -> str:
    return gettext(", ")
