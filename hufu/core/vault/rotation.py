"""New versions of keys: what is sealed is sealed anew in small steps, while the site goes on.

A rotation has three parts, and each may be interrupted: `begin` makes a new version active, `reseal` takes the rows
that still have an old one, a few at a time, and `retire` erases the old keys once nothing needs them. Rows keep their
times and versions: nobody changed them. Everything here is the owner's.

What is sealed comes from the applications: `AppConfig.sealed_tables(self) -> Iterable[SealedTable]`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import OperationalError, connection, transaction

from hufu.core.vault import data_keys, values
from hufu.core.vault.data_keys import FIELD, INDEX
from hufu.core.vault.master import master_keys

BATCH = 200
# Whoever read a row a moment ago may still need the key that it was sealed with.
GRACE_SECONDS = 2.0
WAIT_SECONDS = 0.2
LOCK_TIMEOUT = "1s"
ROTATED = (FIELD, INDEX)


@dataclass(frozen=True)
class SealedTable:
    """A table with sealed columns, and what makes the blind indexes (by column) of its plain values."""

    name: str
    columns: tuple[str, ...]
    indexes: tuple[str, ...]
    index: Callable[[Mapping[str, str]], Mapping[str, bytes | None]]


def sealed_tables() -> Iterator[SealedTable]:
    """Yield every table that holds sealed values."""
    for app in apps.get_app_configs():
        tables = getattr(app, "sealed_tables", None)
        if tables is not None:
            yield from tables()


def counts() -> dict[int, int]:
    """Return how many values are sealed with each version."""
    found: dict[int, int] = {}
    with connection.cursor() as cursor:
        for table in sealed_tables():
            for column in table.columns:
                cursor.execute(
                    f"SELECT get_byte({column}, 1) * 256 + get_byte({column}, 2), count(*)"
                    f" FROM {table.name} WHERE length({column}) > 0 GROUP BY 1"
                )
                for version, number in cursor.fetchall():
                    found[version] = found.get(version, 0) + number
    return found


def begin() -> int:
    """Make a new version active and return it; where a rotation was interrupted, go on with its version."""
    with transaction.atomic():
        active = {each.purpose: each.version for each in data_keys.stored() if each.state == "active"}
        if not any(each.state == "old" and each.purpose in ROTATED for each in data_keys.stored()):
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE hufu.data_key SET state = 'old' WHERE state = 'active' AND purpose = ANY (%s)",
                    [list(ROTATED)],
                )
            for purpose in ROTATED:
                active[purpose] += 1
                data_keys.add_version(purpose, active[purpose])
    return active[FIELD]


def remaining(version: int) -> int:
    """Return how many rows still hold a value of another version."""
    total = 0
    with connection.cursor() as cursor:
        for table in sealed_tables():
            cursor.execute(f"SELECT count(*) FROM {table.name} WHERE {_other(table)}", _mark(table, version))
            total += cursor.fetchone()[0]
    return total


def to_reseal() -> int:
    """Return the same for the active version, as the application: a number without any row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.rows_to_reseal()")
        return int(cursor.fetchone()[0])


def statements() -> str:
    """Return SQL that makes the function behind `to_reseal`. It names the tables of all applications."""
    counted = " + ".join(
        f"(SELECT count(*) FROM public.{table.name} WHERE "
        + " OR ".join(
            f"(length({column}) > 0 AND substring({column} FROM 2 FOR 2) <> mark)" for column in table.columns
        )
        + ")"
        for table in sealed_tables()
    )
    return f"""
CREATE OR REPLACE FUNCTION hufu.rows_to_reseal() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    mark bytea := (SELECT substring(int4send(k.version) FROM 3 FOR 2) FROM hufu.data_key k
                    WHERE k.purpose = '{FIELD}' AND k.state = 'active');
BEGIN
    RETURN {counted};
END $$;
"""


def reseal(version: int) -> Iterator[int]:
    """Seal anew every row that has another version, and yield the number of rows after each step.

    Rows that somebody is just changing are left for later.
    """
    for table in sealed_tables():
        last = 0
        while True:
            with transaction.atomic():
                rows = _locked(table, version, last)
                if rows:
                    _write(table, version, rows)
            if not rows:
                break
            last = rows[-1][0]
            yield len(rows)


def retire(version: int) -> bool:
    """Erase the old keys; return False where a row still needs one, or transactions that seal would not end."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute("SELECT pg_advisory_xact_lock(4853, 1)")
            if remaining(version):
                return False
            cursor.execute(
                "UPDATE hufu.data_key SET state = 'retired', wrapped = NULL"
                " WHERE state = 'old' AND purpose = ANY (%s)",
                [list(ROTATED)],
            )
    except OperationalError:
        return False
    return True


def rotate(progress: Callable[[int], None]) -> int:
    """Do all three parts, telling how many rows were sealed anew, and return the version that is active now."""
    version = begin()
    while True:
        for number in reseal(version):
            progress(number)
        if not remaining(version):
            time.sleep(GRACE_SECONDS)
            if retire(version):
                return version
        time.sleep(WAIT_SECONDS)


def rewrap() -> int:
    """Wrap every data key that another version of the master key wraps under the one in use; return how many."""
    ring, number = master_keys(), 0
    with transaction.atomic(), connection.cursor() as cursor:
        for each in data_keys.stored():
            if each.master_version == ring.version:
                continue
            wrapped = ring.wrap(each.key(), data_keys.bound_to(each.purpose, each.version))
            cursor.execute(
                "UPDATE hufu.data_key SET wrapped = %s, master_version = %s WHERE purpose = %s AND version = %s",
                [wrapped, ring.version, each.purpose, each.version],
            )
            number += 1
    return number


def _other(table: SealedTable) -> str:
    return " OR ".join(
        f"(length({column}) > 0 AND substring({column} FROM 2 FOR 2) <> %s)" for column in table.columns
    )


def _mark(table: SealedTable, version: int) -> list[bytes]:
    return [version.to_bytes(2, "big")] * len(table.columns)


def _locked(table: SealedTable, version: int, after: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {', '.join(table.columns)} FROM {table.name} WHERE id > %s AND ({_other(table)})"
            f" ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED",
            [after, *_mark(table, version)],
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _write(table: SealedTable, version: int, rows: list[tuple[Any, ...]]) -> None:
    arrays: list[list[Any]] = [[row[0] for row in rows]]
    plain = [_opened(table, row[1:]) for row in rows]
    for column in table.columns:
        place = f"{table.name}.{column}".encode()
        arrays.append(
            [
                values.seal_with(FIELD, version, each[column].encode(), place) if each[column] else b""
                for each in plain
            ]
        )
    indexes = [table.index(each) for each in plain]
    arrays += [[each[column] for each in indexes] for column in table.indexes]
    written = (*table.columns, *table.indexes)
    assigned = ", ".join(f"{column} = new.{column}" for column in written)
    types = ", ".join(["%s::bigint[]"] + ["%s::bytea[]"] * len(written))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table.name} AS r SET {assigned} FROM unnest({types}) AS new (id, {', '.join(written)})"
            " WHERE r.id = new.id",
            arrays,
        )


def _opened(table: SealedTable, sealed: tuple[Any, ...]) -> dict[str, str]:
    return {
        column: values.unseal(FIELD, bytes(value), f"{table.name}.{column}".encode()).decode()
        if value
        else ""
        for column, value in zip(table.columns, sealed, strict=True)
    }
