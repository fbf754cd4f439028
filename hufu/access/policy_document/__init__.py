"""The policy as one document: each section reads, plans and writes its part.

Planning reads and changes nothing. It finds everything that is wrong with a document, each with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.policy_document import (
    approved_moves,
    base_access,
    delegated,
    duties,
    gates,
    given,
    partitions,
    quotas,
    roles,
    sharing,
)
from hufu.access.policy_document.draft import Draft, Problems, Section, Step

__all__ = ["SECTIONS", "Draft", "Problems", "Section", "Step", "export", "plan"]

# In the order in which they are planned, carried out and written: a section names what stands before it.
SECTIONS: tuple[Section, ...] = (
    partitions.SECTION,
    base_access.SECTION,
    roles.SECTION,
    duties.SECTION,
    given.ASSIGNMENTS,
    given.ADMISSIONS,
    approved_moves.SECTION,
    delegated.SECTION,
    gates.SECTION,
    quotas.SECTION,
    sharing.RULES,
    sharing.TERRITORIES,
)


def plan(document: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return the steps that bring the policy to what the document says, in their order; none where it stands.

    Raise Invalid with everything that is wrong with the document.
    """
    draft = Draft()
    known = {"format", "organisation", *(section.name for section in SECTIONS)}
    if draft.problems.check_keys("", document, known, ("format",)) and document["format"] != 1:
        draft.problems.add("format", _("This version reads format 1."))
    draft.problems.stop()
    for section in SECTIONS:
        section.plan(draft, document.get(section.name))
    draft.problems.stop()
    return tuple(draft.steps)


def export() -> dict[str, Any]:
    """Return the policy that stands as a document that `plan` finds nothing to do for; needs who may view roles."""
    return {"format": 1, **{section.name: section.export() for section in SECTIONS}}
