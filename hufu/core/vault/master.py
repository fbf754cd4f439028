"""The master key: 32 bytes that wrap every data key. It never lies in the database.

Where it comes from, the first of these that is set:

* `HUFU_MASTER_KEY_COMMAND`: a command whose output says it (a password manager, a key service);
* `HUFU_MASTER_KEY`: the environment says it;
* the secrets folder: `master-key` is version 1, `master-key.2` version 2 and so on, 32 bytes each.

Command and environment say base64 of 32 bytes; after a rotation all versions, oldest first, separated by commas. The
highest version is in use.
"""

from __future__ import annotations

import binascii
import os
import secrets
import shlex
import subprocess
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.vault.cipher import AES_256_GCM, KEY_BYTES, NONCE_BYTES, WrongKey

MASTER_KEY = "master-key"
VARIABLE = "HUFU_MASTER_KEY"
COMMAND_VARIABLE = "HUFU_MASTER_KEY_COMMAND"
COMMAND_SECONDS = 30


@dataclass(frozen=True)
class MasterKeys:
    """The versions of the master key, and where they were read."""

    keys: Mapping[int, bytes]
    source: str

    @property
    def version(self) -> int:
        """The version in use."""
        return max(self.keys)

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """Return a data key as it is stored, under the version in use."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AES_256_GCM.encrypt(self.keys[self.version], nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, version: int, bound_to: bytes) -> bytes:
        """Return the data key; raise Unavailable when this version is not there or is another key."""
        try:
            return AES_256_GCM.decrypt(
                self.keys[version], wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to
            )
        except (KeyError, WrongKey):
            raise Unavailable(
                _(
                    "%(source)s is not the master key (version %(version)s) that this database was sealed with. "
                    "Restore the one that belongs to it: without it the personal data in it cannot be read."
                )
                % {"source": self.source, "version": version}
            ) from None


def master_keys(folder: Path | None = None) -> MasterKeys:
    """Return the master key, its files being looked for in the secrets folder or in `folder`.

    Raise Unavailable, saying where it was looked for, when it is missing or damaged.
    """
    if command := os.environ.get(COMMAND_VARIABLE):
        return _by_command(command)
    if text := os.environ.get(VARIABLE):
        return _said(text, VARIABLE)
    return _in_folder(folder or Path(settings.HUFU_SECRETS))


def forget_master_keys() -> None:
    """Read the master key anew at the next call: it was changed."""
    _by_command.cache_clear()
    _in_folder.cache_clear()


def is_kept_elsewhere() -> bool:
    """Say whether the master key comes from the environment or a command, and no file is made."""
    return bool(os.environ.get(COMMAND_VARIABLE) or os.environ.get(VARIABLE))


def require_master_key(folder: SecretFolder, *, is_new: bool) -> None:
    """Have the master key: made for a new database, else raise Unavailable when it is missing.

    INVARIANT: a lost key is never replaced in silence. What it sealed would stay unreadable for good.
    """
    if is_new and not is_kept_elsewhere():
        folder.key(MASTER_KEY)
    master_keys()


@lru_cache(maxsize=4)
def _in_folder(folder: Path) -> MasterKeys:
    keys: dict[int, bytes] = {}
    path = folder / MASTER_KEY
    try:
        keys[1] = path.read_bytes()
        while (path := folder / f"{MASTER_KEY}.{len(keys) + 1}").exists():
            keys[len(keys) + 1] = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            _(
                "The master key cannot be read (%(path)s: %(why)s), so personal data can be neither read nor stored. "
                "Restore the secrets folder from its backup, or name it with HUFU_SECRETS; for a new installation run "
                "`hufu migrate`."
            )
            % {"path": path, "why": error.strerror}
        ) from error
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise Unavailable(
            _("A master key in %s is damaged: it does not have 32 bytes. Restore it from its backup.")
            % folder
        )
    return MasterKeys(keys, str(folder / MASTER_KEY))


@lru_cache(maxsize=4)
def _by_command(command: str) -> MasterKeys:
    try:
        done = subprocess.run(
            shlex.split(command),
            check=True,
            timeout=COMMAND_SECONDS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        why = getattr(error, "returncode", None)
        raise Unavailable(
            _("The command that says the master key (%(variable)s) failed: %(why)s.")
            % {
                "variable": COMMAND_VARIABLE,
                "why": type(error).__name__ if why is None else f"exit code {why}",
            }
        ) from error
    return _said(done.stdout.decode("ascii", "replace"), COMMAND_VARIABLE)


def _said(text: str, variable: str) -> MasterKeys:
    try:
        keys = [b64decode(part.strip(), validate=True) for part in text.strip().split(",")]
    except binascii.Error:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        # Never the text itself: it may be nearly a key.
        raise Unavailable(
            _(
                "%s does not say a master key: base64 of 32 bytes, several versions separated by commas, oldest first."
            )
            % variable
        )
    return MasterKeys(dict(enumerate(keys, 1)), variable)
