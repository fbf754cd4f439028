"""What a change set would do: it is carried out, looked at, and undone, all in one transaction that keeps nothing.

INVARIANT: numbers are those of the doors afterwards, with all gates open: counted by cells (by_cells), or read from
each person's own lists under the row policies (by_lists). A section that nobody thought of is looked at in all lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from django.db import connection

from hufu.access import break_glass_rules, guard, policy_document, policy_file, pools, registry
from hufu.access.break_glass_models import BreakGlass
from hufu.access.change_sets import asserting, by_cells, by_lists
from hufu.access.change_sets.by_cells import Amounts
from hufu.access.change_sets.by_lists import Seen
from hufu.access.change_sets.differences import Difference, differences
from hufu.access.change_sets.views import Everybody, everybody
from hufu.access.decision.scopes import Scope, names
from hufu.access.policy_document import Step, assertions
from hufu.access.policy_document.roles import max_risk
from hufu.access.pool_models import Pool
from hufu.access.publishing import rehearsing
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.transaction import undone
from hufu.people.models import Status, User

SAMPLES = 3
# For up to so many pairs of a person whose reach moves and a record lists are read, which name examples, too.
FEW = 1_000_000
# Sections of which everything that they open to somebody stands in what is looked at of everybody (views).
IN_VIEWS = {
    *(
        "partitions",
        "base_access",
        "roles",
        "assignments",
        "admissions",
        "prohibitions",
        "gates",
    ),
    *("tests", "break_glass", "sharing_rules", "territories", "pools", "delegated_administration"),
}
# Sections that open nothing to anybody: who decides, what waits, what nobody holds together, how often.
OPENS_NOTHING = {"approvals", "approved_moves", "duties", "duplicate_check", "quotas"}


class Way(StrEnum):
    """How records that come and go are counted: by cells, or from lists that are read."""

    CELLS = "cells"
    LISTS = "lists"


RIGHTS = {1: "read", 2: "create", 4: "edit", 8: "delete"}


@dataclass(frozen=True)
class Records:
    """How many records of a type somebody views before and after, and what comes and goes.

    Of many people the first two are counted for those alone for whom most comes and goes (else None). Samples are
    numbers of records, where lists were read.
    """

    before: int | None
    after: int | None
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
    def moved(self) -> dict[str, tuple[int, int]]:
        """How many records come and go, by type."""
        return {name: (records.gained, records.lost) for name, records in self.records.items()}

    @property
    def weight(self) -> int:
        """How many records come and go."""
        return sum(map(sum, self.moved.values()))

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


def rehearse(
    actor: Actor, document: Mapping[str, Any], *, people: bool = True, way: Way | None = None
) -> Rehearsal:
    """Say what a document would do, and leave no trace. Raise Invalid with what is wrong with it.

    For whoever may view roles. Without `people` only its steps, differences and tests. `way` forces how records are
    counted.
    """
    guard.authorize(actor, "role.view")
    steps = policy_document.plan(document)
    narrows, risk = effect_of(steps)
    before = policy_document.definitions()
    tests = document.get("tests")
    tests = assertions.standing() if tests is None else tests
    looking = _Looking(people, way)
    with rehearsing():
        looking.before()
        policy_file.carry_out(actor, steps)
        after = {**policy_document.definitions(), **({"tests": list(tests)} if tests else {})}
        looking.after(steps)
        results = tuple(asserting.run(tests))
    if not tests:
        after.pop("tests", None)
    effects = tuple(looking.effects())
    return Rehearsal(steps, narrows, risk, differences(before, after), after, effects, results)


def rehearse_deed(actor: Actor, deed: Callable[[], object]) -> tuple[PersonEffect, ...]:
    """Say what a single deed would do, and for whom, and leave no trace. Raise Invalid as the deed would.

    For whoever may view roles. A rehearsal asks nobody whether they may: ask before. Counted by cells.
    """
    guard.authorize(actor, "role.view")
    looking = _Looking(True, Way.CELLS)
    with rehearsing():
        looking.before()
        deed()
        looking.after(())
    return tuple(looking.effects())


def test_standing(actor: Actor) -> tuple[asserting.Result, ...]:
    """Run the tests of the version that stands."""
    guard.authorize(actor, "role.view")
    with undone():
        return tuple(asserting.run(assertions.standing()))


class _Looking:
    """What a rehearsal looks at, before what it carries out and afterwards; nothing at all where nobody asks for it."""

    def __init__(self, people: bool, way: Way | None) -> None:
        self._wanted, self._way = people, way
        self._users: list[User] = []
        self._moved: list[User] = []
        self._open: list[tuple[Everybody, _Offered]] = []
        self._counted: dict[str, dict[int, Amounts]] = {}
        self._seen_after: dict[int, Seen] = {}

    def before(self) -> None:
        if self._wanted:
            active = User.objects.filter(status=Status.ACTIVE)
            self._users = list(active.only("username", "name").order_by("id"))
            self._open = [(everybody(), _offered())]

    def after(self, steps: Iterable[Step]) -> None:
        if not self._wanted:
            return
        self._open.append((everybody(), _offered()))
        known = all(_section(step) in IN_VIEWS | OPENS_NOTHING for step in steps)
        (was, offered), (is_now, offered_after) = self._open
        self._moved = [
            user
            for user in self._users
            if not known or was.moved(is_now, user.pk) or offered.of(user.pk) != offered_after.of(user.pk)
        ]
        listed = self._listed(known, was, is_now)
        for resource in registry.resource_types():
            changes = {
                user.pk: change
                for user in self._moved
                if user.pk not in listed and (change := was.change(is_now, user.pk, resource)) is not None
            }
            self._counted[resource.name] = by_cells.amounts(resource, changes)
        for user in self._moved:
            if user.pk in listed:
                self._seen_after[user.pk] = by_lists.seen(user)

    def _listed(self, known: bool, was: Everybody, is_now: Everybody) -> set[int]:
        """Return whose lists are read: of few people and records everybody's, else of those alone to whom a rule over
        fields gave what can no longer be found by it."""
        way = self._way if known else Way.LISTS
        if way is None:
            way = Way.LISTS if len(self._moved) * _records() <= FEW else Way.CELLS
        if way is Way.LISTS:
            return {user.pk for user in self._moved}
        return was.reached_by(was.matched - is_now.matched)

    def effects(self) -> Iterator[PersonEffect]:
        """Yield what changes for each person for whom something does."""
        with undone():
            for user in self._moved:
                records = {}
                if user.pk in self._seen_after:
                    records = _differing_lists(by_lists.seen(user), self._seen_after.pop(user.pk))
                for name, of in self._counted.items():
                    if (found := of.get(user.pk)) and (found.gained or found.lost):
                        records[name] = Records(found.before, found.after, found.gained, found.lost)
                effect = self._effect(user, records)
                if not effect.is_empty:
                    yield effect

    def _effect(self, user: User, records: dict[str, Records]) -> PersonEffect:
        (was, offered), (is_now, offered_after) = self._open
        return PersonEffect(
            user.pk,
            user.username,
            user.name,
            _changed(was.permissions, is_now.permissions, user.pk, _scopes),
            _changed(was.partitions, is_now.partitions, user.pk, _rights),
            records,
            _differing(offered.glass.get(user.pk, {}), offered_after.glass.get(user.pk, {})),
            _hidden(offered.hidden.get(user.pk, {}), offered_after.hidden.get(user.pk, {})),
        )


def _records() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.records_in_all()")
        return int(cursor.fetchone()[0])


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


def _section(step: Step) -> str:
    """Return the section that a step changes, be it that something goes."""
    return step.place.removeprefix("removes.").partition("[")[0].partition(".")[0]


def _differing_lists(before: Seen, after: Seen) -> dict[str, Records]:
    records = {}
    for name, old in before.items():
        was, is_now = set(old), set(after[name])
        if was != is_now:
            gained, lost = sorted(is_now - was), sorted(was - is_now)
            records[name] = Records(
                len(was), len(is_now), len(gained), len(lost), tuple(gained[:SAMPLES]), tuple(lost[:SAMPLES])
            )
    return records


def _changed(
    before: Mapping[int, Mapping[str, int]], after: Mapping[int, Mapping[str, int]], user_id: int, say: Any
) -> dict[str, Any]:
    old, new = before.get(user_id, {}), after.get(user_id, {})
    return {
        name: (say(old.get(name, 0)), say(new.get(name, 0)))
        for name in [*old, *(name for name in new if name not in old)]
        if old.get(name, 0) != new.get(name, 0)
    }


@cache
def _scopes(mask: int) -> tuple[str, ...]:
    return names(Scope(mask))


def _rights(mask: int) -> tuple[str, ...]:
    return tuple(name for bit, name in RIGHTS.items() if mask & bit)
