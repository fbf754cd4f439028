"""The section `duplicate_check`: what a duplicate check tells, by type. What is not named stays."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import duplicate_facts
from hufu.access.duplicate_models import DuplicateFacts
from hufu.access.policy_document.draft import Draft, Section
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor


def _plan(draft: Draft, entry: Any) -> None:
    """Plan what checks of the named types tell: a list of fields, an empty one for nothing but that a record exists."""
    if entry is None:
        return
    known = {resource.name: resource for resource in duplicate_facts.types()}
    if not draft.problems.check_keys("duplicate_check", entry, known, ()):
        return
    standing = dict(DuplicateFacts.objects.values_list("type", "facts"))
    for name, listed in entry.items():
        place = f"duplicate_check.{name}"
        resource = known[name]
        facts = draft.problems.names(place, listed)
        tellable = duplicate_facts.tellable(resource)
        for fact in facts:
            if fact not in tellable:
                draft.problems.add(
                    place,
                    _("“%(text)s” is not one of: %(allowed)s.")
                    % {"text": fact, "allowed": ", ".join(tellable)},
                )
        if standing.get(name) == facts:
            continue
        draft.add(
            place,
            f"duplicate_check:{name}",
            partial(_set, resource, facts),
            creates=name not in standing,
            narrows=not facts,
        )


def _set(resource: ResourceType, facts: list[str], actor: Actor) -> None:
    duplicate_facts.set_facts(actor, resource, facts)


def _export() -> dict[str, list[str]]:
    return dict(DuplicateFacts.objects.order_by("type").values_list("type", "facts"))


SECTION = Section("duplicate_check", _plan, _export)
