"""Quotas: how often somebody may use a permission in an hour and in a day.

A decision reads them: one that is used up closes its permission as a gate does, in both halves, until the hour or the
day is over. The deed counts: `consume` is called in the deed's own transaction, and what would exceed the most
restrictive quota is refused. They bind people; actors that the code declares have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.decision.decide import Code, Decision, Link
from hufu.access.decision.gates import ClosedGate, Condition, Gate
from hufu.audit import Target, record
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.core.errors import Denied
from hufu.core.transaction import current_unit, unit_cache

HOUR, DAY = "hour", "day"
_WARNINGS = "access.quota_warnings"


@dataclass(frozen=True)
class Standing:
    """How somebody stands with one limit of a quota: `used` of `most` in the span that ends at `opens_at`."""

    id: int
    key: str
    name: str
    span: str
    most: int
    used: int
    opens_at: datetime

    @property
    def left(self) -> int:
        return max(0, self.most - self.used)


def standing(actor: Actor, counted: str) -> tuple[Standing, ...]:
    """Return how the actor stands with every limit on a permission, the one with the least left first.

    None at all where no quota binds them.
    """
    if not _is_counted(actor, counted):
        return ()
    found = _asked(
        "SELECT id, key, name, zone, span, most, used, opens_at FROM hufu.my_quotas(%s)", [counted]
    )
    return tuple(sorted((_standing(row) for row in found), key=lambda one: (one.left, one.opens_at)))


def consume(
    actor: Actor,
    counted: str,
    amount: int = 1,
    *,
    records: Sequence[int] | None = None,
    target: Target | None = None,
) -> None:
    """Count the use of a permission in the running transaction, or raise Denied where a quota would be exceeded.

    With `records` each of them counts once in an hour and once in a day, however often it is looked at. Where a quota
    comes to its mark the log says so, and the person is told (`take_warnings`).
    """
    if not _is_counted(actor, counted):
        return
    found = _asked(
        "SELECT id, key, name, zone, span, most, used, opens_at, refuses FROM hufu.consume_quota(%s, %s, %s)",
        [counted, amount, list(records) if records is not None else None],
    )
    settle(actor, counted, found, target=target)


def settle(
    actor: Actor, counted: str, found: Iterable[Sequence[Any]], *, target: Target | None = None
) -> None:
    """Raise Denied, or note the warnings, as rows of hufu.consume_quota say that a function of the database counted."""
    for row in found:
        one = _standing(row)
        if row[-1]:
            raise _refusal(actor, counted, one, target)
        said = {"quota": one.key, "span": one.span, "used": one.used, "most": one.most}
        record(actor, "quota.nearly_used_up", target=target, data=said)
        current_unit().cache.setdefault(_WARNINGS, []).append(_warning(one))


def must_be_left(actor: Actor, counted: str, amount: int = 1) -> None:
    """Raise Denied where so many uses of a permission are not left to the actor, whether they hold it or not."""
    for one in standing(actor, counted):
        if one.left < amount:
            raise _refusal(actor, counted, one, None)


def take_warnings() -> list[str]:
    """Return what the person is to be told in this transaction, and forget it."""
    warnings: list[str] = unit_cache().pop(_WARNINGS, [])
    return warnings


def used_up(gate: Gate) -> ClosedGate:
    """Return a quota that the database says is used up as a closed gate, with the moment at which it opens again."""
    said = gate.conditions
    opens_at = parse_datetime(said["opens_at"])
    assert opens_at is not None
    return ClosedGate(gate, (Condition.QUOTA,), opens_at.astimezone(ZoneInfo(said["zone"])))


def sentence(shut: ClosedGate) -> str:
    """Return for the person which quota is used up, and when it opens again."""
    assert shut.opens_at is not None
    return _used_up(shut.gate.name, shut.gate.conditions["most"], shut.gate.conditions["span"], shut.opens_at)


def _used_up(name: str, most: int, span: str, opens_at: datetime) -> str:
    said = {
        HOUR: _("The quota “%(quota)s” is used up: %(most)s an hour."),
        DAY: _("The quota “%(quota)s” is used up: %(most)s a day."),
    }[span] % {"quota": name, "most": most}
    return wording.joined(said, _opens(opens_at))


def _opens(opens_at: datetime) -> str:
    opens = date_format(opens_at, "DATETIME_FORMAT")
    return _("It opens again: %(opens)s (%(zone)s).") % {"opens": opens, "zone": str(opens_at.tzinfo)}


def _warning(one: Standing) -> str:
    words = {"quota": one.name, "used": one.used, "most": one.most}
    said = {
        HOUR: _("You have used %(used)s of %(most)s an hour of the quota “%(quota)s”."),
        DAY: _("You have used %(used)s of %(most)s a day of the quota “%(quota)s”."),
    }[one.span] % words
    return wording.joined(said, _("After that it is closed until the time is over."))


def _refusal(actor: Actor, counted: str, one: Standing, target: Target | None) -> Denied:
    left = _("%(left)s are left.") % {"left": one.left}
    said = _used_up(one.name, one.most, one.span, one.opens_at)
    return Denied(
        Decision(
            False,
            counted,
            actor.user_id,
            Code.QUOTA_EXHAUSTED,
            missing=(Link(Code.QUOTA_EXHAUSTED, counted, gate=-one.id),),
        ),
        f"{said} {left}" if one.left else said,
        event={
            "type": "access.refused",
            "target": target,
            "data": {"permission": counted, "quota": one.key},
            "reason": "quota",
        },
    )


def _is_counted(actor: Actor, counted: str) -> bool:
    registry.label_of(counted)
    if current_unit().actor.user_id != actor.user_id:
        raise RuntimeError("The actor is not the one of this transaction.")
    return actor.is_person


def _standing(row: Sequence[Any]) -> Standing:
    number, key, name, zone, span, most, used, opens_at = row[:8]
    return Standing(number, key, name, span, most, used, opens_at.astimezone(ZoneInfo(zone)))


def _asked(sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return list(cursor.fetchall())
