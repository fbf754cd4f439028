"""Deeds on accounts and the facts of people, any number at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.actions import next_number
from hufu.audit import Event, Subject, Target, changes, record, record_many
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import sort_key
from hufu.people.models import Membership, Status, User
from hufu.staffing.actions import pending
from hufu.staffing.actions.common import authorize_about, require_no_other_administrator
from hufu.staffing.actions.pending import Fact

# Personal facts of a user are ciphertext in the log.
PERSONAL = frozenset({"name", "email"})


@dataclass(frozen=True)
class Person:
    """What an account is created from. Nobody can sign in to it until they are invited."""

    username: str
    name: str
    email: str = ""
    external_id: str | None = None
    title: str = ""
    status: str = Status.ACTIVE
    main_department_id: int | None = None
    level_id: int | None = None
    other_department_ids: tuple[int, ...] = field(default=())


FACTS = (
    "username",
    "name",
    "email",
    "external_id",
    "title",
    "status",
    "main_department_id",
    "manager_id",
    "level_id",
)


def create_users(actor: Actor, people: Iterable[Person]) -> list[User]:
    """Create accounts without managers; `set_managers` draws the reporting line afterwards."""
    guard.authorize(actor, "user.manage")
    numbered = dict(enumerate(people, start=next_number(User)))
    waiting = pending.waiting_of(
        actor, [fact for number, person in numbered.items() for fact in facts_of_new(number, person)]
    )
    users = []
    memberships: list[Membership] = []
    for number, person in numbered.items():
        department, level, others = (
            None
            if Fact("department", number, person.main_department_id) in waiting
            else person.main_department_id,
            None if Fact("level", number, person.level_id) in waiting else person.level_id,
            [
                each
                for each in person.other_department_ids
                if Fact("other_department", number, each) not in waiting
            ],
        )
        user = User(
            id=number,
            username=person.username,
            name=person.name,
            name_sort=sort_key(person.name),
            email=person.email,
            external_id=person.external_id,
            title=person.title,
            status=person.status,
            main_department_id=department,
            level_id=level,
            created_at=clock.now(),
        )
        user.set_unusable_password()
        users.append(user)
        memberships.extend(Membership(user_id=number, department_id=each) for each in others)
    User.objects.bulk_create(users, batch_size=1000)
    Membership.objects.bulk_create(memberships, batch_size=1000)
    record_many(
        actor,
        (
            Event(
                "user.created",
                Target("user", user.id),
                subject=Subject("user", user.id),
                **changes(None, {name: getattr(user, name) for name in FACTS}, sealed=PERSONAL),
            )
            for user in users
        ),
    )
    pending.keep(actor, waiting)
    reach.changed()
    return users


def facts_of_new(number: int, person: Person) -> list[Fact]:
    """Return the facts of a new account that rights may hang on."""
    facts = [
        Fact("department", number, person.main_department_id),
        Fact("level", number, person.level_id),
        *(Fact("other_department", number, department) for department in person.other_department_ids),
    ]
    return [fact for fact in facts if fact.value is not None]


def _stands_above(line: Mapping[int, int | None], boss: int, who: int | None) -> bool:
    """Say whether somebody stands above another in a reporting line without circles."""
    while who is not None:
        who = line.get(who)
        if who == boss:
            return True
    return False


def set_managers(actor: Actor, managers: Mapping[int, int | None]) -> None:
    """Set the managers of users, by number; a circle is refused with its path, and then nothing changes.

    Nobody changes their own manager, or comes to stand above somebody, by their own hand.
    """
    guard.authorize(actor, "user.manage")
    if actor.is_person and (actor.user_id in managers or actor.user_id in managers.values()):
        raise guard.denied(actor, "user.manage")
    users = {user.id: user for user in User.objects.all()}
    _check_line(actor, users, managers)
    facts = [
        Fact("manager", number, manager)
        for number, manager in managers.items()
        if manager is not None and users[number].manager_id != manager
    ]
    waiting = pending.waiting_of(actor, facts)
    pending.forget(actor, "manager", list(managers))
    managers = dict(managers) | {fact.user: None for fact in waiting if fact.user is not None}
    # Each row is checked against the line as it stands: first cut, then draw.
    changed = [number for number, manager in managers.items() if users[number].manager_id != manager]
    before = {number: users[number].manager_id for number in changed}
    User.objects.filter(id__in=changed).update(manager=None)
    for number in changed:
        users[number].manager_id = managers[number]
    User.objects.bulk_update([users[number] for number in changed], ["manager"], batch_size=500)
    _record_changes(
        actor,
        {number: ({"manager_id": before[number]}, {"manager_id": managers[number]}) for number in changed},
    )
    pending.keep(actor, waiting)
    reach.changed()


def _check_line(actor: Actor, users: Mapping[int, User], managers: Mapping[int, int | None]) -> None:
    """Raise Invalid for a circle, Denied where the actor would come to stand above somebody."""
    line = {user.id: user.manager_id for user in users.values()} | dict(managers)
    for start in managers:
        path = [start]
        above = line.get(start)
        while above is not None and above not in path:
            path.append(above)
            above = line.get(above)
        if above is not None:
            circle = [*path[path.index(above) :], above]
            names = " → ".join(users[number].name for number in circle)
            raise Invalid({"manager": [_("The reporting line would be a circle: %s.") % names]})
    changed = [number for number, manager in managers.items() if users[number].manager_id != manager]
    if actor.is_person and any(_stands_above(line, actor.user_id, managers[number]) for number in changed):
        raise guard.denied(actor, "user.manage")


def set_secondary_departments(actor: Actor, wanted: Mapping[int, Collection[int]]) -> None:
    """Set all secondary departments of users, by number. Nobody changes their own: rights are derived from them."""
    guard.authorize(actor, "user.manage")
    if actor.is_person and actor.user_id in wanted:
        raise guard.denied(actor, "user.manage")
    standing: dict[int, set[int]] = {number: set() for number in wanted}
    for user, department in Membership.objects.filter(user_id__in=wanted).values_list(
        "user_id", "department_id"
    ):
        standing[user].add(department)
    facts = [
        fact for number, ids in wanted.items() for fact in facts_of_others(number, standing[number], set(ids))
    ]
    waiting = pending.waiting_of(actor, facts)
    pending.forget(actor, "other_department", list(wanted))
    stay = {(fact.user, fact.value) for fact in waiting if fact.leaves}
    at_once = {
        number: {each for each in ids if Fact("other_department", number, each) not in waiting}
        | {each for each in standing[number] if (number, each) in stay}
        for number, ids in wanted.items()
    }
    changed = {number: ids for number, ids in at_once.items() if ids != standing[number]}
    for number, ids in changed.items():
        if gone := standing[number] - ids:
            Membership.objects.filter(user_id=number, department_id__in=gone).delete()
    Membership.objects.bulk_create(
        (
            Membership(user_id=number, department_id=department)
            for number, ids in changed.items()
            for department in sorted(ids - standing[number])
        ),
        batch_size=1000,
    )
    _record_changes(
        actor,
        {
            number: ({_OTHERS: sorted(standing[number])}, {_OTHERS: sorted(ids)})
            for number, ids in changed.items()
        },
    )
    pending.keep(actor, waiting)
    reach.changed()


def facts_of_others(number: int, standing: set[int], wanted: set[int]) -> list[Fact]:
    """Return which secondary departments somebody comes to, and which they leave."""
    return [
        *(Fact("other_department", number, each) for each in sorted(wanted - standing)),
        *(Fact("other_department", number, each, leaves=True) for each in sorted(standing - wanted)),
    ]


_OTHERS = "other_department_ids"
GRANTING = {"status", "main_department_id", "level_id"}
CHANGEABLE = ("name", "email", "external_id", "title", "status", "main_department_id", "level_id")


def change_users(actor: Actor, wanted: Mapping[int, Mapping[str, Any]]) -> int:
    """Change facts of users (those of CHANGEABLE), by number; return how many people changed.

    Nobody changes those of their own facts that rights are derived from.
    """
    guard.authorize(actor, "user.manage")
    if GRANTING & set(wanted.get(actor.user_id, {})):
        raise guard.denied(actor, "user.manage")
    differences: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    touched = []
    accounts = {user.id: user for user in User.objects.filter(id__in=list(wanted))}
    wanted, waiting = pending.held_back(
        actor, {number: wanted[number] for number in wanted if number in accounts}, accounts
    )
    for user in accounts.values():
        after = {name: value for name, value in wanted[user.id].items() if getattr(user, name) != value}
        if set(after) - set(CHANGEABLE):
            raise ValueError(f"not changeable: {set(after) - set(CHANGEABLE)}")
        if not after:
            continue
        differences[user.id] = ({name: getattr(user, name) for name in after}, after)
        for name, value in after.items():
            setattr(user, name, value)
        user.name_sort = sort_key(user.name)
        touched.append(user)
    if touched:
        User.objects.bulk_update(touched, [*CHANGEABLE, "name_sort"], batch_size=500)
        _record_changes(actor, differences)
    pending.keep(actor, waiting)
    if touched:
        reach.changed()
    return len({user.id for user in touched} | {fact.user for fact in waiting})


def _record_changes(
    actor: Actor, differences: Mapping[int, tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    record_many(
        actor,
        (
            Event(
                "user.changed",
                Target("user", number),
                subject=Subject("user", number),
                **changes(before, after, sealed=PERSONAL),
            )
            for number, (before, after) in differences.items()
        ),
    )


def renew_link(actor: Actor, user: User, *, reason: str = "") -> None:
    """Let earlier links of somebody to choose a password not work any longer, and record that there is a new one.

    Nobody makes one for themselves. Nobody but the operator makes one for an administrator of another kind: whoever
    held it could be both.
    """
    authorize_about(actor, user)
    require_no_other_administrator(actor, user)
    User.objects.filter(pk=user.pk).update(link_number=F("link_number") + 1)
    user.refresh_from_db(fields=["link_number"])
    name = "user.reset_started" if user.has_usable_password() else "user.invited"
    record(actor, name, target=Target("user", user.id), reason=reason)
