"""What a duplicate check tells of records that the asker may not view (DESIGN 2.5)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from hufu.access import publishing, reach, registry
from hufu.access.actions import next_number
from hufu.access.duplicate_models import USUAL_FACTS, DuplicateFacts
from hufu.access.registry import Kind, ResourceType, Sensitivity
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid

_TOLD_KINDS = frozenset({Kind.USER, Kind.DEPARTMENT, Kind.PARTITION, Kind.TIMESTAMP, Kind.CHOICE})
_OPEN = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})


def tellable(resource: ResourceType) -> tuple[str, ...]:
    """Return the fields that a check can be made to tell: whose it is, where, since when, and choices. No text."""
    if not resource.has("check_duplicate"):
        return ()
    return tuple(
        declared.name
        for declared in resource.fields
        if declared.kind in _TOLD_KINDS and declared.sensitivity in _OPEN
    )


def told(resource: ResourceType) -> tuple[str, ...]:
    """Return what a check tells of a type, besides that a record exists."""
    row = DuplicateFacts.objects.filter(type=resource.name).first()
    return USUAL_FACTS if row is None else tuple(row.facts)


def set_facts(actor: Actor, resource: ResourceType, facts: Sequence[str]) -> None:
    """Let checks of a type tell exactly this; nothing but that a record exists where it is empty."""
    publishing.authorize(actor)
    if unknown := set(facts) - set(tellable(resource)):
        raise Invalid({"facts": [_("A duplicate check cannot tell “%s”.") % min(unknown)]})
    before = told(resource)
    row = DuplicateFacts.objects.filter(type=resource.name).first()
    if row is None:
        DuplicateFacts(id=next_number(DuplicateFacts), type=resource.name, facts=list(facts)).save(
            force_insert=True
        )
    else:
        row.facts = list(facts)
        row.save(update_fields=["facts"])
    record(
        actor,
        "duplicate_check.configured",
        data={"type": resource.name, "before": list(before), "after": list(facts)},
    )
    reach.changed()


def types() -> tuple[ResourceType, ...]:
    """Return the types that have a duplicate check."""
    return tuple(resource for resource in registry.resource_types() if resource.has("check_duplicate"))
