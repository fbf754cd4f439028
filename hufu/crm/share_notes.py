"""What a share by hand opens to those whom it names, said to whoever may share the record: nothing, and why."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from hufu.access.actions import Principal
from hufu.access.models import RecordShare, TeamMember
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor


def lacking(
    actor: Actor, resource: ResourceType, record_id: int, to: Principal, access: str, *, superiors: bool
) -> str | None:
    """Return the permission without which a share opens nothing (more), where nobody whom it reaches holds it.

    Of somebody named it is theirs alone that counts. The database refuses whoever may not share the record.
    """
    with connection.cursor() as cursor:
        if to.user is not None:
            cursor.execute(
                "SELECT hufu.lacks_for_share(%s, %s, %s, %s)", [resource.name, record_id, to.user.pk, access]
            )
        else:
            cursor.execute(
                "SELECT hufu.all_lack_for_share(%s, %s, %s, %s, %s, %s)",
                [resource.name, record_id, str(to), superiors, actor.user_id, access],
            )
        found: str | None = cursor.fetchone()[0]
    return found


def all_lacking(resource: ResourceType, record_id: int, shares: Iterable[RecordShare]) -> dict[int, str]:
    """Return for shares what is lacking, by the number of the share; one query."""
    numbers = [share.pk for share in shares]
    if not numbers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, CASE WHEN s.user_id IS NOT NULL THEN hufu.lacks_for_share(%s, %s, s.user_id, s.access)"
            " ELSE hufu.all_lack_for_share(%s, %s, hufu.principal(s.user_id, s.group_id, s.department_id, s.below,"
            " s.post, s.position_id, s.level_id), s.superiors, s.given_by, s.access) END"
            " FROM access_share s WHERE s.id = ANY(%s)",
            [*(resource.name, record_id) * 2, numbers],
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
