"""The bytes of an event, and their leaf hash. Nothing here knows Django or the database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import rfc8785

MAX_INTEGER = 2**53 - 1

# Unpaired surrogates are no text and have no UTF-8; PostgreSQL reads no U+0000 in a JSON string.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def to_bytes(value: Any) -> bytes:
    """Return the canonical JSON (RFC 8785) of `value`, which is first made plain by `to_json`."""
    return rfc8785.dumps(to_json(value))


def leaf_hash(body: bytes) -> bytes:
    """Return the Merkle leaf hash of RFC 9162 §2.1.1: SHA-256(0x00 ‖ body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC, always with six decimals: equal moments are equal text."""
    if moment.tzinfo is None:
        raise TypeError("A moment without a time zone means nothing in the log.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON, or raise TypeError for what has no single meaning there.

    Integers beyond 2^53 - 1 and decimals become strings; moments UTC; characters that cannot be written
    U+FFFD, so that hostile text cannot keep an event out of the log. Translated (lazy) text is refused: the
    log keeps codes, which read the same in every language.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, int):
        return int(value) if abs(value) <= MAX_INTEGER else str(value)
    if isinstance(value, float):
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is not a number that the log can keep.")
        return format(value, "f")
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("The names in an event's data are text.")
        return {_UNWRITABLE.sub("\ufffd", key): to_json(item) for key, item in value.items()}
    raise TypeError(f"The log keeps plain values; convert {type(value).__name__} before recording it.")
