"""The main facts of a record in a drawer beside a list, and the small change that one makes there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.fields import FieldAccess
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.crm import actions, queries, values
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records import columns
from hufu.web.records.presenters import Presenter, Row, record_url
from hufu.web.records.views import consents
from hufu.web.records.views.record import about, facts, marks

# What says in a drawer whose a record is.
BELONGING = ("owner", "department", "customer", "updated_at")


def drawer(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show the main facts of one record: a fragment for the drawer, and a view like that of its page."""
    record = queries.get_record(request.actor, resource, record_id)
    return drawer_of(request, resource, record)


def change_stage(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Give a record another stage, by the deed that its form uses. What went wrong is said in the drawer."""
    actor = request.actor
    record = guard.get(actor, resource.permission("edit"), record_id)
    wanted = str(request.POST.get("stage", ""))
    problems: list[str] = []
    conflict = False
    try:
        with transaction.atomic():
            read = values.parse_all(resource, {"stage": wanted}, creating=False)
            actions.edit_record(actor, resource, record_id, read, version=number(request.POST.get("version")))
    except Invalid as invalid:
        problems = [str(message) for messages in invalid.problems.values() for message in messages]
    except Conflict:
        if not is_fragment(request):
            raise
        conflict = True
    else:
        if not is_fragment(request):
            return HttpResponseRedirect(record_url(resource, record_id))
    record = guard.get(actor, resource.permission("view"), record_id)
    queries.record_view(actor, resource, record)
    is_done = not problems and not conflict
    return drawer_of(
        request,
        resource,
        record,
        said=_("Stage changed.") if is_done else "",
        problems=problems,
        conflict=conflict,
        row=shown_row(request, resource, record) if is_done else None,
        status=409 if conflict else 400 if problems else 200,
    )


def drawer_of(
    request: Passage, resource: ResourceType, record: Any, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Return the drawer's content. It stays in the drawer whatever the status is."""
    actor = request.actor
    presenter = Presenter(actor, resource, [record])
    belonging = [resource.by_name[name] for name in BELONGING if name in resource.by_name]
    response = render(
        request,
        "records/drawer.html",
        {
            **about(actor, resource, record),
            "marks": marks(presenter, record),
            "cells": [cell for cell in presenter.cells(record, facts(resource)) if not cell.is_blank],
            "belonging": [cell for cell in presenter.cells(record, belonging) if not cell.is_blank],
            "stages": stages(actor, resource, record),
            "consents": [
                each for each in consents.in_words(actor, resource, record.pk) if each.withdrawn_at is None
            ]
            if resource.is_person
            else [],
            **context,
        },
        status=status,
    )
    if status != 200:
        response.headers["HX-Retarget"] = "#drawer-body"
        response.headers["HX-Reselect"] = ".drawer-inner"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def stages(actor: Actor, resource: ResourceType, record: Any) -> list[tuple[str, str, bool]]:
    """Return the stages to choose from: value, label, current. None where this person may not change it."""
    declared = resource.by_name.get("stage")
    if declared is None or not guard.may(actor, resource.permission("edit"), record):
        return []
    if guard.fields(actor, resource, record)["stage"] is not FieldAccess.EDITABLE:
        return []
    return [(value, str(label), value == record.stage) for value, label in declared.choices]


def shown_row(request: Passage, resource: ResourceType, record: Any) -> Row:
    """Return the record as a row of this browser's list, to take the place of the one before the change."""
    fields = columns.shown(request, resource)
    try:
        on_list = urlsplit(request.headers.get("HX-Current-URL", "")).path == reverse(f"{resource.name}_list")
    except ValueError:
        on_list = False
    if not on_list:
        fields = columns.beside_parent(fields)
    return Presenter(request.actor, resource, [record], short=True).rows(fields, deeds=True)[0]


def is_fragment(request: Passage) -> bool:
    """Say whether a part of a page is asked for, by htmx."""
    return request.headers.get("HX-Request") == "true"
