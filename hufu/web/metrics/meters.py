"""What this process counts. Under `hufu serve` all processes count into files of one folder, and /metrics adds them up.

INVARIANT: values of labels come from the code: names of routes, permissions and event types, never from a request.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from hufu.access import registry
from hufu.audit import recording

# Named as the library wants it: it looks at this when it is imported.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WHY_NO_SIGN_IN = ("wrong_credentials", "too_many_failures")

disable_created_metrics()
METERS = CollectorRegistry()
REQUESTS = Counter(
    "hufu_requests", "Requests that were answered", ("route", "method", "status"), registry=METERS
)
SECONDS = Histogram(
    "hufu_request_seconds",
    "How long an answer took, in seconds",
    ("route", "method"),
    buckets=BUCKETS,
    registry=METERS,
)
EVENTS = Counter("hufu_log_events", "Events written to the log", ("type", "result"), registry=METERS)
REFUSED = Counter(
    "hufu_refused_decisions",
    "Refused deeds and reads, by the permission that was asked",
    ("permission",),
    registry=METERS,
)
FAILED_SIGN_INS = Counter(
    "hufu_sign_in_failures", "Sign-ins that failed, by what was wrong", ("reason",), registry=METERS
)


def is_shared() -> bool:
    """Say whether the figures are those of all processes of the site, and not of this one alone."""
    return bool(os.environ.get(FOLDER))


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count an answer."""
    REQUESTS.labels(route, method, f"{status // 100}xx").inc()
    SECONDS.labels(route, method).observe(seconds)


def count_events(written: Iterable[recording.Event]) -> None:
    """Count events of the log, once they are committed."""
    for event in written:
        EVENTS.labels(event.type, event.result).inc()
        if event.type == "access.refused":
            asked = str(event.data.get("permission", ""))
            REFUSED.labels(asked if asked in _permissions() else "other").inc()
        if event.type == "auth.sign_in_failed":
            FAILED_SIGN_INS.labels(event.reason if event.reason in WHY_NO_SIGN_IN else "other").inc()


@cache
def _permissions() -> frozenset[str]:
    return frozenset(each.name for each in registry.permissions())


recording.on_written(count_events)
