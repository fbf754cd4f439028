"""The states of a record that close it, whoever somebody is: void (作废), locked (锁定), held by an approval task.

A state is part of coverage. Which verbs it closes stands in one table; the same stands in the database, made from it
(hufu/access/states.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag


class State(IntFlag):
    """What a record can be beside open. It can be several of them at once."""

    OPEN = 0
    VOID = 1
    LOCKED = 2
    PENDING = 4


@dataclass(frozen=True)
class StateFacts:
    """One state of a record: since when, by whom and why. An explanation says what is known of these."""

    state: State
    since: datetime | None = None
    by: int | None = None
    reason: str = ""


# Looking at a record is open in every state.
_LOOKING = frozenset({"view", "reveal", "export", "print", "check_duplicate"})
# What is still done to a record in a state; everything else is closed. A void one can go to the bin and come back; a
# locked one stays as it is until it is unlocked. INVARIANT: `lock` is open in every state, `void` in its own, so that
# there is always a way out.
_STILL_OPEN: dict[State, frozenset[str]] = {
    State.VOID: _LOOKING | {"void", "lock", "delete", "restore", "purge"},
    State.LOCKED: _LOOKING | {"lock"},
    State.PENDING: _LOOKING | {"lock"},
}


def closing(verb: str) -> State:
    """Return the states in which a verb is closed."""
    closed = State.OPEN
    for state, still_open in _STILL_OPEN.items():
        if verb not in still_open:
            closed |= state
    return closed
