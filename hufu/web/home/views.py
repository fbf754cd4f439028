"""The first page: what this person may see, and where to go on."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hufu.access import admission_requests, guard, registry, requests
from hufu.access.registry import Kind
from hufu.core.actor import Actor
from hufu.crm import queries
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.records.presenters import Presenter, Row

RECENT = 6


@dataclass(frozen=True)
class Tile:
    """How many records of a type this person may view."""

    label: str
    count: int
    url: str
    icon: str


@dataclass(frozen=True)
class Recent:
    """The records of a type that this person owns, changed last."""

    label: str
    url: str
    rows: list[Row]


@dataclass(frozen=True)
class Door:
    """Something that an administrator can do here."""

    label: str | Promise
    text: str | Promise
    url: str
    icon: str


@page(signed_in=True)
def home(request: Passage) -> HttpResponse:
    """Show counts and own records to those who work with customers, their pages to administrators."""
    actor = request.actor
    viewable = [
        resource for resource in registry.resource_types() if guard.may(actor, resource.permission("view"))
    ]
    return render(
        request,
        "home/home.html",
        {
            "tiles": [
                Tile(
                    str(resource.label_plural),
                    queries.count_records(actor, resource),
                    reverse(f"{resource.name}_list"),
                    resource.icon,
                )
                for resource in viewable
            ],
            "recent": [recent(actor, resource) for resource in viewable if not resource.parent],
            "doors": doors(actor),
            "across": admission_requests.to_me(actor).count(),
            "waiting": requests.how_many_wait(actor) + admission_requests.how_many_wait(),
        },
    )


def recent(actor: Actor, resource: registry.ResourceType) -> Recent:
    """Return what this person owns, changed last."""
    owned = {"owner": [str(actor.user_id)]}
    found = queries.list_records(actor, resource, queries.ListQuery(filters=owned, limit=RECENT))
    shown = [
        declared
        for declared in resource.fields
        if declared.in_list and declared.kind not in (Kind.USER, Kind.DEPARTMENT, Kind.PHONE)
    ]
    return Recent(
        str(resource.label_plural),
        f"{reverse(f'{resource.name}_list')}?owner={actor.user_id}",
        Presenter(actor, resource, found.records, short=True).rows(shown),
    )


def doors(actor: Actor) -> list[Door]:
    """Return the pages of an administrator."""
    offered = (
        (
            "user.view",
            _("People"),
            _("Accounts and departments, read from here; changed by the command line and by import."),
            "people",
            "sitemap",
        ),
        (
            "role.view",
            _("Roles"),
            _("What every role permits, who holds it, and who is admitted to which partition."),
            "roles",
            "shield-lock",
        ),
        (
            "audit.view",
            _("Log"),
            _("Every sign-in, list, view, change and refusal: who, when, what, without field values."),
            "log",
            "history",
        ),
    )
    return [
        Door(label, text, reverse(name), icon)
        for permission, label, text, name, icon in offered
        if guard.may(actor, permission)
    ]
