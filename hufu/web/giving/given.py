"""Who holds which role, found by person, role and end; in pages of a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hufu.access import guard, queries
from hufu.access.explain import RIGHT_LABELS
from hufu.access.models import Assignment, Role
from hufu.audit import Subject, record
from hufu.core import clock
from hufu.core.text import is_storable
from hufu.web import principals
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.pages import page
from hufu.web.passage import Passage

PAGE = 50
# Of admissions so many are listed.
MOST = 200
SOON = timedelta(days=14)
ENDS: dict[str, str | Promise] = {
    "": _("Any end"),
    "soon": _("Ends within 14 days"),
    "never": _("Without an end"),
    "over": _("Has ended"),
}


@dataclass(frozen=True)
class Asked:
    """What is looked for."""

    text: str
    role: int
    ends: str

    @classmethod
    def of(cls, request: Passage) -> Asked:
        """Return what a request asks for; what it misspells is not asked."""
        ends = request.GET.get("ends", "")
        return cls(
            request.GET.get("q", "").strip()[:100],
            number(request.GET.get("role")),
            ends if ends in ENDS else "",
        )

    def narrowed(self, rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
        """Return those that are looked for."""
        if self.text:
            rows = rows.filter(_names(self.text)) if is_storable(self.text) else rows.none()
        if self.role:
            rows = rows.filter(role_id=self.role)
        now = clock.now()
        match self.ends:
            case "soon":
                rows = rows.filter(ends_at__gt=now, ends_at__lte=now + SOON)
            case "never":
                rows = rows.filter(ends_at=None)
            case "over":
                rows = rows.filter(ends_at__lte=now)
        return rows


def _names(text: str) -> Q:
    """Return the condition that a role, or to whom it is given, is called so."""
    found = Q(role__name__icontains=text) | Q(user__name__startswith=text)
    found |= Q(user__name_sort__startswith=text.lower()) | Q(user__username__startswith=text)
    for kind in ("group", "department", "position", "level"):
        found |= Q(**{f"{kind}__name__icontains": text})
    return found


@page("role.view", limit="lists")
def given_page(request: Passage) -> HttpResponse:
    """Show who holds which role, and who is admitted where."""
    actor = request.actor
    asked = Asked.of(request)
    matching = asked.narrowed(queries.assignments(actor))
    after = number(request.GET.get("cursor"), largest=LARGEST_ID)
    ordered = matching.order_by("-id")
    found = list((ordered.filter(pk__lt=after) if after else ordered)[: PAGE + 1])
    shown = found[:PAGE]
    admissions = [(row, *principals.words(row), rights(row)) for row in queries.admissions(actor)[: MOST + 1]]
    record(
        actor,
        "assignment.listed",
        subject=Subject("user", actor.user_id),
        data={"count": len(shown) + len(admissions)},
    )
    return render(
        request,
        "roles/given.html",
        {
            "assignments": [(row, *principals.words(row)) for row in shown],
            "count": matching.count(),
            "asked": asked,
            "roles": Role.objects.order_by("name", "id"),
            "ends": ENDS.items(),
            "next_cursor": shown[-1].pk if len(found) > PAGE else "",
            "is_later_page": bool(after),
            "admissions": admissions[:MOST],
            "more_admissions": len(admissions) > MOST,
            "may_give": guard.may(actor, "role.assign"),
            "now": clock.now(),
        },
    )


def rights(row: Any) -> list[str | Promise]:
    """Return the rights of an admission in words."""
    return [RIGHT_LABELS[right] for right in RIGHT_LABELS if right in queries.rights(row)]
