"""My access: what I may do and why, what ends soon, what I asked for, and whose rights I look after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import answers, delegations, requests, team_rights
from hufu.access.decision.effective import places
from hufu.access.decision.snapshot import PersonFacts, Snapshot
from hufu.access.models import RecordShare
from hufu.access.registry import resource_type
from hufu.access.requests import State
from hufu.access.team_rights import Ending
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.crm import queries
from hufu.people.models import Status, User
from hufu.web.access import asked
from hufu.web.access.views import shown
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people import directory

TEAM = 24
SHARES = 20


@dataclass(frozen=True)
class Line:
    """Something of one's own that ends: what, when, and where it is."""

    kind: str
    name: str
    ends_at: datetime
    url: str = ""


@dataclass(frozen=True)
class Below:
    """Somebody of one's team, and what of theirs ends soon."""

    person: User
    endings: list[Ending]


@page(signed_in=True)
def my_access_page(request: Passage) -> HttpResponse:
    """Show everybody their own rights with where they come from, what ends, what they asked for, and their team."""
    actor = request.actor
    rights = answers.rights_of(actor, actor.user_id)
    assert rights.person is not None
    ends = sorted(ending(actor, rights.snapshot, rights.person), key=lambda line: line.ends_at)
    mine = requests.mine(actor)
    return render(
        request,
        "access/mine.html",
        {
            **shown(rights, asked.permission(request), request),
            **team(request),
            "person": request.user,
            "is_oneself": True,
            "explains": answers.explains(actor),
            "ends": ends,
            "soon": clock.now() + team_rights.SOON,
            "waiting": sum(each.state is State.WAITING for each in mine),
            "to_decide": requests.how_many_wait(actor),
            "lent": delegations.given(actor),
        },
    )


def ending(actor: Actor, snapshot: Snapshot, person: PersonFacts) -> Iterator[Line]:
    """Yield what one holds and what ends: roles, partitions, what colleagues lent, records that were shared."""
    for given in snapshot.given_to(person, "assignments"):
        if given.ends_at is not None and given.role_id is not None:
            yield Line(_("Role"), snapshot.roles[given.role_id].name, given.ends_at)
    for place in places(snapshot, person):
        for given in place.gifts:
            if given.ends_at is not None:
                yield Line(_("Partition"), snapshot.partition_names[place.partition_id], given.ends_at)
    for lent in delegations.received(actor):
        yield Line(_("Delegation"), lent.delegator.name, lent.ends_at, reverse("my_delegations"))
    yield from _shared(actor)


def _shared(actor: Actor) -> Iterator[Line]:
    """Yield the records that were shared with the actor by name until a day, and that they view."""
    rows = RecordShare.objects.filter(user_id=actor.user_id, ends_at__gt=clock.now()).order_by(
        "ends_at", "id"
    )
    found = list(rows[:SHARES])
    titles = queries.titles_of(actor, {(row.type, row.record_id) for row in found})
    for row in found:
        title = titles.get((row.type, row.record_id))
        if title is not None and row.ends_at is not None:
            label = str(resource_type(row.type).label)
            yield Line(label, title, row.ends_at, reverse(f"{row.type}_record", args=[row.record_id]))


def team(request: Passage) -> dict[str, Any]:
    """Return the people below the one who asks, those first of whom something ends soon; nothing for most."""
    below = team_rights.below(request.actor)
    if not below:
        return {"team": None}
    endings: dict[int, list[Ending]] = {}
    for each in team_rights.endings():
        endings.setdefault(each.user_id, []).append(each)
    text = request.GET.get("find_team", "").strip()[: asked.LONGEST]
    people = directory.narrowed(asked.people().filter(pk__in=below).exclude(status=Status.LEFT), text)
    first = list(people.filter(pk__in=endings)[:TEAM])
    rest = list(people.exclude(pk__in=endings)[: TEAM - len(first)])
    return {
        "team": [Below(person, endings.get(person.pk, [])) for person in (*first, *rest)],
        "team_count": people.count(),
        "find_team": text,
    }
