"""Shares across the wall, in generated companies: some are over, have not begun, or are their giver's own."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tests.access.world import INDEPENDENT, World

_AMOUNTS = (0, 0, 1, 1, 2)
_DAY = timedelta(days=1)
_TERMS = [*([(None, _DAY)] * 5), (-_DAY, _DAY), (-2 * _DAY, -_DAY), (_DAY, 2 * _DAY)]


def let_across(world: World, now: datetime, seed: int) -> World:
    """Return the world with such shares of its records. By a seed of its own, as `lent` is."""
    chance = random.Random(seed)
    people = list(world["people"])

    def shared(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "shares": [*record["shares"], *(share() for _ in range(chance.choice(_AMOUNTS)))]}

    def share() -> dict[str, Any]:
        starts, ends = chance.choice(_TERMS)
        return {
            **{"to": {"user": chance.choice(people)}, "by": chance.choice([-1, -1, *people])},
            **{"access": chance.choice(["read", "edit"]), "superiors": False, "across": True},
            **{"starts": now + starts if starts else None, "ends": now + ends},
        }

    records = {
        type_name: {number: shared(record) for number, record in of.items()}
        if type_name in INDEPENDENT
        else of
        for type_name, of in world["records"].items()
    }
    return {**world, "records": records}
