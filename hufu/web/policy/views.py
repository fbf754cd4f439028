"""Change sets and versions of the policy, for whoever may view roles; decided by somebody other than the author."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import change_sets, guard, policy_file
from hufu.access.models import ChangeSet, Version
from hufu.audit import record
from hufu.core import clock
from hufu.core.errors import Invalid, NotFound, SecondFactorNeeded
from hufu.web.fields import reason_field
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.policy import presenters
from hufu.web.second_factor.proof import factors

# So long a proof of the second factor counts for what is of high risk.
FRESH = timedelta(minutes=10)
# As many as a page holds; `hufu policy history` lists all.
MOST = 100


class DecisionForm(forms.Form):
    """Why: the author reads it, and the log keeps it."""

    reason = reason_field("", required=False)


@page("role.view")
def policy_page(request: Passage) -> HttpResponse:
    """Show what waits, and the versions."""
    drafts = list(ChangeSet.objects.order_by("-number")[:MOST])
    versions = list(Version.objects.order_by("-number")[:MOST])
    names = presenters.names_of(drafts, versions)
    cards = [presenters.card(draft, names) for draft in drafts]
    by_version = {card.draft.version: card for card in cards if card.draft.version}
    record(request.actor, "policy.listed", data={"count": len(drafts)})
    return render(
        request,
        "policy/list.html",
        {
            "cards": cards,
            "versions": [
                (version, presenters.who(version.published_by, names), by_version.get(version.number))
                for version in versions
            ],
        },
    )


@page("role.view")
def change_set_page(request: Passage, number: int) -> HttpResponse:
    """Show what a change set changes, whom it concerns, and what its tests say."""
    return _shown(request, _found(request, number), DecisionForm())


@page("policy.approve", methods=("POST",), limit="sensitive")
def approve(request: Passage, number: int) -> HttpResponse:
    """Publish a change set; what is of high risk asks for a fresh second factor of whoever has one."""
    draft = _found(request, number)
    form = DecisionForm(request.POST)
    if form.is_valid():
        _require_fresh_factor(request, draft)
        try:
            version = change_sets.approve(request.actor, number, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            _add_problems(form, invalid)
        else:
            messages.success(request, _("Version %s of the policy is published.") % version)
            return HttpResponseRedirect(reverse("policy_change_set", args=[number]))
    return _shown(request, draft, form)


@page("policy.approve", methods=("POST",), limit="sensitive")
def reject(request: Passage, number: int) -> HttpResponse:
    """Refuse a change set, with a reason."""
    draft = _found(request, number)
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            change_sets.reject(request.actor, number, reason=form.cleaned_data["reason"])
        except Invalid as invalid:
            _add_problems(form, invalid)
        else:
            messages.success(request, _("Change set %s is rejected.") % number)
            return HttpResponseRedirect(reverse("policy"))
    return _shown(request, draft, form)


@page("role.manage", methods=("POST",), limit="sensitive")
def rebase(request: Passage, number: int) -> HttpResponse:
    """Write one's own change set anew for the version that stands."""
    draft = _found(request, number)
    form = DecisionForm()
    try:
        with transaction.atomic():
            made = change_sets.rebase(request.actor, number)
    except Invalid as invalid:
        return _shown(request, draft, form, problems=in_words(invalid))
    if not made.number:
        messages.info(request, _("What it changes stands already. It is withdrawn."))
        return HttpResponseRedirect(reverse("policy"))
    messages.success(
        request, _("Change set %(old)s was written anew as %(new)s.") % {"old": number, "new": made.number}
    )
    return HttpResponseRedirect(reverse("policy_change_set", args=[made.number]))


@page("role.manage", methods=("POST",))
def withdraw(request: Passage, number: int) -> HttpResponse:
    """Take one's own change set back."""
    draft = _found(request, number)
    try:
        change_sets.withdraw(request.actor, number)
    except Invalid as invalid:
        return _shown(request, draft, DecisionForm(), problems=in_words(invalid))
    messages.success(request, _("Change set %s is withdrawn.") % number)
    return HttpResponseRedirect(reverse("policy"))


def _found(request: Passage, number: int) -> ChangeSet:
    if number >= 2**31:
        raise NotFound
    return change_sets.find(request.actor, number)


def _shown(
    request: Passage, draft: ChangeSet, form: DecisionForm, *, problems: Iterable[str] = ()
) -> HttpResponse:
    actor = request.actor
    waits = draft.state == ChangeSet.State.SUBMITTED
    standing = policy_file.current_version()
    context = {
        "card": presenters.card(draft, presenters.names_of([draft])),
        "outcome": presenters.outcome(draft, _page(request)),
        "form": form,
        "problems": problems,
        "standing": standing,
        "is_stale": waits and draft.base_version != standing,
        "may_decide": waits and guard.may(actor, "policy.approve") and draft.author != actor.user_id,
        "is_mine": waits and draft.author == actor.user_id,
        "may_carry": waits and draft.author == actor.user_id and guard.may(actor, "role.manage"),
    }
    record(actor, "policy.viewed", data={"change_set": draft.number})
    return render(request, "policy/change_set.html", context)


def _page(request: Passage) -> int:
    """Return which page of the people is asked for; a broken number is the first."""
    asked = request.GET.get("people", "")
    return int(asked) if asked.isdecimal() and len(asked) < 9 else 1


def _require_fresh_factor(request: Passage, draft: ChangeSet) -> None:
    if draft.narrows or draft.risk != ChangeSet.Risk.HIGH or not factors(request.actor.user_id).exists():
        return
    proven = request.actor.context.second_factor_at
    if proven is None or proven < clock.true_time() - FRESH:
        raise SecondFactorNeeded(None, _("This change set is of high risk. Prove your second factor again."))


def in_words(invalid: Invalid) -> list[str]:
    """Return what is wrong with a document, each with its place."""
    return [
        str(message) if not place else f"{place}: {message}"
        for place, said in invalid.problems.items()
        for message in said
    ]


def _add_problems(form: DecisionForm, invalid: Invalid) -> None:
    for place, said in invalid.problems.items():
        for message in said:
            form.add_error("reason" if place == "reason" else None, str(message))
