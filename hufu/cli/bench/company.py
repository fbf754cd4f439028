"""The company that is measured: people of every archetype, made at once as the owner of the tables."""

from __future__ import annotations

import psycopg

from hufu.access import registry
from hufu.cli.bench import words
from hufu.cli.bench.archetypes import ARCHETYPES, DORMANT_EVERY, numbers, reports_each
from hufu.core.schema import sql_file
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY

# What the roles give: where records are meant, with the scope of the archetype.
SCOPED = ("view", "edit", "transfer", "share", "delete")
HELD = ("create", "check_duplicate", "claim")


def make(owner: psycopg.Connection, users: int) -> None:
    """Make people, departments, roles, admissions, groups and pools in an empty database, with their reach.

    The schema `bench` keeps who is who for what is loaded next (see records).
    """
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute("CREATE SCHEMA bench")
        cursor.execute("CREATE TABLE bench.archetype (title text, scope text, admitted text, sells boolean)")
        cursor.executemany(
            "INSERT INTO bench.archetype VALUES (%s, %s, %s, %s)",
            [(one.title, one.scope, one.admitted, one.sells) for one in ARCHETYPES],
        )
        cursor.execute("CREATE TABLE bench.numbers (title text, first int, last int)")
        cursor.executemany(
            "INSERT INTO bench.numbers VALUES (%s, %s, %s)",
            [(one.archetype.title, one.first, one.last) for one in numbers(users)],
        )
        cursor.execute("CREATE TABLE bench.permission (permission text, scope text)")
        cursor.executemany("INSERT INTO bench.permission VALUES (%s, %s)", _permissions())
        cursor.execute(
            "CREATE TABLE bench.word (kind text, n int, word text, sort text, initials text, industry text)"
        )
        cursor.executemany("INSERT INTO bench.word VALUES (%s, %s, %s, %s, %s, %s)", words.words())
        cursor.execute("CREATE TABLE bench.source (n int, key text)")
        cursor.executemany("INSERT INTO bench.source VALUES (%s, %s)", words.sources())
        script(owner, "company", users=users, reports=reports_each(users), dormant_every=DORMANT_EVERY)
        for table in ("people_user", "people_department", "access_admission", "people_group_member"):
            cursor.execute(f"ANALYZE {table}".encode())
        cursor.execute("SELECT hufu.settle_reach()")
    owner.execute("ANALYZE")


def _permissions() -> list[tuple[str, str | None]]:
    """Return what every role grants, with its scope; None is that of the archetype."""
    found = [
        (resource.permission(verb), None if verb in SCOPED else _narrowest(resource.permission(verb)))
        for resource in (CUSTOMER, OPPORTUNITY)
        for verb in (*SCOPED, *HELD)
        if resource.has(verb)
    ]
    of_contacts = (CONTACT.permission(verb) for verb in ("view", "create", "edit", "delete"))
    return [*found, *((name, _narrowest(name)) for name in of_contacts)]


def _narrowest(permission: str) -> str:
    return registry.permission(permission).scopes[0]


def make_scopes_legal(owner: psycopg.Connection) -> None:
    """Give every permission that is not scoped the scope that a document can name for it."""
    for permission, scope in _permissions():
        if scope is not None:
            owner.execute(
                "UPDATE access_grant SET scope = %s WHERE permission = %s AND scope <> %s",
                [scope, permission, scope],
            )


def script(owner: psycopg.Connection, name: str, **values: object) -> None:
    """Run the statements of a file; the client binds the values, as the server takes one statement with parameters."""
    with owner.transaction():
        psycopg.ClientCursor(owner).execute(sql_file("hufu.cli.bench", name).encode(), values)
