"""People who act in the tests of the log, and an event type that no other package declares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from hufu.audit import declare_record_events, events
from hufu.core.actor import Actor, Context

if events.find("specimen.viewed") is None:
    declare_record_events("specimen", "Specimen")

HERE = Context("request-1", "the-session-key", "203.0.113.7", "Mozilla/5.0 (test)", "web")


@pytest.fixture
def owner(committed: str, owner_connection: psycopg.Connection) -> psycopg.Connection:
    """The owner of the tables, in a database with real commits."""
    return owner_connection


@pytest.fixture
def people(owner: psycopg.Connection) -> SimpleNamespace:
    """陈 sells, 吴 reads the log, 郑 has left."""
    for number, name, status in ((1, "陈", "active"), (2, "吴", "active"), (3, "郑", "inactive")):
        owner.execute(
            "INSERT INTO people_user (id, username, password, name, name_sort, email, title, status, language) "
            "VALUES (%s, %s, '', %s, '', '', '', %s, '')",
            [number, f"user{number}", name, status],
        )
    owner.execute(
        "INSERT INTO access_reach (user_id, built_at) VALUES (1, now()), (2, now()) ON CONFLICT DO NOTHING"
    )
    owner.execute(
        "INSERT INTO access_term_grant (user_id, term, permission, scopes) VALUES (2, 0, 'audit.view', 1)"
    )
    return SimpleNamespace(chen=Actor(1, "陈", HERE), wu=Actor(2, "吴", HERE), zheng=Actor(3, "郑", HERE))


class Log:
    """The log as the owner of the database sees it."""

    def __init__(self, owner: psycopg.Connection) -> None:
        self.owner = owner

    def rows(self) -> list[SimpleNamespace]:
        """Return all events, oldest first, with the body as text and as values."""
        cursor = self.owner.execute("SELECT * FROM audit_event ORDER BY at, id")
        assert cursor.description
        names = [column.name for column in cursor.description]
        rows = [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor]
        for row in rows:
            row.text = bytes(row.body).decode()
            row.said = json.loads(row.text)
        return rows

    def types(self) -> list[str]:
        """Return the types of all events, oldest first."""
        return [row.type for row in self.rows()]


@pytest.fixture
def log(owner: psycopg.Connection) -> Log:
    return Log(owner)


@pytest.fixture
def var(tmp_path: Path, settings: SimpleNamespace) -> Iterator[Path]:
    """A folder of its own for the spool."""
    settings.HUFU_VAR = tmp_path
    return tmp_path
