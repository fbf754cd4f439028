"""What the preview of a change of policy takes: a role's scope changes for everybody who holds it, most of the company.

What it says is compared with the doors: for some people drawn at random, and those for whom most comes, what they view
is counted, and where it is little listed, before the change and after it was made for real. It is taken back then.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any
from unittest.mock import patch

import psycopg

from hufu.access import cells, lists, policy_document, policy_file
from hufu.access.change_sets import by_cells, rehearsal
from hufu.access.change_sets.rehearsal import PersonEffect, Records, Rehearsal, Way
from hufu.cli.bench import company
from hufu.cli.bench.archetypes import REPRESENTATIVE
from hufu.cli.bench.timing import Times, in_turns, timed
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User

WHOLE, REACH, CHANGE, COUNT, REST = "preview", "reach read", "carried out", "counted", "the rest"
BEFORE, AFTER = "own", "department"
SAMPLED, LARGEST, SEED = 180, 20, 20261128
# Of whom no more than so many records are viewed these are listed, too.
LISTED = 5000
EVERY = 10_000_000
SCOPE = """
    UPDATE access_grant SET scope = %s WHERE permission = 'customer.view'
    AND role_id = (SELECT id FROM access_role WHERE name = %s)
"""


@dataclass(frozen=True)
class Kind:
    """For how many people of a kind something changes, and how many records come and go for all of them."""

    people: int = 0
    gained: int = 0
    lost: int = 0


@dataclass
class Compared:
    """Of how many people what the preview says was compared with the doors, and of whom it differs.

    Of all of them with counts: what comes and goes together, and where it was counted what is viewed before and after.
    `listed`: of so many also exactly what comes and what goes, from the numbers of their lists.
    """

    people: int = 0
    counted: int = 0
    listed: int = 0
    differ: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return bool(self.people) and not self.differ


@dataclass(frozen=True)
class Previewed:
    """What the preview of a change took in milliseconds, whole and in parts, and what it said."""

    what: str
    concerned: int
    kinds: Mapping[str, Kind]
    compared: Compared
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs, in milliseconds."""
        return {
            "what": self.what,
            "concerned": self.concerned,
            "kinds": {name: asdict(kind) for name, kind in self.kinds.items()},
            "compared": {**asdict(self.compared), "agrees": self.compared.agrees},
            **{name: times.as_dict() for name, times in self.times.items()},
        }


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Previewed]:
    """Yield the change."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        with owner.transaction():
            # A database that was kept may have been made when scopes were not looked at.
            company.make_scopes_legal(owner)
        tell(f"  {REPRESENTATIVE.title}: {BEFORE} → {AFTER}")
        said: list[Rehearsal] = []
        phases: defaultdict[str, list[float]] = defaultdict(list)

        document = _document()

        def preview() -> None:
            operator = Actor.operator()
            with _apart(phases), acting(operator):
                said[:] = [rehearsal.rehearse(operator, document, way=Way.CELLS)]

        times = in_turns({WHOLE: preview}, rounds, limit)
        turns = len(times[WHOLE].each)
        parts = {name: Times(tuple(each[-turns:]), limit) for name, each in phases.items()}
        spent = [sum(one.each[turn] for one in parts.values()) for turn in range(turns)]
        rest = tuple(whole - each for whole, each in zip(times[WHOLE].each, spent, strict=True))
        [rehearsed] = said
        yield Previewed(
            f"{len(rehearsed.people):,} people come to view their departments' customers",
            len(rehearsed.people),
            _kinds(rehearsed),
            _compare(owner, rehearsed, tell),
            {**times, **parts, REST: Times(rest, limit)},
        )


def _document() -> Mapping[str, Any]:
    """Return the change as a document."""
    with acting(Actor.operator()):
        document = policy_document.plain(policy_document.definitions())
    [role] = [role for role in document["roles"] if role["name"] == REPRESENTATIVE.title]
    role["grants"]["customer.view"] = AFTER
    return {"format": 1, "roles": [role]}


@contextmanager
def _apart(phases: defaultdict[str, list[float]]) -> Iterator[None]:
    """Add what the parts of one preview take, in milliseconds."""
    spent: dict[str, float] = dict.fromkeys((REACH, CHANGE, COUNT), 0.0)

    def noting(name: str, module: Any, function: str) -> AbstractContextManager[Any]:
        real = getattr(module, function)

        def noted(*args: Any, **named: Any) -> Any:
            found: list[Any] = []
            spent[name] += timed(lambda: found.append(real(*args, **named)))
            return found[0]

        return patch.object(module, function, noted)

    with (
        noting(REACH, rehearsal, "everybody"),
        noting(CHANGE, policy_file, "carry_out"),
        noting(COUNT, by_cells, "amounts"),
    ):
        yield
    for name, milliseconds in spent.items():
        phases[name].append(milliseconds)


def _kinds(rehearsed: Rehearsal) -> dict[str, Kind]:
    with acting(Actor.operator()):
        titles = dict(User.objects.values_list("pk", "title"))
    found: dict[str, Kind] = {}
    for effect in rehearsed.people:
        kind = found.get(titles[effect.user_id], Kind())
        records = effect.records.get(CUSTOMER.name, Records(0, 0, 0, 0))
        found[titles[effect.user_id]] = Kind(
            kind.people + 1, kind.gained + records.gained, kind.lost + records.lost
        )
    return found


@dataclass(frozen=True)
class _Viewed:
    """How many customers somebody views, and which, where that is little or not counted to its end."""

    amount: int
    numbers: frozenset[int] | None


def _compare(owner: psycopg.Connection, rehearsed: Rehearsal, tell: Callable[[str], None]) -> Compared:
    chosen = _chosen(rehearsed)
    tell(f"  comparing what it says of {len(chosen)} people with the doors")
    before = [_viewed(effect) for effect in chosen]
    owner.execute(SCOPE.encode(), [AFTER, REPRESENTATIVE.title])
    try:
        after = [_viewed(effect) for effect in chosen]
    finally:
        owner.execute(SCOPE.encode(), [BEFORE, REPRESENTATIVE.title])
    compared = Compared()
    for effect, was, is_now in zip(chosen, before, after, strict=True):
        _note(compared, effect, was, is_now)
    return compared


def _chosen(rehearsed: Rehearsal) -> list[PersonEffect]:
    """Return those for whom most comes and goes, and others drawn at random, always the same."""
    by_weight = sorted(rehearsed.people, key=lambda effect: -effect.weight)
    others = by_weight[LARGEST:]
    drawn = random.Random(SEED).sample(others, min(SAMPLED, len(others)))
    return [*by_weight[:LARGEST], *drawn]


def _viewed(effect: PersonEffect) -> _Viewed:
    actor = Actor(effect.user_id, effect.name)
    with acting(actor):
        amount = cells.count(actor, CUSTOMER, with_void=True)
        numbers = None
        if amount <= LISTED or isinstance(amount, cells.AtLeast):
            order = lists.Order(lists.STREAM, descending=True)
            numbers = frozenset(lists.page(actor, CUSTOMER, order, None, {}, EVERY, lists.Way.KEYS))
            amount = len(numbers) if isinstance(amount, cells.AtLeast) else amount
    return _Viewed(amount, numbers)


def _note(compared: Compared, effect: PersonEffect, was: _Viewed, is_now: _Viewed) -> None:
    said = effect.records.get(CUSTOMER.name, Records(was.amount, was.amount, 0, 0))
    compared.people += 1
    agrees = said.gained - said.lost == is_now.amount - was.amount
    if said.before is not None:
        compared.counted += 1
        agrees &= (said.before, said.after) == (was.amount, is_now.amount)
    if was.numbers is not None and is_now.numbers is not None:
        compared.listed += 1
        gained, lost = len(is_now.numbers - was.numbers), len(was.numbers - is_now.numbers)
        agrees &= (said.gained, said.lost) == (gained, lost)
        agrees &= (len(was.numbers), len(is_now.numbers)) == (was.amount, is_now.amount)
    if not agrees:
        compared.differ.append(effect.username)
