"""Shares across the wall: what reaches oneself, what one asked for others, what a partition's owner decides."""

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

from hufu.access import admission_requests, registry, requests
from hufu.access.admission_request_models import AdmissionRequest
from hufu.access.admission_requests import State
from hufu.access.models import RecordShare
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm import queries
from hufu.people.models import User
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
    address: str = ""
    state: str | Promise = ""
    tone: str = ""
    can_be_ended: bool = False


@dataclass(frozen=True)
class Received:
    """A share that reaches its reader across a wall, in words."""

    share: RecordShare
    record: str
    address: str
    giver: str
    owner: str


class AnswerForm(forms.Form):
    """A word to whoever asked."""

    reason = forms.CharField(
        label=gettext_lazy("Your answer"),
        required=False,
        max_length=requests.LONGEST_REASON,
        help_text=gettext_lazy(
            "Whoever asked reads it and, if you let the share across, whoever may edit the record, in its timeline. "
            "It stands in the log. To reject, say why."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )


def lists(actor: Actor) -> dict[str, Any]:
    """Return what the page of requests shows of shares across the wall."""
    waiting, let = admission_requests.waiting(actor), admission_requests.let_across(actor)
    asked, received = admission_requests.mine(actor), list(admission_requests.to_me(actor))
    rows: list[AdmissionRequest | RecordShare] = [
        *waiting,
        *let,
        *(each.request for each in asked),
        *received,
    ]
    titles = queries.titles_of(actor, {(row.type, row.record_id) for row in rows})
    return {
        "crossings_waiting": [_crossing(row, titles) for row in waiting],
        "crossings_open": [_crossing(row, titles) for row in let],
        "crossings_mine": [
            _crossing(
                each.request,
                titles,
                *STATES[each.state],
                can_be_ended=each.state in (State.WAITING, State.OPEN),
            )
            for each in asked
        ],
        "crossings_to_me": _received(received, titles),
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
    titles = queries.titles_of(actor, [(asked.type, asked.record_id)])
    return render(request, "requests/crossing.html", {"form": form, "line": _crossing(asked, titles)})


@page(signed_in=True, methods=("POST",))
def crossing_end(request: Passage, number: int) -> HttpResponse:
    """Take back what one asked for another, or end a share that one let across the wall."""
    if admission_requests.end(request.actor, number):
        messages.success(request, _("The share has ended."))
    else:
        messages.info(request, _("There was nothing to end."))
    return HttpResponseRedirect(reverse("requests"))


def _crossing(
    row: AdmissionRequest,
    titles: queries.Titles,
    state: str | Promise = "",
    tone: str = "",
    can_be_ended: bool = False,
) -> Crossing:
    return Crossing(row, *_named(row.type, row.record_id, titles), state, tone, can_be_ended)


def _received(shares: list[RecordShare], titles: queries.Titles) -> list[Received]:
    owners = {row.pk: row.across_by or 0 for row in shares}
    people = {*owners.values(), *(row.given_by for row in shares)}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name")) if people else {}
    return [
        Received(
            row,
            *_named(row.type, row.record_id, titles),
            names.get(row.given_by, _("The system")),
            names.get(owners[row.pk], _("The system")),
        )
        for row in shares
    ]


def _named(type_name: str, number: int, titles: queries.Titles) -> tuple[str, str]:
    """Return a record in words and its address: for those who may view it, else its number."""
    title = titles.get((type_name, number))
    if title:
        return title, reverse(f"{type_name}_record", args=[number])
    words = {"type": registry.resource_type(type_name).label, "number": number}
    return _("%(type)s, number %(number)s") % words, ""
