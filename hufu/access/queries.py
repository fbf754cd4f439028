"""Reading the policy: for decisions with reasons, and for whoever may view roles."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet

from hufu.access import guard, reach, requests, states
from hufu.access.break_glass_models import BreakGlass, BreakGlassUse
from hufu.access.decision.break_glass import GlassRule, GlassUse
from hufu.access.decision.break_glass import opened as opened_by_glass
from hufu.access.decision.decide import Code, Decision, Link, decide
from hufu.access.decision.delegation import DelegationFacts, lent_part, standing_in
from hufu.access.decision.pools import PoolFacts
from hufu.access.decision.rules import RuleFacts
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import (
    DepartmentFacts,
    DutyFacts,
    FieldRule,
    Given,
    LevelFacts,
    PendingFacts,
    PersonFacts,
    QuotaFacts,
    RoleFacts,
    ShareFacts,
    Snapshot,
    paths,
)
from hufu.access.decision.snapshot import GateUse as GateUseFacts
from hufu.access.decision.terms import RecordFacts, Right, Share
from hufu.access.delegation_models import Delegation
from hufu.access.duty_models import Duty, DutyRole
from hufu.access.models import (
    GIVEN_TO,
    POLICY_COLUMNS,
    PRINCIPALS,
    Admission,
    Assignment,
    BaseAccess,
    Gate,
    GateUse,
    Grant,
    Partition,
    Pool,
    PoolHidden,
    PoolMember,
    Prohibition,
    Quota,
    RecordShare,
    Role,
    RoleInherits,
    RuleRecipient,
    SharingRule,
    TeamMember,
)
from hufu.access.models import FieldRule as FieldRuleRow
from hufu.access.pending_models import PendingChange
from hufu.access.registry import ResourceType, requirement, type_of
from hufu.access.registry import permission as declared_permission
from hufu.access.registry import permissions as registered_permissions
from hufu.access.rule_fields import Named, is_broken, rule_values
from hufu.access.task_models import TaskShare
from hufu.core import clock
from hufu.core.actor import Actor, Ceiling
from hufu.core.prepared import prepared
from hufu.people.models import (
    FACT_COLUMNS,
    Department,
    DepartmentPost,
    Group,
    GroupMember,
    Level,
    LevelIncludes,
    Membership,
    Position,
    PositionHolder,
    Status,
    User,
)

# What names a principal, to be read with a gift.
PRINCIPAL_NAMES = ("user", "group", "department", "position", "level__ladder")


KEPT_COLUMNS = FACT_COLUMNS | POLICY_COLUMNS
Rows = Callable[[type[Model]], Iterable[Any]]


def snapshot() -> Snapshot:
    """Return facts and policy as far as the actor of this transaction may read them.

    People and definitions are readable by everybody; assignments and admissions only by those who hold them
    and by whoever may view roles. So a person's own rights are explained wholly from their own snapshot; who holds
    a role that a rule names which reaches them, the database tells.
    """
    return _with_holders(replace(build_snapshot(clock.now(), rows_now), pending=pending_facts()))


def own_snapshot(actor: Actor) -> Snapshot:
    """Return what `snapshot` does as far as it is about the actor and those for whom they stand in.

    What is given to others by name is left out, and not asked for: a row policy that looks at each of five thousand
    gifts takes seconds.
    """
    named = {
        actor.user_id,
        *Delegation.objects.filter(user=actor.user_id).values_list("delegator", flat=True),
    }

    def rows(model: Any) -> Iterable[Any]:
        if model not in (Assignment, Admission):
            return rows_now(model)
        about = Q(user__isnull=True) | Q(user__in=named)
        return _listed_rows(model, model.objects.filter(about))

    return _with_holders(replace(build_snapshot(clock.now(), rows), pending=pending_facts()))


def _with_holders(found: Snapshot) -> Snapshot:
    if not found.rules:
        return found
    with connection.cursor() as cursor:
        cursor.execute("SELECT role_id, holders FROM hufu.holders_for_my_rules()")
        return replace(found, role_holders={role: frozenset(people) for role, people in cursor.fetchall()})


def pending_facts() -> tuple[PendingFacts, ...]:
    """Return what waits for release of people, as far as the actor may know of it; nothing of it is a fact yet."""
    rows = PendingChange.objects.filter(user__isnull=False).order_by("id")
    return tuple(
        PendingFacts(row.id, row.user_id or 0, row.field, row.value, row.asked_at, row.asked_by, row.leaves)
        for row in rows
    )


def rows_now(model: Any) -> Iterable[Any]:
    """Return the rows of facts or policy as far as the actor of this transaction may read them."""
    return _listed_rows(model, model.objects.all())


def _listed_rows(model: Any, rows: QuerySet[Any]) -> Iterable[Any]:
    return rows.order_by("id").values_list("id", *KEPT_COLUMNS[model._meta.db_table], named=True)


def build_snapshot(at: datetime, rows: Rows) -> Snapshot:
    """Return a snapshot of what `rows` gives for each model: the rows that stand now, or those of another day.

    INVARIANT: a snapshot is made of columns that keep their past (FACT_COLUMNS, POLICY_COLUMNS) and of nothing else.
    """
    departments = _grouped((row.user_id, row.department_id) for row in rows(Membership))
    groups = _grouped((row.user_id, row.group_id) for row in rows(GroupMember))
    positions = _grouped((row.user_id, row.position_id) for row in rows(PositionHolder))
    posts: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for row in rows(DepartmentPost):
        posts[row.user_id].add((row.department_id, row.post))
    includes = _listed((row.level_id, row.includes_id) for row in rows(LevelIncludes))
    inherits = _listed((row.role_id, row.inherits_id) for row in rows(RoleInherits))
    grants: dict[int, list[tuple[str, str]]] = defaultdict(list)
    of_duties = _grouped((row.duty_id, row.role_id) for row in rows(DutyRole))
    for row in rows(Grant):
        grants[row.role_id].append((row.permission, row.scope))
    recipients: dict[int, list[Given]] = defaultdict(list)
    members: dict[int, list[Given]] = defaultdict(list)
    for row in rows(PoolMember):
        members[row.pool_id].append(Given(row.id, **{name: getattr(row, name) for name in GIVEN_TO}))
    hidden: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in rows(PoolHidden):
        hidden[row.pool_id].add((row.type, row.field))
    for row in rows(RuleRecipient):
        recipients[row.rule_id].append(Given(row.id, **{name: getattr(row, name) for name in GIVEN_TO}))
    found = Snapshot(
        at=at,
        people={
            row.id: PersonFacts(
                row.id,
                row.name,
                row.status == Status.ACTIVE,
                row.main_department_id,
                frozenset(departments[row.id]),
                row.manager_id,
                row.level_id,
                frozenset(groups[row.id]),
                frozenset(positions[row.id]),
                frozenset(posts[row.id]),
            )
            for row in rows(User)
        },
        departments={row.id: DepartmentFacts(row.id, row.name, row.parent_id) for row in rows(Department)},
        levels={
            row.id: LevelFacts(row.id, row.name, row.ladder_id, row.rank, tuple(includes[row.id]))
            for row in rows(Level)
        },
        roles={
            row.id: RoleFacts(row.id, row.name, tuple(inherits[row.id]), tuple(grants[row.id]), row.key)
            for row in rows(Role)
        },
        assignments=tuple(Given(**_principal(row), role_id=row.role_id) for row in rows(Assignment)),
        admissions=tuple(
            Given(**_principal(row), partition_id=row.partition_id, rights=rights(row))
            for row in rows(Admission)
        ),
        prohibitions=tuple(Given(**_principal(row), permission=row.permission) for row in rows(Prohibition)),
        partition_names={row.id: row.name for row in rows(Partition)},
        group_names={row.id: row.name for row in rows(Group)},
        position_names={row.id: row.name for row in rows(Position)},
        opened=opened((row.type, row.access) for row in rows(BaseAccess)),
        gate_names={row.id: row.name for row in rows(Gate)},
        gate_uses=tuple(_gate_use(row) for row in rows(GateUse)),
        quotas=tuple(_quota(row) for row in rows(Quota)),
        duties={
            row.id: DutyFacts(row.id, row.name, frozenset(of_duties[row.id]), row.most) for row in rows(Duty)
        },
        delegations=tuple(_delegation(row) for row in rows(Delegation)),
        field_rules=tuple(
            FieldRule(row.role_id, row.type, row.field, row.mine, row.others, row.export)
            for row in rows(FieldRuleRow)
        ),
        pools={
            row.id: PoolFacts(
                *(row.id, row.key, row.name, row.type, row.partition_id),
                tuple(members[row.id]),
                frozenset(hidden[row.id]),
            )
            for row in rows(Pool)
        },
        glass_rules={row.id: _glass_rule(row) for row in rows(BreakGlass)},
        glass_uses=tuple(
            GlassUse(row.id, row.user_id, row.rule_id, row.starts_at, row.ends_at)
            for row in rows(BreakGlassUse)
        ),
    )
    there_are = Named(found.departments, found.roles, found.levels)
    return replace(
        found,
        rules={row.id: _rule(row, tuple(recipients[row.id]), there_are) for row in rows(SharingRule)},
    )


def _glass_rule(row: Any) -> GlassRule:
    verbs = ("view", "edit") if row.access == BreakGlass.Access.EDIT else ("view",)
    permissions = frozenset(f"{type_name}.{verb}" for type_name in row.types for verb in verbs)
    places = frozenset(row.partitions) or None
    return GlassRule(row.id, row.key, row.name, row.role_id, permissions, places, row.minutes)


def _delegation(row: Any) -> DelegationFacts:
    delegable = {declared.name for declared in registered_permissions() if declared.may_be_delegated}
    named = delegable.intersection(row.permissions)
    return DelegationFacts(
        row.id, row.delegator_id, row.user_id, frozenset(named), row.starts_at, row.ends_at
    )


def _rule(row: Any, to: tuple[Given, ...], there_are: Named) -> RuleFacts:
    # Plain rows of the past hold JSON as text.
    condition = json.loads(row.condition) if isinstance(row.condition, str) else row.condition
    return RuleFacts(
        row.id,
        row.key,
        row.name,
        row.type,
        reach.SHARE_OF[row.access],
        condition,
        to,
        row.superiors,
        row.territory,
        row.parent_id,
        row.starts_at,
        row.ends_at,
        broken=condition is not None and is_broken(row.type, condition, there_are),
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


def _gate_use(row: Any) -> GateUseFacts:
    if row.sign_in or row.permission or row.sensitivity or row.role_id is not None:
        return GateUseFacts(
            row.gate_id, row.sign_in, row.permission, row.role_id, sensitivity=row.sensitivity
        )
    return GateUseFacts(row.gate_id, to=Given(row.id, **{name: getattr(row, name) for name in GIVEN_TO}))


def _quota(row: Any) -> QuotaFacts:
    to = Given(row.id, **{name: getattr(row, name) for name in GIVEN_TO})
    bound = to if any(getattr(row, f"{kind}_id") is not None for kind in PRINCIPALS) else None
    return QuotaFacts(row.id, row.name, row.counts, row.per_hour, row.per_day, row.zone, bound)


def _principal(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", *GIVEN_TO, "starts_at", "ends_at")}


def rights(row: Any) -> frozenset[Right]:
    """Return what an admission gives; read is always among it."""
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def facts(resource: ResourceType, record: Any) -> RecordFacts:
    """Return what decisions look at in a record, with its whole team and shares as far as the actor may see them."""
    parent_type = resource.parent_type
    if parent_type is not None:
        parent = facts(parent_type, getattr(record, resource.parent))
        own = states.facts(resource, record)
        return RecordFacts(
            record.partition_id, deleted=record.deleted_at is not None, states=own, parent=parent
        )
    shares = list(RecordShare.objects.filter(type=resource.name, record_id=record.pk).order_by("id"))
    asked = requests.by_share([row.pk for row in shares])
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
        shares=(
            *(share_facts(row, asked.get(row.pk)) for row in shares),
            *map(
                task_facts, TaskShare.objects.filter(type=resource.name, record_id=record.pk).order_by("id")
            ),
        ),
        values=rule_values(resource, record),
        states=states.facts(resource, record),
        pool_id=record.pool_id if resource.pooled else None,
    )


def share_facts(row: Any, request: int | None = None) -> ShareFacts:
    """Return a share as an explanation goes by it, with the request on which it was given."""
    return ShareFacts(
        Given(**_principal(row)),
        reach.SHARE_OF[row.access],
        row.given_by,
        row.superiors,
        row.along_with_id is not None,
        request,
        across_by=row.across_by,
    )


def task_facts(row: Any) -> ShareFacts:
    """Return a pending task as the share that it is."""
    return ShareFacts(Given(row.id, user_id=row.user_id), Share.READ, row.opened_by, task=row.kind)


def explain(
    snapshot: Snapshot,
    person_id: int,
    permission: str,
    record: RecordFacts | None,
    closed: frozenset[int] = frozenset(),
    ceiling: Ceiling | None = None,
) -> Decision:
    """Return the decision for a person with its whole reason; unknown permissions raise KeyError.

    Gates are not evaluated here: `closed` are those to be taken as closed, `ceiling` that of their token or agent.
    """
    declared = declared_permission(permission)
    needed = requirement(permission) if record is not None else None
    return decide(snapshot, person_id, permission, declared.right, needed, record, closed, ceiling)


def about_no_record(snapshot: Snapshot, person_id: int, permission: str) -> Decision:
    """Return the decision about a record that is not there."""
    missing = (Link(Code.NO_RECORD, permission),)
    decision = explain(snapshot, person_id, permission, None)
    return replace(decision, allowed=False, code=Code.NO_RECORD, covers=(), missing=missing)


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
    with prepared(), connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM hufu.who_{resource.table}(%s, %s)", [permission, record_id])
        return {person: Scope(scope) for person, scope in cursor.fetchall()}


def holders(snapshot: Snapshot, permission: str) -> tuple[int, ...]:
    """Return the active people who hold the permission at any scope, by number: who may?"""
    return tuple(
        person.id
        for person in snapshot.people.values()
        if person.active and _holds(snapshot, person, permission)
    )


def _holds(snapshot: Snapshot, person: PersonFacts, permission: str) -> bool:
    if paths(snapshot, person, permission):
        return True
    if any(permission in rule.permissions for _use, rule in opened_by_glass(snapshot, person)):
        return True
    return any(
        paths(lent_part(snapshot, lent.permissions), snapshot.people[giver], permission)
        for giver, every in standing_in(snapshot, person).items()
        for lent in every
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
