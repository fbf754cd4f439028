"""The bin of a type: what lies there that one may restore, the way back, and the end."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.errors import Invalid
from hufu.crm import actions, queries
from hufu.people.models import User
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records import filters
from hufu.web.records.presenters import Cell, Presenter, moment, record_url
from hufu.web.records.views.confirm import confirm_by_name

SHOWN = ("stage", "customer", "owner")


@dataclass(frozen=True)
class Deleted:
    """One record in the bin. `purge` is empty for whoever may not delete it for good."""

    id: int
    title: str
    cells: list[Cell]
    version: int
    at: str
    by: str
    by_number: int
    restore: str
    purge: str


def bin_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the records in the bin that the actor may restore."""
    actor = request.actor
    asked = filters.read(request.GET)
    query = queries.ListQuery(search=asked.search, cursor=asked.cursor, bin=True)
    found = queries.list_records(actor, resource, query)
    fields = [resource.by_name[name] for name in SHOWN if name in resource.by_name]
    presenter = Presenter(actor, resource, found.records, short=True)
    people = dict(
        User.objects.filter(pk__in={record.deleted_by_id for record in found.records}).values_list(
            "pk", "name"
        )
    )
    purge = resource.permission("purge")
    return render(
        request,
        "records/bin.html",
        {
            "resource": resource,
            "count": queries.count_records(actor, resource, query),
            "fields": fields,
            "name_label": resource.by_name[resource.title].label,
            "rows": [
                Deleted(
                    record.pk,
                    getattr(record, resource.title),
                    presenter.cells(record, fields),
                    record.lock_version,
                    moment(record.deleted_at, short=True),
                    people.get(record.deleted_by_id, ""),
                    record.deleted_by_id or 0,
                    reverse(f"{resource.name}_restore", args=[record.pk]),
                    reverse(f"{resource.name}_purge", args=[record.pk])
                    if guard.may(actor, purge, record)
                    else "",
                )
                for record in found.records
            ],
            "page": found,
            "query": query,
            "list_url": reverse(f"{resource.name}_list"),
        },
    )


def restore(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Take a record out of the bin."""
    actor = request.actor
    try:
        with transaction.atomic():
            actions.restore_record(actor, resource, record_id, version=number(request.POST.get("version")))
    except Invalid as invalid:
        messages.error(request, " ".join(str(said) for of in invalid.problems.values() for said in of))
        return HttpResponseRedirect(reverse(f"{resource.name}_bin"))
    messages.success(request, _("%(thing)s restored.") % {"thing": resource.label})
    if queries.visible_titles(actor, resource, [record_id]):
        return HttpResponseRedirect(record_url(resource, record_id))
    return HttpResponseRedirect(reverse(f"{resource.name}_bin"))


def purge_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Ask for the record's name and a reason, and delete it for good."""
    return confirm_by_name(
        request,
        resource,
        record_id,
        verb="purge",
        deed=actions.purge_record,
        template="records/purge.html",
        done=_("“%(title)s” is deleted for good."),
        back=after_purge(request, resource),
    )


def after_purge(request: Passage, resource: ResourceType) -> str:
    """Return the bin, or the first page for whoever may purge and not restore."""
    may_restore = guard.may(request.actor, resource.permission("restore"))
    return reverse(f"{resource.name}_bin") if may_restore else reverse("home")
