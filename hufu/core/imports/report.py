"""What an import did, or would have done: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from hufu.core.errors import Refusal


class Unfit(Exception):
    """A value does not fit its field; the text says why and what to do. It refuses the row, or is kept empty."""


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: its name without folders, the SHA-256 of its bytes, its rows, and how it is written.

    A CSV file has an encoding (`detected` where neither it nor the map says which) and a delimiter, a workbook a sheet.
    """

    name: str
    digest: str
    rows: int
    encoding: str = ""
    detected: bool = False
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class RefusedValue:
    """Why a row was refused: which field, from which column, with which value. Row 1 is the header."""

    file: str
    row: int
    field: str
    column: str
    value: str
    reason: str


@dataclass
class Report:
    """Counts of records (created, updated, unchanged), refused rows, and everything else that was noticed.

    Where rows are refused, nothing is stored, and the counts say what would have been; with `skip_errors` the
    others are stored, and the counts are theirs.

    `translated` counts (field or column, text in the file, what it became); `left_empty` the records whose field
    the file leaves empty; `emptied` the values (field, value, reason) that the map lets be left out; `kept` the
    facts (field) of existing records that an import does not change although the file says otherwise; `repeated`
    rows that say again what an earlier row said; `skipped` the rows (reason) of which the map makes nothing;
    `notices` what somebody should look at although it refuses no row.
    """

    type: str
    map_name: str = ""
    map_digest: str = ""
    files: list[ReadFile] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[RefusedValue] = field(default_factory=list)
    translated: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    left_empty: Counter[str] = field(default_factory=Counter)
    emptied: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    notices: dict[RefusedValue, None] = field(default_factory=dict)
    repeated: int = 0
    skip_errors: bool = False
    error_file: str = ""
    refused_numbers: set[int] = field(default_factory=set)
    unused_columns: dict[str, list[str]] = field(default_factory=dict)
    unused_translations: list[tuple[str, str]] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        """How many rows were refused, each counted once."""
        return len(self.refused_numbers)

    @property
    def stored(self) -> bool:
        """Whether what the rows say is stored, as far as they were not refused."""
        return self.skip_errors or not self.refused

    @property
    def accepted(self) -> int:
        """How many records the rows that were not refused are for."""
        return self.created + self.updated + self.unchanged

    def refuse(self, problem: RefusedValue) -> None:
        """Note why a row is refused."""
        self.refused.append(problem)
        self.refused_numbers.add(problem.row)

    def mark(self) -> Mark:
        """Return what `rewind` needs to forget the records of the rows that come now."""
        counted = {name: copy(getattr(self, name)) for name in _COUNTED}
        return Mark(len(self.refused), counted)

    def rewind(self, mark: Mark) -> None:
        """Forget what was counted of records since the mark; refusals and notices stay."""
        for name, value in mark.counted.items():
            setattr(self, name, value)

    def event_data(self) -> dict[str, Any]:
        """Return what the log says of the import: whether or not the rest was stored, how many rows were refused."""
        stored = self.stored
        return {
            "file": ", ".join(file.name for file in self.files),
            "digest": ", ".join(file.digest for file in self.files),
            "map_digest": self.map_digest,
            "rows": self.files[0].rows,
            "created": self.created if stored else 0,
            "updated": self.updated if stored else 0,
            "unchanged": self.unchanged,
            "refused": self.refused_rows,
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            "type": self.type,
            "map": {"name": self.map_name, "digest": self.map_digest},
            "files": [vars(file) for file in self.files],
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused_rows,
            "refusals": [vars(problem) for problem in self.refused],
            "error_file": self.error_file,
            "notices": [vars(notice) for notice in self.notices],
            "translated": _counted(self.translated, ("where", "from", "to")),
            "left_empty": dict(self.left_empty),
            "emptied": _counted(self.emptied, ("field", "value", "reason")),
            "kept": dict(self.kept),
            "skipped": dict(self.skipped),
            "repeated": self.repeated,
            "unused_columns": self.unused_columns,
            "unused_translations": [
                {"where": where, "from": text} for where, text in self.unused_translations
            ],
        }


_COUNTED = ("created", "updated", "unchanged", "left_empty", "emptied", "kept", "repeated")


@dataclass(frozen=True)
class Mark:
    """Where a report stood."""

    refusals: int
    counted: Mapping[str, Any]


def _counted(counts: Mapping[tuple[str, str, str], int], names: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{**dict(zip(names, key, strict=True)), "count": count} for key, count in sorted(counts.items())]


class ImportRefused(Refusal):
    """At least one row was refused, so nothing was stored. `report` names every refused row."""

    def __init__(self, report: Report, message: str, *, event: Mapping[str, Any]) -> None:
        super().__init__(message, event=event)
        self.report = report
