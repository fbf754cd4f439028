"""The tab of a person's consents: what stands, what was withdrawn, and the forms for both deeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm import consents, queries
from hufu.people.models import User
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.records.views.record import tabbed


@dataclass(frozen=True)
class Shown:
    """A consent in words. `withdrawn_at` is None while it stands."""

    id: int
    purpose: str
    basis: str
    source: str
    given_on: date
    evidence: str
    recorded_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawn_reason: str


def in_words(actor: Actor, resource: ResourceType, record_id: int) -> list[Shown]:
    """Return the consents of a person as a page shows them."""
    found = consents.consents(actor, resource, record_id)
    people = dict(
        User.objects.filter(
            pk__in={each.recorded_by for each in found} | {each.withdrawn_by for each in found}
        ).values_list("pk", "name")
    )
    return [
        Shown(
            each.pk,
            consents.label(consents.PURPOSES, each.purpose),
            consents.label(consents.BASES, each.basis),
            consents.label(consents.SOURCES_OF_CONSENT, each.source),
            each.given_on,
            each.evidence,
            people.get(each.recorded_by, _("The system")),
            each.withdrawn_at,
            people.get(each.withdrawn_by or 0, ""),
            each.withdrawn_reason,
        )
        for each in found
    ]


def consents_tab(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Show the consents of a person."""
    record = queries.get_record(request.actor, resource, record_id)
    return tab_of(request, resource, record)


def tab_of(
    request: Passage,
    resource: ResourceType,
    record: Any,
    problems: Mapping[str, Sequence[Any]] | None = None,
) -> HttpResponse:
    """Return the tab, with what was typed and what was wrong with it."""
    typed = request.POST

    def choices(name: str, label: str, of: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
        return {
            "name": name,
            "label": label,
            "problems": (problems or {}).get(name, ()),
            "options": [(value, words, value == typed.get(name)) for value, words in of],
        }

    return tabbed(
        request,
        resource,
        record,
        "consents",
        {
            "consents": in_words(request.actor, resource, record.pk),
            "may_record": guard.may(request.actor, resource.permission("edit"), record),
            "rights": {
                verb: reverse(f"{resource.name}_{verb}", args=[record.pk])
                for verb in ("disclose", "erase")
                if guard.may(request.actor, resource.permission(verb), record)
            },
            "purpose": choices("purpose", _("Purpose"), consents.PURPOSES),
            "basis": choices("basis", _("Legal ground"), consents.BASES),
            "source": choices("source", _("Where from"), consents.SOURCES_OF_CONSENT),
            "given_on": typed.get("given_on") or timezone.localdate(clock.now()).isoformat(),
            "evidence": typed.get("evidence", ""),
            "problems": problems or {},
            "give_url": reverse(f"{resource.name}_consent_give", args=[record.pk]),
            "withdraw_url": reverse(f"{resource.name}_consent_withdraw", args=[record.pk]),
        },
        status=400 if problems else 200,
    )


def give(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Record a consent of a person, or another ground."""
    typed = {name: str(request.POST.get(name, "")).strip() for name in ("purpose", "basis", "source")}
    try:
        with transaction.atomic():
            consents.give(
                request.actor,
                resource,
                record_id,
                **typed,
                given_on=day(request.POST.get("given_on", "")),
                evidence=str(request.POST.get("evidence", "")).strip(),
            )
    except Invalid as invalid:
        return again(request, resource, record_id, invalid)
    messages.success(request, _("Consent recorded."))
    return HttpResponseRedirect(reverse(f"{resource.name}_consents", args=[record_id]))


def withdraw(request: Passage, resource: ResourceType, record_id: int) -> HttpResponse:
    """Withdraw a consent of a person; it stays in the history."""
    try:
        with transaction.atomic():
            consents.withdraw(
                request.actor,
                resource,
                record_id,
                number(request.POST.get("consent"), largest=LARGEST_ID),
                reason=str(request.POST.get("reason", "")).strip(),
            )
    except Invalid as invalid:
        return again(request, resource, record_id, invalid)
    messages.success(request, _("Consent withdrawn."))
    return HttpResponseRedirect(reverse(f"{resource.name}_consents", args=[record_id]))


def again(request: Passage, resource: ResourceType, record_id: int, invalid: Invalid) -> HttpResponse:
    """Show the tab with what was wrong."""
    record = guard.get(request.actor, resource.permission("edit"), record_id)
    queries.record_view(request.actor, resource, record)
    return tab_of(request, resource, record, invalid.problems)


def day(text: str) -> date | None:
    """Return the day that a date control sent, or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
