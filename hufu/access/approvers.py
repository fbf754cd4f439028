"""Deeds on who decides about requests: authorize → change → record. Definitions (see hufu.access.publishing)."""

from __future__ import annotations

from typing import Any

from hufu.access import publishing
from hufu.access.actions import Principal
from hufu.access.models import PRINCIPALS
from hufu.access.request_models import Approver
from hufu.audit import record
from hufu.core.actor import Actor


def appoint(actor: Actor, approver: Approver) -> None:
    """Let somebody decide about requests of a kind, too. Where nobody is named, whoever may do what is asked does."""
    publishing.authorize(actor)
    approver.save(force_insert=True)
    record(actor, "approver.named", data=said(approver))


def dismiss(actor: Actor, approver: Approver) -> None:
    """Let somebody decide about these no longer."""
    publishing.authorize(actor)
    words = said(approver)
    approver.delete()
    record(actor, "approver.ended", data=words)


def principal_of(row: Approver) -> Principal | None:
    """Return the people that a row names, if it names any."""
    if row.by != Approver.By.NAMED:
        return None
    return Principal(**{name: getattr(row, name) for name in (*PRINCIPALS, "below", "post")})


def said(row: Approver) -> dict[str, Any]:
    """Return what a row says, for the log and for comparing."""
    to = principal_of(row)
    return {
        "type": row.type,
        "partition": row.partition.key if row.partition else None,
        "role": row.role.key if row.role else None,
        "by": row.by,
        "by_role": row.by_role.key if row.by_role else None,
        "principal": str(to) if to else None,
    }
