"""The section `approved_moves`: combinations that people may come to without a release. Others stay."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import approvals
from hufu.access.pending_models import ApprovedMove
from hufu.access.policy_document.draft import Draft, Section
from hufu.access.policy_document.principals import find_principal
from hufu.core import wording
from hufu.core.actor import Actor

FACTS = ("department", "level", "position", "group")
FLAGS = ("anything", "below", "manager")


def _plan(draft: Draft, entries: Any) -> None:
    standing = {approvals.identity(row): row for row in ApprovedMove.objects.all()}
    for place, entry in draft.problems.entries("approved_moves", entries):
        if not draft.problems.check_keys(place, entry, (*FACTS, *FLAGS, "reason"), ("reason",)):
            continue
        before = len(draft.problems.found)
        values: dict[str, Any] = {"reason": str(entry["reason"])}
        for flag in FLAGS:
            value = entry.get(flag, False)
            if not isinstance(value, bool):
                draft.problems.add(f"{place}.{flag}", _("This must be true or false."))
            values[flag] = value is True
        for kind in FACTS:
            if entry.get(kind):
                values[kind] = find_principal(kind, str(entry[kind]))
                if values[kind] is None:
                    draft.problems.add(
                        f"{place}.{kind}",
                        wording.unknown(kind, entry[kind]),
                    )
        named = [kind for kind in FACTS if values.get(kind) is not None]
        if bool(named) == values["anything"]:
            draft.problems.add(
                place, _("Name one or more of: %s; or “anything: true” alone.") % ", ".join(FACTS)
            )
        if values["below"] and "department" not in named:
            draft.problems.add(place, _("“below” belongs to a department and is true or false."))
        if values["manager"] and "department" not in named:
            draft.problems.add(place, _("“manager” belongs to a department: it is one who heads it."))
        if len(draft.problems.found) > before:
            continue
        row = ApprovedMove(**values)
        if approvals.identity(row) not in standing:
            standing[approvals.identity(row)] = row
            draft.add(place, f"approved_move:{approvals.words(row)}", partial(_approve, row), creates=True)


def _approve(row: ApprovedMove, actor: Actor) -> None:
    approvals.approve_move(actor, row)


def _export() -> list[dict[str, Any]]:
    rows = ApprovedMove.objects.select_related("department", "level__ladder", "position", "group")
    return [_export_row(row) for row in rows.order_by("id")]


def _export_row(row: ApprovedMove) -> dict[str, Any]:
    exported: dict[str, Any] = {"anything": True} if row.anything else {}
    if row.department is not None:
        exported["department"] = row.department.code
    if row.below:
        exported["below"] = True
    if row.level is not None:
        exported["level"] = f"{row.level.ladder.key}.{row.level.key}"
    if row.position is not None:
        exported["position"] = row.position.key
    if row.group is not None:
        exported["group"] = row.group.key
    if row.manager:
        exported["manager"] = True
    return {**exported, "reason": row.reason}


def _identity(entry: Any) -> Any:
    return {name: value for name, value in entry.items() if name != "reason"}


def _remove(draft: Draft, place: str, entry: Any) -> None:
    """Plan to end the approval of a combination, which is written as in the section."""
    if not draft.problems.check_keys(place, entry, (*FACTS, *FLAGS, "reason"), ()):
        return
    standing = ApprovedMove.objects.select_related("department", "level__ladder", "position", "group")
    ended = [row for row in standing if _identity(_export_row(row)) == _identity(entry)]
    if not ended:
        draft.problems.add(place, _("This combination is not approved."))
    for row in ended:
        deed = partial(approvals.end_approved_move, approved=row, reason="")
        label = f"approved_move:{approvals.words(row)}"
        draft.add(place, label, deed, creates=False, narrows=True, removes=True)


SECTION = Section("approved_moves", _plan, _export, _remove, _identity)
