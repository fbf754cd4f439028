"""Reading the log in tests, as the owner of the tables: whole, and past every policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True)
class Entry:
    """What an event says."""

    type: str
    result: str
    reason: str
    data: dict[str, Any]
    personal: dict[str, Any]
    target: tuple[str, int] | None


def entries(connection: psycopg.Connection, *types: str) -> list[Entry]:
    """Return the events of these types, oldest first."""
    rows = connection.execute(
        "SELECT body FROM audit_event WHERE type = ANY(%s) ORDER BY at, id", [list(types)]
    ).fetchall()
    said = [json.loads(bytes(row[0])) for row in rows]
    return [
        Entry(
            body["type"],
            body["result"],
            body["reason"],
            body["data"],
            body["personal"],
            (body["target"]["type"], body["target"]["id"]) if body["target"] else None,
        )
        for body in said
    ]
