"""The log as an application: what it puts into the database, and who writes refusals."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hufu.core import schema, transaction


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
