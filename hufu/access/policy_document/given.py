"""The sections `assignments` and `admissions`: what is given to principals. What a document does not name stays."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from hufu.access import actions
from hufu.access.decision.terms import Right
from hufu.access.models import PRINCIPALS, Admission, Assignment
from hufu.access.policy_document.draft import Draft, Problems, Section
from hufu.access.policy_document.principals import (
    export_principal,
    principal_words,
    read_moment,
    read_principal,
)
from hufu.access.policy_document.roles import refuse_administrator, risk_of_role
from hufu.access.queries import PRINCIPAL_NAMES
from hufu.access.registry import Risk
from hufu.core import wording
from hufu.core.actor import Actor

GIVEN_KEYS = {"to", "reason", "starts", "ends"}


def _plan_given(draft: Draft, section: str, entries: Any) -> None:
    """Plan to give the section's roles (or admissions) to principals, unless just that was given already."""
    what = "role" if section == "assignments" else "partition"
    things = draft.roles if what == "role" else draft.partitions
    present = _present(section)
    for place, entry in draft.problems.entries(section, entries):
        allowed = {what, *GIVEN_KEYS} | ({"rights"} if what == "partition" else set())
        if not draft.problems.check_keys(place, entry, allowed, (what, "to", "reason")):
            continue
        before = len(draft.problems.found)
        key = str(entry[what])
        if key not in things:
            draft.problems.add(f"{place}.{what}", wording.unknown(what, key))
        principal = read_principal(f"{place}.to", entry["to"], draft.problems)
        starts_at = read_moment(f"{place}.starts", entry.get("starts"), draft.problems)
        ends_at = read_moment(f"{place}.ends", entry.get("ends"), draft.problems)
        if starts_at and ends_at and starts_at >= ends_at:
            draft.problems.add(f"{place}.ends", _("It would end before it starts."))
        rights = _rights(place, entry.get("rights"), draft.problems) if what == "partition" else frozenset()
        if principal is not None and principal.level is not None and what == "role":
            refuse_administrator(draft, f"{place}.to", key)
        if principal is None or len(draft.problems.found) > before:
            continue
        identity = (key, str(principal), starts_at, ends_at, rights)
        if identity in present:
            continue
        present.add(identity)
        term = {"to": principal, "reason": str(entry["reason"]), "starts_at": starts_at, "ends_at": ends_at}
        deed = (
            partial(_assign, draft, key, term)
            if what == "role"
            else partial(_admit, draft, key, {**term, "rights": rights})
        )
        words = f"{section[:-1]}:{key} → {principal_words(principal)}"
        # What the levels hold is a definition; what people, groups, departments and positions are given is not.
        of_level = what == "role" and principal.level is not None
        risk = risk_of_role(draft, key) if of_level else Risk.HIGH
        label = f"{section}:{key}→{principal}"
        draft.add(place, label, deed, creates=True, words=words, risk=risk, given=not of_level)


def _assign(draft: Draft, key: str, values: Mapping[str, Any], actor: Actor) -> None:
    actions.assign_role(actor, draft.role(key), **values)


def _admit(draft: Draft, key: str, values: Mapping[str, Any], actor: Actor) -> None:
    actions.admit(actor, draft.partition(key), **values)


def _present(section: str) -> set[tuple[Any, ...]]:
    if section == "assignments":
        return {
            (row.role.key, str(actions.given_to(row)), row.starts_at, row.ends_at, frozenset())
            for row in Assignment.objects.select_related("role", *PRINCIPALS)
        }
    return {
        (row.partition.key, str(actions.given_to(row)), row.starts_at, row.ends_at, rights_of(row))
        for row in Admission.objects.select_related("partition", *PRINCIPALS)
    }


def rights_of(row: Admission) -> frozenset[Right]:
    """Return what an admission gives; read is always among it."""
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def _rights(place: str, entry: Any, problems: Problems) -> frozenset[Right]:
    rights = {Right.READ}
    for name in problems.names(f"{place}.rights", entry):
        try:
            rights.add(Right(name))
        except ValueError:
            problems.add(f"{place}.rights", _("“%s” is not one of read, create, edit, delete.") % name)
    return frozenset(rights)


def export_to_levels() -> list[dict[str, Any]]:
    """Return what levels hold: of all that is given, this alone is a definition."""
    return _exported(Assignment.objects.filter(level__isnull=False))


def _export_assignments() -> list[dict[str, Any]]:
    return _exported(Assignment.objects.all())


def _exported(assignments: QuerySet[Assignment]) -> list[dict[str, Any]]:
    return [
        {"role": row.role.key, **_export_given(row)}
        for row in assignments.select_related("role", *PRINCIPAL_NAMES).order_by("id")
    ]


def _export_admissions() -> list[dict[str, Any]]:
    return [
        {
            "partition": row.partition.key,
            "rights": sorted(str(right) for right in rights_of(row)),
            **_export_given(row),
        }
        for row in Admission.objects.select_related("partition", *PRINCIPAL_NAMES).order_by("id")
    ]


def _export_given(row: Assignment | Admission) -> dict[str, Any]:
    exported = {"to": export_principal(row), "reason": row.reason}
    if row.starts_at:
        exported["starts"] = row.starts_at.isoformat()
    if row.ends_at:
        exported["ends"] = row.ends_at.isoformat()
    return exported


def _remove_assignment(draft: Draft, place: str, entry: Any) -> None:
    """Plan to take a role from a level again."""
    if not draft.problems.check_keys(place, entry, ("role", "to"), ("role", "to")):
        return
    principal = read_principal(f"{place}.to", entry["to"], draft.problems)
    if principal is None:
        return
    if principal.level is None:
        draft.problems.add(
            place, _("Only what a level holds is a definition; end other assignments by themselves.")
        )
        return
    held = Assignment.objects.select_related("role", *PRINCIPALS).filter(
        role__key=str(entry["role"]), level=principal.level
    )
    if not held.exists():
        draft.problems.add(place, _("The level does not hold this role."))
        return
    label = f"assignments:{entry['role']}→{principal}"
    words = f"assignment:{entry['role']} → {principal_words(principal)}"
    deed = partial(_end_assignments, list(held))
    draft.add(place, label, deed, creates=False, words=words, narrows=True, removes=True)


def _end_assignments(held: list[Assignment], actor: Actor) -> None:
    for assignment in held:
        actions.end_assignment(actor, assignment, reason="")


def _identity(entry: Any) -> Any:
    return {"role": entry["role"], "to": entry["to"]}


def _plan_assignments(draft: Draft, entries: Any) -> None:
    _plan_given(draft, "assignments", entries)


def _plan_admissions(draft: Draft, entries: Any) -> None:
    _plan_given(draft, "admissions", entries)


ASSIGNMENTS = Section("assignments", _plan_assignments, _export_assignments, _remove_assignment, _identity)
ADMISSIONS = Section("admissions", _plan_admissions, _export_admissions)
