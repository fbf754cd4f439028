"""The addresses of every registered business type; each names its permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, register_converter

from hufu.access.registry import ResourceType, resource_types
from hufu.web.numbers import RecordNumber
from hufu.web.pages import page
from hufu.web.records import pickers
from hufu.web.records.views import deeds, editing, lists, record

register_converter(RecordNumber, "record")
READ, WRITE = ("GET",), ("GET", "POST")


def routes_of(resource: ResourceType) -> list[URLPattern]:
    """Return the addresses of one type: list, record, deeds, and the pickers that its forms use."""
    base = plural(resource.name)

    def route(
        address: str,
        suffix: str,
        view: Callable[..., HttpResponseBase],
        verb: str,
        *,
        of_record: bool = False,
        methods: tuple[str, ...] = READ,
    ) -> URLPattern:
        bound: Any = update_wrapper(partial(view, resource=resource), view)
        declare = page(resource.permission(verb), of_record=of_record, methods=methods)
        return path(f"{base}/{address}", declare(bound), name=f"{resource.name}_{suffix}")

    each = [
        route("", "list", lists.list_page, "view"),
        route("new", "new", editing.create_page, "create", methods=WRITE),
        route("pick", "pick", pickers.records, "view"),
        route("<record:record_id>/", "record", record.record_page, "view", of_record=True),
        route("<record:record_id>/drawer", "drawer", record.drawer, "view", of_record=True),
        route("<record:record_id>/edit", "edit", editing.edit_page, "edit", of_record=True, methods=WRITE),
        route(
            "<record:record_id>/delete", "delete", deeds.delete, "delete", of_record=True, methods=("POST",)
        ),
    ]
    if "stage" in resource.by_name:
        each.append(
            route(
                "<record:record_id>/stage",
                "stage",
                record.change_stage,
                "edit",
                of_record=True,
                methods=("POST",),
            )
        )
    if resource.parent:
        return each
    return [
        *each,
        route("owners", "owners", pickers.owners, "view"),
        route(
            "<record:record_id>/transfer",
            "transfer",
            deeds.transfer_page,
            "transfer",
            of_record=True,
            methods=WRITE,
        ),
    ]


def plural(name: str) -> str:
    """Return the English plural that stands in addresses."""
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


urlpatterns = [route for resource in resource_types() for route in routes_of(resource)]
