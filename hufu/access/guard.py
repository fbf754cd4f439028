"""The only door to business rows: `scope` for lists, `get` for one, `authorize` for deeds, `may` for buttons,
`fields` for columns. Default deny; an unknown name is an error; an error denies."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from hufu.access import ceilings, gates, pool_fields, quotas, reach, registry, state_refusal
from hufu.access.decision.decide import Code, Decision, Link, code_of
from hufu.access.decision.gates import ClosedGate
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import names_permission
from hufu.access.decision.terms import Coverage, Need, Requirement, Share, by_holder
from hufu.access.fields import FieldAccess, field_access, is_exportable, says
from hufu.access.registry import Field, ResourceType
from hufu.audit import Target
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.core.errors import Denied, NotFound, SecondFactorNeeded
from hufu.core.prepared import prepared
from hufu.core.transaction import current_unit, note_on_behalf

# A record's number is a bigint; the log names no record that cannot be.
LARGEST_NUMBER = 2**63 - 1

_ALLOWED = "access.allowed"


def scope(actor: Actor, permission: str) -> QuerySet[Any]:
    """Return the records that the actor may use `permission` on, as a query to be narrowed further.

    Every permission on an existing record also needs view on it. What restores or purges is about records in the
    bin, everything else about those that are not.
    """
    return _scope(actor, _resource(permission), registry.requirement(permission))


def scope_to_give_edit(actor: Actor, resource: ResourceType) -> QuerySet[Any]:
    """Return the records that the actor may share for editing."""
    return _scope(actor, resource, registry.giving_edit(resource.name))


def _scope(actor: Actor, resource: ResourceType, requirement: Requirement) -> QuerySet[Any]:
    rows: QuerySet[Any] = resource.model_class._base_manager.filter(deleted_at__isnull=not requirement.of_bin)
    if requirement.of_pool:
        rows = rows.filter(pool_id__isnull=False)
    if resource.parent:
        rows = rows.filter(**{f"{resource.parent}__deleted_at__isnull": True})
    condition = reach.covered(actor, resource, requirement.needs)
    return rows.none() if condition is None else rows.filter(condition)


def get(actor: Actor, permission: str, record_id: int) -> Any:
    """Return the record; raise NotFound where it is absent or not viewable (both look alike), else Denied.

    For what restores or purges, only a record in the bin that the actor may restore or purge is there at all.
    """
    resource = _resource(permission)
    of_bin = registry.requirement(permission).of_bin
    verbs = sorted(registry.BIN_VERBS) if of_bin else ["view"]
    # Whatever the record: where a gate closes what is held, the person is told so.
    if not any(may(actor, resource.permission(verb)) for verb in verbs) and gates.closing(
        map(resource.permission, verbs)
    ):
        raise denied(actor, resource.permission(verbs[0]))
    record = _read(actor, resource, record_id)
    if record is not None and any(may(actor, resource.permission(verb), record) for verb in verbs):
        authorize(actor, permission, record)
        return record
    raise not_found(resource, permission, record_id)


def known(actor: Actor, permission: str, record_id: int) -> Any:
    """Return the record that the actor may know of where they ask about the permission on it, without a trace; None
    where it is absent or not viewable. Whether they may use the permission is not asked."""
    resource = _resource(permission)
    of_bin = registry.requirement(permission).of_bin
    record = _read(actor, resource, record_id)
    verbs = sorted(registry.BIN_VERBS) if of_bin else ["view"]
    is_known = record is not None and any(may(actor, resource.permission(verb), record) for verb in verbs)
    return record if is_known else None


def _read(actor: Actor, resource: ResourceType, record_id: int) -> Any:
    """Return the record that the row policies give, with what decides about it; None where they give none."""
    rows = resource.model_class._base_manager.filter(pk=record_id)
    with prepared():
        record = with_parent(resource, rows).first()
    if record is not None:
        decides = getattr(record, resource.parent) if resource.parent else record
        reach.look_at(actor, resource.independent, [decides.pk])
    return record


def use(actor: Actor, permission: str, record_id: int) -> Any:
    """Return the record like `get`, for a deed: its use of the permission counts against the actor's quotas."""
    record = get(actor, permission, record_id)
    quotas.consume(actor, permission, target=_target(_resource(permission), record))
    return record


def with_parent(resource: ResourceType, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows with what decides about them."""
    return rows.select_related(resource.parent) if resource.parent else rows


def not_found(resource: ResourceType, permission: str, record_id: int) -> NotFound:
    """Return the uniform refusal for a record that is absent or may not be viewed."""
    return NotFound(
        _("There is no such page, or you may not view it."),
        event={
            "type": "access.refused",
            "target": Target(resource.name, record_id) if abs(record_id) <= LARGEST_NUMBER else None,
            "data": {"permission": permission},
            "reason": "not_found",
        },
    )


def may(actor: Actor, permission: str, record: Model | None = None) -> bool:
    """Say whether the actor may, without a trace: for buttons. The deed asks `authorize` again.

    Without a record: whether the permission is held at any scope (system permissions, create, menus).
    """
    if record is None:
        registry.permission(permission)
        return any(term.scope_of(permission) for term in reach.terms(actor))
    return reach.coverage(actor, permission).covers(reach.facts(actor, _decided(permission), record))


@cache
def _decided(permission: str) -> ResourceType:
    """Return the type of the existing records that a permission is about; raise for any other."""
    resource = _resource(permission)
    if not registry.is_about_records(permission):
        raise ValueError(f"{permission} is not about an existing record")
    return resource


def may_give_edit(actor: Actor, resource: ResourceType, record: Model) -> bool:
    """Say whether the actor may share a record for editing: nobody gives an edit that they have not, or only lent."""
    gives = Coverage(reach.terms(actor), registry.giving_edit(resource.name))
    return gives.covers(reach.facts(actor, resource, record))


def may_inside(actor: Actor, permission: str, record: Model) -> bool:
    """Say whether the actor may, and not by a share across the wall alone."""
    inside = Coverage(reach.terms(actor), registry.inside(permission))
    return inside.covers(reach.facts(actor, _resource(permission), record))


def authorize(actor: Actor, permission: str, record: Model | None = None) -> Decision:
    """Return the decision that allows; raise Denied (recorded by the transaction) where it does not.

    Whoever does it by delegation does it on behalf of the other: the log names both.
    """
    if may(actor, permission, record):
        current_unit().cache.setdefault(_ALLOWED, {})[permission] = None if record is None else record.pk
        if record is not None:
            _note_holder(actor, permission, _resource(permission), record)
        return Decision(True, permission, actor.user_id, Code.HELD if record is None else Code.COVERED)
    raise denied(actor, permission, record)


def allowed_so_far() -> list[tuple[str, int | None]]:
    """Return the permissions that `authorize` allowed in this transaction, each with the last record it was about."""
    return list(current_unit().cache.get(_ALLOWED, {}).items())


def may_create(actor: Actor, resource: ResourceType, *, partition_id: int, owner_id: int) -> bool:
    """Say whether the actor may add a record there, for that owner. Whether the owner may own it is asked apart."""
    return creates_as(actor, resource, partition_id=partition_id, owner_id=owner_id) is not None


def creates_as(actor: Actor, resource: ResourceType, *, partition_id: int, owner_id: int) -> int | None:
    """Return by whose terms the actor may add a record there, for that owner; None where by nobody's.

    By delegation it becomes the delegator's own, or that of somebody for whom they may enter.
    """
    permission = registry.permission(resource.permission("create"))
    assert permission.right is not None
    for holder, terms in by_holder(reach.terms(actor)).items():
        for term in terms:
            scopes = term.scope_of(permission.name)
            is_theirs = owner_id == holder or Scope.EVERYTHING in scopes
            if scopes and is_theirs and partition_id in term.partitions[permission.right]:
                return holder
    return None


def owner_of_new(actor: Actor, resource: ResourceType) -> int:
    """Return whose a new record is where nobody is named: the actor's, or theirs for whom the actor may add some."""
    create = resource.permission("create")
    held = by_holder(reach.terms(actor)).items()
    return next((holder for holder, terms in held if any(t.scope_of(create) for t in terms)), actor.user_id)


def may_add_to(actor: Actor, resource: ResourceType, parent: Model) -> bool:
    """Say whether the actor may add a record of a following type to this parent: the permission, and edit of it."""
    return adds_as(actor, resource, parent) is not None


def adds_as(actor: Actor, resource: ResourceType, parent: Model) -> int | None:
    """Return by whose terms the actor may add a record of a following type to this parent; None where by nobody's."""
    parent_type = resource.parent_type
    assert parent_type is not None
    edit = registry.requirement(parent_type.permission("edit"))
    needs = (Need(resource.permission("create"), None), *edit.needs)
    return Coverage(reach.terms(actor), Requirement(needs)).holder_of(reach.facts(actor, parent_type, parent))


def _note_holder(actor: Actor, permission: str, resource: ResourceType, record: Model) -> None:
    from hufu.access import break_glass

    if any(term.delegated for term in reach.terms(actor)):
        holder = reach.coverage(actor, permission).holder_of(reach.facts(actor, resource, record))
        if holder is not None and break_glass.note(actor, holder, permission, resource, record):
            holder = None
        note_on_behalf(resource.name, record.pk, holder if holder != actor.user_id else None)


def creatable_partitions(actor: Actor, resource: ResourceType) -> frozenset[int]:
    """Return the partitions in which the actor may create records of an independent type."""
    permission = registry.permission(resource.permission("create"))
    assert permission.right is not None
    return frozenset().union(
        *(term.partitions[permission.right] for term in reach.terms(actor) if term.scope_of(permission.name))
    )


def denied(actor: Actor, permission: str, record: Model | None = None) -> Denied:
    """Return the refusal of something that the actor may know of."""
    resource = registry.type_of(permission)
    target = _target(resource, record) if record is not None and resource is not None else None
    needs = registry.requirement(permission).needs if record is not None else ()
    ceiling = current_unit().actor.ceiling
    if left_out := ceilings.outside(ceiling, [permission, *(need.permission for need in needs)]):
        assert ceiling is not None
        link = Link(Code.OUTSIDE_CEILING, left_out, ceiling=ceiling.name)
        return _explicit(
            Decision(False, permission, actor.user_id, link.code, missing=(link,)),
            _("“%(ceiling)s” is not made for this: %(permission)s.")
            % {"ceiling": ceiling.name, "permission": registry.permission(left_out).label},
            target,
        )
    if shut := gates.closing([permission, *(need.permission for need in needs)]):
        return _behind_gate(actor, permission, shut, target)
    if forbidden := _forbidden([permission, *(need.permission for need in needs)]):
        link = Link(Code.PROHIBITED, forbidden)
        return _explicit(
            Decision(False, permission, actor.user_id, link.code, missing=(link,)),
            _("This is forbidden to you: %(permission)s.")
            % {"permission": registry.permission(forbidden).label},
            target,
        )
    if resource is not None and record is not None:
        in_state = state_refusal.refusal(actor, permission, resource, record, target)
        if in_state is not None:
            return in_state
    code = Code.NO_GRANT
    if record is not None and any(term.scope_of(permission) for term in reach.terms(actor)):
        code = Code.OUT_OF_SCOPE
    return _explicit(
        Decision(False, permission, actor.user_id, code, missing=(Link(code, permission),)),
        _("You may not do this: %(permission)s.") % {"permission": registry.permission(permission).label},
        target,
    )


def _explicit(decision: Decision, message: str, target: Target | None) -> Denied:
    event = {
        "type": "access.refused",
        "target": target,
        "data": {"permission": decision.permission},
        "reason": str(decision.code),
    }
    return Denied(decision, message, event=event)


def _forbidden(permissions: list[str]) -> str | None:
    """Return the first of the permissions that is forbidden to the actor, if any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.my_prohibitions()")
        named = [row[0] for row in cursor.fetchall()]
    return next((each for each in permissions if any(names_permission(one, each) for one in named)), None)


def _target(resource: ResourceType, record: Model) -> Target:
    return Target(resource.name, record.pk, getattr(record, "partition_id", None))


def _behind_gate(actor: Actor, permission: str, shut: list[ClosedGate], target: Target | None) -> Denied:
    """Return the refusal of somebody who holds the permission, which a gate closes right now."""
    event = gates.event_of(shut[0])
    return (SecondFactorNeeded if gates.only_second_factor(shut) else Denied)(
        Decision(
            False,
            permission,
            actor.user_id,
            code_of(shut[0].gate.id),
            missing=tuple(Link(code_of(each.gate.id), permission, gate=each.gate.id) for each in shut),
        ),
        wording.joined(*map(gates.sentence, shut)),
        event={**event, "target": target, "data": {"permission": permission, **event["data"]}},
    )


def fields(actor: Actor, resource: ResourceType, record: Model | None) -> dict[str, FieldAccess]:
    """Return what the actor may do with each field of a record that they may view; None is a new record.

    A record is the actor's own (mine) when they own it or are an edit-member of its team, or of its parent's. What the
    pool in which it lies hides is hidden. Without
    its required fields there is no new record: whoever may create one writes them.
    """
    mine = record is None or is_mine(actor, resource, record)
    access = {
        declared.name: field_access(actor, resource, declared, mine=mine) for declared in resource.fields
    }
    if record is None:
        access |= {declared.name: FieldAccess.EDITABLE for declared in resource.fields if declared.required}
        return access
    pool = pool_fields.pool_of(resource, record)
    if pool is not None:
        access |= {
            declared.name: FieldAccess.HIDDEN
            for declared in resource.fields
            if pool in pool_fields.hiding(resource, declared)
        }
    return access


def fields_to_write(actor: Actor, resource: ResourceType, record: Model | None) -> dict[str, FieldAccess]:
    """Return what `fields` does, for whoever edits.

    INVARIANT: an exclusive field is nobody's to write across the wall. The refusal of a value that is taken tells of
    records of the partition, which a share of one does not open.
    """
    access = fields(actor, resource, record)
    exclusive = resource.exclusive_fields()
    if record is None or not exclusive or may_inside(actor, resource.permission("edit"), record):
        return access
    return access | {
        declared.name: FieldAccess.READ_ONLY if access[declared.name].is_readable else FieldAccess.HIDDEN
        for declared in exclusive
    }


def exported(actor: Actor, resource: ResourceType, record: Model) -> dict[str, FieldAccess]:
    """Return what `fields` does, for a copy that leaves: what may not be exported is hidden."""
    return {
        name: access if is_exportable(actor, resource, resource.by_name[name]) else FieldAccess.HIDDEN
        for name, access in fields(actor, resource, record).items()
    }


def readable(actor: Actor, resource: ResourceType, declared: Field) -> Q | None:
    """Return the condition for those records whose value of the field the actor reads; None where they read none.

    INVARIANT: whatever looks into a field (filter, sort, search, group, aggregate) is conjoined with this, or refused.
    """
    holds = says(actor, resource, declared)
    if not holds.mine.is_readable and not holds.others.is_readable:
        return None
    shown = pool_fields.shown(resource, declared)
    if holds.mine.is_readable and holds.others.is_readable:
        return shown
    whose = mine(actor, resource) if holds.mine.is_readable else ~mine(actor, resource)
    return whose & shown


def is_mine(actor: Actor, resource: ResourceType, record: Model) -> bool:
    """Say whether the actor owns the record (or its parent) or is an edit-member of its team."""
    about = reach.facts(actor, resource, record)
    decides = about.parent or about
    return decides.owner_id == actor.user_id or decides.team.get(actor.user_id) is Share.EDIT


def mine(actor: Actor, resource: ResourceType) -> Q:
    """Return the condition of `is_mine`: the records whose masked fields the actor reads."""
    prefix = f"{resource.parent}__" if resource.parent else ""
    edited = reach.edited_in_teams(actor, resource.independent)
    return Q(**{f"{prefix}owner_id": actor.user_id}) | Q(**{f"{prefix}pk__in": edited})


def _resource(permission: str) -> ResourceType:
    resource = registry.type_of(permission)
    if resource is None:
        raise ValueError(f"{permission} is not about records")
    return resource
