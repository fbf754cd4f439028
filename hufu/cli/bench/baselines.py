"""What a list is measured against: the same page or count without any authorization, as one WHERE, and by the row
policies alone.

The first two are asked as the owner of the tables, whom row policies do not bind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Q, QuerySet

from hufu.cli.bench.archetypes import Archetype
from hufu.cli.bench.statements import application_within, owner_within
from hufu.core.actor import Actor
from hufu.core.schema import sql_file
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER

# As they are named in the figures.
PLAIN, NAIVE, POLICY = "plain", "naive", "policy"

Sql = tuple[str, Sequence[Any]]


def everything() -> QuerySet[Any]:
    """Return all customers that are not in the bin, as only an owner gets them."""
    return CUSTOMER.model_class._base_manager.filter(deleted_at__isnull=True)


def by_one_where(archetype: Archetype, actor: Actor) -> QuerySet[Any]:
    """Return the customers that the actor may view, by one condition of OR-ed sub-selects."""
    condition = sql_file("hufu.cli.bench", "naive").partition("\n")[2]
    values = {"me": actor.user_id, "scope": archetype.scope}
    bound = psycopg.ClientCursor(connection.connection).mogrify(condition.encode(), values)
    return everything().extra(where=[bound.replace("%", "%%")])


def page(rows: QuerySet[Any], query: ListQuery) -> Sql:
    """Return the statement that reads a page of the rows as lists do."""
    return queries.page_statement(CUSTOMER, rows, query)


def amount(rows: QuerySet[Any]) -> Sql:
    """Return the statement that counts the rows."""
    numbers, values = rows.values_list("pk").query.sql_with_params()
    return f"SELECT count(*) FROM ({numbers}) counted", values


def runs(
    owner: psycopg.Connection,
    archetype: Archetype,
    actor: Actor,
    narrowed: Q,
    statement: Callable[[QuerySet[Any]], Sql],
    limit: float,
) -> dict[str, Callable[[], list[Any]]]:
    """Return what runs each of the three, ended after `limit` milliseconds; the last in the actor's transaction."""

    def as_owner(rows: QuerySet[Any]) -> Callable[[], list[Any]]:
        sql, values = statement(rows.filter(narrowed))

        def run() -> list[Any]:
            with owner_within(owner, limit):
                return owner.execute(sql.encode(), values).fetchall()

        return run

    def as_application() -> list[Any]:
        sql, values = statement(everything().filter(narrowed))
        with application_within(limit), connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    return {
        PLAIN: as_owner(everything()),
        NAIVE: as_owner(by_one_where(archetype, actor)),
        POLICY: as_application,
    }
