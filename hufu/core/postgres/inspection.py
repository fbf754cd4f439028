"""Is the database as closed as it has to be? Read-only questions to its catalogue, over a psycopg connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import psycopg

from hufu.core.health import Finding
from hufu.core.postgres import logins, roles

SCHEMAS = ["public", "hufu", "report"]
MIGRATE = "Run `hufu migrate`."
REVOKE = "Run `hufu migrate`; if it stays, revoke it as the owner and find out who granted it."


def check_server(connection: psycopg.Connection) -> Iterator[Finding]:
    """Check the version and who we are."""
    major = connection.info.server_version // 10_000
    problem = "" if major >= roles.FIRST_VERSION else f"it is PostgreSQL {major}"
    yield Finding("server version", problem, f"Use PostgreSQL {roles.FIRST_VERSION} or newer.")
    user = connection.info.user
    problem = "" if user == roles.APP else f"the application connects as {user}"
    yield Finding("application role", problem, f"Let DATABASE_URL name {roles.APP}.")


def check_roles(connection: psycopg.Connection) -> Iterator[Finding]:
    """Check that each role exists and is no more than it may be."""
    found = roles.states(connection)
    for role in roles.ROLES:
        if role not in found:
            yield Finding(f"role {role}", "it does not exist", MIGRATE)
        elif fixes := found[role].problems:
            yield Finding(
                f"role {role}", "it is more, or less, than it should be", f"As a superuser: {' '.join(fixes)}"
            )
        else:
            yield Finding(f"role {role}")


def check_ownership(connection: psycopg.Connection) -> Iterator[Finding]:
    """Check that nobody but the owner owns anything, and nobody else can make anything."""
    rows = connection.execute(
        """
        SELECT format('%%s.%%s', n.nspname, o.name) FROM (
            SELECT relnamespace AS space, relname AS name, relowner AS owner FROM pg_class
            UNION ALL SELECT pronamespace, proname, proowner FROM pg_proc
        ) o JOIN pg_namespace n ON n.oid = o.space JOIN pg_roles r ON r.oid = o.owner
        WHERE n.nspname = ANY(%s) AND r.rolname <> %s ORDER BY 1
        """,
        [SCHEMAS, roles.OWNER],
    ).fetchall()
    yield Finding(
        "ownership",
        f"not owned by {roles.OWNER}: {_listed(row[0] for row in rows)}" if rows else "",
        f"As a superuser: ALTER … OWNER TO {roles.OWNER} for each of them.",
    )
    rows = connection.execute(
        """
        SELECT format('%%s in %%s', r.rolname, n.nspname) FROM pg_roles r, pg_namespace n
        WHERE r.rolname = ANY(%s) AND r.rolname <> %s AND n.nspname = ANY(%s)
          AND has_schema_privilege(r.oid, n.oid, 'CREATE') ORDER BY 1
        """,
        [list(roles.ROLES), roles.OWNER, SCHEMAS],
    ).fetchall()
    yield Finding("making tables", f"allowed to {_listed(row[0] for row in rows)}" if rows else "", MIGRATE)


def check_row_policies(connection: psycopg.Connection, outside: Collection[str]) -> Iterator[Finding]:
    """Check that the application reaches a table only through row policies, but for those in `outside`."""
    rows = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> ALL(%s)
          AND (has_table_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
               OR has_any_column_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE'))
          AND NOT (c.relrowsecurity AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))
        ORDER BY 1
        """,
        [list(outside), roles.APP, roles.APP],
    ).fetchall()
    yield Finding("row policies", f"missing on {_listed(row[0] for row in rows)}" if rows else "", MIGRATE)


def check_privileges(
    connection: psycopg.Connection, forbidden: Mapping[str, tuple[str, ...]]
) -> Iterator[Finding]:
    """Check that the application cannot do what is forbidden to it (table → verbs), and cannot truncate anything."""
    for table, verbs in forbidden.items():
        row = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
        if row is None or row[0] is None:
            yield Finding(f"rights on {table}", "the table does not exist", MIGRATE)
            continue
        held = [verb for verb in verbs if _holds(connection, table, verb)]
        yield Finding(f"rights on {table}", f"the application may {', '.join(held)}" if held else "", REVOKE)
    rows = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND has_table_privilege(%s, c.oid, 'TRUNCATE, TRIGGER')
        ORDER BY 1
        """,
        [SCHEMAS, roles.APP],
    ).fetchall()
    yield Finding(
        "truncating",
        f"the application may truncate {_listed(row[0] for row in rows)}" if rows else "",
        REVOKE,
    )


def check_past(connection: psycopg.Connection) -> Iterator[Finding]:
    """Check that the application touches no table of the past: functions alone read them, and triggers write them."""
    rows = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname LIKE '%%\\_history'
          AND (has_table_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE, DELETE')
               OR has_any_column_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE'))
        ORDER BY 1
        """,
        {"role": roles.APP},
    ).fetchall()
    yield Finding(
        "the past", f"the application may touch {_listed(row[0] for row in rows)}" if rows else "", REVOKE
    )


def check_logins(connection: psycopg.Connection, opened: Mapping[str, str]) -> Iterator[Finding]:
    """Check that the logins for reporting are those that were opened (login → whose), and no more than they may be."""
    found = logins.states(connection)
    unknown = sorted(found.keys() - opened.keys())
    missing = sorted(opened.keys() - found.keys())
    more = sorted(name for name, state in found.items() if state.is_more)
    yield Finding(
        "reporting logins were opened",
        f"nobody opened {_listed(unknown)}" if unknown else "",
        "They read nothing. As a superuser, in this database: "
        + " ".join(f'DROP OWNED BY "{name}"; DROP ROLE "{name}";' for name in unknown),
    )
    yield Finding(
        "reporting logins are there",
        f"missing: {_listed(missing)}" if missing else "",
        "A backup holds no logins. Close each with `hufu reporting close USER`, and open it again where it is needed: "
        + _listed(opened[name] for name in missing),
    )
    yield Finding(
        "reporting logins are readers",
        f"more than that: {_listed(more)}" if more else "",
        "Find out who changed them; close them with `hufu reporting close USER`.",
    )
    if found:
        left = connection.execute(roles.OPEN_FUNCTIONS, [roles.READER]).fetchall()
        yield Finding(
            "reporting logins hold no locks",
            f"they may call {_listed(sorted({row[0].partition('(')[0] for row in left}))}" if left else "",
            f"As a superuser, in this database: {' '.join(roles.closing_catalogue(connection))}",
        )


def check_functions(connection: psycopg.Connection) -> Iterator[Finding]:
    """Check that functions with their owner's rights look names up where their author meant."""
    rows = connection.execute(
        """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = ANY(%s) AND p.prosecdef
          AND NOT EXISTS (SELECT 1 FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%%pg_temp')
        ORDER BY 1
        """,
        [SCHEMAS],
    ).fetchall()
    yield Finding(
        "definer functions",
        f"search_path not pinned: {_listed(row[0] for row in rows)}" if rows else "",
        MIGRATE,
    )


def _holds(connection: psycopg.Connection, table: str, verb: str) -> bool:
    question = "SELECT has_table_privilege(%(role)s, %(table)s::regclass, %(verb)s)"
    if verb in {"INSERT", "UPDATE"}:
        question += " OR has_any_column_privilege(%(role)s, %(table)s::regclass, %(verb)s)"
    row = connection.execute(
        question, {"role": roles.APP, "table": f"public.{table}", "verb": verb}
    ).fetchone()
    return bool(row and row[0])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
