"""The steward's list: pairs of records that look alike, and what colleagues dispute."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.crm.duplicate_models import Duplicate, DuplicateDispute

LONGEST = 500


@dataclass(frozen=True)
class Side:
    """One record of the list: its title where the steward may view it, and whose it is in any case."""

    number: int
    title: str | None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pair:
    """Two records with the same value of a field; `first` is the younger one."""

    row: Duplicate
    first: Side
    second: Side


def pairs(actor: Actor, resource: ResourceType, *, state: str = "", most: int = 100) -> list[Pair]:
    """Return the pairs of a state in the partitions where the actor is steward, the newest first."""
    guard.authorize(actor, resource.permission("steward"))
    rows = list(Duplicate.objects.filter(type=resource.name, state=state).order_by("-id")[:most])
    sides = _sides(actor, resource, {number for row in rows for number in (row.record_id, row.other_id)})
    return [Pair(row, sides[row.record_id], sides[row.other_id]) for row in rows]


def disputes(actor: Actor, resource: ResourceType, *, most: int = 100) -> list[tuple[DuplicateDispute, Side]]:
    """Return the open disputes in the partitions where the actor is steward, the oldest first."""
    guard.authorize(actor, resource.permission("steward"))
    rows = list(DuplicateDispute.objects.filter(type=resource.name, closed_at=None).order_by("id")[:most])
    sides = _sides(actor, resource, {row.record_id for row in rows})
    return [(row, sides[row.record_id]) for row in rows]


def decide(actor: Actor, resource: ResourceType, pair_id: int, *, state: str) -> None:
    """Mark a pair: no duplicate, to be merged later, or to be looked at again. Raise NotFound where there is none."""
    guard.authorize(actor, resource.permission("steward"))
    if state not in Duplicate.State.values:
        raise Invalid({"state": [_("Choose one of the list.")]})
    row = Duplicate.objects.filter(pk=pair_id, type=resource.name).first()
    if row is None:
        raise guard.not_found(resource, resource.permission("steward"), 0)
    row.state, row.decided_at, row.decided_by = state, clock.now(), actor.user_id
    row.save(update_fields=["state", "decided_at", "decided_by"])
    record(actor, f"{resource.name}.duplicate_decided", data={"pair": pair_id, "state": state or "open"})


def answer_dispute(
    actor: Actor, resource: ResourceType, dispute_id: int, *, outcome: str, answer: str
) -> None:
    """Close a dispute with its outcome and what was found; whoever raised it reads both.

    Raise Invalid without these, NotFound where there is none that is open.
    """
    guard.authorize(actor, resource.permission("steward"))
    if not answer.strip() or len(answer) > LONGEST or not is_storable(answer):
        raise Invalid({"answer": [_("Say what you found, in at most %s characters.") % LONGEST]})
    if outcome not in DuplicateDispute.Outcome.values:
        raise Invalid({"outcome": [_("Say whether they are right.")]})
    row = DuplicateDispute.objects.filter(pk=dispute_id, type=resource.name, closed_at=None).first()
    if row is None:
        raise guard.not_found(resource, resource.permission("steward"), 0)
    row.answer, row.closed_at, row.closed_by = answer.strip(), clock.now(), actor.user_id
    row.outcome = outcome
    row.save(update_fields=["answer", "outcome", "closed_at", "closed_by"])
    said = {"dispute": dispute_id, "outcome": outcome}
    record(actor, f"{resource.name}.dispute_answered", data=said, reason=answer.strip())


def _sides(actor: Actor, resource: ResourceType, numbers: Collection[int]) -> dict[int, Side]:
    listed: Sequence[int] = sorted(numbers)
    titles = dict(
        guard.scope(actor, resource.permission("view"))
        .filter(pk__in=listed)
        .values_list("pk", resource.title)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, owner_id, department_id, created_at FROM hufu.stewarded_{resource.table}(%s)",
            [list(listed)],
        )
        facts = {
            number: {"owner": owner, "department": department, "created_at": at.isoformat()}
            for number, owner, department, at in cursor.fetchall()
        }
    return {number: Side(number, titles.get(number), facts.get(number, {})) for number in listed}
