"""Every way in which the product decides about records, asked one by one and as bare as possible.

Half one is asked without half two behind it (the list's query runs as the owner of the tables, whom row policies do
not bind; the point check gets records that it did not read), and half two without half one (plain SQL).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import IntegrityError, ProgrammingError, connection, transaction

from hufu.access import guard, queries, registry
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import queries as crm_queries
from hufu.crm.actions.common import may_own
from tests.access import reference
from tests.access.world import TABLES, World, told

VERBS = ("view", "edit", "delete", "transfer")
Answers = dict[str, set[int]]


class Difference(AssertionError):
    """Two doors answer differently."""


class _Undo(Exception):
    pass


def compare(
    owner: psycopg.Connection, world: World, attempts: list[Any], now: datetime
) -> list[tuple[bool, str]]:
    """Ask every door for every person, verb and type; raise Difference where two disagree.

    Return each decision as (allowed, which kind), to show that the comparison was not empty.
    """
    with acting(Actor.operator()):
        whole_policy = queries.snapshot()
    seen: list[tuple[bool, str]] = []
    for person in world["people"]:
        with acting(Actor(person, f"员工{person}")):
            snapshots = {"explanation": whole_policy}
            if world["people"][person]["active"]:
                snapshots["explanation from their own snapshot"] = queries.snapshot()
            for type_name in TABLES:
                for verb in VERBS:
                    answers = _existing(owner, world, snapshots, now, person, verb, type_name)
                    _same(world, answers, f"{type_name}.{verb}", person)
                    whole = len(world["records"][type_name])
                    covered = len(answers["reference"])
                    seen += [(True, verb)] * covered + [(False, verb)] * (whole - covered)
            for attempt in (attempt for attempt in attempts if attempt[0] == person):
                seen.append((_create(world, now, attempt), "create"))
    return seen


def _existing(
    owner: psycopg.Connection,
    world: World,
    snapshots: dict[str, Snapshot],
    now: datetime,
    person: int,
    verb: str,
    type_name: str,
) -> Answers:
    actor, permission = Actor(person, f"员工{person}"), f"{type_name}.{verb}"
    resource, records = registry.resource_type(type_name), world["records"][type_name]
    table = TABLES[type_name]

    def those(decide: Callable[[int, dict[str, Any]], bool]) -> set[int]:
        return {number for number, record in records.items() if decide(number, record)}

    def point(number: int, record: dict[str, Any]) -> bool:
        return guard.may(actor, permission, resource.model_class(id=number, **_columns(record)))

    def explained(snapshot: Snapshot) -> set[int]:
        return those(lambda _n, x: queries.explain(snapshot, person, permission, _facts(x)).allowed)

    listed = guard.scope(actor, permission)
    answers = {
        "reference": those(lambda _n, x: reference.allowed(world, now, person, verb, type_name, x)),
        "list (half one alone)": _as_owner(owner, listed),
        "list": set(listed.values_list("pk", flat=True)),
        "point check": those(point),
        **{door: explained(snapshot) for door, snapshot in snapshots.items()},
        "covers_… in the database": _fetched(
            f"SELECT id FROM unnest(%s::bigint[]) id WHERE hufu.covers_{table}(%s, id)",
            [list(records), permission],
        ),
    }
    if verb == "view":
        answers["row policy (SELECT)"] = _fetched(f"SELECT id FROM {table}")
    if verb == "edit":
        answers["row policy (UPDATE)"] = _updated(table)
    counted = crm_queries.count(actor, permission)
    if counted != len(answers["list"]):
        raise Difference(
            f"{permission} of {person}: {counted} counted, {len(answers['list'])} listed\n{told(world)}"
        )
    return answers


def _create(world: World, now: datetime, attempt: tuple[int, str, int, int, int]) -> bool:
    person, type_name, partition, owner_id, department = attempt
    actor, resource = Actor(person, f"员工{person}"), registry.resource_type(type_name)
    expected = reference.may_create(world, now, person, type_name, partition=partition, owner=owner_id)
    guarded = guard.may_create(actor, resource, partition_id=partition, owner_id=owner_id) and may_own(
        {(owner_id, partition)}
    )
    in_main = world["people"][owner_id]["main"] == department
    inserted = _inserted(TABLES[type_name], partition, owner_id, department)
    if guarded != expected or inserted != (expected and in_main):
        raise Difference(
            f"{type_name}.create by {person} for {owner_id} in partition {partition}, department {department}:"
            f" reference {expected}, guard {guarded}, row policy {inserted}\n{told(world)}"
        )
    return expected


def _same(world: World, answers: Answers, permission: str, person: int) -> None:
    if len({frozenset(ids) for ids in answers.values()}) == 1:
        return
    lines = [f"    {door:<40} {sorted(ids)}" for door, ids in answers.items()]
    raise Difference("\n".join([f"{permission} of person {person}:", *lines, told(world)]))


def _columns(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "partition_id": record["partition"],
        "owner_id": record["owner"],
        "department_id": record["department"],
        "deleted_at": datetime(2026, 1, 1).astimezone() if record["deleted"] else None,
    }


def _facts(record: dict[str, Any]) -> RecordFacts:
    return RecordFacts(record["partition"], record["owner"], record["department"], record["deleted"])


def _as_owner(owner: psycopg.Connection, rows: Any) -> set[int]:
    try:
        sql, values = rows.values_list("pk").query.sql_with_params()
    except EmptyResultSet:
        return set()
    return {row[0] for row in owner.execute(sql, values)}


def _fetched(sql: str, values: list[Any] | None = None) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {row[0] for row in cursor.fetchall()}


def _updated(table: str) -> set[int]:
    ids: set[int] = set()
    try:
        with transaction.atomic():
            ids = _fetched(f"UPDATE {table} SET updated_by_id = hufu.actor() RETURNING id")
            raise _Undo
    except _Undo:
        return ids


def _inserted(table: str, partition: int, owner_id: int, department: int) -> bool:
    values = {"partition_id": partition, "owner_id": owner_id, "department_id": department}
    texts = {
        "crm_customer": "customer_level industry source region code phone website address parent_company note",
        "crm_opportunity": "product currency note",
    }
    row: dict[str, Any] = {
        **dict.fromkeys(texts[table].split(), ""),
        **values,
        **{"id": 999_999, "lock_version": 1},
        **{"name": "新", "name_sort": "xin", "name_initials": "x", "stage": "won"},
    }
    marks = ", ".join(["%s"] * len(row))
    sql = (
        f"INSERT INTO {table} ({', '.join(row)}, created_by_id, updated_by_id, created_at, updated_at)"
        f" VALUES ({marks}, hufu.actor(), hufu.actor(), now(), now())"
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, list(row.values()))
            raise _Undo
    except _Undo:
        return True
    except IntegrityError as error:
        raise Difference(f"the attempt itself is wrong: {error}") from error
    except ProgrammingError as error:
        if "row-level security" not in str(error):
            raise
        return False
