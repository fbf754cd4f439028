"""The error file: the rows that were refused, as they stand in their file, and why. To be corrected and imported again.

The original columns in their order, then `hufu_reason` and `hufu_row` (the row in the original file), which an import
passes over. A CSV file is UTF-8 with a byte order mark and the original's delimiter; texts that a spreadsheet would
take for formulas have an apostrophe in front, which goes away when the file is imported. In a workbook texts are
texts, long numbers included, so nothing needs to be done.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

import xlsxwriter
from django.utils.translation import gettext as _

from hufu.core.errors import Conflict, Invalid, Unavailable
from hufu.core.imports.files import REASON, ROW, Cell, Sheet
from hufu.core.imports.files.neutral import neutral
from hufu.core.imports.files.workbooks import ERROR, WorkbookSheet
from hufu.core.imports.plan import Plan
from hufu.core.imports.report import Report

WORKBOOK = ".xlsx"
_NUMBERED = re.compile(r"(.+)\.refused(?:-(\d+))?")
_DATE, _MOMENT, _DURATION = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "[h]:mm:ss"


class ErrorFile:
    """Where the refused rows of an import go. It is there when the import is, whole, or not at all."""

    def __init__(self, plan: Plan, path: Path | None = None) -> None:
        """Choose the place beside the source where `path` says none; raise where no file can be made there."""
        self._plan = plan
        self.path = path or _beside(plan.main)
        if isinstance(plan.main, WorkbookSheet) and self.path.suffix.lower() != WORKBOOK:
            raise Invalid(
                {str(self.path): [_("The refused rows of a workbook go into a workbook: name a file .xlsx.")]}
            )
        if os.path.lexists(self.path):
            raise Conflict(
                _(
                    "%s exists already and is not overwritten. Correct it and import it first, move it away, or name"
                    " another file (--error-file)."
                )
                % self.path
            )
        if not os.access(self.path.parent, os.W_OK):
            raise Unavailable(
                _("The folder %s cannot be written. Name another file (--error-file).") % self.path.parent
            )

    @contextmanager
    def kept_with(self) -> Iterator[ErrorFile]:
        """Take the file away again where the body, which stores the import, fails."""
        written = False
        try:
            yield self
            written = True
        finally:
            if not written and self._plan.report.error_file:
                self.path.unlink(missing_ok=True)

    def write(self) -> None:
        """Write the refused rows, if there are any, readable by the owner only."""
        report = self._plan.report
        if not report.refused:
            return
        reasons = _reasons(report)
        with _closing(self._plan.source()) as sheet:
            rows = [
                (row.number, list(row.cells), reasons[row.number])
                for row in sheet.originals()
                if row.number in reasons
            ]
            if sheet.read().digest != report.files[0].digest:
                raise Conflict(
                    _("The file %s was changed while it was imported. Nothing was imported; import again.")
                    % sheet.name
                )
            if self.path.suffix.lower() == WORKBOOK:
                content = _workbook(self._plan.map.files[self._plan.map.rows].sheet, sheet, rows)
            else:
                content = _text(sheet, rows)
        _publish(self.path, content)
        report.error_file = str(self.path)


Rows = Sequence[tuple[int, Sequence[Cell], str]]


@contextmanager
def _closing(sheet: Sheet) -> Iterator[Sheet]:
    try:
        yield sheet
    finally:
        sheet.close()


def _beside(source: Sheet) -> Path:
    """Return `customers.refused.csv` for `customers.csv`, `customers.refused-2.csv` for that."""
    path = source.source.path
    suffix = WORKBOOK if isinstance(source, WorkbookSheet) else path.suffix or ".csv"
    stem, number = path.stem, 1
    if match := _NUMBERED.fullmatch(stem):
        stem, number = match.group(1), int(match.group(2) or 1) + 1
    return path.with_name(f"{stem}.refused{f'-{number}' if number > 1 else ''}{suffix}")


def _reasons(report: Report) -> dict[int, str]:
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for problem in report.refused:
        where = problem.column or problem.field
        found[problem.row][f"{where}: {problem.reason}" if where else problem.reason] = None
    return {number: " ".join(texts) for number, texts in found.items()}


def _text(sheet: Sheet, rows: Rows) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=getattr(sheet, "delimiter", ","))
    writer.writerow([*map(neutral, sheet.original_header), REASON, ROW])
    for number, cells, reason in rows:
        writer.writerow([*(neutral(str(cell)) for cell in cells), neutral(reason), number])
    return text.getvalue().encode("utf-8-sig")


def _workbook(name: str, sheet: Sheet, rows: Rows) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet(name or getattr(sheet, "sheet", "") or None)
    formats = {text: book.add_format({"num_format": text}) for text in (_DATE, _MOMENT, _DURATION)}
    as_text = book.add_format({"num_format": "@"})
    width = len(sheet.original_header) + 2
    page.set_column(0, width - 3, 18, as_text)
    page.set_column(width - 2, width - 2, 60)
    for at, heading in enumerate((*sheet.original_header, REASON, ROW)):
        page.write_string(0, at, heading, as_text)
    for line, (number, cells, reason) in enumerate(rows, start=1):
        # A row that is too short stays wrong until it is corrected.
        cells = [*cells, *(ERROR for _missing in range(len(cells), width - 2))]
        for at, cell in enumerate((*cells, reason)):
            if isinstance(cell, str):
                page.write_string(line, at, cell, as_text)
            elif isinstance(cell, bool):
                page.write_boolean(line, at, cell)
            elif isinstance(cell, (int, float)):
                page.write_number(line, at, cell)
            elif isinstance(cell, (datetime, date, time, timedelta)):
                page.write_datetime(line, at, cell, formats[_notation(cell)])
        page.write_number(line, len(cells) + 1, number)
    book.close()
    return content.getvalue()


def _notation(cell: date | datetime | time | timedelta) -> str:
    if isinstance(cell, datetime):
        return _MOMENT
    return _DATE if isinstance(cell, date) else _DURATION


def _publish(path: Path, content: bytes) -> None:
    """Give a whole file its name at once; raise Conflict where the name is taken meanwhile."""
    try:
        handle, draft = _unnamed(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                # With a folder given, linkat() follows the link of a file that has no name yet.
                folder = os.open(path.parent, os.O_RDONLY)
                try:
                    os.link(draft or f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=folder)
                    os.fsync(folder)
                finally:
                    os.close(folder)
        finally:
            if draft:
                draft.unlink(missing_ok=True)
    except FileExistsError:
        raise Conflict(
            _("%s exists already and is not overwritten. Name another file (--error-file).") % path
        ) from None
    except OSError as error:
        raise Unavailable(
            _("The error file %(path)s cannot be written: %(why)s. Nothing was imported.")
            % {"path": path, "why": error.strerror}
        ) from None


def _unnamed(path: Path) -> tuple[int, Path | None]:
    """Open a file of mode 0600 that vanishes with this process; where there is no such thing, one that is hidden."""
    flags = getattr(os, "O_TMPFILE", 0)
    if flags and Path("/proc/self/fd").exists():
        try:
            return os.open(path.parent, flags | os.O_WRONLY, 0o600), None
        except OSError:
            pass
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), draft
