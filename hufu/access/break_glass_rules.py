"""Deeds on who may break which glass: authorize → change → record. Definitions (see hufu.access.publishing)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hufu.access import guard, publishing, reach
from hufu.access.break_glass_models import BreakGlass
from hufu.access.models import Partition, Role
from hufu.audit import record
from hufu.core.actor import Actor


@dataclass(frozen=True)
class Rule:
    """What holders of a role may open, where, for what, and for how many minutes at most. No partition: everywhere."""

    key: str
    name: str
    role: str
    types: tuple[str, ...]
    partitions: tuple[str, ...]
    access: str
    minutes: int

    def narrows(self, before: Rule) -> bool:
        """Say whether it differs from what stands by taking away alone; the database asks again."""
        return (
            (self.key, self.name, self.role) == (before.key, before.name, before.role)
            and set(self.types) <= set(before.types)
            and self.minutes <= before.minutes
            and self.access in (BreakGlass.Access.READ, before.access)
            and (
                not before.partitions
                or (bool(self.partitions) and set(self.partitions) <= set(before.partitions))
            )
        )

    def words(self) -> dict[str, Any]:
        """Return it for the log."""
        return {
            "name": self.name,
            "role": self.role,
            "types": list(self.types),
            "partitions": list(self.partitions),
            "access": self.access,
            "minutes": self.minutes,
        }


def standing(row: BreakGlass) -> Rule:
    """Return what a rule that stands says."""
    keys = dict(Partition.objects.filter(pk__in=row.partitions).values_list("pk", "key"))
    places = tuple(keys[number] for number in row.partitions if number in keys)
    return Rule(row.key, row.name, row.role.key, tuple(row.types), places, row.access, row.minutes)


def set_rule(actor: Actor, rule: Rule, *, role: Role, partitions: Iterable[Partition]) -> None:
    """Bring a rule to exactly this, or add it."""
    publishing.authorize(actor)
    row = BreakGlass.objects.select_related("role").filter(key=rule.key).first()
    before = standing(row).words() if row else None
    values: dict[str, Any] = {
        "name": rule.name,
        "role": role,
        "types": list(rule.types),
        "partitions": [each.pk for each in partitions],
        "access": rule.access,
        "minutes": rule.minutes,
    }
    if row is None:
        BreakGlass(key=rule.key, **values).save(force_insert=True)
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
    record(actor, "glass.ruled", data={"key": rule.key, "before": before, "after": rule.words()})
    reach.changed()


def remove_rule(actor: Actor, row: BreakGlass) -> None:
    """Let nobody use a rule any more; what is open by it ends at once."""
    if not publishing.is_on():
        guard.authorize(actor, "role.manage")
    key, before = row.key, standing(row).words()
    row.delete()
    record(actor, "glass.unruled", data={"key": key, "before": before})
    reach.changed()
