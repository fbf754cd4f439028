"""Installing what migrations do not carry: functions, triggers, row policies and grants.

They are code, not data: every `hufu migrate` brings the database to exactly the text of this version, in
one transaction, and skips the work when the digest of that text stands in the database already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib import resources

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper


def sql_file(package: str, name: str) -> str:
    """Return the text of `sql/NAME.sql` of a package."""
    return resources.files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) in the order of installation: core first, each app in its layer, privileges last."""
    yield "core.identity", sql_file("hufu.core", "identity")
    for app in apps.get_app_configs():
        install_sql = getattr(app, "install_sql", None)
        if install_sql is not None:
            yield from install_sql()
    yield "core.privileges", sql_file("hufu.core", "privileges")


def digest() -> str:
    """Return the SHA-256 of all that is to be installed."""
    whole = hashlib.sha256()
    for name, sql in statements():
        whole.update(name.encode() + b"\0" + sql.encode() + b"\0")
    return whole.hexdigest()


def installed_digest(connection: BaseDatabaseWrapper) -> str | None:
    """Return the digest that the database holds, or None where nothing was installed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('hufu.installed')")
        row = cursor.fetchone()
        if row is None or row[0] is None:
            return None
        cursor.execute("SELECT digest FROM hufu.installed")
        row = cursor.fetchone()
    return row[0] if row else None


def install(connection: BaseDatabaseWrapper, *, force: bool = False) -> bool:
    """Install everything as the owner of the database; return whether anything had to be done."""
    from django.db import transaction

    wanted = digest()
    if not force and installed_digest(connection) == wanted:
        return False
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for _name, sql in statements():
            cursor.execute(sql)
        cursor.execute("DELETE FROM hufu.installed")
        cursor.execute("INSERT INTO hufu.installed (digest) VALUES (%s)", [wanted])
    return True


def history_sql(table: str, columns: tuple[str, ...]) -> str:
    """Return SQL that keeps the past of `table`: what a row said, from when, until when, ended by whom.

    `columns` are the facts that count; `id` and `valid_from` come along. A change in other columns leaves
    no past. The twin table takes no foreign keys: it outlives what it names.
    """
    kept = ("id", *columns, "valid_from")
    listed = ", ".join(f'"{column}"' for column in kept)
    old = ", ".join(f'OLD."{column}"' for column in kept)
    changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
    return f"""
CREATE TABLE IF NOT EXISTS public.{table}_history AS
    SELECT {listed}, valid_from AS valid_to, 0 AS ended_by FROM public.{table} WITH NO DATA;
CREATE INDEX IF NOT EXISTS {table}_history_id ON public.{table}_history (id, valid_to);

CREATE OR REPLACE FUNCTION hufu.keep_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NOT ({changed}) THEN
        RETURN NEW;
    END IF;
    INSERT INTO {table}_history ({listed}, valid_to, ended_by) VALUES ({old}, clock_timestamp(), hufu.actor());
    IF TG_OP = 'UPDATE' THEN
        NEW.valid_from := clock_timestamp();
        RETURN NEW;
    END IF;
    RETURN OLD;
END $$;
CREATE OR REPLACE TRIGGER keep_history BEFORE UPDATE OR DELETE ON public.{table}
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_{table}();
"""
