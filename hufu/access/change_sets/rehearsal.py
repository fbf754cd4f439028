"""What a change set would do: it is carried out, looked at, and undone, all in one transaction that keeps nothing.

INVARIANT: numbers come from the doors themselves: each person's own lists, under the row policies, with all gates open.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import connection

from hufu.access import break_glass_rules, guard, policy_document, policy_file, pools, registry
from hufu.access.break_glass_models import BreakGlass
from hufu.access.change_sets import asserting
from hufu.access.change_sets.differences import Difference, differences
from hufu.access.decision.scopes import Scope, names
from hufu.access.policy_document import Step, assertions
from hufu.access.policy_document.roles import max_risk
from hufu.access.pool_models import Pool
from hufu.access.publishing import rehearsing
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.transaction import in_place_of, undone
from hufu.people.models import Status, User

SAMPLES = 3
# Sections of which everything that they open to somebody stands in that person's reach.
IN_REACH = {
    "partitions",
    "base_access",
    "roles",
    "assignments",
    "prohibitions",
    "gates",
    "tests",
    "break_glass",
}
# Sections that open nothing to anybody: who decides, what waits, what nobody holds together, how often.
OPENS_NOTHING = {"approvals", "approved_moves", "duties", "duplicate_check", "quotas"}
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
    """What changes for somebody: permissions and partitions, each with what is held before and after, records, and
    what rules open or hide beside these."""

    user_id: int
    username: str
    name: str
    permissions: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    partitions: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    records: dict[str, Records] = field(default_factory=dict)
    # By rule: what they may open by break-glass. By pool: what it hides from them. Both before and after.
    break_glass: dict[str, tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]] = field(
        default_factory=dict
    )
    pools: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes for them."""
        return not (self.permissions or self.partitions or self.records or self.break_glass or self.pools)


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
        held, offered = _open_to_everybody() if people else _nothing()
    with rehearsing():
        policy_file.carry_out(actor, steps)
        after = {**policy_document.definitions(), **({"tests": list(tests)} if tests else {})}
        held_after, offered_after = _open_to_everybody() if people else _nothing()
        moved = _moved(users, steps, held, held_after, offered, offered_after)
        for user in moved:
            seen_after[user.pk] = _seen(user)
        results = tuple(asserting.run(tests))
    if not tests:
        after.pop("tests", None)
    effects = []
    with undone():
        for user in moved:
            effect = replace(
                _effect(user, _seen(user), seen_after.pop(user.pk), held, held_after),
                break_glass=_differing(offered.glass.get(user.pk, {}), offered_after.glass.get(user.pk, {})),
                pools=_hidden(offered.hidden.get(user.pk, {}), offered_after.hidden.get(user.pk, {})),
            )
            if not effect.is_empty:
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


@dataclass
class _Offered:
    """By person: the break-glass rules that they may use, with what these open, and the pools, with what these hide."""

    glass: dict[int, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    hidden: dict[int, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def of(self, user_id: int) -> tuple[Any, Any]:
        return self.glass.get(user_id), self.hidden.get(user_id)


def _offered() -> _Offered:
    offered = _Offered()
    rules = {row.key: break_glass_rules.standing(row).words() for row in BreakGlass.objects.all()}
    hides = {row.key: pools.standing(row).hides for row in Pool.objects.select_related("partition")}
    if not rules and not hides:
        return offered
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hufu.offered_to_everybody()")
        for user_id, kind, key in cursor.fetchall():
            if kind == "pool":
                offered.hidden.setdefault(user_id, {})[key] = hides[key]
            else:
                said = {name: of for name, of in rules[key].items() if name not in ("name", "role")}
                offered.glass.setdefault(user_id, {})[key] = said
    return offered


_Open = tuple[tuple[_Held, dict[int, str]], _Offered]


def _open_to_everybody() -> _Open:
    return _held(), _offered()


def _nothing() -> _Open:
    return ({}, {}), _Offered()


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }


def _hidden(
    before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return what is hidden from somebody in pools that they look into before and afterwards."""
    return {
        key: (before[key], after[key])
        for key in sorted(before.keys() & after.keys())
        if set(before[key]) != set(after[key])
    }


def _moved(
    users: Sequence[User],
    steps: Iterable[Step],
    before: tuple[_Held, dict[int, str]],
    after: tuple[_Held, dict[int, str]],
    offered: _Offered,
    offered_after: _Offered,
) -> list[User]:
    """Return whom a change can concern: whose reach differs, or everybody where it changes more than reach."""
    in_reach = all(_section(step) in IN_REACH | OPENS_NOTHING for step in steps)
    return [
        user
        for user in users
        if not in_reach
        or before[1].get(user.pk) != after[1].get(user.pk)
        or offered.of(user.pk) != offered_after.of(user.pk)
    ]


def _section(step: Step) -> str:
    """Return the section that a step changes, be it that something goes."""
    return step.place.removeprefix("removes.").partition("[")[0].partition(".")[0]


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
