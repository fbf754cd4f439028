"""Organisation changes that would add rights and wait: looked at, released, refused, approved beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.access import change_sets, guard
from hufu.access.change_sets.rehearsal import rehearse_deed
from hufu.access.pending_models import PendingChange
from hufu.access.policy_words import PolicyWords
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.staffing.actions import pending
from hufu.staffing.combinations import combination_of
from hufu.staffing.pending_words import Names
from hufu.web.fields import reason_field
from hufu.web.giving import effects
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.pending.waiting import amount, visible
from hufu.web.records.forms import show_problems
from hufu.web.records.views.editing import sent

PAGE = 50


@dataclass(frozen=True)
class Waiting:
    """A change that waits, in words. `adds` is for those alone who release; `is_mine`: somebody else releases it."""

    row: PendingChange
    what: str
    since: str
    adds: str
    is_mine: bool


class AnswerForm(forms.Form):
    """Why. Refusing asks for a reason, releasing takes one."""

    reason = reason_field("", required=False)


class BeforehandForm(forms.Form):
    """Why a combination is approved beforehand."""

    reason = reason_field("")


@page("role.assign", of_record=True, limit="lists")
def pending_page(request: Passage) -> HttpResponse:
    """Show what waits for release."""
    actor = request.actor
    releases = _require_concerned(actor)
    after = number(request.GET.get("cursor"), largest=LARGEST_ID)
    rows = visible(actor).order_by("id")
    found = list((rows.filter(pk__gt=after) if after else rows)[: PAGE + 1])
    shown = found[:PAGE]
    record(actor, "change.listed", data={"count": len(shown)})
    return render(
        request,
        "pending/list.html",
        {
            "waiting": _in_words(actor, shown, releases),
            "count": amount(actor),
            "releases": releases,
            "may_define": releases and guard.may(actor, "role.manage"),
            "next_cursor": shown[-1].pk if len(found) > PAGE else "",
            "is_later_page": bool(after),
        },
    )


@page("role.assign", of_record=True, methods=("GET", "POST"), limit="sensitive")
def review_page(request: Passage) -> HttpResponse:
    """Show what the chosen changes would add for whom, and release or refuse them in one deed."""
    actor = request.actor
    releases = _require_concerned(actor)
    named = request.POST if request.method == "POST" else request.GET
    numbers = {number(text, largest=LARGEST_ID) for text in named.getlist("n")[:PAGE]}
    rows = list(visible(actor).filter(pk__in=numbers).order_by("id"))
    if not rows:
        messages.info(request, _("Choose one or more changes that wait."))
        return HttpResponseRedirect(reverse("pending"))
    form = AnswerForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                said = _answer(actor, rows, request.POST.get("do", ""), form.cleaned_data["reason"])
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(request, said)
            return HttpResponseRedirect(reverse("pending"))
    mine = [row for row in rows if actor.user_id in (row.asked_by, row.user_id)]
    found = None
    if releases and not mine and guard.may(actor, "role.view"):
        chosen = [row.pk for row in rows]
        try:
            found = rehearse_deed(actor, lambda: pending.release(actor, chosen))
        except Invalid as invalid:
            show_problems(form, invalid) if form.is_bound else messages.error(request, str(invalid))
        record(actor, "change.previewed", data={"count": len(rows)})
    return render(
        request,
        "pending/review.html",
        {
            "waiting": _in_words(actor, rows, releases),
            "form": form,
            "effects": None if found is None else effects.in_words(found),
            "may_release": releases and not mine,
            "mine": mine,
        },
    )


@page("role.manage", methods=("GET", "POST"), limit="sensitive")
def beforehand_page(request: Passage, number: int) -> HttpResponse:
    """Submit a change set by which such a combination need not wait any more."""
    actor = request.actor
    row = PendingChange.objects.select_related("user", "department").filter(pk=number).first()
    if row is None:
        raise NotFound
    combination = combination_of(row)
    form = BeforehandForm(sent(request))
    words = Names()
    if request.method == "POST" and form.is_valid() and combination is not None:
        reason = form.cleaned_data["reason"]
        document = {"format": 1, "approved_moves": [{**combination, "reason": reason}]}
        title = _("Approved beforehand: %s") % words.what(row)
        try:
            submitted = change_sets.submit(actor, document, title=title[:200], reason=reason)
        except Invalid as invalid:
            show_problems(form, Invalid({"": [str(invalid)]}))
        else:
            if submitted.number:
                return HttpResponseRedirect(reverse("policy_change_set", args=[submitted.number]))
            messages.info(request, _("This combination is approved already."))
            return HttpResponseRedirect(reverse("pending"))
    policy = PolicyWords()
    return render(
        request,
        "pending/beforehand.html",
        {
            "what": words.what(row),
            "adds": words.adds(row),
            "form": form,
            "combination": None
            if combination is None
            else [(policy.label(name), policy.value(name, value)) for name, value in combination.items()],
        },
    )


def _require_concerned(actor: Actor) -> bool:
    """Say whether somebody releases; raise Denied for whoever neither releases nor manages people."""
    if guard.may(actor, "role.assign"):
        return True
    if not guard.may(actor, "user.manage"):
        guard.authorize(actor, "role.assign")
    return False


def _in_words(actor: Actor, rows: list[PendingChange], releases: bool) -> list[Waiting]:
    words = Names()
    return [
        Waiting(
            row,
            words.what(row),
            words.since(row),
            words.adds(row) if releases else "",
            actor.user_id in (row.asked_by, row.user_id),
        )
        for row in rows
    ]


def _answer(actor: Actor, rows: list[PendingChange], deed: str, reason: str) -> str:
    """Release or refuse, and return what is said of it."""
    numbers: list[Any] = [row.pk for row in rows]
    if deed == "release":
        count = pending.release(actor, numbers, reason=reason.strip())
        return ngettext("%s change is released.", "%s changes are released.", count) % count
    if deed != "withdraw":
        raise NotFound
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the log keeps it.")]})
    count = pending.withdraw(actor, numbers, reason=reason.strip())
    return ngettext("%s change is refused.", "%s changes are refused.", count) % count
