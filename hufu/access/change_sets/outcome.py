"""What a rehearsal found, as it is kept with a change set: numbers alone, and whom they are about by number."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from hufu.access.change_sets.rehearsal import Rehearsal


def outcome_of(rehearsed: Rehearsal) -> str:
    """Return it as JSON."""
    people: list[dict[str, Any]] = []
    for effect in rehearsed.people:
        kept = asdict(effect)
        del kept["username"], kept["name"]
        for records in kept["records"].values():
            del records["samples_gained"], records["samples_lost"]
        people.append(kept)
    found = {
        "differences": [asdict(difference) for difference in rehearsed.differences],
        "people": people,
        "tests": [asdict(result) for result in rehearsed.tests],
    }
    return json.dumps(found, ensure_ascii=False)
