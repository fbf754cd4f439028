"""What a change set is said to do is what it does, for generated companies: preview, reference, and the lists after.

The preview counts with all gates open, so these companies have none. Of each, roles, what they inherit, base access,
sharing rules and pools change at random; whom that concerns, and in which records, is told by the reference, too. It is
counted by cells, of everybody and of few, and read from lists: all say the same.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Collection
from datetime import datetime
from typing import Any
from unittest.mock import patch

import psycopg
from hypothesis import Phase
from hypothesis import strategies as st

from hufu.access import guard, policy_document, policy_file
from hufu.access.change_sets import by_cells, rehearsal
from hufu.access.change_sets.rehearsal import Way
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from tests.access import generated, reference
from tests.access.organisations import ATOMS, GONE, RECORD_SCOPES, TYPES, lent, organisations, with_pools
from tests.access.record_states import stated
from tests.access.world import TABLES, World, store, told
from tests.company import unpublish

COUNT = generated.COUNT // 4 or 1
OPERATOR = Actor.operator()
Seen = dict[tuple[int, str], set[int]]
Said = dict[tuple[int, str], tuple[int | None, int | None, int, int]]


def changed(world: World, chance: random.Random) -> World:
    """Return the world with some of its policy changed."""
    after = copy.deepcopy(world)
    for _n in range(chance.choice([3, 5, 8])):
        role = after["roles"][chance.choice(list(after["roles"]))]
        permission = f"{chance.choice(TYPES)}.{chance.choice(['view', 'view', 'edit'])}"
        kept = [grant for grant in role["grants"] if grant[0] != permission]
        scopes = chance.sample([*RECORD_SCOPES, "everything"], chance.choice([0, 1, 1, 2]))
        role["grants"] = sorted([*kept, *((permission, scope) for scope in {*scopes})])
    if chance.random() < 0.5:
        kind = chance.choice(TYPES)
        after["base_access"][kind] = chance.choice(["private", "public_read", "public_read_write"])
    if chance.random() < 0.5:
        number = chance.choice(list(after["roles"]))
        below = [other for other in after["roles"] if other > number]
        after["roles"][number]["inherits"] = sorted(
            chance.sample(below, chance.choice(range(len(below) + 1)))
        )
    if after["pools"] and chance.random() < 0.3:
        pool = after["pools"][chance.choice(list(after["pools"]))]
        pool["to"] = [{"level": chance.choice(list(after["levels"]))}, *pool["to"]][
            : chance.choice([0, 1, 2])
        ]
    if after["rules"] and chance.random() < 0.5:
        rule = after["rules"][chance.choice(list(after["rules"]))]
        rule["condition"] = chance.choice(ATOMS[rule["type"]])
    return after


def without_broken_rules(world: World) -> World:
    """Return the world without rules that name a department that is gone: a policy file with one is refused."""
    rules = {n: rule for n, rule in world["rules"].items() if f": {GONE}" not in str(rule["condition"])}
    for number, rule in rules.items():
        rules[number] = {**rule, "parent": rule["parent"] if rule["parent"] in rules else None}
    return {**world, "rules": rules}


def viewed(world: World, now: datetime) -> Seen:
    """Return what everybody views, by the reference."""
    return {
        (person, kind): {
            number
            for number, record in world["records"][kind].items()
            if reference.allowed(world, now, person, "view", kind, record)
        }
        for person in world["people"]
        for kind in TABLES
    }


def listed(people: Collection[int]) -> Seen:
    """Return what everybody's lists hold."""
    found: Seen = {}
    for person in people:
        actor = Actor(person, f"员工{person}")
        with acting(actor):
            for kind in TABLES:
                rows = guard.scope(actor, f"{kind}.view")
                found[person, kind] = set(rows.values_list("pk", flat=True))
    return found


def previewed(document: dict[str, Any], way: Way, counted: int) -> Said:
    """Return what the preview says, counted in a way, and by cells of so many people all that they view."""
    with patch.object(by_cells, "COUNTED", counted), acting(OPERATOR):
        rehearsed = rehearsal.rehearse(OPERATOR, document, way=way)
    return {
        (effect.user_id, kind): (records.before, records.after, records.gained, records.lost)
        for effect in rehearsed.people
        for kind, records in effect.records.items()
    }


def but_uncounted(expected: Said, said: Said, counted: int) -> Said:
    """Return what is expected without what was not counted, which is only of a type of which there were too many."""
    wanted = {}
    for place, (before, after, gained, lost) in expected.items():
        of_kind = [other for other in expected if other[1] == place[1]]
        left_out = said.get(place, (0,))[0] is None and len(of_kind) > counted
        wanted[place] = (None, None, gained, lost) if left_out else (before, after, gained, lost)
    for kind in TABLES:
        told_of = [said[place][0] is not None for place in said if place[1] == kind]
        assert sum(told_of) >= min(counted, len(told_of)), kind
    return wanted


def preview(owner: psycopg.Connection, world: World, after: World, now: datetime, counted: int) -> int:
    """Compare the preview of the change from one to the other; return in how many lists something comes or goes."""
    unpublish(owner)
    store(owner, after)
    with acting(OPERATOR):
        whole: dict[str, Any] = policy_document.plain(policy_document.export())
    changing = ("format", "roles", "base_access", "sharing_rules", "territories", "pools")
    document = {name: whole[name] for name in changing if name in whole}
    document["base_access"] = {**dict.fromkeys(TYPES, "private"), **document.get("base_access", {})}
    store(owner, world)
    active = [number for number, person in world["people"].items() if person["active"]]
    before, then = viewed(world, now), viewed(after, now)
    expected = {
        place: (
            len(before[place]),
            len(then[place]),
            len(then[place] - before[place]),
            len(before[place] - then[place]),
        )
        for place in before
        if before[place] != then[place] and place[0] in active
    }
    for way, of_many in ((Way.LISTS, 0), (Way.CELLS, by_cells.COUNTED), (Way.CELLS, counted)):
        said = previewed(document, way, of_many)
        wanted = expected if way is Way.LISTS else but_uncounted(expected, said, of_many)
        assert said == wanted, f"{way}, {of_many}: {document}\n{told(world)}"
    assert listed(active) == {place: seen for place, seen in before.items() if place[0] in active}
    with acting(OPERATOR):
        policy_file.apply(OPERATOR, document)
    assert listed(active) == {place: seen for place, seen in then.items() if place[0] in active}, told(after)
    return len(expected)


def test_the_preview_says_what_the_lists_hold_afterwards(committed, owner_connection):
    moved: list[int] = []

    def draw(data: st.DataObject) -> tuple[World, datetime, int]:
        # Its own: what ends soon ended long ago in the last company of a long run.
        now = clock.now()
        world = data.draw(organisations(now))
        seed = data.draw(st.integers(0, 2**32))
        open_to = {person: [] for person in world["people"]}
        world |= {"gates": {}, "open": open_to, "quotas": {}, "used_up": open_to, "ceilings": {}}
        return without_broken_rules(with_pools(stated(lent(world, now, seed), seed), seed)), now, seed

    def look(drawn: tuple[World, datetime, int]) -> None:
        world, now, seed = drawn
        after = changed(world, random.Random(seed))
        moved.append(preview(owner_connection, world, after, now, seed % 3))

    generated.each(range(COUNT), draw, look, Phase.generate)
    print(
        f"\n{len(moved)} companies, {sum(moved)} lists in which something came or went: as the preview said"
    )
    assert sum(moved) > len(moved) // 2
