"""Statements that a connection plans once: those of one form that are sent again and again.

To plan the row policies of a statement takes longer than to read by it. What is sent inside `prepared` is prepared:
its values travel apart from its text, and after a few times the database keeps one plan for whatever values come.

INVARIANT: only what is read in the same way whatever the values are is sent so: by number, or by whose it is. Where one
plan serves many values badly (rare and frequent ones, ranges, what is searched), the values belong to the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection


@contextmanager
def prepared(sends: psycopg.Connection[Any] | None = None) -> Iterator[None]:
    """Prepare what Django sends during the body, or what is sent on a connection of its own."""
    if sends is None:
        connection.ensure_connection()
        sends = connection.connection
    before = sends.cursor_factory, sends.prepare_threshold
    sends.cursor_factory, sends.prepare_threshold = psycopg.Cursor, 0
    try:
        yield
    finally:
        sends.cursor_factory, sends.prepare_threshold = before
