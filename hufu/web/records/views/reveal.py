"""Showing one masked value to whoever says why they need it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from hufu.access import guard
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core import money
from hufu.crm import queries, reveals
from hufu.web.passage import Passage
from hufu.web.records.forms import RevealForm
from hufu.web.records.presenters import record_url, spoken
from hufu.web.records.views.editing import sent


def reveal_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Ask why a masked value is to be seen, and show it: in the place of its mask, or as a page of its own.

    The address names the field, never the value; the answer is kept nowhere.
    """
    actor = request.actor
    name = request.GET.get("field", "")
    declared = reveals.revealable(actor, resource, record_id, name)
    form = RevealForm(sent(request), auto_id=f"reveal-{name}-%s")
    shown = None
    if request.method == "POST" and form.is_valid():
        value = reveals.reveal(actor, resource, record_id, name, reason=form.cleaned_data["reason"])
        shown = in_words(declared, value)
    current = guard.get(actor, resource.permission("view"), record_id)
    queries.record_view(actor, resource, current)
    return render(
        request,
        "records/reveal.html",
        {
            "field": declared,
            "form": form,
            "shown": shown,
            "title": getattr(current, resource.title),
            "back": record_url(resource, record_id),
        },
    )


def in_words(declared: Field, value: Any) -> str:
    """Return a value as a page shows it."""
    if value in (None, ""):
        return "—"
    match declared.kind:
        case Kind.PHONE:
            return spoken(str(value))
        case Kind.MONEY:
            return money.display(value)
        case Kind.CHOICE:
            return str(declared.choice_label(value))
        case _:
            return str(value)
