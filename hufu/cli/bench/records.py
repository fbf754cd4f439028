"""Customers, teams, shares and sharing rules of the measured company, loaded as fast as the server takes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from hufu.cli.bench import bare, company
from hufu.cli.bench.archetypes import REPRESENTATIVE, SHARED, numbers

CHUNK = 250_000
AT_ONCE = 2
TABLES = ("crm_customer", "access_team_member", "access_share", "access_shared_record")
# For the sessions that load: nobody waits for the disk, and indexes are sorted in memory.
SETTINGS = {
    "synchronous_commit": "off",
    "maintenance_work_mem": "1GB",
    "max_parallel_maintenance_workers": "2",
}
# For those that fill tables: the planner takes every draw from a vocabulary for a rare one.
FILLING = {**SETTINGS, "work_mem": "256MB", "enable_nestloop": "off"}

Tell = Callable[[str], None]


def load(owner_url: str, records: int, users: int, tell: Tell) -> dict[str, float]:
    """Make the company and its customers in an empty database; return the seconds of each step.

    Whatever triggers, defaults and row counts would have made is true afterwards.
    """
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str, words: str) -> Iterator[None]:
        tell(f"{words} …")
        started = time.perf_counter()
        yield
        seconds[name] = round(time.perf_counter() - started, 1)

    with _session(owner_url, SETTINGS) as owner:
        with step("company", f"Making a company of {users:,} people"):
            company.make(owner, users)
        laid_aside = bare.strip(owner, TABLES)
        values = _values(owner, records, users)
        with step("customers", f"Filling in {records:,} customers"):
            _at_once(owner_url, [("customers", {**values, **part}) for part in _parts(records)], tell)
        with step("shares", "Filling in teams and shares"):
            _at_once(owner_url, [("teams", values), ("shares", values)], tell)
            _at_once(owner_url, [("shared_records", {})], tell)
        with step("indexes", "Bringing indexes, keys and triggers back"):
            bare.restore(owner, laid_aside)
        with step("cells", "Counting records"):
            owner.execute("SELECT hufu.repair_cells()")
        with step("analyze", "Counting rows"):
            owner.execute("SELECT setval('crm_customer_id_seq', %s)", [records])
            owner.execute("VACUUM ANALYZE")
        with step("rules", "Sharing by rules"):
            company.script(owner, "rules", cities=values["cities"])
            owner.execute("VACUUM ANALYZE access_rule_match")
        with step("reach", f"Building the reach of {users:,} people anew"):
            owner.execute("SELECT hufu.rebuild_reach()")
        owner.execute("DROP SCHEMA bench CASCADE")
        with step("vacuum", "Clearing up"):
            owner.execute("VACUUM ANALYZE")
    return seconds


def _values(owner: psycopg.Connection, records: int, users: int) -> dict[str, Any]:
    """Return what the statements ask for."""
    of = {each.archetype: each for each in numbers(users)}
    kinds: dict[str, int] = dict(
        owner.execute("SELECT kind, count(*) FROM bench.word GROUP BY kind").fetchall()
    )
    return {
        "records": records,
        "slots": _one(owner, "SELECT count(*) FROM bench.slot"),
        "cities": kinds["city"],
        "trades": kinds["trade"],
        "lines": kinds["line"],
        "sources": _one(owner, "SELECT count(*) FROM bench.source"),
        # Teams and shares are those of people who sell: all numbers before those at the end.
        "sellers": of[REPRESENTATIVE].last,
        "first_shared": of[SHARED].first,
        "shared": of[SHARED].last - of[SHARED].first + 1,
        "moment": _one(owner, "SELECT hufu.now()"),
        "change": _one(owner, "SELECT hufu.last_change()"),
    }


def _parts(records: int) -> Iterator[dict[str, int]]:
    for first in range(1, records + 1, CHUNK):
        yield {"first": first, "last": min(first + CHUNK - 1, records)}


def _at_once(owner_url: str, statements: Sequence[tuple[str, dict[str, Any]]], tell: Tell) -> None:
    """Run statements of files in sessions of their own, a few at once."""

    def run(name: str, values: dict[str, Any]) -> int:
        with _session(owner_url, FILLING) as owner:
            company.script(owner, name, **values)
        return int(values.get("last", 0) - values.get("first", 1) + 1)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = 0
        for finished in as_completed([pool.submit(run, name, values) for name, values in statements]):
            done += finished.result()
            if done and len(statements) > AT_ONCE:
                tell(f"  {done:,} customers")


@contextmanager
def _session(owner_url: str, settings: Mapping[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for name, value in settings.items():
            owner.execute("SELECT set_config(%s, %s, false)", [name, value])
        yield owner


def _one(owner: psycopg.Connection, question: LiteralString) -> Any:
    row = owner.execute(question).fetchone()
    assert row is not None
    return row[0]
