"""Whether gates can be open at all: all of them at once, at some moment in sight, from some address."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network

from hufu.access.decision.gates import HORIZON, Conditions, Hours

Networks = Sequence[IPv4Network | IPv6Network]


def can_open(
    conditions: Iterable[Conditions],
    now: datetime,
    *,
    trusted_until: datetime | None,
    passed: Collection[str] = (),
) -> bool:
    """Say whether all conditions can hold at once, from now on and within HORIZON.

    A second factor can always be proven: whoever has none is led to set one up. A trusted device cannot be had behind a
    closed gate, so only one that is trusted already counts, until its time is over (`trusted_until`); and no course can
    be passed behind one, so only those that are `passed` already count.
    """
    asked = list(conditions)
    if not _have_an_address([one.networks for one in asked if one.networks is not None]):
        return False
    if any(course not in passed for one in asked for course in one.training):
        return False
    hours = [one.hours for one in asked if one.hours is not None]
    needs_device = any(one.trusted_device for one in asked)
    return any(
        all(each.include(moment) for each in hours)
        and (not needs_device or (trusted_until is not None and moment < trusted_until))
        for moment in _moments(hours, now)
    )


def _moments(hours: Sequence[Hours], now: datetime) -> Iterator[datetime]:
    """Yield now and every opening in sight: where all are open together, that begins at one of these."""
    yield now
    end = now + timedelta(days=HORIZON)
    for each in hours:
        opening = each.next_opening(now)
        while opening is not None and opening < end:
            yield opening
            opening = each.next_opening(opening)


def _have_an_address(lists: Sequence[Networks]) -> bool:
    common: list[IPv4Network | IPv6Network] | None = None
    for networks in lists:
        used = [network for network in networks if _is_used(network)]
        common = used if common is None else [narrow for one in common for narrow in _within(one, used)]
    return common is None or bool(common)


def _within(one: IPv4Network | IPv6Network, others: Networks) -> Iterator[IPv4Network | IPv6Network]:
    for other in others:
        if one.version == other.version and one.overlaps(other):
            yield one if one.prefixlen >= other.prefixlen else other


def _is_used(network: IPv4Network | IPv6Network) -> bool:
    """Say whether a request can come from there. An address of IPv4 written as one of IPv6 is looked at as IPv4."""
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        return network.prefixlen < 96
    is_never = network.is_multicast or network.is_unspecified
    return not (is_never or (isinstance(network, IPv4Network) and network.is_reserved))
