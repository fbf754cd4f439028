"""What every table gives, whatever file it stands in: named columns, and rows of texts."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, NoReturn, TypeVar

from django.utils.translation import gettext as _

from hufu.core.errors import Invalid
from hufu.core.imports.files.sources import Source
from hufu.core.imports.report import ReadFile

# The columns that an error file adds at the end. Who imports such a file again need not take them away.
REASON, ROW = "hufu_reason", "hufu_row"
_OURS = (REASON, ROW)

T = TypeVar("T")
Cell = str | int | float | bool | date | datetime | time | timedelta

_SHORTENED = re.compile(r"[+-]?\d(\.\d+)?E\+\d{2,}")
_ERRORS = frozenset(
    ("#N/A", "#VALUE!", "#REF!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA")
)


class DateText(str):
    """A date that the file holds as such, written 2026-03-31: no notation of dates applies to it."""

    __slots__ = ()


class Row(NamedTuple):
    """A row of a table. `spoiled` says of columns (by name) why what stands there is not what was meant."""

    number: int
    cells: list[str]
    spoiled: Mapping[str, str]


class Original(NamedTuple):
    """A row as the file has it, for giving it back."""

    number: int
    cells: Sequence[Cell]


_SOUND: Mapping[str, str] = {}


class Sheet(ABC):
    """A table that is being read. Its rows can be walked once; afterwards `read` says what was read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name = source.name
        self.size = source.size
        self.blank = 0
        self.header: list[str] = []
        # The names of the columns as the file has them.
        self.original_header: list[str] = []
        self._count = 0
        self._width = 0
        self._ours: list[int] = []

    @property
    @abstractmethod
    def position(self) -> int:
        """How many of the `size` bytes were read."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Yield the rows that are not blank; the header is row 1 of a CSV file. Outer spaces are gone."""

    @abstractmethod
    def originals(self) -> Iterator[Original]:
        """Yield the rows that are not blank as they stand; walk either these or `rows`."""

    @abstractmethod
    def read(self) -> ReadFile:
        """Return what was read; the rest of the file is digested, too."""

    @abstractmethod
    def close(self) -> None:
        """Let the file go."""

    @property
    def is_error_file(self) -> bool:
        """Whether this is a file of refused rows that an import wrote."""
        return bool(self._ours)

    def _name_columns(self, names: Sequence[str]) -> None:
        """Take the first row; columns without a name at its end are left out as long as they are empty."""
        names = list(names)
        while names and not names[-1].strip():
            names.pop()
        stripped = [name.strip() for name in names]
        self._width = len(stripped)
        self._ours = [index for index, name in enumerate(stripped) if name in _OURS]
        self.original_header = self._theirs(names)
        self.header = [name.strip() for name in self.original_header]
        twice = [name for name, count in Counter(stripped).items() if count > 1 and name]
        if not stripped:
            self._refuse(_("The file is empty: its first row must name the columns."))
        if "" in stripped:
            self._refuse(
                _(
                    "Column %s has no name in the first row. Name every column there; rows of titles above, and"
                    " merged cells, have to go."
                )
                % (stripped.index("") + 1)
            )
        if twice:
            self._refuse(_("Several columns are called “%s”. Rename all but one.") % twice[0])

    def _row(self, number: int, cells: list[str], spoiled: Mapping[int, str]) -> Row | None:
        """Return the row, or None where it is blank."""
        if not any(cells) and not spoiled:
            self.blank += 1
            return None
        while len(cells) > self._width and not cells[-1]:
            cells.pop()
        fits = len(cells) == self._width
        if self._ours:
            cells = self._theirs(cells)
            if not any(cells) and not spoiled:
                self.blank += 1
                return None
        self._count += 1
        if not fits:
            return Row(number, cells, _SOUND)
        found = dict(self._spoiled(cells))
        found |= {self.header[index]: why for index, why in spoiled.items() if index < len(self.header)}
        return Row(number, cells, found or _SOUND)

    def _theirs(self, cells: Sequence[T]) -> list[T]:
        """Return the cells without those that an error file added; a row of another width has them at its end."""
        if not self._ours:
            return list(cells)
        if len(cells) != self._width:
            return list(cells[: -len(_OURS)])
        return [cell for index, cell in enumerate(cells) if index not in self._ours]

    def _spoiled(self, cells: list[str]) -> Iterator[tuple[str, str]]:
        together = "\n".join(cells)
        if "#" not in together and "E+" not in together:
            return
        for name, text in zip(self.header, cells, strict=True):
            if text in _ERRORS:
                yield name, spreadsheet_error()
            elif _SHORTENED.fullmatch(text):
                yield name, shortened()

    def _refuse(self, problem: str) -> NoReturn:
        self.close()
        raise Invalid({self.name: [problem]})


def spreadsheet_error() -> str:
    """Return what is wrong with a cell whose formula failed."""
    return _("The spreadsheet could not compute this cell. Correct the formula, or write the value.")


def shortened() -> str:
    """Return what is wrong with a long number of which only the first digits are left."""
    return _(
        "A spreadsheet kept this long number as a number and lost its last digits. Format the column as text and"
        " enter the number again."
    )
