"""Random small companies, by hypothesis; what they are made of shrinks to the fewest facts that matter."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.access import reference
from tests.access.field_reference import ORDER, RULED
from tests.access.world import FOLLOWING, INDEPENDENT, POOLED, TABLES, World

TYPES = INDEPENDENT
# A department that some rule names and that is gone: such a rule shares nothing.
GONE = 999
RECORD_SCOPES = ("own", "direct_reports", "subordinates", "department", "department_and_below", "everything")
Pick = Callable[[Sequence[Any]], Any]


@st.composite
def organisations(draw: st.DrawFn, now: datetime) -> World:
    """Draw a world: trees, ladders, people some of whom are suspended, roles that inherit, gifts with terms."""

    def pick(choices: Sequence[Any]) -> Any:
        return draw(st.sampled_from(choices))

    # Numbers with gaps, so that bitmaps have more than one byte and holes.
    stride = pick([1, 5])
    departments = [1 + stride * index for index in range(pick([3, 5, 7]))]
    people = [2 + stride * index for index in range(pick([4, 6, 8]))]
    partitions = [1, 2, 9][: pick([1, 2, 3])]
    levels = {1: (1, 1), 2: (1, 2), 3: (1, 3), 4: (2, 1), 5: (2, 2), 6: (3, 1)}
    # A level includes one of another ladder; the ladders are in an order, so that there is no circle.
    includes = {1: [], 2: pick([[], [4]]), 3: pick([[], [], [5], [6]]), 4: [], 5: pick([[], [6]]), 6: []}
    groups, positions = [1, 7], [3, 4]
    roles = list(range(1, 1 + pick([2, 3, 4, 5])))

    everybody = {"department": departments[0], "below": True}

    def principal() -> dict[str, Any]:
        kind = pick(["user", "department", "below", "level", "group", "position", "head", "assistant"])
        if kind in ("head", "assistant"):
            return {"department": pick(departments), "post": kind, "below": pick([False, True])}
        if kind in ("user", "level", "group", "position"):
            things = {"user": people, "level": list(levels), "group": groups, "position": positions}
            return {kind: pick(things[kind])}
        return {"department": pick(departments), "below": kind == "below"}

    def term() -> dict[str, datetime | None]:
        past, future = now - timedelta(days=3), now + timedelta(days=3)
        starts, ends = pick(
            [(None, None)] * 10
            + [(past, None), (None, future), (past, future), (None, past), (future, None)]
            + [(now - timedelta(days=9), past)]
        )
        return {"starts": starts, "ends": ends}

    def person(index: int) -> dict[str, Any]:
        main = pick([*departments, None])
        return {
            "active": pick([True, True, True, True, False]),
            "main": main,
            "others": sorted(draw(st.sets(st.sampled_from(departments), max_size=2)) - {main}),
            "manager": pick([None, *people[:index][-3:]]),
            "level": pick([None, *levels]),
            "groups": sorted(draw(st.sets(st.sampled_from(groups), max_size=1))),
            "positions": sorted(draw(st.sets(st.sampled_from(positions), max_size=1))),
        }

    def role(index: int) -> dict[str, Any]:
        grants = set()
        for type_name in TYPES:
            for verb in ("view", "edit"):
                grants |= {(f"{type_name}.{verb}", scope) for scope in pick(_SCOPE_SETS)}
            for verb in ("delete", "restore", "transfer"):
                grants |= {(f"{type_name}.{verb}", scope) for scope in pick(_SCOPE_SETS + _TEAM_SETS)}
            if create := pick([None, "own", "own", "everything"]):
                grants.add((f"{type_name}.create", create))
        held = ("view", "view", "create", "edit", "delete", "restore")
        for type_name in FOLLOWING:
            grants |= {(f"{type_name}.{verb}", "everything") for verb in held if pick([True, True, False])}
        inherits = sorted(draw(st.sets(st.sampled_from(roles[index + 1 :] or [0]), max_size=2)) - {0})
        return {"inherits": inherits, "grants": sorted(grants)}

    def record(type_name: str) -> dict[str, Any]:
        owner = pick([*people, None])
        if type_name not in POOLED:
            owner = owner or people[0]
        team = draw(st.dictionaries(st.sampled_from(people), st.sampled_from(["read", "edit"]), max_size=2))
        partition = pick(partitions)
        return {
            "partition": partition,
            "owner": owner,
            # What has no owner lies in the one pool of its partition, which has no member yet (with_pools).
            "pool": partition if owner is None else None,
            "department": pick(departments),
            "deleted": pick([False, False, False, False, False, True]),
            "fields": {name: pick(values) for name, values in FIELDS[type_name].items()},
            "states": [],
            "tasks": [],
            "team": {member: access for member, access in sorted(team.items()) if member != owner},
            "shares": [
                {
                    "to": principal(),
                    "access": pick(["read", "edit"]),
                    "superiors": pick([False, True]),
                    "by": pick([-1, *people]),
                    **term(),
                }
                for _n in range(pick([0, 0, 0, 1, 2]))
            ],
        }

    records = {
        type_name: {1 + index: record(type_name) for index in range(pick([4, 8, 12]))} for type_name in TYPES
    }

    def atom(type_name: str) -> dict[str, Any]:
        kind = pick(["field", "field", "owner_department", "owner_role", "owner_level", "department"])
        if kind == "field":
            return pick(ATOMS[type_name])
        if kind in ("owner_role", "owner_level"):
            return {kind: pick(roles if kind == "owner_role" else list(levels))}
        return {kind: pick([GONE, *departments, *departments]), **pick([{}, {"below": True}])}

    def condition(type_name: str, depth: int) -> dict[str, Any]:
        joined = pick(["any", "not", "", "all"]) if depth else ""
        if joined == "not":
            return {"not": condition(type_name, depth - 1)}
        if joined:
            return {joined: [condition(type_name, depth - 1) for _n in range(pick([1, 2, 2, 3]))]}
        return atom(type_name)

    def rule(number: int, type_name: str) -> dict[str, Any]:
        territory = number > PLAIN_RULES
        return {
            "type": type_name,
            "access": pick(["read", "edit"]),
            "condition": condition(type_name, pick([1, 0, 2, 1, 3])),
            "superiors": not territory and pick([False, False, True]),
            "territory": territory,
            "parent": pick([number - 1, None]) if number > PLAIN_RULES + 1 else None,
            "to": [pick([everybody, everybody, principal()]) for _n in range(pick([1, 1, 2]))],
            **(term() if pick([False, False, True]) else {"starts": None, "ends": None}),
        }

    def following(parent: str) -> dict[str, Any]:
        return {parent: pick(list(records[parent])), "deleted": pick([False, False, False, True])}

    def department(index: int) -> dict[str, Any]:
        return {
            "parent": pick([None, *departments[:index]]),
            "head": pick([None, *people]),
            "assistants": sorted(draw(st.sets(st.sampled_from(people), max_size=2))),
        }

    return {
        "departments": {number: department(index) for index, number in enumerate(departments)},
        "levels": {
            n: {"ladder": ladder, "rank": rank, "includes": includes[n]}
            for n, (ladder, rank) in levels.items()
        },
        "groups": groups,
        "positions": positions,
        "base_access": {
            type_name: access
            for type_name in TYPES
            if (access := pick([None, None, "private", "public_read", "public_read_write"]))
        },
        "people": {number: person(index) for index, number in enumerate(people)},
        "partitions": partitions,
        "roles": {number: role(index) for index, number in enumerate(roles)},
        "assignments": [{"role": pick(roles), "to": principal(), **term()} for _n in range(pick([3, 5, 8]))],
        "admissions": [
            {
                "partition": partition,
                "rights": pick(_RIGHTS),
                "to": pick([everybody, everybody, principal()]),
                **term(),
            }
            for partition in partitions
            for _n in range(pick([1, 2, 3]))
        ],
        "rules": {
            number: rule(number, type_name)
            for number, type_name in enumerate(
                [*TYPES, *TYPES, "customer"][:PLAIN_RULES] + [pick(TYPES)] * pick([0, 2, 3]), start=1
            )
        },
        "pools": {n: {"type": "customer", "partition": n, "to": [], "hides": []} for n in partitions},
        "records": {
            **records,
            **{
                type_name: {1 + index: following(parent) for index in range(pick([4, 8]))}
                for type_name, parent in FOLLOWING.items()
            },
        },
        "prohibitions": [
            {"permission": pick(_FORBIDDEN), "to": principal(), **term()}
            for _n in range(pick([0, 0, 0, 1, 2]))
        ],
    }


PLAIN_RULES = 5
FIELDS: dict[str, dict[str, list[Any]]] = {
    "customer": {
        "industry": ["", "medical", "food"],
        "region": ["", "华东", "华南"],
        "employees": [None, 5, 50],
    },
    "opportunity": {
        "currency": ["", "CNY", "USD"],
        "amount": [None, 100, 5_000],
        "expected_close": [None, date(2026, 3, 1), date(2026, 9, 30)],
    },
}
ATOMS: dict[str, list[dict[str, Any]]] = {
    "customer": [
        {"field": "industry", "is": ["medical"]},
        {"field": "industry", "is": ["medical", "food"]},
        {"field": "industry", "empty": True},
        {"field": "region", "is": ["华东"]},
        {"field": "employees", "at_least": 6},
        {"field": "employees", "at_least": 2, "at_most": 10},
        {"field": "employees", "is": [5, 7]},
        {"field": "employees", "empty": True},
    ],
    "opportunity": [
        {"field": "amount", "at_least": 1_000, "currency": "CNY"},
        {"field": "amount", "at_most": 1_000, "currency": "USD"},
        {"field": "amount", "empty": True},
        {"field": "currency", "is": ["CNY"]},
        {"field": "expected_close", "from": "2026-03-01", "until": "2026-06-30"},
        {"field": "expected_close", "from": "2026-03-02"},
        {"field": "expected_close", "empty": True},
        {"field": "stage", "is": ["won"]},
    ],
}
# A type that only tests have: tests.added_type.
if "site" in TYPES:
    FIELDS["site"] = {"machines": [None, 5, 50]}
    ATOMS["site"] = [
        {"field": "machines", "at_least": 6},
        {"field": "machines", "empty": True},
        {"field": "stage", "is": ["won"]},
    ]
_FORBIDDEN = (
    *("customer.view", "customer.edit", "customer.*", "opportunity.transfer", "opportunity.*"),
    *("contact.view", "contact.edit", "customer.create", "opportunity.edit", "customer.restore"),
    *(("site.view", "site.*", "inspection.edit") if "site" in TYPES else ()),
)
_RIGHTS: list[list[str]] = [
    [],
    ["edit"],
    ["delete"],
    ["create", "edit"],
    *(["create", "edit", "delete"] for _weight in range(4)),
]
_SCOPE_SETS: list[tuple[str, ...]] = [
    (),
    *((scope,) for scope in RECORD_SCOPES),
    ("subordinates", "department"),
    ("own", "department_and_below"),
    ("direct_reports", "department"),
    ("subordinates", "department_and_below"),
]
_TEAM_SETS: list[tuple[str, ...]] = [("team",), ("team", "subordinates"), ("direct_reports", "team")]


@st.composite
def gated(draw: st.DrawFn, world: World) -> World:
    """Draw gates for a world, on everything that they can bind, and which are open to whom; quotas. No ceilings."""

    def some(things: Sequence[Any]) -> list[Any]:
        return sorted(draw(st.sets(st.sampled_from(list(things)), max_size=2)))

    people, departments = list(world["people"]), list(world["departments"])
    permissions = sorted(
        {permission for role in world["roles"].values() for permission, _scope in role["grants"]}
    )
    principals: list[dict[str, Any]] = [
        {"user": people[0]},
        {"level": 2},
        {"department": departments[1], "below": True},
        {"department": departments[0], "post": "head", "below": False},
        {"group": 1},
        {"position": 3},
    ]
    numbers = draw(st.sampled_from([[], [1], [1, 2], [1, 2, 3]]))
    gates = {
        number: {
            "sign_in": draw(st.sampled_from([False, False, True])),
            "permissions": some(permissions) if permissions else [],
            "roles": some(list(world["roles"])),
            "principals": draw(st.lists(st.sampled_from(principals), max_size=1)),
        }
        for number in numbers
    }
    opened = {
        person: sorted(draw(st.sampled_from([set(numbers), set(numbers[:1]), set(numbers[1:]), set()])))
        for person in people
    }
    quotas = {
        number: {
            "counts": draw(st.sampled_from(permissions)),
            "to": draw(st.sampled_from([None, *principals])),
        }
        for number in draw(st.sampled_from([[], [], [], [1], [1, 4]]))
        if permissions
    }
    used_up = {person: sorted(draw(st.sets(st.sampled_from(sorted(quotas) or [0])))) for person in people}
    return {
        **world,
        **{"gates": gates, "open": opened, "quotas": quotas, "used_up": used_up, "ceilings": {}},
    }


def with_more_allowed(world: World, seed: int) -> World:
    """Return the world, mostly with two roles and all partitions but one open to everybody.

    Of what is drawn alone, hardly anything is allowed. By a seed of its own, like field rules.
    """
    chance = random.Random(seed ^ 0x09E4)
    if chance.random() < 0.1:
        return world
    to = {"department": min(world["departments"]), "below": True}
    always = {"to": to, "starts": None, "ends": None}
    rights = ["create", "edit", "delete"]
    # One wall stays.
    inside = world["partitions"][:-1] or world["partitions"]
    admissions = [{"partition": each, "rights": rights, **always} for each in inside]
    roles = chance.sample(list(world["roles"]), min(2, len(world["roles"])))
    return {
        **world,
        "admissions": [*world["admissions"], *admissions],
        "assignments": [*world["assignments"], *({"role": role, **always} for role in roles)],
    }


def with_limits(world: World, seed: int) -> World:
    """Return the world with ceilings over some people, and gates on those for whom others stand in.

    By a seed of its own, like field rules.
    """
    chance = random.Random(seed ^ 0x11417)
    partitions = world["partitions"]
    every = sorted(
        {
            *(permission for role in world["roles"].values() for permission, _scope in role["grants"]),
            *(f"{type_name}.view" for type_name in TABLES),
        }
    )
    ceilings = {
        person: {
            "permissions": chance.choice([None, None, every[1:], every[: len(every) // 2]]),
            "partitions": chance.choice([None, partitions[1:], partitions[:1]]),
        }
        for person in world["people"]
        if chance.random() < 0.15
    }
    # A gate that binds whoever stands in by nothing but whom they stand in for.
    givers = [lent["from"] for lent in world["delegations"]]
    gates, opened = world["gates"], world["open"]
    if givers and chance.random() < 0.9:
        to = [{"user": chance.choice(givers)}]
        gate = {"sign_in": False, "permissions": [], "roles": [], "principals": to, "sensitivities": []}
        gates = {**gates, 4: gate}
        opened = {
            person: [*numbers, *([4] if chance.random() < 0.2 else [])] for person, numbers in opened.items()
        }
    return {**world, "ceilings": ceilings, "gates": gates, "open": opened}


def with_field_rules(world: World, seed: int) -> World:
    """Return the world with field rules in its roles and gates on sensitivities; perhaps with a role that opens all
    fields to everybody, and views nothing or stands behind a gate.

    By a seed of its own: what is drawn for the rest of the world stays as it is.
    """
    chance = random.Random(seed)
    roles = {
        number: {
            **role,
            "fields": [
                (*about, chance.choice(ORDER), chance.choice(ORDER))
                for about in chance.sample(_RULED, chance.randint(1, len(_RULED)))
            ],
        }
        for number, role in world["roles"].items()
    }
    gates = {
        number: {**gate, "sensitivities": chance.choice([[], [], [], ["personal"]])}
        for number, gate in world["gates"].items()
    }
    extra = chance.choice(["", "blind", *(["gated"] if gates else [])])
    assignments = world["assignments"]
    if extra:
        number = max(roles) + 1
        grants = [] if extra == "blind" else [(f"{type_name}.view", "own") for type_name in INDEPENDENT]
        if grants:
            grants += [(f"{type_name}.view", "everything") for type_name in FOLLOWING]
        fields = [(*about, "editable", "editable") for about in _RULED]
        roles[number] = {"inherits": [], "grants": grants, "fields": fields}
        everybody = {"department": min(world["departments"]), "below": True}
        assignments = [*assignments, {"role": number, "to": everybody, "starts": None, "ends": None}]
        if extra == "gated":
            gates[1] = {**gates[1], "roles": [*gates[1]["roles"], number]}
    return {**world, "roles": roles, "gates": gates, "assignments": assignments}


_RULED = [(type_name, name) for type_name, names in RULED.items() for name in names]


def with_pools(world: World, seed: int) -> World:
    """Return the world with members in its pools, fields hidden in them, a few more customers there, a second pool, and
    roles that may claim.

    By a seed of its own, like field rules.
    """
    chance = random.Random(seed)
    departments, people = list(world["departments"]), list(world["people"])

    def principal() -> dict[str, Any]:
        return chance.choice(
            [
                *[{"department": departments[0], "below": True}] * 4,
                {"department": chance.choice(departments), "below": chance.random() < 0.5},
                {"department": chance.choice(departments), "post": "head", "below": True},
                {"user": chance.choice(people)},
                {"level": chance.choice(list(world["levels"]))},
                {"group": chance.choice(world["groups"])},
                {"position": chance.choice(world["positions"])},
            ]
        )

    places = {**{n: n for n in world["partitions"]}, 20: world["partitions"][0]}
    pools = {
        number: {
            "type": "customer",
            "partition": partition,
            "to": [principal() for _n in range(chance.choice([0, 1, 1, 2, 2]))],
            "hides": [
                about
                for about in _RULED
                if "customer" in (about[0], FOLLOWING.get(about[0])) and chance.random() < 0.4
            ],
        }
        for number, partition in places.items()
    }
    customers = {}
    for number, record in world["records"]["customer"].items():
        pooled = record["owner"] is None or chance.random() < 0.25
        pool = chance.choice([n for n, place in places.items() if place == record["partition"]])
        customers[number] = {**record, "owner": None, "pool": pool} if pooled else record
    roles = {
        number: {
            **role,
            "grants": sorted(
                {*role["grants"], *(("customer.claim", scope) for scope in chance.choice(_CLAIM_SETS))}
            ),
        }
        for number, role in world["roles"].items()
    }
    records = {**world["records"], "customer": customers}
    return {**world, "roles": roles, "pools": pools, "records": records}


_CLAIM_SETS: list[tuple[str, ...]] = [(), ("own",), ("own",), ("everything",), ("everything",)]


def lent(world: World, now: datetime, seed: int) -> World:
    """Return the world with who stands in for whom, and with what; most of it now.

    By a seed of its own: what is drawn for a company is bounded, and large ones would be lost.
    """
    chance = random.Random(seed)
    people = list(world["people"])

    def delegation() -> dict[str, Any]:
        giver, to = chance.sample(people, 2)
        verbs = chance.choice(
            [
                ("view", "edit"),
                ("view", "create", "edit"),
                ("edit",),
                ("view", "delete", "restore", "transfer"),
            ]
        )
        following, parent = chance.choice(list(FOLLOWING.items()))
        kinds = chance.choice([(parent, following), TYPES, (parent,), (following,)])
        starts, ends = chance.choice([(-3, 3)] * 5 + [(-9, -3), (3, 9)])
        return {
            "from": giver,
            "to": to,
            "permissions": [f"{kind}.{verb}" for kind in kinds for verb in verbs],
            "starts": now + timedelta(days=starts),
            "ends": now + timedelta(days=ends),
        }

    return {**world, "delegations": [delegation() for _n in range(chance.choice([0, 1, 2, 4, 6]))]}


def behind_glass(world: World, now: datetime, seed: int) -> World:
    """Return the world with who may break which glass, and who did; most of it now. By a seed of its own, too."""
    chance = random.Random(seed ^ 0x61A55)
    following, parent = chance.choice(list(FOLLOWING.items()))
    rules = {
        1 + n: {
            "role": chance.choice(list(world["roles"])),
            "types": list(chance.choice([(parent, following), TYPES, (parent,)])),
            "partitions": chance.choice([[], [], [chance.choice(world["partitions"])]]),
            "access": chance.choice(["read", "read", "edit"]),
        }
        for n in range(chance.choice([0, 1, 2, 3]))
    }

    def use() -> dict[str, Any]:
        starts, ends = chance.choice([(-3, 3)] * 5 + [(-9, -3), (3, 9)])
        return {
            "user": chance.choice(list(world["people"])),
            # A rule that is gone opens nothing.
            "rule": chance.choice([*rules, *rules, 99]),
            "starts": now + timedelta(minutes=5 * starts),
            "ends": now + timedelta(minutes=5 * ends),
        }

    return {**world, "glass_rules": rules, "glass": [use() for _n in range(chance.choice([0, 2, 4, 6]))]}


def attempts(world: World, now: datetime, seed: int, count: int) -> list[tuple[Any, ...]]:
    """Choose attempts to create: (actor, type, partition, owner, department), or (actor, following type, parent); a
    third of them such as the reference allows, where there are any.
    """
    chance = random.Random(seed ^ 0xA77E)
    people, departments = list(world["people"]), list(world["departments"])

    def department(owner: int) -> int:
        main = world["people"][owner]["main"]
        return chance.choice([main or departments[0]] * 9 + departments)

    def attempt() -> tuple[Any, ...]:
        actor = chance.choice(people)
        owner = chance.choice([actor] * len(people) + people)
        return actor, chance.choice(TYPES), chance.choice(world["partitions"]), owner, department(owner)

    allowed = [
        (actor, type_name, partition, actor, department(actor))
        for actor in people
        for type_name in TYPES
        for partition in world["partitions"]
        if reference.may_create(world, now, actor, type_name, partition=partition, owner=actor)
    ]
    added = [
        (chance.choice(people), type_name, chance.choice(list(world["records"][parent])))
        for type_name, parent in FOLLOWING.items()
        for _n in range(count // 2)
    ]
    chosen = chance.sample(allowed, min(len(allowed), count // 3))
    return [*added, *chosen, *(attempt() for _n in range(count - len(chosen)))]
