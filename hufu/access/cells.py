"""How many records somebody views, from cells, and what else is asked of these (see hufu.access.cell_sql)."""

from __future__ import annotations

from django.db import connection

from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.prepared import prepared
from hufu.core.transaction import current_unit


class AtLeast(int):
    """A number of records of which it is only known that there are no fewer."""


def count(actor: Actor, resource: ResourceType, *, with_void: bool) -> int:
    """Return how many records of an independent type the actor views; void ones or not.

    It is exact, or AtLeast for whom shares, teams and rules name thousands of records one by one.
    Raise RuntimeError when `actor` is not who acts in this transaction: the database counts for nobody else.
    """
    if current_unit().actor.user_id != actor.user_id:
        raise RuntimeError("The actor is not the one of this transaction.")
    with prepared(), connection.cursor() as cursor:
        cursor.execute(f"SELECT records, exact FROM hufu.count_{resource.table}(%s)", [with_void])
        records, exact = cursor.fetchone()
        return int(records) if exact else AtLeast(records)


def fold() -> None:
    """Put differences into their cells, as the owner of the tables. Nobody needs it: numbers are the same before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.fold_cells()")
