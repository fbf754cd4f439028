"""Who may ask about whose rights, and from where the answer comes.

Everybody asks about themselves, a manager what those below them hold, whoever holds `explain.any` about anybody, also
as of another day. Who may not ask about somebody, and somebody who is not there, get the same refusal. Every question
about somebody else is an event in the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import as_of, guard, queries, team_rights
from hufu.access.as_of import PERMISSION as EXPLAIN
from hufu.access.decision.decide import Decision
from hufu.access.decision.snapshot import PersonFacts, Snapshot
from hufu.access.models import Change
from hufu.access.registry import is_about_records, type_of
from hufu.audit import Target, record
from hufu.core.actor import Actor
from hufu.core.errors import NotFound
from hufu.people.models import User

__all__ = ["EXPLAIN", "Answer", "Rights", "explains", "may_ask_about", "rights_of", "rights_of_two", "why"]


@dataclass(frozen=True)
class Rights:
    """What somebody's rights are derived from. `change`: of another day, the last one made by then; None: now.

    `person` is None where they were not there on that day. `is_part`: what is lent to them is left out.
    """

    person: PersonFacts | None
    snapshot: Snapshot
    change: Change | None = None
    is_part: bool = False


@dataclass(frozen=True)
class Answer:
    """A decision with what it was made of. `change`: of another day, the last one made by then; None: now."""

    decision: Decision
    snapshot: Snapshot
    change: Change | None = None


def explains(actor: Actor) -> bool:
    """Say whether the actor may ask about anybody, and about the past."""
    return guard.may(actor, EXPLAIN)


def may_ask_about(actor: Actor, person_id: int) -> bool:
    """Say whether a link to the person's rights makes sense."""
    return person_id == actor.user_id or explains(actor) or person_id in team_rights.below(actor)


def rights_of(actor: Actor, person_id: int, moment: datetime | None = None, *, about: str = "") -> Rights:
    """Return what the rights of a person are derived from: now, or for whoever explains rights at another moment.

    `about` is the permission that is looked at closely. Raise NotFound where there is no such person, or the actor may
    not ask about them (both look alike), and Invalid for a moment that nothing is known of.
    """
    if moment is None and person_id == actor.user_id:
        own = queries.own_snapshot(actor)
        return Rights(own.people[person_id], own)
    if explains(actor):
        past = as_of.rights_at(actor, [person_id], moment, about=about)
        return Rights(_there(actor, person_id, past, moment), past.snapshot, past.change if moment else None)
    if moment is not None or person_id not in team_rights.below(actor):
        raise unknown(person_id)
    record(
        actor,
        "access.asked",
        target=Target("user", person_id),
        data={"question": "rights", **({"permission": about} if about else {})},
    )
    team = team_rights.snapshot_of(person_id)
    return Rights(team.people[person_id], team, is_part=True)


def rights_of_two(
    actor: Actor, one: int, other: int, moment: datetime | None = None
) -> tuple[Rights, Rights]:
    """Return what `rights_of` does of two people, as of the same moment; for whoever explains rights."""
    past = as_of.rights_at(actor, [one, other], moment)
    change = past.change if moment else None
    found = [Rights(_there(actor, each, past, moment), past.snapshot, change) for each in (one, other)]
    return found[0], found[1]


def why(
    actor: Actor, person_id: int, permission: str, number: int | None, moment: datetime | None = None
) -> Answer:
    """Return whether a person may use a permission, on a record where one is named, and why.

    Whoever does not explain rights asks about themselves and now; of a record that they may not view they are told what
    they are told of one that is not there. Raise what `rights_of` does, and KeyError for an unknown permission.
    """
    if type_of(permission) is None or not is_about_records(permission):
        number = None
    if explains(actor):
        past = as_of.decide_at(actor, person_id, permission, number, moment)
        if person_id not in past.snapshot.people and moment is None:
            raise unknown(person_id)
        return Answer(past.decision, past.snapshot, past.change if moment else None)
    if moment is not None or person_id != actor.user_id:
        raise unknown(person_id)
    own = queries.own_snapshot(actor)
    if number is None:
        return Answer(queries.explain(own, person_id, permission, None), own)
    resource: Any = type_of(permission)
    found = guard.known(actor, permission, number)
    if found is None:
        return Answer(queries.about_no_record(own, person_id, permission), own)
    return Answer(queries.explain(own, person_id, permission, queries.facts(resource, found)), own)


def unknown(person_id: int) -> NotFound:
    """Return the refusal of a question about somebody: absent, or not to be asked about."""
    return NotFound(
        _("There is no such page, or you may not view it."),
        event={
            "type": "access.refused",
            "target": Target("user", person_id),
            "data": {"permission": EXPLAIN},
            "reason": "not_found",
        },
    )


def _there(
    actor: Actor, person_id: int, past: as_of.PastRights, moment: datetime | None
) -> PersonFacts | None:
    person = past.snapshot.people.get(person_id)
    if person is None and (moment is None or not User.objects.filter(pk=person_id).exists()):
        raise unknown(person_id)
    return person
