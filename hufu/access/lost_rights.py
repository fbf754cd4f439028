"""A right that is lost between the check and the deed: the database refuses then, and it is the refusal of the check.

The guard allows, somebody takes the role away and commits, the deed writes: the row policies know already. What the
guard allowed in this transaction is asked again, by what holds now, and says no as it would have said before.
"""

from __future__ import annotations

import logging

from hufu.access import guard, reach
from hufu.core.actor import Actor
from hufu.core.errors import Refusal
from hufu.core.transaction import undone

logger = logging.getLogger(__name__)


def lost(actor: Actor) -> Refusal | None:
    """Return the refusal of what was allowed in this transaction and is not any more; None where all of it still is."""
    with undone():
        reach.forget()
        for permission, record_id in guard.allowed_so_far():
            try:
                if record_id is None:
                    guard.authorize(actor, permission)
                else:
                    guard.get(actor, permission, record_id)
            except Refusal as refusal:
                return refusal
    return None


def refusal(actor: Actor, error: Exception) -> Refusal | None:
    """Return the refusal that answers the database's (`hufu.core.database_refusals`) after it was undone.

    None where the guard was asked for nothing: such a deed has a fault of its own.
    """
    allowed = guard.allowed_so_far()
    if not allowed:
        return None
    found = lost(actor)
    if found is not None:
        return found
    # Neither a permission nor a record of its own tells: a partition that closed, or halves that do not match.
    logger.warning("the database refused what the guard allows: %s", error)
    permission, _record_id = allowed[-1]
    return guard.denied(actor, permission)
