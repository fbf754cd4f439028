"""Logins of single people for reporting: made and ended by an administrator of the server, in `hufu_reader` alone.

Whose a login is, and whether its person may read, is not decided here (hufu/access/sql/reporting.sql).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from hufu.core.postgres.roles import FORBIDDEN, READER, encrypted

PREFIX = "hufu_report_"
LONGEST_NAME = 63
CONNECTIONS = 4
# What a session begins with. Its person may set other values: these guard against accidents, not against them.
SETTINGS = {
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "5min",
    "idle_session_timeout": "1h",
    "search_path": "report",
}
# What only a superuser may set, and whose it then stays.
KEPT_SETTINGS = {"temp_file_limit": "4GB"}


@dataclass(frozen=True)
class LoginState:
    """What the server says about one login."""

    name: str
    can_login: bool
    member_of: frozenset[str]
    members: frozenset[str]
    attributes: tuple[str, ...]

    @property
    def is_more(self) -> bool:
        """Whether it is more than a reporting login may be."""
        return bool(self.attributes or self.members or self.member_of - {READER})


def password_hash(connection: psycopg.Connection, login: str, password: str) -> str:
    """Return what the server keeps of a password, made on this side."""
    return encrypted(connection, login, password)


def opening(login: str, hashed: str, ends_at: datetime | None, *, as_superuser: bool = True) -> list[str]:
    """Return the SQL that makes a login."""
    name = sql.Identifier(login)
    until = sql.SQL(" VALID UNTIL {}").format(sql.Literal(ends_at.isoformat())) if ends_at else sql.SQL("")
    statements = [
        sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}{}").format(
            name, sql.Literal(CONNECTIONS), sql.Literal(hashed), until
        ),
        *(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
            for setting, value in (SETTINGS | (KEPT_SETTINGS if as_superuser else {})).items()
        ),
        sql.SQL("GRANT {} TO {}").format(sql.Identifier(READER), name),
    ]
    return [statement.as_string() for statement in statements]


def closing(login: str) -> list[str]:
    """Return the SQL that ends a login, its open sessions and whatever it may own."""
    name = sql.Identifier(login)
    statements = [
        sql.SQL("ALTER ROLE {} NOLOGIN").format(name),
        sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {}").format(
            sql.Literal(login)
        ),
        sql.SQL("DROP OWNED BY {}").format(name),
        sql.SQL("DROP ROLE {}").format(name),
    ]
    return [statement.as_string() for statement in statements]


def make(admin: psycopg.Connection, login: str, password: str, ends_at: datetime | None) -> None:
    """Make a login over an administrator's autocommit connection, whole or not at all."""
    hashed = password_hash(admin, login, password)
    with admin.transaction():
        for statement in opening(login, hashed, ends_at, as_superuser=is_superuser(admin)):
            admin.execute(statement.encode())


def end(admin: psycopg.Connection, login: str) -> bool:
    """End a login over an administrator's autocommit connection to our database; return whether it was there."""
    if not exists(admin, login):
        return False
    if not is_superuser(admin):
        # Ending what is somebody's takes membership in them.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(login)))
    for statement in closing(login):
        admin.execute(statement.encode())
    return True


def exists(connection: psycopg.Connection, login: str) -> bool:
    """Say whether the server knows a login."""
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone() is not None


def is_superuser(connection: psycopg.Connection) -> bool:
    """Say whether a connection is a superuser's."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def states(connection: psycopg.Connection) -> dict[str, LoginState]:
    """Return the logins that may read by reporting in this database, by name: those called so, and all in the group."""
    rows = connection.execute(
        """
        SELECT r.rolname, r.rolcanlogin, r.rolbypassrls, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
               ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                     WHERE m.member = r.oid),
               ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.member
                     WHERE m.roleid = r.oid AND NOT (g.rolsuper OR g.rolcreaterole))
        FROM pg_roles r
        WHERE starts_with(r.rolname, %(ours)s || current_database() || '_')
           OR (NOT starts_with(r.rolname, %(ours)s) AND NOT (r.rolsuper OR r.rolcreaterole) AND EXISTS (
                   SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                   WHERE m.member = r.oid AND g.rolname = %(group)s))
        """,
        {"ours": PREFIX, "group": READER},
    ).fetchall()
    return dict(_states(rows))


def _states(rows: list[tuple[object, ...]]) -> Iterator[tuple[str, LoginState]]:
    for name, login, *flags, member_of, members in rows:
        held = [flag for flag, holds in zip(("rolbypassrls", *FORBIDDEN), flags, strict=True) if holds]
        yield (
            str(name),
            LoginState(
                str(name),
                bool(login),
                frozenset(member_of),  # type: ignore[call-overload]
                frozenset(members),  # type: ignore[call-overload]
                tuple(flag.removeprefix("rol") for flag in held),
            ),
        )
