"""What writing a customer costs: the bare row with its indexes and keys, the same under row policies with all triggers
(counters, duplicates, history), and the whole deed with its checks and the log.

What is written is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from django.db import connection

from hufu.access import guard
from hufu.cli.bench.people import people
from hufu.cli.bench.statements import Statement, noted
from hufu.cli.bench.timing import Times, ratio, timed
from hufu.core.actor import Actor
from hufu.core.prepared import prepared
from hufu.core.transaction import acting, undone
from hufu.crm import actions
from hufu.crm.resources import CUSTOMER

BARE, TABLE, DEED = "bare", "table", "deed"
# So many are written at each turn. By the first of them a connection makes its plans, which undoing threw away (a site
# keeps them): these do not count.
MANY, FIRST = 50, 6
NAME = "测量用客户"
WRITES = (f'INSERT INTO "{CUSTOMER.table}"', f'UPDATE "{CUSTOMER.table}"')


@dataclass(frozen=True)
class Written:
    """Milliseconds that writing one row takes, by way."""

    what: str
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs."""
        return {
            "what": self.what,
            **{name: times.as_dict() for name, times in self.times.items()},
            **{f"{name}_ratio": ratio(self.times[name], self.times[BARE]) for name in (TABLE, DEED)},
        }


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Written]:
    """Yield adding a customer, and changing one."""
    actor = next(actor for archetype, actor in people() if archetype.sells and archetype.scope == "own")
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for what, made in (("a new customer", _adding), ("a changed note", _changing)):
            tell(f"  {what}")
            yield Written(what, _measure(owner, actor, made, min(rounds, 20), limit))


Deeds = Sequence[Callable[[], object]]


def _adding(actor: Actor) -> Deeds:
    partition = min(guard.creatable_partitions(actor, CUSTOMER))
    return [
        partial(
            actions.create_record,
            actor,
            CUSTOMER,
            actions.NewRecord(partition, actor.user_id, {"name": f"{NAME}{turn}", "stage": "new"}),
        )
        for turn in range(MANY)
    ]


def _changing(actor: Actor) -> Deeds:
    rows = list(guard.scope(actor, CUSTOMER.permission("edit")).order_by("-pk")[:MANY])
    return [
        partial(
            actions.edit_record,
            actor,
            CUSTOMER,
            rows[turn % len(rows)].pk,
            {"note": f"{NAME}{turn}"},
            version=rows[turn % len(rows)].lock_version + turn // len(rows),
        )
        for turn in range(MANY)
    ]


def _measure(
    owner: psycopg.Connection, actor: Actor, made: Callable[[Actor], Deeds], rounds: int, limit: float
) -> dict[str, Times]:
    found: list[Statement] = []
    with acting(actor), undone():
        deeds = made(actor)
        with noted(found):
            _carry_out(deeds)
    rows = [one for one in found if one.text.startswith(WRITES)]
    each: dict[str, list[float]] = {BARE: [], TABLE: [], DEED: []}
    for turn in range(rounds + 1):
        times = {BARE: _bare(owner, rows), TABLE: _under_policies(rows, actor), DEED: _deeds(made, actor)}
        # The first turn warms up.
        if turn:
            for name, milliseconds in times.items():
                each[name].append(milliseconds)
    return {name: Times(tuple(milliseconds), limit) for name, milliseconds in each.items()}


def _bare(owner: psycopg.Connection, rows: Sequence[Statement]) -> float:
    with owner.transaction(force_rollback=True):
        owner.execute(f"ALTER TABLE {CUSTOMER.table} DISABLE TRIGGER USER".encode())
        return _each(_writing(owner, rows))


def _under_policies(rows: Sequence[Statement], actor: Actor) -> float:
    with acting(actor), undone():
        return _each(_writing(connection.connection, rows))


def _deeds(made: Callable[[Actor], Deeds], actor: Actor) -> float:
    with acting(actor), undone():
        return _each(made(actor))


def _carry_out(deeds: Deeds) -> None:
    for deed in deeds:
        deed()


def _writing(sends: psycopg.Connection, rows: Sequence[Statement]) -> Deeds:
    return [partial(_write, sends, row) for row in rows]


def _write(sends: psycopg.Connection, row: Statement) -> None:
    """Send a row as the application does: prepared, where it prepares it."""
    with prepared(sends), psycopg.Cursor(sends) as cursor:
        cursor.execute(row.text.encode(), row.values, prepare=row.was_prepared)


def _each(deeds: Deeds) -> float:
    """Return how many milliseconds one of them takes."""
    _carry_out(deeds[:FIRST])
    return timed(lambda: _carry_out(deeds[FIRST:])) / (len(deeds) - FIRST)
