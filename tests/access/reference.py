"""The slow, obvious reading of DESIGN section 2, for small worlds (see tests.access.world).

It is written from the text alone and shares nothing with hufu.access: no bitmaps, no caches, no SQL. Where the two
differ, one of them is wrong.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

World = dict[str, Any]
Record = dict[str, Any]

# 2.3: which right in the partition each verb on an existing record needs.
RIGHT_NEEDED = {"view": "read", "edit": "edit", "delete": "delete", "transfer": "edit"}


def allowed(world: World, at: datetime, person: int, verb: str, type_name: str, record: Record) -> bool:
    """May the person do this with this record of this type?"""
    # 2.1, gates: an active account.
    if not world["people"][person]["active"]:
        return False
    # What lies in the bin is reached by none of these verbs.
    if record["deleted"]:
        return False
    # 2.1: every permission on an existing record also needs view on it.
    if not covered(world, at, person, "view", type_name, record):
        return False
    return covered(world, at, person, verb, type_name, record)


def covered(world: World, at: datetime, person: int, verb: str, type_name: str, record: Record) -> bool:
    """2.1, coverage: a grant whose scope holds the record, and the partition's right."""
    if not has_right(world, at, person, RIGHT_NEEDED[verb], record["partition"]):
        return False
    held = scopes(world, at, person, f"{type_name}.{verb}")
    return any(scope_holds(world, person, scope, record) for scope in held)


def scope_holds(world: World, person: int, scope: str, record: Record) -> bool:
    """2.2: is the record in this scope of this person?"""
    owner = record["owner"]
    if owner is None:
        # 2.4: a record without owner is covered by `everything`; not by own, subordinates, department.
        return scope == "everything"
    if owner == person:
        # Every scope but `nothing` includes `own`.
        return True
    if scope == "everything":
        return True
    if scope == "subordinates":
        return owner in everybody_below(world, person)
    if scope == "department":
        return record["department"] in departments_of(world, person)
    if scope == "department_and_below":
        for mine in departments_of(world, person):
            if record["department"] in department_and_those_below(world, mine):
                return True
        return False
    if scope == "own":
        return False
    raise ValueError(scope)


def everybody_below(world: World, boss: int) -> set[int]:
    """The whole reporting line below somebody, through vacant and inactive posts."""
    below: set[int] = set()
    for _round in world["people"]:
        for number, person in world["people"].items():
            if person["manager"] == boss or person["manager"] in below:
                below.add(number)
    return below


def departments_of(world: World, person: int) -> set[int]:
    """The main and the secondary departments."""
    facts = world["people"][person]
    found = set(facts["others"])
    if facts["main"] is not None:
        found.add(facts["main"])
    return found


def department_and_those_below(world: World, department: int) -> set[int]:
    found = {department}
    for _round in world["departments"]:
        for number, facts in world["departments"].items():
            if facts["parent"] in found:
                found.add(number)
    return found


def holds_level(world: World, person: int, level: int) -> bool:
    """A level as a target means it and every level that holds it: the higher ones of its ladder."""
    mine = world["people"][person]["level"]
    if mine is None:
        return False
    own, asked = world["levels"][mine], world["levels"][level]
    return own["ladder"] == asked["ladder"] and own["rank"] >= asked["rank"]


def is_given_to(world: World, at: datetime, person: int, gift: dict[str, Any]) -> bool:
    """2.2: does an assignment or admission reach the person at this moment?"""
    if gift["starts"] is not None and at < gift["starts"]:
        return False
    if gift["ends"] is not None and at >= gift["ends"]:
        return False
    to = gift["to"]
    if "user" in to:
        return to["user"] == person
    if "level" in to:
        return holds_level(world, person, to["level"])
    for mine in departments_of(world, person):
        if mine == to["department"]:
            return True
        if to["below"] and mine in department_and_those_below(world, to["department"]):
            return True
    return False


def roles_of(world: World, at: datetime, person: int) -> set[int]:
    """The roles assigned, and all that they inherit."""
    held = {gift["role"] for gift in world["assignments"] if is_given_to(world, at, person, gift)}
    for _round in world["roles"]:
        for role in list(held):
            held.update(world["roles"][role]["inherits"])
    return held


def scopes(world: World, at: datetime, person: int, permission: str) -> set[str]:
    """The scopes at which the person holds a permission; empty means nothing, never everything."""
    return {
        scope
        for role in roles_of(world, at, person)
        for granted, scope in world["roles"][role]["grants"]
        if granted == permission
    }


def has_right(world: World, at: datetime, person: int, right: str, partition: int) -> bool:
    """2.3: an admission gives a right in a partition; each of create, edit and delete implies read."""
    for gift in world["admissions"]:
        if gift["partition"] != partition or not is_given_to(world, at, person, gift):
            continue
        if right == "read" or right in gift["rights"]:
            return True
    return False


def may_own(world: World, at: datetime, person: int, partition: int) -> bool:
    """2.2: a new owner is active and admitted to read and edit; the record takes their main department."""
    facts = world["people"][person]
    return facts["active"] and facts["main"] is not None and has_right(world, at, person, "edit", partition)


def may_create(
    world: World, at: datetime, person: int, type_name: str, *, partition: int, owner: int
) -> bool:
    """2.2: `create` is yes or no, for oneself or for others."""
    if not world["people"][person]["active"]:
        return False
    if not has_right(world, at, person, "create", partition):
        return False
    held = scopes(world, at, person, f"{type_name}.create")
    if not held or (owner != person and "everything" not in held):
        return False
    return may_own(world, at, owner, partition)
