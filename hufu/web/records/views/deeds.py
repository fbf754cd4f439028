"""What is done to a record as a whole: it changes its owner or its partition, it goes to the bin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.models import Partition
from hufu.access.registry import ResourceType
from hufu.core.errors import Conflict, Invalid
from hufu.crm import actions, queries
from hufu.crm.actions import FormerOwner
from hufu.people.models import User
from hufu.web import toasts
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records import pickers
from hufu.web.records.forms import MoveForm, TransferForm, show_problems
from hufu.web.records.presenters import record_url
from hufu.web.records.views.editing import sent


def transfer_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show who may become the owner, or give the record to them."""
    actor = request.actor
    record = guard.get(actor, resource.permission("transfer"), record_id)
    form = TransferForm(sent(request), initial={"former_owner": "", "keep_department": ""})
    conflict = "version" in form.errors
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                actions.transfer_record(
                    actor,
                    resource,
                    record_id,
                    to=wanted["to"],
                    reason=wanted["reason"],
                    version=wanted["version"],
                    former_owner=FormerOwner(wanted["former_owner"]),
                    keep_department=bool(wanted["keep_department"]),
                )
        except Invalid as invalid:
            show_problems(form, invalid)
        except Conflict:
            conflict = True
        else:
            to = User.objects.get(pk=wanted["to"])
            messages.success(
                request,
                _("“%(title)s” now belongs to %(name)s.")
                % {"title": getattr(record, resource.title), "name": to.name},
            )
            return HttpResponseRedirect(still_there(request, resource, record_id))
    return deed_page(
        request,
        resource,
        record,
        form,
        "transfer",
        conflict=conflict,
        chosen=chosen_people(form["to"].value()),
        choices=[
            pickers.person_choice(person)
            for person in list(actions.possible_owners(actor, record.partition_id)[: pickers.OFFERED])
            if person.pk != record.owner_id
        ],
    )


def move_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show to which partition a record may move, and who may own it there; or move it."""
    actor = request.actor
    record = guard.get(actor, resource.permission("move_partition"), record_id)
    places = Partition.objects.filter(id__in=guard.creatable_partitions(actor, resource)).exclude(
        pk=record.partition_id
    )
    form = MoveForm([(str(place.pk), place.name) for place in places.order_by("id")], sent(request))
    conflict = "version" in form.errors
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                actions.move_record(
                    actor,
                    resource,
                    record_id,
                    to=int(wanted["partition"]),
                    owner=wanted["owner"],
                    reason=wanted["reason"],
                    version=wanted["version"],
                )
        except Invalid as invalid:
            show_problems(
                form, Invalid({_MOVED.get(name, name): said for name, said in invalid.problems.items()})
            )
        except Conflict:
            conflict = True
        else:
            messages.success(
                request, _("“%(title)s” was moved.") % {"title": getattr(record, resource.title)}
            )
            return HttpResponseRedirect(still_there(request, resource, record_id))
    return deed_page(
        request,
        resource,
        record,
        form,
        "move",
        conflict=conflict,
        chosen=chosen_people(form["owner"].value()),
    )


# The deed's names for what the form calls otherwise.
_MOVED = {"to": "partition"}


def deed_page(
    request: Passage,
    resource: ResourceType,
    record: Any,
    form: forms.Form,
    deed: str,
    *,
    conflict: bool,
    **context: Any,
) -> HttpResponse:
    """Show the form of a deed on a record; it shows the record, and that is a view."""
    queries.record_view(request.actor, resource, record)
    return render(
        request,
        f"records/{deed}.html",
        {
            "resource": resource,
            "record": record,
            "title": getattr(record, resource.title),
            "form": form,
            "conflict": conflict,
            "owners_url": reverse(f"{resource.name}_owners"),
            "list_url": reverse(f"{resource.name}_list"),
            "back": record_url(resource, record.pk),
            **context,
        },
        status=409 if conflict else 200,
    )


def chosen_people(value: Any) -> list[pickers.Choice]:
    """Return whom a form names, to be shown as chosen."""
    people = User.objects.select_related("main_department").filter(pk=number(value))
    return [pickers.person_choice(person, chosen=True) for person in people]


def still_there(request: Passage, resource: ResourceType, record_id: int) -> str:
    """Return the record's page, or the list where the deed took the record out of the actor's sight."""
    if queries.visible_titles(request.actor, resource, [record_id]):
        return record_url(resource, record_id)
    return reverse(f"{resource.name}_list")


def delete(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Put a record into the bin. The page of the record asks first; the next page offers the way back."""
    actor = request.actor
    version = number(request.POST.get("version"))
    back = after_delete(request, resource, record_id)
    actions.delete_record(actor, resource, record_id, version=version)
    said = _("%(thing)s deleted.") % {"thing": resource.label}
    if guard.scope(actor, resource.permission("restore")).filter(pk=record_id).exists():
        undo = reverse(f"{resource.name}_restore", args=[record_id])
        toasts.say_undoable(request, said, undo=undo, version=version + 1)
    else:
        messages.success(request, said)
    return HttpResponseRedirect(back)


def after_delete(request: Passage, resource: ResourceType, record_id: int) -> str:
    """Return where one goes when a record is gone: to what it belonged to, or to the list."""
    parent = resource.parent_type
    if parent is None:
        return reverse(f"{resource.name}_list")
    record = guard.get(request.actor, resource.permission("delete"), record_id)
    parent_id = getattr(record, resource.by_name[resource.parent].column)
    return reverse(f"{parent.name}_{resource.name}_list", args=[parent_id])
