"""Whose records they are when people move and leave. Whoever manages people sees none of the records: numbers alone.

The deeds that use this are whole: a partition in which nobody may take over refuses them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, registry
from hufu.access.models import Partition
from hufu.access.registry import ResourceType
from hufu.audit import Event, Target, record_many
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.staffing.holdings import Amount, amounts, independent_types


@dataclass(frozen=True)
class Handover:
    """Who gets somebody's records: one person, or others in some partitions (number → person).

    The department of a record follows its new owner, or stays.
    """

    to: int | None = None
    by_partition: Mapping[int, int] = field(default_factory=dict)
    keep_department: bool = False

    def successor(self, partition_id: int) -> int | None:
        """Return who gets the records of a partition, None where nobody was named."""
        return self.by_partition.get(partition_id, self.to)

    @property
    def people(self) -> set[int]:
        """Return everybody who is named."""
        return {number for number in (self.to, *self.by_partition.values()) if number is not None}


@dataclass(frozen=True)
class Handed:
    """Records of a type in a partition that went to a new owner, or along with theirs to another department."""

    type: str
    partition_id: int
    partition: str
    number: int
    owner: User


def check_successors(actor: Actor, user: User, handover: Handover, owned: Iterable[Amount]) -> None:
    """Raise Invalid, with partitions and numbers, where a named successor may not own what they would get."""
    guard.authorize(actor, "user.manage")
    successors = {row.id: row for row in User.objects.filter(id__in=handover.people)}
    if actor.user_id in successors:
        raise Invalid({"successor": [_("Nobody hands records to themselves. Name somebody else.")]})
    if user.id in successors:
        raise Invalid({"successor": [_("%s cannot be their own successor.") % user.name]})
    problems = []
    for partition_id, found in _by_partition(owned).items():
        number = handover.successor(partition_id)
        if number is not None and not may_own(number, partition_id):
            problems.append(
                _(
                    "%(person)s may not own records in “%(partition)s” (%(records)s): the account must be active, in a "
                    "department, and admitted there to read and edit. Name somebody else for this partition."
                )
                % {
                    "person": successors[number].name if number in successors else number,
                    "partition": found[0].partition,
                    "records": numbers(found),
                }
            )
    if problems:
        raise Invalid({"successor": problems})


def require_successors(user: User, handover: Handover, owned: Iterable[Amount]) -> None:
    """Raise Invalid, with partitions and numbers, where records would stay with somebody who leaves."""
    problems = [
        _("%(person)s owns records in “%(partition)s” (%(records)s): name who gets them.")
        % {"person": user.name, "partition": found[0].partition, "records": numbers(found)}
        for partition_id, found in _by_partition(owned).items()
        if handover.successor(partition_id) is None
    ]
    if problems:
        raise Invalid({"successor": problems})


def may_own(user_id: int, partition_id: int) -> bool:
    """Say whether somebody may own records in a partition now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.may_own(%s, %s) AND EXISTS"
            " (SELECT 1 FROM people_user WHERE id = %s AND main_department_id IS NOT NULL)",
            [user_id, partition_id, user_id],
        )
        allowed: bool = cursor.fetchone()[0]
    return allowed


def hand_over(actor: Actor, user: User, handover: Handover, *, reason: str) -> tuple[Handed, ...]:
    """Give the records to those who are named; where nobody is named they stay. One event for each record."""
    guard.authorize(actor, "user.manage")
    partitions: dict[int, list[int]] = {}
    for amount in amounts("owned", user.id):
        if (number := handover.successor(amount.partition_id)) is not None:
            partitions.setdefault(number, []).append(amount.partition_id)
    handed: list[Handed] = []
    for successor in User.objects.filter(id__in=partitions).order_by("id"):
        for resource in independent_types():
            records = _call(
                "hand_over",
                resource,
                user.id,
                successor.id,
                handover.keep_department,
                sorted(set(partitions[successor.id])),
            )
            record_many(
                actor, _transferred(resource, records, user.id, successor, handover.keep_department, reason)
            )
            handed += _handed(resource, records, successor)
    return tuple(handed)


def take_along(actor: Actor, user: User, *, reason: str) -> tuple[Handed, ...]:
    """Let the department of all that somebody owns be their present main department. One event for each record."""
    guard.authorize(actor, "user.manage")
    taken: list[Handed] = []
    for resource in independent_types():
        records = _call("hand_over", resource, user.id, user.id, False, None)
        record_many(
            actor,
            (
                Event(
                    f"{resource.name}.taken_along",
                    Target(resource.name, number, partition_id),
                    {
                        "owner": user.id,
                        "from_department": department_id,
                        "to_department": user.main_department_id,
                    },
                    reason=reason,
                )
                for number, partition_id, department_id in records
            ),
        )
        taken += _handed(resource, records, user)
    return tuple(taken)


def end_teams(actor: Actor, user: User, *, reason: str) -> int:
    """End somebody's memberships in related teams and the shares given to them by name; return how many end.

    One event for each.
    """
    guard.authorize(actor, "user.manage")
    ended = 0
    for resource in independent_types():
        left = _call("end_teams", resource, user.id)
        unshared = _call("end_shares", resource, user.id)
        ended += record_many(
            actor,
            (
                Event(
                    f"{resource.name}.{verb}",
                    Target(resource.name, number, partition_id),
                    said,
                    reason=reason,
                )
                for verb, said, records in (
                    ("member_left", {"member": user.id}, left),
                    ("share_ended", {"to": f"user:{user.id}"}, unshared),
                )
                for number, partition_id in records
            ),
        )
    return ended


def numbers(found: Iterable[Amount | Handed]) -> str:
    """Return amounts in words: “Customers 40, Opportunities 12”."""
    labels = {resource.name: resource.label_plural for resource in registry.resource_types()}
    return _(", ").join(f"{labels[amount.type]} {amount.number:,}" for amount in found)


def _by_partition(owned: Iterable[Amount]) -> dict[int, list[Amount]]:
    found: dict[int, list[Amount]] = {}
    for amount in owned:
        found.setdefault(amount.partition_id, []).append(amount)
    return found


def _call(function: str, resource: ResourceType, *arguments: Any) -> list[list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT hufu.{function}_{resource.table}({', '.join(['%s'] * len(arguments))})", list(arguments)
        )
        records: list[list[int]] = json.loads(cursor.fetchone()[0])
    return records


def _transferred(
    resource: ResourceType,
    records: Iterable[list[int]],
    former: int,
    successor: User,
    keep_department: bool,
    reason: str,
) -> Iterator[Event]:
    for number, partition_id, department_id in records:
        yield Event(
            f"{resource.name}.transferred",
            Target(resource.name, number, partition_id),
            {
                "from_owner": former,
                "to_owner": successor.id,
                "from_department": department_id,
                "to_department": department_id if keep_department else successor.main_department_id,
                "former_access": None,
            },
            reason=reason,
        )


def _handed(resource: ResourceType, records: Iterable[list[int]], owner: User) -> list[Handed]:
    names = dict(Partition.objects.values_list("id", "name"))
    counted = Counter(partition_id for _number, partition_id, _department in records)
    return [
        Handed(resource.name, partition_id, names[partition_id], number, owner)
        for partition_id, number in sorted(counted.items())
    ]
