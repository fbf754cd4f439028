"""Answering a request for a record: by sharing it, in the name of whoever decides, until a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import guard, registry, requests
from hufu.access.actions import Principal
from hufu.access.models import TeamMember
from hufu.access.registry import ResourceType
from hufu.access.request_models import AccessRequest
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm.actions.shares import share_record


def asked_record(actor: Actor, request: AccessRequest) -> tuple[ResourceType, Any]:
    """Return the record that a request would open and its type; what follows another record opens with that one.

    Raise NotFound where the actor may not view it.
    """
    resource = registry.resource_type(request.type)
    found = guard.get(actor, resource.permission("view"), request.record_id or 0)
    if resource.parent_type is None:
        return resource, found
    return resource.parent_type, getattr(found, resource.parent)


def grant_record(actor: Actor, number: int, *, access: str, ends_at: datetime, reason: str) -> int:
    """Answer a request for a record by sharing it with whoever asked, until a moment; return the share's number.

    What the deed of sharing asks for is asked here, too. Nobody is given more than they asked for.
    """
    request = requests.to_decide(actor, number)
    requests.check_answer(ends_at, reason)
    if access == TeamMember.Access.EDIT and request.access != access:
        raise Invalid({"access": [_("They asked to view.")]})
    resource, found = asked_record(actor, request)
    share = share_record(
        actor,
        resource,
        found.pk,
        to=Principal(user=request.user),
        access=access,
        reason=requests.words_of(request, reason),
        ends_at=ends_at,
    )
    requests.decided(actor, request, granted=True, ends_at=ends_at, reason=reason, share_id=share)
    return share
