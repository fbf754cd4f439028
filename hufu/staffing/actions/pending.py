"""Organisation changes that would add a right, an admission or a record wait for a security administrator.

Which do is decided in the database (sql/pending.sql): it writes the facts, compares, and takes them back. What waits is
not written; what the same change takes away holds at once: a former department or manager is left, a level stays only
where the new one holds it. What a prohibition binds is not left at once: that would lift it. The database refuses by
itself what would add rights past these deeds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.pending_models import PendingChange
from hufu.audit import Event, Subject, Target, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.transaction import current_unit

_JUDGED = "staffing.judged"
_COLUMNS = {"main_department_id": "department", "level_id": "level"}


@dataclass(frozen=True)
class Fact:
    """Something that somebody (or a department, for its place) comes to; or, with `leaves`, is taken out of.

    Leaving holds at once, unless a prohibition binds whoever is there and nothing else: then it waits, too.
    """

    field: str
    user: int | None
    value: int | None
    department: int | None = None
    leaves: bool = False


@dataclass(frozen=True)
class Waits:
    """Why a fact waits: what it would add. `keeps`: the present level or department stays until then."""

    adds: Mapping[str, Any]
    keeps: bool = False


Waiting = dict[Fact, Waits]


@contextmanager
def judged_together(actor: Actor, facts: Iterable[Fact]) -> Iterator[Waiting]:
    """Judge the facts of one deed as the combination that they come to; the deeds within go by that."""
    waiting = _judge(actor, list(facts))
    unit = current_unit()
    unit.cache[_JUDGED] = waiting
    try:
        yield waiting
    finally:
        del unit.cache[_JUDGED]


def waiting_of(actor: Actor, facts: Sequence[Fact]) -> Waiting:
    """Return which of these facts wait. Whoever calls this writes the others, and keeps these (`keep`)."""
    judged: Waiting | None = current_unit().cache.get(_JUDGED)
    if judged is not None:
        return {fact: judged[fact] for fact in facts if fact in judged}
    return _judge(actor, facts)


def _judge(actor: Actor, facts: Sequence[Fact]) -> Waiting:
    if not facts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.what_waits(%s)",
            [
                json.dumps(
                    [
                        {
                            "field": fact.field,
                            "user": fact.user,
                            "department": fact.department,
                            "value": fact.value,
                            "leaves": fact.leaves,
                        }
                        for fact in facts
                    ]
                )
            ],
        )
        answer = json.loads(cursor.fetchone()[0])
    return {facts[each["index"]]: Waits(each["adds"], bool(each["keeps"])) for each in answer}


def keep(actor: Actor, waiting: Waiting) -> None:
    """Keep facts that wait until they are released, each with its event."""
    if not waiting:
        return
    rows = [
        PendingChange(
            user_id=fact.user,
            department_id=fact.department,
            field=fact.field,
            value=fact.value,
            leaves=fact.leaves,
            adds=dict(waits.adds),
            asked_by=actor.user_id,
            asked_at=clock.now(),
        )
        for fact, waits in waiting.items()
    ]
    again = Q()
    for row in rows:
        again |= Q(user=row.user_id, department=row.department_id, field=row.field, value=row.value)
    PendingChange.objects.filter(again).delete()
    PendingChange.objects.bulk_create(rows)
    record_many(actor, (_event("change.pending", row) for row in rows))


def forget(actor: Actor, field: str, users: Collection[int]) -> None:
    """Let a new word of the same fact, which somebody has one of, take the place of what waits."""
    for row in PendingChange.objects.filter(field=field, user_id__in=list(users)):
        row.delete()
        record_many(actor, [_event("change.withdrawn", row)])


def forget_leaving(actor: Actor, field: str, thing: int, users: Collection[int]) -> None:
    """Let people stay in what they were to leave: the new word takes the place of the one that waits."""
    for row in PendingChange.objects.filter(field=field, value=thing, leaves=True, user_id__in=list(users)):
        row.delete()
        record_many(actor, [_event("change.withdrawn", row)])


def leaving(actor: Actor, field: str, thing: int, users: Sequence[int]) -> list[int]:
    """Return who is taken out of something at once, and keep the others until they are released."""
    waiting = waiting_of(actor, [Fact(field, number, thing, leaves=True) for number in users])
    keep(actor, waiting)
    return [number for number in users if Fact(field, number, thing, leaves=True) not in waiting]


def held_back(
    actor: Actor, wanted: Mapping[int, Mapping[str, Any]], standing: Mapping[int, Any]
) -> tuple[dict[int, dict[str, Any]], Waiting]:
    """Return the wanted facts of accounts as they hold at once, and those that wait."""
    facts = [
        Fact(field, number, values[column])
        for number, values in wanted.items()
        for column, field in _COLUMNS.items()
        if column in values and values[column] != getattr(standing.get(number), column, None)
    ]
    waiting = waiting_of(actor, facts)
    now: dict[int, dict[str, Any]] = {number: dict(values) for number, values in wanted.items()}
    for fact, waits in waiting.items():
        assert fact.user is not None
        column = next(column for column, field in _COLUMNS.items() if field == fact.field)
        present = getattr(standing.get(fact.user), column, None)
        now[fact.user][column] = present if waits.keeps else None
    for column, field in _COLUMNS.items():
        forget(actor, field, [number for number, values in wanted.items() if column in values])
    return now, waiting


def pending(actor: Actor) -> list[PendingChange]:
    """Return what waits, oldest first, as far as the actor may know of it."""
    return list(PendingChange.objects.select_related("user", "department").order_by("asked_at", "id"))


def release(actor: Actor, numbers: Sequence[int], *, reason: str = "") -> int:
    """Let changes that wait come true, in one deed; return how many.

    For whoever may give roles: never a change that they asked for themselves or that is about them, nor one by which
    they would gain. Raise Invalid for a number that waits no longer.
    """
    guard.authorize(actor, "role.assign")
    rows = list(PendingChange.objects.filter(id__in=numbers).order_by("id"))
    missing = sorted(set(numbers) - {row.id for row in rows})
    if missing:
        raise Invalid({"": [_("Nothing waits under the number %s.") % missing[0]]})
    if not actor.is_person or any(actor.user_id in (row.asked_by, row.user_id) for row in rows):
        raise guard.denied(actor, "role.assign")
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.release_changes(%s)", [[row.id for row in rows]])
        released = int(cursor.fetchone()[0])
    record_many(actor, (_event("change.released", row, reason) for row in rows))
    reach.changed()
    return released


def withdraw(actor: Actor, numbers: Sequence[int], *, reason: str = "") -> int:
    """Let changes that wait fall; return how many. For whoever manages people or gives roles."""
    if not guard.may(actor, "user.manage"):
        guard.authorize(actor, "role.assign")
    rows = list(PendingChange.objects.filter(id__in=numbers).order_by("id"))
    for row in rows:
        number = row.id
        row.delete()
        row.id = number
    record_many(actor, (_event("change.withdrawn", row, reason) for row in rows))
    return len(rows)


def _event(type_name: str, row: PendingChange, reason: str = "") -> Event:
    if row.user_id is not None:
        target = Target("user", row.user_id)
    else:
        assert row.department_id is not None
        target = Target("department", row.department_id)
    return Event(
        type_name,
        target,
        {
            "field": row.field,
            "value": row.value,
            "asked_by": row.asked_by,
            **({"leaves": True} if row.leaves else {}),
        },
        subject=Subject("user", row.user_id) if row.user_id is not None else None,
        reason=reason,
    )
