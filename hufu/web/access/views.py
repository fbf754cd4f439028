"""What somebody holds, and how two people differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hufu.access import answers, explain, guard, registry
from hufu.access.answers import Rights
from hufu.access.decision.effective import held, places
from hufu.access.decision.terms import Right
from hufu.access.registry import Permission
from hufu.core.errors import Invalid
from hufu.people.models import Status, User
from hufu.web.access import asked, matrix
from hufu.web.access.asked import Day
from hufu.web.access.matrix import Cell, Source
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people.views import TONES
from hufu.web.records.pickers import Choice


@page(signed_in=True)
def rights_page(request: Passage, number: int) -> HttpResponse:
    """Show what somebody holds: to themselves, to those above them, to whoever explains rights also of another day."""
    actor = request.actor
    day = asked.day(request)
    chosen = asked.permission(request)
    rights, problem = _rights(request, number, day, chosen)
    person = asked.people().filter(pk=number).first()
    if person is None:
        raise answers.unknown(number)
    explains = answers.explains(actor)
    context = {
        **shown(rights, chosen, request),
        "person": person,
        "status": (Status(person.status).label, TONES[Status(person.status)]),
        "is_oneself": person.pk == actor.user_id,
        "explains": explains,
        "sees_people": guard.may(actor, "user.view"),
        "day": day,
        "problem": day.problem or problem,
        "past": asked.past_words(day, rights.change if rights else None),
    }
    return render(request, "access/rights.html", context)


def _rights(request: Passage, number: int, day: Day, chosen: Permission | None) -> tuple[Rights | None, str]:
    """Return the rights, or none and what is wrong with the day."""
    if day.problem:
        # Whoever may not ask is told nothing about days either.
        answers.rights_of(request.actor, number)
        return None, day.problem
    try:
        about = chosen.name if chosen else ""
        return answers.rights_of(request.actor, number, day.moment, about=about), ""
    except Invalid as invalid:
        return None, str(invalid)


def shown(rights: Rights | None, chosen: Permission | None, request: Passage) -> dict[str, Any]:
    """Return what the parts of a page about somebody's rights know."""
    text = request.GET.get("find", "").strip()[: asked.LONGEST]
    known = rights is not None and rights.person is not None
    return {
        "rights": rights,
        "find": text,
        "was_there": known or rights is None,
        "is_active": rights.person.active if rights is not None and rights.person is not None else True,
        "picture": matrix.picture(
            rights.snapshot, rights.person, chosen=chosen.name if chosen else "", text=text
        )
        if rights is not None and rights.person is not None
        else None,
    }


@dataclass(frozen=True)
class Difference:
    """A permission that two people hold differently, with where each has it from."""

    label: str
    cells: tuple[Cell, Cell]
    sources: tuple[list[Source], list[Source]]


@dataclass(frozen=True)
class Side:
    """One of the two people."""

    name: str
    label: str
    person: User | None
    found: list[Choice]
    text: str


@page("explain.any", limit="lists")
def compare_page(request: Passage) -> HttpResponse:
    """Show what two people hold differently, and where each has it from."""
    day = asked.day(request)
    sides = [_side(request, "one", _("One person")), _side(request, "other", _("The other"))]
    one, other = (side.person for side in sides)
    context: dict[str, Any] = {"sides": sides, "day": day, "problem": day.problem}
    if one is not None and other is not None and not day.problem:
        try:
            both = answers.rights_of_two(request.actor, one.pk, other.pk, day.moment)
        except Invalid as invalid:
            context["problem"] = str(invalid)
        else:
            context |= {
                "past": asked.past_words(day, both[0].change),
                "absent": [
                    side.person.name
                    for side, rights in zip(sides, both, strict=True)
                    if rights.person is None and side.person is not None
                ],
                "is_answered": True,
            }
            context |= differences(*both)
    return render(request, "access/compare.html", context)


def _side(request: Passage, name: str, label: str) -> Side:
    person = asked.person(request, name)
    text = request.GET.get(f"find_{name}", "").strip()[: asked.LONGEST]
    return Side(name, label, person, asked.people_found(text, chosen=person), text)


def differences(one: Rights, other: Rights) -> dict[str, Any]:
    """Return the permissions and partitions that two people hold differently, and how many they hold alike."""
    if one.person is None or other.person is None:
        return {}
    people = ((one.snapshot, one.person), (other.snapshot, other.person))
    found, alike = [], 0
    for permission in registry.permissions():
        cells = [matrix.cell(snapshot, person, permission) for snapshot, person in people]
        if (cells[0].text, cells[0].notes) == (cells[1].text, cells[1].notes):
            alike += held(*people[0], permission.name).is_held
            continue
        sources = [matrix.look(*each, permission.name).sources for each in people]
        found.append(Difference(str(permission.label), (cells[0], cells[1]), (sources[0], sources[1])))
    there = [{place.partition_id: place.rights for place in places(*each)} for each in people]
    partitions = [
        (
            one.snapshot.partition_names.get(number, str(number)),
            [_rights_words(each.get(number, frozenset())) for each in there],
        )
        for number in sorted({*there[0], *there[1]})
        if there[0].get(number) != there[1].get(number)
    ]
    return {"differences": found, "partitions": partitions, "alike": alike}


def _rights_words(rights: frozenset[Right]) -> list[str]:
    return [str(explain.RIGHT_LABELS[right]) for right in Right if right in rights]


@page("explain.any", limit="search")
def people_page(request: Passage) -> HttpResponse:
    """Offer people to choose from: a fragment for the forms that ask about somebody."""
    name = request.GET.get("name", "")
    found = asked.people_found(request.GET.get(f"find_{name}", "")[: asked.LONGEST])
    return render(
        request,
        "records/choices.html",
        {"choices": found, "name": name if name in ("one", "other", "person") else "person"},
    )
