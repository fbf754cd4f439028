"""What is sent to the database: noting it while something runs, sending it again, and what a statement reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import psycopg
from django.db import connection, transaction
from django.db.utils import OperationalError

from hufu.cli.bench.timing import TookTooLong
from hufu.core.prepared import prepared
from hufu.crm.resources import CUSTOMER


@dataclass(frozen=True)
class Statement:
    """A statement as it was sent, and by what kind of cursor: on the connection of the application."""

    cursor: type[psycopg.Cursor]
    query: Any
    values: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    was_prepared: bool = False

    @property
    def text(self) -> str:
        query = self.query
        if isinstance(query, psycopg.sql.Composable):
            return query.as_string(None)
        return query.decode() if isinstance(query, bytes) else str(query)

    @property
    def reads_customers(self) -> bool:
        """Whether it reads rows of customers, by itself or by the function that merges the streams of lists."""
        return CUSTOMER.table in self.text or "hufu.page(" in self.text

    def send(self) -> None:
        """Send it again, in the transaction that runs."""
        with prepared() if self.was_prepared else nullcontext(), self.cursor(connection.connection) as cursor:
            cursor.execute(self.query, self.values, **self.options)
            cursor.fetchall()

    def cost(self) -> Cost:
        """Return what it reads, as the application sends it; nothing is kept of it."""
        with transaction.atomic(), self.cursor(connection.connection) as cursor:
            cursor.execute(f"{EXPLAIN}{self.text}".encode(), self.values)
            return _cost(cursor.fetchall())


@dataclass(frozen=True)
class Cost:
    """What statements read, in pages of 8 kB, and the milliseconds of planning and executing them."""

    buffers: int = 0
    planning: float = 0.0
    execution: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.buffers + other.buffers,
            round(self.planning + other.planning, 3),
            round(self.execution + other.execution, 3),
        )


EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


def owner_cost(owner: psycopg.Connection, query: str, values: Sequence[Any]) -> Cost:
    """Return what a statement reads as the owner of the tables sends it."""
    return _cost(owner.execute(f"{EXPLAIN}{query}".encode(), values).fetchall())


def _cost(rows: list[Any]) -> Cost:
    [[said]] = rows
    [explained] = json.loads(said) if isinstance(said, str) else said
    plan = explained["Plan"]
    return Cost(
        plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        explained["Planning Time"],
        explained["Execution Time"],
    )


@contextmanager
def noted(found: list[Statement]) -> Iterator[None]:
    """Add every statement that this process sends during the body, by Django or by a cursor of psycopg's own."""
    execute = psycopg.Cursor.execute

    def noting(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        was_prepared = self.connection.prepare_threshold is not None
        found.append(Statement(type(self), query, params, options, was_prepared))
        return execute(self, query, params, **options)

    with patch.object(psycopg.Cursor, "execute", noting):
        yield


@contextmanager
def application_within(milliseconds: float) -> Iterator[None]:
    """End what the application sends after so long: raise TookTooLong. Its transaction goes on."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(int(milliseconds))])
            yield
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except (OperationalError, psycopg.errors.QueryCanceled) as error:
        raise _too_long(error) from error


@contextmanager
def owner_within(owner: psycopg.Connection, milliseconds: float) -> Iterator[None]:
    """End what the owner sends after so long: raise TookTooLong."""
    owner.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(milliseconds))])
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise _too_long(error) from error
    finally:
        owner.execute("SELECT set_config('statement_timeout', '0', false)")


def _too_long(error: Exception) -> Exception:
    canceled = isinstance(error, psycopg.errors.QueryCanceled) or isinstance(
        error.__cause__, psycopg.errors.QueryCanceled
    )
    return TookTooLong() if canceled else error
