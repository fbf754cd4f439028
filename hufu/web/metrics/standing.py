"""How the site stands at the moment of asking: what the database knows, and no process has to count."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hufu.audit import backups
from hufu.core import clock, vault
from hufu.core.vault import rotation
from hufu.people import sessions

logger = logging.getLogger(__name__)

SECONDS_KEPT = 5.0
# Counting what is to be sealed anew reads whole tables.
ROTATION_SECONDS_KEPT = 60.0

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Something that is asked at most every so many seconds by this process."""

    def __init__(self, ask: Callable[[], Value], seconds: float) -> None:
        self._ask, self._seconds = ask, seconds
        self._value: Value | None = None
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def get(self) -> Value:
        """Return what was found, not longer ago than that; raise what asking raises."""
        with self._lock:
            if self._value is None or time.monotonic() - self._asked >= self._seconds:
                self._value = self._ask()
                self._asked = time.monotonic()
            return self._value


class Standing(Collector):
    """Collects the figures. A database that does not answer is a figure too, and takes the others with it."""

    def __init__(self) -> None:
        self._to_reseal = Kept(rotation.to_reseal, ROTATION_SECONDS_KEPT)
        self._known = Kept(self._ask, SECONDS_KEPT)

    def collect(self) -> Iterator[Metric]:
        """Yield all figures."""
        try:
            found = self._known.get()
        except Exception as error:
            logger.error("the figures of the database could not be read: %s", type(error).__name__)
            found = []
        yield _gauge("hufu_database_up", "Whether the database answers", float(bool(found)))
        yield from found

    def _ask(self) -> list[Metric]:
        return [*_sessions(), *_connections(), *_backups(), *self._keys()]

    def _keys(self) -> Iterator[Metric]:
        under_way = any(each.state == "old" and each.purpose in rotation.ROTATED for each in vault.stored())
        yield _gauge("hufu_key_rotation_under_way", "Whether data keys are being rotated", float(under_way))
        remaining = self._to_reseal.get() if under_way else 0
        yield _gauge(
            "hufu_key_rotation_remaining_rows", "Rows that still hold a value under an old key", remaining
        )


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=value)


def _sessions() -> Iterator[Metric]:
    yield _gauge(
        "hufu_sessions_open", "Sessions that are within their limits", sessions.open_everywhere().count()
    )


def _connections() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "hufu_database_connections", "Connections of the application's role, by state", labels=("state",)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database() GROUP BY 1"
        )
        for state, number in cursor.fetchall():
            family.add_metric([state], number)
        cursor.execute("SELECT current_setting('max_connections')::int")
        [most] = cursor.fetchone()
    yield family
    yield _gauge("hufu_database_connections_limit", "Connections that the server takes at most", most)


def _backups() -> Iterator[Metric]:
    last = backups.last_events()
    moments = GaugeMetricFamily(
        "hufu_backup_last_timestamp_seconds", "When the last backup ended, by result", labels=("result",)
    )
    for result, name in (("done", backups.MADE), ("failed", backups.FAILED)):
        if name in last:
            moments.add_metric([result], last[name].at.timestamp())
    yield moments
    if made := last.get(backups.MADE):
        age = (clock.true_time() - made.at).total_seconds()
        yield _gauge("hufu_backup_age_seconds", "How long ago the last backup was made", age)
