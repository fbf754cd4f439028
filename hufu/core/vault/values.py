"""Sealing one value, and finding it again by what it says.

A sealed value is: cipher (1 byte), version of the data key (2 bytes), nonce (12), ciphertext and tag. It is bound to
its purpose and to what the caller names, such as the column it stands in: moved elsewhere it does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from hufu.core.vault import data_keys
from hufu.core.vault.cipher import AES_256_GCM, CIPHERS, NONCE_BYTES, WrongKey

HEADER_BYTES = 3
INDEX_BYTES = 16


class Unreadable(Exception):
    """A sealed value was changed, or belongs to another place."""


def seal(purpose: str, plain: bytes, bound_to: bytes) -> bytes:
    """Return `plain` sealed with the active key of its purpose."""
    return seal_with(purpose, data_keys.sealing_version(purpose), plain, bound_to)


def seal_with(purpose: str, version: int, plain: bytes, bound_to: bytes) -> bytes:
    """Return `plain` sealed with this version of the key."""
    header = bytes([AES_256_GCM.number]) + version.to_bytes(2, "big")
    nonce = secrets.token_bytes(NONCE_BYTES)
    key = data_keys.opening_key(purpose, version)
    return header + nonce + AES_256_GCM.encrypt(key, nonce, plain, _associated(header, purpose, bound_to))


def unseal(purpose: str, sealed: bytes, bound_to: bytes) -> bytes:
    """Return what was sealed; raise Unreadable for what was changed or stood elsewhere, Unavailable without its key."""
    header, rest = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    cipher = CIPHERS.get(header[0]) if len(header) == HEADER_BYTES else None
    if cipher is None:
        raise Unreadable(f"This is no sealed value of “{purpose}”.")
    key = data_keys.opening_key(purpose, version_of(sealed))
    try:
        return cipher.decrypt(
            key, rest[:NONCE_BYTES], rest[NONCE_BYTES:], _associated(header, purpose, bound_to)
        )
    except (WrongKey, ValueError):
        raise Unreadable(f"A sealed value of “{purpose}” was changed, or stood elsewhere.") from None


def version_of(sealed: bytes) -> int:
    """Return the version of the data key that a value was sealed with."""
    return int.from_bytes(sealed[1:HEADER_BYTES], "big")


def blind_index(purpose: str, value: bytes) -> bytes:
    """Return 16 bytes that are the same for the same value and say nothing of it without the key."""
    key = data_keys.opening_key(purpose, data_keys.sealing_version(purpose))
    return _index(key, value)


def blind_indexes(purpose: str, value: bytes) -> list[bytes]:
    """Return what may stand for the value: one index per version that is still in use. To search by."""
    return [_index(key, value) for key in data_keys.opening_keys(purpose)]


def _index(key: bytes, value: bytes) -> bytes:
    return hmac.new(key, value, hashlib.sha256).digest()[:INDEX_BYTES]


def _associated(header: bytes, purpose: str, bound_to: bytes) -> bytes:
    return header + purpose.encode() + b"\0" + bound_to
