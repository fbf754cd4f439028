"""What the retention rules propose of a type, to whoever may do what they propose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.access.registry import ResourceType
from hufu.core.errors import NotFound
from hufu.crm import retention
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.records.presenters import moment, record_url


@dataclass(frozen=True)
class Proposal:
    """One record: what it is called, since when the rule counts, and where the deed is confirmed."""

    id: int
    title: str
    since: str
    page: str
    deed: str


def retention_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the proposals, and put chosen ones into the bin."""
    if request.method == "POST":
        return _put_into_bin(request, resource)
    found = retention.proposals(request.actor, resource)
    return render(
        request,
        "records/retention.html",
        {
            "resource": resource,
            "name_label": resource.by_name[resource.title].label,
            "groups": [
                {
                    "rule": each.rule,
                    "more": each.more,
                    "rows": [_proposal(resource, each.rule, row) for row in each.records],
                    "chooses": each.rule.verb == "delete",
                }
                for each in found
            ],
            "shown": retention.SHOWN,
            "list_url": reverse(f"{resource.name}_list"),
        },
    )


def _proposal(resource: ResourceType, rule: retention.Rule, row: Any) -> Proposal:
    deed = "" if rule.verb == "delete" else reverse(f"{resource.name}_{rule.verb}", args=[row.pk])
    return Proposal(
        row.pk,
        getattr(row, resource.title),
        moment(row.since, short=False),
        "" if row.deleted_at else record_url(resource, row.pk),
        f"{deed}?retention={rule.key}" if deed else "",
    )


def _put_into_bin(request: Passage, resource: ResourceType) -> HttpResponse:
    rule = next((each for each in retention.rules(resource) if each.verb == "delete"), None)
    if rule is None:
        raise NotFound(_("There is no such page, or you may not view it."))
    chosen = [number(value, largest=LARGEST_ID) for value in request.POST.getlist("record")]
    gone = retention.put_into_bin(request.actor, rule, chosen)
    if not chosen:
        messages.info(request, _("Choose what is to go into the bin first."))
    else:
        messages.success(
            request,
            ngettext("%d record is in the bin now.", "%d records are in the bin now.", gone) % gone,
        )
    if gone < len(chosen):
        messages.info(request, _("What is not proposed any more was left where it is."))
    return HttpResponseRedirect(reverse(f"{resource.name}_retention"))
