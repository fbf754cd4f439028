from collections.abc import Iterator

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from hufu.core.health import Finding
from hufu.core.vault.rotation import SealedTable


class CrmConfig(AppConfig):
    name = "hufu.crm"
    verbose_name = _("CRM")

    def ready(self) -> None:
        from hufu.crm import attachments, consents, duplicates, persons, resources, retention, reveals  # noqa: F401  (they declare)

    def sealed_tables(self) -> Iterator[SealedTable]:
        """Yield the tables of records that have encrypted fields."""
        from hufu.crm import attachments, blind

        yield from blind.sealed_tables()
        yield attachments.SEALED

    def doctor_checks(self) -> Iterator[Finding]:
        """Yield whether the files of records are there."""
        from hufu.crm import attachments

        yield from attachments.check()

    def install_sql(self) -> Iterator[tuple[str, str]]:
        from hufu.access import (
            cell_sql,
            drift_sql,
            policies,
            preview_sql,
            record_history,
            report_views,
            system_actors,
        )
        from hufu.crm import attachments, consents, persons, timeline
        from hufu.crm.duplicates import sql as duplicates

        yield from policies.statements()
        yield from cell_sql.statements()
        yield from preview_sql.statements()
        yield from drift_sql.statements()
        yield from report_views.statements()
        yield from record_history.statements()
        yield from timeline.statements()
        yield "crm.consents", consents.statements()
        yield from persons.statements()
        yield "crm.attachments", attachments.statements()
        yield from duplicates.statements()
        yield "access.system_actors", system_actors.install_sql()
