"""Ids that are known before the insert and that sort by time."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(at: datetime) -> UUID:
    """Return a version 7 UUID (RFC 9562) of the moment `at`, with microseconds in `rand_a` (method 3).

    Ids of two moments that differ by a microsecond or more sort like the moments.
    """
    elapsed = at - _EPOCH
    micros = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    milliseconds, rest = divmod(micros, 1000)
    fraction = rest * 4096 // 1000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62))
