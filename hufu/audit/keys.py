"""A key for every person: what the log keeps of somebody can be made unreadable without touching the log.

Envelope: the secrets folder holds the key-encryption keys, 32 bytes each: `log-kek` is version 1, `log-kek.2`
version 2 and so on; the highest is in use. Each subject (a user, a customer with personal fields …) has a
data key of its own, made when first needed and stored only wrapped (AES-256-GCM) in `audit_subject`. Erasing
that one value erases the person.

A sealed value stands in an event as {"v": 1, "k": pseudonym of the subject, "c": base64(nonce ‖ ciphertext)},
bound to the id of its event and to its name. An erased subject's values are {"v": 1, "k": …, "c": null}.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection, transaction

from hufu.audit import canonical
from hufu.core.errors import Unavailable
from hufu.core.postgres.secret_files import SecretFolder

FILE_NAME = "log-kek"
NONCE_BYTES = 12
KEY_BYTES = 32
REWRAP_BATCH = 1000


@dataclass(frozen=True, order=True)
class Subject:
    """Whom personal values are about: `Subject("user", 3)`, `Subject("customer", 12)`.

    Kinds of audit itself: `user`, `system` (an actor declared in code, `id` < 0), and `anonymous`: all who
    could not be identified on one day, `id` being the days since 1970-01-01 UTC. One key a day keeps an
    attacker with many addresses from filling the table, and goes when that day's events have expired.
    """

    kind: str
    id: int


@dataclass(frozen=True)
class SubjectKey:
    """The stored half of a subject's key; `wrapped` is None once it was erased."""

    pseudonym: UUID
    wrapped: bytes | None
    version: int

    def seal(self, event_id: UUID, name: str, value: Any) -> dict[str, Any]:
        """Return the sealed form of `value`; nothing readable is kept of an erased subject."""
        cipher = self._cipher
        if cipher is None:
            return {"v": 1, "k": str(self.pseudonym), "c": None}
        nonce = secrets.token_bytes(NONCE_BYTES)
        text = cipher.encrypt(nonce, canonical.to_bytes(value), _bound_to(event_id, name))
        return {"v": 1, "k": str(self.pseudonym), "c": b64encode(nonce + text).decode()}

    def open(self, event_id: UUID, name: str, sealed: Mapping[str, Any]) -> Any:
        """Return the value, or None when the key was erased; raise Unreadable for a value from elsewhere."""
        cipher = self._cipher
        if cipher is None or sealed["c"] is None:
            return None
        whole = b64decode(sealed["c"])
        try:
            plain = cipher.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], _bound_to(event_id, name))
        except InvalidTag:
            raise Unreadable(f"{name} of event {event_id} was not sealed with this key.") from None
        return json.loads(plain)

    @cached_property
    def _cipher(self) -> AESGCM | None:
        if self.wrapped is None:
            return None
        ring = key_ring()
        if self.version not in ring.keys:
            # It was rotated since this process read it.
            _read_key_ring.cache_clear()
            ring = key_ring()
        return AESGCM(ring.unwrap(self.wrapped, self.version, self.pseudonym))


class Unreadable(Exception):
    """A sealed value does not fit its key, its event or its name."""


@dataclass(frozen=True)
class KeyRing:
    """The key-encryption keys, by version."""

    keys: Mapping[int, bytes]

    @property
    def version(self) -> int:
        """The version in use."""
        return max(self.keys)

    def wrap(self, key: bytes, pseudonym: UUID) -> bytes:
        """Return a data key as it is stored, under the version in use."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.keys[self.version]).encrypt(nonce, key, pseudonym.bytes)

    def unwrap(self, wrapped: bytes, version: int, pseudonym: UUID) -> bytes:
        """Return the data key. Raise Unavailable when the ring lacks the version or holds another key."""
        try:
            return AESGCM(self.keys[version]).decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], pseudonym.bytes
            )
        except (KeyError, InvalidTag):
            raise Unavailable(
                f"The secrets folder ({settings.HUFU_SECRETS}) does not hold the key (version {version}) "
                "that this database's log was written with. Restore the secrets folder that belongs to it."
            ) from None


def key_ring() -> KeyRing:
    """Return the key ring. Raise Unavailable when it is missing or damaged: then nothing can be recorded."""
    return _read_key_ring(Path(settings.HUFU_SECRETS))


@lru_cache(maxsize=4)
def _read_key_ring(folder: Path) -> KeyRing:
    keys: dict[int, bytes] = {}
    try:
        keys[1] = (folder / FILE_NAME).read_bytes()
        while (path := folder / f"{FILE_NAME}.{len(keys) + 1}").exists():
            keys[len(keys) + 1] = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            f"The key of the log cannot be read ({error.filename}: {error.strerror}), so nothing can be "
            "recorded. Restore the secrets folder from its backup; for a new installation run `hufu migrate`."
        ) from error
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise Unavailable(
            f"A key of the log in {folder} is damaged. Restore the secrets folder from its backup."
        )
    return KeyRing(keys)


def check_key_ring() -> None:
    """Raise Unavailable unless the key ring is the one that this database's log was written with."""
    ring = key_ring()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wrapped_key, key_version, pseudonym FROM hufu.log_key_samples() ORDER BY key_version"
        )
        for wrapped, version, pseudonym in cursor.fetchall():
            ring.unwrap(bytes(wrapped), version, pseudonym)


def add_version(folder: SecretFolder) -> None:
    """Make a new version of the key, unless an interrupted rotation made one that nothing is wrapped under yet."""
    version = key_ring().version
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM audit_subject WHERE key_version = %s)", [version])
        if cursor.fetchone()[0]:
            folder.key(f"{FILE_NAME}.{version + 1}")
    _read_key_ring.cache_clear()


def rewrap() -> int:
    """Wrap the keys of all people under the version in use, in small steps, as the owner; return how many."""
    ring, number = key_ring(), 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pseudonym, wrapped_key, key_version FROM audit_subject"
                " WHERE wrapped_key IS NOT NULL AND key_version <> %s LIMIT %s FOR UPDATE",
                [ring.version, REWRAP_BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return number
            anew = [
                ring.wrap(ring.unwrap(bytes(wrapped), version, pseudonym), pseudonym)
                for pseudonym, wrapped, version in rows
            ]
            cursor.execute(
                "UPDATE audit_subject AS s SET wrapped_key = new.wrapped_key, key_version = %s"
                " FROM unnest(%s::uuid[], %s::bytea[]) AS new (pseudonym, wrapped_key)"
                " WHERE s.pseudonym = new.pseudonym AND s.wrapped_key IS NOT NULL",
                [ring.version, [row[0] for row in rows], anew],
            )
            number += len(rows)


def subject_keys(subjects: Collection[Subject]) -> dict[Subject, SubjectKey]:
    """Return the key of each subject, made where it is missing; three statements at most for any number."""
    wanted = sorted(set(subjects))
    found = _stored(wanted)
    # In sorted order: two transactions that make the same keys wait for each other and never in a circle.
    missing = [subject for subject in wanted if subject not in found]
    if missing:
        ring = key_ring()
        pseudonyms = [uuid4() for _ in missing]
        wrapped = [ring.wrap(AESGCM.generate_key(256), pseudonym) for pseudonym in pseudonyms]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT hufu.log_add_subjects(%s::text[], %s::bigint[], %s::uuid[], %s::bytea[], %s)",
                [*_columns(missing), pseudonyms, wrapped, ring.version],
            )
        found |= _stored(missing)
    return found


def _columns(subjects: Iterable[Subject]) -> tuple[list[str], list[int]]:
    listed = list(subjects)
    return [subject.kind for subject in listed], [subject.id for subject in listed]


def _stored(subjects: Collection[Subject]) -> dict[Subject, SubjectKey]:
    if not subjects:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, ref, pseudonym, wrapped_key, key_version"
            " FROM hufu.log_subjects(%s::text[], %s::bigint[])",
            list(_columns(subjects)),
        )
        return {
            Subject(kind, ref): SubjectKey(pseudonym, None if wrapped is None else bytes(wrapped), version)
            for kind, ref, pseudonym, wrapped, version in cursor.fetchall()
        }


def _bound_to(event_id: UUID, name: str) -> bytes:
    return event_id.bytes + name.encode()
