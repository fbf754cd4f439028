"""The roles of the database: who may connect, and what each of them is at most.

They belong to the whole server and have fixed names. `ensure` makes and repairs them; it may run at every start.
What they may do with single tables is installed with the tables (`hufu.core.schema`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

OWNER = "hufu_owner"
APP = "hufu_app"
SEALER = "hufu_sealer"
READER = "hufu_reader"
BACKUP = "hufu_backup"
ROLES = (OWNER, APP, SEALER, READER, BACKUP)
# Who needs temporary tables: the owner in migrations, the application to stage imports.
WITH_TEMPORARY = (OWNER, APP)
FIRST_VERSION = 15
BUILTIN_LOCALE_SINCE = 17

FORBIDDEN = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolreplication")


@dataclass(frozen=True)
class RoleState:
    """What the server says about one role."""

    name: str
    can_login: bool
    bypasses_rls: bool
    member_of: frozenset[str]
    forbidden: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong with the role, as SQL that puts it right."""
        alter = [keyword for wrong, keyword in self._clauses() if wrong]
        fixes = [f"ALTER ROLE {self.name} {' '.join(alter)};"] if alter else []
        wanted = frozenset({"pg_read_all_data"}) if self.name == BACKUP else frozenset()
        fixes += [f"GRANT {role} TO {self.name};" for role in sorted(wanted - self.member_of)]
        fixes += [f"REVOKE {role} FROM {self.name};" for role in sorted(self.member_of - wanted)]
        return tuple(fixes)

    def _clauses(self) -> Iterable[tuple[bool, str]]:
        yield not self.can_login, "LOGIN"
        yield self.bypasses_rls and self.name != BACKUP, "NOBYPASSRLS"
        yield not self.bypasses_rls and self.name == BACKUP, "BYPASSRLS"
        for attribute in self.forbidden:
            yield True, "NO" + attribute.removeprefix("rol").replace("super", "superuser").upper()


def states(connection: psycopg.Connection) -> dict[str, RoleState]:
    """Return the state of those of our roles that exist."""
    rows = connection.execute(
        """
        SELECT r.rolname, r.rolcanlogin, r.rolbypassrls, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
               ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                     WHERE m.member = r.oid)
        FROM pg_roles r WHERE r.rolname = ANY(%s)
        """,
        [list(ROLES)],
    ).fetchall()
    return {
        name: RoleState(
            name,
            login,
            bypass,
            frozenset(groups),
            tuple(attribute for attribute, held in zip(FORBIDDEN, flags, strict=True) if held),
        )
        for name, login, bypass, *flags, groups in rows
    }


def ensure(connection: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    """Make and repair the five roles over an autocommit connection of a superuser or a role with CREATEROLE.

    `passwords` maps roles to their passwords; a role without one keeps what it has. Return the SQL that this
    connection was not allowed to run and that a superuser has to (on PostgreSQL 15 a plain CREATEROLE role cannot
    give BYPASSRLS); an empty list means that all is well.
    """
    existing = states(connection)
    for role in ROLES:
        if role not in existing:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if password := passwords.get(role):
            _set_password(connection, role, password)
    left = []
    for state in states(connection).values():
        for statement in state.problems:
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                left.append(statement)
    return left


def ensure_database(connection: psycopg.Connection, name: str) -> None:
    """Make the database, owned by the owner role, unless it exists."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return
    owner = sql.Identifier(OWNER)
    superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    borrowed = not (superuser and superuser[0])
    if borrowed:
        # Giving something to a role takes membership in it, for as long as that lasts.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    try:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' {}").format(
                sql.Identifier(name), owner, _locale(connection)
            )
        )
    finally:
        if borrowed:
            connection.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(owner))


def close_database(connection: psycopg.Connection) -> None:
    """Let nobody but our roles into the connected database, and nobody but the owner make tables in it.

    The connection belongs to the owner role or to a superuser.
    """
    row = connection.execute("SELECT current_database()").fetchone()
    admit_to_database(connection, row[0] if row else "")
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute(
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.SQL(", ").join(map(sql.Identifier, ROLES)))
    )
    close_catalogue(connection)


def admit_to_database(connection: psycopg.Connection, name: str) -> None:
    """Let nobody but our roles into a database. What is closed within it, a copy has from its template."""
    database, names = sql.Identifier(name), sql.SQL(", ")
    for statement in (
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            database, names.join(map(sql.Identifier, ROLES))
        ),
        sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(
            database, names.join(map(sql.Identifier, WITH_TEMPORARY))
        ),
    ):
        connection.execute(statement)


def close_other_databases(connection: psycopg.Connection) -> None:
    """Let nobody but the superuser into the databases that a server has anyway; on a server of our own."""
    connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")


# Functions that the server lets everybody call who may connect: with the one people would hold the locks that changes
# of the policy wait for, with the other they would fill the disk.
OPEN_FUNCTIONS = """
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege(%s, p.oid, 'EXECUTE')
      AND (p.proname LIKE 'pg\\_advisory\\_%%' OR p.proname LIKE 'pg\\_try\\_advisory\\_%%'
           OR p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea'))
    ORDER BY 1
"""


def closing_catalogue(connection: psycopg.Connection) -> list[str]:
    """Return the SQL by which a superuser closes these functions to readers, in the connected database.

    The other roles keep them.
    """
    open_functions = [f"pg_catalog.{row[0]}" for row in connection.execute(OPEN_FUNCTIONS, [READER])]
    if not open_functions:
        return []
    listed, kept = ", ".join(open_functions), ", ".join(role for role in ROLES if role != READER)
    return [
        f"REVOKE EXECUTE ON FUNCTION {listed} FROM PUBLIC;",
        f"GRANT EXECUTE ON FUNCTION {listed} TO {kept};",
    ]


def close_catalogue(connection: psycopg.Connection) -> None:
    """Close these functions to readers where the connection is a superuser's."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row and row[0]:
        for statement in closing_catalogue(connection):
            connection.execute(statement.encode())


def encrypted(connection: psycopg.Connection, role: str, password: str) -> str:
    """Return the hash of a password, made on this side: the password stands in no statement and in no server log."""
    return connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()


def _set_password(connection: psycopg.Connection, role: str, password: str) -> None:
    hashed = encrypted(connection, role, password)
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))


def _locale(connection: psycopg.Connection) -> sql.SQL:
    if connection.info.server_version // 10_000 >= BUILTIN_LOCALE_SINCE:
        return sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'")
    return sql.SQL("LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
