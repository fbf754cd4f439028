"""What it costs to change the organisation or the policy: until it is in force for everybody, and what it writes.

Changes are made in SQL by the owner of the tables, with all triggers, and committed; each is taken back at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from hufu.access import registry
from hufu.cli.bench.archetypes import MANAGER, REPRESENTATIVE
from hufu.cli.bench.timing import Times, in_turns, timed
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.resources import CUSTOMER

CHANGE, BACK, NEXT = "change", "back", "next request"
REACH = (
    *("access_principal", "access_term", "access_term_grant", "access_term_field", "access_reach"),
    *("access_rule_part", "access_rule_match", "access_rule_reach", "access_pool_reach"),
)
# Of all customers a department has so many that it stands for a large one: a hundredth.
LARGE = 100
WRITTEN = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables
    WHERE relname = ANY (%s)
"""
DEPARTMENT = """
    WITH amount AS (
        SELECT b.department_id AS id, sum(c.records)::bigint AS records
        FROM hufu.departments_below b JOIN hufu.cells c ON c.department_id = b.below_id AND c.type = 'customer'
        GROUP BY b.department_id)
    SELECT d.id, d.parent_id, a.records, boss.main_department_id, boss.id
    FROM amount a JOIN people_department d ON d.id = a.id
    CROSS JOIN LATERAL (
        SELECT u.id, u.main_department_id FROM people_user u
        WHERE u.title = %(title)s AND u.main_department_id <> d.parent_id
          AND NOT EXISTS (SELECT 1 FROM hufu.departments_below b
                          WHERE b.below_id = u.main_department_id AND b.department_id = d.id)
          AND NOT EXISTS (SELECT 1 FROM hufu.departments_below b
                          WHERE b.department_id = u.main_department_id AND b.below_id = d.id)
        ORDER BY u.id LIMIT 1) boss
    ORDER BY abs(a.records - %(wanted)s), d.id LIMIT 1
"""


@dataclass(frozen=True)
class Change:
    """A change and how it is taken back, with somebody who views other records by it."""

    name: str
    do: str
    undo: str
    witness: int


@dataclass(frozen=True)
class Reorganised:
    """What a change cost in milliseconds, until it was committed with everybody's reach and back again, and the next
    request of a person whom it concerns.

    `rewritten` counts rows of business tables, `reach_rows` those of reach. `before` and `after` are what the person
    views.
    """

    what: str
    rewritten: int
    reach_rows: int
    before: int
    after: int
    times: dict[str, Times]

    def as_dict(self) -> dict[str, Any]:
        """Return the measurement for programs, in milliseconds."""
        return {
            "what": self.what,
            "rewritten": self.rewritten,
            "reach_rows": self.reach_rows,
            "before": self.before,
            "after": self.after,
            **{name: times.as_dict() for name, times in self.times.items()},
        }


def measure(owner_url: str, rounds: int, limit: float, tell: Callable[[str], None]) -> Iterator[Reorganised]:
    """Yield each change."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for change in _changes(owner):
            tell(f"  {change.name}")
            yield _measure(owner, change, rounds, limit)


def _changes(owner: psycopg.Connection) -> Iterator[Change]:
    row = owner.execute(
        "SELECT coalesce(sum(records), 0)::bigint FROM hufu.cell_totals WHERE type = %s AND by = 'partition'",
        [CUSTOMER.name],
    ).fetchone()
    wanted = (row[0] if row else 0) // LARGE
    found = owner.execute(DEPARTMENT.encode(), {"title": MANAGER.title, "wanted": wanted}).fetchone()
    row = owner.execute(
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id), count(*) FROM people_user WHERE title = %s",
        [REPRESENTATIVE.title],
    ).fetchone()
    assert found is not None
    assert row is not None
    department, parent, records, below, boss = found
    representative, many = row
    move = "UPDATE people_department SET parent_id = {} WHERE id = {}"
    yield Change(
        f"a department of {records:,} customers moves",
        move.format(below, department),
        move.format(parent, department),
        boss,
    )
    scope = (
        "UPDATE access_grant SET scope = '{}' WHERE permission = 'customer.view' AND role_id ="
        f" (SELECT id FROM access_role WHERE name = '{REPRESENTATIVE.title}')"
    )
    yield Change(
        f"{many:,} representatives come to view their departments' customers",
        scope.format("department"),
        scope.format("own"),
        representative,
    )
    yield Change(
        "a partition is opened to everybody",
        "INSERT INTO access_admission (partition_id, department_id, below, reason, given_by, can_create, can_edit,"
        " can_delete) VALUES (3, 1, true, 'bench', -1, true, true, true)",
        "DELETE FROM access_admission WHERE reason = 'bench'",
        representative,
    )
    manager = f"UPDATE people_user SET manager_id = {{}} WHERE id = {representative}"
    row = owner.execute("SELECT manager_id FROM people_user WHERE id = %s", [representative]).fetchone()
    assert row is not None
    yield Change("somebody reports to another", manager.format(boss), manager.format(row[0]), boss)


def _measure(owner: psycopg.Connection, change: Change, rounds: int, limit: float) -> Reorganised:
    tables = [resource.table for resource in registry.resource_types()]
    witness = Actor(change.witness, "")

    def carry_out(statement: str) -> None:
        with owner.transaction():
            owner.execute(statement.encode())

    def written(names: list[str]) -> int:
        owner.execute("SELECT pg_stat_force_next_flush()")
        row = owner.execute(WRITTEN, [names]).fetchone()
        return int(row[0]) if row else 0

    def views() -> int:
        with acting(witness):
            return int(queries.count_records(witness, CUSTOMER))

    business, reach = written(tables), written(list(REACH))
    before = views()
    carry_out(change.do)
    business, reach = written(tables) - business, written(list(REACH)) - reach
    seen: list[int] = []
    first = timed(lambda: seen.append(views()))
    carry_out(change.undo)
    # Either may have a turn more than the other: both can be said twice.
    ways = {CHANGE: lambda: carry_out(change.do), BACK: lambda: carry_out(change.undo)}
    times = in_turns(ways, rounds, limit)
    carry_out(change.undo)
    return Reorganised(change.name, business, reach, before, seen[0], {**times, NEXT: Times((first,), limit)})
