"""What an import did, or would have done: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hufu.core.errors import Refusal


class Unfit(Exception):
    """A value does not fit its field; the text says why and what to do. It refuses the row, or is kept empty."""


@dataclass(frozen=True)
class ReadFile:
    """A file that was read: its name without folders, the SHA-256 of its bytes, its rows."""

    name: str
    digest: str
    rows: int


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

    Where rows are refused, nothing is stored, and the counts say what would have been.

    `translated` counts (field or column, text in the file, what it became); `left_empty` the records whose field
    the file leaves empty; `emptied` the values (field, value, reason) that the map lets be left out; `kept` the
    facts (field) of existing records that an import does not change although the file says otherwise; `repeated`
    rows that say again what an earlier row said; `skipped` the rows (reason) of which the map makes nothing.
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
    repeated: int = 0
    unused_columns: dict[str, list[str]] = field(default_factory=dict)
    unused_translations: list[tuple[str, str]] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        """How many rows were refused, each counted once."""
        return len({(problem.file, problem.row) for problem in self.refused})

    def event_data(self) -> dict[str, Any]:
        """Return what the log says of the import. Where rows were refused, nothing was created or updated."""
        stored = not self.refused
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


def _counted(counts: Mapping[tuple[str, str, str], int], names: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [{**dict(zip(names, key, strict=True)), "count": count} for key, count in sorted(counts.items())]


class ImportRefused(Refusal):
    """At least one row was refused, so nothing was stored. `report` names every refused row."""

    def __init__(self, report: Report, message: str, *, event: Mapping[str, Any]) -> None:
        super().__init__(message, event=event)
        self.report = report
