"""Bringing the connected database to this version of the program; Django is set up as the owner."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection

from hufu.core import schema


def bring_up_to_date(*, quiet: bool) -> bool:
    """Run the migrations, make the cache's table, install what is code; return whether anything was done."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        # INVARIANT: until policies and grants fit the new tables, the digest says that they do not.
        _forget_installed()
        call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
    call_command("createcachetable", database="autonomous", verbosity=0)
    return schema.install(connection) or pending


def _forget_installed() -> None:
    if schema.installed_digest(connection) is not None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM hufu.installed")
