"""Deeds on the policy: authorize → change → record, in one transaction; reach is true again when they return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max, Model
from django.utils.translation import gettext as _

from hufu.access import company, gates, guard, lost_rights, publishing, reach, registry
from hufu.access.decision.scopes import NAMES
from hufu.access.decision.terms import Right
from hufu.access.models import (
    PRINCIPALS,
    Administrator,
    Admission,
    Assignment,
    BaseAccess,
    Gate,
    GateUse,
    Grant,
    Partition,
    Role,
    RoleInherits,
)
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.people.models import Department, Group, Level, Position, User


@dataclass(frozen=True)
class Principal:
    """To whom something is given: exactly one of user, group, department (or a post of it), position and level.

    `post` (head, assistant) and `below` (also departments below) belong to a department.
    """

    user: User | None = None
    group: Group | None = None
    department: Department | None = None
    below: bool = False
    post: str = ""
    position: Position | None = None
    level: Level | None = None

    def __str__(self) -> str:
        """Return the one text for a principal, the same as hufu.principal() in the database."""
        if self.department is not None:
            post = f".{self.post}" if self.post else ""
            return f"department:{self.department.id}{post}{'+' if self.below else ''}"
        named = {"user": self.user, "group": self.group, "position": self.position, "level": self.level}
        kind, thing = next((kind, thing) for kind, thing in named.items() if thing is not None)
        return f"{kind}:{thing.pk}"

    def columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*PRINCIPALS, "below", "post")}


@dataclass(frozen=True)
class Binds:
    """What a gate binds: signing in, permissions, sensitivities of fields, roles (by key), principals."""

    sign_in: bool = False
    permissions: tuple[str, ...] = ()
    sensitivities: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    principals: tuple[Principal, ...] = ()

    def words(self) -> list[str]:
        """Return one text for each thing, for comparing and for the log."""
        return [
            *(["sign_in"] if self.sign_in else []),
            *(f"permission:{name}" for name in self.permissions),
            *(f"sensitivity:{name}" for name in self.sensitivities),
            *(f"role:{key}" for key in self.roles),
            *map(str, self.principals),
        ]


def next_number(model: type[Model]) -> int:
    """Return the next dense number. Changes of facts and policy serialise, and a clash is refused by the key."""
    largest: int = model._base_manager.aggregate(largest=Max("id"))["largest"] or 0
    return largest + 1


def create_partition(actor: Actor, *, key: str, name: str) -> Partition:
    """Add a partition; nobody is admitted to it yet."""
    publishing.authorize(actor)
    partition = Partition(id=next_number(Partition), key=key, name=name)
    partition.save(force_insert=True)
    record(actor, "partition.created", data={"key": key, "name": name})
    reach.changed()
    return partition


def rename_partition(actor: Actor, partition: Partition, *, name: str) -> None:
    """Give a partition another name; its key stays."""
    publishing.authorize(actor)
    before, partition.name = partition.name, name
    partition.save(update_fields=["name"])
    record(actor, "partition.renamed", data={"key": partition.key, "before": before, "after": name})
    reach.changed()


def create_role(
    actor: Actor,
    *,
    key: str,
    name: str,
    description: str = "",
    administrator: str = "",
    grants: Mapping[str, Iterable[str]],
) -> Role:
    """Add a role with its grants (permission → scopes). Unknown permissions and scopes are Invalid."""
    publishing.authorize(actor)
    check_grants(grants)
    if administrator not in Administrator.values:
        raise Invalid({"administrator": [_("“%s” is not one of system, security, audit.") % administrator]})
    role = Role(
        id=next_number(Role), key=key, name=name, description=description, administrator=administrator
    )
    role.save(force_insert=True)
    Grant.objects.bulk_create(
        Grant(role=role, permission=permission, scope=scope)
        for permission, scopes in grants.items()
        for scope in scopes
    )
    record(
        actor,
        "role.created",
        data={
            "key": key,
            "name": name,
            "administrator": administrator,
            "grants": {permission: list(scopes) for permission, scopes in grants.items()},
        },
    )
    reach.changed()
    return role


def change_role(
    actor: Actor,
    role: Role,
    *,
    name: str,
    description: str,
    administrator: str,
    grants: Mapping[str, Iterable[str]],
) -> bool:
    """Bring a role to exactly these values and grants; return whether anything changed.

    Nobody widens a role that they hold.
    """
    publishing.authorize(actor)
    check_grants(grants)
    if administrator not in Administrator.values:
        raise Invalid({"administrator": [_("“%s” is not one of system, security, audit.") % administrator]})
    values = {"name": name, "description": description, "administrator": administrator}
    if not role_differs(role, grants=grants, **values):
        return False
    wanted, held = _pairs(grants), set(role.grants.values_list("permission", "scope"))
    if wanted - held:
        refuse_own_role(actor, role)
    changed = {key: value for key, value in values.items() if getattr(role, key) != value}
    before = {**{key: getattr(role, key) for key in changed}, "grants": sorted(map(list, held - wanted))}
    if changed:
        for key, value in changed.items():
            setattr(role, key, value)
        role.save(update_fields=list(changed))
    # First what comes: where only less may be held, it is measured by what is held still.
    Grant.objects.bulk_create(
        Grant(role=role, permission=permission, scope=scope) for permission, scope in sorted(wanted - held)
    )
    for permission, scope in sorted(held - wanted):
        role.grants.filter(permission=permission, scope=scope).delete()
    after = {**changed, "grants": sorted(map(list, wanted - held))}
    record(actor, "role.changed", data={"key": role.key, "before": before, "after": after})
    reach.changed()
    return True


def role_differs(role: Role, *, grants: Mapping[str, Iterable[str]], **values: str) -> bool:
    """Say whether a role stands otherwise than with these values and grants."""
    return any(getattr(role, key) != value for key, value in values.items()) or (
        _pairs(grants) != set(role.grants.values_list("permission", "scope"))
    )


def _pairs(grants: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(permission, scope) for permission, scopes in grants.items() for scope in scopes}


def set_inherited_roles(actor: Actor, role: Role, others: Sequence[Role]) -> bool:
    """Let a role inherit exactly these roles; return whether anything changed.

    A circle is refused, and so is widening a role that one holds.
    """
    publishing.authorize(actor)
    wanted = {other.id for other in others}
    held = set(role.inherits_rows.values_list("inherits_id", flat=True))
    if wanted == held:
        return False
    if wanted - held:
        refuse_own_role(actor, role)
    role.inherits_rows.exclude(inherits_id__in=wanted).delete()
    RoleInherits.objects.bulk_create(
        RoleInherits(role=role, inherits=other) for other in others if other.id not in held
    )
    names = dict(Role.objects.filter(id__in=wanted | held).values_list("id", "key"))
    record(
        actor,
        "role.changed",
        data={
            "key": role.key,
            "before": {"inherits": sorted(names[other] for other in held)},
            "after": {"inherits": sorted(names[other] for other in wanted)},
        },
    )
    reach.changed()
    return True


def remove_role(actor: Actor, role: Role) -> None:
    """Take a role away from everybody. Raise Invalid where another role inherits it or a gate binds it."""
    publishing.authorize(actor)
    if RoleInherits.objects.filter(inherits=role).exists() or GateUse.objects.filter(role=role).exists():
        raise Invalid({role.key: [_("Another role inherits it, or an access limit binds it.")]})
    for assignment in Assignment.objects.filter(role=role).select_related("role", *PRINCIPALS):
        end_assignment(actor, assignment, reason="")
    grants = sorted(map(list, role.grants.values_list("permission", "scope")))
    before = {"name": role.name, "administrator": role.administrator, "grants": grants}
    role.inherits_rows.all().delete()
    role.grants.all().delete()
    role.field_rules.all().delete()
    key = role.key
    role.delete()
    record(actor, "role.removed", data={"key": key, "before": before})
    reach.changed()


def set_base_access(actor: Actor, type_name: str, access: str) -> bool:
    """Open a type of records to everybody who holds view (edit) at any scope, or close it; return whether it changed.

    Whoever views records of the type gives themselves nothing: they are refused.
    """
    publishing.authorize(actor)
    if access not in BaseAccess.Access.values:
        allowed = ", ".join(BaseAccess.Access.values)
        raise Invalid(
            {type_name: [_("“%(text)s” is not one of: %(allowed)s.") % {"text": access, "allowed": allowed}]}
        )
    known = {resource.name for resource in registry.resource_types() if not resource.parent}
    if type_name not in known:
        raise Invalid({type_name: [_("Base access is set for: %s.") % ", ".join(sorted(known))]})
    standing = BaseAccess.objects.filter(type=type_name).first()
    before = standing.access if standing else BaseAccess.Access.PRIVATE.value
    if before == access:
        return False
    views = registry.resource_type(type_name).permission("view")
    if actor.is_person and not publishing.is_on() and guard.may(actor, views):
        raise guard.denied(actor, "role.manage")
    if standing is None:
        BaseAccess(type=type_name, access=access).save(force_insert=True)
    else:
        standing.access = access
        standing.save(update_fields=["access"])
    record(actor, "base_access.changed", data={"type": type_name, "before": before, "after": access})
    reach.changed()
    return True


def set_gate(actor: Actor, *, key: str, name: str, conditions: Mapping[str, Any], binds: Binds) -> Gate:
    """Bring a gate to exactly this, or add it. Nobody changes a gate that binds them as a principal or by a role.

    Nobody is locked out by their own deed: a gate on signing in, or on the actor, that would be closed to the actor
    right now is Invalid.
    """
    publishing.authorize(actor)
    gate = Gate.objects.filter(key=key).first()
    after = {"name": name, "conditions": conditions, "binds": binds.words()}
    if gate is None:
        gate = Gate(id=next_number(Gate), key=key, name=name, conditions=conditions)
        gate.save(force_insert=True)
        record(actor, "gate.created", data={"key": key, **after})
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.gate_binds_me(%s)", [gate.id])
            if cursor.fetchone()[0] and not publishing.is_on():
                raise guard.denied(actor, "role.manage")
        before = {"name": gate.name, "conditions": gate.conditions, "binds": binds_of(gate).words()}
        gate.uses.all().delete()
        gate.name, gate.conditions = name, conditions
        gate.save(update_fields=["name", "conditions"])
        record(actor, "gate.changed", data={"key": key, "before": before, "after": after})
    roles = {role.key: role for role in Role.objects.filter(key__in=binds.roles)}
    uses = [
        *([GateUse(sign_in=True)] if binds.sign_in else []),
        *(GateUse(permission=registry.permission(name).name) for name in binds.permissions),
        *(GateUse(sensitivity=registry.Sensitivity(name)) for name in binds.sensitivities),
        *(GateUse(role=roles[role]) for role in binds.roles),
        *(GateUse(**principal.columns()) for principal in binds.principals),
    ]
    for use in uses:
        use.gate = gate
    GateUse.objects.bulk_create(uses)
    if gates.evaluate(actor).refusal is not None:
        raise Invalid({"binds": [_("This access limit would be closed to you right now.")]})
    reach.changed()
    return gate


def remove_gate(actor: Actor, gate: Gate) -> None:
    """Take a gate away with all that it binds."""
    publishing.authorize(actor)
    before = {"name": gate.name, "conditions": gate.conditions, "binds": binds_of(gate).words()}
    gate.uses.all().delete()
    key = gate.key
    gate.delete()
    record(actor, "gate.removed", data={"key": key, "before": before})
    reach.changed()


def binds_of(gate: Gate) -> Binds:
    """Return what a gate binds."""
    uses = list(gate.uses.select_related("role", *PRINCIPALS, "level__ladder").order_by("id"))
    return Binds(
        any(use.sign_in for use in uses),
        tuple(use.permission for use in uses if use.permission),
        tuple(use.sensitivity for use in uses if use.sensitivity),
        tuple(use.role.key for use in uses if use.role is not None),
        tuple(
            given_to(use)
            for use in uses
            if not (use.sign_in or use.permission or use.sensitivity or use.role_id is not None)
        ),
    )


def end_assignment(actor: Actor, assignment: Assignment, *, reason: str) -> None:
    """Take a role back from a principal; it counts from the very next request."""
    require_may_end(actor, assignment)
    data = {"role": assignment.role.key, "principal": str(given_to(assignment))}
    if not assignment.delete()[0]:
        return _already_gone(actor)
    record(actor, "role.unassigned", data=data, reason=reason)
    reach.changed()


def _already_gone(actor: Actor) -> None:
    """Refuse whoever ends what is not there any more; a document may take away in two ways, of which the first did."""
    refused = lost_rights.lost(actor)
    if refused is not None or not publishing.is_on():
        raise refused or Conflict


def end_admission(actor: Actor, admission: Admission, *, reason: str) -> None:
    """Close a partition to a principal; it counts from the very next request."""
    guard.authorize(actor, "role.assign")
    data = {"partition": admission.partition.key, "principal": str(given_to(admission))}
    if not admission.delete()[0]:
        return _already_gone(actor)
    record(actor, "partition.admission_ended", data=data, reason=reason)
    reach.changed()


def change_end(actor: Actor, given: Assignment | Admission, *, ends_at: datetime | None, reason: str) -> bool:
    """Let what was given end earlier, later, or not at all; return whether anything changed.

    It is given anew, in the name of whoever changes it: nobody changes what they hold themselves. Raise Invalid for an
    end that has passed, Conflict where somebody took it back meanwhile.
    """
    if isinstance(given, Assignment):
        require_may_assign(actor, given.role, given_to(given))
    # Whoever gives some roles to some people takes them back and gives them anew.
    guard.authorize(actor, "role.assign")
    _refuse_own(actor, given_to(given))
    if ends_at is not None and ends_at <= clock.now():
        raise Invalid({"ends_at": [_("This day has passed: end it instead.")]})
    before = given.ends_at
    if before == ends_at:
        return False
    # The row as it stands, whatever was read before.
    if not type(given).objects.filter(pk=given.pk).update(ends_at=ends_at, given_by=actor.user_id):
        raise Conflict
    data = {"principal": str(given_to(given)), "before": before, "ends_at": ends_at}
    if isinstance(given, Assignment):
        record(actor, "role.end_changed", data={"role": given.role.key, **data}, reason=reason)
    else:
        data["partition"] = given.partition.key
        record(actor, "partition.admission_end_changed", data=data, reason=reason)
    reach.changed()
    return True


def given_to(row: Assignment | Admission | GateUse) -> Principal:
    """Return to whom something was given."""
    return Principal(**{name: getattr(row, name) for name in (*PRINCIPALS, "below", "post")})


def check_grants(grants: Mapping[str, Iterable[str]]) -> None:
    """Raise Invalid for a permission or a scope that is not declared."""
    problems: dict[str, list[str]] = {}
    for name, scopes in grants.items():
        try:
            declared = registry.permission(name)
        except KeyError:
            problems.setdefault(name, []).append(_("There is no permission “%s”.") % name)
            continue
        for scope in scopes:
            if scope not in NAMES or scope not in declared.scopes:
                problems.setdefault(name, []).append(
                    _("“%(permission)s” cannot have the scope “%(scope)s”. It can have: %(scopes)s.")
                    % {"permission": name, "scope": scope, "scopes": ", ".join(declared.scopes)}
                )
    if problems:
        raise Invalid(problems)


def refuse_own_role(actor: Actor, role: Role) -> None:
    """Raise Denied where the actor holds the role: widening it would be giving to themselves.

    Where a change set is published, two people have looked at it.
    """
    if publishing.is_on():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.holds_role(%s)", [role.id])
        if cursor.fetchone()[0]:
            raise guard.denied(actor, "role.manage")


def _authorize_gift(actor: Actor, to: Principal, role: Role | None = None) -> None:
    """Raise Denied unless the actor may give to this principal. Whoever belongs to it would give to themselves."""
    _authorize_assigning(actor, to, role)
    _refuse_own(actor, to)


def _refuse_own(actor: Actor, to: Principal) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s IN (SELECT hufu.my_principals())", [str(to)])
        if cursor.fetchone()[0]:
            raise guard.denied(actor, "role.assign")


def require_may_assign(actor: Actor, role: Role, to: Principal) -> None:
    """Raise Denied unless the actor may give this role to this principal here and now."""
    if to.level is not None:
        publishing.authorize(actor, "role.assign")
    if not publishing.is_on():
        _authorize_gift(actor, to, role)


def require_may_end(actor: Actor, assignment: Assignment) -> None:
    """Raise Denied unless the actor may take this back."""
    if not publishing.is_on():
        _authorize_assigning(actor, given_to(assignment), assignment.role)


def _authorize_assigning(actor: Actor, to: Principal, role: Role | None) -> None:
    """Let through whoever may give roles, or was entrusted with giving this one to this person."""
    if role is not None and to.user is not None and not guard.may(actor, "role.assign"):
        from hufu.access import delegated

        if delegated.may_give(role, to.user):
            return
    guard.authorize(actor, "role.assign")


def assign_role(
    actor: Actor,
    role: Role,
    *,
    to: Principal,
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Assignment:
    """Give a role to a principal. Nobody gives to themselves; administrator roles cannot hang on a level, and fall to
    different people as the company's mode asks for. What levels hold is a definition (see hufu.access.publishing)."""
    require_may_assign(actor, role, to)
    if to.level is not None and role.administrator:
        raise Invalid({"to": [_("“%s” is an administrator role and cannot hang on a level.") % role.name]})
    company.require_apart(role, to.user)
    given = Assignment(
        role=role, reason=reason, starts_at=starts_at, ends_at=ends_at, given_by=actor.user_id, **to.columns()
    )
    given.save(force_insert=True)
    record(
        actor,
        "role.assigned",
        data={"role": role.key, "principal": str(to), "starts_at": starts_at, "ends_at": ends_at},
        reason=reason,
    )
    reach.changed()
    return given


def admit(
    actor: Actor,
    partition: Partition,
    *,
    to: Principal,
    rights: Iterable[Right],
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Admission:
    """Open a partition to a principal. Every right implies read."""
    _authorize_gift(actor, to)
    given_rights = {Right.READ, *rights}
    admission = Admission(
        partition=partition,
        can_create=Right.CREATE in given_rights,
        can_edit=Right.EDIT in given_rights,
        can_delete=Right.DELETE in given_rights,
        reason=reason,
        starts_at=starts_at,
        ends_at=ends_at,
        given_by=actor.user_id,
        **to.columns(),
    )
    admission.save(force_insert=True)
    record(
        actor,
        "partition.admitted",
        data={
            "partition": partition.key,
            "principal": str(to),
            "rights": sorted(given_rights),
            "starts_at": starts_at,
            "ends_at": ends_at,
        },
        reason=reason,
    )
    reach.changed()
    return admission
