"""Cedar, an outside engine, agrees with the reference on whom grants and admissions let do what.

The reference in turn is what every door of the program is held to (test_differential).
"""

from __future__ import annotations

from collections import Counter

from hypothesis import Phase

from hufu.core import clock
from tests.access import cedar, generated, reference
from tests.access.cedar import Cedar
from tests.access.organisations import organisations
from tests.access.world import INDEPENDENT, World, told


def _without_shares(world: World) -> World:
    records = {
        name: {number: {**record, "shares": [], "states": [], "tasks": []} for number, record in of.items()}
        if name in INDEPENDENT
        else of
        for name, of in world["records"].items()
    }
    return {**world, "records": records, "rules": {}, "gates": {}, "open": {}}


def _differences(*, first: bool = False) -> tuple[Counter[bool], list[str]]:
    seen: Counter[bool] = Counter()
    found: list[str] = []
    now = clock.now()

    def look(world: World) -> None:
        asked = [
            (person, verb, type_name, number)
            for person in world["people"]
            for type_name in INDEPENDENT
            for number, record in world["records"][type_name].items()
            for verb in cedar.RIGHT_NEEDED
            if record["deleted"] == (verb == "restore")
        ]
        for (person, verb, type_name, number), said in zip(
            asked, Cedar(world, now).allowed(asked), strict=True
        ):
            record = world["records"][type_name][number]
            expected = reference.allowed(world, now, person, verb, type_name, record)
            seen[expected] += 1
            if said != expected:
                found.append(
                    f"{type_name}.{verb} {number} by {person}: Cedar {said}, reference {expected}\n{told(world)}"
                )

    for number in range(generated.COUNT):
        generated.each(
            [number], lambda data: _without_shares(data.draw(organisations(now))), look, Phase.generate
        )
        if found and first:
            break
    return seen, found


def test_cedar_answers_like_the_reference():
    seen, found = _differences()
    assert not found, f"{len(found)} differences, the first: {found[0]}"
    print(f"\n{seen.total()} decisions, {seen[True]} of them allowed: no difference")
    assert seen[True] > seen.total() // 20


def test_a_change_of_a_rule_on_either_side_is_noticed(monkeypatch):
    monkeypatch.setitem(cedar.CONDITIONS, "department_and_below", cedar.CONDITIONS["department"])
    assert _differences(first=True)[1]
    monkeypatch.undo()
    monkeypatch.setattr(reference, "levels_held", lambda _world, level: {level} - {None})
    assert _differences(first=True)[1]
