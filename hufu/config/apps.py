from collections.abc import Iterator

from django.apps import AppConfig, apps
from django.conf import settings


class ConfigConfig(AppConfig):
    """What no single layer owns: the tables of the libraries stand outside row policies and need plain grants."""

    name = "hufu.config"

    def install_sql(self) -> Iterator[tuple[str, str]]:
        """Yield the application's grants on the tables of Django and allauth."""
        yield "config.libraries", "\n".join(_library_grants())


READ_ONLY_APPS = {"auth", "contenttypes"}


def _library_grants() -> Iterator[str]:
    yield "GRANT SELECT ON django_migrations TO hufu_app;"
    tables = [str(settings.CACHES["default"]["LOCATION"])]
    for app in apps.get_app_configs():
        if app.name.startswith("hufu."):
            continue
        for model in app.get_models(include_auto_created=True):
            if app.label in READ_ONLY_APPS:
                yield f"GRANT SELECT ON {model._meta.db_table} TO hufu_app;"
            else:
                tables.append(model._meta.db_table)
    for table in tables:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO hufu_app;"
