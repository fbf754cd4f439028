"""A change set in words: what it changes, whom it concerns in numbers, and what its tests say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access.change_sets.differences import Difference
from hufu.access.change_sets.totals import totals
from hufu.access.decision.scopes import is_within
from hufu.access.explain import RIGHT_LABELS
from hufu.access.models import ChangeSet, Version
from hufu.access.policy_words import (
    NOTHING,
    PolicyWords,
    kind_words,
    permission_words,
    scopes_words,
    told,
    type_words,
    verdict,
)
from hufu.people.models import User
from hufu.web.templatetags.ui import grouped

KINDS = {
    "added": (gettext_lazy("added"), "green"),
    "changed": (gettext_lazy("changed"), "blue"),
    "removed": (gettext_lazy("removed"), "red"),
}
RISKS = {ChangeSet.Risk.LOW: "grey", ChangeSet.Risk.MEDIUM: "amber", ChangeSet.Risk.HIGH: "red"}
STATES = {
    ChangeSet.State.SUBMITTED: "amber",
    ChangeSet.State.PUBLISHED: "green",
    ChangeSet.State.REJECTED: "red",
    ChangeSet.State.WITHDRAWN: "grey",
}
# So many people stand on a page, those first for whom most records come or go.
MOST_PEOPLE = 50


@dataclass(frozen=True)
class Card:
    """A change set in a list."""

    draft: ChangeSet
    author: str
    decided_by: str

    @property
    def state(self) -> str:
        return str(ChangeSet.State(self.draft.state).label)

    @property
    def tone(self) -> str:
        return STATES[ChangeSet.State(self.draft.state)]

    @property
    def risk(self) -> str:
        return risk(self.draft.narrows, self.draft.risk)[0]

    @property
    def risk_tone(self) -> str:
        return risk(self.draft.narrows, self.draft.risk)[1]


@dataclass(frozen=True)
class Line:
    """An entry that changes, and what of it."""

    section: str
    name: str
    kind: str
    tone: str
    parts: list[tuple[str, str, str]]


@dataclass(frozen=True)
class Person:
    """What changes for somebody."""

    name: str
    rights: list[str]
    records: list[str]


@dataclass(frozen=True)
class Kind:
    """What changes for all people of a kind."""

    name: str
    people: int
    records: list[str]


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal found; of the people those of one page.

    `kinds` are told where there are more people than one: all of them first.
    """

    lines: list[Line] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    concerned: int = 0
    page: int = 1
    pages: int = 1
    tests: list[dict[str, Any]] = field(default_factory=list)


def risk(narrows: bool, of: str) -> tuple[str, str]:
    """Return how dangerous a change is, in words and as a tone."""
    if narrows:
        return _("Takes away only"), "teal"
    return risk_words(of)


def risk_words(of: str) -> tuple[str, str]:
    """Return a risk, of a change or of a role, in words and as a tone."""
    return str(ChangeSet.Risk(of).label), RISKS[ChangeSet.Risk(of)]


def card(draft: ChangeSet, names: Mapping[int, str]) -> Card:
    """Return a change set with the names of its people."""
    return Card(draft, who(draft.author, names), who(draft.decided_by, names) if draft.decided_by else "")


def names_of(drafts: Iterable[ChangeSet], versions: Iterable[Version] = ()) -> dict[int, str]:
    """Return the names of everybody who wrote, decided or published these."""
    numbers = {number for draft in drafts for number in (draft.author, draft.decided_by) if number}
    numbers |= {version.published_by for version in versions}
    return dict(User.objects.filter(pk__in=numbers).values_list("pk", "name"))


def outcome(draft: ChangeSet, page: int = 1) -> Outcome:
    """Return what was found when a change set was submitted."""
    return found(draft.outcome, page)


def found(kept: str, page: int = 1) -> Outcome:
    """Return what was found, as it is kept, in words, and of the people those of a page; beyond the last page those of
    the last."""
    said = json.loads(kept or "{}")
    words = PolicyWords()
    people = [
        without
        for one in said.get("people", [])
        if (without := _without_what_is_held_anyway(one)) is not None
    ]
    people = sorted(people, key=lambda one: -sum(map(sum, _moved(one).values())))
    pages = max(1, -(-len(people) // MOST_PEOPLE))
    page = min(max(page, 1), pages)
    shown = people[(page - 1) * MOST_PEOPLE : page * MOST_PEOPLE]
    names = dict(User.objects.filter(pk__in=[one["user_id"] for one in shown]).values_list("pk", "name"))
    return Outcome(
        [line(one, words) for one in said.get("differences", [])],
        kinds_of(people) if len(people) > 1 else [],
        [person_words(one, names, words) for one in shown],
        len(people),
        page,
        pages,
        [
            {**test, "test": words.test(test["test"]), "found": verdict(test["found"])}
            for test in said.get("tests", [])
        ],
    )


def who(number: int, names: Mapping[int, str]) -> str:
    """Return who wrote, decided or published something."""
    return names.get(number) or _("command line")


def line(found: Difference | Mapping[str, Any], words: PolicyWords) -> Line:
    """Return one difference in words."""
    found = asdict(found) if isinstance(found, Difference) else found
    kind, tone = KINDS[found["kind"]]
    name, parts = words.difference(found)
    return Line(words.section(found["section"]), name, str(kind), tone, parts)


def _without_what_is_held_anyway(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what changes for somebody, without scopes that a wider one holds before and afterwards.

    None where nothing else changes for them.
    """
    permissions = {
        name: (_widest(before), _widest(after)) for name, (before, after) in found["permissions"].items()
    }
    records = {name: one for name, one in found["records"].items() if one["gained"] or one["lost"]}
    differing = {name: scopes for name, scopes in permissions.items() if scopes[0] != scopes[1]}
    left = {**found, "permissions": differing, "records": records}
    return left if _changes(left) or not _changes(found) else None


def _widest(scopes: Iterable[str]) -> list[str]:
    listed = list(scopes)
    return [
        scope for scope in listed if not any(other != scope and is_within(scope, other) for other in listed)
    ]


def _changes(found: Mapping[str, Any]) -> bool:
    return any(found.get(name) for name in ("permissions", "partitions", "records", "break_glass", "pools"))


def person_words(found: Mapping[str, Any], names: Mapping[int, str], words: PolicyWords) -> Person:
    rights = [
        told(permission_words(name), f"{scopes_words(before)} → {scopes_words(after)}")
        for name, (before, after) in found["permissions"].items()
    ]
    labels = {str(right): str(label) for right, label in RIGHT_LABELS.items()}
    rights += [
        told(words.value("partition", name), f"{_rights(before, labels)} → {_rights(after, labels)}")
        for name, (before, after) in found["partitions"].items()
    ]
    rights += words.offers(found.get("break_glass", {}), found.get("pools", {}))
    records = [told(type_words(name), _amounts(one)) for name, one in found["records"].items()]
    return Person(names.get(found["user_id"], NOTHING), rights, records)


def _amounts(of: Mapping[str, Any]) -> str:
    comes = _signed(of["gained"], of["lost"])
    # Of many people all that they view was counted for some alone.
    if of["before"] is None:
        return comes
    return f"{grouped(of['before'])} → {grouped(of['after'])} ({comes})"


def _signed(gained: int, lost: int) -> str:
    signed = (f"{sign}{grouped(amount)}" for sign, amount in (("+", gained), ("−", lost)) if amount)
    return " ".join(signed)


def _moved(found: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (one["gained"], one["lost"]) for name, one in found["records"].items()}


def kinds_of(people: Iterable[Mapping[str, Any]]) -> list[Kind]:
    every, kinds = totals((one["user_id"], _moved(one)) for one in people)
    return [
        Kind(
            _("All") if each is every else kind_words(each),
            each.people,
            [told(type_words(name), _signed(*moved)) for name, moved in each.records.items() if any(moved)],
        )
        for each in (every, *kinds)
    ]


def _rights(value: list[str], words: Mapping[str, str]) -> str:
    return _(", ").join(words.get(right, right) for right in value) or NOTHING
