"""A database to measure in: an embedded server in a folder of its own, and in it the company that is measured."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest.mock import patch

import psycopg

from hufu.cli import environment, output
from hufu.cli.environment import Database
from hufu.core.errors import Unavailable
from hufu.core.postgres.roles import OWNER
from hufu.core.postgres.urls import ADMIN_VARIABLE, VARIABLES

# Written when the database is whole.
MARK = "bench.json"
# Of the server, while it is filled: what is thrown away needs no care.
CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
}


@dataclass(frozen=True)
class Made:
    """What lies in the database, the seconds that each step took, and its size in bytes when it was made."""

    records: int
    users: int
    seconds: dict[str, float]
    size: int


@dataclass(frozen=True)
class Scratch:
    """A database to measure in: the address of the owner of its tables, what lies in it, and how a site finds it."""

    owner_url: str
    made: Made
    database: Database


@contextmanager
def scratch(
    records: int | None, users: int | None, folder: Path | None = None, *, usual: int = 100_000
) -> Iterator[Scratch]:
    """Have such a database for the body, with Django set up as the application.

    Where nobody says how many records, there are the `usual`. A folder is kept: what was made there before is used
    again. Without one the database is thrown away.
    """
    where = tempfile.TemporaryDirectory(prefix="hufu-bench-") if folder is None else nullcontext(str(folder))
    with where as name, _alone(Path(name)):
        made = _made_before(Path(name), records, users)
        with environment.database() as database:
            if made is not None:
                # Another version of the program may have made it.
                environment.migrate_in_child()
            with environment.connected(set_up=True):
                owner_url = database.url(OWNER)
                if made is None:
                    assert database.admin_url is not None
                    made = _make(owner_url, database.admin_url, records or usual, users or 5000)
                    (Path(name) / MARK).write_text(json.dumps(asdict(made)), encoding="utf-8")
                yield Scratch(owner_url, made, database)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let nothing of this installation be named: neither its folder nor its databases."""
    with patch.dict(os.environ, {"HUFU_VAR": str(folder / "var")}):
        for variable in (ADMIN_VARIABLE, *VARIABLES.values(), "HUFU_SECRETS"):
            os.environ.pop(variable, None)
        yield


def _made_before(folder: Path, records: int | None, users: int | None) -> Made | None:
    """Return what lies in a folder that was kept; raise Unavailable where that is something else than what is asked."""
    mark = folder / MARK
    if not mark.exists():
        if (folder / "var").exists():
            raise Unavailable(f"{folder} holds a database that was never finished. Remove it and try again.")
        return None
    made = Made(**json.loads(mark.read_text(encoding="utf-8")))
    if (records or made.records, users or made.users) != (made.records, made.users):
        raise Unavailable(
            f"{folder} holds {made.records:,} customers of {made.users:,} people. Name another folder, or leave "
            "--records and --users away."
        )
    return made


def _make(owner_url: str, admin_url: str, records: int, users: int) -> Made:
    from hufu.cli.bench.records import load

    with psycopg.connect(admin_url, autocommit=True) as admin:
        for name, value in CARELESS.items():
            admin.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        admin.execute("SELECT pg_reload_conf()")
        try:
            seconds = load(owner_url, records, users, output.note)
        finally:
            for name in CARELESS:
                admin.execute(f"ALTER SYSTEM RESET {name}".encode())
            admin.execute("SELECT pg_reload_conf()")
        admin.execute("CHECKPOINT")
    with psycopg.connect(owner_url) as owner:
        row = owner.execute("SELECT pg_database_size(current_database())").fetchone()
    return Made(records, users, seconds, row[0] if row else 0)
