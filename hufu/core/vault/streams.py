"""Sealing files of any length in chunks: each is authentic in its place, and the last one says that it is the last.

    with open("backup", "wb") as sink:
        sink.writelines(seal_stream(key, source))

A stream is: `HUFUS1` and the number of the cipher, 32 random bytes, then chunks of 64 KiB, each longer by its tag.
The key of a stream is derived from `key` and those bytes; the nonce of a chunk is its number and whether it is the
last. No database is needed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hufu.core.vault.cipher import AES_256_GCM, CIPHERS, KEY_BYTES, TAG_BYTES, WrongKey

MAGIC = b"HUFUS1"
SALT_BYTES = 32
CHUNK = 64 * 1024


class Damaged(Exception):
    """The stream was cut, reordered or changed, or this is not its key."""


def seal_stream(key: bytes, source: BinaryIO, bound_to: bytes = b"") -> Iterator[bytes]:
    """Yield what `source` says, sealed; to be written in this order."""
    header = MAGIC + bytes([AES_256_GCM.number]) + secrets.token_bytes(SALT_BYTES)
    derived = _derive(key, header)
    yield header
    chunk, number = _read(source, CHUNK), 0
    while True:
        following = _read(source, CHUNK) if len(chunk) == CHUNK else b""
        yield AES_256_GCM.encrypt(derived, _nonce(number, not following), chunk, header + bound_to)
        if not following:
            return
        chunk, number = following, number + 1


def unseal_stream(key: bytes, source: BinaryIO, bound_to: bytes = b"") -> Iterator[bytes]:
    """Yield what was sealed, chunk by chunk; raise Damaged as soon as one does not fit.

    Each chunk is authentic when it is yielded; that nothing is missing is known only at the end.
    """
    header = _read(source, len(MAGIC) + 1 + SALT_BYTES)
    cipher = CIPHERS.get(header[len(MAGIC)]) if len(header) == len(MAGIC) + 1 + SALT_BYTES else None
    if cipher is None or not header.startswith(MAGIC):
        raise Damaged("This is no sealed file.")
    derived = _derive(key, header)
    text, number = _read(source, CHUNK + TAG_BYTES), 0
    while True:
        following = _read(source, CHUNK + TAG_BYTES)
        try:
            yield cipher.decrypt(derived, _nonce(number, not following), text, header + bound_to)
        except (WrongKey, ValueError):
            raise Damaged(
                f"The sealed file is cut or changed (part {number + 1}), or this is not its key."
            ) from None
        if not following:
            return
        text, number = following, number + 1


def _derive(key: bytes, header: bytes) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=header, info=b"hufu sealed stream").derive(key)


def _nonce(number: int, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _read(source: BinaryIO, size: int) -> bytes:
    """Return exactly `size` bytes, or what is left: a pipe gives what it has."""
    parts: list[bytes] = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
