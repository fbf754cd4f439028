"""What could be asked for where something is denied: a share of the record, a role, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hufu.access.decision.decide import Code, Decision, Link
from hufu.access.decision.terms import Share


class Asking(StrEnum):
    """What a request would be for. `WALL`: for nothing, a partition is in the way."""

    RECORD = "record"
    PERMISSION = "permission"
    WALL = "wall"


@dataclass(frozen=True)
class Hint:
    """A request that would help: for the record (to view or also edit), or for a permission."""

    asking: Asking
    opens: Share = Share.NONE
    permission: str = ""


# What only names the link that follows it.
_NAMING = {Code.NO_VIEW, Code.NO_PARENT, Code.RULE_BROKEN}


def helpful(decision: Decision) -> tuple[Hint, ...]:
    """Return what the person could ask for that would help, all of it; nothing where a request cannot help."""
    links = [link for link in decision.missing if link.code not in _NAMING]
    if any(link.code is Code.NOT_ADMITTED and link.need is not None for link in links):
        return (Hint(Asking.WALL),)
    if (
        decision.allowed
        or not links
        or any(link.code not in (Code.NO_GRANT, Code.OUT_OF_SCOPE) for link in links)
    ):
        return ()
    shared = [_shared(link) for link in links if _shared(link)]
    hints = [Hint(Asking.RECORD, max(shared))] if shared else []
    wanted = dict.fromkeys(link.permission for link in links if not _shared(link))
    return (*hints, *(Hint(Asking.PERMISSION, permission=permission) for permission in wanted))


def _shared(link: Link) -> Share:
    """Return what of a record a share would have to open for this link; NONE where none would help."""
    return link.need.share if link.code is Code.OUT_OF_SCOPE and link.need is not None else Share.NONE
