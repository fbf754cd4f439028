"""One version of the policy: what it changed, and the way back to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import change_sets, guard, policy_file
from hufu.access.change_sets.differences import differences
from hufu.access.models import ChangeSet, Version
from hufu.access.policy_words import PolicyWords
from hufu.audit import record
from hufu.core.errors import Invalid, NotFound
from hufu.web.fields import reason_field
from hufu.web.numbers import LARGEST
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.policy import presenters
from hufu.web.policy.views import in_words


class ReturnForm(forms.Form):
    """Why, and what becomes of roles that came later and are given to somebody."""

    reason = reason_field("")
    end_assignments = forms.BooleanField(
        label=gettext_lazy("Roles that came later go, also where somebody holds them"), required=False
    )


@page("role.view")
def version_page(request: Passage, number: int) -> HttpResponse:
    """Show what a version changed."""
    return _shown(request, _found(number), ReturnForm())


@page("role.manage", methods=("POST",), limit="sensitive")
def roll_back(request: Passage, number: int) -> HttpResponse:
    """Submit what a version said: a change set like any other."""
    version = _found(number)
    form = ReturnForm(request.POST)
    problems: list[str] = []
    if form.is_valid():
        try:
            with transaction.atomic():
                made = change_sets.roll_back(request.actor, number, **form.cleaned_data)
        except Invalid as invalid:
            problems = in_words(invalid)
        else:
            return _submitted(request, made)
    return _shown(request, version, form, problems)


def _submitted(request: Passage, made: change_sets.Submitted) -> HttpResponse:
    if not made.number:
        messages.info(request, _("There is nothing to change: this is what stands."))
        return HttpResponseRedirect(reverse("policy"))
    if made.version:
        messages.success(
            request, _("It only takes away: version %s of the policy is published.") % made.version
        )
    else:
        messages.success(request, _("Submitted as change set %s. Somebody else decides.") % made.number)
    return HttpResponseRedirect(reverse("policy_change_set", args=[made.number]))


def _found(number: int) -> Version:
    version = Version.objects.filter(number=number).first() if number <= LARGEST else None
    if version is None:
        raise NotFound
    return version


def _shown(request: Passage, version: Version, form: ReturnForm, problems: Any = ()) -> HttpResponse:
    standing = policy_file.current_version()
    made_by = ChangeSet.objects.filter(version=version.number).defer("document", "outcome").first()
    names = presenters.names_of([made_by] if made_by else [], [version])
    record(request.actor, "policy.version_viewed", data={"version": version.number})
    return render(
        request,
        "policy/version.html",
        {
            "version": version,
            "who": presenters.who(version.published_by, names),
            "card": presenters.card(made_by, names) if made_by else None,
            "lines": _lines(version.number),
            "standing": standing,
            "form": form,
            "problems": problems,
            "may_return": version.number != standing and guard.may(request.actor, "role.manage"),
        },
    )


def _lines(number: int) -> list[presenters.Line] | None:
    """Return what a version changed of the one before; None where that was not kept, or nothing came before."""
    try:
        before, after = change_sets.text_of(number - 1), change_sets.text_of(number)
    except Invalid:
        return None
    words = PolicyWords()
    return [presenters.line(found, words) for found in differences(before, after)]
