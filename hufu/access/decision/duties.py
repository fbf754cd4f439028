"""Separation of duties, from a snapshot: what stands in the way of giving somebody a role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hufu.access.decision.snapshot import DutyFacts, Given, PersonFacts, Snapshot


@dataclass(frozen=True)
class Clash:
    """A duty that forbids a role: the role of it that would come, and those that are held, each with the chain of roles
    from the one that was given, and the gift."""

    duty: DutyFacts
    role_id: int
    held: tuple[tuple[tuple[int, ...], Given], ...]


def clashes(snapshot: Snapshot, person: PersonFacts, role_id: int) -> Iterator[Clash]:
    """Yield the duties against which somebody would stand who were given a role from now on."""
    coming = set(_closure(snapshot, role_id))
    held: dict[int, tuple[tuple[int, ...], Given]] = {}
    for given in snapshot.assignments:
        if given.role_id is None or not snapshot.reaches(given, person):
            continue
        if given.ends_at is not None and given.ends_at <= snapshot.at:
            continue
        for role, chain in _closure(snapshot, given.role_id).items():
            known = held.get(role)
            if known is None or len(chain) < len(known[0]):
                held[role] = (chain, given)
    for duty in snapshot.duties.values():
        new = sorted(duty.roles & coming - held.keys())
        standing = [held[role] for role in sorted(duty.roles & held.keys())]
        if new and standing and len(new) + len(standing) > duty.most:
            yield Clash(duty, new[0], tuple(standing))


def _closure(snapshot: Snapshot, role_id: int) -> dict[int, tuple[int, ...]]:
    """Return a role and all that it inherits, each with the shortest chain from the role to it."""
    found: dict[int, tuple[int, ...]] = {role_id: (role_id,)}
    waiting = [role_id]
    while waiting:
        role = waiting.pop(0)
        for other in snapshot.roles[role].inherits:
            if other not in found:
                found[other] = (*found[role], other)
                waiting.append(other)
    return found
