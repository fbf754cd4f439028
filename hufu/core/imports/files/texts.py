"""Tables in CSV files: any of the usual encodings and delimiters."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext as _

from hufu.core.imports.files.encodings import STATED, Encoding, encoding_of
from hufu.core.imports.files.neutral import original
from hufu.core.imports.files.sheets import Original, Row, Sheet
from hufu.core.imports.files.sources import CHUNK, Digested, Source
from hufu.core.imports.report import ReadFile

# The first of equally likely ones is taken.
DELIMITERS = (",", ";", "\t", "|")
ROWS_TRIED = 20
_NO_SPOILED: dict[int, str] = {}


class TextSheet(Sheet):
    """A CSV file, read as a stream. What the map does not say of encoding and delimiter is found out."""

    def __init__(self, source: Source, encoding: str = "", delimiter: str = "") -> None:
        super().__init__(source)
        self._bytes = Digested(source)
        found = encoding_of(source, encoding)
        if found is None:
            self._refuse(
                _(
                    "The file is neither UTF-8 nor GB18030 (GBK). Save it as “CSV UTF-8”, or say in the map what it is"
                    " (encoding: %s)."
                )
                % ", ".join(STATED)
            )
        self.encoding: Encoding = found
        self.delimiter = delimiter or _likely_delimiter(source, found)
        text = io.TextIOWrapper(io.BufferedReader(self._bytes, CHUNK), encoding=found.codec, newline="")
        self._lines = csv.reader(text, delimiter=self.delimiter, strict=True)
        self._name_columns(next(self._safely(), []))
        if self._ours:
            self.original_header = [original(name) for name in self.original_header]
            self.header = [name.strip() for name in self.original_header]

    @property
    def position(self) -> int:
        return self._bytes.position

    def rows(self) -> Iterator[Row]:
        number = 1
        for cells in self._safely():
            number += 1
            if self._ours:
                cells = [original(cell) for cell in cells]
            if row := self._row(number, [cell.strip() for cell in cells], _NO_SPOILED):
                yield row

    def originals(self) -> Iterator[Original]:
        number = 1
        for cells in self._safely():
            number += 1
            theirs = self._theirs(cells)
            yield Original(number, [original(cell) for cell in theirs] if self._ours else theirs)

    def read(self) -> ReadFile:
        while self._bytes.read(CHUNK):
            pass
        return ReadFile(
            self.name,
            self._bytes.digest.hexdigest(),
            self._count,
            encoding=self.encoding.label,
            detected=self.encoding.detected,
            delimiter=self.delimiter,
        )

    def close(self) -> None:
        self._bytes.close()

    def _safely(self) -> Iterator[list[str]]:
        try:
            yield from self._lines
        except UnicodeError:
            self._refuse(
                _(
                    "The file is not %(encoding)s (near line %(line)s). Save it as “CSV UTF-8”, or say in the map what"
                    " it is (encoding: %(known)s)."
                )
                % {
                    "encoding": self.encoding.label,
                    "line": self._lines.line_num + 1,
                    "known": ", ".join(STATED),
                }
            )
        except csv.Error as error:
            self._refuse(
                _("Line %(line)s is not valid CSV: %(why)s.") % {"line": self._lines.line_num, "why": error}
            )


def _likely_delimiter(source: Source, encoding: Encoding) -> str:
    """Return the delimiter that splits the first row, and most rows after it into as many cells."""
    beginning = source.beginning(CHUNK)
    text = beginning.decode(encoding.codec, "ignore")
    best, best_score = DELIMITERS[0], (0.0, 1)
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            rows = [row for row in islice(reader, ROWS_TRIED + 1) if row]
        except csv.Error:
            continue
        # The last row may be cut off.
        rows = rows[:-1] if len(rows) > 2 else rows
        width = len(rows[0]) if rows else 0
        alike = sum(len(row) == width for row in rows) / max(len(rows), 1)
        if width > 1 and (alike, width) > best_score:
            best, best_score = delimiter, (alike, width)
    return best
