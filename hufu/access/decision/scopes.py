"""Scopes are sets that unite. Every scope but nothing includes what one owns."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag


class Scope(IntFlag):
    """A set of records relative to the holder. The bits are those of access_term_grant.scopes.

    SHARED and POOL are no scopes that a role grants: they say that a share, or the membership of a pool, holds the
    record where no scope does.
    """

    NOTHING = 0
    OWN = 1
    TEAM = 2
    DIRECT_REPORTS = 4
    SUBORDINATES = 8
    DEPARTMENT = 16
    DEPARTMENT_AND_BELOW = 32
    EVERYTHING = 64
    SHARED = 128
    POOL = 256


NAMES: dict[str, Scope] = {
    "own": Scope.OWN,
    "team": Scope.TEAM,
    "direct_reports": Scope.DIRECT_REPORTS,
    "subordinates": Scope.SUBORDINATES,
    "department": Scope.DEPARTMENT,
    "department_and_below": Scope.DEPARTMENT_AND_BELOW,
    "everything": Scope.EVERYTHING,
}


def named(name: str) -> Scope:
    """Return the scope of that name, with what it includes; raise KeyError for an unknown name."""
    return NAMES[name] | Scope.OWN


def names(scopes: Scope) -> tuple[str, ...]:
    """Return the names of the scopes in a mask, narrowest first; `own` only where it stands alone."""
    listed = tuple(name for name, scope in NAMES.items() if scope in scopes)
    return listed if listed == ("own",) else tuple(name for name in listed if name != "own")


def is_within(scope: str, other: str) -> bool:
    """Say whether one scope never holds more than another, whoever has it and wherever they stand."""
    if scope not in NAMES or other not in NAMES:
        return False
    return (
        scope in ("own", other)
        or other == "everything"
        or (scope, other) in {("department", "department_and_below"), ("direct_reports", "subordinates")}
    )


def united(scopes: Iterable[Scope]) -> Scope:
    """Return the union."""
    result = Scope.NOTHING
    for scope in scopes:
        result |= scope
    return result
