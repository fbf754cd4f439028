"""What authorization costs a page of a list: the page's own statements, against the same page without any."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import psycopg
from django.db.models import CharField, Q, QuerySet

from hufu.access.lookups import Said
from hufu.cli.bench import baselines
from hufu.cli.bench.archetypes import Archetype
from hufu.cli.bench.baselines import NAIVE, PLAIN
from hufu.cli.bench.people import people
from hufu.cli.bench.statements import (
    Cost,
    Statement,
    application_within,
    noted,
    owner_cost,
)
from hufu.cli.bench.timing import Times, TookTooLong, in_turns, ratio
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER

DEEP_PAGE = 21
# What is measured: the whole reading, and the statements of it that read customers.
WHOLE, OURS = "whole", "ours"


@dataclass(frozen=True)
class Situation:
    """A page of a list: how it is sorted and narrowed; `narrowed` says the same to what it is measured against."""

    name: str
    query: ListQuery
    page: int = 1
    narrowed: Q = field(default_factory=Q)


SITUATIONS = (
    Situation("newest", ListQuery()),
    Situation("newest", ListQuery(), page=DEEP_PAGE),
    Situation("by name", ListQuery(sort="name")),
    Situation("by name", ListQuery(sort="name"), page=DEEP_PAGE),
    Situation("of an industry", ListQuery(filters={"industry": ["medical"]}), narrowed=Q(industry="medical")),
    Situation("searched", ListQuery(search="上海澜川"), narrowed=Q(name__found="上海澜川")),
)
# What is looked for, from what half a million have to what nobody has.
SEARCHES = (
    Situation("a frequent part", ListQuery(search="上海"), narrowed=Q(name__found="上海")),
    Situation(
        "two parts", ListQuery(search="澜川 物流"), narrowed=Q(name__found="澜川") & Q(name__found="物流")
    ),
    Situation("a rare part", ListQuery(search="公司99999"), narrowed=Q(name__found="公司99999")),
    Situation("no part", ListQuery(search="查无此名"), narrowed=Q(name__found="查无此名")),
    Situation(
        "initials",
        ListQuery(search="shlcyl"),
        narrowed=Q(name__found="shlcyl") | Q(name_initials__starts_with="shlcyl"),
    ),
    Situation(
        "a part, by name", ListQuery(search="澜川物流", sort="name"), narrowed=Q(name__found="澜川物流")
    ),
)


@CharField.register_lookup
class Found(Said):
    """`field__found`: any part of a text, by the index of its pieces: what a search without authorization asks."""

    lookup_name = "found"
    sql = "hufu.pieces({0}) @> hufu.pieces({1}) AND strpos(hufu.folded({0}), hufu.folded({1})) > 0"
    times = 2


@dataclass(frozen=True)
class Measured:
    """One page of one person's list. `statements` counts all of the reading: reach, teams, page, log; `agrees` says
    whether one WHERE gives the same rows, None where it took too long."""

    who: str
    situation: Situation
    rows: int
    statements: int
    times: dict[str, Times]
    agrees: bool | None
    costs: dict[str, Cost]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs, in milliseconds."""
        return {
            "who": self.who,
            "situation": self.situation.name,
            "page": self.situation.page,
            "rows": self.rows,
            "statements": self.statements,
            "agrees": self.agrees,
            **{name: times.as_dict() for name, times in self.times.items()},
            "ratio": _rounded(ratio(self.times[OURS], self.times[PLAIN])),
            "added_p95": _added(self.times[OURS], self.times[PLAIN]),
            "costs": {name: asdict(cost) for name, cost in self.costs.items()},
        }


def measure(
    owner_url: str,
    rounds: int,
    limit: float,
    tell: Callable[[str], None],
    situations: Sequence[Situation] = SITUATIONS,
) -> Iterator[Measured]:
    """Yield every situation of a person of each kind; whatever takes longer than `limit` milliseconds is ended."""
    # Planned every time, as the application has it planned.
    with psycopg.connect(owner_url, autocommit=True, prepare_threshold=None) as owner:
        for archetype, actor in people():
            tell(f"  {archetype.title}")
            for situation in situations:
                yield _measure(owner, archetype, actor, situation, rounds, limit)


def searches(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Measured]:
    """Yield what `measure` yields, of what is typed into the search box."""
    return measure(owner_url, rounds, limit, tell, SEARCHES)


def cost(actor: Actor, situation: Situation, limit: float) -> Cost:
    """Return what the statements read that find and read the rows of a page."""
    with acting(actor):
        sent, _shown = _read(actor, _turned_to(actor, situation, limit), limit)
        return sum((each.cost() for each in sent if each.reads_customers), Cost())


def _measure(
    owner: psycopg.Connection,
    archetype: Archetype,
    actor: Actor,
    situation: Situation,
    rounds: int,
    limit: float,
) -> Measured:
    with acting(actor):
        query = _turned_to(actor, situation, limit)

    def whole() -> None:
        # In a transaction of its own, as a request has it: reach is read anew.
        with acting(actor), application_within(limit):
            queries.list_records(actor, CUSTOMER, query)

    # First of all: whoever was never in the log before comes into it here, which takes statements of its own.
    times = in_turns({WHOLE: whole}, rounds, limit)
    with acting(actor):
        sent, shown = _read(actor, query, limit)

    def statement(rows: QuerySet[Any]) -> baselines.Sql:
        return baselines.page(rows, query)

    of_page = [statement for statement in sent if statement.reads_customers]

    def ours() -> None:
        with application_within(limit):
            for each in of_page:
                each.send()

    with acting(actor):
        others = baselines.runs(owner, archetype, actor, situation.narrowed, statement, limit)
        times |= in_turns({OURS: ours, **others}, rounds, limit)
        agrees = (
            _agrees(others[NAIVE], shown, query.limit) if times[NAIVE].each and shown is not None else None
        )
        costs = {}
        if times[PLAIN].each:
            costs[PLAIN] = owner_cost(owner, *statement(baselines.everything().filter(situation.narrowed)))
        if times[OURS].each:
            costs[OURS] = sum((each.cost() for each in of_page), Cost())
    return Measured(archetype.title, situation, len(shown or ()), len(sent), times, agrees, costs)


def _read(actor: Actor, query: ListQuery, limit: float) -> tuple[list[Statement], list[int] | None]:
    """Return what is sent for a page, and the numbers on it; None where it took too long."""
    sent: list[Statement] = []
    try:
        with application_within(limit), noted(sent):
            return sent, [row.pk for row in queries.list_records(actor, CUSTOMER, query).records]
    except TookTooLong:
        return sent, None


def _agrees(naive: Callable[[], list[Any]], shown: list[int], limit: int) -> bool | None:
    try:
        return [row[0] for row in naive()][:limit] == shown
    except TookTooLong:
        return None


def _turned_to(actor: Actor, situation: Situation, limit: float) -> ListQuery:
    """Return the query of a page, or of the last one where there are fewer, or of the last that is not too slow."""
    query, skipped = situation.query, (situation.page - 1) * queries.PAGE
    while skipped > 0:
        step = min(skipped, queries.LARGEST_PAGE)
        try:
            with application_within(limit):
                found = queries.list_records(actor, CUSTOMER, replace(query, limit=step))
        except TookTooLong:
            break
        if not found.next_cursor:
            break
        query, skipped = replace(query, cursor=found.next_cursor), skipped - step
    return query


def _added(ours: Times, plain: Times) -> float | None:
    if ours.p95 is None or plain.p95 is None:
        return None
    return round(ours.p95 - plain.p95, 2)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
