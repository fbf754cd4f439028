"""The time, asked in one place.

The demo company's year is played under a simulated clock (docs/decisions/0009). INVARIANT: only hufu.cli.demo sets
it; the database follows it only while the owner holds the demo clock open, and every event made under it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.db import connection

_simulated: ContextVar[datetime | None] = ContextVar("hufu_simulated", default=None)


def now() -> datetime:
    """Return the present moment in UTC; under the demo clock the moment that is simulated."""
    return _simulated.get() or true_time()


def true_time() -> datetime:
    """Return the present moment in UTC, whatever is simulated."""
    return datetime.now(UTC)


def simulated_moment() -> datetime | None:
    """Return the moment that is simulated, or None: then the clock is true."""
    return _simulated.get()


@contextmanager
def simulated(moment: datetime) -> Iterator[None]:
    """Let it be `moment` for the body. For the demo company alone.

    A transaction that begins in the body is at that moment in the database, too (hufu.core.transaction); one that
    runs already is told by `tell_database`.
    """
    token = _simulated.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _simulated.reset(token)


def tell_database() -> None:
    """Let the running transaction be at the simulated moment until it ends."""
    moment = _simulated.get()
    assert moment is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('hufu.simulated_at', %s, true)", [moment.isoformat()])
