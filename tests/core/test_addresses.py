"""The address of a client: what a proxy may say, and what a stranger may not."""

from __future__ import annotations

import pytest

from hufu.core import addresses

TRUSTED = "10.0.0.0/8, 192.0.2.7, fd00::/8"

# peer, X-Forwarded-For, the client's address
TABLE = [
    # Nobody forwarded anything.
    ("203.0.113.9", "", "203.0.113.9"),
    ("10.0.0.1", "", "10.0.0.1"),
    ("", "198.51.100.1", ""),
    # A stranger's word is worth nothing.
    ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
    ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
    ("192.0.2.8", "198.51.100.1", "192.0.2.8"),
    # A proxy's is, from the right.
    ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("192.0.2.7", "198.51.100.1", "198.51.100.1"),
    ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", "127.0.0.1, 10.9.9.9, 203.0.113.9", "203.0.113.9"),
    ("10.0.0.1", "198.51.100.1, 10.0.0.2, 192.0.2.7", "198.51.100.1"),
    ("10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"),
    # What is no address ends the walk.
    ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
    ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1:4711", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1\r\nadmin", "10.0.0.1"),
    ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"),
    ("unix:", "198.51.100.1", "unix:"),
    # One spelling per address.
    ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
    ("fd00::1", "2001:DB8:0::1", "2001:db8::1"),
]


@pytest.mark.parametrize(("peer", "forwarded", "client"), TABLE)
def test_the_client_is_the_right_most_address_that_is_no_trusted_proxy(
    peer: str, forwarded: str, client: str
) -> None:
    assert addresses.client_address(peer, forwarded, addresses.networks(TRUSTED)) == client


@pytest.mark.parametrize(("peer", "forwarded", "_client"), TABLE)
def test_where_no_proxy_is_trusted_the_peer_is_the_client(peer: str, forwarded: str, _client: str) -> None:
    assert addresses.client_address(peer, forwarded, ()) == peer


@pytest.mark.parametrize(
    "wrong", ["proxy.example.com", "10.0.0.1/8", "10.0.0.0/33", "*", "10.0.0.1;10.0.0.2"]
)
def test_what_is_no_network_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="^" + wrong.replace("*", r"\*") + "$"):
        addresses.networks(f"10.0.0.0/8, {wrong}")
