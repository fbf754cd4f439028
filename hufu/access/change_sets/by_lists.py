"""Which records somebody views, read from their own lists: what every other way of counting has to agree with."""

from __future__ import annotations

from array import array

from hufu.access import guard, registry
from hufu.core.actor import Actor
from hufu.core.transaction import in_place_of
from hufu.people.models import User

Seen = dict[str, "array[int]"]


def seen(user: User) -> Seen:
    """Return the numbers of the records that somebody views, by type, in order; only inside `undone`."""
    actor = Actor(user.pk, user.name)
    with in_place_of(actor):
        return {
            resource.name: array(
                "q",
                guard.scope(actor, resource.permission("view")).order_by("pk").values_list("pk", flat=True),
            )
            for resource in registry.resource_types()
        }
