"""Giving a role and taking it back as single deeds: who may give what, and what it would do before it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from hufu.access import actions, guard, reasons, registry
from hufu.access.actions import Principal
from hufu.access.change_sets.rehearsal import PersonEffect, rehearse_deed
from hufu.access.delegated import makes_administrator
from hufu.access.delegated_models import Delegated
from hufu.access.models import Assignment, Grant, Role, RoleInherits
from hufu.access.policy_document.roles import risk_of_grants
from hufu.access.queries import PRINCIPAL_NAMES
from hufu.access.registry import Risk
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.people.models import Department, User

# So long whoever gave a role takes it back with one click.
UNDOABLE = timedelta(minutes=10)


@dataclass(frozen=True)
class RoleFacts:
    """A role as whoever gives it has to know it: its risk, and the permissions that it brings with all it inherits."""

    role: Role
    risk: Risk
    permissions: tuple[str, ...]


def may_give_any(actor: Actor) -> bool:
    """Say whether somebody gives roles at all: everywhere, or in a part of the company."""
    return guard.may(actor, "role.assign") or Delegated.objects.filter(user_id=actor.user_id).exists()


def require_giver(actor: Actor) -> None:
    """Raise Denied for whoever gives roles nowhere."""
    if not may_give_any(actor):
        guard.authorize(actor, "role.assign")


def givable_roles(actor: Actor) -> list[Role]:
    """Return the roles that somebody may give to anybody at all, by name."""
    if guard.may(actor, "role.assign"):
        return list(Role.objects.order_by("name", "id"))
    entrusted = Role.objects.filter(
        pk__in=Delegated.objects.filter(user_id=actor.user_id).values("delegated_roles__role_id")
    )
    return [role for role in entrusted.order_by("name", "id") if not makes_administrator(role)]


def possible_recipients(actor: Actor) -> QuerySet[User]:
    """Return the people to whom somebody may give some role, never themselves."""
    people = User.objects.exclude(pk=actor.user_id).select_related("main_department")
    if guard.may(actor, "role.assign"):
        return people
    within = Delegated.objects.filter(user_id=actor.user_id).values_list("within_id", flat=True)
    below: dict[int, list[int]] = {}
    for number, parent in Department.objects.filter(parent__isnull=False).values_list("id", "parent_id"):
        below.setdefault(parent, []).append(number)
    there = {number for root in within for number in _reached(root, below)}
    return people.filter(main_department_id__in=there)


def facts_of(roles: Sequence[Role]) -> dict[int, RoleFacts]:
    """Return what each of these roles brings, inherited or its own. Three statements."""
    grants: dict[int, set[tuple[str, str]]] = {}
    for role_id, permission, scope in Grant.objects.values_list("role_id", "permission", "scope"):
        grants.setdefault(role_id, set()).add((permission, scope))
    inherits: dict[int, list[int]] = {}
    for role_id, other in RoleInherits.objects.values_list("role_id", "inherits_id"):
        inherits.setdefault(role_id, []).append(other)
    administrators = set(Role.objects.exclude(administrator="").values_list("pk", flat=True))
    order = {permission.name: number for number, permission in enumerate(registry.permissions())}
    found = {}
    for role in roles:
        reached = _reached(role.pk, inherits)
        held = {pair for each in reached for pair in grants.get(each, ())}
        risk = Risk.HIGH if reached & administrators else risk_of_grants(held)
        names = sorted({name for name, _scope in held if name in order}, key=order.__getitem__)
        found[role.pk] = RoleFacts(role, risk, tuple(names))
    return found


def _reached(start: int, steps: Mapping[int, Sequence[int]]) -> set[int]:
    reached, waiting = {start}, [start]
    while waiting:
        new = [other for other in steps.get(waiting.pop(), ()) if other not in reached]
        reached.update(new)
        waiting += new
    return reached


def would_add(actor: Actor, role: Role, *, to: Principal) -> tuple[PersonEffect, ...] | None:
    """Say what giving a role would add for whom, or None to whoever may not view roles: it is given all the same.

    Raise Denied for whoever may not give it, Invalid as giving it would.
    """
    actions.require_may_assign(actor, role, to)
    if not guard.may(actor, "role.view"):
        return None
    with _in_words():
        return rehearse_deed(actor, lambda: actions.assign_role(actor, role, to=to, reason=""))


def would_take(actor: Actor, assignment: Assignment) -> tuple[PersonEffect, ...] | None:
    """Say who would lose what if this ended now, or None to whoever may not view roles."""
    actions.require_may_end(actor, assignment)
    if not guard.may(actor, "role.view"):
        return None
    with _in_words():
        # Deleting a row takes its number from the object that was read.
        mine = Assignment.objects.select_related("role", *PRINCIPAL_NAMES).get(pk=assignment.pk)
        return rehearse_deed(actor, lambda: actions.end_assignment(actor, mine, reason=""))


def give(actor: Actor, role: Role, *, to: Principal, reason: str, ends_at: datetime | None) -> Assignment:
    """Give a role, from now on; raise Invalid in words where nobody may hold it beside what they hold."""
    _require_reason(reason)
    if ends_at is not None and ends_at <= clock.now():
        raise Invalid({"until": [_("This day has passed.")]})
    with _in_words():
        return actions.assign_role(actor, role, to=to, reason=reason.strip(), ends_at=ends_at)


def take_back(actor: Actor, assignment: Assignment, *, reason: str) -> None:
    """End an assignment at once."""
    _require_reason(reason)
    with _in_words():
        actions.end_assignment(actor, assignment, reason=reason.strip())


def change_end(actor: Actor, assignment: Assignment, *, ends_at: datetime | None, reason: str) -> bool:
    """Let an assignment end on another day, or not at all; return whether anything changed."""
    _require_reason(reason)
    with _in_words():
        return actions.change_end(actor, assignment, ends_at=ends_at, reason=reason.strip())


def undo(actor: Actor, number: int) -> Assignment:
    """Take back what one gave a moment ago. Raise NotFound for anything else."""
    row = find(actor, number)
    if row.given_by != actor.user_id or row.valid_from < clock.now() - UNDOABLE:
        raise NotFound
    before = Assignment.objects.select_related("role", *PRINCIPAL_NAMES).get(pk=row.pk)
    actions.end_assignment(actor, row, reason=_("Undone by whoever gave it."))
    return before


def find(actor: Actor, number: int) -> Assignment:
    """Return an assignment for whoever gives roles; raise NotFound where there is none that they may read."""
    require_giver(actor)
    row = Assignment.objects.select_related("role", *PRINCIPAL_NAMES).filter(pk=number).first()
    if row is None:
        raise NotFound
    return row


def given_by_name(user_id: int) -> list[Assignment]:
    """Return what was given to this very person, as far as the actor may read it."""
    rows = Assignment.objects.select_related("role").filter(user_id=user_id)
    return list(rows.order_by("role__name", "id"))


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the log keeps it.")]})
    reasons.check(reason)


@contextmanager
def _in_words() -> Iterator[None]:
    """Say in words what the database alone sees: what makes somebody an administrator beside something else."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Invalid(
            {
                "": [
                    _(
                        "The company's mode does not allow this: administrators are different people, and in "
                        "three-administrator mode none of them sees business data."
                    )
                ]
            }
        ) from error
