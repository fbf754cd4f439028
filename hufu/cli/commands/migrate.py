"""Make the database roles and bring the database to this version: tables, functions, row policies, grants.

It may run at any time and does nothing where nothing is to be done. With the embedded database it needs nothing.
On a real server it connects as the owner (HUFU_OWNER_URL); the roles and the database are made or repaired when
HUFU_ADMIN_URL names a superuser or a role that may create roles, and take their passwords from DATABASE_URL,
HUFU_OWNER_URL, HUFU_SEALER_URL, HUFU_READER_URL and HUFU_BACKUP_URL.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from hufu.cli import environment
from hufu.cli.environment import Database
from hufu.core.errors import Unavailable
from hufu.core.postgres import roles, urls
from hufu.core.postgres.roles import OWNER

NAME = "migrate"
HELP = "make the roles and bring the database to this version"
NEVER_MADE = (
    " If its roles were never made, set HUFU_ADMIN_URL to the address of a superuser, or of a role that may create "
    "roles and databases, for one run."
)
MIGRATION_LOCK = 4_853_070_001


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--quiet", action="store_true", help="say nothing but what went wrong")


def run(args: argparse.Namespace) -> int:
    """Prepare the server, then migrate and install as the owner."""
    with environment.database() as database:
        left = prepare(database)
        for statement in left:
            print(f"A superuser still has to run, once: {statement}", file=sys.stderr)
        with alone(database), environment.connected(OWNER, current=False):
            from hufu.cli.migration import bring_up_to_date, require_keys

            require_keys(environment.secrets())
            changed = bring_up_to_date(quiet=args.quiet)
    if not args.quiet:
        print("The database was brought up to date." if changed else "The database is up to date.")
    return 0


@contextmanager
def alone(database: Database) -> Iterator[None]:
    """Let one migration run at a time; a second one waits and then finds nothing to do."""
    with connect(database.url(OWNER)) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        yield


def prepare(database: Database) -> list[str]:
    """Make or repair roles and database where this is allowed; return the SQL that is left to a superuser."""
    owner_url = database.url(OWNER)
    name = urls.database_in(owner_url)
    left: list[str] = []
    if database.admin_url:
        passwords = {role: urls.password_in(url) for role, url in database.urls.items()}
        with connect(urls.with_database(database.admin_url, "postgres")) as admin:
            check_version(admin)
            left = roles.ensure(admin, passwords)
            roles.ensure_database(admin, name)
            if database.embedded:
                roles.close_other_databases(admin)
        with connect(urls.with_database(database.admin_url, name)) as admin:
            roles.close_catalogue(admin)
    with connect(owner_url, hint="" if database.admin_url else NEVER_MADE) as owner:
        check_version(owner)
        missing = [role for role in roles.ROLES if role not in roles.states(owner)]
        if missing:
            raise Unavailable(
                f"The server lacks the roles {', '.join(missing)}. Set HUFU_ADMIN_URL to the address of a role that "
                "may create roles and run `hufu migrate` again, or have them made: "
                + " ".join(f"CREATE ROLE {role} LOGIN;" for role in missing)
            )
        roles.close_database(owner)
        if not database.admin_url:
            left = [statement for state in roles.states(owner).values() for statement in state.problems]
    return left


def connect(url: str, *, hint: str = "") -> psycopg.Connection:
    """Connect with autocommit; raise Unavailable, with what the server said, when it cannot be done."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise Unavailable(
            f"The database could not be reached ({str(error).strip().splitlines()[0]}). "
            f"Check that it runs and that the address and the password are right.{hint}"
        ) from error


def check_version(connection: psycopg.Connection) -> None:
    """Raise Unavailable on a server that is too old."""
    major = connection.info.server_version // 10_000
    if major < roles.FIRST_VERSION:
        raise Unavailable(
            f"The server is PostgreSQL {major}; Hufu CRM needs {roles.FIRST_VERSION} or newer. Upgrade it, or leave "
            "DATABASE_URL empty to use the embedded one."
        )
