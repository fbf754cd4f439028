"""The author's own draft: what it changes in sentences, whom it would concern, and the way to a change set."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import drafting
from hufu.access.change_sets.drafts import LONGEST_TITLE
from hufu.access.change_sets.outcome import outcome_of
from hufu.access.draft_text import Change
from hufu.access.drafting import Draft
from hufu.access.policy_words import NOTHING, PolicyWords
from hufu.audit import record
from hufu.core.errors import Invalid, NotFound
from hufu.web.fields import reason_field
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.policy import presenters
from hufu.web.policy.views import in_words
from hufu.web.records.forms import show_problems


class SubmitForm(forms.Form):
    """What the change is called, and why: whoever decides reads both, and the log keeps them."""

    title = forms.CharField(label=gettext_lazy("What is it for?"), max_length=LONGEST_TITLE)
    reason = reason_field("", required=False)


@dataclass(frozen=True)
class Sentence:
    """One change of a draft: the entry that it is about, what of it, what it was and becomes."""

    place: str
    section: str
    name: str
    about: str
    before: str
    after: str


@page("role.manage", methods=("GET", "POST"), limit="lists")
def draft_page(request: Passage) -> HttpResponse:
    """Show the draft, or submit it."""
    draft = drafting.find(request.actor)
    if draft is None:
        if request.method == "POST":
            raise NotFound
        return render(request, "policy/draft.html", {"draft": None})
    form = SubmitForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = drafting.submit(request.actor, **form.cleaned_data)
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            return _submitted(request, made.number, made.version)
    record(request.actor, "policy.draft_viewed", data={"changes": len(draft.changes)})
    return render(request, "policy/draft.html", {"draft": draft, "sentences": sentences(draft), "form": form})


@page("role.manage", limit="sensitive")
def impact(request: Passage) -> HttpResponse:
    """Say whom the draft would concern and what its tests say: it is carried out, looked at and undone."""
    context: dict[str, object] = {"problems": [], "outcome": presenters.Outcome()}
    try:
        rehearsed = drafting.rehearse(request.actor)
    except Invalid as invalid:
        context["problems"] = in_words(invalid)
    else:
        context |= {
            "outcome": presenters.found(outcome_of(rehearsed)),
            "narrows": rehearsed.narrows,
            "risk": presenters.risk(rehearsed.narrows, str(rehearsed.risk)),
        }
    return render(request, "policy/impact.html", context)


@page("role.manage", methods=("POST",))
def undo(request: Passage) -> HttpResponse:
    """Take one change out of the draft."""
    drafting.undo(request.actor, request.POST.get("place", ""))
    return HttpResponseRedirect(reverse("policy_draft"))


@page("role.manage", methods=("POST",))
def discard(request: Passage) -> HttpResponse:
    """Throw the draft away."""
    drafting.discard(request.actor)
    messages.success(request, _("Your draft is discarded. What stands stays as it is."))
    return HttpResponseRedirect(reverse("roles"))


@page("role.manage", methods=("POST",))
def carry_over(request: Passage) -> HttpResponse:
    """Write the draft anew for the version that stands; say what was left out."""
    words = PolicyWords()
    for change in drafting.carry_over(request.actor):
        said = sentence(change, words)
        messages.error(
            request,
            _("Left out, as a newer version changed the same: %s.")
            % f"{said.name} · {said.about or said.section}",
        )
    messages.success(request, _("Your draft is written for the version that stands now."))
    return HttpResponseRedirect(reverse("policy_draft"))


def sentences(draft: Draft) -> list[Sentence]:
    """Return what a draft changes, in words."""
    words = PolicyWords()
    return [sentence(change, words) for change in draft.changes]


def sentence(change: Change, words: PolicyWords) -> Sentence:
    """Return one change in words."""
    name = words.entry(change.section, change.key)
    section = words.section(change.section)
    if not change.path:
        if isinstance(change.after, dict):
            # A role that is yet to be has its name in the draft alone.
            return Sentence(
                change.place, section, str(change.after.get("name", name)), "", NOTHING, _("added")
            )
        about, before, after = words.part(change.section, change.key, "", change.before, change.after)
        return Sentence(change.place, section, name, about, before, after)
    path = ".".join(change.path)
    about, before, after = words.part(change.section, change.key, path, change.before, change.after)
    return Sentence(change.place, section, name, about, before, after)


def _submitted(request: Passage, number: int, version: int) -> HttpResponse:
    if not number:
        messages.info(request, _("There was nothing to change: your draft says what stands."))
        return HttpResponseRedirect(reverse("policy"))
    if version:
        messages.success(request, _("It only takes away: version %s of the policy is published.") % version)
    else:
        messages.success(request, _("Submitted as change set %s. Somebody else decides.") % number)
    return HttpResponseRedirect(reverse("policy_change_set", args=[number]))
