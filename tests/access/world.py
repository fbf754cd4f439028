"""A whole small company as plain values: what generated organisations, the reference and the database share.

A world is a dict. Principals are `{"user": 3}`, `{"department": 2, "below": True}` or `{"level": 1}`; `starts` and
`ends` are moments or None.

    {"departments": {1: {"parent": None}, …},
     "levels": {1: {"ladder": 1, "rank": 1}, …},
     "people": {1: {"active": True, "main": 1, "others": [2], "manager": None, "level": 1}, …},
     "partitions": [1, 2],
     "roles": {1: {"inherits": [2], "grants": [("customer.view", "own")]}, …},
     "assignments": [{"role": 1, "to": principal, "starts": None, "ends": None}, …],
     "admissions": [{"partition": 1, "rights": ["edit"], "to": principal, "starts": None, "ends": None}, …],
     "records": {"customer": {1: {"partition": 1, "owner": 1, "department": 1, "deleted": False}, …}, …}}
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg

World = dict[str, Any]

TABLES = {"customer": "crm_customer", "opportunity": "crm_opportunity"}

# In the order in which they can be emptied.
_EMPTIED = (
    "crm_opportunity",
    "crm_customer",
    "access_admission",
    "access_assignment",
    "access_grant",
    "access_role_inherits",
    "access_role",
    "access_partition",
    "people_membership",
    "people_user",
    "people_level",
    "people_ladder",
    "people_department",
)


def store(owner: psycopg.Connection, world: World) -> None:
    """Replace what the database holds by this world, in one transaction, as the owner of the tables."""
    with owner.transaction(), owner.cursor() as cursor:
        cursor.execute("UPDATE people_user SET manager_id = NULL")
        for table in _EMPTIED:
            cursor.execute(f"DELETE FROM {table}")
        for table, columns, rows in _rows(world):
            if rows:
                values = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", rows)


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
    given = ["user_id", "department_id", "below", "level_id", "starts_at", "ends_at", "reason", "given_by"]
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
    for type_name, table in TABLES.items():
        yield (
            table,
            [
                *("id", "partition_id", "owner_id", "department_id", "deleted_at", "created_by_id"),
                *("updated_by_id", "lock_version", "name", "name_sort", "name_initials", "stage"),
                *("created_at", "updated_at"),
                *_blank(type_name),
            ],
            [
                (
                    *(n, x["partition"], x["owner"], x["department"]),
                    *(datetime(2026, 1, 1).astimezone() if x["deleted"] else None, -1, -1, 1),
                    *(f"记录{n}", f"jilu{n}", "jl", "won"),
                    *(datetime(2026, 1, 1).astimezone(),) * 2,
                    *("" for _column in _blank(type_name)),
                )
                for n, x in world["records"][type_name].items()
            ],
        )


def _blank(type_name: str) -> tuple[str, ...]:
    if type_name == "opportunity":
        return ("product", "note", "currency")
    return (
        *("customer_level", "industry", "source", "region", "code", "phone", "website", "address"),
        *("parent_company", "note"),
    )


def _given(gift: dict[str, Any]) -> tuple[Any, ...]:
    to = gift["to"]
    principal = (to.get("user"), to.get("department"), bool(to.get("below")), to.get("level"))
    return (*principal, gift["starts"], gift["ends"], "", -1)


def told(world: World) -> str:
    """Return the world in lines that a person can read."""
    lines = []
    for part in ("departments", "levels", "people", "roles"):
        lines += [
            f"  {part[:-1] if part != 'people' else 'person'} {n}: {_plain(x)}"
            for n, x in world[part].items()
        ]
    for part in ("assignments", "admissions"):
        lines += [f"  {part[:-1]}: {_plain(x)}" for x in world[part]]
    for type_name, records in world["records"].items():
        lines += [f"  {type_name} {n}: {_plain(x)}" for n, x in records.items()]
    return "\n".join(lines)


def _plain(values: dict[str, Any]) -> str:
    shown = {
        name: value.isoformat(timespec="minutes") if isinstance(value, datetime) else value
        for name, value in values.items()
        if value not in (None, [], False) or name == "active"
    }
    return ", ".join(f"{name}={value}" for name, value in shown.items())
