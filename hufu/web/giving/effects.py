"""What a deed would do to people, in words and numbers; of many those first for whom most changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hufu.access.change_sets.rehearsal import PersonEffect
from hufu.access.policy_words import PolicyWords
from hufu.web.policy.presenters import Kind, Person, kinds_of, person_words

# So many people are named.
NAMED = 20


@dataclass(frozen=True)
class Effects:
    """Whom a deed concerns: how many, what changes for kinds of them, and the first of them by name."""

    concerned: int
    kinds: list[Kind]
    people: list[Person]

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.concerned - len(self.people)


def in_words(effects: Sequence[PersonEffect]) -> Effects:
    """Return what a deed would do, in words."""
    words = PolicyWords()
    ordered = sorted(effects, key=lambda each: (-each.weight, each.name))
    names = {each.user_id: each.name for each in ordered}
    # As a change set keeps it: lists, no tuples.
    found = json.loads(json.dumps([asdict(each) for each in ordered]))
    return Effects(
        len(found),
        kinds_of(found) if len(found) > 1 else [],
        [person_words(each, names, words) for each in found[:NAMED]],
    )
