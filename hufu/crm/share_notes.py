"""What a share by hand opens to somebody named, said to whoever may share the record: nothing, and why."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from hufu.access.models import RecordShare, TeamMember
from hufu.access.registry import ResourceType


def lacking(resource: ResourceType, record_id: int, person_id: int, access: str) -> str | None:
    """Return the permission without which a share opens nothing (more) to somebody, where they hold it at no scope.

    The database refuses whoever may not share the record.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.lacks_for_share(%s, %s, %s, %s)", [resource.name, record_id, person_id, access]
        )
        found: str | None = cursor.fetchone()[0]
    return found


def all_lacking(resource: ResourceType, record_id: int, shares: Iterable[RecordShare]) -> dict[int, str]:
    """Return for shares with somebody by name what is lacking, by the number of the share."""
    named = [share for share in shares if share.user_id is not None]
    if not named:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, hufu.lacks_for_share(%s, %s, s.person, s.access)"
            " FROM unnest(%s::bigint[], %s::int[], %s::text[]) s (id, person, access)",
            [
                *(resource.name, record_id),
                *([getattr(share, name) for share in named] for name in ("pk", "user_id", "access")),
            ],
        )
        return {number: permission for number, permission in cursor.fetchall() if permission is not None}


def outside(shares: Iterable[RecordShare], partition_id: int) -> frozenset[int]:
    """Return the shares with somebody by name whom the wall of a partition keeps out, by number."""
    named = [share for share in shares if share.user_id is not None and share.across_by is None]
    if not named:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id FROM unnest(%s::bigint[], %s::int[], %s::boolean[]) s (id, person, to_edit)"
            " WHERE NOT hufu.is_admitted(s.person, %s, s.to_edit)",
            [
                [share.pk for share in named],
                [share.user_id for share in named],
                [share.access == TeamMember.Access.EDIT for share in named],
                partition_id,
            ],
        )
        return frozenset(row[0] for row in cursor.fetchall())
