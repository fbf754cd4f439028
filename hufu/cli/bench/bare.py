"""A table without whatever slows down a load: indexes, keys, triggers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

# Foreign keys of the table and to it, then its own unique ones: they hang on one another in this order.
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), contype = 'f' AS is_reference
    FROM pg_constraint
    WHERE contype IN ('f', 'u', 'p') AND (conrelid = ANY (%(tables)s::regclass[])
                                          OR confrelid = ANY (%(tables)s::regclass[]))
    ORDER BY contype = 'f' DESC, contype = 'u' DESC, conname
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (%(tables)s::regclass[])
      AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('u', 'p'))
    ORDER BY 1
"""


@dataclass(frozen=True)
class LaidAside:
    """What was taken from tables: constraints (table, name, definition, whether a foreign key) and indexes."""

    tables: tuple[str, ...]
    constraints: tuple[tuple[str, str, str, bool], ...]
    indexes: tuple[tuple[str, str], ...]


def strip(owner: psycopg.Connection, tables: Sequence[str]) -> LaidAside:
    """Take from the tables what slows down a load; triggers are not asked from now on."""
    known = {"tables": list(tables)}
    aside = LaidAside(
        tuple(tables),
        tuple(owner.execute(CONSTRAINTS, known).fetchall()),
        tuple(owner.execute(INDEXES, known).fetchall()),
    )
    for table, name, _definition, _is_reference in aside.constraints:
        _run(owner, f"ALTER TABLE {table} DROP CONSTRAINT", name)
    for name, _definition in aside.indexes:
        _run(owner, f"DROP INDEX {name}")
    for table in tables:
        _run(owner, f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return aside


def restore(owner: psycopg.Connection, aside: LaidAside) -> None:
    """Give the tables back what was taken: keys are checked now, triggers are asked again from the next change on."""
    for table in aside.tables:
        _run(owner, f"ALTER TABLE {table} ENABLE TRIGGER USER")
    for table, name, definition, is_reference in aside.constraints:
        if not is_reference:
            _run(owner, f"ALTER TABLE {table} ADD CONSTRAINT", name, definition)
    for _name, definition in aside.indexes:
        _run(owner, definition)
    for table, name, definition, is_reference in aside.constraints:
        if is_reference:
            _run(owner, f"ALTER TABLE {table} ADD CONSTRAINT", name, definition)


def _run(owner: psycopg.Connection, words: str, name: str = "", definition: str = "") -> None:
    # The words are those of the catalogue itself.
    parts: list[sql.Composable] = [sql.SQL(words)]
    if name:
        parts.append(sql.Identifier(name))
    parts.append(sql.SQL(definition))
    owner.execute(sql.SQL(" ").join(parts))
