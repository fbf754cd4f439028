"""What authorization costs a list: the page's own query, against the same query without any."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

import psycopg
from django.db import connection

from hufu.cli.bench.people import people
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER

DEEP_PAGE = 20
LARGEST = queries.LARGEST_PAGE

Statement = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Measured:
    """One page of one person's list: milliseconds of its query with and without authorization, alternating.

    `statements` counts those of the whole reading: reach, teams, page, log.
    """

    who: str
    page: int
    visible: int
    rows: int
    statements: int
    ours: tuple[float, ...]
    plain: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times as long the query takes with authorization, in the median."""
        return median(self.ours) / median(self.plain)

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs, in milliseconds."""
        return {
            "who": self.who,
            "page": self.page,
            "visible": self.visible,
            "rows": self.rows,
            "statements": self.statements,
            "p50": round(median(self.ours), 3),
            "p95": round(quantiles(self.ours, n=20)[-1], 3),
            "plain_p50": round(median(self.plain), 3),
            "plain_p95": round(quantiles(self.plain, n=20)[-1], 3),
            "ratio": round(self.ratio, 2),
        }


def measure(owner_url: str, rounds: int) -> Iterator[Measured]:
    """Yield the first page and a deep one of each archetype, newest first."""
    # Planned every time, as the application has it planned.
    with psycopg.connect(owner_url, autocommit=True, prepare_threshold=None) as owner:
        for archetype, actor in people():
            for page in (1, DEEP_PAGE):
                yield _measure(owner, actor, archetype.title, page, rounds)


def _measure(owner: psycopg.Connection, actor: Actor, who: str, page: int, rounds: int) -> Measured:
    with acting(actor):
        visible = queries.count_records(actor, CUSTOMER)
        cursor = _turn_to(actor, page)
        query = ListQuery(cursor=cursor)
    with acting(actor):
        statements: list[Statement] = []

        def note(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
            statements.append((sql, values))
            return execute(sql, values, many, context)

        with connection.execute_wrapper(note):
            shown = queries.list_records(actor, CUSTOMER, query)
        # Somebody who holds nothing asks the table nothing at all.
        of_page = [each for each in statements if f'FROM "{CUSTOMER.table}"' in each[0]]
        # As the owner of the tables, whom row policies do not bind; the application would get what they give.
        everything = CUSTOMER.model_class._base_manager.filter(deleted_at__isnull=True)
        plain = queries.page_statement(CUSTOMER, everything, query)

        def ours() -> None:
            for sql, values in of_page:
                with connection.cursor() as cursor:
                    cursor.execute(sql, values)
                    cursor.fetchall()

        times = [(_timed(ours), _timed(lambda: owner.execute(*plain).fetchall())) for _round in range(rounds)]
    return Measured(
        who,
        page,
        visible,
        len(shown.records),
        len(statements),
        tuple(one for one, _other in times),
        tuple(other for _one, other in times),
    )


def _turn_to(actor: Actor, page: int) -> str:
    """Return the cursor of a page, or of the last one where there are fewer."""
    cursor, skipped = "", (page - 1) * queries.PAGE
    while skipped > 0:
        step = min(skipped, LARGEST)
        found = queries.list_records(actor, CUSTOMER, ListQuery(cursor=cursor, limit=step))
        if not found.next_cursor:
            break
        cursor, skipped = found.next_cursor, skipped - step
    return cursor


def _timed(run: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000
