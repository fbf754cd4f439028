"""Combinations of facts approved beforehand: whoever comes to them need not wait for a release."""

from __future__ import annotations

from hufu.access import guard, publishing
from hufu.access.pending_models import ApprovedMove
from hufu.audit import record
from hufu.core.actor import Actor

Identity = tuple[object, ...]


def approve_move(actor: Actor, approved: ApprovedMove) -> None:
    """Approve a combination from now on: a definition (see hufu.access.publishing)."""
    publishing.authorize(actor)
    approved.save(force_insert=True)
    record(actor, "move.approved", data={"combination": words(approved)}, reason=approved.reason)


def end_approved_move(actor: Actor, approved: ApprovedMove, *, reason: str) -> None:
    """Let what comes to this combination wait again. What was done under it stays."""
    if not publishing.is_on():
        guard.authorize(actor, "role.manage")
    said = words(approved)
    approved.delete()
    record(actor, "move.approval_ended", data={"combination": said}, reason=reason)


def identity(row: ApprovedMove) -> Identity:
    """Return what a row approves, for comparing; its reason is no part of it."""
    return (
        row.anything,
        row.department_id,
        row.below,
        row.level_id,
        row.position_id,
        row.group_id,
        row.manager,
    )


def words(row: ApprovedMove) -> str:
    """Return what a row approves as one text for the log, by numbers: “department:4+ level:2 manager”."""
    if row.anything:
        return "anything"
    said = []
    if row.department_id is not None:
        said.append(f"department:{row.department_id}{'+' if row.below else ''}")
    for kind in ("level", "position", "group"):
        number = getattr(row, f"{kind}_id")
        if number is not None:
            said.append(f"{kind}:{number}")
    return " ".join([*said, *(["manager"] if row.manager else [])])
