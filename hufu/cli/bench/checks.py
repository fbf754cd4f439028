"""What a decision about one customer costs: from reach, with its whole explanation, and by Cedar and Casbin on the
same policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

import psycopg

from hufu.access import guard, queries
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts
from hufu.cli.bench.casbin import Casbin
from hufu.cli.bench.cedar import VIEW, Cedar
from hufu.cli.bench.people import people
from hufu.cli.bench.statements import application_within
from hufu.cli.bench.timing import Times, TookTooLong, in_turns, ratio, timed
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm.queries import ListQuery, list_records
from hufu.crm.resources import CUSTOMER

# Of each person's list so many customers are asked about, and so many of all.
OF_THEIRS, OF_ALL = 10, 10
# Customers that neither a rule nor a pool opens to anybody: what is compared with has no notion of either.
NUMBERS = """
    SELECT c.id FROM {customers} c JOIN unnest(%(wanted)s::bigint[]) wanted (id) USING (id)
    WHERE c.pool_id IS NULL AND NOT EXISTS (SELECT 1 FROM access_rule_match m WHERE m.record_id = c.id)
      AND NOT EXISTS (SELECT 1 FROM access_rule_part p WHERE NOT p.by_fields AND hufu.bit(p.owners, c.owner_id))
"""
REACH, EXPLAINED, CEDAR, CASBIN = "reach", "explained", "cedar", "casbin"


class Engine(Protocol):
    """An engine that was given the policy, the people and some records."""

    def may_view(self, person: int, record: int) -> bool:
        """Ask once, as a program does at each request."""


# Other engines, by the package that is them.
ENGINES: dict[str, tuple[str, Callable[[Snapshot, Mapping[int, RecordFacts]], Engine]]] = {
    CEDAR: ("cedarpy", Cedar),
    CASBIN: ("casbin", Casbin),
}


@dataclass(frozen=True)
class Checked:
    """Decisions for one person: milliseconds of each way for all of `asked`; `first` has the reading of reach in it.

    `differ` counts those on which not all ways say the same.
    """

    who: str
    asked: int
    allowed: int
    differ: int
    first: float
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs: microseconds of one decision."""
        reach = self.times[REACH]
        return {
            "who": self.who,
            "asked": self.asked,
            "allowed": self.allowed,
            "differ": self.differ,
            "first_ms": round(self.first, 3),
            **{f"{name}_us": self.microseconds(name) for name in self.times},
            **{
                f"{name}_ratio": round(found, 1)
                for name, times in self.times.items()
                if name != REACH and (found := ratio(times, reach)) is not None
            },
            **{
                f"{name}_to_explained": round(found, 1)
                for name in ENGINES
                if name in self.times
                and (found := ratio(self.times[name], self.times[EXPLAINED])) is not None
            },
        }

    def microseconds(self, name: str) -> float | None:
        """Return what one decision takes in the median."""
        p50 = self.times[name].p50
        return None if p50 is None else round(p50 * 1000 / self.asked, 2)


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Checked]:
    """Yield the decisions of a person of each kind; of other engines where they are installed."""
    tell("  reading the company as explanations do")
    operator = Actor.operator()
    with acting(operator):
        snapshot = queries.snapshot()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        asked = {actor: _numbers(owner, actor, limit) for _archetype, actor in people()}
    with acting(operator):
        numbers = {number for each in asked.values() for number in each}
        records = {row.pk: row for row in guard.scope(operator, VIEW).filter(pk__in=numbers)}
        facts = {number: queries.facts(CUSTOMER, row) for number, row in records.items()}
    engines: dict[str, Engine] = {}
    for name, (package, engine) in ENGINES.items():
        if find_spec(package):
            tell(f"  giving it to {name.capitalize()}")
            engines[name] = engine(snapshot, facts)
    for archetype, actor in people():
        tell(f"  {archetype.title}")
        about = {number: records[number] for number in asked[actor] if number in records}
        yield _measure(archetype.title, actor, about, facts, snapshot, engines, rounds, limit)


def _numbers(owner: psycopg.Connection, actor: Actor, limit: float) -> list[int]:
    """Return the numbers of customers that the person is asked about: the newest of theirs, and some of all."""
    theirs: list[int] = []
    with acting(actor):
        try:
            with application_within(limit):
                found = list_records(actor, CUSTOMER, ListQuery(limit=5 * OF_THEIRS))
                theirs = [row.pk for row in found.records]
        except TookTooLong:
            pass
    row = owner.execute(f"SELECT max(id) FROM {CUSTOMER.table}".encode()).fetchone()
    last = row[0] if row else 0
    # Far apart, and the same at every run.
    some = [1 + number * 7919 * 104_729 % last for number in range(1, 5 * OF_ALL)]
    question = NUMBERS.format(customers=CUSTOMER.table).encode()

    def plain(wanted: list[int], amount: int) -> list[int]:
        known = {row[0] for row in owner.execute(question, {"wanted": wanted}).fetchall()}
        return [number for number in wanted if number in known][:amount]

    return list(dict.fromkeys([*plain(theirs, OF_THEIRS), *plain(some, OF_ALL)]))


def _measure(
    who: str,
    actor: Actor,
    about: Mapping[int, Any],
    facts: Mapping[int, RecordFacts],
    snapshot: Snapshot,
    engines: Mapping[str, Engine],
    rounds: int,
    limit: float,
) -> Checked:
    person = actor.user_id
    ways: dict[str, Callable[[], list[bool]]] = {
        REACH: lambda: [guard.may(actor, VIEW, row) for row in about.values()],
        EXPLAINED: lambda: [
            queries.explain(snapshot, person, VIEW, facts[number]).allowed for number in about
        ],
    }
    for name, engine in engines.items():
        ways[name] = partial(_asked_of, engine, person, list(about))
    with acting(actor):
        first = timed(lambda: guard.may(actor, VIEW, next(iter(about.values()))))
        verdicts = [way() for way in ways.values()]
        times = in_turns(ways, rounds, limit)
    differ = sum(len(set(each)) > 1 for each in zip(*verdicts, strict=True))
    return Checked(who, len(about), sum(verdicts[0]), differ, first, times)


def _asked_of(engine: Engine, person: int, numbers: list[int]) -> list[bool]:
    return [engine.may_view(person, number) for number in numbers]
