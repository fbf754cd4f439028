"""The bytes of a file, which can be read more than once: a pipe is kept in memory."""

from __future__ import annotations

import hashlib
import io
import stat
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from hufu.core.errors import Unavailable

CHUNK = 1 << 16


class Source:
    """A file that was named on the way in; raise Unavailable where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self._piped: bytes | None = None
        try:
            status = path.stat()
            self.size = status.st_size
            if not stat.S_ISREG(status.st_mode):
                self._piped = path.read_bytes()
                self.size = len(self._piped)
        except OSError as error:
            raise self._unavailable(error) from None

    def open(self) -> BinaryIO:
        """Return the bytes from the beginning."""
        if self._piped is not None:
            return io.BytesIO(self._piped)
        try:
            return open(self.path, "rb", buffering=0)
        except OSError as error:
            raise self._unavailable(error) from None

    def beginning(self, amount: int) -> bytes:
        """Return the first bytes."""
        with self.open() as stream:
            return stream.read(amount)

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(
            _("The file %(path)s cannot be read: %(why)s.") % {"path": self.path, "why": error.strerror}
        )


class Digested(io.RawIOBase):
    """Bytes of a source, counted and digested as they are read."""

    def __init__(self, source: Source) -> None:
        self.raw: Any = source.open()
        self.digest = hashlib.sha256()
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.raw.readinto(buffer) or 0
        self.digest.update(memoryview(buffer)[:count])
        self.position += count
        return int(count)

    def close(self) -> None:
        self.raw.close()
        super().close()
