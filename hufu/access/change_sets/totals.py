"""What a change set does to many people, in few lines: to how many of each kind, and what comes and goes for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hufu.people.models import User

# So many kinds are told apart; of more, those with fewest people are one.
MOST_KINDS = 12

# By type: how many records come for somebody, and how many go.
Moved = Mapping[str, tuple[int, int]]


@dataclass
class Totals:
    """How many people of a kind something changes for, and by type how many records come and go for all of them.

    `kind` is "" for people of whom no kind is known; None for all there are, or for all other kinds.
    """

    kind: str | None
    people: int = 0
    records: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, people: int, records: Moved) -> None:
        """Count more of them."""
        self.people += people
        for name, (gained, lost) in records.items():
            before = self.records.get(name, (0, 0))
            self.records[name] = (before[0] + gained, before[1] + lost)


def totals(effects: Iterable[tuple[int, Moved]]) -> tuple[Totals, list[Totals]]:
    """Return what changes for all of them, and for each kind, those with most people first.

    What kind somebody is of, their level says, or their title where they stand on none. One statement.
    """
    moved = dict(effects)
    kinds = _kinds(moved)
    every, found = Totals(None), dict[str, Totals]()
    for user_id, records in moved.items():
        kind = kinds.get(user_id, "")
        found.setdefault(kind, Totals(kind)).add(1, records)
        every.add(1, records)
    ordered = sorted(found.values(), key=lambda each: (-each.people, each.kind))
    if len(ordered) > MOST_KINDS:
        others = Totals(None)
        for each in ordered[MOST_KINDS - 1 :]:
            others.add(each.people, each.records)
        ordered[MOST_KINDS - 1 :] = [others]
    return every, ordered


def _kinds(people: Iterable[int]) -> dict[int, str]:
    rows = User.objects.filter(pk__in=list(people)).values_list("pk", "level__name", "title")
    return {number: level or title for number, level, title in rows}
