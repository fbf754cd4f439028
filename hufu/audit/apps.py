"""The log as an application: what it puts into the database, and who writes refusals."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hufu.core import schema, transaction
from hufu.core.health import Finding


class AuditConfig(AppConfig):
    """The layer that knows the log."""

    name = "hufu.audit"
    label = "audit"
    verbose_name = _("Log")

    def ready(self) -> None:
        """From now on a refusal leaves its event."""
        from hufu.audit.refusals import spool_refusal, write_refusal

        transaction.on_refusal(write_refusal, spool_refusal)

    def install_sql(self) -> Iterator[tuple[str, str]]:
        """Yield triggers, policies and grants of the log."""
        yield "audit.log", schema.sql_file("hufu.audit", "log")
        yield "audit.operation", schema.sql_file("hufu.audit", "operation")

    def doctor_checks(self) -> Iterator[Finding]:
        """Yield whether the secrets folder belongs to this database, the spool is empty, and how backups stand."""
        from hufu.audit import backups, keys, spool
        from hufu.core.errors import Unavailable

        try:
            keys.check_key_ring()
            yield Finding("log key")
        except Unavailable as error:
            yield Finding("log key", str(error), "Restore the secrets folder that belongs to this database.")
        waiting = spool.pending()
        problem = (
            f"{waiting} events wait in the spool because the log could not be written" if waiting else ""
        )
        yield Finding("log spool", problem, "Start the site again: it writes them to the log.")
        yield from backups.findings()
