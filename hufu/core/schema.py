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
    yield "core.vault", sql_file("hufu.core", "vault")
    yield "core.limits", sql_file("hufu.core", "limits")
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
    """Return SQL that keeps the past of a table of facts or policy, ordered by the number of the change.

    `columns` are the facts that count; a change in other columns leaves no past. Each transaction that changes
    one of them takes the next number of `access_change`, under the lock that all such changes share: numbers
    are in the order of commit whatever the clock says. `hufu.TABLE_at(number)` gives the rows that stood then,
    `hufu.TABLE_of(column, number)` all that ever stood with that value, both to holders of `explain.any` alone.
    """
    listed, old, changed = _kept(columns)
    return f"""
{_twin(table, columns)}
CREATE INDEX IF NOT EXISTS {table}_history_ended ON public.{table}_history (to_change);

CREATE OR REPLACE FUNCTION hufu.keep_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    moment timestamptz := hufu.moment();
    change bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND NOT ({changed}) THEN
        -- Nobody but this function says since when something stands.
        NEW.valid_from := OLD.valid_from;
        NEW.from_change := OLD.from_change;
        RETURN NEW;
    END IF;
    change := hufu.next_change();
    IF TG_OP <> 'INSERT' THEN
        moment := greatest(moment, OLD.valid_from + interval '1 microsecond');
        INSERT INTO {table}_history ({listed}, valid_to, to_change, ended_by)
            VALUES ({old}, moment, change, hufu.actor());
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.valid_from := moment;
    NEW.from_change := change;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER keep_history BEFORE INSERT OR UPDATE OR DELETE ON public.{table}
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_{table}();
-- INVARIANT: the lock comes before any row is locked.
CREATE OR REPLACE TRIGGER change_lock BEFORE INSERT OR DELETE OR UPDATE OF {", ".join(("id", *columns))}
    ON public.{table} FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock();
{_reader(table, "at", "wanted bigint", "from_change <= wanted", "to_change > wanted")}
{_reader_of(table, columns)}
"""


def record_history_sql(
    table: str, columns: tuple[str, ...], *, asked_by: tuple[tuple[str, str], ...] = (("id", "bigint"),)
) -> str:
    """Return SQL that keeps the past of a table of business records, or of what changes with them.

    An INSERT writes nothing more: the row itself says since when it stands, which is not `created_at`, and
    which change of facts and policy was the last one then. Records change without the lock of facts and policy;
    a record's own versions follow one another in strictly rising time, also when the clock steps back.
    `hufu.TABLE_at(…, change, moment)` gives what stood then, asked by the columns (name, type) of `asked_by`;
    `hufu.TABLE_all_at(change, moment)` gives all of it.
    """
    listed, old, changed = _kept(columns)
    parameters = "".join(f"of_{column} {kind}, " for column, kind in asked_by)
    asked = " AND ".join(f"{column} = of_{column}" for column, _kind in asked_by)
    key = ", ".join(column for column, _kind in asked_by)
    return f"""
ALTER TABLE public.{table} ADD COLUMN IF NOT EXISTS valid_from timestamptz NOT NULL DEFAULT now();
{_twin(table, columns)}
CREATE INDEX IF NOT EXISTS {table}_history_asked ON public.{table}_history ({key}, valid_from);
-- A default that is computed would rewrite a table that has rows: those were here before, as of now and change 0.
ALTER TABLE public.{table} ALTER COLUMN valid_from SET DEFAULT hufu.moment(),
    ALTER COLUMN from_change SET DEFAULT hufu.last_change();

CREATE OR REPLACE FUNCTION hufu.keep_{table}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    moment timestamptz := greatest(hufu.moment(), OLD.valid_from + interval '1 microsecond');
    change bigint := greatest(hufu.last_change(), OLD.from_change);
BEGIN
    INSERT INTO {table}_history ({listed}, valid_to, to_change, ended_by)
        VALUES ({old}, moment, change, hufu.actor());
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.valid_from := moment;
    NEW.from_change := change;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER keep_history BEFORE UPDATE ON public.{table}
    FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION hufu.keep_{table}();
CREATE OR REPLACE TRIGGER keep_history_end BEFORE DELETE ON public.{table}
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_{table}();
{
        _reader(
            table,
            "at",
            f"{parameters}wanted bigint, moment timestamptz",
            f"{asked} AND from_change <= wanted AND valid_from <= moment",
            "(to_change > wanted OR valid_to > moment)",
        )
    }
{
        _reader(
            table,
            "all_at",
            "wanted bigint, moment timestamptz",
            "from_change <= wanted AND valid_from <= moment",
            "(to_change > wanted OR valid_to > moment)",
        )
    }
{_reader_of(table, columns)}
"""


def _kept(columns: tuple[str, ...]) -> tuple[str, str, str]:
    """Return what is written to the twin, the old row's values of it, and the condition that a fact changed."""
    listed = ("id", *columns, "valid_from", "from_change")
    return (
        ", ".join(f'"{column}"' for column in listed),
        ", ".join(f'OLD."{column}"' for column in listed),
        " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in ("id", *columns)),
    )


def _twin(table: str, columns: tuple[str, ...]) -> str:
    """Return SQL that makes `TABLE_history`, or gives it the columns and types that the table has by now.

    It takes no foreign keys: it outlives what it names. Nobody but its owner has any right on it.
    """
    listed = ", ".join(f'"{column}"' for column in ("id", *columns, "valid_from"))
    names = ", ".join(("id", *columns, "valid_from"))
    return f"""
ALTER TABLE public.{table} ADD COLUMN IF NOT EXISTS from_change bigint NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS public.{table}_history AS
    SELECT {listed}, valid_from AS valid_to, 0 AS ended_by FROM public.{table} WITH NO DATA;
ALTER TABLE public.{table}_history ADD COLUMN IF NOT EXISTS from_change bigint NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS to_change bigint NOT NULL DEFAULT 0;
DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN
        SELECT now.attname AS name, format_type(now.atttypid, now.atttypmod) AS type, past.attname IS NULL AS is_new
        FROM pg_attribute now
        LEFT JOIN pg_attribute past ON past.attrelid = 'public.{table}_history'::regclass
                                   AND past.attname = now.attname AND NOT past.attisdropped
        WHERE now.attrelid = 'public.{table}'::regclass AND now.attname = ANY ('{{{names}}}'::name[])
          AND (past.attname IS NULL
               OR (past.atttypid, past.atttypmod) IS DISTINCT FROM (now.atttypid, now.atttypmod))
    LOOP
        EXECUTE format('ALTER TABLE public.{table}_history %s COLUMN %I %s %s',
                       CASE WHEN kept.is_new THEN 'ADD' ELSE 'ALTER' END, kept.name,
                       CASE WHEN kept.is_new THEN '' ELSE 'TYPE' END, kept.type);
    END LOOP;
END $$;
CREATE INDEX IF NOT EXISTS {table}_history_id ON public.{table}_history (id, valid_to);
ALTER TABLE public.{table}_history ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.{table}_history FROM hufu_app, hufu_sealer, hufu_reader;
"""


def _reader(table: str, name: str, parameters: str, begun: str, not_ended: str) -> str:
    """Return SQL that makes hufu.TABLE_NAME(parameters): rows of table and twin, for holders of explain.any."""
    return _reader_function(
        table,
        name,
        parameters,
        f"""
    RETURN QUERY SELECT %1$s FROM {table} WHERE {begun}
        UNION ALL SELECT %2$s FROM {table}_history WHERE {begun} AND {not_ended}
        ORDER BY id;""",
    )


def _reader_of(table: str, columns: tuple[str, ...]) -> str:
    """Return SQL that makes hufu.TABLE_of(which, subject): every version in which that column held that number."""
    ids = ", ".join(("id", *(column for column in columns if column.endswith("_id"))))
    return _reader_function(
        table,
        "of",
        "which text, subject bigint",
        f"""
    IF NOT which = ANY (''{{{ids}}}''::text[]) THEN
        RAISE EXCEPTION ''{table} is not asked by %%'', which USING ERRCODE = ''undefined_column'';
    END IF;
    RETURN QUERY EXECUTE format(
        ''SELECT %1$s FROM {table} WHERE %%1$I = $1
          UNION ALL SELECT %2$s FROM {table}_history WHERE %%1$I = $1 ORDER BY id, from_change, valid_from'', which)
        USING subject;""",
    )


def _reader_function(table: str, name: str, parameters: str, body: str) -> str:
    # The twin's columns are listed as they lie: it may have got some later than others.
    types = ", ".join(parameter.split()[1] for parameter in parameters.split(", "))
    return f"""
DROP FUNCTION IF EXISTS hufu.{table}_{name}({types});
DO $$
DECLARE
    past text;
    now text;
BEGIN
    SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum),
           string_agg(CASE attname WHEN 'valid_to' THEN 'NULL::timestamptz'
                                   WHEN 'to_change' THEN 'NULL::bigint'
                                   WHEN 'ended_by' THEN 'NULL::int'
                                   ELSE format('%I', attname) END, ', ' ORDER BY attnum)
      INTO past, now
      FROM pg_attribute WHERE attrelid = 'public.{table}_history'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('
CREATE FUNCTION hufu.{table}_{name}({parameters}) RETURNS SETOF public.{table}_history LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $read$
BEGIN
    IF NOT hufu.holds(''explain.any'') THEN
        RAISE EXCEPTION ''not allowed'' USING ERRCODE = ''insufficient_privilege'';
    END IF;{body}
END $read$', now, past);
END $$;
"""
