"""The file of a backup: a readable line, then a sealed stream of parts and a manifest.

    hufu backup 1\\n
    {"made": …, "version": …, "key": fingerprint}\\n
    sealed stream (`vault.seal_stream`), bound to these two lines

The key is derived from the master key. A file that was cut, joined, reordered or changed anywhere is refused. In the
stream are records: kind (1 byte), length (4 bytes), content. The manifest is the last one and holds the SHA-256 of
each part.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.vault import Damaged as DamagedStream
from hufu.core.vault import seal_stream, unseal_stream

MAGIC = b"hufu backup 1\n"
LONGEST_HEADER = 4096
NAME, DATA, MANIFEST = b"P", b"D", b"M"
DATABASE = "database"
ATTACHMENT = "attachments/"
SECRET = "secrets/"


class Damaged(Unavailable):
    """The file is no backup, or not the whole of one, or was changed."""


class WrongKey(Unavailable):
    """The file was sealed under another master key."""


@dataclass(frozen=True)
class Header:
    """What everybody can read of a backup."""

    made: str
    version: str
    key: str

    def line(self) -> bytes:
        """Return the beginning of the file."""
        said = {"made": self.made, "version": self.version, "key": self.key}
        return MAGIC + json.dumps(said).encode() + b"\n"


@dataclass(frozen=True)
class Part:
    """The beginning of a part, or (with data) a piece of it."""

    name: str
    data: bytes = b""


def key_under(master: bytes) -> bytes:
    """Return the key of backups that belongs to a master key."""
    return HKDF(SHA256(), 32, None, b"hufu backup").derive(master)


def fingerprint(key: bytes) -> str:
    """Return what tells one key from another and leads to none. For keys of 256 random bits alone."""
    return hashlib.sha256(b"hufu key\0" + key).hexdigest()[:16]


def write(
    file: IO[bytes],
    key: bytes,
    parts: Iterable[tuple[str, Iterable[bytes]]],
    manifest: Callable[[], Mapping[str, Any]],
    *,
    made: str,
    version: str,
) -> None:
    """Write an archive of these parts; `manifest` is asked after the last one, and gets the digests of all."""
    line = Header(made, version, fingerprint(key)).line()
    file.write(line)
    source = cast(BinaryIO, _Source(_written(parts, manifest)))
    for chunk in seal_stream(key, source, bound_to=line):
        file.write(chunk)


def read_header(path: Path) -> Header:
    """Return what stands in front of a backup; raise Damaged when the file is none."""
    try:
        with path.open("rb") as file:
            return _read_header(file, path)
    except OSError as error:
        raise Unavailable(
            _("The backup %(file)s cannot be read: %(why)s.") % {"file": path, "why": error.strerror}
        ) from error


def parts(path: Path, keys: Iterable[bytes]) -> Iterator[Part | dict[str, Any]]:
    """Open a backup with that of the keys which fits it; yield parts in pieces, at last the manifest.

    Nothing that was changed is ever yielded. Raise WrongKey, or Damaged.
    INVARIANT: only after the manifest is it certain that the file is whole.
    """
    with path.open("rb") as file:
        header = _read_header(file, path)
        fitting = {fingerprint(key): key for key in keys}
        if header.key not in fitting:
            raise WrongKey(
                _(
                    "The backup %(file)s was sealed under another master key (%(needed)s; here is %(given)s). Nothing "
                    "was touched. Put the master key of that time in place: in the secrets folder (HUFU_SECRETS), or "
                    "by HUFU_MASTER_KEY or HUFU_MASTER_KEY_COMMAND."
                )
                % {"file": path, "needed": header.key, "given": ", ".join(fitting)}
            )
        chunks = unseal_stream(fitting[header.key], cast(BinaryIO, file), bound_to=header.line())
        try:
            yield from _records(chunks, path)
        except DamagedStream:
            raise _damaged(path) from None


def check(path: Path, keys: Iterable[bytes]) -> dict[str, Any]:
    """Read all of a backup and return its manifest; raise WrongKey or Damaged."""
    for found in parts(path, keys):
        if isinstance(found, dict):
            return found
    raise _damaged(path)


class _Source:
    """What is written piece by piece, to be read by size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._waiting) < size and (piece := next(self._pieces, b"")):
            self._waiting += piece
        found = bytes(self._waiting[:size])
        del self._waiting[:size]
        return found


def _written(
    parts: Iterable[tuple[str, Iterable[bytes]]], manifest: Callable[[], Mapping[str, Any]]
) -> Iterator[bytes]:
    digests: dict[str, dict[str, Any]] = {}
    for name, pieces in parts:
        yield _record(NAME, name.encode())
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield _record(DATA, piece)
        digests[name] = {"bytes": size, "sha256": digest.hexdigest()}
    yield _record(MANIFEST, json.dumps({**manifest(), "parts": digests}, ensure_ascii=False).encode())


def _record(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack(">I", len(content)) + content


def _read_header(file: IO[bytes], path: Path) -> Header:
    if file.read(len(MAGIC)) != MAGIC:
        raise Damaged(_("%s is no backup of Hufu CRM.") % path)
    try:
        said = json.loads(file.readline(LONGEST_HEADER))
        return Header(said["made"], said["version"], said["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error


def _records(chunks: Iterator[bytes], path: Path) -> Iterator[Part | dict[str, Any]]:
    waiting = bytearray()
    name = ""
    digest = hashlib.sha256()
    digests: dict[str, str] = {}
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= 5:
            kind, length = bytes(waiting[:1]), struct.unpack(">I", waiting[1:5])[0]
            if len(waiting) < 5 + length:
                break
            content = bytes(waiting[5 : 5 + length])
            del waiting[: 5 + length]
            if kind == DATA:
                digest.update(content)
                yield Part(name, content)
                continue
            if name:
                digests[name] = digest.hexdigest()
            if kind == NAME:
                name, digest = content.decode(), hashlib.sha256()
                yield Part(name)
            else:
                manifest = json.loads(content)
                if digests != {part: said["sha256"] for part, said in manifest["parts"].items()}:
                    raise _damaged(path)
                # The chunks are read to their end before the manifest counts.
                if waiting or next(chunks, None) is not None:
                    raise _damaged(path)
                yield manifest
                return
    raise _damaged(path)


def _damaged(path: Path) -> Damaged:
    return Damaged(
        _(
            "The backup %s is damaged or not whole: nothing was done with it. Use another one (hufu backup list)."
        )
        % path
    )
