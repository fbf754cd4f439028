"""The database in a backup: dumping it at one moment, restoring it, and counting what is in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres import urls
from hufu.core.postgres.inspection import SCHEMAS
from hufu.core.postgres.launcher import binaries

PROGRAMS = "HUFU_PG_BIN"
PIECE = 256 * 1024
TAIL = 1_000


@contextmanager
def snapshot(url: str) -> Iterator[tuple[psycopg.Connection, str]]:
    """Hold one moment of the database for the body, as a role that sees everything; the value also names it."""
    try:
        connection = psycopg.connect(url, connect_timeout=10)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[0]
        raise Unavailable(
            _("The database does not let the backup role in (%s). Check HUFU_BACKUP_URL.") % said
        ) from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # INVARIANT: a backup that row policies could thin out is never begun.
        connection.execute("SET row_security = off")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield connection, row[0]


def facts(connection: psycopg.Connection) -> dict[str, Any]:
    """Return the rows of each table, the migrations, the installed SQL, and how the log ends."""
    with_installed = connection.execute("SELECT digest FROM hufu.installed").fetchone()
    migrations = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1").fetchall()
    server = connection.execute("SHOW server_version").fetchone()
    return {
        "server": server[0] if server else "",
        "installed": with_installed[0] if with_installed else "",
        "migrations": [row[0] for row in migrations],
        **contents(connection),
    }


def contents(connection: psycopg.Connection) -> dict[str, Any]:
    """Return the rows of each table and how the log ends: what a restored database is compared by."""
    names = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = ANY(%s) AND c.relkind = 'r' ORDER BY 1, 2",
        [SCHEMAS],
    ).fetchall()
    rows = {}
    for schema, table in names:
        counted = connection.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        ).fetchone()
        rows[f"{schema}.{table}"] = counted[0] if counted else 0
    return {"rows": rows, "log": log_end(connection)}


def log_end(connection: psycopg.Connection) -> dict[str, Any]:
    """Return how many events there are, which is the last one, and the digest of the last thousand."""
    counted = connection.execute("SELECT count(*) FROM audit_event").fetchone()
    tail = connection.execute(
        "SELECT id, at, leaf FROM audit_event ORDER BY at DESC, id DESC LIMIT %s", [TAIL]
    ).fetchall()
    digest = hashlib.sha256(b"".join(bytes(row[2]) for row in tail)).hexdigest()
    last_id, last_at = (str(tail[0][0]), tail[0][1].isoformat()) if tail else (None, None)
    return {"events": counted[0] if counted else 0, "last": last_id, "last_at": last_at, "tail": digest}


def dump(url: str, moment: str) -> Generator[bytes]:
    """Yield the dump of the database at that moment; raise Unavailable when pg_dump breaks off."""
    command = [program("pg_dump"), "--format=custom", f"--snapshot={moment}", "--no-password"]
    # What a superuser closed in the server's own catalogue is none of ours to restore.
    command += ["--exclude-schema=pg_catalog"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(url),
    )
    assert process.stdout is not None
    said, listener = _listen(process)
    whole = False
    try:
        while piece := process.stdout.read(PIECE):
            yield piece
        whole = True
    finally:
        if not whole:
            process.kill()
        process.stdout.close()
        code = process.wait()
        listener.join()
    if code:
        raise Unavailable(_("The database could not be dumped: %s") % _reason(said))


def restore(url: str, pieces: Iterable[bytes]) -> None:
    """Restore a dump into an empty database, all of it or nothing; raise Unavailable, with the reason."""
    command = [program("pg_restore"), "--no-password", "--exit-on-error", "--single-transaction"]
    command += ["--dbname", urls.database_in(url)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(url),
    )
    assert process.stdin is not None
    said, listener = _listen(process)
    finished = False
    try:
        for piece in pieces:
            process.stdin.write(piece)
        process.stdin.close()
        finished = True
    except BrokenPipeError:
        finished = True
    finally:
        if not finished:
            process.kill()
        code = process.wait()
        listener.join()
    if code:
        raise Unavailable(_("The database could not be restored: %s") % _reason(said))


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs: from HUFU_PG_BIN, else the embedded one."""
    named = os.environ.get(PROGRAMS)
    path = (Path(named) if named else binaries()) / name
    if not path.exists():
        raise Unavailable(
            _(
                "There is no %(program)s in %(folder)s. Let %(variable)s name the folder of PostgreSQL's programs."
            )
            % {"program": name, "folder": path.parent, "variable": PROGRAMS}
        )
    return str(path)


def _environment(url: str) -> dict[str, str]:
    # INVARIANT: a password stands in no command line, where every process of the machine could read it.
    settings = urls.django_settings(url)
    options = {f"PG{name.upper()}": str(value) for name, value in settings["OPTIONS"].items()}
    options.pop("PGAPPLICATION_NAME", None)
    known = {"PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"}
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"] or "5432",
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        "PGAPPNAME": "hufu backup",
        **{name: value for name, value in options.items() if name in known},
    }


def _listen(process: subprocess.Popen[bytes]) -> tuple[list[bytes], threading.Thread]:
    said: list[bytes] = []
    errors = process.stderr
    assert errors is not None
    listener = threading.Thread(target=lambda: said.extend(errors.readlines()), daemon=True)
    listener.start()
    return said, listener


def _reason(said: list[bytes]) -> str:
    lines = [line.decode(errors="replace").strip() for line in said[:4]]
    return " / ".join(line for line in lines if line) or "?"
