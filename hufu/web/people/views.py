"""People and departments, to be read by the system administrator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import chain

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import answers, giving, guard
from hufu.audit import Subject, Target, record
from hufu.core.errors import Invalid, NotFound
from hufu.people.models import Department, Status, User
from hufu.staffing.second_factors import reset_second_factors
from hufu.web.accounts.browsers import shown_devices
from hufu.web.accounts.sessions import shown_sessions
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.people import directory
from hufu.web.people.person import profile
from hufu.web.second_factor.proof import factors

PAGE = 50
TONES = {Status.ACTIVE: "green", Status.SUSPENDED: "amber", Status.LEFT: "grey"}


@dataclass
class Node:
    """A department with those below it, and how many people have it as their main department."""

    department: Department
    people: int
    below: list[Node] = field(default_factory=list)


@page("user.view", limit="lists")
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
    manages = guard.may(request.actor, "user.manage")
    limits_access = guard.may(request.actor, "role.manage")
    may_give = person.pk != request.actor.user_id and giving.may_give_any(request.actor)
    shows_roles = may_give or guard.may(request.actor, "role.view")
    manages_somebody_else = manages and person.pk != request.actor.user_id
    return render(
        request,
        "people/person.html",
        {
            "profile": shown,
            "person": person,
            "may_give": may_give and person.status == Status.ACTIVE,
            "shows_roles": shows_roles,
            "given": giving.given_by_name(person.pk) if shows_roles else [],
            "may_explain": answers.explains(request.actor),
            "may_suspend": manages_somebody_else,
            "reset": manages_somebody_else and factors(person.pk).exists(),
            "sessions": shown_sessions(request, person.pk) if manages else [],
            "devices": shown_devices(request, person.pk) if manages or limits_access else [],
            "may_forget": manages,
            "may_end_trust": limits_access,
        },
    )


@page("user.manage", methods=("POST",), limit="sensitive")
def reset_second_factors_page(request: Passage, number: int) -> HttpResponse:
    """Remove somebody's second factors, with a reason."""
    try:
        reset_second_factors(request.actor, number, reason=request.POST.get("reason", ""))
    except Invalid as wrong:
        for problem in chain.from_iterable(wrong.problems.values()):
            messages.error(request, problem)
    else:
        messages.success(request, _("The second factors are reset, and all sessions of the person ended."))
    return HttpResponseRedirect(reverse("person", args=[number]))


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
