"""What a change changed, in the two halves that the log keeps apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypedDict


class Changes(TypedDict):
    """The two halves, as keyword arguments of `record` and `Event`."""

    data: dict[str, Any]
    personal: dict[str, Any]


def changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, *, sealed: Collection[str]
) -> Changes:
    """Return `data` and `personal` for `record(…, **changes(…))` of a created, changed or deleted event.

    Each field whose value differs appears with its value before and after; `sealed` names those whose values
    are personal or confidential and kept as ciphertext. `before` is None for a creation, `after` for a
    deletion; there a field appears when it has a value.
    """
    halves: dict[str, dict[str, Any]] = {"data": {}, "personal": {}}
    for name in dict.fromkeys([*(before or {}), *(after or {})]):
        old = None if before is None else before.get(name)
        new = None if after is None else after.get(name)
        if old == new:
            continue
        change: dict[str, Any] = {}
        if before is not None:
            change["before"] = old
        if after is not None:
            change["after"] = new
        halves["personal" if name in sealed else "data"][name] = change
    return Changes(
        data={"changes": halves["data"]} if halves["data"] else {},
        personal={"changes": halves["personal"]} if halves["personal"] else {},
    )
