"""A record goes into a pool, or is claimed out of it."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.errors import Conflict, Invalid, TooLate
from hufu.crm import actions
from hufu.web.numbers import number
from hufu.web.passage import Passage
from hufu.web.records.forms import ReleaseForm, show_problems
from hufu.web.records.presenters import record_url
from hufu.web.records.views.deeds import deed_page, still_there
from hufu.web.records.views.editing import sent


def release_page(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show the pools into which the record can go, or release it."""
    actor = request.actor
    actions.not_too_late(actor, resource, "transfer", record_id)
    record = guard.get(actor, resource.permission("transfer"), record_id)
    pools = [(str(pool.pk), pool.name) for pool in actions.pools_for(resource, record)]
    form = ReleaseForm(pools, sent(request))
    conflict = "version" in form.errors
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                actions.release_record(
                    actor,
                    resource,
                    record_id,
                    pool=int(wanted["pool"]),
                    reason=wanted["reason"],
                    version=wanted["version"],
                )
        except Invalid as invalid:
            show_problems(form, invalid)
        except TooLate:
            raise
        except Conflict:
            conflict = True
        else:
            messages.success(
                request,
                _("“%(title)s” lies in the pool “%(pool)s” now.")
                % {"title": getattr(record, resource.title), "pool": dict(pools)[wanted["pool"]]},
            )
            return HttpResponseRedirect(still_there(request, resource, record_id))
    return deed_page(request, resource, record, form, "release", conflict=conflict)


def claim(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Make the person who asks the owner of a record in a pool."""
    actions.claim_record(request.actor, resource, record_id, version=number(request.POST.get("version")))
    messages.success(request, _("%(thing)s claimed: you are its owner now.") % {"thing": resource.label})
    return HttpResponseRedirect(record_url(resource, record_id))
