"""What waits for release, from a snapshot: would somebody be allowed if it were released?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hufu.access.decision.snapshot import PendingFacts, PersonFacts, Snapshot


def ways_out(snapshot: Snapshot, person_id: int) -> Iterator[tuple[tuple[PendingFacts, ...], Snapshot]]:
    """Yield what may be released that concerns somebody, one change alone and then all, with what would stand then."""
    about = tuple(
        waits
        for waits in snapshot.pending
        if waits.user_id == person_id or (waits.field == "manager" and waits.value == person_id)
    )
    for waits in about:
        yield (waits,), _released(snapshot, (waits,))
    if len(about) > 1:
        yield about, _released(snapshot, about)


def _released(snapshot: Snapshot, released: tuple[PendingFacts, ...]) -> Snapshot:
    people = dict(snapshot.people)
    for waits in released:
        if (person := people.get(waits.user_id)) is None:
            continue
        if waits.leaves and waits.value is not None:
            people[waits.user_id] = _without(person, waits.field, waits.value)
        elif waits.value is not None:
            people[waits.user_id] = _with(person, waits.field, waits.value)
        elif waits.field == "department":
            people[waits.user_id] = replace(person, main_department_id=None)
        elif waits.field == "level":
            people[waits.user_id] = replace(person, level_id=None)
    return replace(snapshot, people=people, pending=())


def _without(person: PersonFacts, field: str, value: int) -> PersonFacts:
    match field:
        case "other_department":
            return replace(person, other_department_ids=person.other_department_ids - {value})
        case "group":
            return replace(person, group_ids=person.group_ids - {value})
        case "position":
            return replace(person, position_ids=person.position_ids - {value})
        case "head" | "assistant":
            return replace(person, posts=person.posts - {(value, field)})
        case _:
            return person


def _with(person: PersonFacts, field: str, value: int) -> PersonFacts:
    match field:
        case "department":
            return replace(person, main_department_id=value)
        case "other_department":
            return replace(person, other_department_ids=person.other_department_ids | {value})
        case "level":
            return replace(person, level_id=value)
        case "manager":
            return replace(person, manager_id=value)
        case "group":
            return replace(person, group_ids=person.group_ids | {value})
        case "position":
            return replace(person, position_ids=person.position_ids | {value})
        case "head" | "assistant":
            return replace(person, posts=person.posts | {(value, field)})
        case _:
            return person
