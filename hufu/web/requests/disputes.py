"""What somebody disputed of what a duplicate check found, and the steward's answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.core.actor import Actor
from hufu.crm import duplicates
from hufu.crm.duplicate_models import DuplicateDispute
from hufu.people.models import User

TONES = {DuplicateDispute.Outcome.AGREED.value: "green", DuplicateDispute.Outcome.KEPT.value: "grey"}


@dataclass(frozen=True)
class Dispute:
    """A dispute in words; the record is called by its type and by what found it, never by its number."""

    type: str
    what: str
    reason: str
    raised_at: datetime
    is_open: bool
    state: str | Promise
    tone: str
    by: str
    answer: str


def disputes_of(actor: Actor) -> list[Dispute]:
    """Return what the actor disputed, the newest first."""
    found = duplicates.my_disputes(actor)
    stewards = {each.closed_by for each in found if each.closed_by is not None}
    names = dict(User.objects.filter(pk__in=stewards).values_list("pk", "name"))
    return [_dispute(each, names) for each in found]


def _dispute(each: duplicates.Disputed, names: dict[int, str]) -> Dispute:
    resource = registry.resource_type(each.type)
    words = {"thing": resource.label, "fields": duplicates.fields_in_words(resource, each.fields)}
    is_open = each.closed_at is None
    outcomes: dict[str, str | Promise] = dict(DuplicateDispute.Outcome.choices)
    return Dispute(
        each.type,
        _("%(thing)s, found by: %(fields)s") % words,
        each.reason,
        each.raised_at,
        is_open,
        _("Waiting") if is_open else outcomes.get(each.outcome, _("Answered")),
        "amber" if is_open else TONES.get(each.outcome, "grey"),
        names.get(each.closed_by or 0, ""),
        each.answer,
    )
