"""Pools in words, and for programs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from hufu.access.decision.near import NearMiss, Nearness
from hufu.access.decision.pools import PoolShare, pool_of
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts


def cover_sentence(share: PoolShare, principal: str) -> str:
    """Return why a record in a pool reaches one of its members."""
    return _(
        "The record lies in the pool “%(pool)s”, of which they are a member through %(principal)s: they may view "
        "and claim it as far as they hold these permissions at all."
    ) % {"pool": share.pool.name, "principal": principal}


def missing_sentence(snapshot: Snapshot, record: RecordFacts | None) -> str:
    """Return why scopes that go by owner and department do not hold a record in a pool."""
    pool = pool_of(snapshot, record) if record is not None else None
    return _(
        "The record lies in the pool “%s” and has no owner: it is nobody's own or subordinates', and of no department, "
        "until somebody claims it."
    ) % (pool.name if pool else "")


def near_sentence(miss: NearMiss, principal: str) -> str:
    """Return the sentence about members of the record's pool."""
    words = {"pool": miss.pool.name if miss.pool else "", "principal": principal}
    if miss.nearness is Nearness.WITHOUT_PERMISSION:
        return (
            _(
                "They are a member of the pool “%(pool)s” through %(principal)s, but only those profit who hold the "
                "permission."
            )
            % words
        )
    return _("A member of the pool “%(pool)s” is %(principal)s.") % words


def structure(share: PoolShare) -> dict[str, Any]:
    """Return a pool on the path for programs."""
    return {"id": share.pool.id, "key": share.pool.key, "name": share.pool.name}
