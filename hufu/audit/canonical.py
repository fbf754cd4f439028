"""The bytes of an event, and their leaf hash. Nothing here knows Django or the database.

Canonical JSON of RFC 8785, made by the encoder of the standard library: its strings and integers are already in
canonical form, `to_json` puts the names in order, and numbers with a fraction, whose canonical form it lacks, are
kept as text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

MAX_INTEGER = 2**53 - 1

# Unpaired surrogates are no text and have no UTF-8; PostgreSQL reads no U+0000 in a JSON string.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_bytes(value: Any) -> bytes:
    """Return the canonical JSON (RFC 8785) of `value`, which is first made plain by `to_json`."""
    return _encode(to_json(value)).encode()


def leaf_hash(body: bytes) -> bytes:
    """Return the Merkle leaf hash of RFC 9162 §2.1.1: SHA-256(0x00 ‖ body)."""
    return hashlib.sha256(b"\x00" + body).digest()


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC, always with six decimals: equal moments are equal text."""
    if moment.tzinfo is None:
        raise TypeError("A moment without a time zone means nothing in the log.")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def to_json(value: Any) -> Any:
    """Return `value` as plain JSON with its names in order; raise TypeError for what has no single meaning.

    Integers beyond 2^53 - 1 and decimals become text; moments UTC; characters that cannot be written U+FFFD, so
    that hostile text cannot keep an event out of the log. Binary fractions are refused, and so is translated
    (lazy) text: the log keeps codes, which read the same in every language.
    """
    # Nearly all of every event; the same answers as below, found sooner.
    if value is None or (type(value) is str and value.isascii() and "\x00" not in value):
        return value
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, str):
        return _UNWRITABLE.sub("\ufffd", value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= MAX_INTEGER else str(value)
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in _in_order(value)}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    raise TypeError(
        f"The log keeps plain values; convert {type(value).__name__} {value!s:.40} before recording it."
    )


def _in_order(mapping: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Return the members sorted by the UTF-16 code units of their names (RFC 8785 §3.2.3)."""
    try:
        if "".join(mapping).isascii() and "\x00" not in "".join(mapping):
            return sorted(mapping.items(), key=_name)
        named = ((_UNWRITABLE.sub("\ufffd", name), item) for name, item in mapping.items())
        return sorted(named, key=lambda member: member[0].encode("utf-16-be"))
    except TypeError:
        raise TypeError("The names in an event's data are text.") from None


def _name(member: tuple[str, Any]) -> str:
    return member[0]
