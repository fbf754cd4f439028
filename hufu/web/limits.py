"""How often one person, and one address, may open what is expensive or worth taking in great numbers.

A page names its kind beside its permission: `@page("customer.view", limit="lists")`. The middleware counts, with one
statement, before the page is asked anything about records; pages without a kind are not counted.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, record, shown
from hufu.core import limits
from hufu.core.actor import Actor
from hufu.core.limits import Wait
from hufu.web import client

KINDS = ("search", "lists", "files", "sensitive")
SECONDS = 60
# Colleagues share the address of their office.
PEOPLE_AT_AN_ADDRESS = 10

declare(EventType("access.limited", _("Too many requests"), shown("limit", "wait"), "personal"))


def exceeded(request: HttpRequest, actor: Actor, kind: str) -> Wait | None:
    """Count a request; return how long to wait where it is one too many. The first one too many is an event."""
    most = settings.LIMITS.get(kind, 0)
    if not most:
        return None
    allowed = {f"address {client.address_of(request)}": most * PEOPLE_AT_AN_ADDRESS}
    if actor.is_person:
        allowed[f"person {actor.user_id}"] = most
    wait = limits.spend(kind, allowed, seconds=SECONDS)
    if wait is not None and wait.begins:
        record(actor, "access.limited", result="refused", data={"limit": kind, "wait": wait.seconds})
    return wait
