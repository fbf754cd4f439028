"""Tables in workbooks: XLSX and XLS, read by python-calamine; cells become the texts that people see in them."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from posixpath import join, normpath
from xml.etree import ElementTree

import python_calamine
from django.utils.translation import gettext as _

from hufu.core.imports.files.sheets import (
    Cell,
    DateText,
    Original,
    Row,
    Sheet,
    shortened,
    spreadsheet_error,
)
from hufu.core.imports.files.sources import Source
from hufu.core.imports.report import ReadFile

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MAGIC = (ZIP, OLE)
LARGEST_BYTES = 1 << 30
MOST_CELLS = 50_000_000
# A number of a spreadsheet has 15 digits; of a longer one the rest is made up.
FIRST_TOO_LONG = 10**15
ERROR = "#N/A"

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FAILED = re.compile(rb"<(?:\w+:)?c\s[^>]*?\bt=[\"']e[\"'][^>]*>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]+)([0-9]+)[\"']")
# Of cells and rows: r="B7", r="7".
_LETTERS = re.compile(rb"\br=[\"']([A-Za-z]+)[0-9]+[\"']")
_NUMBER = re.compile(rb"\br=[\"'][A-Za-z]*([0-9]+)[\"']")


class WorkbookSheet(Sheet):
    """A sheet of a workbook: the one that the map names, or else the first that can be seen.

    Rows have the numbers that the spreadsheet shows. Blank rows above the header are passed over.
    """

    def __init__(self, source: Source, sheet: str = "") -> None:
        super().__init__(source)
        with source.open() as stream:
            content = stream.read()
        self._digest = hashlib.sha256(content).hexdigest()
        self._done = 0
        self.sheet, self._spoiled_cells, self._table = self._load(content, sheet)
        self._start = next((at for at, row in enumerate(self._table) if any(map(_text, row))), 0)
        first = self._table[self._start] if self._table else []
        self._left = next((at for at, cell in enumerate(first) if _text(cell)), 0)
        if any(_text(cell) for row in self._table for cell in row[: self._left]):
            self._left = 0
        self._name_columns([_text(cell) for cell in first[self._left :]])

    @property
    def position(self) -> int:
        return self.size * self._done // max(len(self._table), 1)

    def rows(self) -> Iterator[Row]:
        for number, cells in self._numbered():
            self._done = number
            spoiled = self._spoiled_at(number, cells)
            if row := self._row(number, [_stripped(cell) for cell in cells], spoiled):
                yield row

    def originals(self) -> Iterator[Original]:
        for number, cells in self._numbered():
            spoiled = self._spoiled_at(number, cells)
            # What reads as nothing and is not meant so has to stay wrong until it is corrected.
            shown = [ERROR if at in spoiled and not _text(cell) else cell for at, cell in enumerate(cells)]
            yield Original(number, self._theirs(shown[: self._width]))

    def read(self) -> ReadFile:
        return ReadFile(self.name, self._digest, self._count, sheet=self.sheet)

    def close(self) -> None:
        self._table = []

    def _numbered(self) -> Iterator[tuple[int, list[Cell]]]:
        for at, cells in enumerate(self._table[self._start + 1 :], start=self._start + 2):
            yield at, cells[self._left :]

    def _spoiled_at(self, number: int, cells: Sequence[Cell]) -> dict[int, str]:
        found = {
            at: shortened()
            for at, cell in enumerate(cells)
            if isinstance(cell, (int, float)) and abs(cell) >= FIRST_TOO_LONG
        }
        failed = self._spoiled_cells.get(number, {})
        return found | {at - self._left: why for at, why in failed.items()}

    def _load(self, content: bytes, wanted: str) -> tuple[str, dict[int, dict[int, str]], list[list[Cell]]]:
        try:
            parts = _parts(content) if content.startswith(ZIP) else {}
            with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
                name = self._sheet_name(book, wanted)
                xml = self._xml(content, parts.get(name, ""))
                sheet = book.get_sheet_by_name(name)
                spoiled = _failed(xml)
                for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
                    last = min(bottom, sheet.total_height)
                    for row in range(top, last + 1):
                        for column in range(left, min(right, sheet.total_width) + 1):
                            if (row, column) != (top, left):
                                spoiled.setdefault(row + 1, {})[column] = _merged()
                return name, spoiled, sheet.to_python(skip_empty_area=False)
        except python_calamine.PasswordError:
            problem = _("The workbook is protected by a password. Save it without one.")
        except (
            python_calamine.CalamineError,
            zipfile.BadZipFile,
            ElementTree.ParseError,
            LookupError,
            ValueError,
            OSError,
        ):
            problem = _("The file is not a workbook that can be read. Save it as .xlsx, or as “CSV UTF-8”.")
        self._refuse(problem)

    def _sheet_name(self, book: python_calamine.CalamineWorkbook, wanted: str) -> str:
        sheets = [
            each for each in book.sheets_metadata if each.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        names = [each.name for each in sheets]
        if wanted and wanted not in names:
            self._refuse(
                _("The workbook has no sheet “%(name)s”; it has: %(known)s.")
                % {"name": wanted, "known": ", ".join(names)}
            )
        visible = [each.name for each in sheets if each.visible == python_calamine.SheetVisibleEnum.Visible]
        if not names:
            self._refuse(_("The workbook has no sheet with cells."))
        return wanted or (visible or names)[0]

    def _xml(self, content: bytes, part: str) -> bytes:
        """Return the sheet's own XML, after a look at how much would be unpacked."""
        if not content.startswith(ZIP):
            return b""
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
                self._refuse(_("The workbook is too large. Divide it, or save it as “CSV UTF-8”."))
            xml = archive.read(part)
        columns = max((_column(letters.upper()) for letters in set(_LETTERS.findall(xml))), default=0) + 1
        rows = max((int(match.group(1)) for match in _NUMBER.finditer(xml)), default=0)
        if rows * columns > MOST_CELLS:
            self._refuse(
                _(
                    "The sheet has cells very far from its beginning. Delete what stands beside and below the table,"
                    " or save it as “CSV UTF-8”."
                )
            )
        return xml


def _parts(content: bytes) -> dict[str, str]:
    """Return which part of the workbook holds the sheet of each name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            raise KeyError
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        targets = {each.get("Id"): each.get("Target", "") for each in relations}
        found = {}
        for each in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
            if each.tag.rpartition("}")[2] == "sheet":
                target = targets.get(each.get(_RELATION), "")
                part = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
                if part in archive.namelist():
                    found[each.get("name", "")] = part
        return found


def _failed(xml: bytes) -> dict[int, dict[int, str]]:
    """Return the cells (row from 1, column from 0) whose formula failed: what reads them gives nothing for these."""
    found: dict[int, dict[int, str]] = {}
    for match in _FAILED.finditer(xml):
        if place := _PLACE.search(match.group()):
            letters, row = place.groups()
            found.setdefault(int(row), {})[_column(letters)] = spreadsheet_error()
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _merged() -> str:
    return _("The cell is merged with another one. Take the merging back and write the value into every row.")


def _stripped(cell: Cell) -> str:
    text = _text(cell)
    return text if isinstance(text, DateText) else text.strip()


def _text(cell: Cell) -> str:
    """Return what a person sees in the cell; dates as 2026-03-31, numbers without exponent and without .0."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        # Fifteen digits: what a spreadsheet keeps, and shows.
        return f"{Decimal(f'{cell:.15g}'):f}"
    if isinstance(cell, datetime):
        if cell.time() == time():
            return DateText(cell.date().isoformat())
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date):
        return DateText(cell.isoformat())
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat(timespec="seconds")
