"""Where a request comes from: the address of its peer, or what the operator's own proxies say about it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list such as `10.0.0.0/8, ::1`; a single address is a network of one.

    Raise ValueError, whose text is the entry that is none. An address with host bits set (10.0.0.1/8) is none
    either: it says less than it seems to.
    """
    found = []
    for entry in (part.strip() for part in text.split(",")):
        if not entry:
            continue
        try:
            found.append(ipaddress.ip_network(entry))
        except ValueError as error:
            raise ValueError(entry) from error
    return tuple(found)


def address_of(text: str) -> Address | None:
    """Return an address, with IPv4 in IPv6 (::ffff:192.0.2.1) as IPv4; None where `text` is no address."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return None
        return address.ipv4_mapped or address
    return address


def within(text: str, of: Iterable[Network]) -> bool:
    """Say whether an address is in one of the networks; what is no address is in none."""
    address = address_of(text)
    return address is not None and any(address in network for network in of)


def client_address(peer: str, forwarded: str, trusted: tuple[Network, ...]) -> str:
    """Return the address that a request comes from.

    It is the peer's, unless the peer is a trusted proxy: then the right-most entry of `forwarded`
    (X-Forwarded-For) that is not a trusted proxy. Every proxy appends whom it heard, so that what stands further
    left was written by the client and is worth nothing. An entry that is no address ends the walk: the answer
    is the last trusted proxy before it.
    """
    if not within(peer, trusted):
        return peer
    client = str(address_of(peer))
    for entry in reversed(forwarded.split(",")):
        address = address_of(entry)
        if address is None:
            break
        client = str(address)
        if not within(client, trusted):
            break
    return client
