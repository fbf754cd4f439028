"""What comes next with a record: the nearest thing that is planned, of what the actor may view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.timezone import localdate

from hufu.access import guard
from hufu.access.fields import is_open
from hufu.access.registry import ResourceType
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.crm.resources import CUSTOMER, OPPORTUNITY

CLOSED = ("won", "lost")
# What of an opportunity is looked at, or shown with the customer.
LOOKED_AT = ("expected_close", "stage")


@dataclass(frozen=True)
class NextStep:
    """A planned day, and what is planned for it. `is_overdue` where the day has passed."""

    on: date
    what: str
    is_overdue: bool


def is_planned(resource: ResourceType) -> bool:
    """Say whether records of the type have next steps that stand in records of another type."""
    return resource is CUSTOMER


def next_steps(actor: Actor, resource: ResourceType, records: Sequence[Any]) -> dict[int, NextStep]:
    """Return the next step of each record that has one: of a customer, the nearest expected close of an
    open opportunity that the actor may view, by fields that they read on every one. One query for all."""
    if not is_planned(resource) or not records or not guard.may(actor, OPPORTUNITY.permission("view")):
        return {}
    if not all(is_open(actor, OPPORTUNITY, OPPORTUNITY.by_name[name]) for name in LOOKED_AT):
        return {}
    rows = (
        guard.scope(actor, OPPORTUNITY.permission("view"))
        .filter(customer_id__in=[record.pk for record in records], expected_close__isnull=False)
        .exclude(stage__in=CLOSED)
        .order_by("customer_id", "expected_close", "pk")
        .distinct("customer_id")
        .values_list("customer_id", "expected_close", "name")
    )
    today = localdate(clock.now())
    return {customer: NextStep(on, name, on < today) for customer, on, name in rows}
