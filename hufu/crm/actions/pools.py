"""Into a pool and out of it: a record is released by whoever may transfer it, and claimed by members of the pool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.pool_models import Pool
from hufu.access.registry import ResourceType
from hufu.audit import Event, Target, record_many
from hufu.core.actor import Actor
from hufu.core.database_refusals import refuses
from hufu.core.errors import Conflict, Invalid, TooLate
from hufu.crm.actions.common import call, may_own, target
from hufu.people.models import User


def pools_for(resource: ResourceType, record: Any) -> QuerySet[Pool]:
    """Return the pools into which a record can be released: of its type, in its partition."""
    return Pool.objects.filter(type=resource.name, partition_id=record.partition_id).order_by("id")


def may_release(actor: Actor, resource: ResourceType, record: Any) -> bool:
    """Say whether a button for it makes sense: there is an owner, a pool, and the right to transfer."""
    return (
        resource.pooled
        and record.owner_id is not None
        and guard.may(actor, resource.permission("transfer"), record)
        and pools_for(resource, record).exists()
    )


def may_claim(actor: Actor, resource: ResourceType, record: Any) -> bool:
    """Say whether a button for it makes sense."""
    return resource.has("claim") and guard.may(actor, resource.permission("claim"), record)


def not_too_late(actor: Actor, resource: ResourceType, verb: str, record_id: int) -> None:
    """Raise TooLate for a claim of what is claimed already, or a release of what was released.

    Only to somebody who holds the permission and still views the record: to everybody else `guard` says no.
    """
    if not guard.may(actor, resource.permission(verb)):
        return
    viewed = guard.scope(actor, resource.permission("view")).filter(pk=record_id)
    for pool in viewed.values_list("pool_id", flat=True):
        if verb == "claim" and pool is None:
            raise TooLate(_("It lies in no pool any more: it has been claimed."))
        if verb == "transfer" and pool is not None:
            raise TooLate(_("It lies in a pool already."))


def release_record(
    actor: Actor, resource: ResourceType, record_id: int, *, pool: int, reason: str, version: int
) -> None:
    """Give a record up to a pool of its partition; needs transfer. It has no owner until somebody claims it.

    Its team and its shares by hand end, with what those took along; its department stays.
    """
    not_too_late(actor, resource, "transfer", record_id)
    current = guard.use(actor, resource.permission("transfer"), record_id)
    into = pools_for(resource, current).filter(pk=pool).first()
    if into is None:
        raise Invalid({"pool": [_("Choose a pool of the record's partition.")]})
    permission = resource.permission("transfer")
    answer = _unless_taken(actor, permission, f"hufu.release_{resource.table}", record_id, into.pk, version)
    if answer is None:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you release it.")
        )
    reach.shares_changed()
    record_many(actor, _released(resource, current, into, json.loads(answer), reason))


def _released(
    resource: ResourceType, current: Any, pool: Pool, said: dict[str, Any], reason: str
) -> Iterator[Event]:
    about = target(resource, current)
    data = {"pool": pool.pk, "from_owner": current.owner_id, "department": current.department_id}
    yield Event(f"{resource.name}.released", about, data=data, reason=reason)
    for member in said["left"]:
        yield Event(f"{resource.name}.member_left", about, data={"member": member})
    for name, number, share in said["unshared"]:
        yield Event(f"{name}.share_ended", Target(name, number, current.partition_id), data={"share": share})


def _unless_taken(actor: Actor, permission: str, function: str, *arguments: Any) -> Any:
    """Return what the database answers; None where it refuses the record by now, though the permission is held."""
    try:
        with transaction.atomic():
            return call(function, *arguments)
    except DatabaseError as error:
        reach.forget()
        if refuses(error) and guard.may(actor, permission):
            return None
        raise


def claim_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int) -> None:
    """Become the owner of a record in a pool; its department becomes one's main department.

    Raise Conflict where somebody else claimed it first: of those who claim at one moment exactly one gets it.
    """
    not_too_late(actor, resource, "claim", record_id)
    current = guard.use(actor, resource.permission("claim"), record_id)
    claimer = User.objects.filter(pk=actor.user_id).first()
    if (
        claimer is None
        or claimer.main_department_id is None
        or not may_own({(actor.user_id, current.partition_id)})
    ):
        raise Invalid({"": [_("You cannot own records here: your account belongs to no department.")]})
    permission = resource.permission("claim")
    if not _unless_taken(actor, permission, f"hufu.claim_{resource.table}", record_id, version):
        raise Conflict(_("Somebody else claimed or changed this record meanwhile."))
    reach.shares_changed()
    data = {
        "pool": current.pool_id,
        "to_owner": actor.user_id,
        "from_department": current.department_id,
        "to_department": claimer.main_department_id,
    }
    record_many(actor, [Event(f"{resource.name}.claimed", target(resource, current), data=data)])
