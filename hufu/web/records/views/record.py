"""The page of one record."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from hufu.access import guard
from hufu.access.registry import Kind, ResourceType
from hufu.crm import queries
from hufu.web.passage import Passage
from hufu.web.records.presenters import Presenter

DEEDS = ("edit", "transfer", "delete")


def record_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show one record."""
    actor = request.actor
    record = queries.get_record(actor, resource, record_id)
    presenter = Presenter(actor, resource, [record])
    own = [
        declared for declared in resource.fields if not declared.system and declared.name != resource.title
    ]
    marks = [
        declared
        for declared in own
        if declared.kind is Kind.CHOICE and declared.in_list and declared.name in ("stage", "customer_level")
    ]
    deeds = [verb for verb in DEEDS if resource.has(verb)]
    return render(
        request,
        "records/record.html",
        {
            "resource": resource,
            "record": record,
            "title": getattr(record, resource.title),
            "marks": [cell for cell in presenter.cells(record, marks) if cell.text],
            "cells": presenter.cells(record, [declared for declared in own if declared not in marks]),
            "system_cells": presenter.cells(
                record, [declared for declared in resource.fields if declared.system]
            ),
            "may": {verb: guard.may(actor, resource.permission(verb), record) for verb in deeds},
            "urls": {verb: reverse(f"{resource.name}_{verb}", args=[record.pk]) for verb in deeds},
            "list_url": reverse(f"{resource.name}_list"),
        },
    )
