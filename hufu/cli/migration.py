"""Bringing the connected database to this version of the program; Django is set up as the owner."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

from hufu.core import schema, vault
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres.secret_files import LOG_KEK, SecretFolder


def bring_up_to_date(*, quiet: bool) -> bool:
    """Run the migrations, make the cache's table, install what is code; return whether anything was done."""
    from django.db.migrations.executor import MigrationExecutor

    from hufu.access import cells
    from hufu.crm import attachments

    vault.prepare()
    executor = MigrationExecutor(connection)
    pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if pending:
        # INVARIANT: until policies and grants fit the new tables, the digest says that they do not.
        _forget_installed()
        with _collecting_rarely():
            call_command("migrate", verbosity=0 if quiet else 1, interactive=False)
    call_command("createcachetable", database="autonomous", verbosity=0)
    installed = schema.install(connection)
    attachments.sweep()
    cells.fold()
    return installed or pending


def require_log_key(secrets: SecretFolder) -> None:
    """Make the key of the log for a new database; raise Unavailable when an existing one has lost it.

    INVARIANT: a lost key is never replaced in silence. Personal values in the log would stay unreadable for good.
    """
    if schema.installed_digest(connection) is None:
        secrets.key(LOG_KEK)
    elif not secrets.path(LOG_KEK).exists():
        raise Unavailable(
            _(
                "The secrets folder %(folder)s does not hold %(key)s, the key of this database's log. Restore the "
                "folder from a backup, copy it from the machine that has it, or name it with HUFU_SECRETS."
            )
            % {"folder": secrets.folder, "key": LOG_KEK}
        )


def require_keys(secrets: SecretFolder) -> None:
    """Make the keys of a new database; raise Unavailable when an existing one has lost one of its own."""
    vault.require_master_key(secrets, is_new=vault.is_empty())
    require_log_key(secrets)


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Look for unreachable objects more rarely during the body.

    Django makes the classes of models anew after every step of a migration: looking for the old ones, among all that
    is loaded, took a fifth of a migration's time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(20_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _forget_installed() -> None:
    if schema.installed_digest(connection) is not None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM hufu.installed")
