"""The page of one record: its facts, and beside them, in tabs, what happened, what belongs to it, who sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core.actor import Actor
from hufu.crm import actions, queries
from hufu.crm.attachments import ATTACHED_TO, attachments
from hufu.crm.consents import consents
from hufu.crm.queries import ListQuery
from hufu.crm.timeline import timeline
from hufu.web.passage import Passage
from hufu.web.records import moments
from hufu.web.records.children import children
from hufu.web.records.presenters import Cell, Presenter
from hufu.web.records.views import states

DEEDS = ("edit", "transfer", "move", "delete")
# The permission of a deed, where it is called otherwise.
VERBS = {"move": "move_partition"}
MARKS = ("stage", "customer_level", "decision_role")


@dataclass(frozen=True)
class Tab:
    """One of the tabs of a record's page."""

    name: str
    label: str
    url: str
    count: int | None = None


def record_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show one record, and what happened to it."""
    record = queries.get_record(request.actor, resource, record_id)
    told = timeline(request.actor, resource, record_id, cursor=request.GET.get("before", ""))
    return tabbed(
        request,
        resource,
        record,
        "timeline",
        {
            "lines": moments.lines(request.actor, resource, record, told.entries),
            "next_cursor": told.next_cursor,
        },
    )


def tabbed(
    request: Passage,
    resource: ResourceType,
    record: Any,
    tab: str,
    context: dict[str, Any],
    *,
    template: str = "",
    status: int = 200,
) -> HttpResponse:
    """Return the page of a record with one of its tabs open."""
    actor = request.actor
    presenter = Presenter(actor, resource, [record])
    return render(
        request,
        "records/record.html",
        {
            **about(actor, resource, record),
            "marks": marks(presenter, record),
            "state_notices": list(states.notices(actor, resource, record)),
            "state_buttons": list(states.buttons(actor, resource, record)),
            "cells": presenter.cells(record, facts(resource)),
            "system_cells": presenter.cells(
                record, [declared for declared in resource.fields if declared.system]
            ),
            "list_url": reverse(f"{resource.name}_list"),
            "tabs": tabs(actor, resource, record),
            "tab": tab,
            "tab_template": f"records/tabs/{template or tab}.html",
            **context,
        },
        status=status,
    )


def tabs(actor: Actor, resource: ResourceType, record: Any) -> list[Tab]:
    """Return the tabs that this person may open."""

    def url(name: str) -> str:
        return reverse(f"{resource.name}_{name}", args=[record.pk])

    made = [Tab("timeline", _("Timeline"), url("record"))]
    for child, reference in children(resource):
        if guard.may(actor, child.permission("view")):
            of_this = ListQuery(filters={reference.name: [str(record.pk)]})
            amount = queries.count_records(actor, child, of_this)
            made.append(Tab(child.name, str(child.label_plural), url(f"{child.name}_list"), amount))
    if resource.is_person:
        standing = [each for each in consents(actor, resource, record.pk) if each.withdrawn_at is None]
        made.append(Tab("consents", _("Consents"), url("consents"), len(standing)))
    if resource.name in ATTACHED_TO:
        made.append(Tab("files", _("Files"), url("files"), len(attachments(actor, resource, record.pk))))
    if resource.has("share"):
        colleagues = queries.team(actor, resource, record.pk)
        given = queries.shares(actor, resource, record.pk)
        made.append(Tab("team", _("Team and shares"), url("team"), len(colleagues) + len(given)))
        if guard.may_inside(actor, resource.permission("edit"), record):
            made.append(Tab("who", _("Who can see this"), url("who")))
    return made


def about(actor: Actor, resource: ResourceType, record: Any) -> dict[str, Any]:
    """Return what every shape of a record knows: its title, and the deeds that this person may do."""
    deeds = [name for name in DEEDS if resource.has(VERBS.get(name, name))]
    pages = ["record", *(["stage"] if "stage" in resource.by_name else []), *deeds]
    may = {name: guard.may(actor, resource.permission(VERBS.get(name, name)), record) for name in deeds}
    if resource.pooled:
        pages += ["release", "claim"]
        may |= {
            "release": actions.may_release(actor, resource, record),
            "claim": actions.may_claim(actor, resource, record),
        }
    return {
        "resource": resource,
        "record": record,
        "title": getattr(record, resource.title),
        "may": may,
        "urls": {name: reverse(f"{resource.name}_{name}", args=[record.pk]) for name in pages},
    }


def facts(resource: ResourceType) -> list[Field]:
    """Return the fields that stand among the details of a record."""
    return [
        declared
        for declared in resource.fields
        if not declared.system and declared.name != resource.title and declared.name not in MARKS
    ]


def marks(presenter: Presenter, record: Any) -> list[Cell]:
    """Return the tags beside the title."""
    declared = [each for each in presenter.resource.fields if each.name in MARKS and each.kind is Kind.CHOICE]
    return [cell for cell in presenter.cells(record, declared) if cell.text]
