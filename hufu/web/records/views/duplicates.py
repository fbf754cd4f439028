"""The duplicate check (查重), and the steward's list."""

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

from hufu.access import guard, quotas
from hufu.access.decision.decide import Code
from hufu.access.registry import ResourceType
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.crm import duplicates, queries
from hufu.crm.duplicate_models import Duplicate, DuplicateDispute
from hufu.people.models import User
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records.forms import show_problems
from hufu.web.records.presenters import moment, record_url
from hufu.web.records.views.editing import sent
from hufu.web.requests.disputes import disputes_of

STATES = (
    ("", gettext_lazy("To be looked at")),
    (Duplicate.State.MERGE, gettext_lazy("To be merged")),
    (Duplicate.State.NOT_ONE, gettext_lazy("No duplicates")),
)


class CheckForm(forms.Form):
    """What is looked for."""

    text = forms.CharField(
        label=gettext_lazy("Whole name, code or phone"),
        max_length=200,
        help_text=gettext_lazy(
            "Exactly as it is: a part finds nothing. Spaces in a phone or code do not matter. A phone may be that of a "
            "contact."
        ),
    )


@dataclass(frozen=True)
class Hit:
    """What is told of one record; `title` and `url` where the asker may view it."""

    id: int
    by: str
    facts: list[tuple[str, str]]
    title: str = ""
    url: str = ""
    at: str = ""
    disputed: bool = False
    join_url: str = ""


@dataclass(frozen=True)
class Shown:
    """One record of the steward's list."""

    number: int
    title: str
    url: str
    facts: list[tuple[str, str]]


def check_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Ask for a name, code or phone, and tell what a check tells. It is sent, not linked to: it counts."""
    actor = request.actor
    form = CheckForm(sent(request))
    found: list[Hit] | None = None
    mine: list[duplicates.Found] = []
    used_up = ""
    try:
        guard.authorize(actor, resource.permission("check_duplicate"))
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                found = _hits(actor, resource, duplicates.check(actor, resource, form.cleaned_data["text"]))
        mine = duplicates.my_hits(actor, resource)
    except Invalid as invalid:
        show_problems(form, invalid)
        mine = duplicates.my_hits(actor, resource)
    except Denied as denied:
        if not _is_used_up(denied):
            raise
        used_up = str(denied)
        if request.method == "POST" and denied.event:
            record(actor, **denied.event)
    just_now = {hit.id for hit in found or ()}
    return render(
        request,
        "records/check.html",
        {
            "resource": resource,
            "form": form,
            "found": found,
            "used_up": used_up,
            "disputes": [each for each in disputes_of(actor) if each.is_open and each.type == resource.name],
            "recent": [hit for hit in _hits(actor, resource, mine) if hit.id not in just_now],
            "standing": quotas.standing(actor, resource.permission("check_duplicate")),
            "list_url": reverse(f"{resource.name}_list"),
            "dispute_url": reverse(f"{resource.name}_dispute"),
            "duplicates_url": _url_if(actor, resource, "steward", "duplicates"),
        },
        status=403 if used_up and request.method == "POST" else 200,
    )


def _is_used_up(denied: Denied) -> bool:
    """Say whether nothing but a quota is in the way of somebody who holds the permission."""
    missing = denied.decision.missing if denied.decision is not None else ()
    return bool(missing) and all(link.code is Code.QUOTA_EXHAUSTED for link in missing)


def dispute(request: Passage, resource: ResourceType) -> HttpResponse:
    """Take down that somebody disputes what a check of theirs found."""
    try:
        with transaction.atomic():
            hit, reason = number(request.POST.get("hit")), request.POST.get("reason", "")
            duplicates.dispute(request.actor, resource, hit, reason=reason)
    except Invalid as invalid:
        messages.error(request, _said(invalid))
    else:
        messages.success(request, _("Disputed. Whoever looks after duplicates sees it, with your reason."))
    return HttpResponseRedirect(reverse(f"{resource.name}_check"))


def duplicates_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the steward what looks alike, and what is disputed."""
    actor = request.actor
    state = request.GET.get("state", "")
    state = state if state in Duplicate.State.values else ""
    pairs = duplicates.pairs(actor, resource, state=state)
    disputes = duplicates.disputes(actor, resource)
    people = dict(
        User.objects.filter(pk__in={row.raised_by for row, _side in disputes}).values_list("pk", "name")
    )
    return render(
        request,
        "records/duplicates.html",
        {
            "resource": resource,
            "states": [(value, label, value == state) for value, label in STATES],
            "marks": [(value, label) for value, label in STATES if value != state],
            "pairs": [
                {
                    "id": pair.row.pk,
                    "field": resource.by_name[pair.row.field].label,
                    "at": moment(pair.row.found_at, short=True),
                    "sides": [_shown(resource, side) for side in (pair.first, pair.second)],
                }
                for pair in pairs
            ],
            "disputes": [
                {
                    "id": row.pk,
                    "by": people.get(row.raised_by, ""),
                    "by_number": row.raised_by,
                    "at": moment(row.raised_at, short=True),
                    "reason": row.reason,
                    "side": _shown(resource, side),
                }
                for row, side in disputes
            ],
            "outcomes": DuplicateDispute.Outcome.choices,
            "list_url": reverse(f"{resource.name}_list"),
            "decide_url": reverse(f"{resource.name}_duplicate_decide"),
            "answer_url": reverse(f"{resource.name}_dispute_answer"),
        },
    )


def decide(request: Passage, resource: ResourceType) -> HttpResponse:
    """Mark a pair."""
    state = request.POST.get("state", "")
    try:
        with transaction.atomic():
            duplicates.decide(request.actor, resource, number(request.POST.get("pair")), state=state)
    except Invalid as invalid:
        messages.error(request, _said(invalid))
    else:
        messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse(f"{resource.name}_duplicates"))


def answer(request: Passage, resource: ResourceType) -> HttpResponse:
    """Close a dispute."""
    try:
        with transaction.atomic():
            said, dispute_id = request.POST.get("answer", ""), number(request.POST.get("dispute"))
            outcome = request.POST.get("outcome", "")
            duplicates.answer_dispute(request.actor, resource, dispute_id, outcome=outcome, answer=said)
    except Invalid as invalid:
        messages.error(request, _said(invalid))
    else:
        messages.success(request, _("Saved. Whoever disputed it reads your answer under Access requests."))
    return HttpResponseRedirect(reverse(f"{resource.name}_duplicates"))


def _url_if(actor: Actor, resource: ResourceType, verb: str, page: str) -> str:
    if not resource.has(verb) or not guard.may(actor, resource.permission(verb)):
        return ""
    return reverse(f"{resource.name}_{page}")


def _hits(actor: Actor, resource: ResourceType, found: list[duplicates.Found]) -> list[Hit]:
    titles = queries.visible_titles(actor, resource, [one.record for one in found if one.record])
    return [
        Hit(
            one.hit,
            duplicates.fields_in_words(resource, one.fields),
            duplicates.facts_in_words(resource, one.told),
            titles.get(one.record, "") if one.record else "",
            record_url(resource, one.record) if one.record else "",
            moment(one.at, short=True) if one.at else "",
            one.disputed,
            reverse(f"{resource.name}_join", args=[one.hit]),
        )
        for one in found
    ]


def _shown(resource: ResourceType, side: duplicates.Side) -> Shown:
    return Shown(
        side.number,
        side.title or "",
        record_url(resource, side.number) if side.title is not None else "",
        duplicates.facts_in_words(resource, side.facts),
    )


def _said(invalid: Invalid) -> str:
    return " ".join(str(message) for messages_of in invalid.problems.values() for message in messages_of)
