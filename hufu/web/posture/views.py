"""How well rights are kept, for whoever may view roles: findings in numbers and lists, each with the deed beside it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.models import Administrator, Admission, Assignment, ChangeSet, Role
from hufu.access.pending_models import PendingChange
from hufu.access.request_models import AccessRequest
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.days import end_words
from hufu.core.errors import NotFound
from hufu.people.models import User
from hufu.staffing.pending_words import Names
from hufu.staffing.posture import KINDS, Finding, Item, Looking
from hufu.web import principals
from hufu.web.pages import page
from hufu.web.passage import Passage

# So many of a finding stand on the first page, and so many on a page of its own.
FIRST = 5
PAGE = 50


@dataclass(frozen=True)
class Line:
    """One thing to look at, in words; `deed` is the way to what can be done, where there is one."""

    name: str
    note: str | Promise = ""
    deed: str = ""
    url: str = ""


@dataclass(frozen=True)
class Section:
    """A finding with the first of what it is about."""

    finding: Finding
    lines: list[Line]

    @property
    def more(self) -> bool:
        return self.finding.count > len(self.lines)


@page("role.view", limit="lists")
def posture_page(request: Passage) -> HttpResponse:
    """Show all findings, the first of each, and the number that they make."""
    looking = Looking(request.actor)
    posture = looking.posture()
    lines = _Lines(request.actor)
    sections = [
        Section(
            finding,
            [lines.of(item) for item in looking.items(finding.kind.key, 0, FIRST)] if finding.count else [],
        )
        for finding in posture.findings
    ]
    record(
        request.actor, "posture.viewed", data={"count": sum(bool(each.count) for each in posture.findings)}
    )
    return render(
        request,
        "posture/page.html",
        {
            "posture": posture,
            "sections": sections,
            "tone": "green" if posture.score >= 80 else "amber" if posture.score >= 50 else "red",
            "administrators": [
                (Administrator(kind).label, people) for kind, people in posture.administrators.items()
            ],
            "may_view_people": guard.may(request.actor, "user.view"),
        },
    )


@page("role.view", limit="lists")
def finding_page(request: Passage, key: str) -> HttpResponse:
    """Show all of one finding, in pages."""
    kind = next((kind for kind in KINDS if kind.key == key), None)
    if kind is None:
        raise NotFound
    looking = Looking(request.actor)
    count = looking.count(key)
    pages = max(1, -(-count // PAGE))
    asked = request.GET.get("page", "")
    number = min(max(int(asked) if asked.isdecimal() and len(asked) < 9 else 1, 1), pages)
    lines = _Lines(request.actor)
    record(request.actor, "posture.viewed", data={"count": count})
    return render(
        request,
        "posture/finding.html",
        {
            "kind": kind,
            "count": count,
            "lines": [lines.of(item) for item in looking.items(key, (number - 1) * PAGE, PAGE)],
            "page": number,
            "pages": pages,
        },
    )


class _Lines:
    """What is to be looked at in words, with the deed that the actor may do."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._gives = guard.may(actor, "role.assign")
        self._people = guard.may(actor, "user.view")
        self._names: Names | None = None

    def of(self, item: Item) -> Line:
        """Return one thing in words."""
        about = item.about
        if isinstance(about, User):
            note = item.note
            if not note and about.last_login is not None:
                day = date_format(localtime(about.last_login), "DATE_FORMAT")
                note = _("last signed in %(day)s") % {"day": day}
            if self._people:
                return Line(about.name, note, _("Open the person"), reverse("person", args=[about.pk]))
            return Line(about.name, note)
        if isinstance(about, (Assignment, Admission)):
            return self._given(about)
        if isinstance(about, Role):
            return Line(about.name, item.note, _("Look at the role"), reverse("role", args=[about.pk]))
        if isinstance(about, PendingChange):
            self._names = self._names or Names()
            url = f"{reverse('pending_review')}?n={about.pk}"
            return Line(self._names.what(about), "", *((_("Release or refuse"), url) if self._gives else ()))
        if isinstance(about, AccessRequest):
            return Line(about.user.name, about.reason, _("Answer requests"), reverse("requests"))
        if isinstance(about, ChangeSet):
            url = reverse("policy_change_set", args=[about.number])
            return Line(about.title, "", _("Look at change sets"), url)
        return Line(str(item.note))

    def _given(self, row: Assignment | Admission) -> Line:
        name, kind = principals.words(row)
        what = row.role.name if isinstance(row, Assignment) else row.partition.name
        note = _("ends %(end)s") % {"end": end_words(row.ends_at)} if row.ends_at else kind
        if self._gives and isinstance(row, Assignment) and row.user_id != self._actor.user_id:
            url = reverse("roles_given_until", args=[row.pk])
            return Line(f"{what} → {name}", note, _("Change the end"), url)
        return Line(f"{what} → {name}", note)
