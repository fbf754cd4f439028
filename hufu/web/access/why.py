"""Why somebody may do something, or may not; and who may see a record. The answers hold no value of a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import answers, as_of, explain, guard, registry
from hufu.access.answers import Answer
from hufu.access.decision.decide import Code, Cover, Decision
from hufu.access.decision.near import NearMiss, Nearness
from hufu.access.decision.requests import Asking, helpful
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import Share
from hufu.access.explain import Told
from hufu.access.registry import Permission, ResourceType
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm import queries
from hufu.people.models import User
from hufu.web.access import asked
from hufu.web.access.asked import Day
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.pickers import OFFERED, Choice
from hufu.web.records.views.tabs import WAYS

# So many people of one way are named; all are counted.
NAMED = 60
GATED = {Code.GATE_CLOSED, Code.QUOTA_EXHAUSTED, Code.PROHIBITED}
UNGIVEN = {Nearness.ENDED, Nearness.GIVEN_TO_OTHERS, Nearness.NOT_GIVEN}


@dataclass(frozen=True)
class Deed:
    """What would help, as a link."""

    label: str
    url: str
    icon: str


@dataclass(frozen=True)
class Step:
    """A sentence below a link, and the deed that it asks for."""

    text: str
    deed: Deed | None = None


@dataclass
class Part:
    """A link of the chain: one that holds, with its steps, or one that is missing, with what would nearly have done."""

    text: str
    steps: list[Step] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    is_missing: bool = False


@dataclass(frozen=True)
class Verdict:
    """An answer in words: the sentence that says it, the chain, and what holds beside it."""

    is_allowed: bool
    text: str
    parts: list[Part]
    further: list[str]
    deeds: list[Deed]
    record: str = ""
    record_url: str = ""


@page(signed_in=True, limit="lists")
def why_page(request: Passage) -> HttpResponse:
    """Answer why a person may, or may not: everybody about themselves, whoever explains rights about anybody."""
    actor = request.actor
    explains = answers.explains(actor)
    person = asked.person(request, "person") if explains else _oneself(request)
    permission = asked.permission(request)
    resource = _type_asked(permission)
    typed = request.GET.get("number", "").strip()[: asked.LONGEST]
    day = asked.day(request)
    text = request.GET.get("find_person", "").strip()[: asked.LONGEST]
    context: dict[str, Any] = {
        "explains": explains,
        "day": day,
        "problem": day.problem,
        "person": person,
        "people": asked.people_found(text, chosen=person) if explains else [],
        "text": text,
        "permission": permission,
        "groups": asked.permissions_in_words(),
        "resource": resource,
        "typed": typed,
        "found": _records_found(actor, resource, typed),
    }
    is_whole = not (resource and typed) or asked.record_number(request)
    if person is not None and permission is not None and not day.problem and is_whole:
        context |= _answered(request, person.pk, permission, day)
    return render(request, "access/why.html", context)


def _answered(request: Passage, person_id: int, permission: Permission, day: Day) -> dict[str, Any]:
    """Return the answer to a whole question, or what is wrong with its day."""
    resource = _type_asked(permission)
    number = asked.record_number(request) if resource is not None else 0
    try:
        answer = answers.why(request.actor, person_id, permission.name, number or None, day.moment)
    except Invalid as invalid:
        return {"problem": str(invalid)}
    return {
        "verdict": verdict(request.actor, answer, resource, number),
        "past": asked.past_words(day, answer.change),
    }


def _oneself(request: Passage) -> User | None:
    """Return who asks; raise NotFound where they ask about somebody else."""
    own = request.actor.user_id
    if request.GET.get("person", str(own)) != str(own):
        raise answers.unknown(number(request.GET.get("person")))
    return asked.people().filter(pk=own).first()


def _type_asked(permission: Permission | None) -> ResourceType | None:
    if permission is None or not registry.is_about_records(permission.name):
        return None
    return registry.type_of(permission.name)


def _records_found(actor: Actor, resource: ResourceType | None, typed: str) -> list[Choice]:
    """Return the records that the actor may view and that what they typed finds, where it is no number."""
    if resource is None or not typed or number(typed, largest=LARGEST_ID):
        return []
    if not guard.may(actor, resource.permission("view")):
        return []
    found = queries.find(actor, resource, typed, limit=OFFERED)
    return [Choice(record.pk, getattr(record, resource.title)) for record in found]


def verdict(actor: Actor, answer: Answer, resource: ResourceType | None, record_id: int) -> Verdict:
    """Return an answer in words. A record is called by its name where the actor may view it, else by its number."""
    decision = answer.decision
    told = list(explain.told(answer.snapshot, decision))
    record, url = named(actor, resource, record_id) if resource is not None and record_id else ("", "")
    parts = list(_covered(told) if decision.allowed else _missing(actor, answer, told))
    return Verdict(
        decision.allowed,
        told[0].text,
        parts,
        [each.text for each in told[1:] if each.cover is None and each.link is None],
        [] if answer.change else list(_asking(actor, decision, resource, record_id)),
        record,
        url,
    )


def named(actor: Actor, resource: ResourceType, record_id: int) -> tuple[str, str]:
    """Return what a record is called to the actor, and its address where they may view it."""
    title = queries.titles_of(actor, {(resource.name, record_id)}).get((resource.name, record_id))
    if title is not None:
        return title, reverse(f"{resource.name}_record", args=[record_id])
    return _("%(type)s, number %(number)s") % {"type": resource.label, "number": record_id}, ""


def _covered(told: list[Told]) -> Iterator[Part]:
    """Yield the links that hold, each once: a permission, and the path that gives it."""
    parts: dict[int, Part] = {}
    for each in told:
        if each.cover is None:
            continue
        label = str(registry.permission(each.cover.path.permission).label)
        parts.setdefault(id(each.cover), Part(label)).steps.append(Step(each.text))
    yield from parts.values()


def _missing(actor: Actor, answer: Answer, told: list[Told]) -> Iterator[Part]:
    """Yield the links that are missing, nearest first, with what would nearly have been one and what can be done."""
    part: Part | None = None
    link = None
    for each in told[1:]:
        if each.link is None:
            continue
        if part is None or each.link is not link:
            if part is not None:
                yield part
            link = each.link
            deeds = list(_going_on(actor, link.code)) if answer.change is None else []
            part = Part(each.text, is_missing=True, deeds=deeds)
        else:
            part.steps.append(Step(each.text, _giving(actor, answer, each.miss)))
    if part is not None:
        yield part


def _going_on(actor: Actor, code: Code) -> Iterator[Deed]:
    """Yield where whoever explains rights goes on from a missing link, as far as they may."""
    if code is Code.PENDING_RELEASE and guard.may(actor, "role.assign"):
        yield Deed(_("To be released"), reverse("pending"), "clock")
    if code is Code.NOT_ADMITTED and guard.may(actor, "role.view"):
        yield Deed(_("Assignments and admissions"), reverse("roles_given"), "key")
    if code in GATED and guard.may(actor, "role.view"):
        yield Deed(_("Policy"), reverse("policy"), "shield-check")


def _giving(actor: Actor, answer: Answer, miss: NearMiss | None) -> Deed | None:
    """Return where the role is given that would do, to whoever may give it: never to themselves, nor in the past."""
    person = answer.decision.person_id
    if miss is None or not miss.roles or miss.nearness not in UNGIVEN:
        return None
    if answer.change is not None or person == actor.user_id or not guard.may(actor, "role.assign"):
        return None
    asked_for = urlencode({"role": miss.roles[0], "to": person})
    return Deed(_("Give this role"), f"{reverse('roles_give')}?{asked_for}", "user-plus")


def _asking(
    actor: Actor, decision: Decision, resource: ResourceType | None, record_id: int
) -> Iterator[Deed]:
    """Yield what the actor themselves can ask for."""
    if decision.person_id != actor.user_id:
        return
    if decision.code is Code.NO_RECORD and resource is not None and record_id:
        yield Deed(_("Ask for access"), reverse(f"{resource.name}_ask", args=[record_id]), "message-plus")
        return
    for hint in helpful(decision):
        if hint.asking is Asking.RECORD and resource is not None and record_id:
            access = "edit" if hint.opens is Share.EDIT else "read"
            url = f"{reverse(f'{resource.name}_ask', args=[record_id])}?access={access}"
            yield Deed(_("Ask for access to the record"), url, "message-plus")
        elif hint.asking is Asking.PERMISSION:
            label = _("Ask for: %s") % registry.permission(hint.permission).label
            yield Deed(label, reverse("request_permission", args=[hint.permission]), "message-plus")


@dataclass(frozen=True)
class Way:
    """One way to a record: those whom it leads there, as many as are named, and how many there are."""

    label: str
    people: list[tuple[User, str]]
    amount: int

    @property
    def further(self) -> int:
        return self.amount - len(self.people)


BY_OTHER_WAYS: dict[str, str | Promise] = {
    "lent": gettext_lazy("They stand in for somebody who may"),
    "glass": gettext_lazy("Opened by break-glass"),
    "rule": gettext_lazy("A sharing rule or a territory reaches them"),
    "opened": gettext_lazy("Base access opens every record of the partition to them"),
    "task": gettext_lazy("A pending approval task of theirs"),
}


@page("explain.any", limit="lists")
def who_page(request: Passage) -> HttpResponse:
    """Answer who may use a permission on a record, now or on another day: people and reasons, nothing of the record."""
    actor = request.actor
    day = asked.day(request)
    permission = asked.permission(request) or registry.permission("customer.view")
    resource = _type_asked(permission)
    record_id = asked.record_number(request)
    typed = request.GET.get("number", "").strip()[: asked.LONGEST]
    context: dict[str, Any] = {
        "day": day,
        "problem": day.problem or (_("Write the number of a record.") if typed and not record_id else ""),
        "permission": permission,
        "groups": asked.permissions_in_words(of_records=True),
        "typed": typed,
    }
    if resource is not None and record_id and not day.problem:
        try:
            past = as_of.who_could_at(actor, permission.name, record_id, day.moment)
        except Invalid as invalid:
            context["problem"] = str(invalid)
        else:
            name, url = named(actor, resource, record_id)
            context |= {
                "is_answered": True,
                "exists": past.exists,
                "amount": len(past.decisions),
                "ways": ways(permission, record_id, day, past.decisions),
                "record": name,
                "record_url": url,
                "past": asked.past_words(day, past.change),
            }
    return render(request, "access/who.html", context)


def ways(permission: Permission, record_id: int, day: Day, decisions: tuple[Decision, ...]) -> list[Way]:
    """Return who may, by the way that decides; the way of most people last."""
    of_way: dict[str, list[int]] = {}
    for decision in decisions:
        of_way.setdefault(_way(decision), []).append(decision.person_id)
    shown = {person for people in of_way.values() for person in people[:NAMED]}
    people = {each.pk: each for each in asked.people().filter(pk__in=shown)}
    asking = f"{reverse('access_why')}?permission={permission.name}&number={record_id}"
    asking += f"&on={day.text}" if day.moment else ""
    return [
        Way(
            label,
            [(people[each], f"{asking}&person={each}") for each in numbers if each in people],
            len(numbers),
        )
        for label, numbers in sorted(of_way.items(), key=lambda item: len(item[1]))
    ]


def _way(decision: Decision) -> str:
    """Return in words by what a record reaches somebody: what decides of the permission that was asked about."""
    about = [cover for cover in decision.covers if cover.because or cover.share or cover.rule or cover.pool]
    cover = about[-1] if about else decision.covers[-1]
    other = _other_way(cover)
    if other:
        return str(BY_OTHER_WAYS[other])
    return str(WAYS.get(cover.because, WAYS[Scope.EVERYTHING]))


def _other_way(cover: Cover) -> str:
    if cover.delegation is not None:
        return "lent"
    if cover.glass is not None:
        return "glass"
    if cover.rule is not None:
        return "rule"
    if cover.share is not None:
        return "task" if cover.share.task else ""
    return "opened" if cover.opened else ""
