"""How long it takes to say who of everybody may view a customer: from reach, and with everybody's explanation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from hufu.access import guard, queries
from hufu.cli.bench.cedar import VIEW
from hufu.cli.bench.statements import application_within
from hufu.cli.bench.timing import Times, in_turns
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER

REACH, EXPLAINED = "reach", "explained"
# Everybody's explanation takes long, and much the same of every customer.
EXPLAINED_ONCE = "of a usual owner"
# Which customers, and how one of each is found.
KINDS = {
    "of a usual owner": "u.title = 'representative'",
    "of a house account": "u.title = 'house account'",
    "of a middle manager": "u.title = 'middle manager'",
    "in a rare partition": "c.partition_id >= 39",
    "in a pool": "c.pool_id IS NOT NULL",
    "shared with a group": "EXISTS (SELECT 1 FROM access_share s WHERE s.record_id = c.id AND s.group_id = 1)",
}


@dataclass(frozen=True)
class Asked:
    """Who may view one customer: how many people, and the milliseconds of both ways."""

    about: str
    people: int
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs."""
        times = {name: times.as_dict() for name, times in self.times.items()}
        return {"about": self.about, "people": self.people, **times}


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Asked]:
    """Yield the question about one customer of each kind."""
    tell("  reading the company as explanations do")
    operator = Actor.operator()
    with acting(operator):
        snapshot = queries.snapshot()
    with psycopg.connect(owner_url, autocommit=True) as owner:
        numbers = {name: _number(owner, condition) for name, condition in KINDS.items()}
    for name, number in numbers.items():
        if number is None:
            continue
        tell(f"  {name}")
        with acting(operator):
            record = guard.get(operator, VIEW, number)
            facts = queries.facts(CUSTOMER, record)
            said: dict[str, int] = {}

            def reach(number: int = number, said: dict[str, int] = said) -> None:
                with application_within(limit):
                    said[REACH] = len(queries.who_may(operator, VIEW, number))

            def explained(facts: Any = facts) -> None:
                queries.who_can(snapshot, VIEW, facts)

            times = in_turns({REACH: reach}, rounds, limit)
            if name == EXPLAINED_ONCE:
                times |= in_turns({EXPLAINED: explained}, 1, limit)
        yield Asked(name, said.get(REACH, 0), times)


def _number(owner: psycopg.Connection, condition: str) -> int | None:
    question = (
        f"SELECT c.id FROM {CUSTOMER.table} c LEFT JOIN people_user u ON u.id = c.owner_id"
        f" WHERE {condition} LIMIT 1"
    )
    row = owner.execute(question.encode()).fetchone()
    return row[0] if row else None
