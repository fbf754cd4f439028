"""How often somebody may ask for something: counted in the database, where all processes see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connections
from django.utils.crypto import salted_hmac

# Commits by itself: what was counted stays counted, whatever becomes of the request.
STORE = "autonomous"


@dataclass(frozen=True)
class Wait:
    """So many seconds until one may ask again. `begins`: the request before this one was still answered."""

    seconds: int
    begins: bool


def spend(name: str, allowed: Mapping[str, int], *, seconds: int) -> Wait | None:
    """Count one request for each subject that may have so many in so many seconds; return the wait of one too many.

    One statement, however many subjects. They are stored as digests.
    """
    keys = [salted_hmac(f"hufu limits {name}", who, algorithm="sha256").digest()[:16] for who in allowed]
    with connections[STORE].cursor() as cursor:
        cursor.execute(
            "SELECT wait, begins FROM hufu.spend(%s::bytea[], %s, %s)",
            [keys, list(allowed.values()), seconds],
        )
        wait, begins = cursor.fetchone()
    return Wait(wait, begins) if wait else None
