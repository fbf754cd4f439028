"""Shares across the wall: what one asked for others, and what the owner of a partition decides and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import admission_requests, guard, registry, requests
from hufu.access.admission_request_models import AdmissionRequest
from hufu.access.admission_requests import Asked, State
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm import queries
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems

STATES: dict[State, tuple[str | Promise, str]] = {
    State.WAITING: (gettext_lazy("Waiting"), "amber"),
    State.OPEN: (gettext_lazy("Let across"), "green"),
    State.REJECTED: (gettext_lazy("Rejected"), "red"),
    State.WITHDRAWN: (gettext_lazy("Withdrawn"), "grey"),
    State.OVER: (gettext_lazy("Over"), "grey"),
    State.LAPSED: (gettext_lazy("Not answered"), "grey"),
}


@dataclass(frozen=True)
class Crossing:
    """A request in words; the record by its title and address for those who may view it, else by its number."""

    request: AdmissionRequest
    record: str
    address: str
    state: str | Promise = ""
    tone: str = ""
    can_be_ended: bool = False


class AnswerForm(forms.Form):
    """A word to whoever asked."""

    reason = forms.CharField(
        label=gettext_lazy("Your answer"),
        required=False,
        max_length=requests.LONGEST_REASON,
        help_text=gettext_lazy("Whoever asked reads it, and it stands in the log. To reject, say why."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def lists(actor: Actor) -> dict[str, Any]:
    """Return what the page of requests shows of shares across the wall."""
    return {
        "crossings_waiting": [_crossing(actor, row) for row in admission_requests.waiting(actor)],
        "crossings_open": [_crossing(actor, row) for row in admission_requests.let_across(actor)],
        "crossings_mine": [_of_mine(actor, asked) for asked in admission_requests.mine(actor)],
    }


@page(signed_in=True, methods=("GET", "POST"))
def crossing_page(request: Passage, number: int) -> HttpResponse:
    """Show a request to whoever owns the partition, or decide it: let the share across, or reject."""
    actor = request.actor
    asked = admission_requests.to_decide(actor, number)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        deed, words = request.POST.get("do", ""), {"person": asked.user.name}
        try:
            with transaction.atomic():
                if deed not in ("let", "reject"):
                    raise Invalid({"": [_("Choose what is to be done.")]})
                admission_requests.answer(
                    actor, number, yes=deed == "let", reason=form.cleaned_data["reason"]
                )
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(
                request,
                _(
                    "%(person)s reaches this one record from the very next click, until the day that was named."
                )
                % words
                if deed == "let"
                else _("The request is rejected, and the share is gone. Whoever asked reads your answer."),
            )
            return HttpResponseRedirect(reverse("requests"))
    return render(request, "requests/crossing.html", {"form": form, "line": _crossing(actor, asked)})


@page(signed_in=True, methods=("POST",))
def crossing_end(request: Passage, number: int) -> HttpResponse:
    """Take back what one asked for another, or end a share that one let across the wall."""
    if admission_requests.end(request.actor, number):
        messages.success(request, _("The share has ended."))
    else:
        messages.info(request, _("There was nothing to end."))
    return HttpResponseRedirect(reverse("requests"))


def _of_mine(actor: Actor, asked: Asked) -> Crossing:
    state, tone = STATES[asked.state]
    return _crossing(actor, asked.request, state, tone, asked.state in (State.WAITING, State.OPEN))


def _crossing(
    actor: Actor, row: AdmissionRequest, state: str | Promise = "", tone: str = "", can_be_ended: bool = False
) -> Crossing:
    resource = registry.resource_type(row.type)
    title = None
    if guard.may(actor, resource.permission("view")):
        title = queries.visible_titles(actor, resource, [row.record_id]).get(row.record_id)
    words = {"type": resource.label, "number": row.record_id}
    return Crossing(
        row,
        title or _("%(type)s, number %(number)s") % words,
        reverse(f"{resource.name}_record", args=[row.record_id]) if title else "",
        state,
        tone,
        can_be_ended,
    )
