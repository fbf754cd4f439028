from collections.abc import Iterator

from django.apps import AppConfig, apps
from django.conf import settings


class ConfigConfig(AppConfig):
    """What no single layer owns: the tables of the libraries stand outside row policies and need plain grants."""

    name = "hufu.config"

    def install_sql(self) -> Iterator[tuple[str, str]]:
        """Yield the application's grants on the tables of Django and allauth."""
        from hufu.core.vault import rotation

        yield "config.libraries", "\n".join(_library_grants())
        yield "config.rotation", rotation.statements()


# INVARIANT: what is not named here is granted nothing; business types have their own grants and row policies.
READ_ONLY_APPS = {"auth", "contenttypes"}
WRITTEN_APPS = {"sessions", "account", "mfa", "socialaccount"}
# Whom a subject of an identity provider is bound to is written once; no token and no secret of a provider is kept.
NARROW_TABLES = {
    "socialaccount_socialaccount": "SELECT, INSERT",
    "socialaccount_socialapp": "",
    "socialaccount_socialtoken": "",
}


def _library_grants() -> Iterator[str]:
    yield "GRANT SELECT ON django_migrations TO hufu_app;"
    tables = [str(settings.CACHES["default"]["LOCATION"])]
    for app in apps.get_app_configs():
        for model in app.get_models(include_auto_created=True):
            if app.label in READ_ONLY_APPS:
                yield f"GRANT SELECT ON {model._meta.db_table} TO hufu_app;"
            elif app.label in WRITTEN_APPS and model._meta.db_table not in NARROW_TABLES:
                tables.append(model._meta.db_table)
    for table in tables:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO hufu_app;"
    for table, rights in NARROW_TABLES.items():
        # An earlier version gave more.
        yield f"REVOKE ALL ON {table} FROM hufu_app;"
        if rights:
            yield f"GRANT {rights} ON {table} TO hufu_app;"
