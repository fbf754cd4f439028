"""States of records in generated companies: what closes them, and who may take that back."""

from __future__ import annotations

import random
from typing import Any

from tests.access.world import INDEPENDENT, World

# Each type is asked for the verb of one state: what the states close is the same for all.
STATE_VERBS = {name: "void" if name == "opportunity" else "lock" for name in INDEPENDENT}
_STATES: list[list[str]] = [*([[]] * 18), ["void"], ["locked"], ["void", "locked"]]
_TASKS = (*[0] * 8, 1, 2)
_SCOPES: list[tuple[str, ...]] = [("own",), ("department",), *((("everything",),) * 9)]


def stated(world: World, seed: int) -> World:
    """Return the world with states of its records, and tasks about some. By a seed of its own, as `lent` is."""
    chance = random.Random(seed)
    people = list(world["people"])

    def closed(record: dict[str, Any]) -> dict[str, Any]:
        tasks = [] if record["deleted"] else sorted(chance.sample(people, chance.choice(_TASKS)))
        pending = ["pending"] if tasks else []
        return {**record, "states": [*chance.choice(_STATES), *pending], "tasks": tasks}

    records = {
        type_name: {number: closed(record) for number, record in of.items()}
        if type_name in STATE_VERBS
        else of
        for type_name, of in world["records"].items()
    }
    roles = {}
    for number, role in world["roles"].items():
        more = {
            (f"{of}.{verb}", scope) for of, verb in STATE_VERBS.items() for scope in chance.choice(_SCOPES)
        }
        # Few lie in the bin: some shall take them out. Few cover what they may hand on: some shall.
        more |= {
            (f"{of}.restore", "everything") if number % 2 else (f"{of}.transfer", "department_and_below")
            for of in STATE_VERBS
        }
        roles[number] = {**role, "grants": sorted({*role["grants"], *more})}
    return {**world, "records": records, "roles": roles}
