"""Letting a colleague stand in, seeing for whom one stands in oneself, and ending either."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import delegations, registry
from hufu.access.delegation_models import Delegation
from hufu.access.registry import Permission
from hufu.core import clock
from hufu.core.days import DAYS, beginning_of, end_of
from hufu.core.errors import Invalid
from hufu.people.queries import find_user
from hufu.web.fields import reason_field, until_field
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems


class DelegationForm(forms.Form):
    """Who stands in, with what, from when until when, and why."""

    to = forms.CharField(
        label=gettext_lazy("Colleague"),
        max_length=150,
        help_text=gettext_lazy("The user name or mail address of whoever stands in for you."),
    )
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("May do in your stead"), widget=forms.CheckboxSelectMultiple
    )
    begins = forms.DateField(
        label=gettext_lazy("From"),
        validators=DAYS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        initial=localdate,
    )
    ends = until_field()
    reason = reason_field()

    def __init__(self, offered: tuple[Permission, ...], data: Any) -> None:
        super().__init__(data)
        self.fields["permissions"].choices = [(each.name, each.label) for each in offered]  # type: ignore[attr-defined]


@page(signed_in=True, methods=("GET", "POST"))
def my_delegations(request: Passage) -> HttpResponse:
    """Show who stands in for whom, ask for one more, or make it."""
    actor = request.actor
    form = DelegationForm(delegations.delegable(actor), request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                made = delegations.delegate(
                    actor,
                    find_user(wanted["to"]),
                    permissions=wanted["permissions"],
                    starts_at=max(beginning_of(wanted["begins"]), clock.now()),
                    ends_at=end_of(wanted["ends"]),
                    reason=wanted["reason"],
                )
        except Invalid as invalid:
            renamed = {"user": "to", "ends_at": "ends"}
            show_problems(
                form, Invalid({renamed.get(name, name): of for name, of in invalid.problems.items()})
            )
        else:
            messages.success(request, _("%s stands in for you.") % made.user.name)
            return HttpResponseRedirect(reverse("my_delegations"))
    context = {
        "form": form,
        "given": [(each, _labels(each)) for each in delegations.given(actor)],
        "received": [(each, _labels(each)) for each in delegations.received(actor)],
    }
    return render(request, "account/delegations.html", context)


@page(signed_in=True, methods=("POST",))
def end_delegation(request: Passage, delegation: int) -> HttpResponse:
    """End one, as the one who gave it or the one who stands in."""
    if delegations.end_delegation(request.actor, delegation):
        messages.success(request, _("The delegation has ended; it counts from the very next click."))
    else:
        messages.info(request, _("There was nothing to end."))
    return HttpResponseRedirect(reverse("my_delegations"))


def _labels(each: Delegation) -> list[str]:
    known = {declared.name: str(declared.label) for declared in registry.permissions()}
    return [known.get(name, name) for name in each.permissions]
