"""Break-glass: opening records at once in an emergency, ending that, and reviewing what others opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import break_glass, registry
from hufu.access.break_glass_models import MOST_MINUTES, BreakGlass, BreakGlassUse
from hufu.access.models import Partition
from hufu.core import clock
from hufu.core.errors import Invalid
from hufu.web.fields import reason_field
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems

A_WHILE = 30


@dataclass(frozen=True)
class Use:
    """A use in words, and whether it is open still."""

    use: BreakGlassUse
    rule: str
    is_open: bool


class GlassForm(forms.Form):
    """What, for how long, why."""

    rule = forms.ChoiceField(label=gettext_lazy("Open"), widget=forms.RadioSelect)
    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"), min_value=1, max_value=MOST_MINUTES, initial=A_WHILE
    )
    reason = reason_field(gettext_lazy("It stands in the log, and whoever reviews it reads it."))

    def __init__(self, rules: Sequence[BreakGlass], data: Any) -> None:
        super().__init__(data, initial={"rule": rules[0].key if rules else ""})
        most = max((rule.minutes for rule in rules), default=MOST_MINUTES)
        minutes = self.fields["minutes"]
        minutes.initial, minutes.widget.attrs["max"] = min(A_WHILE, most), most
        self.fields["rule"].choices = [(rule.key, in_words(rule)) for rule in rules]  # type: ignore[attr-defined]


@page(signed_in=True, methods=("GET", "POST"))
def break_glass_page(request: Passage) -> HttpResponse:
    """Show what one may open, has open, and is to review; or open it."""
    actor = request.actor
    rules, mine = break_glass.rules_for(actor), break_glass.mine(actor)
    # What is open already is not opened again.
    closed = [rule for rule in rules if rule.pk not in {use.rule_id for use in mine}]
    sent = request.POST if request.method == "POST" else None
    form = GlassForm(closed if sent is None else rules, sent)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                break_glass.break_glass(
                    actor, wanted["rule"], minutes=wanted["minutes"], reason=wanted["reason"]
                )
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.warning(request, _("It is open from now on, and the administrators are told."))
            return HttpResponseRedirect(reverse("break_glass"))
    watched = break_glass.unreviewed() if break_glass.watches(actor) else []
    return render(
        request,
        "break_glass/page.html",
        {
            "form": form,
            "may_open": bool(closed) or sent is not None,
            "has_none": not rules,
            "mine": told(mine),
            "to_review": told(use for use in watched if use.user_id != actor.user_id),
            "watches": break_glass.watches(actor),
        },
    )


@page(signed_in=True, methods=("POST",))
def end(request: Passage, use: int) -> HttpResponse:
    """End what is open, as whoever opened it or watches it."""
    if break_glass.end(request.actor, use):
        messages.success(request, _("It is closed; that counts from the very next click."))
    else:
        messages.info(request, _("There was nothing to end."))
    return HttpResponseRedirect(reverse("break_glass"))


@page(signed_in=True, methods=("POST",))
def review(request: Passage, use: int) -> HttpResponse:
    """Keep what somebody found who looked at a use afterwards."""
    try:
        with transaction.atomic():
            break_glass.review(request.actor, use, finding=request.POST.get("finding", ""))
    except Invalid as invalid:
        messages.error(request, str(invalid))
    else:
        messages.success(request, _("Reviewed."))
    return HttpResponseRedirect(reverse("break_glass"))


def told(uses: Any) -> list[Use]:
    """Return uses with the names of their rules, which may be gone."""
    names = dict(BreakGlass.objects.values_list("id", "name"))
    now = clock.now()
    return [Use(use, names.get(use.rule_id, "–"), use.ends_at > now) for use in uses]


def in_words(rule: BreakGlass) -> str:
    """Return what a rule opens, where, for what and for how long."""
    types = _(", ").join(str(registry.resource_type(name).label_plural) for name in rule.types)
    places = Partition.objects.filter(pk__in=rule.partitions).values_list("name", flat=True)
    where = _(", ").join(places) if rule.partitions else _("wherever you are admitted")
    return _("%(name)s: %(types)s · %(where)s · %(access)s · at most %(minutes)s minutes") % {
        "name": rule.name,
        "types": types,
        "where": where,
        "access": BreakGlass.Access(rule.access).label,
        "minutes": rule.minutes,
    }
