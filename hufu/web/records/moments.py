"""What happened to a record, in words: who did what, when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import system_actors
from hufu.access.fields import FieldAccess
from hufu.access.models import Pool, TeamMember
from hufu.access.registry import Field, Kind, ResourceType, resource_type
from hufu.core import days, money
from hufu.core.actor import Actor
from hufu.crm import queries
from hufu.crm.consents import PURPOSES, label
from hufu.crm.timeline import Change, Entry
from hufu.people.models import User
from hufu.web.records import filters
from hufu.web.records.presenters import TONES, record_url

READABLE = {FieldAccess.READ_ONLY, FieldAccess.EDITABLE}
PEOPLE = ("from_owner", "to_owner", "member")
FORMER: Mapping[str | None, str | Promise] = {
    TeamMember.Access.READ: gettext_lazy("the former owner may still view it"),
    TeamMember.Access.EDIT: gettext_lazy("the former owner may still edit it"),
}


@dataclass(frozen=True)
class ChangeInWords:
    """A field that changed; without values where they are not told."""

    label: str
    before: str = ""
    after: str = ""
    tone: str = ""
    is_told: bool = False


@dataclass(frozen=True)
class Line:
    """One moment of a timeline. `about` is the record that belongs to the one asked about, with its address."""

    at: datetime
    who: str
    number: int
    what: str
    about: str = ""
    url: str = ""
    tone: str = ""
    reason: str = ""
    changes: Sequence[ChangeInWords] = ()


TONE_OF_VERB = {
    **{"created": "green", "deleted": "red", "restored": "green", "transferred": "purple"},
    **{"voided": "red", "unvoided": "green", "locked": "amber", "unlocked": "green"},
}
OF_POOLS = {"released", "claimed"}


def lines(actor: Actor, resource: ResourceType, record: Any, entries: Sequence[Entry]) -> list[Line]:
    """Return what happened in words; a fixed number of queries whatever the number of entries.

    What belongs to the record has its title where the actor may view it. An edit of nothing that they may know of is
    no line.
    """
    people = dict(User.objects.filter(pk__in=_people_in(entries)).values_list("pk", "name"))
    partitions = dict(filters.partitions(actor)) if any(each.verb == "moved" for each in entries) else {}
    of_pools = {int(each.facts["pool"]) for each in entries if each.verb in OF_POOLS}
    pools = dict(Pool.objects.filter(pk__in=of_pools).values_list("pk", "name")) if of_pools else {}
    of_children = {(each.target.type, each.target.id) for each in entries} - {(resource.name, record.pk)}
    titles = queries.titles_of(actor, of_children)
    made = []
    for each in entries:
        changes = each.changes if each.verb == "changed" else ()
        if each.verb == "changed" and not changes:
            continue
        of = resource_type(each.target.type)
        is_child = (each.target.type, each.target.id) != (resource.name, record.pk)
        title = titles.get((each.target.type, each.target.id), "")
        made.append(
            Line(
                at=each.at,
                who=_who(each, people),
                number=each.actor_id,
                what=_what(each, of, people, partitions, pools),
                about=(title or f"{of.label} #{each.target.id}") if is_child else "",
                url=record_url(of, each.target.id) if title else "",
                tone=TONE_OF_VERB.get(each.verb, "blue"),
                reason=each.reason,
                changes=[_change(change) for change in changes],
            )
        )
    return made


def _people_in(entries: Iterable[Entry]) -> set[int]:
    found: list[Any] = [number for each in entries for number in (each.actor_id, each.on_behalf_id)]
    found += [each.facts.get(name) for each in entries for name in PEOPLE]
    shared = (str(each.facts.get("to") or "") for each in entries)
    found += [int(to.removeprefix("user:")) for to in shared if to.startswith("user:")]
    return {number for number in found if isinstance(number, int)}


def _who(moment: Entry, people: Mapping[int, str]) -> str:
    name = _name(moment.actor_id, people)
    if moment.on_behalf_id is None:
        return name
    return _("%(name)s, for %(other)s") % {"name": name, "other": _name(moment.on_behalf_id, people)}


def _name(number: int, people: Mapping[int, str]) -> str:
    if number <= 0:
        return system_actors.name_of(number) or _("The system")
    return people.get(number, f"#{number}")


def _what(
    moment: Entry,
    resource: ResourceType,
    people: Mapping[int, str],
    partitions: Mapping[str, str],
    pools: Mapping[int, str],
) -> str:
    facts = moment.facts
    thing = resource.label

    def name(of: str) -> str:
        number = facts.get(of)
        return people.get(number, f"#{number}") if isinstance(number, int) else "—"

    match moment.verb:
        case "created":
            return _("added the %(thing)s") % {"thing": thing}
        case "changed":
            return _("changed")
        case "deleted":
            return _("put the %(thing)s into the bin") % {"thing": thing}
        case "restored":
            return _("restored the %(thing)s from the bin") % {"thing": thing}
        case "voided":
            return _("declared it void")
        case "unvoided":
            return _("took back that it is void")
        case "locked":
            return _("locked it")
        case "unlocked":
            return _("unlocked it")
        case "task_opened":
            return _("opened an approval task for %(name)s") % {"name": name("member")}
        case "task_ended":
            return _("ended the approval task of %(name)s") % {"name": name("member")}
        case "transferred":
            said = _("changed the owner from %(before)s to %(after)s") % {
                "before": name("from_owner"),
                "after": name("to_owner"),
            }
            former = FORMER.get(facts.get("former_access"))
            return _("%(deed)s; %(more)s") % {"deed": said, "more": former} if former else said
        case "released" | "claimed":
            pool = pools.get(facts.get("pool", 0), "—")
            if moment.verb == "released":
                return _("released it to the pool “%s”") % pool
            return _("claimed it from the pool “%s”") % pool
        case "taken_along":
            return _("took it along to their new department")
        case "moved":
            to = partitions.get(str(facts.get("to_partition")))
            said = _("moved it to the partition “%s”") % to if to else _("moved it to another partition")
            if facts.get("to_owner") is None:
                return said
            return _("%(deed)s; the owner is now %(name)s") % {"deed": said, "name": name("to_owner")}
        case "disclosed":
            return _("made a copy of the data")
        case "erased":
            return _("erased the person")
        case "attachment_added":
            return _("added a file")
        case "attachment_removed":
            return _("removed a file")
        case "consent_given":
            return _("recorded a ground for “%(purpose)s”") % {"purpose": _purpose(facts)}
        case "consent_withdrawn":
            return _("withdrew the ground for “%(purpose)s”") % {"purpose": _purpose(facts)}
        case "shared" | "share_ended":
            to = _shared_with(facts, people)
            if moment.verb == "share_ended":
                return _("ended the sharing with %(name)s") % {"name": to}
            access = dict(TeamMember.Access.choices).get(facts.get("access", ""), "")
            return _("shared it with %(name)s (%(rights)s)") % {"name": to, "rights": access}
        case "let_across":
            access = dict(TeamMember.Access.choices).get(facts.get("access", ""), "")
            return _("let it reach %(name)s across the wall (%(rights)s)") % {
                "name": name("member"),
                "rights": access,
            }
        case "ended":
            return _("ended that it reaches %(name)s across the wall") % {"name": name("member")}
        case "member_joined":
            access = dict(TeamMember.Access.choices).get(facts.get("access", ""), "")
            words = [str(word) for word in (facts.get("role"), access) if word]
            return _("took %(name)s into the team (%(rights)s)") % {
                "name": name("member"),
                "rights": _(", ").join(words),
            }
        case _:
            if facts.get("member") == moment.actor_id:
                return _("left the team")
            return _("took %(name)s out of the team") % {"name": name("member")}


def _shared_with(facts: Mapping[str, Any], people: Mapping[int, str]) -> str:
    """Return to whom something was shared; of more than one person only what they are."""
    kind, _colon, number = str(facts.get("to") or "").partition(":")
    if kind == "user":
        return people.get(int(number), f"#{number}")
    return {
        "group": _("a group"),
        "department": _("a department"),
        "position": _("a position"),
        "level": _("a level"),
    }.get(kind, _("somebody"))


def _purpose(facts: Mapping[str, Any]) -> str:
    return label(PURPOSES, str(facts.get("purpose", "")))


def _change(change: Change) -> ChangeInWords:
    label = str(change.field.label)
    # A long text is looked up where it stands.
    if not change.is_told or change.field.kind is Kind.LONG_TEXT:
        return ChangeInWords(label)
    return ChangeInWords(
        label,
        value_in_words(change.field, change.before),
        value_in_words(change.field, change.after),
        TONES.get(change.field.name, {}).get(str(change.after), ""),
        is_told=True,
    )


def value_in_words(declared: Field, value: Any) -> str:
    """Return a value as the log keeps it, the way a page shows it."""
    if value in (None, ""):
        return ""
    match declared.kind:
        case Kind.CHOICE:
            return str(declared.choice_label(str(value)))
        case Kind.MONEY:
            return money.display(int(value), "")
        case Kind.DATE:
            return date_format(date.fromisoformat(str(value)), "Y-m-d")
        case Kind.TIMESTAMP:
            moment = parse_datetime(str(value))
            return days.moment_words(moment) if moment is not None else str(value)
        case _:
            return str(value)
