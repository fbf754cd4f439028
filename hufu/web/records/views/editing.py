"""The form of a new record and of a stored one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.models import Partition
from hufu.access.registry import Field, Kind, ResourceType, resource_type
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.core.transaction import on_behalf_of
from hufu.crm import actions, queries
from hufu.people.models import User
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.records import pickers
from hufu.web.records.forms import KEEP, RecordForm, defaults, show_problems
from hufu.web.records.presenters import record_url

SOMEBODY_ELSE = 0


def create_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the form of a new record, or add it."""
    if resource.parent:
        return create_child_page(request, resource)
    actor = request.actor
    places = list(Partition.objects.filter(id__in=guard.creatable_partitions(actor, resource)).order_by("id"))
    if not places:
        raise guard.denied(actor, resource.permission("create"))
    form = RecordForm(actor, resource, data=sent(request))
    form.initial.update({**defaults(resource), **named_references(request, resource)})
    place = chosen_place(request, resource, places)
    owner_id = chosen_owner(request, resource)
    if request.method == "POST":
        try:
            with transaction.atomic():
                new = actions.NewRecord(place.pk, owner_id, form.read())
                made = actions.create_record(actor, resource, new)
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(request, _("%(thing)s created.") % {"thing": resource.label})
            return HttpResponseRedirect(record_url(resource, made))
    return form_page(
        request,
        resource,
        form,
        place=place.pk,
        places=places,
        owner=owner_choice(request, owner_id, place)
        if guard.may_create(actor, resource, partition_id=place.pk, owner_id=SOMEBODY_ELSE)
        else None,
    )


def owner_choice(request: Passage, owner_id: int, place: Partition) -> pickers.Choice:
    """Return who is chosen as the owner: nobody yet for somebody who enters for others and may not own here."""
    chosen = shown_owner(request.actor, owner_id)
    if not request.POST.get("owner") and not actions.may_own({(chosen.pk, place.pk)}):
        return pickers.Choice(SOMEBODY_ELSE, _("Choose a colleague above"))
    return pickers.person_choice(chosen, chosen=True)


def create_child_page(request: Passage, resource: ResourceType) -> HttpResponse:
    """Show the form of a new record of a following type, or add it; the address names the parent."""
    actor = request.actor
    parent_type = resource.parent_type
    assert parent_type is not None
    parent_id = number(request.GET.get(resource.parent), largest=LARGEST_ID)
    parent = guard.get(actor, parent_type.permission("edit"), parent_id)
    form = RecordForm(actor, resource, data=sent(request))
    back = reverse(f"{parent_type.name}_{resource.name}_list", args=[parent.pk])
    if request.method == "POST":
        try:
            with transaction.atomic():
                actions.create_child(actor, resource, actions.NewChild(parent.pk, form.read()))
        except Invalid as invalid:
            show_problems(form, invalid)
        else:
            messages.success(request, _("%(thing)s created.") % {"thing": resource.label})
            return HttpResponseRedirect(back)
    queries.record_view(actor, parent_type, parent)
    return form_page(request, resource, form, back=back, parent=getattr(parent, parent_type.title))


def named_references(request: Passage, resource: ResourceType) -> dict[str, str]:
    """Return what the address chooses beforehand: the record that the new one belongs to. The picker checks it."""
    return {
        declared.name: request.GET[declared.name]
        for declared in resource.fields
        if declared.kind is Kind.REFERENCE and declared.name in request.GET
    }


def chosen_place(request: Passage, resource: ResourceType, places: list[Partition]) -> Partition:
    """Return the partition that the request names, or the first; another is refused."""
    actor = request.actor
    named = request.POST.get("partition", "")
    if not named:
        return places[0]
    found = [place for place in places if str(place.pk) == named]
    if not found:
        raise guard.denied(actor, resource.permission("create"))
    return found[0]


def chosen_owner(request: Passage, resource: ResourceType) -> int:
    """Return the owner that the form names, or whose it is where it names none. The deed checks it."""
    named = request.POST.get("owner", "")
    return number(named) if named else guard.owner_of_new(request.actor, resource)


def shown_owner(actor: Actor, owner_id: int) -> User:
    """Return the owner that the form shows as chosen: the actor where there is no such person."""
    return User.objects.filter(pk=owner_id).first() or User.objects.get(pk=actor.user_id)


def edit_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show the form of a record, or store it. After a conflict what was typed stays in the form."""
    actor = request.actor
    record = guard.get(actor, resource.permission("edit"), record_id)
    form = RecordForm(actor, resource, record, data=sent(request))
    conflict = False
    if request.method == "POST":
        try:
            with transaction.atomic():
                version = number(request.POST.get("version"))
                actions.edit_record(actor, resource, record_id, form.read(), version=version)
        except Invalid as invalid:
            show_problems(form, invalid)
        except Conflict:
            conflict = True
            record = guard.get(actor, resource.permission("edit"), record_id)
            form.record = record
            form = form.merged()
        else:
            stead = on_behalf_of(resource.name, record_id)
            messages.success(
                request,
                _("Saved, in the stead of %s.") % User.objects.get(pk=stead).name if stead else _("Saved."),
            )
            return HttpResponseRedirect(record_url(resource, record_id))
    queries.record_view(actor, resource, record)
    return form_page(
        request, resource, form, record=record, conflict=conflict, status=409 if conflict else 200
    )


def sent(request: Passage) -> QueryDict | None:
    """Return the form that the request sends, or None where it only asks for one. An empty one is one."""
    return request.POST if request.method == "POST" else None


def form_page(
    request: Passage, resource: ResourceType, form: RecordForm, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Show the form of a new or an existing record."""
    actor = request.actor
    record = context.get("record")
    back = record_url(resource, record.pk) if record is not None else reverse(f"{resource.name}_list")
    return render(
        request,
        "records/form.html",
        {
            "resource": resource,
            "form": form,
            "rows": [
                (form[declared.name], declared.kind is Kind.LONG_TEXT, reference(actor, form, declared))
                for declared in form.declared
            ],
            "title": getattr(record, resource.title) if record is not None else "",
            "list_url": reverse(f"{resource.name}_list"),
            "owners_url": "" if resource.parent else reverse(f"{resource.name}_owners"),
            "back": back,
            **context,
        },
        status=status,
    )


def reference(actor: Actor, form: RecordForm, declared: Field) -> dict[str, Any] | None:
    """Return what a picker needs: where it searches, and what is chosen now."""
    if declared.kind is not Kind.REFERENCE or declared.reference is None:
        return None
    other = resource_type(declared.reference)
    value = str(form[declared.name].value() or "")
    may_view = guard.may(actor, other.permission("view"))
    chosen = number(value, largest=LARGEST_ID)
    title = queries.visible_titles(actor, other, [chosen]).get(chosen) if may_view and chosen else None
    stored = getattr(form.record, declared.column, None)
    # INVARIANT: a number that was typed never counts as keeping, or it would tell which one is stored.
    keeps = title is None and stored is not None and (value == KEEP or not form.is_bound)
    return {
        "url": reverse(f"{other.name}_pick") if may_view else "",
        "value": KEEP if keeps else value if title is not None else "",
        "title": title,
    }
