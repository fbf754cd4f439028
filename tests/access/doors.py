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
from django.db.models import QuerySet

from hufu.access import guard, lists, queries, registry
from hufu.access.decision.snapshot import Given, ShareFacts, Snapshot
from hufu.access.decision.states import State, StateFacts
from hufu.access.decision.terms import RecordFacts, Share
from hufu.access.reach import SHARE_OF
from hufu.core.actor import Actor, Ceiling, Context
from hufu.core.prepared import prepared
from hufu.core.transaction import acting
from hufu.crm import queries as crm_queries
from hufu.crm.actions.common import may_own
from tests.access import reference
from tests.access.field_doors import differences
from tests.access.record_states import STATE_VERBS
from tests.access.world import (
    FOLLOWING,
    INDEPENDENT,
    LONG_AGO,
    POOLED,
    REASONS,
    STATES,
    TABLES,
    World,
    address,
    blank,
    state_values,
    told,
)

VERBS = ("view", "edit", "delete", "restore", "transfer", "void", "lock", "claim")
STATE_OF = {"void": State.VOID, "locked": State.LOCKED, "pending": State.PENDING}
Answers = dict[str, set[int]]


class Difference(AssertionError):
    """Two doors answer differently."""


class _Undo(Exception):
    pass


def compare(
    owner: psycopg.Connection,
    world: World,
    attempts: list[Any],
    now: datetime,
) -> list[tuple[bool, str]]:
    """Ask every door for every person, verb and type; raise Difference where two disagree.

    Return each decision as (allowed, which kind), to show that the comparison was not empty.
    """
    with acting(Actor.operator()):
        whole_policy = queries.snapshot()
    seen: list[tuple[bool, str]] = []
    may: dict[tuple[str, int], set[int]] = {}
    # Who may is asked of everybody: their gates are not evaluated.
    ungated = {**world, "gates": {}, "quotas": {}, "ceilings": {}}
    for person in world["people"]:
        for type_name, verb in permissions():
            for number, record in world["records"][type_name].items():
                if reference.allowed(ungated, now, person, verb, type_name, record):
                    may.setdefault((f"{type_name}.{verb}", number), set()).add(person)
    for person in world["people"]:
        with acting(_actor(world, person)):
            snapshots = {"explanation": whole_policy}
            if world["people"][person]["active"] and not reference.is_shut_out(world, person):
                snapshots["explanation from their own snapshot"] = queries.snapshot()
            for type_name, verb in permissions():
                answers = _existing(owner, world, snapshots, now, person, verb, type_name)
                _same(world, answers, f"{type_name}.{verb}", f"person {person}")
                whole = len(world["records"][type_name])
                covered = len(answers["reference"])
                seen += [(True, verb)] * covered + [(False, verb)] * (whole - covered)
            if len(snapshots) > 1:
                _compare_fields(world, snapshots, now, person)
            for attempt in (attempt for attempt in attempts if attempt[0] == person):
                add = _add if attempt[1] in FOLLOWING else _create
                seen.append((add(world, now, attempt), "create"))
    _compare_who(world, whole_policy, may)
    return seen


def _actor(world: World, person: int) -> Actor:
    said = world["ceilings"].get(person)
    sets = {name: None if of is None else frozenset(of) for name, of in (said or {}).items()}
    ceiling = Ceiling("令牌", **sets) if said else None
    return Actor(person, f"员工{person}", Context(address=address(world["open"][person])), ceiling)


def permissions() -> list[tuple[str, str]]:
    """Return the types and verbs that are asked about."""
    return [
        (type_name, verb)
        for type_name in TABLES
        for verb in VERBS
        if registry.resource_type(type_name).has(verb)
        and (verb not in STATE_VERBS.values() or STATE_VERBS[type_name] == verb)
    ]


def _compare_fields(world: World, snapshots: dict[str, Snapshot], now: datetime, person: int) -> None:
    """Compare what somebody may do with the fields of the records that they view."""
    for type_name in TABLES:
        records = world["records"][type_name]
        viewed = {
            n for n, x in records.items() if reference.allowed(world, now, person, "view", type_name, x)
        }
        unread = {number: _unread(world, type_name, number, records[number]) for number in viewed}
        facts = {number: _facts(world, type_name, records[number]) for number in viewed}
        if found := differences(world, now, _actor(world, person), snapshots, type_name, unread, facts):
            raise Difference("\n".join([*found, told(world)]))


def _compare_who(world: World, snapshot: Snapshot, may: dict[tuple[str, int], set[int]]) -> None:
    """Turn the question round: who may use each permission on each record, by explanation and from reach."""
    operator = Actor.operator()
    with acting(operator):
        for type_name, verb in permissions():
            permission = f"{type_name}.{verb}"
            for number, record in world["records"][type_name].items():
                decisions = queries.who_can(snapshot, permission, _facts(world, type_name, record))
                answers = {
                    "reference": may.get((permission, number), set()),
                    "who-can": {decision.person_id for decision in decisions},
                }
                if type_name in INDEPENDENT:
                    found = queries.who_may(operator, permission, number)
                    answers["who_… in the database"] = set(found)
                    because = {decision.person_id: decision.covers[-1].because for decision in decisions}
                    if because != found:
                        raise Difference(
                            f"{permission} {number}: scopes {because} explained, {found} found\n{told(world)}"
                        )
                _same(world, answers, permission, f"record {number}")


def _existing(
    owner: psycopg.Connection,
    world: World,
    snapshots: dict[str, Snapshot],
    now: datetime,
    person: int,
    verb: str,
    type_name: str,
) -> Answers:
    actor, permission = _actor(world, person), f"{type_name}.{verb}"
    closed = frozenset(world["gates"]) - frozenset(world["open"][person])
    # Whoever a quota binds is the explanation's own question.
    closed |= {-number for number in world["used_up"][person]}
    records = world["records"][type_name]
    of_bin = verb == "restore"
    table = TABLES[type_name]

    def those(decide: Callable[[int, dict[str, Any]], bool]) -> set[int]:
        return {number for number, record in records.items() if decide(number, record)}

    def point(number: int, record: dict[str, Any]) -> bool:
        return guard.may(actor, permission, _unread(world, type_name, number, record))

    def explained(snapshot: Snapshot) -> set[int]:
        return those(
            lambda _n, x: (
                queries.explain(
                    snapshot, person, permission, _facts(world, type_name, x), closed, actor.ceiling
                ).allowed
            )
        )

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
    if verb in ("view", "restore"):
        state = "IS NOT NULL" if of_bin else "IS NULL"
        answers["row policy (SELECT)"] = _fetched(f"SELECT id FROM {table} WHERE deleted_at {state}")
    if verb == "view" and type_name in INDEPENDENT:
        in_order = list(listed.order_by("-updated_at", "-pk").values_list("pk", "updated_at"))
        for way in lists.Way:
            answers[f"page by {way}"] = _paged(actor, type_name, way, in_order)
            _compare_search(actor, type_name, way, listed)
    if verb == "edit":
        answers["row policy (UPDATE)"] = _updated(table)
    counted = crm_queries.count(actor, permission)
    if counted != len(answers["list"]):
        raise Difference(
            f"{permission} of {person}: {counted} counted, {len(answers['list'])} listed\n{told(world)}"
        )
    if verb == "view" and type_name in INDEPENDENT:
        _compare_count(world, actor, type_name, answers["list"])
    return answers


def _compare_count(world: World, actor: Actor, type_name: str, listed: set[int]) -> None:
    """Compare what is counted by cells with what a list shows."""
    resource = registry.resource_type(type_name)
    records = world["records"][type_name]
    shown = {number for number in listed if "void" not in records[number]["states"]}
    counted = crm_queries.count_records(actor, resource)
    if counted != len(shown):
        raise Difference(
            f"{type_name}.view of {actor.user_id}: {counted} counted, {len(shown)} listed and not void\n{told(world)}"
        )


def _compare_search(actor: Actor, type_name: str, way: lists.Way, listed: QuerySet[Any]) -> None:
    """Compare what a search for a part of a name finds in one way with the names that are listed."""
    newest = lists.Order("updated_at", descending=True)
    names = dict(listed.order_by("-updated_at", "-pk").values_list("pk", "name"))
    for part in {name[-2:] for name in names.values()} | {"查无"}:
        found = lists.page(
            actor,
            registry.resource_type(type_name),
            newest,
            None,
            {lists.SEARCH: [[[("contains", "name", part)]]]},
            1_000,
            way,
        )
        if found != [number for number, name in names.items() if part in name]:
            raise Difference(f"{type_name}s of {actor.user_id} with “{part}” by {way}: {found} of {names}")


def _paged(actor: Actor, type_name: str, way: lists.Way, in_order: list[tuple[int, datetime]]) -> set[int]:
    """Return what is listed in one way; raise Difference where its order, or the page after a place, is another."""
    resource, newest = registry.resource_type(type_name), lists.Order("updated_at", descending=True)
    numbers = lists.page(actor, resource, newest, None, {}, 1_000, way)
    expected = [number for number, _at in in_order]
    if set(numbers) == set(expected) and numbers != expected:
        raise Difference(f"{type_name}s of {actor.user_id} by {way}: {numbers}, not in the order {expected}")
    if len(in_order) > 1 and numbers == expected:
        number, at = in_order[0]
        second = lists.page(actor, resource, newest, (at, number), {}, 2, way)
        if second != expected[1:3]:
            raise Difference(
                f"{type_name}s of {actor.user_id} by {way}: {second} after {number}, of {expected}"
            )
    return set(numbers)


def _create(world: World, now: datetime, attempt: tuple[int, str, int, int, int]) -> bool:
    person, type_name, partition, owner_id, department = attempt
    actor, resource = _actor(world, person), registry.resource_type(type_name)
    expected = reference.may_create(world, now, person, type_name, partition=partition, owner=owner_id)
    guarded = guard.may_create(actor, resource, partition_id=partition, owner_id=owner_id) and may_own(
        {(owner_id, partition)}
    )
    in_main = world["people"][owner_id]["main"] == department
    place = {"partition_id": partition, "owner_id": owner_id, "department_id": department, "stage": "won"}
    inserted = _inserted(TABLES[type_name], type_name, place)
    if guarded != expected or inserted != (expected and in_main):
        raise Difference(
            f"{type_name}.create by {person} for {owner_id} in partition {partition}, department {department}:"
            f" reference {expected}, guard {guarded}, row policy {inserted}\n{told(world)}"
        )
    return expected


def _add(world: World, now: datetime, attempt: tuple[int, str, int]) -> bool:
    person, type_name, number = attempt
    actor, resource, kind = _actor(world, person), registry.resource_type(type_name), FOLLOWING[type_name]
    expected = reference.may_add(world, now, person, type_name, number)
    record = world["records"][kind][number]
    guarded = guard.may_add_to(actor, resource, _unread(world, kind, number, record))
    values = {"partition_id": record["partition"], f"{kind}_id": number}
    inserted = _inserted(TABLES[type_name], type_name, values)
    if guarded != expected or inserted != expected:
        raise Difference(
            f"{type_name}.create by {person} for {kind} {number}: reference {expected}, guard {guarded},"
            f" row policy {inserted}\n{told(world)}"
        )
    return expected


def _same(world: World, answers: Answers, permission: str, about: str) -> None:
    if len({frozenset(ids) for ids in answers.values()}) == 1:
        return
    lines = [f"    {door:<40} {sorted(ids)}" for door, ids in answers.items()]
    raise Difference("\n".join([f"{permission} of {about}:", *lines, told(world)]))


def _unread(world: World, type_name: str, number: int, record: dict[str, Any]) -> Any:
    """Return the record as an object that was not read from the database."""
    model = registry.resource_type(type_name).model_class
    gone = LONG_AGO if record["deleted"] else None
    if kind := FOLLOWING.get(type_name):
        parent = _unread(world, kind, record[kind], world["records"][kind][record[kind]])
        return model(id=number, partition_id=parent.partition_id, deleted_at=gone, **{kind: parent})
    return model(
        id=number,
        partition_id=record["partition"],
        owner_id=record["owner"],
        department_id=record["department"],
        deleted_at=gone,
        stage="won",
        **({"pool_id": record["pool"]} if type_name in POOLED else {}),
        **record["fields"],
        **dict(zip(STATES, state_values(record), strict=True)),
    )


def _facts(world: World, type_name: str, record: dict[str, Any]) -> RecordFacts:
    if kind := FOLLOWING.get(type_name):
        parent = _facts(world, kind, world["records"][kind][record[kind]])
        return RecordFacts(parent.partition_id, deleted=record["deleted"], parent=parent)
    team = {member: SHARE_OF[access] for member, access in record["team"].items()}
    shares = (
        *(_share(number, share) for number, share in enumerate(record["shares"])),
        *(
            ShareFacts(Given(0, user_id=user), Share.READ, -1, task="test.approval")
            for user in record["tasks"]
        ),
    )
    return RecordFacts(
        record["partition"],
        record["owner"],
        record["department"],
        record["deleted"],
        team=team,
        shares=shares,
        pool_id=record["pool"],
        values={**record["fields"], "stage": "won", "amount.currency": record["fields"].get("currency")},
        states=tuple(StateFacts(STATE_OF[state], LONG_AGO, -1) for state in record["states"]),
    )


def _share(number: int, share: dict[str, Any]) -> ShareFacts:
    to = {
        f"{kind}_id" if kind not in ("below", "post") else kind: thing for kind, thing in share["to"].items()
    }
    given = Given(number, **to, starts_at=share["starts"], ends_at=share["ends"])
    across_by = -1 if share.get("across") else None
    return ShareFacts(given, SHARE_OF[share["access"]], share["by"], share["superiors"], across_by=across_by)


def _as_owner(owner: psycopg.Connection, rows: Any) -> set[int]:
    try:
        sql, values = rows.values_list("pk").query.sql_with_params()
    except EmptyResultSet:
        return set()
    return {row[0] for row in owner.execute(sql, values)}


def _fetched(sql: str, values: list[Any] | None = None) -> set[int]:
    with prepared(), connection.cursor() as cursor:
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


def _inserted(table: str, type_name: str, place: dict[str, Any]) -> bool:
    row: dict[str, Any] = {
        **dict.fromkeys(blank(type_name), ""),
        **({"pending_tasks": 0, **dict.fromkeys(REASONS, "")} if type_name in INDEPENDENT else {}),
        **place,
        **{"id": 999_999, "lock_version": 1},
        **{"name": "新", "name_sort": "xin", "name_initials": "x"},
    }
    marks = ", ".join(["%s"] * len(row))
    sql = (
        f"INSERT INTO {table} ({', '.join(row)}, created_by_id, updated_by_id, created_at, updated_at)"
        f" VALUES ({marks}, hufu.actor(), hufu.actor(), now(), now())"
    )
    try:
        with transaction.atomic(), prepared(), connection.cursor() as cursor:
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
