"""Gates: conditions on where, when and how somebody acts. They know no record and give no right.

All conditions of a gate must hold. A fact that is not known, and any error, closes it. Hours are what a clock on the
wall of that time zone shows: an hour that is skipped never is, one that is repeated counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from zoneinfo import ZoneInfo

from hufu.core.actor import Context

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The longest that a proof of a second factor may count as fresh, in minutes.
LONGEST_PROOF = 24 * 60
# How far ahead an opening is looked for, in days.
HORIZON = 400


class Condition(StrEnum):
    """What a gate asks; as the reason of a closed gate, what does not hold.

    QUOTA: one that is used up, closed like a gate under its negative number. ERROR: it could not be evaluated.
    """

    NETWORKS = "networks"
    HOURS = "hours"
    TRUSTED_DEVICE = "trusted_device"
    SECOND_FACTOR = "second_factor"
    TRAINING = "training"
    QUOTA = "quota"
    ERROR = "error"


class WrongCondition(ValueError):
    """A condition that cannot be read; `name` is the setting, the text what is wrong with it."""

    def __init__(self, name: str, value: Any) -> None:
        super().__init__(f"{name}: {value!r}")
        self.name = name
        self.value = value


@dataclass(frozen=True)
class Hours:
    """From `start` until before `end` on the days that count; `end` at or before `start` is on the day after.

    A span counts for the day on which it begins. `holidays` never count, `working_days` always do.
    """

    zone: ZoneInfo
    days: frozenset[int]
    start: time
    end: time
    holidays: frozenset[date] = frozenset()
    working_days: frozenset[date] = frozenset()

    def counts(self, day: date) -> bool:
        return day in self.working_days or (day.weekday() in self.days and day not in self.holidays)

    def include(self, moment: datetime) -> bool:
        """Say whether the moment lies within."""
        local = moment.astimezone(self.zone)
        today, clock = local.date(), local.time()
        if self.start < self.end:
            return self.start <= clock < self.end and self.counts(today)
        return (clock >= self.start and self.counts(today)) or (
            clock < self.end and self.counts(today - timedelta(days=1))
        )

    def next_opening(self, moment: datetime) -> datetime | None:
        """Return when they begin again after the moment, in their time zone; None where that is not in sight."""
        today = moment.astimezone(self.zone).date()
        for ahead in range(HORIZON):
            start = datetime.combine(today + timedelta(days=ahead), self.start, self.zone)
            if start > moment and self.include(start):
                return start
        return None


@dataclass(frozen=True)
class Conditions:
    """What a gate asks; None, False and nothing ask nothing. `second_factor` is how old a proof may be, `training` the
    keys of courses."""

    networks: tuple[IPv4Network | IPv6Network, ...] | None = None
    hours: Hours | None = None
    trusted_device: bool = False
    second_factor: timedelta | None = None
    training: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """A named gate; `conditions` are as the policy says them (see `read`)."""

    id: int
    key: str
    name: str
    conditions: Mapping[str, Any]


@dataclass(frozen=True)
class ClosedGate:
    """A gate that is closed, and what does not hold. `opens_at` is known where its hours are all that is missing.

    `courses` are the keys of those that were not passed.
    """

    gate: Gate
    failed: tuple[Condition, ...]
    opens_at: datetime | None = None
    courses: tuple[str, ...] = ()


def _no_course() -> Collection[str]:
    return ()


def closed(
    gates: Iterable[Gate],
    context: Context,
    now: datetime,
    passed: Callable[[], Collection[str]] = _no_course,
) -> dict[int, ClosedGate]:
    """Return the closed ones among the gates, by number, with what does not hold.

    `passed` tells the keys of the courses that the person has passed; it is asked only where a gate asks for one.
    """
    found = {}
    for gate in gates:
        missing = _evaluate(gate, context, now, passed)
        if missing is not None:
            found[gate.id] = missing
    return found


def _evaluate(
    gate: Gate, context: Context, now: datetime, passed: Callable[[], Collection[str]]
) -> ClosedGate | None:
    try:
        conditions = read(gate.conditions)
        known = passed() if conditions.training else ()
        courses = tuple(course for course in conditions.training if course not in known)
        failed = (*_failed(conditions, context, now), *((Condition.TRAINING,) if courses else ()))
        hours = conditions.hours if failed == (Condition.HOURS,) else None
        opens_at = hours.next_opening(now) if hours else None
    except Exception:
        return ClosedGate(gate, (Condition.ERROR,))
    return ClosedGate(gate, failed, opens_at, courses) if failed else None


def _failed(conditions: Conditions, context: Context, now: datetime) -> Iterable[Condition]:
    if conditions.networks is not None and not is_within(context.address, conditions.networks):
        yield Condition.NETWORKS
    if conditions.hours is not None and not conditions.hours.include(now):
        yield Condition.HOURS
    if conditions.trusted_device and not context.trusted_device:
        yield Condition.TRUSTED_DEVICE
    if conditions.second_factor is not None:
        proven = context.second_factor_at
        if proven is None or not timedelta(0) <= now - proven <= conditions.second_factor:
            yield Condition.SECOND_FACTOR


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Say whether an address is known and lies in one of the networks; IPv4 written as IPv6 is IPv4."""
    try:
        known = ip_address(address)
    except ValueError:
        return False
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    return any(known in network for network in networks)


def read(conditions: Mapping[str, Any]) -> Conditions:
    """Return what conditions say; raise WrongCondition for the first that cannot be read, or for none at all."""
    if not isinstance(conditions, Mapping) or not conditions:
        raise WrongCondition("conditions", conditions)
    for name in conditions:
        if name not in _READERS:
            raise WrongCondition(str(name), conditions[name])
    return Conditions(**{name: _READERS[name](value) for name, value in conditions.items()})


def _networks(value: Any) -> tuple[IPv4Network | IPv6Network, ...]:
    if not isinstance(value, list) or not value:
        raise WrongCondition("networks", value)
    networks = []
    for text in value:
        try:
            networks.append(ip_network(_text("networks", text)))
        except ValueError as error:
            raise WrongCondition("networks", text) from error
    return tuple(networks)


def _hours(value: Any) -> Hours:
    allowed = {"zone", "days", "from", "to", "holidays", "working_days"}
    if not isinstance(value, Mapping):
        raise WrongCondition("hours", value)
    for name in value:
        if name not in allowed:
            raise WrongCondition(f"hours.{name}", value[name])
    try:
        zone = ZoneInfo(_text("hours.zone", value.get("zone")))
    except (ValueError, OSError, LookupError) as error:
        raise WrongCondition("hours.zone", value.get("zone")) from error
    days = value.get("days")
    if not isinstance(days, list) or not days or any(day not in DAYS for day in days):
        raise WrongCondition("hours.days", days)
    start, end = _clock("hours.from", value.get("from")), _clock("hours.to", value.get("to"))
    if start == end and start != time(0):
        raise WrongCondition("hours.to", value.get("to"))
    return Hours(
        zone,
        frozenset(DAYS.index(day) for day in days),
        start,
        end,
        _dates("hours.holidays", value.get("holidays", [])),
        _dates("hours.working_days", value.get("working_days", [])),
    )


def _clock(name: str, value: Any) -> time:
    """Return a time of the day, to the minute; 24:00 is the end of the day, where the next one begins."""
    text = _text(name, value)
    if text == "24:00" and name == "hours.to":
        return time(0)
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise WrongCondition(name, value) from error


def _dates(name: str, value: Any) -> frozenset[date]:
    if not isinstance(value, list):
        raise WrongCondition(name, value)
    try:
        return frozenset(date.fromisoformat(_text(name, day)) for day in value)
    except ValueError as error:
        raise WrongCondition(name, value) from error


def _trusted_device(value: Any) -> bool:
    if value is not True:
        raise WrongCondition("trusted_device", value)
    return True


def _second_factor(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_PROOF:
        raise WrongCondition("second_factor", value)
    return timedelta(minutes=value)


def _training(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise WrongCondition("training", value)
    for key in value:
        if not _text("training", key).strip():
            raise WrongCondition("training", key)
    return tuple(dict.fromkeys(value))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongCondition(name, value)
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "networks": _networks,
    "hours": _hours,
    "trusted_device": _trusted_device,
    "second_factor": _second_factor,
    "training": _training,
}
