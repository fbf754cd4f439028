"""Holding the demo clock open: the one thing of the demo that only the owner of the database may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

OPEN = """
INSERT INTO hufu.demo_clock (pid, started)
SELECT pg_backend_pid(), backend_start FROM pg_stat_get_activity(pg_backend_pid())
"""


@contextmanager
def held_open(owner_url: str) -> Iterator[Callable[[], None]]:
    """Let the database follow a simulated time for the body, and no longer than this process lives.

    Give the body a function that lets the database count its rows, by which it plans; by itself it does so later.

    INVARIANT: what the body makes is whole only when it has ended well. Otherwise the mark stays: see `unfinished`.
    """
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(OPEN)

        def analyze() -> None:
            owner.execute("ANALYZE")

        yield analyze
        analyze()
        owner.execute("DELETE FROM hufu.demo_clock")


def unfinished(owner_url: str) -> bool:
    """Tell whether the making of the demo company was interrupted in this database."""
    try:
        with psycopg.connect(owner_url, autocommit=True) as owner:
            known = owner.execute("SELECT to_regclass('hufu.demo_clock') IS NOT NULL").fetchone()
            found = known and known[0] and owner.execute("SELECT 1 FROM hufu.demo_clock").fetchone()
            return bool(found)
    except psycopg.OperationalError:
        # There is no such database, or nobody is let in yet: migrating says what is wrong.
        return False
