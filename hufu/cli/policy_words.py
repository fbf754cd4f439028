"""What commands say about change sets: differences, people, tests, versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from hufu.access import registry
from hufu.access.change_sets import Rehearsal
from hufu.access.change_sets.asserting import Result
from hufu.access.change_sets.differences import Difference
from hufu.access.change_sets.rehearsal import PersonEffect
from hufu.access.change_sets.totals import Totals, totals
from hufu.access.models import ChangeSet, Version
from hufu.access.policy_words import PolicyWords, kind_words, permission_words, scopes_words, told, verdict
from hufu.people.models import User

# So many people are listed, those first for whom most changes.
MOST_PEOPLE = 50


def differences(found: Iterable[Difference]) -> Iterator[str]:
    """Yield the lines of a difference, in the reader's words; within `acting`, for names are looked up."""
    kinds = {"added": _("added"), "changed": _("changed"), "removed": _("removed")}
    words = PolicyWords()
    for difference in found:
        name, parts = words.difference(difference)
        yield f"{kinds[difference.kind]}  {told(words.section(difference.section), name)}"
        for label, before, after in parts:
            said = after if difference.kind == "added" else f"{before} → {after}"
            yield f"    {told(label, said) if label else said}"


def effect(rehearsed: Rehearsal, *, everybody: bool = False) -> Iterator[str]:
    """Yield the lines of what a change set would do: numbers, and no name of a record.

    For all together, then by person, those first for whom most changes; of many people only these.
    """
    yield from differences(rehearsed.differences)
    yield ""
    if rehearsed.narrows:
        yield _("It only takes away: whoever may publish does so at once, alone.")
    else:
        yield _("It widens; risk: %s. Somebody other than its author approves it.") % risk(rehearsed.risk)
    count = len(rehearsed.people)
    yield ngettext("%s person is concerned.", "%s people are concerned.", count) % count
    if count > 1:
        yield from total_lines(*totals((person.user_id, person.moved) for person in rehearsed.people))
    words = PolicyWords()
    listed = sorted(rehearsed.people, key=lambda person: -person.weight)
    for person in listed if everybody else listed[:MOST_PEOPLE]:
        yield f"{person.name} ({person.username})"
        yield from (f"    {line}" for line in person_lines(person, words))
    if count > MOST_PEOPLE and not everybody:
        yield _("These are the %(shown)s for whom most changes; `--all` lists the others, too.") % {
            "shown": MOST_PEOPLE
        }
    yield from tests(rehearsed.tests, words)


def total_lines(every: Totals, kinds: Iterable[Totals]) -> Iterator[str]:
    """Yield what changes for everybody together, and for each kind of people."""
    for each in (every, *kinds):
        name = _("All") if each is every else kind_words(each)
        people = ngettext("%s person", "%s people", each.people) % each.people
        moved = "; ".join(
            told(str(registry.resource_type(of).label_plural), f"+{gained} -{lost}")
            for of, (gained, lost) in each.records.items()
        )
        yield "  " + told(name, f"{people}; {moved}" if moved else people)


def person_lines(person: PersonEffect, words: PolicyWords | None = None) -> Iterator[str]:
    """Yield what changes for somebody. Whoever asks about many hands over the words, which are then looked up once."""
    words = words or PolicyWords()
    for name, (before, after) in person.permissions.items():
        yield told(permission_words(name), f"{scopes_words(list(before))} → {scopes_words(list(after))}")
    for name, (before, after) in person.partitions.items():
        said = [words.value("rights", list(rights)) for rights in (before, after)]
        yield told(words.value("partition", name), f"{said[0]} → {said[1]}")
    yield from words.offers(person.break_glass, person.pools)
    for name, records in person.records.items():
        label = str(registry.resource_type(name).label_plural)
        samples = "".join(
            f"; {sign}{name}:{', '.join(map(str, numbers))}"
            for sign, numbers in (("+", records.samples_gained), ("-", records.samples_lost))
            if numbers
        )
        counts = f"+{records.gained} -{records.lost}{samples}"
        if records.before is not None:
            counts = f"{records.before} → {records.after} ({counts})"
        yield told(label, counts)


def tests(results: Iterable[Result], words: PolicyWords) -> Iterator[str]:
    """Yield a line for each test, in the reader's words; within `acting`, for names are looked up."""
    for result in results:
        state = pgettext("test", "holds") if result.passed else _("FAILS")
        yield f"{state}  {words.test(result.test)}" + (
            "" if result.passed else f"  — {verdict(result.found)}"
        )


def risk(value: str) -> str:
    """Return a risk in words."""
    return str(ChangeSet.Risk(str(value)).label)


def history(versions: Iterable[Version], drafts: Iterable[ChangeSet]) -> list[dict[str, Any]]:
    """Return versions, newest first, with who wrote and who approved them; then what waits."""
    by_version = {draft.version: draft for draft in drafts if draft.version}
    listed = []
    for version in versions:
        draft = by_version.get(version.number)
        listed.append(
            {
                "version": version.number,
                "at": version.published_at.isoformat(timespec="seconds"),
                "by": name_of(version.published_by),
                "change_set": draft.number if draft else None,
                "title": draft.title if draft else "",
                "author": name_of(draft.author) if draft else name_of(version.published_by),
                "risk": ("narrows" if draft.narrows else draft.risk) if draft else None,
                "digest": version.digest,
            }
        )
    return listed


def name_of(user_id: int) -> str:
    """Return who an actor is."""
    if user_id < 0:
        return "operator" if user_id == -1 else "system"
    user = User.objects.filter(pk=user_id).first()
    return user.username if user else str(user_id)


def _totals(rehearsed: Rehearsal) -> dict[str, Any]:
    every, kinds = totals((person.user_id, person.moved) for person in rehearsed.people)
    return {"all": asdict(every), "kinds": [asdict(each) for each in kinds]}


def as_json(rehearsed: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal for programs."""
    return {
        "narrows": rehearsed.narrows,
        "risk": str(rehearsed.risk),
        "differences": [asdict(difference) for difference in rehearsed.differences],
        "totals": _totals(rehearsed),
        "people": [asdict(person) for person in rehearsed.people],
        "tests": [asdict(result) for result in rehearsed.tests],
    }
