"""The list of a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from hufu.access import guard
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core.actor import Actor
from hufu.crm import queries, retention
from hufu.web.passage import Passage
from hufu.web.records import columns, filters
from hufu.web.records.access import may_create
from hufu.web.records.presenters import Presenter

# What one wants to see first is the largest and the latest; of names the first.
LATEST_FIRST = {Kind.MONEY, Kind.INTEGER, Kind.DATE, Kind.TIMESTAMP}


def list_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the records that the actor may view, filtered, sorted, in pages."""
    actor = request.actor
    query = filters.read(request.GET)
    found = queries.list_records(actor, resource, query)
    fields = columns.shown(request, resource)
    on = filters.controls(actor, resource, query, chosen_only=True)
    owner = query.filters.get("owner", ())
    return render(
        request,
        "records/list.html",
        {
            "resource": resource,
            "count": queries.count_records(actor, resource, query),
            "rows": Presenter(actor, resource, found.records, short=True).rows(fields, deeds=True),
            "columns": [heading(actor, resource, declared, query.sort) for declared in fields],
            "left_out": [str(each.label) for each in queries.leaves_out(actor, resource, query)],
            "column_choices": columns.choices(resource, fields),
            "page": found,
            "query": query,
            "chips": filters.chips(request.GET, on),
            "is_narrowed": bool(query.search or any(query.filters.values())),
            "is_mine": list(owner) == [str(actor.user_id)],
            "without_search": filters.without(request.GET, "q"),
            "kept_by_search": _kept(request, lambda name: name not in ("q", "cursor")),
            "filters_url": f"{reverse(f'{resource.name}_filters')}{filters.without(request.GET)}",
            "may_create": may_create(actor, resource),
            "bin_url": reverse(f"{resource.name}_bin")
            if guard.may(actor, resource.permission("restore"))
            else "",
            "check_url": reverse(f"{resource.name}_check")
            if resource.has("check_duplicate") and guard.may(actor, resource.permission("check_duplicate"))
            else "",
            "retention_url": reverse(f"{resource.name}_retention")
            if retention.rules(resource)
            and guard.may(actor, resource.permission(retention.seen_by(resource)))
            else "",
            "new_url": reverse(f"{resource.name}_new"),
            "owners_url": _owners_url(resource),
        },
    )


def filters_panel(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show what a list can be narrowed to: asked for when the panel opens, for a company may have many departments."""
    query = filters.read(request.GET)
    return render(
        request,
        "records/filters.html",
        {
            "controls": filters.controls(request.actor, resource, query),
            "list_url": reverse(f"{resource.name}_list"),
            "owners_url": _owners_url(resource),
            "is_narrowed": any(query.filters.values()),
            "kept": _kept(request, lambda name: name in ("q", "sort")),
        },
    )


def _kept(request: Passage, keeps: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Return what of the address a form sends along."""
    return [
        (name, value) for name in request.GET for value in request.GET.getlist(name) if value and keeps(name)
    ]


def _owners_url(resource: ResourceType) -> str:
    return "" if resource.parent else reverse(f"{resource.name}_owners")


def heading(actor: Actor, resource: ResourceType, declared: Field, sort: str) -> dict[str, Any]:
    """Return a column's heading, and the sort that a click on it asks for."""
    sortable = declared.sort is not None and guard.readable(actor, resource, declared) is not None
    current = sort or resource.default_sort
    is_current = current.removeprefix("-") == declared.name
    descending = current.startswith("-")
    downwards = not descending if is_current else declared.kind in LATEST_FIRST
    return {
        "field": declared,
        "is_number": declared.kind is Kind.MONEY,
        "sort": "" if not sortable else f"-{declared.name}" if downwards else declared.name,
        "direction": ("descending" if descending else "ascending") if is_current else "",
    }
