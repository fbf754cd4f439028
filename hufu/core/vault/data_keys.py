"""Data keys: one per purpose and version, stored wrapped in `hufu.data_key`, held open by the process that uses them.

A version is `active` (new values are sealed with it), `old` (it still opens what it sealed) or `retired` (nothing is
sealed with it any more; its key is erased).
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from hufu.core import schema
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.transaction import unit_cache
from hufu.core.vault.cipher import KEY_BYTES
from hufu.core.vault.master import forget_master_keys, master_keys

# Personal fields of records, and what finds them by their value.
FIELD = "field"
INDEX = "index"
PURPOSES = (FIELD, INDEX)
LARGEST_VERSION = 2**16 - 1


class Stored(NamedTuple):
    """A row of `hufu.data_key`."""

    purpose: str
    version: int
    wrapped: bytes
    master_version: int
    state: str

    def key(self) -> bytes:
        """Return the key itself; raise Unavailable when the master key is not the one that wrapped it."""
        return _unwrapped(self.wrapped, self.master_version, bound_to(self.purpose, self.version))


def bound_to(purpose: str, version: int) -> bytes:
    """Return what a wrapped key is bound to: it opens as nothing else."""
    return f"data key {purpose} {version}".encode()


def prepare() -> None:
    """Make the table and the keys that are missing, as the owner; what is there stays as it is."""
    ring = None
    with connection.cursor() as cursor:
        cursor.execute(schema.sql_file("hufu.core", "vault"))
        cursor.execute("SELECT DISTINCT purpose FROM hufu.data_key")
        there = {row[0] for row in cursor.fetchall()}
        for purpose in PURPOSES:
            if purpose not in there:
                ring = ring or master_keys()
                add_version(purpose, 1)
    check()


def add_version(purpose: str, version: int) -> None:
    """Store a fresh key as the active version, as the owner. Whatever was active must be `old` by now."""
    if version > LARGEST_VERSION:
        raise Unavailable(f"There is no version after {LARGEST_VERSION}.")
    ring = master_keys()
    wrapped = ring.wrap(secrets.token_bytes(KEY_BYTES), bound_to(purpose, version))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO hufu.data_key (purpose, version, wrapped, master_version, state)"
            " VALUES (%s, %s, %s, %s, 'active')",
            [purpose, version, wrapped, ring.version],
        )


def is_empty() -> bool:
    """Say whether this database holds no data key yet: then nothing in it is sealed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('hufu.data_key') IS NULL")
        if cursor.fetchone()[0]:
            return True
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM hufu.data_key)")
        return bool(cursor.fetchone()[0])


def stored() -> list[Stored]:
    """Return the keys that still open something, by purpose and version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT purpose, version, wrapped, master_version, state FROM hufu.data_key"
            " WHERE state <> 'retired' ORDER BY purpose, version"
        )
        return [
            Stored(purpose, version, bytes(wrapped), master, state)
            for purpose, version, wrapped, master, state in cursor.fetchall()
        ]


def check() -> None:
    """Raise Unavailable unless the master key opens every data key of this database."""
    for each in stored():
        each.key()


def opening_key(purpose: str, version: int) -> bytes:
    """Return the key that opens what this version sealed."""
    # A version never gets another key: what this process has read once stays right for its database.
    known = _opened.setdefault(_database(), {})
    if (purpose, version) not in known:
        known.update(((each.purpose, each.version), each.key()) for each in stored())
    try:
        return known[(purpose, version)]
    except KeyError:
        raise Unavailable(
            _("The data key “%(purpose)s”, version %(version)s, is not in this database.")
            % {"purpose": purpose, "version": version}
        ) from None


def opening_keys(purpose: str) -> list[bytes]:
    """Return the keys of all versions that may still be in use."""
    cache = unit_cache()
    if "data keys" not in cache:
        cache["data keys"] = stored()
    return [each.key() for each in cache["data keys"] if each.purpose == purpose]


def sealing_version(purpose: str) -> int:
    """Return the version that seals now, and keep every version from being retired until the transaction ends."""
    cache = unit_cache()
    found = cache.get(("sealing version", purpose))
    if found is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.sealing_version(%s)", [purpose])
            found = cursor.fetchone()[0]
        if found is None:
            raise Unavailable(_("This database has no data key “%s”. Run `hufu migrate`.") % purpose)
        cache[("sealing version", purpose)] = found
    version: int = found
    return version


def forget_opened() -> None:
    """Read and unwrap the keys anew when they are next needed."""
    _opened.clear()
    _unwrapped.cache_clear()


_opened: dict[tuple[str, ...], dict[tuple[str, int], bytes]] = {}


def _database() -> tuple[str, ...]:
    return tuple(str(connection.settings_dict[part]) for part in ("HOST", "PORT", "NAME"))


@lru_cache(maxsize=64)
def _unwrapped(wrapped: bytes, master_version: int, bound: bytes) -> bytes:
    if master_version not in master_keys().keys:
        # It was rotated since this process read it.
        forget_master_keys()
    return master_keys().unwrap(wrapped, master_version, bound)
