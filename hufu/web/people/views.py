"""People and departments, to be read by the system administrator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from hufu.audit import Subject, Target, record
from hufu.core.errors import NotFound
from hufu.people.models import Department, Status, User
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people import directory
from hufu.web.people.person import profile

PAGE = 50
TONES = {Status.ACTIVE: "green", Status.SUSPENDED: "amber", Status.LEFT: "grey"}


@dataclass
class Node:
    """A department with those below it, and how many people have it as their main department."""

    department: Department
    people: int
    below: list[Node] = field(default_factory=list)


@page("user.view")
def people_page(request: Passage) -> HttpResponse:
    """Show the accounts, in pages, by name."""
    actor = request.actor
    text = request.GET.get("q", "").strip()[:100]
    after = request.GET.get("cursor", "")
    everybody = User.objects.select_related("main_department", "manager", "level__ladder")
    matching = directory.narrowed(everybody, text)
    found = list(directory.after(matching, after).order_by("name_sort", "id")[: PAGE + 1])
    shown = found[:PAGE]
    record(
        actor,
        "user.listed",
        subject=Subject("user", actor.user_id),
        data={
            "filter": ["search"] if text else [],
            "search": len(text),
            "count": len(shown),
        },
        personal={"values": {"search": [text]}} if text else {},
    )
    return render(
        request,
        "people/list.html",
        {
            "count": matching.count(),
            "people": [
                (person, Status(person.status).label, TONES[Status(person.status)]) for person in shown
            ],
            "text": text,
            "next_cursor": directory.cursor(shown[-1]) if len(found) > PAGE else "",
            "is_later_page": bool(after),
        },
    )


@page("user.view")
def person_page(request: Passage, number: int) -> HttpResponse:
    """Show one person: facts, groups, positions, posts, direct reports."""
    person = (
        User.objects.select_related("main_department", "manager", "level__ladder").filter(pk=number).first()
    )
    if person is None:
        raise NotFound(_("There is no such page, or you may not view it."))
    record(request.actor, "user.viewed", target=Target("user", person.pk), subject=Subject("user", person.pk))
    shown = profile(person, TONES[Status(person.status)])
    return render(request, "people/person.html", {"profile": shown, "person": person})


@page("user.view")
def departments_page(request: Passage) -> HttpResponse:
    """Show the tree of departments."""
    people = Counter(User.objects.filter(status=Status.ACTIVE).values_list("main_department_id", flat=True))
    nodes = {row.pk: Node(row, people[row.pk]) for row in Department.objects.order_by("id")}
    record(request.actor, "department.listed", data={"count": len(nodes)})
    roots: list[Node] = []
    for node in nodes.values():
        siblings = nodes[node.department.parent_id].below if node.department.parent_id else roots
        siblings.append(node)
    return render(request, "people/departments.html", {"roots": roots, "count": len(nodes)})
