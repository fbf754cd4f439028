"""What is done to a record as a whole: it changes its owner, it goes to the bin."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.errors import Conflict, Invalid
from hufu.crm import actions, queries
from hufu.people.models import User
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records import pickers
from hufu.web.records.forms import TransferForm
from hufu.web.records.presenters import record_url
from hufu.web.records.views.editing import sent


def transfer_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show who may become the owner, or give the record to them."""
    actor = request.actor
    record = guard.get(actor, resource.permission("transfer"), record_id)
    form = TransferForm(sent(request), initial={"version": record.lock_version})
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
                )
        except Invalid as invalid:
            for name, problems in invalid.problems.items():
                for problem in problems:
                    form.add_error(name if name in form.fields else None, problem)
        except Conflict:
            conflict = True
        else:
            to = User.objects.get(pk=wanted["to"])
            messages.success(
                request,
                _("“%(title)s” now belongs to %(name)s.")
                % {"title": getattr(record, resource.title), "name": to.name},
            )
            still_visible = queries.visible_titles(actor, resource, [record_id])
            return HttpResponseRedirect(
                record_url(resource, record_id) if still_visible else reverse(f"{resource.name}_list")
            )
    queries.record_view(actor, resource, record)
    chosen = form["to"].value()
    return render(
        request,
        "records/transfer.html",
        {
            "resource": resource,
            "record": record,
            "title": getattr(record, resource.title),
            "form": form,
            "conflict": conflict,
            "chosen": [
                pickers.person_choice(person, chosen=True)
                for person in User.objects.filter(pk=number(chosen))
            ],
            "choices": [
                pickers.person_choice(person)
                for person in list(actions.possible_owners(actor, record.partition_id)[: pickers.OFFERED])
                if person.pk != record.owner_id
            ],
            "owners_url": reverse(f"{resource.name}_owners"),
            "list_url": reverse(f"{resource.name}_list"),
            "back": record_url(resource, record_id),
        },
        status=409 if conflict else 200,
    )


def delete(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Put a record into the bin. The page of the record asks first."""
    actor = request.actor
    actions.delete_record(actor, resource, record_id, version=number(request.POST.get("version")))
    messages.success(request, _("%(thing)s deleted.") % {"thing": resource.label})
    return HttpResponseRedirect(reverse(f"{resource.name}_list"))
