"""A whole small company as plain values: what generated organisations, the reference and the database share.

A world is a dict. Principals are `{"user": 3}`, `{"group": 1}`, `{"position": 1}`, `{"level": 1}`,
`{"department": 2, "below": True}` or `{"department": 2, "post": "head", "below": False}`; `starts` and `ends` are
moments or None. `states` names what closes a record, `tasks` who has a pending task about it. Contacts have a customer
and no owner; `team` maps members to `read` or `edit`, `shares` lists gifts with `access`, `superiors` and `by` (and
`across`, where it was let through the wall).
Conditions of rules are as the database keeps them (decision.conditions); a record lies there from the beginning with
its fields, or (those with even numbers) gets them afterwards. `delegations` lists who lends what `to` whom: `from`,
`to`, `permissions`, and a term.
`glass_rules` says what holders of a `role` may open (`types`, `partitions`, `access`), `glass` who opened it and when.

    {"departments": {1: {"parent": None, "head": 3, "assistants": [4]}, …},
     "levels": {1: {"ladder": 1, "rank": 1, "includes": [4]}, …},
     "people": {1: {"active": True, "main": 1, "others": [2], "manager": None, "level": 1,
                    "groups": [1], "positions": []}, …},
     "groups": [1, 2], "positions": [1, 2], "partitions": [1, 2],
     "base_access": {"customer": "public_read"},
     "roles": {1: {"inherits": [2], "grants": [("customer.view", "own")],
                   "fields": [("customer", "phone", "editable", "masked")]}, …},
     "assignments": [{"role": 1, "to": principal, "starts": None, "ends": None}, …],
     "admissions": [{"partition": 1, "rights": ["edit"], "to": principal, "starts": None, "ends": None}, …],
     "rules": {1: {"type": "customer", "access": "read", "condition": {…}, "superiors": False, "territory": False,
                   "parent": None, "to": [principal], "starts": None, "ends": None}, …},
     "pools": {1: {"type": "customer", "partition": 1, "to": [principal], "hides": [("customer", "phone")]}, …},
     "prohibitions": [{"permission": "customer.*", "to": principal, "starts": None, "ends": None}, …],
     "records": {"customer": {1: {"partition": 1, "owner": 1, "department": 1, "deleted": False, "team": {2: "edit"},
                                   "fields": {"industry": "medical"},
                                   "pool": None,
                                   "shares": [{"to": principal, "access": "read", "superiors": False, "by": 1,
                                               "starts": None, "ends": None}]}, …},
                 "opportunity": {…}, "contact": {1: {"customer": 1, "deleted": False}, …}}}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from hufu.access import registry

World = dict[str, Any]

# All that is declared, with a type that only tests have as well (tests.added_type).
TABLES = {resource.name: resource.table for resource in registry.resource_types()}
FOLLOWING = {
    resource.name: resource.parent
    for resource in registry.resource_types()
    if resource.parent_type is not None
}
INDEPENDENT = tuple(name for name in TABLES if name not in FOLLOWING)
POOLED = tuple(name for name in TABLES if registry.resource_type(name).pooled)
LONG_AGO = datetime(2026, 1, 1).astimezone()

# In the order in which they can be emptied.
_EMPTIED = (
    *("access_break_glass_review", "access_break_glass_use", "access_break_glass"),
    "access_rule_to",
    "access_rule",
    "access_pool_hidden",
    "access_pool_member",
    "access_prohibition",
    "access_quota",
    "access_delegation",
    "access_gate_use",
    "access_gate",
    "access_team_member",
    "access_share",
    "access_task",
    *reversed(TABLES.values()),
    "access_pool",
    "access_admission",
    "access_assignment",
    "access_grant",
    "access_field_rule",
    "access_role_inherits",
    "access_role",
    "access_base_access",
    "access_partition",
    "people_department_post",
    "people_position_holder",
    "people_position",
    "people_group_member",
    "people_group",
    "people_membership",
    "people_user",
    "people_level_includes",
    "people_level",
    "people_ladder",
    "people_department",
)


def store(owner: psycopg.Connection, world: World) -> None:
    """Replace what the database holds by this world, in one transaction, as the owner of the tables."""
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute("UPDATE people_user SET manager_id = NULL")
        cursor.execute("UPDATE access_rule SET parent_id = NULL")
        for table in _EMPTIED:
            cursor.execute(f"DELETE FROM {table}")
        for table, columns, rows in _rows(world):
            if rows:
                values = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)
    with owner.transaction():
        for type_name in INDEPENDENT:
            for number, record in world["records"][type_name].items():
                if (fields := record.get("fields")) and number % 2 == 0:
                    assigned = ", ".join(f"{name} = %s" for name in fields)
                    owner.execute(
                        f"UPDATE {TABLES[type_name]} SET {assigned} WHERE id = %s", [*fields.values(), number]
                    )


def _rows(world: World) -> Iterable[tuple[str, list[str], list[tuple[Any, ...]]]]:
    yield (
        "people_department",
        ["id", "name", "code", "parent_id"],
        [(n, f"部门{n}", f"d{n}", department["parent"]) for n, department in world["departments"].items()],
    )
    ladders = {level["ladder"] for level in world["levels"].values()}
    yield "people_ladder", ["id", "key", "name"], [(n, f"l{n}", f"序列{n}") for n in ladders]
    yield (
        "people_level",
        ["id", "ladder_id", "key", "name", "rank"],
        [(n, x["ladder"], f"v{n}", f"级别{n}", x["rank"]) for n, x in world["levels"].items()],
    )
    yield (
        "people_user",
        [
            *("id", "username", "password", "name", "name_sort", "email", "title", "language"),
            *("status", "main_department_id", "manager_id", "level_id"),
        ],
        [
            (
                *(n, f"u{n}", "!", f"员工{n}", f"u{n}", "", "", ""),
                *("active" if x["active"] else "suspended", x["main"], x["manager"], x["level"]),
            )
            for n, x in world["people"].items()
        ],
    )
    yield (
        "people_level_includes",
        ["level_id", "includes_id"],
        [(n, other) for n, x in world["levels"].items() for other in x["includes"]],
    )
    for kind, of, members in (
        ("group", "groups", "group_member"),
        ("position", "positions", "position_holder"),
    ):
        yield f"people_{kind}", ["id", "key", "name"], [(n, f"k{n}", f"{kind}{n}") for n in world[of]]
        yield (
            f"people_{members}",
            [f"{kind}_id", "user_id"],
            [(other, n) for n, x in world["people"].items() for other in x[of]],
        )
    yield (
        "people_department_post",
        ["department_id", "post", "user_id"],
        [
            (n, post, user)
            for n, x in world["departments"].items()
            for post, users in (("head", [x["head"]]), ("assistant", x["assistants"]))
            for user in users
            if user is not None
        ],
    )
    yield "access_base_access", ["type", "access"], list(world["base_access"].items())
    yield (
        "people_membership",
        ["user_id", "department_id"],
        [(n, other) for n, x in world["people"].items() for other in x["others"]],
    )
    yield "access_partition", ["id", "key", "name"], [(n, f"p{n}", f"分区{n}") for n in world["partitions"]]
    yield (
        "access_role",
        ["id", "key", "name", "description", "administrator"],
        [(n, f"r{n}", f"角色{n}", "", "") for n in world["roles"]],
    )
    yield (
        "access_role_inherits",
        ["role_id", "inherits_id"],
        [(n, other) for n, x in world["roles"].items() for other in x["inherits"]],
    )
    yield (
        "access_grant",
        ["role_id", "permission", "scope"],
        [(n, *grant) for n, x in world["roles"].items() for grant in x["grants"]],
    )
    principal = ["user_id", "group_id", "department_id", "below", "post", "position_id", "level_id"]
    given = [*principal, "starts_at", "ends_at", "reason", "given_by"]
    yield (
        "access_field_rule",
        ["role_id", "type", "field", "mine", "others", "export"],
        [(n, *rule, True) for n, x in world["roles"].items() for rule in x.get("fields", ())],
    )
    yield (
        "access_assignment",
        ["role_id", *given],
        [(x["role"], *_given(x)) for x in world["assignments"]],
    )
    yield (
        "access_admission",
        ["partition_id", "can_create", "can_edit", "can_delete", *given],
        [
            (x["partition"], *(right in x["rights"] for right in ("create", "edit", "delete")), *_given(x))
            for x in world["admissions"]
        ],
    )
    yield (
        "access_prohibition",
        ["permission", *given],
        [(x["permission"], *_given(x)) for x in world.get("prohibitions", [])],
    )
    yield (
        "access_delegation",
        ["delegator_id", "user_id", "permissions", "starts_at", "ends_at", "reason"],
        [
            (x["from"], x["to"], x["permissions"], x["starts"], x["ends"], "")
            for x in world.get("delegations", ())
        ],
    )
    yield (
        "access_break_glass",
        ["id", "key", "name", "role_id", "types", "partitions", "access", "minutes"],
        [
            (n, f"e{n}", f"紧急{n}", x["role"], x["types"], x["partitions"], x["access"], 60)
            for n, x in world.get("glass_rules", {}).items()
        ],
    )
    yield (
        "access_break_glass_use",
        ["user_id", "rule_id", "starts_at", "ends_at", "reason"],
        [(x["user"], x["rule"], x["starts"], x["ends"], "x") for x in world.get("glass", ())],
    )
    gates = world.get("gates", {})
    yield (
        "access_gate",
        ["id", "key", "name", "conditions"],
        [(n, f"g{n}", f"限制{n}", json.dumps({"networks": _open_from(n)})) for n in gates],
    )
    yield (
        "access_gate_use",
        ["gate_id", "sign_in", "permission", "sensitivity", "role_id", *principal],
        [
            use
            for n, x in gates.items()
            for use in (
                *([(n, True, "", "", None, *_to({}))] if x["sign_in"] else []),
                *((n, False, permission, "", None, *_to({})) for permission in x["permissions"]),
                *((n, False, "", mark, None, *_to({})) for mark in x.get("sensitivities", ())),
                *((n, False, "", "", role, *_to({})) for role in x["roles"]),
                *((n, False, "", "", None, *_to(to)) for to in x["principals"]),
            )
        ],
    )
    quotas = world.get("quotas", {})
    yield (
        "access_quota",
        ["id", "key", "name", "counts", "per_day", "zone", "warn_at", *principal],
        [
            (n, f"q{n}", f"配额{n}", x["counts"], 5, "Asia/Shanghai", 80, *_to(x["to"] or {}))
            for n, x in quotas.items()
        ],
    )
    # Whoever it binds or not: what somebody used closes nothing that does not bind them.
    yield (
        "access_quota_used",
        ["user_id", "quota_id", "span", "begins", "used"],
        [
            (person, n, "day", _midnight(), 5 if n in world["used_up"][person] else 4)
            for n in quotas
            for person in world["people"]
        ],
    )
    rules = world.get("rules", {})
    yield (
        "access_rule",
        ["id", "key", "name", "type", "access", "condition", *_RULE],
        [
            (
                *(n, f"s{n}", f"共享{n}", x["type"], x["access"], json.dumps(x["condition"])),
                *(x["superiors"], x["territory"], x["parent"], x["starts"], x["ends"]),
            )
            for n, x in rules.items()
        ],
    )
    yield (
        "access_rule_to",
        ["rule_id", *principal],
        [(n, *_to(to)) for n, x in rules.items() for to in x["to"]],
    )
    pools = world.get("pools", {})
    yield (
        "access_pool",
        ["id", "key", "name", "type", "partition_id"],
        [(n, f"k{n}", f"公海{n}", x["type"], x["partition"]) for n, x in pools.items()],
    )
    yield (
        "access_pool_member",
        ["pool_id", *principal],
        [(n, *_to(to)) for n, x in pools.items() for to in x["to"]],
    )
    yield (
        "access_pool_hidden",
        ["pool_id", "type", "field"],
        [(n, *about) for n, x in pools.items() for about in x["hides"]],
    )
    for type_name in INDEPENDENT:
        yield (
            TABLES[type_name],
            [
                *("partition_id", "owner_id", "department_id", "stage", *STATES, *REASONS),
                *(["pool_id"] if type_name in POOLED else []),
                *(*_COMMON, *blank(type_name), *_nullable(type_name)),
            ],
            [
                (
                    *(x["partition"], x["owner"], x["department"], "won", *state_values(x)[:-1], 0, "", ""),
                    *([x["pool"]] if type_name in POOLED else []),
                    *_common(n, x),
                    *_fields(type_name, x["fields"] if n % 2 else {}),
                )
                for n, x in world["records"][type_name].items()
            ],
        )
    for type_name, parent in FOLLOWING.items():
        parents = world["records"][parent]
        yield (
            TABLES[type_name],
            ["partition_id", f"{parent}_id", *_COMMON, *blank(type_name)],
            [
                (parents[x[parent]]["partition"], x[parent], *_common(n, x), *_empty(type_name))
                for n, x in world["records"][type_name].items()
            ],
        )
    yield (
        "access_team_member",
        ["type", "record_id", "user_id", "access", "role", "added_by"],
        [
            (type_name, n, user, access, "", -1)
            for type_name in INDEPENDENT
            for n, x in world["records"][type_name].items()
            for user, access in x["team"].items()
        ],
    )
    # Each holds its record: that is counted by the database.
    yield (
        "access_task",
        ["type", "record_id", "kind", "user_id", "opened_by"],
        [
            (type_name, n, "test.approval", user, -1)
            for type_name in INDEPENDENT
            for n, x in world["records"][type_name].items()
            for user in x.get("tasks", ())
        ],
    )
    yield (
        "access_share",
        [
            "type",
            "record_id",
            "access",
            "superiors",
            *principal,
            "starts_at",
            "ends_at",
            "reason",
            "given_by",
            "across_by",
        ],
        [
            (
                *(type_name, n, share["access"], share["superiors"], *_given(share)[:-1], share["by"]),
                -1 if share.get("across") else None,
            )
            for type_name in INDEPENDENT
            for n, x in world["records"][type_name].items()
            for share in x["shares"]
        ],
    )


_RULE = ("superiors", "territory", "parent_id", "starts_at", "ends_at")
STATES = ("voided_at", "voided_by_id", "locked_at", "locked_by_id", "pending_tasks")
REASONS = ("void_reason", "lock_reason")


def state_values(record: dict[str, Any]) -> tuple[Any, ...]:
    def since(state: str) -> tuple[Any, ...]:
        return (LONG_AGO, -1) if state in record["states"] else (None, None)

    return (*since("void"), *since("locked"), len(record.get("tasks", ())))


_COMMON = (
    *(
        "id",
        "deleted_at",
        "created_by_id",
        "updated_by_id",
        "lock_version",
        "name",
        "name_sort",
        "name_initials",
    ),
    *("created_at", "updated_at"),
)


def _common(number: int, record: dict[str, Any]) -> tuple[Any, ...]:
    gone = LONG_AGO if record["deleted"] else None
    return (number, gone, -1, -1, 1, f"记录{number}", f"jilu{number}", "jl", LONG_AGO, LONG_AGO)


def blank(type_name: str) -> tuple[str, ...]:
    """Return the columns of a record that are empty by holding the empty text."""
    return tuple(column.attname for column in _own_columns(type_name) if not column.null)


def _nullable(type_name: str) -> tuple[str, ...]:
    return tuple(column.attname for column in _own_columns(type_name) if column.null)


@cache
def _own_columns(type_name: str) -> tuple[Any, ...]:
    """Return what a type has beside the columns that all have: neither references nor stages."""
    resource = registry.resource_type(type_name)
    return tuple(
        resource.model_class._meta.get_field(declared.column)
        for declared in resource.editable_fields()
        if declared.name not in ("name", "stage") and declared.kind is not registry.Kind.REFERENCE
    )


def _empty(type_name: str) -> tuple[str, ...]:
    return tuple("" for _column in blank(type_name))


def _fields(type_name: str, fields: dict[str, Any]) -> tuple[Any, ...]:
    texts = tuple(fields.get(column, "") for column in blank(type_name))
    return texts + tuple(fields.get(column) for column in _nullable(type_name))


def _given(gift: dict[str, Any]) -> tuple[Any, ...]:
    return (*_to(gift["to"]), gift["starts"], gift["ends"], "", -1)


def _to(to: dict[str, Any]) -> tuple[Any, ...]:
    return (
        *(to.get("user"), to.get("group"), to.get("department"), bool(to.get("below")), to.get("post", "")),
        *(to.get("position"), to.get("level")),
    )


def _midnight() -> datetime:
    """Return when this day began in Shanghai."""
    return datetime.now(ZoneInfo("Asia/Shanghai")).replace(hour=0, minute=0, second=0, microsecond=0)


def address(opened: Iterable[int]) -> str:
    """Return the address from which just these gates are open."""
    return f"10.0.0.{sum(1 << number for number in opened)}"


def _open_from(gate: int) -> list[str]:
    return [f"10.0.0.{last}/32" for last in range(32) if last >> gate & 1]


def told(world: World) -> str:
    """Return the world in lines that a person can read."""
    lines = []
    for part in ("departments", "levels", "people", "roles"):
        lines += [
            f"  {part[:-1] if part != 'people' else 'person'} {n}: {_plain(x)}"
            for n, x in world[part].items()
        ]
    lines += [f"  gate {n}: {_plain(x)}" for n, x in world.get("gates", {}).items()]
    lines.append(f"  open gates: {world.get('open')}")
    lines += [f"  quota {n}: {_plain(x)}" for n, x in world.get("quotas", {}).items()]
    lines.append(f"  used up: {world.get('used_up')}")
    lines.append(f"  ceilings: {world.get('ceilings')}")
    lines.append(f"  base access: {world['base_access']}")
    lines += [f"  rule {n}: {_plain(x)}" for n, x in world.get("rules", {}).items()]
    lines += [f"  pool {n}: {_plain(x)}" for n, x in world.get("pools", {}).items()]
    lines += [f"  glass {n}: {_plain(x)}" for n, x in world.get("glass_rules", {}).items()]
    for part in ("assignments", "admissions", "prohibitions", "delegations", "glass"):
        lines += [f"  {part[:-1]}: {_plain(x)}" for x in world.get(part, ())]
    for type_name, records in world["records"].items():
        lines += [f"  {type_name} {n}: {_plain(x)}" for n, x in records.items()]
    return "\n".join(lines)


def _plain(values: dict[str, Any]) -> str:
    shown = {
        name: value.isoformat(timespec="minutes") if isinstance(value, datetime) else value
        for name, value in values.items()
        if value not in (None, [], {}, False) or name == "active"
    }
    return ", ".join(f"{name}={value}" for name, value in shown.items())
