"""As of every change ⇔ what was decided then, for generated companies that change at random.

After each change all decisions are remembered as the present gave them; at the end, each of them is asked of the past.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from hypothesis import Phase
from hypothesis import strategies as st

from hufu.access import as_of, queries, registry
from hufu.access.decision.snapshot import Given, ShareFacts, Snapshot
from hufu.access.decision.states import State, StateFacts
from hufu.access.decision.terms import RecordFacts, Share
from hufu.access.reach import SHARE_OF
from hufu.access.rule_fields import fields_named, rule_values
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from tests import other_postgres
from tests.access import generated
from tests.access.organisations import ATOMS, FIELDS, RECORD_SCOPES, Pick, organisations
from tests.access.world import FOLLOWING, INDEPENDENT, STATES, TABLES, World, store

# On a second PostgreSQL fewer, as of the other generated companies.
COMPANIES = 3 if other_postgres.VARIABLE in os.environ else 6
CHANGES = 8
VERBS = ("view", "edit", "delete")
Records = dict[tuple[str, int], RecordFacts]
Statement = tuple[str, list[Any]]


@dataclass(frozen=True)
class Remembered:
    """What the present said after a change."""

    number: int
    moment: datetime
    snapshot: Snapshot
    records: Records
    allowed: frozenset[tuple[int, str, int]]


def decisions(snapshot: Snapshot, records: Records) -> frozenset[tuple[int, str, int]]:
    """Return everything that is allowed, as (person, permission, record)."""
    return frozenset(
        (person, f"{type_name}.{verb}", number)
        for (type_name, number), facts in records.items()
        for person in snapshot.people
        for verb in VERBS
        if queries.explain(snapshot, person, f"{type_name}.{verb}", facts).allowed
    )


def states_of(voided_at, voided_by, locked_at, locked_by, pending) -> tuple[StateFacts, ...]:
    found = []
    if voided_at is not None:
        found.append(StateFacts(State.VOID, voided_at, voided_by))
    if locked_at is not None:
        found.append(StateFacts(State.LOCKED, locked_at, locked_by))
    return (*found, *([StateFacts(State.PENDING)] if pending else []))


def remember(owner: psycopg.Connection, now: datetime) -> Remembered:
    with acting(Actor.operator()):
        snapshot = replace(queries.snapshot(), at=now)
    number = owner.execute("SELECT max(number) FROM access_change").fetchone()[0]
    teams: dict[tuple[str, int], dict[int, Share]] = defaultdict(dict)
    for type_name, number_of, user, access in owner.execute(
        "SELECT type, record_id, user_id, access FROM access_team_member"
    ):
        teams[type_name, number_of][user] = SHARE_OF[access]
    shares: dict[tuple[str, int], list[ShareFacts]] = defaultdict(list)
    for type_name, number_of, access, by, superiors, along, across_by, *gift in owner.execute(
        "SELECT type, record_id, access, given_by, superiors, along_with_id IS NOT NULL, across_by, id, user_id,"
        " group_id, department_id, below, post, position_id, level_id, starts_at, ends_at FROM access_share ORDER BY id"
    ):
        shares[type_name, number_of].append(
            ShareFacts(Given(*gift), SHARE_OF[access], by, superiors, along, across_by=across_by)
        )
    for type_name, number_of, task, user in owner.execute(
        "SELECT type, record_id, id, user_id FROM access_task ORDER BY id"
    ):
        given = Given(task, user_id=user)
        shares[type_name, number_of].append(ShareFacts(given, Share.READ, -1, task="test.approval"))
    records = {
        (type_name, row[0]): RecordFacts(
            *row[1:5],
            team=teams[type_name, row[0]],
            shares=tuple(shares[type_name, row[0]]),
            values=row[5],
            states=states_of(*row[6]),
            pool_id=row[7],
        )
        for type_name in INDEPENDENT
        for row in _rows(owner, type_name)
    }
    for type_name, kind in FOLLOWING.items():
        for number_of, partition, parent, deleted in owner.execute(
            f"SELECT id, partition_id, {kind}_id, deleted_at IS NOT NULL FROM {TABLES[type_name]}"
        ):
            records[type_name, number_of] = RecordFacts(
                partition, deleted=deleted, parent=records[kind, parent]
            )
    moment = owner.execute("SELECT clock_timestamp()").fetchone()[0]
    return Remembered(number, moment, snapshot, records, decisions(snapshot, records))


def _rows(owner: psycopg.Connection, type_name: str) -> Iterator[tuple[Any, ...]]:
    """Yield what coverage looks at in each record, then the fields that rules can name, its states and its pool."""
    resource = registry.resource_type(type_name)
    columns = [declared.column for declared in fields_named(resource)]
    pool = "pool_id" if resource.pooled else "NULL"
    for row in owner.execute(
        f"SELECT id, partition_id, owner_id, department_id, deleted_at IS NOT NULL, {', '.join(STATES)},"
        f" {', '.join(columns)}, {pool} FROM {TABLES[type_name]}"
    ):
        named = SimpleNamespace(**dict(zip(columns, row[5 + len(STATES) : -1], strict=True)))
        yield (*row[:5], rule_values(resource, named), row[5 : 5 + len(STATES)], row[-1])


def compare(remembered: Remembered, world: World, now: datetime, pick: Pick) -> None:
    """Assert that the past says the same."""
    operator = Actor.operator()
    with acting(operator):
        change = as_of.change_at(operator, remembered.moment)
        assert change.number == remembered.number
        assert replace(as_of.snapshot_at(operator, change.number), at=now) == remembered.snapshot
        records = {
            (type_name, number): found.facts
            for type_name in TABLES
            for number in world["records"][type_name]
            if (found := as_of._record(registry.resource_type(type_name), number, change, remembered.moment))
        }
        assert records == remembered.records
        for type_name in TABLES:
            permission, number = f"{type_name}.{pick(VERBS)}", pick(list(world["records"][type_name]))
            found = as_of.who_could_at(operator, permission, number, remembered.moment)
            assert {decision.person_id for decision in found.decisions} == {
                person
                for person, allowed, record in remembered.allowed
                if (allowed, record) == (permission, number)
            }
            person = pick(list(world["people"]))
            reached = as_of.reached_at(operator, person, [permission], remembered.moment)
            assert reached.records[permission] == {
                record
                for who, allowed, record in remembered.allowed
                if (who, allowed) == (person, permission)
            }


def draw_change(pick: Pick, world: World) -> list[Statement]:
    """Draw one transaction that changes people, policy or records."""
    people, departments = list(world["people"]), list(world["departments"])
    roles, levels = list(world["roles"]), list(world["levels"])

    def before(numbers: list[int], number: int) -> int | None:
        return pick([None, *(other for other in numbers if other < number)])

    def person() -> Statement:
        number = pick(people)
        column, value = pick(
            [
                ("main_department_id", pick([None, *departments])),
                ("manager_id", before(people, number)),
                ("level_id", pick([None, *levels])),
                ("status", pick(["active", "suspended", "left"])),
                ("name", pick(["甲", "乙", "丙"])),
            ]
        )
        return f"UPDATE people_user SET {column} = %s WHERE id = %s", [value, number]

    def department() -> Statement:
        number = pick(departments)
        return (
            "UPDATE people_department SET parent_id = %s WHERE id = %s",
            [before(departments, number), number],
        )

    def membership() -> Statement:
        values = [pick(people), pick(departments)]
        if pick([True, False]):
            return "DELETE FROM people_membership WHERE user_id = %s OR department_id = %s", values
        return (
            "INSERT INTO people_membership (user_id, department_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            values,
        )

    def grant() -> Statement:
        type_name = pick(list(TABLES))
        values = [pick(roles), f"{type_name}.{pick(VERBS)}"]
        if pick([True, False]):
            return "DELETE FROM access_grant WHERE role_id = %s AND permission = %s", values
        return (
            "INSERT INTO access_grant (role_id, permission, scope) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [*values, pick(["everything"] if type_name in FOLLOWING else RECORD_SCOPES)],
        )

    def inheritance() -> Statement:
        role = pick(roles)
        above = [other for other in roles if other > role]
        if not above or pick([True, False]):
            return "DELETE FROM access_role_inherits WHERE role_id = %s", [role]
        return (
            "INSERT INTO access_role_inherits (role_id, inherits_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [role, pick(above)],
        )

    def gift() -> Statement:
        table, column, things = pick(
            [
                ("access_assignment", "role_id", roles),
                ("access_admission", "partition_id", world["partitions"]),
            ]
        )
        if pick([True, False, False]):
            return f"DELETE FROM {table} WHERE {column} = %s", [pick(things)]
        rights = (", can_create, can_edit, can_delete", ", true, true, false")
        more, given_rights = rights if table == "access_admission" else ("", "")
        whom = {
            "user_id": people,
            "group_id": world["groups"],
            "department_id": departments,
            "position_id": world["positions"],
            "level_id": levels,
        }
        to = pick(list(whom))
        below = to == "department_id" and pick([True, False])
        post = pick(["", "head", "assistant"]) if to == "department_id" else ""
        return (
            f"INSERT INTO {table} ({column}, {to}, below, post, reason, given_by{more})"
            f" VALUES (%s, %s, %s, %s, '', -1{given_rights})",
            [pick(things), pick(whom[to]), below, post],
        )

    def prohibition() -> Statement:
        if pick([True, False, False]):
            return "DELETE FROM access_prohibition", []
        to, things = pick([("user_id", people), ("level_id", levels), ("department_id", departments)])
        return (
            f"INSERT INTO access_prohibition (permission, {to}, reason, given_by) VALUES (%s, %s, '', -1)",
            [pick(["customer.*", "customer.edit", "opportunity.view", "contact.view"]), pick(things)],
        )

    def belonging() -> Statement:
        table, columns, values = pick(
            [
                ("people_group_member", "user_id, group_id", [pick(people), pick(world["groups"])]),
                ("people_position_holder", "user_id, position_id", [pick(people), pick(world["positions"])]),
                (
                    "people_department_post",
                    "user_id, department_id, post",
                    [pick(people), pick(departments), pick(["head", "assistant"])],
                ),
                ("people_level_includes", "level_id, includes_id", [pick([2, 3]), pick([4, 5, 6])]),
            ]
        )
        if pick([True, False, False]):
            return f"DELETE FROM {table}", []
        marks = ", ".join(["%s"] * len(values))
        return f"INSERT INTO {table} ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING", values

    def base_access() -> Statement:
        return (
            "INSERT INTO access_base_access (type, access) VALUES (%s, %s)"
            " ON CONFLICT (type) DO UPDATE SET access = EXCLUDED.access",
            [pick(INDEPENDENT), pick(["private", "public_read", "public_read_write"])],
        )

    def team() -> Statement:
        type_name = pick(INDEPENDENT)
        values = [type_name, pick(list(world["records"][type_name])), pick(people)]
        if pick([True, False, False]):
            return (
                "DELETE FROM access_team_member WHERE type = %s AND (record_id = %s OR user_id = %s)",
                values,
            )
        return (
            "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
            " VALUES (%s, %s, %s, %s, '', -1)"
            " ON CONFLICT (type, record_id, user_id) DO UPDATE SET access = EXCLUDED.access",
            [*values, pick(["read", "edit"])],
        )

    def share() -> Statement:
        type_name = pick(INDEPENDENT)
        record = [type_name, pick(list(world["records"][type_name]))]
        if pick([True, False, False]):
            return "DELETE FROM access_share WHERE type = %s AND record_id = %s", record
        if pick([True, False]):
            return (
                "UPDATE access_share SET access = %s, superiors = NOT superiors AND across_by IS NULL",
                [pick(["read", "edit"])],
            )
        if pick([True, False]):
            # Through the wall, and back behind it.
            return (
                "UPDATE access_share SET superiors = false, ends_at = now() + interval '1 day',"
                " across_by = CASE WHEN across_by IS NULL THEN -1 END WHERE user_id IS NOT NULL",
                [],
            )
        return (
            "INSERT INTO access_share (type, record_id, user_id, access, superiors, reason, given_by)"
            " VALUES (%s, %s, %s, %s, %s, '', -1)",
            [*record, pick(people), pick(["read", "edit"]), pick([True, False])],
        )

    def task() -> Statement:
        type_name = pick(INDEPENDENT)
        record = [type_name, pick(list(world["records"][type_name]))]
        if pick([True, False, False]):
            return "DELETE FROM access_task WHERE type = %s AND record_id = %s", record
        return (
            "INSERT INTO access_task (type, record_id, kind, user_id, opened_by)"
            " VALUES (%s, %s, 'test.approval', %s, -1) ON CONFLICT DO NOTHING",
            [*record, pick(people)],
        )

    def rule() -> Statement:
        if pick([True, False]):
            return "UPDATE access_rule SET access = %s, superiors = NOT (superiors OR territory)", [
                pick(["read", "edit"])
            ]
        type_name = pick(INDEPENDENT)
        condition = pick([*ATOMS[type_name], {"owner_role": pick(roles)}, {"department": pick(departments)}])
        return "UPDATE access_rule SET condition = %s WHERE type = %s", [json.dumps(condition), type_name]

    def field() -> Statement:
        type_name = pick(INDEPENDENT)
        name = pick(list(FIELDS[type_name]))
        return (
            f"UPDATE {TABLES[type_name]} SET {name} = %s WHERE id = %s",
            [pick(FIELDS[type_name][name]), pick(list(world["records"][type_name]))],
        )

    def contact() -> Statement:
        number = pick(list(world["records"]["contact"]))
        column, value = pick(
            [
                ("deleted_at", pick([None, "2026-01-01T00:00:00Z"])),
                ("decision_role", pick(["user", "buyer"])),
            ]
        )
        return f"UPDATE crm_contact SET {column} = %s WHERE id = %s", [value, number]

    def row() -> Statement:
        type_name = pick(INDEPENDENT)
        table, number = TABLES[type_name], pick(list(world["records"][type_name]))
        column, value = pick(
            [
                ("owner_id", pick([None, *people])),
                ("department_id", pick(departments)),
                ("partition_id", pick(world["partitions"])),
                ("deleted_at", pick([None, "2026-01-01T00:00:00Z"])),
                (pick(["voided_at", "locked_at"]), pick([None, "2026-01-01T00:00:00Z"])),
                ("stage", pick(["new", "lost"])),
                ("", None),
            ]
        )
        if not column:
            return f"DELETE FROM {table} WHERE id = %s", [number]
        # The pool of a partition has its number.
        if type_name == "customer" and column == "owner_id":
            return (
                "UPDATE crm_customer SET owner_id = %s, pool_id = CASE WHEN %s THEN partition_id END"
                " WHERE id = %s",
                [value, value is None, number],
            )
        if type_name == "customer" and column == "partition_id":
            return (
                "UPDATE crm_customer SET partition_id = %s,"
                " pool_id = CASE WHEN pool_id IS NOT NULL THEN %s END WHERE id = %s",
                [value, value, number],
            )
        if column == "owner_id":
            value = value or people[0]
        return f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, number]

    def pool() -> Statement:
        number = pick(list(world["pools"]))
        if pick([True, False, False]):
            return "DELETE FROM access_pool_member WHERE pool_id = %s", [number]
        if pick([True, False, False]):
            return (
                "INSERT INTO access_pool_hidden (pool_id, type, field) VALUES (%s, 'customer', 'phone')"
                " ON CONFLICT DO NOTHING",
                [number],
            )
        return (
            "INSERT INTO access_pool_member (pool_id, department_id, below, post) VALUES (%s, %s, %s, '')",
            [number, pick(departments), pick([True, False])],
        )

    kinds = [person, person, department, membership, grant, inheritance, gift, gift, belonging, belonging]
    kinds += [
        prohibition,
        base_access,
        team,
        team,
        share,
        share,
        task,
        task,
        rule,
        rule,
        field,
        field,
        contact,
        *([row] * 7),
        pool,
    ]
    return [pick(kinds)() for _n in range(pick([1, 1, 1, 2, 3]))]


def compare_many(owner: psycopg.Connection, companies: int) -> int:
    """Let generated companies change at random and compare; return how many moments of theirs were compared."""
    now = clock.now()
    compared = 0

    def draw(data: st.DataObject) -> tuple[st.DataObject, World]:
        return data, data.draw(organisations(now))

    def look(drawn: tuple[st.DataObject, World]) -> None:
        nonlocal compared
        data, world = drawn

        def pick(choices: Sequence[Any]) -> Any:
            return data.draw(st.sampled_from(choices))

        store(owner, world)
        remembered = [remember(owner, now)]
        for _n in range(CHANGES):
            statements = draw_change(pick, world)
            with owner.transaction():
                for statement, values in statements:
                    owner.execute(statement, values)
            remembered.append(remember(owner, now))
        for each in remembered:
            compare(each, world, now, pick)
            compared += 1

    generated.each(range(companies), draw, look, Phase.generate, seed=generated.COMPANIES)
    return compared


def test_the_past_decides_as_the_present_did(committed, owner_connection):
    compared = compare_many(owner_connection, COMPANIES)
    assert compared >= COMPANIES * CHANGES


@pytest.mark.parametrize(
    "broken",
    [
        # A change that leaves no past, one that ends too late, a record that forgets whose it was.
        "ALTER TABLE access_grant DISABLE TRIGGER keep_history",
        "CREATE OR REPLACE FUNCTION hufu.next_change() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "ALTER TABLE crm_customer DISABLE TRIGGER keep_history",
    ],
)
def test_a_past_that_is_not_kept_is_noticed(committed, owner_connection, broken):
    owner_connection.execute(broken)
    with pytest.raises((AssertionError, psycopg.Error)):
        # It ends with the first difference.
        compare_many(owner_connection, 5 * COMPANIES)
