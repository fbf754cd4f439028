"""Which buttons make sense for somebody; the deed asks again."""

from __future__ import annotations

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor


def may_create(actor: Actor, resource: ResourceType) -> bool:
    """Say whether a button for a new record makes sense: the permission, and some partition to put it in.

    Records of a following type are added on the page of their parent.
    """
    if resource.parent:
        return False
    return guard.may(actor, resource.permission("create")) and bool(
        guard.creatable_partitions(actor, resource)
    )
