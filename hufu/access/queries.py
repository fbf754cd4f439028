"""Reading the policy: for decisions with reasons, and for whoever may view roles."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import QuerySet

from hufu.access import guard
from hufu.access.decision.decide import Decision, decide
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
from hufu.access.models import Admission, Assignment, GivenTo, Grant, Partition, Role, RoleInherits
from hufu.access.registry import permission as declared_permission
from hufu.access.registry import type_of
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.people.models import Department, Level, Membership, User


def snapshot() -> Snapshot:
    """Return facts and policy as far as the actor of this transaction may read them.

    People and definitions are readable by everybody; assignments and admissions only by those who hold them
    and by whoever may view roles. So a person's own rights are explained wholly from their own snapshot.
    """
    other_departments: dict[int, set[int]] = defaultdict(set)
    for user_id, department_id in Membership.objects.values_list("user_id", "department_id"):
        other_departments[user_id].add(department_id)
    inherits: dict[int, list[int]] = defaultdict(list)
    for role_id, inherits_id in RoleInherits.objects.order_by("id").values_list("role_id", "inherits_id"):
        inherits[role_id].append(inherits_id)
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
                frozenset(other_departments[user.id]),
                user.manager_id,
                user.level_id,
            )
            for user in User.objects.all()
        },
        departments={
            row.id: DepartmentFacts(row.id, row.name, row.parent_id) for row in Department.objects.all()
        },
        levels={row.id: LevelFacts(row.id, row.name, row.ladder_id, row.rank) for row in Level.objects.all()},
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
    )


def _principal(row: GivenTo) -> dict[str, Any]:
    names = ("id", "user_id", "department_id", "below", "level_id", "starts_at", "ends_at")
    return {name: getattr(row, name) for name in names}


def rights(row: Admission) -> frozenset[Right]:
    """Return what an admission gives; read is always among it."""
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def explain(snapshot: Snapshot, person_id: int, permission: str, record: RecordFacts | None) -> Decision:
    """Return the decision for a person with its whole reason; unknown permissions raise KeyError."""
    declared = declared_permission(permission)
    resource = type_of(permission)
    view = resource.permission("view") if resource is not None and record is not None else None
    needed = {declared.name: declared.right}
    if view is not None:
        needed[view] = declared_permission(view).right
    return decide(snapshot, person_id, permission, needed, record, view)


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
    return Assignment.objects.select_related("role", "user", "department", "level__ladder").order_by(
        "role_id", "id"
    )


def admissions(actor: Actor) -> QuerySet[Admission]:
    """Return all admissions, for whoever may view roles."""
    guard.authorize(actor, "role.view")
    return Admission.objects.select_related("partition", "user", "department", "level__ladder").order_by(
        "partition_id", "id"
    )
