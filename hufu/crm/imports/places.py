"""Where a record goes: its owner, partition and department, found by name and checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.models import Partition
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.imports import Names, Unfit
from hufu.people.models import Department, User

OWNER_BY = ("username", "name", "external_id", "email")
PARTITION_OF_OWNER = "partition_of_owner"
DEPARTMENT_OF_OWNER = "department_of_owner"


class Places:
    """People, partitions and departments by name, and who may own records where."""

    def __init__(self, actor: Actor, resource: ResourceType) -> None:
        self._actor = actor
        self._resource = resource
        users = list(User.objects.values("id", "main_department_id", *OWNER_BY))
        self._owners = {by: Names((user[by], user["id"]) for user in users) for by in OWNER_BY}
        self._names: dict[int, str] = {user["id"]: user["name"] for user in users}
        self._departmentless = {user["id"] for user in users if user["main_department_id"] is None}
        self._partitions = _either(Partition.objects.values_list("id", "key", "name"))
        self._departments = _either(Department.objects.values_list("id", "code", "name"))
        self._partition_names = dict(Partition.objects.values_list("id", "name"))
        self._ownable: dict[int, frozenset[int]] = {}

    def owner(self, text: str, by: str) -> int:
        """Return the user of that name."""
        return self._owners[by].find(text)

    def partition(self, text: str) -> int:
        """Return the partition of that key, or else name."""
        return _find(self._partitions, text)

    def department(self, text: str) -> int:
        """Return the department of that code, or else name."""
        return _find(self._departments, text)

    def learn(self, owners: Iterable[int]) -> None:
        """Ask at once where these people may own records."""
        missing = sorted(set(owners) - self._ownable.keys())
        if not missing:
            return
        found: dict[int, set[int]] = {owner: set() for owner in missing}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT o, p.id FROM unnest(%s::int[]) AS o CROSS JOIN access_partition p WHERE hufu.may_own(o, p.id)",
                [missing],
            )
            for owner, partition in cursor.fetchall():
                found[owner].add(partition)
        self._ownable |= {owner: frozenset(partitions) for owner, partitions in found.items()}

    def partition_of(self, owner: int) -> int | None:
        """Return the only partition in which the person may own records, or None where there is not just one."""
        ownable = self._ownable[owner]
        return next(iter(ownable)) if len(ownable) == 1 else None

    def why_not(self, owner: int, partition: int) -> str:
        """Return why a new record of this owner cannot stand in this partition, or nothing."""
        name = {"name": self._names[owner], "partition": self._partition_names[partition]}
        if owner in self._departmentless:
            return _("%(name)s is in no department. Give the person a main department first.") % name
        if partition not in self._ownable[owner]:
            return (
                _(
                    "%(name)s cannot own records in “%(partition)s”: the account must be active and admitted there to"
                    " read and edit."
                )
                % name
            )
        if not guard.may_create(self._actor, self._resource, partition_id=partition, owner_id=owner):
            return _("You may not create records for %(name)s in “%(partition)s”.") % name
        return ""


def _either(rows: Iterable[tuple[int, str, str]]) -> tuple[Names, Names]:
    rows = list(rows)
    return Names((key, number) for number, key, _name in rows), Names(
        (name, number) for number, _key, name in rows
    )


def _find(names: tuple[Names, Names], text: str) -> int:
    key, name = names
    return (key if text in key else name).find(text)


def cannot_decide(owner_name: str) -> Unfit:
    """Return the reason why the rule `partition_of_owner` has no answer."""
    return Unfit(
        _(
            "%s may own records in no partition or in several, so the rule cannot tell which. Admit the person to one,"
            " or say “otherwise” in the map."
        )
        % owner_name
    )
