"""What authorization costs a count: how many customers somebody may view, against all of them, one WHERE and the row
policies alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db.models import Q

from hufu.cli.bench import baselines
from hufu.cli.bench.archetypes import Archetype
from hufu.cli.bench.baselines import NAIVE
from hufu.cli.bench.people import people
from hufu.cli.bench.statements import Cost, Statement, application_within, noted
from hufu.cli.bench.timing import Times, TookTooLong, in_turns
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER

OURS = "ours"


@dataclass(frozen=True)
class Situation:
    """What is counted; `narrowed` says the same to what it is measured against."""

    name: str
    query: ListQuery
    narrowed: Q = field(default_factory=Q)


SITUATIONS = (
    Situation("all", ListQuery()),
    Situation("of an industry", ListQuery(filters={"industry": ["medical"]}), narrowed=Q(industry="medical")),
)


@dataclass(frozen=True)
class Counted:
    """A count for one person, with what it says and what one WHERE says; None where that took too long."""

    who: str
    situation: str
    amount: Any
    naive_amount: int | None
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs, in milliseconds."""
        return {
            "who": self.who,
            "situation": self.situation,
            "amount": self.amount,
            "naive_amount": self.naive_amount,
            **{name: times.as_dict() for name, times in self.times.items()},
        }


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Counted]:
    """Yield every situation of a person of each kind; whatever takes longer than `limit` milliseconds is ended."""
    with psycopg.connect(owner_url, autocommit=True, prepare_threshold=None) as owner:
        for archetype, actor in people():
            tell(f"  {archetype.title}")
            for situation in SITUATIONS:
                yield _measure(owner, archetype, actor, situation, rounds, limit)


def cost(actor: Actor, situation: Situation, limit: float) -> Cost:
    """Return what the statements of a count read, in the transaction that runs."""
    sent: list[Statement] = []
    with application_within(limit), noted(sent):
        queries.count_records(actor, CUSTOMER, situation.query)
    return sum((each.cost() for each in sent if each.reads_customers), Cost())


def _measure(
    owner: psycopg.Connection,
    archetype: Archetype,
    actor: Actor,
    situation: Situation,
    rounds: int,
    limit: float,
) -> Counted:
    said: dict[str, Any] = {}

    def ours() -> None:
        with application_within(limit):
            said[OURS] = queries.count_records(actor, CUSTOMER, situation.query)

    with acting(actor):
        others = baselines.runs(owner, archetype, actor, situation.narrowed, baselines.amount, limit)
        times = in_turns({OURS: ours, **others}, rounds, limit)
        naive_amount = None
        if times[NAIVE].each:
            try:
                [(naive_amount, *_rest)] = others[NAIVE]()
            except TookTooLong:
                naive_amount = None
    amount = said.get(OURS) if times[OURS].each else None
    return Counted(archetype.title, situation.name, amount, naive_amount, times)
