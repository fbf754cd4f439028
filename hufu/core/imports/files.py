"""Tables in files: CSV in UTF-8, with a header. Read once, digested on the way, row by row."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from hufu.core.errors import Invalid, Unavailable
from hufu.core.imports.report import ReadFile

CHUNK = 1 << 16


class _Digested(io.RawIOBase):
    """Bytes of a file, counted and digested as they are read."""

    def __init__(self, path: Path) -> None:
        self.raw = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        self.digest = hashlib.sha256()
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.raw.readinto(buffer) or 0
        self.digest.update(memoryview(buffer)[:count])
        self.position += count
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


class Sheet:
    """A table that is being read. `rows` can be walked once; afterwards `read` says what was read."""

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self.path = path
        self.name = path.name
        self.blank = 0
        self._rows = 0
        try:
            self._bytes = _Digested(path)
            self.size = path.stat().st_size
        except OSError as error:
            raise Unavailable(
                _("The file %(path)s cannot be read: %(why)s.") % {"path": path, "why": error.strerror}
            ) from None
        text = io.TextIOWrapper(io.BufferedReader(self._bytes, CHUNK), encoding="utf-8-sig", newline="")
        self._lines = csv.reader(text, delimiter=delimiter, strict=True)
        self.header = self._read_header()

    @property
    def position(self) -> int:
        """How many bytes were read."""
        return self._bytes.position

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row, cells) of rows that are not blank; row 1 is the header. Outer spaces are gone."""
        number = 1
        for cells in self._safely():
            number += 1
            cells = [cell.strip() for cell in cells]
            if any(cells):
                self._rows += 1
                yield number, cells
            else:
                self.blank += 1

    def read(self) -> ReadFile:
        """Return what was read; the rest of the file is digested, too."""
        while self._bytes.read(CHUNK):
            pass
        return ReadFile(self.name, self._bytes.digest.hexdigest(), self._rows)

    def close(self) -> None:
        """Let the file go."""
        self._bytes.close()

    def _read_header(self) -> list[str]:
        header = [cell.strip() for cell in next(self._safely(), [])]
        twice = [name for name, count in Counter(header).items() if count > 1]
        problem = ""
        if not any(header):
            problem = _("The file is empty: its first row must name the columns.")
        elif "" in header:
            problem = _("Column %s has no name in the first row.") % (header.index("") + 1)
        elif twice:
            problem = _("Several columns are called “%s”. Rename all but one.") % twice[0]
        if problem:
            self.close()
            raise Invalid({self.name: [problem]})
        return header

    def _safely(self) -> Iterator[list[str]]:
        try:
            yield from self._lines
        except UnicodeDecodeError:
            self.close()
            raise Invalid(
                {
                    self.name: [
                        _("The file is not UTF-8 (near line %s). Save it as “CSV UTF-8” and import it again.")
                        % (self._lines.line_num + 1)
                    ]
                }
            ) from None
        except csv.Error as error:
            self.close()
            raise Invalid(
                {
                    self.name: [
                        _("Line %(line)s is not valid CSV: %(why)s.")
                        % {"line": self._lines.line_num, "why": error}
                    ]
                }
            ) from None
