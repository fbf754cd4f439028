"""Who may view a record, and by which way: for those who may edit it, and for those who explain rights."""

from __future__ import annotations

from dataclasses import dataclass

from hufu.access import guard
from hufu.access.decision.scopes import Scope
from hufu.access.queries import who_may
from hufu.access.registry import ResourceType
from hufu.audit import Target, record
from hufu.core.actor import Actor
from hufu.people.models import User


@dataclass(frozen=True)
class Viewers:
    """The people whom the same way leads to a record; `scope` is the narrowest that does."""

    scope: Scope
    people: tuple[User, ...]


def who_sees(actor: Actor, resource: ResourceType, record_id: int) -> tuple[Viewers, ...]:
    """Return who may view a record of an independent type, nearest first. The question is an event in the log.

    Raise NotFound where the actor may not view it, Denied where they may not edit it inside the wall: unless they
    explain anybody's rights, which tells them people and reasons and nothing of the record.
    """
    permission = resource.permission("view")
    explains = guard.may(actor, "explain.any")
    if not explains:
        current = guard.get(actor, resource.permission("edit"), record_id)
        if not guard.may_inside(actor, resource.permission("edit"), current):
            raise guard.denied(actor, resource.permission("edit"), current)
    found = who_may(actor, permission, record_id)
    if explains and not found:
        raise guard.not_found(resource, permission, record_id)
    record(
        actor,
        "access.asked",
        target=Target(resource.name, record_id),
        data={"question": "who_can", "permission": permission, "record": f"{resource.name}:{record_id}"},
    )
    people: dict[Scope, list[User]] = {}
    for person in (
        User.objects.filter(pk__in=found).select_related("main_department").order_by("name_sort", "pk")
    ):
        people.setdefault(found[person.pk], []).append(person)
    return tuple(Viewers(scope, tuple(people[scope])) for scope in sorted(people))
