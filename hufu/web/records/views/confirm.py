"""Deeds that nothing takes back: the record's name is typed, with a reason, on the version that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.errors import Conflict
from hufu.crm import queries, retention
from hufu.web.passage import Passage
from hufu.web.records.forms import PurgeForm
from hufu.web.records.views.editing import sent


class Deed(Protocol):
    """A deed on one record, with a reason, on a version; raises Conflict where it is another one by now."""

    def __call__(
        self, actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str
    ) -> None: ...


def confirm_by_name(
    request: Passage,
    resource: ResourceType,
    record_id: int,
    *,
    verb: str,
    deed: Deed,
    template: str,
    done: str,
    back: str,
    shown: Callable[[Any], Mapping[str, Any]] = lambda record: {},
) -> HttpResponse:
    """Ask for the record's name and a reason, do the deed, say `done` (it may name the `title`) and go `back`.

    Where a retention rule proposed the deed, the reason says so unless another one is typed, the log has it, and
    the way back leads to what else is proposed.
    """
    actor = request.actor
    record = guard.get(actor, resource.permission(verb), record_id)
    title = getattr(record, resource.title)
    key = request.GET.get("retention", "")
    rule = retention.proposing(actor, resource, key, verb, record_id) if key else None
    if rule is not None:
        back = reverse(f"{resource.name}_retention")
    form = PurgeForm(title, sent(request), initial={"reason": rule.reason} if rule else None)
    conflict = "version" in form.errors
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            with transaction.atomic():
                deed(actor, resource, record_id, version=wanted["version"], reason=wanted["reason"])
                if rule is not None:
                    retention.followed(actor, rule, record)
        except Conflict:
            conflict = True
        else:
            messages.success(request, done % {"title": title})
            return HttpResponseRedirect(back)
    queries.record_view(actor, resource, record)
    context = {
        "resource": resource,
        "record": record,
        "title": title,
        "form": form,
        "conflict": conflict,
        "back": back,
        "list_url": reverse(f"{resource.name}_list"),
        **shown(record),
    }
    return render(request, template, context, status=409 if conflict else 200)
