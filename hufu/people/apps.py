from collections.abc import Iterator

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "hufu.people"
    verbose_name = _("People")

    def ready(self) -> None:
        from hufu.people import events  # noqa: F401  (declares the event types)

    def install_sql(self) -> Iterator[tuple[str, str]]:
        from hufu.core.schema import history_sql, sql_file
        from hufu.people.models import FACT_COLUMNS

        yield "people.rules", sql_file("hufu.people", "rules")
        yield "people.devices", sql_file("hufu.people", "devices")
        yield "people.sessions", sql_file("hufu.people", "sessions")
        yield "people.passwords", sql_file("hufu.people", "passwords")
        for table, columns in FACT_COLUMNS.items():
            yield f"people.history.{table}", history_sql(table, columns)
