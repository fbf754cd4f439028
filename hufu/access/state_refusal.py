"""The refusal of somebody who covers a record that its state closes: they may view it, and so learn why."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import Model

from hufu.access import reach, registry, state_words
from hufu.access.decision.decide import CODE_OF, Decision, Link
from hufu.access.decision.states import State
from hufu.access.decision.terms import Coverage, Requirement, decided_by, shutting
from hufu.access.registry import ResourceType
from hufu.audit import Target
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.core.errors import Denied
from hufu.people.models import User


def refusal(
    actor: Actor, permission: str, resource: ResourceType, record: Model, target: Target | None
) -> Denied | None:
    """Return the refusal where nothing but the state of the record, or of its parent, keeps the actor from it."""
    requirement, facts = registry.requirement(permission), reach.facts(actor, resource, record)
    found = dict.fromkeys(
        each for need in requirement.needs for each in shutting(need, decided_by(need, facts))
    )
    if not found or not Coverage(reach.terms(actor), _in_any_state(requirement)).covers(facts):
        return None
    names = dict(User.objects.filter(pk__in={each.by for each in found if each.by}).values_list("pk", "name"))
    missing = tuple(Link(CODE_OF[each.state], permission, state=each) for each in found)
    return Denied(
        Decision(False, permission, actor.user_id, missing[0].code, missing=missing),
        wording.joined(*(state_words.sentence(each, names.get(each.by or 0, "")) for each in found)),
        event={
            "type": "access.refused",
            "target": target,
            "data": {"permission": permission},
            "reason": str(missing[0].code),
        },
    )


def _in_any_state(requirement: Requirement) -> Requirement:
    return replace(
        requirement, needs=tuple(replace(need, closed_in=State.OPEN) for need in requirement.needs)
    )
