"""The files of a map side by side: opened, cleaned, joined, and looked up in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from django.utils.translation import gettext as _

from hufu.core.imports.files import Sheet, Source, open_sheet
from hufu.core.imports.maps import File, Join, Lookup, Map, Problems
from hufu.core.imports.report import Report, Unfit

Cells = dict[str, str]
Table = list[Cells]
# The values of another file's column and how often each stands there, by the values of the columns asked for.
Index = dict[tuple[str, ...], Counter[str]]


class Tables:
    """The open files of a map. The main one is walked row by row, the others are held as far as they are needed."""

    def __init__(self, map: Map, paths: Mapping[str, Path], report: Report) -> None:
        self.map = map
        self.report = report
        self.problems = Problems()
        self._held: dict[str, Table] = {}
        self._sources: dict[str, Source] = {}
        # The columns in use, per file, as soon as they are known.
        self.used: Mapping[str, set[str]] = {}
        self.sheets: dict[str, Sheet] = {}
        try:
            for alias in map.files:
                self._sources[alias] = Source(paths[alias])
                self.sheets[alias] = self.open(alias)
            self.columns = {alias: self._all_columns(alias) for alias in map.files}
            self.problems.stop()
        except BaseException:
            self.close()
            raise

    @property
    def main(self) -> Sheet:
        """The file whose rows become records."""
        return self.sheets[self.map.rows]

    def close(self) -> None:
        """Let the files go."""
        for sheet in self.sheets.values():
            sheet.close()

    def release(self) -> None:
        """Forget the rows of the other files: what was asked of them is indexed."""
        self._held.clear()

    def values(self, lookup: Lookup) -> Callable[[Cells], Counter[str]]:
        """Return the function that gives the values of a lookup for a row, with how often each is there."""
        theirs, ours = tuple(lookup.where), tuple(lookup.where.values())
        index: Index = defaultdict(Counter)
        for cells in self._table(lookup.file):
            if text := cells[lookup.column]:
                index[tuple(cells[column] for column in theirs)][text] += 1
        nothing: Counter[str] = Counter()
        return lambda cells: index.get(tuple(cells[column] for column in ours), nothing)

    def cleaner(self, file: File) -> Callable[[Cells], None]:
        """Return the function that translates the columns of a row in place, and counts."""
        prefix = self.prefix(file)
        translations = [(column, f"{prefix}{column}", texts) for column, texts in file.translate.items()]
        translated = self.report.translated

        def clean(cells: Cells) -> None:
            for column, label, texts in translations:
                text = cells[column]
                if text in texts:
                    translated[(label, text, texts[text])] += 1
                    cells[column] = texts[text]

        return clean

    def joiner(self, file: File) -> Callable[[Cells], None]:
        """Return the function that adds the columns of joined files to a row; it raises Unfit where one lacks it."""
        joins = [(join, self._join_index(join)) for join in file.joins]

        def extend(cells: Cells) -> None:
            for join, index in joins:
                key = tuple(cells[ours] for ours in join.on.values())
                found = index.get(key)
                if found is None and any(key):
                    raise Unfit(
                        _("%(file)s has no row for “%(key)s”.")
                        % {"file": self.sheets[join.file].name, "key": " · ".join(key)}
                    )
                for column in self.columns[join.file]:
                    cells[f"{join.file}.{column}"] = found[column] if found else ""

        return extend

    def prefix(self, file: File) -> str:
        """Return what the report puts before a column's name: nothing for the main file."""
        return "" if file.alias == self.map.rows else f"{file.alias}."

    def open(self, alias: str) -> Sheet:
        """Open a file of the map, once more where it is open already."""
        return open_sheet(self._sources[alias], self.map.files[alias])

    def _all_columns(self, alias: str, seen: tuple[str, ...] = ()) -> list[str]:
        columns = list(self.sheets[alias].header)
        for join in self.map.files[alias].joins:
            if join.file in (*seen, alias):
                self.problems.add(self.map.files[alias].place, _("A file cannot join itself."))
                continue
            columns += [f"{join.file}.{column}" for column in self._all_columns(join.file, (*seen, alias))]
        return columns

    def _table(self, alias: str) -> Table:
        if alias not in self._held:
            # The file that is walked is read apart where it is looked up in, too.
            sheet = self.open(alias) if alias == self.map.rows else self.sheets[alias]
            self._held[alias] = list(self._read(sheet, self.map.files[alias]))
            if alias == self.map.rows:
                sheet.close()
            self.problems.stop()
        return self._held[alias]

    def _read(self, sheet: Sheet, file: File) -> Iterator[Cells]:
        clean, extend = self.cleaner(file), self.joiner(file)
        used = self.used.get(file.alias, set())
        for row in sheet.rows():
            number, values = row.number, row.cells
            if len(values) != len(sheet.header):
                self.problems.add(sheet.name, wrong_width(number, len(values), len(sheet.header)))
                continue
            for column in used & row.spoiled.keys():
                what = {"row": number, "column": column, "why": row.spoiled[column]}
                self.problems.add(sheet.name, _("Row %(row)s, column “%(column)s”: %(why)s") % what)
            cells = dict(zip(sheet.header, values, strict=True))
            clean(cells)
            try:
                extend(cells)
            except Unfit as unfit:
                self.problems.add(sheet.name, _("Row %(row)s: %(why)s") % {"row": number, "why": unfit})
                continue
            yield cells

    def _join_index(self, join: Join) -> dict[tuple[str, ...], Cells]:
        index: dict[tuple[str, ...], Cells] = {}
        for cells in self._table(join.file):
            key = tuple(cells[theirs] for theirs in join.on)
            if index.setdefault(key, cells) != cells:
                self.problems.add(
                    self.sheets[join.file].name,
                    _("Several different rows are for “%s”; a file that is joined has one.")
                    % " · ".join(key),
                )
        self.problems.stop()
        return index


def wrong_width(row: int, found: int, expected: int) -> str:
    """Return what is wrong with a row that has more or fewer cells than columns."""
    return _("Row %(row)s has %(found)s cells, the first row names %(expected)s columns.") % {
        "row": row,
        "found": found,
        "expected": expected,
    }
