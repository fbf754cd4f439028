"""What a change set would do: it is carried out, looked at, and undone, all in one transaction that keeps nothing.

INVARIANT: numbers come from the doors themselves: each person's own lists, under the row policies, with all gates open.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from hufu.access import guard, policy_document, policy_file, registry
from hufu.access.change_sets import asserting
from hufu.access.change_sets.differences import Difference, differences
from hufu.access.decision.scopes import Scope, names
from hufu.access.policy_document import Step, assertions
from hufu.access.policy_document.roles import max_risk
from hufu.access.publishing import rehearsing
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.transaction import in_place_of, undone
from hufu.people.models import Status, User

SAMPLES = 3
# Sections of which everything that they open to somebody stands in that person's reach.
IN_REACH = {"partitions", "base_access", "roles", "assignments", "prohibitions", "gates", "tests", "removes"}
RIGHTS = {1: "read", 2: "create", 4: "edit", 8: "delete"}


@dataclass(frozen=True)
class Records:
    """How many records of a type somebody views before and after, and what comes and goes; samples are numbers."""

    before: int
    after: int
    gained: int
    lost: int
    samples_gained: tuple[int, ...] = ()
    samples_lost: tuple[int, ...] = ()


@dataclass(frozen=True)
class PersonEffect:
    """What changes for somebody: permissions and partitions, each with what is held before and after, and records."""

    user_id: int
    username: str
    name: str
    permissions: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    partitions: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    records: dict[str, Records] = field(default_factory=dict)


@dataclass(frozen=True)
class Rehearsal:
    """What a document would do. `narrows`: it proved to take away only; `risk` is that of what it widens."""

    steps: tuple[Step, ...]
    narrows: bool
    risk: Risk
    differences: tuple[Difference, ...]
    definitions: Mapping[str, Any]
    people: tuple[PersonEffect, ...]
    tests: tuple[asserting.Result, ...]

    @property
    def failed(self) -> list[asserting.Result]:
        """The tests that do not hold."""
        return [result for result in self.tests if not result.passed]


def effect_of(steps: Iterable[Step]) -> tuple[bool, Risk]:
    """Return whether steps only take away, and the risk of those that do not. What is not proven narrow is wide."""
    wide = [step for step in steps if not step.narrows]
    return not wide, max_risk(step.risk for step in wide)


def rehearse(actor: Actor, document: Mapping[str, Any], *, people: bool = True) -> Rehearsal:
    """Say what a document would do, and leave no trace. Raise Invalid with what is wrong with it.

    For whoever may view roles. Without `people` only its steps, differences and tests.
    """
    guard.authorize(actor, "role.view")
    steps = policy_document.plan(document)
    narrows, risk = effect_of(steps)
    before = policy_document.definitions()
    tests = document.get("tests")
    tests = assertions.standing() if tests is None else tests
    users = list(User.objects.filter(status=Status.ACTIVE).order_by("id")) if people else []
    seen_after: dict[int, dict[str, array[int]]] = {}
    with undone():
        held = _held()
    with rehearsing():
        policy_file.carry_out(actor, steps)
        after = {**policy_document.definitions(), **({"tests": list(tests)} if tests else {})}
        held_after = _held()
        moved = _moved(users, steps, held, held_after)
        for user in moved:
            seen_after[user.pk] = _seen(user)
        results = tuple(asserting.run(tests))
    if not tests:
        after.pop("tests", None)
    effects = []
    with undone():
        for user in moved:
            effect = _effect(user, _seen(user), seen_after.pop(user.pk), held, held_after)
            if effect.permissions or effect.partitions or effect.records:
                effects.append(effect)
    return Rehearsal(steps, narrows, risk, differences(before, after), after, tuple(effects), results)


def test_standing(actor: Actor) -> tuple[asserting.Result, ...]:
    """Run the tests of the version that stands."""
    guard.authorize(actor, "role.view")
    with undone():
        return tuple(asserting.run(assertions.standing()))


_Held = dict[tuple[int, str], dict[str, int]]


def _held() -> tuple[_Held, dict[int, str]]:
    """Return what everybody holds, as far as reach says, and a digest of each person's reach."""
    held: _Held = {}
    digests: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hufu.held_by_everybody()")
        for user_id, kind, name, mask in cursor.fetchall():
            if kind == "digest":
                digests[user_id] = name
            else:
                held.setdefault((user_id, kind), {})[name] = mask
    return held, digests


def _moved(
    users: Sequence[User],
    steps: Iterable[Step],
    before: tuple[_Held, dict[int, str]],
    after: tuple[_Held, dict[int, str]],
) -> list[User]:
    """Return whom a change can concern: whose reach differs, or everybody where it changes more than reach."""
    in_reach = all(step.place.partition("[")[0].partition(".")[0] in IN_REACH for step in steps)
    return [user for user in users if not in_reach or before[1].get(user.pk) != after[1].get(user.pk)]


def _seen(user: User) -> dict[str, array[int]]:
    """Return the numbers of the records that somebody views, by type, in order."""
    actor = Actor(user.pk, user.name)
    with in_place_of(actor):
        return {
            resource.name: array(
                "q",
                guard.scope(actor, resource.permission("view")).order_by("pk").values_list("pk", flat=True),
            )
            for resource in registry.resource_types()
        }


def _effect(
    user: User,
    before: Mapping[str, array[int]],
    after: Mapping[str, array[int]],
    held: tuple[_Held, dict[int, str]],
    held_after: tuple[_Held, dict[int, str]],
) -> PersonEffect:
    records = {}
    for name, old in before.items():
        was, is_now = set(old), set(after[name])
        if was != is_now:
            gained, lost = sorted(is_now - was), sorted(was - is_now)
            records[name] = Records(
                len(was), len(is_now), len(gained), len(lost), tuple(gained[:SAMPLES]), tuple(lost[:SAMPLES])
            )
    return PersonEffect(
        user.pk,
        user.username,
        user.name,
        _changed(held[0], held_after[0], (user.pk, "permission"), _scopes),
        _changed(held[0], held_after[0], (user.pk, "partition"), _rights),
        records,
    )


def _changed(before: _Held, after: _Held, key: tuple[int, str], say: Any) -> dict[str, Any]:
    old, new = before.get(key, {}), after.get(key, {})
    return {
        name: (say(old.get(name, 0)), say(new.get(name, 0)))
        for name in [*old, *(name for name in new if name not in old)]
        if old.get(name, 0) != new.get(name, 0)
    }


def _scopes(mask: int) -> tuple[str, ...]:
    return names(Scope(mask))


def _rights(mask: int) -> tuple[str, ...]:
    return tuple(name for bit, name in RIGHTS.items() if mask & bit)
