"""Reading the policy: for decisions with reasons, and for whoever may view roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from hufu.access import guard, reach
from hufu.access.decision.decide import Decision, decide
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import (
    DepartmentFacts,
    Given,
    LevelFacts,
    PersonFacts,
    RoleFacts,
    Snapshot,
    paths,
)
from hufu.access.decision.terms import RecordFacts, Right
from hufu.access.models import (
    GIVEN_TO,
    Admission,
    Assignment,
    BaseAccess,
    GivenTo,
    Grant,
    Partition,
    Role,
    RoleInherits,
    TeamMember,
)
from hufu.access.registry import ResourceType, requirement, type_of
from hufu.access.registry import permission as declared_permission
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.people.models import (
    Department,
    DepartmentPost,
    Group,
    GroupMember,
    Level,
    LevelIncludes,
    Membership,
    Position,
    PositionHolder,
    User,
)

# What names a principal, to be read with a gift.
PRINCIPAL_NAMES = ("user", "group", "department", "position", "level__ladder")


def snapshot() -> Snapshot:
    """Return facts and policy as far as the actor of this transaction may read them.

    People and definitions are readable by everybody; assignments and admissions only by those who hold them
    and by whoever may view roles. So a person's own rights are explained wholly from their own snapshot.
    """
    departments = _grouped(Membership.objects.values_list("user_id", "department_id"))
    groups = _grouped(GroupMember.objects.values_list("user_id", "group_id"))
    positions = _grouped(PositionHolder.objects.values_list("user_id", "position_id"))
    posts: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for user_id, department_id, post in DepartmentPost.objects.values_list(
        "user_id", "department_id", "post"
    ):
        posts[user_id].add((department_id, post))
    includes = _listed(LevelIncludes.objects.order_by("id").values_list("level_id", "includes_id"))
    inherits = _listed(RoleInherits.objects.order_by("id").values_list("role_id", "inherits_id"))
    grants: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for role_id, permission, scope in Grant.objects.order_by("id").values_list(
        "role_id", "permission", "scope"
    ):
        grants[role_id].append((permission, scope))
    return Snapshot(
        at=clock.now(),
        people={
            user.id: PersonFacts(
                user.id,
                user.name,
                user.is_active,
                user.main_department_id,
                frozenset(departments[user.id]),
                user.manager_id,
                user.level_id,
                frozenset(groups[user.id]),
                frozenset(positions[user.id]),
                frozenset(posts[user.id]),
            )
            for user in User.objects.all()
        },
        departments={
            row.id: DepartmentFacts(row.id, row.name, row.parent_id) for row in Department.objects.all()
        },
        levels={
            row.id: LevelFacts(row.id, row.name, row.ladder_id, row.rank, tuple(includes[row.id]))
            for row in Level.objects.all()
        },
        roles={
            row.id: RoleFacts(row.id, row.name, tuple(inherits[row.id]), tuple(grants[row.id]), row.key)
            for row in Role.objects.all()
        },
        assignments=tuple(
            Given(**_principal(row), role_id=row.role_id) for row in Assignment.objects.order_by("id")
        ),
        admissions=tuple(
            Given(**_principal(row), partition_id=row.partition_id, rights=rights(row))
            for row in Admission.objects.order_by("id")
        ),
        partition_names=dict(Partition.objects.values_list("id", "name")),
        group_names=dict(Group.objects.values_list("id", "name")),
        position_names=dict(Position.objects.values_list("id", "name")),
        opened=opened(BaseAccess.objects.values_list("type", "access")),
    )


def opened(rows: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the permissions that base access (type, access) widens to everything for those who hold them."""
    verbs = {
        BaseAccess.Access.PRIVATE: (),
        BaseAccess.Access.PUBLIC_READ: ("view",),
        BaseAccess.Access.PUBLIC_READ_WRITE: ("view", "edit"),
    }
    return frozenset(
        f"{type_name}.{verb}" for type_name, access in rows for verb in verbs[BaseAccess.Access(access)]
    )


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return found


def _listed(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return found


def _principal(row: GivenTo) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", *GIVEN_TO, "starts_at", "ends_at")}


def rights(row: Admission) -> frozenset[Right]:
    """Return what an admission gives; read is always among it."""
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def facts(resource: ResourceType, record: Any) -> RecordFacts:
    """Return what decisions look at in a record, with its whole team as far as the actor may see it."""
    parent_type = resource.parent_type
    if parent_type is not None:
        parent = facts(parent_type, getattr(record, resource.parent))
        return RecordFacts(record.partition_id, deleted=record.deleted_at is not None, parent=parent)
    return RecordFacts(
        record.partition_id,
        record.owner_id,
        record.department_id,
        record.deleted_at is not None,
        team={
            member: reach.SHARE_OF[access]
            for member, access in TeamMember.objects.filter(
                type=resource.name, record_id=record.pk
            ).values_list("user_id", "access")
        },
    )


def explain(snapshot: Snapshot, person_id: int, permission: str, record: RecordFacts | None) -> Decision:
    """Return the decision for a person with its whole reason; unknown permissions raise KeyError."""
    declared = declared_permission(permission)
    needed = requirement(permission) if record is not None else None
    return decide(snapshot, person_id, permission, declared.right, needed, record)


def who_can(snapshot: Snapshot, permission: str, record: RecordFacts) -> tuple[Decision, ...]:
    """Return the decisions of those who may use the permission on the record, by person: who may, and why."""
    decisions = (explain(snapshot, person, permission, record) for person in snapshot.people)
    return tuple(decision for decision in decisions if decision.allowed)


def who_may(actor: Actor, permission: str, record_id: int) -> dict[int, Scope]:
    """Return who may use a permission on a record of an independent type, and by which scope: from everybody's reach.

    For whoever may edit the record or explains rights; others are refused. One query, whatever the company's size.
    """
    resource = type_of(permission)
    if resource is None or resource.parent:
        raise ValueError(f"{permission} is not about records with an owner")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM hufu.who_{resource.table}(%s, %s)", [permission, record_id])
        return {person: Scope(scope) for person, scope in cursor.fetchall()}


def holders(snapshot: Snapshot, permission: str) -> tuple[int, ...]:
    """Return the active people who hold the permission at any scope, by number: who may?"""
    return tuple(
        person.id
        for person in snapshot.people.values()
        if person.active and next(paths(snapshot, person, permission), None) is not None
    )


def roles(actor: Actor) -> QuerySet[Role]:
    """Return the roles with their grants, for whoever may view roles."""
    guard.authorize(actor, "role.view")
    return Role.objects.order_by("id").prefetch_related("grants", "inherits_rows__inherits")


def assignments(actor: Actor) -> QuerySet[Assignment]:
    """Return all assignments, for whoever may view roles."""
    guard.authorize(actor, "role.view")
    return Assignment.objects.select_related("role", *PRINCIPAL_NAMES).order_by("role_id", "id")


def admissions(actor: Actor) -> QuerySet[Admission]:
    """Return all admissions, for whoever may view roles."""
    guard.authorize(actor, "role.view")
    return Admission.objects.select_related("partition", *PRINCIPAL_NAMES).order_by("partition_id", "id")
