"""The addresses of every registered business type; each names its permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path

from hufu.access.registry import ResourceType, resource_types
from hufu.crm.attachments import ATTACHED_TO
from hufu.crm.retention import IDLE_TYPES, seen_by
from hufu.web.addresses import plural
from hufu.web.pages import page
from hufu.web.records import pickers
from hufu.web.records.children import children
from hufu.web.records.views import (
    attachments,
    bin,
    consents,
    deeds,
    drawer,
    duplicates,
    editing,
    lists,
    persons,
    pools,
    record,
    retention,
    reveal,
    shares,
    states,
    tabs,
)
from hufu.web.requests.views import ask_page, join_page

READ, WRITE, DEED = ("GET",), ("GET", "POST"), ("POST",)


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
        limit: str = "",
    ) -> URLPattern:
        bound: Any = update_wrapper(partial(view, resource=resource), view)
        declare = page(resource.permission(verb), of_record=of_record, methods=methods, limit=limit)
        return path(f"{base}/{address}", declare(bound), name=f"{resource.name}_{suffix}")

    one = "<record:record_id>/"
    each = [
        route("", "list", lists.list_page, "view", limit="lists"),
        route("filters", "filters", lists.filters_panel, "view", limit="lists"),
        route("new", "new", editing.create_page, "create", methods=WRITE),
        route("pick", "pick", pickers.records, "view", limit="search"),
        route(
            "proposed/",
            "retention",
            retention.retention_page,
            seen_by(resource),
            methods=WRITE if resource.name in IDLE_TYPES else READ,
            limit="lists",
        ),
        route("bin/", "bin", bin.bin_page, "restore", limit="lists"),
        route(one, "record", record.record_page, "view", of_record=True),
        route(f"{one}drawer", "drawer", drawer.drawer, "view", of_record=True),
        route(f"{one}edit", "edit", editing.edit_page, "edit", of_record=True, methods=WRITE),
        route(f"{one}delete", "delete", deeds.delete, "delete", of_record=True, methods=DEED),
        route(f"{one}restore", "restore", bin.restore, "restore", of_record=True, methods=DEED),
        route(f"{one}purge", "purge", bin.purge_page, "purge", of_record=True, methods=WRITE),
        _asking(resource),
    ]
    for child, _reference in children(resource):
        show = update_wrapper(partial(tabs.children, child=child.name), tabs.children)
        each.append(route(f"{one}{plural(child.name)}", f"{child.name}_list", show, "view", of_record=True))
    if resource.has("reveal"):
        each.append(
            route(
                f"{one}reveal",
                "reveal",
                reveal.reveal_page,
                "reveal",
                of_record=True,
                methods=WRITE,
                limit="sensitive",
            )
        )
    if resource.has("check_duplicate"):
        each += [
            route(
                # Whether it is open, the page says itself: where no check is left it still shows what waits.
                "check",
                "check",
                duplicates.check_page,
                "check_duplicate",
                of_record=True,
                methods=WRITE,
                limit="sensitive",
            ),
            route("check/dispute", "dispute", duplicates.dispute, "check_duplicate", methods=DEED),
            route(
                "check/join/<record:hit>",
                "join",
                join_page,
                "check_duplicate",
                methods=WRITE,
                limit="sensitive",
            ),
            route("duplicates/", "duplicates", duplicates.duplicates_page, "steward", limit="lists"),
            route("duplicates/decide", "duplicate_decide", duplicates.decide, "steward", methods=DEED),
            route("duplicates/answer", "dispute_answer", duplicates.answer, "steward", methods=DEED),
        ]
    if "stage" in resource.by_name:
        each.append(route(f"{one}stage", "stage", drawer.change_stage, "edit", of_record=True, methods=DEED))
    if resource.is_person:
        each += [
            route(
                f"{one}copy",
                "disclose",
                persons.disclose_page,
                "disclose",
                of_record=True,
                methods=WRITE,
                limit="sensitive",
            ),
            route(f"{one}erase", "erase", persons.erase_page, "erase", of_record=True, methods=WRITE),
            route(f"{one}consents", "consents", consents.consents_tab, "view", of_record=True),
            route(f"{one}consents/give", "consent_give", consents.give, "edit", of_record=True, methods=DEED),
            route(
                f"{one}consents/withdraw",
                "consent_withdraw",
                consents.withdraw,
                "edit",
                of_record=True,
                methods=DEED,
            ),
        ]
    if resource.name in ATTACHED_TO:
        each += [
            route(f"{one}files", "files", attachments.files_tab, "view", of_record=True),
            route(
                f"{one}files/add",
                "file_add",
                attachments.add,
                "edit",
                of_record=True,
                methods=DEED,
                limit="files",
            ),
            route(
                f"{one}files/open", "file_open", attachments.download, "view", of_record=True, limit="files"
            ),
            route(
                f"{one}files/remove", "file_remove", attachments.remove, "edit", of_record=True, methods=DEED
            ),
        ]
    for deed in states.DEEDS:
        if resource.has(deed.verb):
            ask = update_wrapper(partial(states.state_page, verb=deed.verb), states.state_page)
            undo = update_wrapper(partial(states.take_back, back=deed.back), states.take_back)
            each += [
                route(f"{one}{deed.verb}", deed.verb, ask, deed.verb, of_record=True, methods=WRITE),
                route(f"{one}{deed.back}", deed.back, undo, deed.verb, of_record=True, methods=DEED),
            ]
    if resource.parent:
        return each
    if resource.pooled:
        each += [
            route(f"{one}release", "release", pools.release_page, "transfer", of_record=True, methods=WRITE),
            route(f"{one}claim", "claim", pools.claim, "claim", of_record=True, methods=DEED),
        ]
    return [
        *each,
        route("owners", "owners", pickers.owners, "view", limit="search"),
        route(f"{one}transfer", "transfer", deeds.transfer_page, "transfer", of_record=True, methods=WRITE),
        route(f"{one}move", "move", deeds.move_page, "move_partition", of_record=True, methods=WRITE),
        route(f"{one}team", "team", tabs.team, "view", of_record=True),
        route(f"{one}team/add", "team_add", tabs.add_member, "share", of_record=True, methods=DEED),
        route(f"{one}team/remove", "team_remove", tabs.remove_member, "view", of_record=True, methods=DEED),
        route(f"{one}share", "share", shares.share_page, "share", of_record=True, methods=WRITE),
        route(f"{one}share/end", "share_end", shares.end_share, "view", of_record=True, methods=DEED),
        route(f"{one}who", "who", tabs.who, "view", of_record=True),
    ]


def _asking(resource: ResourceType) -> URLPattern:
    """Return the address at which everybody asks for access to a record, whatever its number."""
    bound: Any = update_wrapper(partial(ask_page, resource=resource), ask_page)
    declare = page(signed_in=True, methods=WRITE, limit="sensitive")
    return path(f"{plural(resource.name)}/<typed:number>/ask", declare(bound), name=f"{resource.name}_ask")


urlpatterns = [route for resource in resource_types() for route in routes_of(resource)]
