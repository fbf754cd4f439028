"""What a manager sees of the rights of those below them in the reporting line, and of nobody else.

The database asks again who stands below whom (hufu.gifts_below); definitions are readable by everybody. What is lent to
somebody is not in it: it is another's, who may stand outside the team.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.db.models import Model

from hufu.access import queries, reach
from hufu.access.break_glass_models import BreakGlassUse
from hufu.access.decision.snapshot import Snapshot
from hufu.access.delegation_models import Delegation
from hufu.access.models import Admission, Assignment, Prohibition
from hufu.core import clock
from hufu.core.actor import Actor

# What ends so soon is told to the manager.
SOON = timedelta(days=30)
MOST = 200


@dataclass(frozen=True)
class Ending:
    """Something of a person's that ends: a role, a partition, or (`delegation`) standing in for whom `name` names."""

    kind: str
    user_id: int
    name: str
    ends_at: datetime


def below(actor: Actor) -> frozenset[int]:
    """Return those who stand below the actor in the reporting line, through vacant and inactive posts, by number."""
    own = (term for term in reach.terms(actor) if not term.delegated)
    return frozenset().union(*(term.owners for term in own)) - {actor.user_id}


def snapshot_of(person_id: int) -> Snapshot:
    """Return facts and policy with what is given to somebody below the actor, or nothing where they are not below.

    INVARIANT: nothing else that the actor may read of gifts is in it: it is about that person alone.
    """
    gifts: dict[str, list[SimpleNamespace]] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hufu.gifts_below(%s) ORDER BY kind, id", [person_id])
        names = [column.name for column in cursor.description]
        for row in cursor.fetchall():
            given = SimpleNamespace(**dict(zip(names, row, strict=True)))
            gifts.setdefault(given.kind, []).append(given)

    def rows(model: type[Model]) -> Iterable[Any]:
        if model in (Delegation, BreakGlassUse):
            return ()
        kind = _GIFTS.get(model)
        return queries.rows_now(model) if kind is None else gifts.get(kind, ())

    return queries.build_snapshot(clock.now(), rows)


_GIFTS: dict[type[Model], str] = {
    Assignment: "assignment",
    Admission: "admission",
    Prohibition: "prohibition",
}


def endings() -> list[Ending]:
    """Return what ends soon for those below the actor, the first to end first, at most MOST."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, user_id, name, ends_at FROM hufu.endings_below(%s)"
            " ORDER BY ends_at, user_id, name LIMIT %s",
            [clock.now() + SOON, MOST],
        )
        return [Ending(*row) for row in cursor.fetchall()]
