"""A refused deed leaves its event and nothing else."""

from __future__ import annotations

from typing import Any

from hufu.audit import spool
from hufu.audit.recording import Event, record
from hufu.core.actor import Actor
from hufu.core.errors import Refusal


def write_refusal(actor: Actor, refusal: Refusal) -> None:
    """Write the event of a refusal whose changes are rolled back."""
    if refusal.event is not None:
        record(actor, **_event_of(refusal))


def spool_refusal(actor: Actor, refusal: Refusal, error: Exception) -> None:
    """Keep in the spool what the log could not take; the request ends with 503."""
    if refusal.event is not None:
        spool.write(actor, Event(**_event_of(refusal)), failure=type(error).__name__)


def _event_of(refusal: Refusal) -> dict[str, Any]:
    return {"result": "refused", **(refusal.event or {})}
