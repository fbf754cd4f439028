"""Approval tasks as the engine knows them: opened on a record for people, and ended.

The flows that open them are declared in code (hufu.access.task_kinds). What a decision means is theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from hufu.access import guard, reach, registry
from hufu.access.registry import ResourceType
from hufu.access.task_kinds import task_kind
from hufu.access.task_models import TaskShare
from hufu.audit import Event, Target, record, record_many
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.crm.actions.common import call, target


def open_tasks(
    actor: Actor, resource: ResourceType, record_id: int, *, kind: str, assignees: Sequence[int]
) -> dict[int, int]:
    """Open a task of a declared kind for each of these people, and return their numbers, by person.

    They view the record while their task is pending, and nobody changes it. Whoever starts it needs the kind's
    permission on the record; whoever has such a task passes it on. An unknown kind is a KeyError.
    """
    declared = task_kind(kind)
    if declared.type_name != resource.name:
        raise ValueError(f"{kind} is about {declared.type_name}, not {resource.name}")
    current = guard.get(actor, resource.permission("view"), record_id)
    mine = TaskShare.objects.filter(
        type=resource.name, record_id=record_id, kind=kind, user_id=actor.user_id
    ).exists()
    if not mine:
        guard.authorize(actor, declared.permission, current)
    people = sorted(set(assignees))
    if not people or actor.user_id in people:
        raise Invalid({"assignees": [_("Name somebody else: nobody gives a task to themselves.")]})
    made = call(f"hufu.open_tasks_{resource.table}", record_id, kind, people)
    if made is None:
        raise Invalid(
            {"assignees": [_("Somebody named has this task already, or is not admitted to this partition.")]}
        )
    reach.shares_changed()
    tasks = dict(zip(people, made, strict=True))
    record_many(
        actor,
        [
            Event(
                f"{resource.name}.task_opened",
                target(resource, current),
                {"task": number, "member": person, "kind": kind},
            )
            for person, number in tasks.items()
        ],
    )
    return tasks


def end_task(actor: Actor, task_id: int) -> None:
    """End a task: whoever has it or opened it does, and whoever may lock the record.

    With its last task the record is open again. A task that is absent, or none of theirs, is not there.
    """
    task = TaskShare.objects.filter(pk=task_id).first()
    if task is None:
        raise NotFound(_("There is no such task, or it is not yours to end."))
    resource = registry.resource_type(task.type)
    if actor.user_id not in (task.user_id, task.opened_by):
        guard.get(actor, resource.permission("lock"), task.record_id)
    call("hufu.end_task", task_id)
    reach.shares_changed()
    record(
        actor,
        f"{resource.name}.task_ended",
        target=Target(resource.name, task.record_id),
        data={"task": task_id, "member": task.user_id, "kind": task.kind},
    )
