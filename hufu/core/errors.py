"""What can go wrong in a query or a deed, as the doors (pages, commands) see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class HufuError(Exception):
    """Base of all errors that say what happened, why, and what to do next."""


class Refusal(HufuError):
    """Something was not allowed. It leaves its event in the log and nothing else.

    `event` is what the log will say: keyword arguments of `audit.record` without the actor.
    """

    def __init__(self, message: str = "", *, event: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.event = event


class NotFound(Refusal):
    """The record does not exist, or the actor may not view it; both look the same."""


class Denied(Refusal):
    """The actor may know of the thing, but may not do this with it. `decision` says why."""

    def __init__(self, decision: Any, message: str = "", *, event: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, event=event)
        self.decision = decision


class NotAsked(Denied):
    """What was asked for is not to be had so, though the permission is held; the message says what would be."""


class SecondFactorNeeded(Denied):
    """All that is missing is a fresh second factor: prove one, then the same request is answered."""


class GateClosed(Denied):
    """The actor can do nothing at all right now: a gate on signing in, or on this person, is closed."""


class Invalid(HufuError):
    """The input is wrong. `problems` maps a field (or `""` for the whole) to its messages."""

    def __init__(self, problems: Mapping[str, Sequence[Any]]) -> None:
        super().__init__("; ".join(str(message) for messages in problems.values() for message in messages))
        self.problems = {name: list(messages) for name, messages in problems.items()}


class Conflict(HufuError):
    """Somebody else changed the record since it was read; nothing was overwritten."""


class NothingToDecide(Conflict):
    """Nothing waits for the actor's decision here: it is decided, somebody else's, or absent; all look the same."""


class TooLate(Conflict):
    """What was asked for is done already, by whomever; the message says how it stands now."""


class Unavailable(HufuError):
    """Something that is needed (a server, a file, a built asset) is not there."""
