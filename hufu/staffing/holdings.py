"""What somebody holds: records, gifts, memberships, posts, reports. What a move or a departure is weighed by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from hufu.access import explain, guard, queries, registry
from hufu.access.models import Partition
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.people.models import (
    Department,
    DepartmentPost,
    Group,
    Level,
    Membership,
    Position,
    User,
)

ROLE, PARTITION = "role", "partition"


@dataclass(frozen=True)
class Amount:
    """How many records of a type in a partition: numbers only, never which."""

    type: str
    partition_id: int
    partition: str
    number: int


@dataclass(frozen=True)
class Gift:
    """A role, or an admission to a partition, given to a person by name. `kind` is role or partition."""

    kind: str
    id: int
    key: str
    name: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class HeldRole:
    """A role that somebody holds, and what it hangs on, in words."""

    key: str
    name: str
    through: str


@dataclass(frozen=True)
class HeldPost:
    """A post of a department."""

    department: Department
    post: str


@dataclass(frozen=True)
class Holdings:
    """All that a person holds at a moment. `roles` are those whose assignments the asker may read."""

    department: Department | None = None
    other_departments: tuple[Department, ...] = ()
    manager: User | None = None
    level: Level | None = None
    title: str = ""
    status: str = ""
    records: tuple[Amount, ...] = ()
    teams: tuple[Amount, ...] = ()
    gifts: tuple[Gift, ...] = ()
    roles: tuple[HeldRole, ...] = ()
    groups: tuple[Group, ...] = ()
    positions: tuple[Position, ...] = ()
    posts: tuple[HeldPost, ...] = ()
    reports: tuple[User, ...] = field(default=())


def independent_types() -> Iterator[ResourceType]:
    """Yield the types whose records have an owner."""
    return (resource for resource in registry.resource_types() if resource.parent_type is None)


def holdings(actor: Actor, user_id: int) -> Holdings:
    """Return what somebody holds, for whoever manages people."""
    guard.authorize(actor, "user.manage")
    user = User.objects.select_related("main_department", "manager", "level__ladder").get(pk=user_id)
    return Holdings(
        department=user.main_department,
        other_departments=tuple(
            row.department
            for row in Membership.objects.filter(user=user)
            .select_related("department")
            .order_by("department_id")
        ),
        manager=user.manager,
        level=user.level,
        title=user.title,
        status=user.status,
        records=amounts("owned", user_id),
        teams=amounts("teams", user_id),
        gifts=gifts(user_id),
        roles=_roles(user_id),
        groups=tuple(Group.objects.filter(members__user=user).order_by("id")),
        positions=tuple(Position.objects.filter(holders__user=user).order_by("id")),
        posts=tuple(
            HeldPost(row.department, row.post)
            for row in DepartmentPost.objects.filter(user=user).select_related("department").order_by("id")
        ),
        reports=tuple(User.objects.filter(manager=user).order_by("id")),
    )


def amounts(function: str, user_id: int) -> tuple[Amount, ...]:
    """Return what a counting function of each type (owned, teams) says of somebody."""
    names = dict(Partition.objects.values_list("id", "name"))
    found = []
    for resource in independent_types():
        for partition_id, number in _rows(f"SELECT * FROM hufu.{function}_{resource.table}(%s)", user_id):
            found.append(Amount(resource.name, partition_id, names[partition_id], number))
    return tuple(sorted(found, key=lambda amount: (amount.partition_id, amount.type)))


def gifts(user_id: int) -> tuple[Gift, ...]:
    """Return what was given to somebody by name, for whoever manages people."""
    return tuple(
        Gift(*row) for row in _rows("SELECT * FROM hufu.gifts_of(%s) ORDER BY kind DESC, id", user_id)
    )


def _roles(user_id: int) -> tuple[HeldRole, ...]:
    snapshot = queries.snapshot()
    person = snapshot.people[user_id]
    return tuple(
        HeldRole(
            snapshot.roles[given.role_id].key,
            snapshot.roles[given.role_id].name,
            explain.principal_words(snapshot, given),
        )
        for given in snapshot.assignments
        if given.role_id is not None and given.in_force(snapshot.at) and snapshot.reaches(given, person)
    )


def _rows(statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(arguments))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
