"""Roles, to be read by the security administrator, and roles that are yet to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import company, drafting, guard, queries
from hufu.access.drafting import scopes_of
from hufu.access.policy_document.draft import LONGEST
from hufu.access.policy_document.roles import max_risk, risk_of_grants
from hufu.access.registry import Risk
from hufu.audit import record
from hufu.core.errors import Invalid
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.policy.presenters import risk_words
from hufu.web.records.forms import show_problems
from hufu.web.roles import matrix
from hufu.web.roles.role_views import administrator_label, with_draft


@dataclass(frozen=True)
class RoleLine:
    """A role in the list: what it inherits, how dangerous it is to hold, how often it is given."""

    name: str
    url: str
    description: str
    administrator: str
    inherits: str
    risk: str
    tone: str
    given: int
    number: int

    @property
    def is_drafted(self) -> bool:
        return not self.number


class NewRoleForm(forms.Form):
    """A role that is yet to be: its name, the key by which documents name it, and what it begins with."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST["name"])
    key = forms.SlugField(
        label=gettext_lazy("Key"),
        max_length=LONGEST["key"],
        help_text=gettext_lazy(
            "Documents of the policy name it so: letters, digits, - and _. It never changes."
        ),
    )
    copy_of = forms.ChoiceField(label=gettext_lazy("Begins with"), required=False)

    def __init__(self, data: Any = None, *, roles: Mapping[str, Any], copied: str = "") -> None:
        super().__init__(data, initial={"copy_of": copied if copied in roles else ""})
        choices = [(key, entry["name"]) for key, entry in roles.items()]
        cast(forms.ChoiceField, self.fields["copy_of"]).choices = [("", _("Nothing")), *choices]


@page("role.view")
def roles_page(request: Passage) -> HttpResponse:
    """Show the roles: how dangerous each is, and how often it is given."""
    actor = request.actor
    text = request.GET.get("q", "").strip()[:100]
    draft, _before, after = with_draft(request)
    numbers = dict(queries.roles(actor).prefetch_related(None).values_list("key", "pk"))
    given = Counter(queries.assignments(actor).values_list("role__key", flat=True))
    lines = [
        _line(key, entry, after["roles"], numbers, given)
        for key, entry in after["roles"].items()
        if text.casefold() in f"{entry['name']} {key}".casefold()
    ]
    record(actor, "role.listed", data={"count": len(lines)})
    may_add = guard.may(actor, drafting.PERMISSION) and (draft is None or not draft.is_stale)
    context = {
        "roles": lines,
        "text": text,
        "mode": company.mode(),
        "may_add": may_add,
        "may_give": guard.may(actor, "role.assign"),
    }
    return render(request, "roles/list.html", context)


def _line(
    key: str,
    entry: Mapping[str, Any],
    roles: Mapping[str, Any],
    numbers: Mapping[str, int],
    given: Counter[str],
) -> RoleLine:
    number = numbers.get(key, 0)
    address = reverse("role", args=[number]) if number else reverse("role_drafted", args=[key])
    return RoleLine(
        entry["name"],
        address,
        entry.get("description", ""),
        administrator_label(entry),
        _(", ").join(roles[other]["name"] for other in entry.get("inherits", ())),
        *risk_words(_risk(key, roles)),
        given[key],
        number,
    )


def _risk(key: str, roles: Mapping[str, Any]) -> Risk:
    """Return how dangerous it is to hold a role, with all that it inherits."""
    held = [roles[key], *(roles[other] for other in matrix.inherited(key, roles))]
    if any(entry.get("administrator") for entry in held):
        return Risk.HIGH
    return max_risk(
        risk_of_grants((name, scope) for name, grant in entry["grants"].items() for scope in scopes_of(grant))
        for entry in held
    )


@page("role.manage", methods=("GET", "POST"))
def new_page(request: Passage) -> HttpResponse:
    """Add a role to the draft: an empty one, or a copy of another."""
    _draft, _before, after = with_draft(request)
    form = NewRoleForm(request.POST or None, roles=after["roles"], copied=request.GET.get("copy", ""))
    if request.method == "POST" and form.is_valid():
        try:
            drafting.add_role(request.actor, **form.cleaned_data)
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            return HttpResponseRedirect(reverse("role_drafted", args=[form.cleaned_data["key"]]))
    return render(request, "roles/new.html", {"form": form})


@page("role.view")
def compare_page(request: Passage) -> HttpResponse:
    """Show what two roles permit differently, with all that they inherit."""
    _draft, _before, after = with_draft(request)
    roles = after["roles"]
    one, other = (request.GET.get(name, "") for name in ("one", "other"))
    both = one in roles and other in roles
    record(request.actor, "role.compared", data={"roles": [one, other] if both else []})
    context = {
        "roles": [(key, entry["name"]) for key, entry in roles.items()],
        "one": one,
        "other": other,
        "lines": matrix.compared(roles, one, other) if both else None,
        "names": [roles[key]["name"] for key in (one, other)] if both else [],
    }
    return render(request, "roles/compare.html", context)
