"""The slow, obvious reading of DESIGN section 2, for small worlds (see tests.access.world).

It is written from the text alone and shares nothing with hufu.access: no bitmaps, no caches, no SQL. Where the two
differ, one of them is wrong.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from tests.access.world import FOLLOWING

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
World = dict[str, Any]
Record = dict[str, Any]

# 2.3: which right in the partition each verb on an existing record needs.
RIGHT_NEEDED = {
    "view": "read",
    "edit": "edit",
    "delete": "delete",
    "restore": "delete",
    "transfer": "edit",
    "void": "edit",
    "lock": "edit",
    "claim": "edit",
}

# 2.1: the record's state is part of coverage. What is still open in which state; everything else is closed.
OPEN_IN_STATE = {
    "void": {"view", "void", "lock", "delete", "restore", "purge"},
    "locked": {"view", "lock"},
    "pending": {"view", "lock"},
}


def allowed(world: World, at: datetime, person: int, verb: str, type_name: str, record: Record) -> bool:
    """May the person do this with this record of this type?"""
    # 2.1, gates: an active account, and no closed gate on the person.
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    # 2.6: as oneself, or in the stead of one other; never by the halves of two.
    own = {**world, "delegations": [], "glass": []}
    if allowed_as(own, at, person, verb, type_name, record):
        return True
    # 2.6, break-glass: by itself, and with nothing else that they hold.
    for rule in broken_glass(world, at, person):
        alone = world_behind_glass(world, person, rule)
        if allowed_as(alone, at, person, verb, type_name, without_shares(record)):
            return True
    for giver in givers(world, at, person):
        lent = world_lent_by(world, at, giver, person)
        if allowed_as(lent, at, giver, verb, type_name, without_shares(record)):
            return True
    return False


def givers(world: World, at: datetime, person: int) -> list[int]:
    """2.6: for whom the person stands in right now. Whoever is not active lends nothing; gates of both bind, as far as
    they are closed to the person.
    """
    there = world.get("open", {}).get(person, [])
    return [
        lent["from"]
        for lent in world.get("delegations", [])
        if lent["to"] == person
        and lent["starts"] <= at < lent["ends"]
        and world["people"][lent["from"]]["active"]
        and not is_shut_out({**world, "open": {lent["from"]: there}}, lent["from"])
    ]


def world_lent_by(world: World, at: datetime, giver: int, person: int) -> World:
    """The world as the giver would find it with nothing but what they lend, from where the other one is.

    What is shared belongs to people; what is lent is not lent on. Hidden behind gates and quotas of the one who acts
    is also what is lent to them.
    """
    named = {
        permission
        for lent in world["delegations"]
        if lent["from"] == giver and lent["to"] == person and lent["starts"] <= at < lent["ends"]
        for permission in lent["permissions"]
        if permission.split(".")[1] in ("view", "create", "edit", "delete", "restore")
        and not is_closed(world, at, person, permission)
    }
    return {
        **world,
        "delegations": [],
        "glass": [],
        "rules": {},
        "pools": {number: {**pool, "to": []} for number, pool in world["pools"].items()},
        "roles": {
            number: {**role, "grants": [grant for grant in role["grants"] if grant[0] in named]}
            for number, role in world["roles"].items()
        },
        "open": {**world.get("open", {}), giver: world.get("open", {}).get(person, [])},
        "used_up": {**world.get("used_up", {}), giver: []},
        "ceilings": {giver: world["ceilings"][person]} if person in world.get("ceilings", {}) else {},
        "records": {
            kind: {number: without_shares(record) for number, record in records.items()}
            for kind, records in world["records"].items()
        },
    }


def broken_glass(world: World, at: datetime, person: int) -> list[dict[str, Any]]:
    """2.6: the rules that the person uses right now, as long as they hold the role."""
    held = roles_of({**world, "gates": {}}, at, person)
    rules = world.get("glass_rules", {})
    return [
        rules[use["rule"]]
        for use in world.get("glass", [])
        if use["user"] == person
        and use["starts"] <= at < use["ends"]
        and use["rule"] in rules
        and rules[use["rule"]]["role"] in held
    ]


def world_behind_glass(world: World, person: int, rule: dict[str, Any]) -> World:
    """The world in which the person holds nothing but what a rule opens: the wall and what forbids stay."""
    verbs = ("view", "edit") if rule["access"] == "edit" else ("view",)
    opens = [(f"{kind}.{verb}", "everything") for kind in rule["types"] for verb in verbs]
    return {
        **world,
        **{"delegations": [], "glass": [], "rules": {}, "base_access": {}},
        "pools": {number: {**pool, "to": []} for number, pool in world["pools"].items()},
        "roles": {rule["role"]: {"inherits": [], "grants": opens}},
        "assignments": [{"role": rule["role"], "to": {"user": person}, "starts": None, "ends": None}],
        "admissions": [
            admission
            for admission in world["admissions"]
            if not rule["partitions"] or admission["partition"] in rule["partitions"]
        ],
        "records": {
            kind: {number: without_shares(record) for number, record in records.items()}
            for kind, records in world["records"].items()
        },
    }


def without_shares(record: Record) -> Record:
    """The record as it would be, shared with nobody."""
    return {**record, "team": {}, "shares": [], "tasks": []} if "team" in record else record


def allowed_as(world: World, at: datetime, person: int, verb: str, type_name: str, record: Record) -> bool:
    """May this person do this, with what they hold themselves?"""
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    # What lies in the bin is only restored; what does not lie there cannot be.
    if record["deleted"] != (verb == "restore"):
        return False
    if any(verb not in OPEN_IN_STATE[state] for state in record.get("states", ())):
        return False
    # 2.4: only what lies in a pool is claimed.
    if verb == "claim" and record["pool"] is None:
        return False
    if type_name in FOLLOWING:
        return allowed_following(world, at, person, verb, type_name, record)
    # 2.1: every permission on an existing record also needs view on it.
    if not covered(world, at, person, "view", type_name, record):
        return False
    return covered(world, at, person, verb, type_name, record)


def allowed_following(
    world: World, at: datetime, person: int, verb: str, type_name: str, record: Record
) -> bool:
    """2.4: view follows view, all else edit of the parent, each with the child's own permission at any scope."""
    for each in ("view", verb):
        if not scopes(world, at, person, f"{type_name}.{each}"):
            return False
    kind = FOLLOWING[type_name]
    parent = world["records"][kind][record[kind]]
    if verb not in ("view", "edit"):
        # 2.3: through the wall what follows is viewed, added and edited; inside it such a share is like any other.
        parent = {**parent, "shares": [{**share, "across": False} for share in parent["shares"]]}
    return allowed(world, at, person, "view" if verb == "view" else "edit", kind, parent)


def covered(world: World, at: datetime, person: int, verb: str, type_name: str, record: Record) -> bool:
    """2.1, coverage: a grant whose scope holds the record, and the partition's right."""
    if is_outside(world, person, partition=record["partition"]):
        return False
    held = scopes(world, at, person, f"{type_name}.{verb}")
    if not held:
        return False
    if not has_right(world, at, person, RIGHT_NEEDED[verb], record["partition"]):
        # 2.3: outside the wall nothing, but for the one share that the partition's owner let across.
        let = [share for share in record.get("shares", ()) if share.get("across")]
        return verb in ("view", "edit") and is_shared_with(world, at, person, verb, {"shares": let})
    # 2.4: a related team is a share of view, and of edit for its edit-members.
    membership = record["team"].get(person)
    if membership is not None and verb == "view":
        return True
    if membership == "edit" and verb == "edit":
        return True
    # 2.4: a pending task is a view share for its assignee.
    if verb == "view" and person in record.get("tasks", ()):
        return True
    # 2.4: so is a share by hand.
    if verb in ("view", "edit") and is_shared_with(world, at, person, verb, record):
        return True
    # 2.4: and so is a sharing rule, or a territory.
    if verb in ("view", "edit") and is_shared_by_rule(world, at, person, verb, type_name, record):
        return True
    # 2.4: members of its pool view and claim what has no owner.
    if verb in ("view", "claim") and is_pool_member(world, at, person, record):
        return True
    # 2.2, base access: for those who hold view (edit) at any scope it becomes `everything`.
    base = world["base_access"].get(type_name, "private")
    if verb == "view" and base in ("public_read", "public_read_write"):
        return True
    if verb == "edit" and base == "public_read_write":
        return True
    return any(scope_holds(world, person, scope, record) for scope in held)


def is_pool_member(world: World, at: datetime, person: int, record: Record) -> bool:
    """2.4: does the record lie in a pool of which the person is a member?"""
    if record["pool"] is None:
        return False
    members = world["pools"][record["pool"]]["to"]
    return any(is_given_to(world, at, person, {"to": to, "starts": None, "ends": None}) for to in members)


def is_shared_with(world: World, at: datetime, person: int, verb: str, record: Record) -> bool:
    """2.4: does a share of the record reach the person, or somebody who stands below them where superiors count?

    2.6: nobody gives to themselves.
    """
    for share in record["shares"]:
        if share["by"] == person or (verb == "edit" and share["access"] != "edit"):
            continue
        reached = {number for number in world["people"] if is_given_to(world, at, number, share)}
        if person in reached or (share["superiors"] and reached & everybody_below(world, person)):
            return True
    return False


def is_shared_by_rule(
    world: World, at: datetime, person: int, verb: str, type_name: str, record: Record
) -> bool:
    """2.4: does a rule about such records meet this one and reach the person?"""
    for rule in world.get("rules", {}).values():
        if rule["type"] != type_name or (verb == "edit" and rule["access"] != "edit"):
            continue
        if names_what_is_gone(world, rule["condition"]):
            # 2.1: an error in a rule denies.
            continue
        # Unknown is not true: docs/decisions/0017.
        if judge(world, at, rule["condition"], record) != "true":
            continue
        term = {"starts": rule["starts"], "ends": rule["ends"]}
        reached = set()
        for number in world["people"]:
            place = rule
            while place is not None:
                if any(is_given_to(world, at, number, {"to": to, **term}) for to in place["to"]):
                    reached.add(number)
                # Members of a territory also reach what matches those below it.
                place = world["rules"].get(place["parent"])
        if person in reached or (rule["superiors"] and reached & everybody_below(world, person)):
            return True
    return False


def judge(world: World, at: datetime, condition: dict[str, Any], record: Record) -> str:
    """Kleene's three values: `true`, `false`, and `unknown` for what is not there."""
    if "not" in condition:
        return {"true": "false", "false": "true", "unknown": "unknown"}[
            judge(world, at, condition["not"], record)
        ]
    if "all" in condition:
        parts = [judge(world, at, part, record) for part in condition["all"]]
        return "false" if "false" in parts else "unknown" if "unknown" in parts else "true"
    if "any" in condition:
        parts = [judge(world, at, part, record) for part in condition["any"]]
        return "true" if "true" in parts else "unknown" if "unknown" in parts else "false"
    known = is_known(world, condition, record)
    return ("true" if atom_holds(world, at, condition, record) else "false") if known else "unknown"


def is_known(world: World, atom: dict[str, Any], record: Record) -> bool:
    """A record without owner, an owner without department or level, an empty field: nothing to compare."""
    if "field" in atom:
        if "empty" in atom:
            return True
        value = {**record["fields"], "stage": "won"}[atom["field"]]
        if "currency" in atom:
            currency = record["fields"]["currency"]
            if currency == "":
                # Without a currency nothing is true; what the amount rules out is false all the same.
                return value is not None and not compares(atom, value)
            return value is not None or currency != atom["currency"]
        return value not in (None, "")
    if "department" in atom:
        return True
    if record["owner"] is None:
        return False
    if "owner_department" in atom:
        return bool(departments_of(world, record["owner"]))
    if "owner_level" in atom:
        return world["people"][record["owner"]]["level"] is not None
    return True


def atom_holds(world: World, at: datetime, atom: dict[str, Any], record: Record) -> bool:
    if "field" in atom:
        value = {**record["fields"], "stage": "won"}[atom["field"]]
        if "empty" in atom:
            return value in (None, "")
        if "currency" in atom and record["fields"]["currency"] != atom["currency"]:
            return False
        return compares(atom, value)
    if "department" in atom or "owner_department" in atom:
        wanted = atom.get("department", atom.get("owner_department"))
        inside = department_and_those_below(world, wanted) if "below" in atom else {wanted}
        mine = {record["department"]} if "department" in atom else departments_of(world, record["owner"])
        return bool(mine & inside)
    if "owner_level" in atom:
        return atom["owner_level"] in levels_held(world, world["people"][record["owner"]]["level"])
    return atom["owner_role"] in roles_of({**world, "gates": {}}, at, record["owner"])


def compares(atom: dict[str, Any], value: Any) -> bool:
    if "is" in atom:
        return value in atom["is"]
    if isinstance(value, date):
        value = value.isoformat()
    low, high = atom.get("at_least", atom.get("from")), atom.get("at_most", atom.get("until"))
    return (low is None or value >= low) and (high is None or value <= high)


def names_what_is_gone(world: World, condition: dict[str, Any]) -> bool:
    if "not" in condition:
        return names_what_is_gone(world, condition["not"])
    for word in ("all", "any"):
        if word in condition:
            return any(names_what_is_gone(world, part) for part in condition[word])
    for word in ("department", "owner_department"):
        if word in condition and condition[word] not in world["departments"]:
            return True
    return False


def scope_holds(world: World, person: int, scope: str, record: Record) -> bool:
    """2.2: is the record in this scope of this person?"""
    if scope == "team" and person in record["team"]:
        return True
    owner = record["owner"]
    if owner is None:
        # 2.4: a record without owner is covered by `everything`; not by own, subordinates, department.
        return scope == "everything"
    if owner == person:
        # Every scope but `nothing` includes `own`.
        return True
    if scope == "everything":
        return True
    if scope == "direct_reports":
        return world["people"][owner]["manager"] == person
    if scope == "subordinates":
        return owner in everybody_below(world, person)
    if scope == "department":
        return record["department"] in departments_of(world, person)
    if scope == "department_and_below":
        for mine in departments_of(world, person):
            if record["department"] in department_and_those_below(world, mine):
                return True
        return False
    if scope in ("own", "team"):
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


def levels_held(world: World, level: int | None) -> set[int]:
    """2.2: a level holds itself, the lower ones of its ladder, and what any of these include of other ladders."""
    if level is None:
        return set()
    held = {level}
    for _round in world["levels"]:
        for above in list(held):
            facts = world["levels"][above]
            held.update(facts["includes"])
            for number, other in world["levels"].items():
                if other["ladder"] == facts["ladder"] and other["rank"] < facts["rank"]:
                    held.add(number)
    return held


def is_given_to(world: World, at: datetime, person: int, gift: dict[str, Any]) -> bool:
    """2.2: does an assignment or admission reach the person at this moment?"""
    if gift["starts"] is not None and at < gift["starts"]:
        return False
    if gift["ends"] is not None and at >= gift["ends"]:
        return False
    to, facts = gift["to"], world["people"][person]
    if "user" in to:
        return to["user"] == person
    if "group" in to:
        return to["group"] in facts["groups"]
    if "position" in to:
        return to["position"] in facts["positions"]
    if "level" in to:
        return to["level"] in levels_held(world, facts["level"])
    for mine in places_of(world, person, to.get("post")):
        if mine == to["department"]:
            return True
        if to["below"] and mine in department_and_those_below(world, to["department"]):
            return True
    return False


def places_of(world: World, person: int, post: str | None) -> set[int]:
    """Where somebody belongs, or (with a post) where they hold it."""
    if post is None:
        return departments_of(world, person)
    if post == "head":
        return {number for number, facts in world["departments"].items() if facts["head"] == person}
    return {number for number, facts in world["departments"].items() if person in facts["assistants"]}


def roles_of(world: World, at: datetime, person: int) -> set[int]:
    """The roles assigned, and all that they inherit. 2.6: a gate on a role binds only the paths through that role."""
    shut = {role for gate in closed_gates(world, person) for role in gate["roles"]}
    held = {gift["role"] for gift in world["assignments"] if is_given_to(world, at, person, gift)} - shut
    for _round in world["roles"]:
        for role in list(held):
            held.update(set(world["roles"][role]["inherits"]) - shut)
    return held


def closed_gates(world: World, person: int) -> list[dict[str, Any]]:
    """The gates that are closed to the person right now."""
    return [gate for number, gate in world.get("gates", {}).items() if number not in world["open"][person]]


def is_shut_out(world: World, person: int) -> bool:
    """2.1: is a closed gate on signing in, or on a principal that the person is of?"""
    for gate in closed_gates(world, person):
        if gate["sign_in"]:
            return True
        for to in gate["principals"]:
            if is_given_to(world, LONG_AGO, person, {"to": to, "starts": None, "ends": None}):
                return True
    return False


def is_used_up(world: World, person: int, permission: str) -> bool:
    """2.1: is a quota on this permission, of everybody's or of a principal that the person is of, used up?"""
    for number, quota in world.get("quotas", {}).items():
        to = {"to": quota["to"], "starts": None, "ends": None}
        binds = quota["to"] is None or is_given_to(world, LONG_AGO, person, to)
        if binds and quota["counts"] == permission and number in world["used_up"][person]:
            return True
    return False


def is_outside(world: World, person: int, *, permission: str = "", partition: int = 0) -> bool:
    """2.6: tokens and agents are ceilings on permissions and partitions; they only narrow."""
    ceiling = world.get("ceilings", {}).get(person, {"permissions": None, "partitions": None})
    if permission and ceiling["permissions"] is not None and permission not in ceiling["permissions"]:
        return True
    return bool(partition) and ceiling["partitions"] is not None and partition not in ceiling["partitions"]


def is_forbidden(world: World, at: datetime, person: int, permission: str) -> bool:
    """2.6: prohibitions win over everything. 2.2: a level as target of one means exactly that level."""
    for no in world.get("prohibitions", []):
        if no["permission"] not in (permission, permission.partition(".")[0] + ".*"):
            continue
        if "level" in no["to"]:
            mine = {**no, "to": {"user": person}}
            if no["to"]["level"] == world["people"][person]["level"] and is_given_to(world, at, person, mine):
                return True
        elif is_given_to(world, at, person, no):
            return True
    return False


def is_closed(world: World, at: datetime, person: int, permission: str) -> bool:
    """2.1: is a gate on this permission closed, a quota on it used up, is it forbidden, or outside of a ceiling?"""
    if any(permission in gate["permissions"] for gate in closed_gates(world, person)):
        return True
    if is_outside(world, person, permission=permission):
        return True
    return is_used_up(world, person, permission) or is_forbidden(world, at, person, permission)


def scopes(world: World, at: datetime, person: int, permission: str) -> set[str]:
    """The scopes at which the person holds a permission; empty means nothing, never everything."""
    if is_closed(world, at, person, permission):
        return set()
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
    """2.2: `create` is yes or no, for oneself or for others. 2.6: in somebody's stead it becomes theirs."""
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    place = {"partition": partition, "owner": owner}
    return may_create_as(world, at, person, type_name, **place) or any(
        may_create_as(world_lent_by(world, at, giver, person), at, giver, type_name, **place)
        for giver in givers(world, at, person)
    )


def may_create_as(
    world: World, at: datetime, person: int, type_name: str, *, partition: int, owner: int
) -> bool:
    """May this person create, with what they hold themselves?"""
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    if not has_right(world, at, person, "create", partition) or is_outside(
        world, person, partition=partition
    ):
        return False
    held = scopes(world, at, person, f"{type_name}.create")
    if not held or (owner != person and "everything" not in held):
        return False
    return may_own(world, at, owner, partition)


def may_add(world: World, at: datetime, person: int, type_name: str, parent: int) -> bool:
    """2.4: create follows edit of the parent, with the child's own permission. 2.6: by the rights of one person."""
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    return may_add_as({**world, "delegations": [], "glass": []}, at, person, type_name, parent) or any(
        may_add_as(world_lent_by(world, at, giver, person), at, giver, type_name, parent)
        for giver in givers(world, at, person)
    )


def may_add_as(world: World, at: datetime, person: int, type_name: str, parent: int) -> bool:
    """May this person add such a record to the parent, with what they hold themselves?"""
    if not world["people"][person]["active"] or is_shut_out(world, person):
        return False
    if not scopes(world, at, person, f"{type_name}.create"):
        return False
    kind = FOLLOWING[type_name]
    return allowed(world, at, person, "edit", kind, world["records"][kind][parent])
