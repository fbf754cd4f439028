"""Holding the demo clock open: the one thing of the demo that only the owner of the database may do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

OPEN = """
INSERT INTO hufu.demo_clock (pid, started)
SELECT pg_backend_pid(), backend_start FROM pg_stat_get_activity(pg_backend_pid())
"""


@contextmanager
def held_open(owner_url: str) -> Iterator[None]:
    """Let the database follow a simulated time for the body, and no longer than this process lives."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("DELETE FROM hufu.demo_clock")
        owner.execute(OPEN)
        try:
            yield
        finally:
            owner.execute("DELETE FROM hufu.demo_clock")
