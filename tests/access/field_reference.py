"""The slow, obvious reading of DESIGN 2.5: what somebody may do with a field of a record that they may view."""

from __future__ import annotations

from datetime import datetime

from tests.access import reference
from tests.access.reference import Record, World
from tests.access.world import FOLLOWING, TABLES

# What is compared, with its sensitivity.
RULED = {
    "customer": {"phone": "personal", "region": "internal"},
    "opportunity": {"amount": "internal"},
    "contact": {"id_number": "personal", "note": "internal"},
    # Of a type that only tests have: tests.added_type.
    "site": {"phone": "personal", "machines": "internal"},
    "inspection": {"note": "internal"},
}
RULED = {type_name: RULED[type_name] for type_name in TABLES}
ORDER = ("hidden", "masked", "read_only", "editable")


def access(world: World, at: datetime, person: int, type_name: str, field: str, record: Record) -> str:
    """What may be done with the field?"""
    sensitivity = RULED[type_name][field]
    for gate in reference.closed_gates(world, person):
        if sensitivity in gate["sensitivities"]:
            return "hidden"
    # 2.4: pool-hidden fields are hidden until the record is claimed.
    if is_hidden_in_pool(world, type_name, field, record):
        return "hidden"
    mine = is_mine(world, person, type_name, record)
    said = []
    for role in reference.roles_of(world, at, person):
        # Only roles with view on the type and an explicit rule count.
        if not views(world, role, type_name):
            continue
        for of_type, name, of_mine, of_others in world["roles"][role]["fields"]:
            if (of_type, name) == (type_name, field):
                said.append(of_mine if mine else of_others)
    if said:
        # The most permissive wins.
        return max(said, key=ORDER.index)
    if sensitivity == "personal":
        return "editable" if mine else "masked"
    return "editable"


def is_hidden_in_pool(world: World, type_name: str, field: str, record: Record) -> bool:
    """Does the record, or the parent of a following one, lie in a pool that hides the field?"""
    parent = FOLLOWING.get(type_name)
    decides = world["records"][parent][record[parent]] if parent else record
    pool = world["pools"].get(decides["pool"])
    return pool is not None and (type_name, field) in pool["hides"]


def is_mine(world: World, person: int, type_name: str, record: Record) -> bool:
    """Records that I own or am an edit-member of; of a following type the parent counts."""
    if parent := FOLLOWING.get(type_name):
        record = world["records"][parent][record[parent]]
    return record["owner"] == person or record["team"].get(person) == "edit"


def views(world: World, role: int, type_name: str) -> bool:
    """Does the role hold view of the type, itself or by what it inherits, whatever gates are on these?"""
    held = {role}
    for _round in world["roles"]:
        for each in list(held):
            held.update(world["roles"][each]["inherits"])
    return any(
        permission == f"{type_name}.view"
        for each in held
        for permission, _scope in world["roles"][each]["grants"]
    )
