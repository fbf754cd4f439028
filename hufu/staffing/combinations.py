"""The combination of facts that a waiting change comes to, as it would be approved beforehand."""

from __future__ import annotations

from typing import Any

from hufu.access.pending_models import PendingChange, PendingField
from hufu.people.models import Department, Group, Level, Position, User


def combination_of(row: PendingChange) -> dict[str, Any] | None:
    """Return the entry of `approved_moves` by which this would not have waited; None where none could say it.

    Posts, places of departments and what is left are looked at one by one: no combination approves them.
    """
    if row.user_id is None or row.leaves or row.value is None:
        return None
    user = User.objects.select_related("main_department", "level__ladder").get(pk=row.user_id)
    where = {"department": user.main_department.code} if user.main_department else {}
    match row.field:
        case PendingField.DEPARTMENT:
            department = Department.objects.get(pk=row.value)
            return {"department": department.code, **_level(user.level)}
        case PendingField.LEVEL:
            return {**where, **_level(Level.objects.select_related("ladder").get(pk=row.value))}
        case PendingField.POSITION:
            return {**where, "position": Position.objects.get(pk=row.value).key}
        case PendingField.GROUP:
            return {**where, "group": Group.objects.get(pk=row.value).key}
        case PendingField.MANAGER if where:
            return {**where, "manager": True}
    return None


def _level(level: Level | None) -> dict[str, str]:
    return {"level": f"{level.ladder.key}.{level.key}"} if level else {}
