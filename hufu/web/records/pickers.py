"""What the pickers of forms offer, as fragments of a page: records that one may view, people who may own."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from hufu.access import reach
from hufu.access.decision.terms import Right
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.errors import NotFound
from hufu.crm import actions, queries
from hufu.people.models import User
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.people import directory

OFFERED = 12


@dataclass(frozen=True)
class Choice:
    """One thing to pick."""

    value: int
    label: str
    note: str = ""
    is_person: bool = False
    chosen: bool = False


def records(request: Passage, resource: ResourceType) -> HttpResponse:
    """Offer records that the actor may view and that the search box finds."""
    actor = request.actor
    found = queries.find(actor, resource, request.GET.get("q", "")[:100], limit=OFFERED)
    choices = [Choice(record.pk, getattr(record, resource.title)) for record in found]
    return _offer(request, choices)


def owners(request: Passage, resource: ResourceType) -> HttpResponse:
    """Offer colleagues; with a partition, those who may own a record there."""
    actor = request.actor
    text = request.GET.get("q", "")[:100]
    partition = request.GET.get("partition", "")
    if partition:
        people = actions.possible_owners(actor, readable_partition(actor, partition))
    else:
        people = User.objects.select_related("main_department").order_by("name_sort", "id")
    return _offer(request, [person_choice(person) for person in directory.narrowed(people, text)[:OFFERED]])


def person_choice(person: User, *, chosen: bool = False) -> Choice:
    """Return a colleague as something to pick."""
    department = person.main_department.name if person.main_department else ""
    return Choice(person.pk, person.name, " · ".join(filter(None, (department, person.title))), True, chosen)


def readable_partition(actor: Actor, text: str) -> int:
    """Return the partition that a request names, or raise NotFound: it is checked, never trusted."""
    readable = {number for term in reach.terms(actor) for number in term.partitions[Right.READ]}
    if number(text) not in readable:
        raise NotFound
    return number(text)


def _offer(request: Passage, choices: list[Choice]) -> HttpResponse:
    name = request.GET.get("name", "")
    return render(
        request,
        "records/choices.html",
        {"choices": choices, "name": name if name.isidentifier() else "to", "searched": True},
    )
