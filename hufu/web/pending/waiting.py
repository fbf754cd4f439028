"""What waits for release, as far as it concerns somebody."""

from __future__ import annotations

from django.db.models import QuerySet

from hufu.access import guard
from hufu.access.pending_models import PendingChange
from hufu.core.actor import Actor


def visible(actor: Actor) -> QuerySet[PendingChange]:
    """Return what waits for whoever releases, and to whoever manages people what they asked for themselves."""
    rows = PendingChange.objects.select_related("user", "department")
    return rows if guard.may(actor, "role.assign") else rows.filter(asked_by=actor.user_id)


def amount(actor: Actor) -> int:
    """Return how many changes wait, for the menu."""
    return visible(actor).count()
