"""Joiner, mover, leaver: each one deed, whole or not at all, for whoever manages people and never for oneself.

What they did is told by an Outcome, made from what stood before and stands afterwards; `rehearse` does the same deed
and takes it back, so that what is foretold is what happens.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.actions import Principal, next_number
from hufu.audit import Event, Subject, Target, record, record_many
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import DepartmentPost, Group, Position, Post, Status, User
from hufu.staffing.actions import belonging, pending
from hufu.staffing.actions.common import alone_holds, authorize_about, locked, require_somebody_else
from hufu.staffing.actions.handover import (
    Handover,
    check_successors,
    end_teams,
    hand_over,
    may_own,
    numbers,
    require_successors,
    take_along,
)
from hufu.staffing.actions.outcome import (
    UNCHANGED,
    Outcome,
    Unchanged,
    facts_changed,
    record_outcome,
    waiting_for,
)
from hufu.staffing.actions.pending import Fact
from hufu.staffing.actions.people import (
    Person,
    change_users,
    create_users,
    facts_of_new,
    facts_of_others,
    set_managers,
    set_secondary_departments,
)
from hufu.staffing.holdings import ROLE, Amount, Gift, HeldPost, Holdings, amounts, holdings

USERNAME = re.compile(r"[\w.@+-]+")


def join(
    actor: Actor,
    person: Person,
    *,
    manager: int | None = None,
    groups: Sequence[Group] = (),
    positions: Sequence[Position] = (),
) -> Outcome:
    """Open an account with its department, level, manager, groups and positions. Nobody can sign in until invited."""
    guard.authorize(actor, "user.manage")
    _check_new(actor, person, manager)
    number = next_number(User)
    facts = [
        *facts_of_new(number, person),
        *([Fact("manager", number, manager)] if manager is not None else []),
        *(Fact("group", number, group.id) for group in groups),
        *(Fact("position", number, position.id) for position in positions),
    ]
    with transaction.atomic():
        with reach.one_change(), pending.judged_together(actor, facts):
            (user,) = create_users(actor, [person])
            if manager is not None:
                set_managers(actor, {user.id: manager})
            for group in groups:
                belonging.add_members(actor, group, [user.id])
            for position in positions:
                belonging.add_holders(actor, position, [user.id])
        record(
            actor,
            "user.joined",
            target=Target("user", user.id),
            subject=Subject("user", user.id),
            data={
                "manager": manager,
                "groups": [group.key for group in groups],
                "positions": [position.key for position in positions],
            },
        )
        return Outcome(user, Holdings(), holdings(actor, user.id), waiting=waiting_for(user.id))


@dataclass(frozen=True)
class Move:
    """Where somebody goes, and what becomes of what they have. What is UNCHANGED stays.

    `take_records`: the department of their records follows them; otherwise it stays. Records that `handover` names a
    successor for are handed over instead. `keep` lists the gifts (given by name) that stay: all others end when the
    main department or the level changes, and none otherwise. Posts in a department that is left end.
    """

    department: int | Unchanged | None = UNCHANGED
    other_departments: Collection[int] | Unchanged = UNCHANGED
    manager: int | Unchanged | None = UNCHANGED
    level: int | Unchanged | None = UNCHANGED
    title: str | Unchanged = UNCHANGED
    take_records: bool = True
    handover: Handover = field(default_factory=Handover)
    keep: Collection[Gift] | Unchanged = ()
    leave_groups: Collection[Group] = ()
    leave_positions: Collection[Position] = ()
    leave_teams: bool = False
    reports_to: int | Unchanged | None = UNCHANGED


def move_person(actor: Actor, user: User, move: Move, *, reason: str) -> Outcome:
    """Give somebody another department, manager, level or title, and settle what they have, in one deed.

    Refused where the move would take away the right to own records that stay with the person: somebody has to be
    named for these, or admitted first.
    """
    authorize_about(actor, user)
    with transaction.atomic():
        user = locked(user.id)
        before, alone = holdings(actor, user.id), alone_holds(user.id)
        check_successors(actor, user, move.handover, before.records)
        owned = {amount.partition_id for amount in before.records if may_own(user.id, amount.partition_id)}
        wanted: dict[str, Any] = {
            name: value
            for name, value in (
                ("main_department_id", move.department),
                ("level_id", move.level),
                ("title", move.title),
            )
            if value is not UNCHANGED and value != getattr(user, name)
        }
        changes_place = bool({"main_department_id", "level_id"} & set(wanted))
        with reach.one_change(), pending.judged_together(actor, _facts_of(user, move, wanted)) as waiting:
            if wanted:
                change_users(actor, {user.id: wanted})
            _set_other_departments(actor, user, move, wanted)
            if move.manager is not UNCHANGED and move.manager != user.manager_id:
                _check_manager(actor, move.manager)
                set_managers(actor, {user.id: move.manager})
            if move.reports_to is not UNCHANGED:
                _give_reports(actor, user, before, move.reports_to)
            if changes_place and move.keep is not UNCHANGED:
                _end_gifts(actor, user, (gift for gift in before.gifts if gift not in move.keep), reason)
            for group in move.leave_groups:
                belonging.remove_members(actor, group, [user.id])
            for position in move.leave_positions:
                belonging.remove_holders(actor, position, [user.id])
            left = _departments(before) - _departments_of(user.id)
            _leave_posts(actor, user, (held for held in before.posts if held.department.id in left))
        user.refresh_from_db()
        require_somebody_else(user, alone - alone_holds(user.id))
        handed = hand_over(actor, user, move.handover, reason=reason)
        # Until it is released the records stay where they are, and with whom they are.
        if not waiting:
            _refuse_stranded(user, owned)
        follow = move.take_records and "main_department_id" in wanted and user.main_department_id is not None
        taken = take_along(actor, user, reason=reason) if follow else ()
        if move.leave_teams:
            end_teams(actor, user, reason=reason)
        after = holdings(actor, user.id)
        outcome = Outcome(user, before, after, handed, taken, _person(move.reports_to), waiting_for(user.id))
        changed = facts_changed(before, after)
        if not changed and outcome.is_empty:
            return outcome
        record_outcome(actor, "user.moved", outcome, reason, {"changed": changed})
        return outcome


def leave(
    actor: Actor,
    user: User,
    *,
    handover: Handover,
    reason: str,
    reports_to: int | Unchanged | None = UNCHANGED,
) -> Outcome:
    """Close an account for good: its next request is refused, and nothing that rights hang on stays.

    Level, other departments, what was given by name, groups, positions, posts and teams end; the records go to
    successors, the direct reports to the person's own manager or to whom `reports_to` names. Main department and
    manager stay, as the place where the person last was, and so does what a prohibition binds, until it is released:
    whoever comes back does not come back without it. Refused where somebody may not take over, or where nobody else
    could manage people or rights.
    """
    authorize_about(actor, user)
    with transaction.atomic():
        user = locked(user.id)
        before = holdings(actor, user.id)
        require_somebody_else(user, alone_holds(user.id))
        require_successors(user, handover, before.records)
        check_successors(actor, user, handover, before.records)
        to = _nearest_above(user) if reports_to is UNCHANGED else reports_to
        with reach.one_change():
            closed = {"status": Status.LEFT.value, "level_id": None}
            change_users(actor, {user.id: closed})
            set_secondary_departments(actor, {user.id: ()})
            if before.reports:
                _give_reports(actor, user, before, to)
            _end_gifts(actor, user, before.gifts, reason)
            for group in before.groups:
                belonging.remove_members(actor, group, [user.id])
            for position in before.positions:
                belonging.remove_holders(actor, position, [user.id])
            _leave_posts(actor, user, before.posts)
        user.refresh_from_db()
        handed = hand_over(actor, user, handover, reason=reason)
        end_teams(actor, user, reason=reason)
        after = holdings(actor, user.id)
        require_successors(user, Handover(), after.records)
        outcome = Outcome(
            user, before, after, handed, (), _person(to) if before.reports else None, waiting_for(user.id)
        )
        if before.status != Status.LEFT or not replace(outcome, waiting=()).is_empty:
            record_outcome(actor, "user.left", outcome, reason, {})
        return outcome


def _facts_of(user: User, move: Move, wanted: Mapping[str, Any]) -> list[Fact]:
    """Return all that somebody, and whoever reports to them, would come to and leave by a move."""
    facts = [
        Fact(field, user.id, wanted[column])
        for column, field in (("main_department_id", "department"), ("level_id", "level"))
        if column in wanted
    ]
    facts += [Fact("group", user.id, group.id, leaves=True) for group in move.leave_groups]
    facts += [Fact("position", user.id, position.id, leaves=True) for position in move.leave_positions]
    if move.manager is not UNCHANGED and move.manager not in (None, user.manager_id):
        facts.append(Fact("manager", user.id, move.manager))
    standing = set(user.memberships.values_list("department_id", flat=True))
    main = wanted.get("main_department_id", user.main_department_id)
    others = standing if move.other_departments is UNCHANGED else set(move.other_departments)
    facts += facts_of_others(user.id, standing, others - {main})
    facts += [
        Fact(held.post, user.id, held.department_id, leaves=True)
        for held in DepartmentPost.objects.filter(user=user)
        if held.department_id in ({user.main_department_id} | standing) - ({main} | others)
    ]
    if move.reports_to is not UNCHANGED and move.reports_to is not None:
        above = _nearest_above(user)
        facts += [
            Fact("manager", report, to)
            for report in user.reports.order_by("id").values_list("id", flat=True)
            if (to := move.reports_to if report != move.reports_to else above) is not None
        ]
    return facts


def _check_new(actor: Actor, person: Person, manager: int | None) -> None:
    problems: dict[str, list[str]] = {}
    if not USERNAME.fullmatch(person.username):
        problems["username"] = [_("A user name is made of letters, digits and . @ + - _ without spaces.")]
    elif User.objects.filter(username=person.username).exists():
        problems["username"] = [_("“%s” is somebody else's already.") % person.username]
    if not person.name.strip():
        problems["name"] = [_("Give the person's name.")]
    if person.external_id and User.objects.filter(external_id=person.external_id).exists():
        problems["external_id"] = [_("“%s” is somebody else's already.") % person.external_id]
    if problems:
        raise Invalid(problems)
    _check_manager(actor, manager)


def _check_manager(actor: Actor, manager: int | Unchanged | None) -> None:
    """Raise Invalid where the actor would become somebody's manager by their own hand, or nobody could be asked."""
    if manager is None or manager is UNCHANGED:
        return
    if manager == actor.user_id:
        raise Invalid({"manager": [_("Nobody becomes a manager by their own hand. Name somebody else.")]})
    if not _is_here(manager):
        raise Invalid({"manager": [_("The manager must be somebody who has not left.")]})


def _is_here(user_id: int) -> bool:
    return User.objects.filter(pk=user_id).exclude(status=Status.LEFT).exists()


def _nearest_above(user: User) -> int | None:
    """Return the nearest in the reporting line above somebody who has not left."""
    above = user.manager
    while above is not None and above.status == Status.LEFT:
        above = above.manager
    return above.id if above else None


def _set_other_departments(actor: Actor, user: User, move: Move, wanted: Mapping[str, Any]) -> None:
    """Set the secondary departments; the main one is never among them."""
    standing = set(user.memberships.values_list("department_id", flat=True))
    others = standing if move.other_departments is UNCHANGED else set(move.other_departments)
    others = others - {wanted.get("main_department_id", user.main_department_id)}
    if others != standing:
        set_secondary_departments(actor, {user.id: others})


def _give_reports(actor: Actor, user: User, before: Holdings, to: int | None) -> None:
    """Give the direct reports to somebody; if that is one of them, that one reports to the former manager."""
    above = _nearest_above(user)
    managers = {report.id: to if report.id != to else above for report in before.reports}
    for manager in set(managers.values()):
        if manager == actor.user_id:
            raise Invalid(
                {"reports_to": [_("The direct reports would become your own. Name somebody else for them.")]}
            )
        if manager is not None and not _is_here(manager):
            raise Invalid({"reports_to": [_("The manager must be somebody who has not left.")]})
    set_managers(actor, managers)


def _end_gifts(actor: Actor, user: User, ended: Iterable[Gift], reason: str) -> None:
    ended = list(ended)
    if not ended:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.drop_gifts(%s, %s, %s)",
            [
                user.id,
                [gift.id for gift in ended if gift.kind == ROLE],
                [gift.id for gift in ended if gift.kind != ROLE],
            ],
        )
    principal = str(Principal(user=user))
    record_many(
        actor,
        (
            Event("role.unassigned", data={"role": gift.key, "principal": principal}, reason=reason)
            if gift.kind == ROLE
            else Event(
                "partition.admission_ended",
                data={"partition": gift.key, "principal": principal},
                reason=reason,
            )
            for gift in ended
        ),
    )
    reach.changed()


def _leave_posts(actor: Actor, user: User, posts: Iterable[HeldPost]) -> None:
    for held in posts:
        belonging.leave_posts(actor, held.department, Post(held.post), [user.id])


def _departments(held: Holdings) -> set[int]:
    """Return the main and secondary departments that somebody belonged to."""
    return {department.id for department in (held.department, *held.other_departments) if department}


def _departments_of(user_id: int) -> set[int]:
    """Return the main and secondary departments that somebody belongs to now."""
    user = User.objects.get(pk=user_id)
    others = user.memberships.values_list("department_id", flat=True)
    return {number for number in (user.main_department_id, *others) if number is not None}


def _refuse_stranded(user: User, owned: Collection[int]) -> None:
    """Raise Invalid where records stay with somebody whom the move took the right to own them."""
    found: dict[str, list[Amount]] = {}
    for amount in amounts("owned", user.id):
        if amount.partition_id in owned and not may_own(user.id, amount.partition_id):
            found.setdefault(amount.partition, []).append(amount)
    if found:
        raise Invalid(
            {
                "successor": [
                    _(
                        "After the move %(person)s may no longer own records in “%(partition)s” (%(records)s): name a "
                        "successor for them, keep the admission, or have %(person)s admitted first."
                    )
                    % {"person": user.name, "partition": partition, "records": numbers(amounts_of)}
                    for partition, amounts_of in found.items()
                ]
            }
        )


def _person(number: int | Unchanged | None) -> User | None:
    return None if number is None or number is UNCHANGED else User.objects.get(pk=number)
