"""A refused deed leaves its event and nothing else."""

from __future__ import annotations

from django.db import Error as DatabaseError

from hufu.audit import spool
from hufu.audit.recording import Event, record
from hufu.core.actor import Actor
from hufu.core.errors import Refusal, Unavailable


def write_refusal(actor: Actor, refusal: Refusal) -> None:
    """Write the event of a refusal whose changes are rolled back.

    If the log cannot take it, the event goes to the spool and the error is raised: the request ends with 503.
    """
    if refusal.event is None:
        return
    event = {"result": "refused", **refusal.event}
    try:
        record(actor, **event)
    except (DatabaseError, Unavailable) as error:
        spool.write(actor, Event(**event), failure=type(error).__name__)
        raise
