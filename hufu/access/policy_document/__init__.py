"""The policy as one document: each section reads, plans and writes its part.

Planning reads and changes nothing. It finds everything that is wrong with a document, each with its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.policy_document import (
    approvals,
    approved_moves,
    assertions,
    base_access,
    break_glass,
    delegated,
    duplicate_check,
    duties,
    gates,
    given,
    partitions,
    pools,
    prohibitions,
    quotas,
    roles,
    sharing,
)
from hufu.access.policy_document.draft import Draft, Problems, Section, Step

__all__ = [
    "SECTIONS",
    "Draft",
    "Problems",
    "Section",
    "Step",
    "definitions",
    "export",
    "plain",
    "plan",
    "removal_of",
]

# In the order in which they are planned, carried out and written: a section names what stands before it.
SECTIONS: tuple[Section, ...] = (
    partitions.SECTION,
    base_access.SECTION,
    roles.SECTION,
    duties.SECTION,
    given.ASSIGNMENTS,
    given.ADMISSIONS,
    approved_moves.SECTION,
    approvals.SECTION,
    break_glass.SECTION,
    delegated.SECTION,
    prohibitions.SECTION,
    gates.SECTION,
    quotas.SECTION,
    duplicate_check.SECTION,
    sharing.RULES,
    sharing.TERRITORIES,
    pools.SECTION,
    assertions.SECTION,
)


def plan(document: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return the steps that bring the policy to what the document says, in their order; none where it stands.

    Raise Invalid with everything that is wrong with the document.
    """
    draft = Draft()
    known = {"format", "organisation", "removes", *(section.name for section in SECTIONS)}
    if draft.problems.check_keys("", document, known, ("format",)) and document["format"] != 1:
        draft.problems.add("format", _("This version reads format 1."))
    draft.problems.stop()
    for section in SECTIONS:
        # What stands of these two is named by others, whatever the document says of them.
        if section.name in document or section in (partitions.SECTION, roles.SECTION):
            section.plan(draft, document.get(section.name))
    _plan_removals(draft, document.get("removes"))
    draft.problems.stop()
    return tuple(draft.steps)


def _plan_removals(draft: Draft, entry: Any) -> None:
    """Plan what goes: section → entries. It comes last, and what uses it says in the same document that it does not."""
    removable = {section.name: section.remove for section in SECTIONS if section.remove is not None}
    if entry is None or not draft.problems.check_keys("removes", entry, removable, ()):
        return
    for name, remove in removable.items():
        for place, one in draft.problems.entries(f"removes.{name}", entry.get(name)):
            remove(draft, place, one)


def export() -> dict[str, Any]:
    """Return the policy that stands as a document that `plan` finds nothing to do for; needs who may view roles."""
    return _written(SECTIONS)


def definitions(only: Collection[str] | None = None) -> dict[str, Any]:
    """Return what change sets change, as a document: all but what is given to people by deeds of its own.

    `only`: the names of the sections that are wanted.
    """
    changed = [
        replace(section, export=given.export_to_levels) if section is given.ASSIGNMENTS else section
        for section in SECTIONS
        if section is not given.ADMISSIONS and (only is None or section.name in only)
    ]
    document: dict[str, Any] = plain(_written(changed))
    return document


def _written(sections: Iterable[Section]) -> dict[str, Any]:
    written = {section.name: section.export() for section in sections}
    return {
        "format": 1,
        **{name: of for name, of in written.items() if of or name != assertions.SECTION.name},
    }


def removal_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the `removes` that leads from one document of definitions to another: what the latter lacks.

    Versions from before prohibitions were definitions say nothing of them, and end none.
    """
    removes = {}
    for section in SECTIONS:
        if section.remove is None or (section is prohibitions.SECTION and section.name not in after):
            continue
        kept = [section.identity(entry) for entry in after.get(section.name) or ()]
        gone = [
            identity
            for entry in before.get(section.name) or ()
            if (identity := section.identity(entry)) not in kept
        ]
        if gone:
            removes[section.name] = gone
    return removes


def plain(value: Any) -> Any:
    """Return a document with dates as text, so that it has one canonical form."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
