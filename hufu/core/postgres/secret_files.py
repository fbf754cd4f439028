"""The secrets of an installation: one file each, readable by its owner only, made once and never changed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _

SECRET_KEY = "django-secret-key"
LOG_KEK = "log-kek"
KEY_BYTES = 32


class SecretFolder:
    """A folder of mode 0700 with secrets of mode 0600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Return where a secret lies, whether or not it was made."""
        return self.folder / name

    def password(self, role: str) -> str:
        """Return the password of a database role; it is made at the first call."""
        return self._read_or_make(f"{role}.password", secrets.token_urlsafe(32).encode()).decode()

    def key(self, name: str) -> bytes:
        """Return 32 random bytes; they are made at the first call."""
        return self._read_or_make(name, secrets.token_bytes(KEY_BYTES))

    def wrong_modes(self) -> list[str]:
        """Return the paths that others than their owner may read."""
        if not self.folder.exists():
            return []
        return [
            str(path) for path in (self.folder, *sorted(self.folder.iterdir())) if path.stat().st_mode & 0o077
        ]

    def _read_or_make(self, name: str, fresh: bytes) -> bytes:
        path = self.path(name)
        try:
            if not path.exists():
                self._make(path, fresh)
            return path.read_bytes()
        except PermissionError as error:
            raise Unavailable(
                _(
                    "The secrets in %s cannot be read or written by this user. Run the command as the user who made "
                    "that folder, or name another one with HUFU_VAR."
                )
                % self.folder
            ) from error
        except OSError as error:
            raise Unavailable(
                _("The secret %(path)s could not be stored: %(why)s.") % {"path": path, "why": error.strerror}
            ) from error

    def _make(self, path: Path, fresh: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
        try:
            # INVARIANT: a secret that somebody may have used is never replaced; of two makers the first wins.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
