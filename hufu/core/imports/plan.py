"""A map bound to files: each row becomes drafts, texts per field, and what was noticed goes into the report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils.translation import gettext as _

from hufu.core.imports.files import Sheet
from hufu.core.imports.maps import ONLY, File, ForEach, Join, Lookup, Map, Problems, Record, Value
from hufu.core.imports.report import RefusedValue, Report, Unfit

Cells = dict[str, str]
Get = Callable[[Cells], str]
Table = list[Cells]
# The values of another file's column and how often each stands there, by the values of the columns asked for.
Index = dict[tuple[str, ...], Counter[str]]


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says of one record."""

    record: Record
    row: int
    cells: Cells
    texts: dict[str, str]


class Plan:
    """A map and the files it is about. `drafts` walks the rows once; the report fills as it goes."""

    def __init__(self, map: Map, paths: Iterable[str]) -> None:
        """Open the files; raise Invalid where the map does not fit them.

        A path may be given as `name=path`, where `name` is the file's in the map; otherwise the file's own name
        must be the one that the map says. A map of one file takes any.
        """
        self.map = map
        self.report = Report(map.type, map.name, map.digest)
        self._problems = Problems()
        self._paths = self._assign(list(paths))
        self._problems.stop()
        self._sheets = {alias: self._open(alias) for alias in map.files}
        try:
            self._columns = {alias: self._all_columns(alias) for alias in map.files}
            self._used: dict[str, set[str]] = {alias: set() for alias in map.files}
            self._check()
            self._problems.stop()
            self._tables: dict[str, Table] = {}
            self._main = self._sheets[map.rows]
            self._recipes = [self._recipe(record) for record in map.records]
            self._clean = self._cleaner(map.files[map.rows])
            self._extend = self._joiner(map.files[map.rows])
            self._tables.clear()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """How many bytes the rows take."""
        return self._main.size

    @property
    def position(self) -> int:
        """How many of these bytes were read."""
        return self._main.position

    def drafts(self) -> Iterator[Draft]:
        """Yield the drafts of every row; rows that make none stand in the report, with the reason."""
        header = self._main.header
        for number, values in self._main.rows():
            if len(values) != len(header):
                self._refuse_shape(number, values)
                continue
            cells = dict(zip(header, values, strict=True))
            try:
                self._clean(cells)
                self._extend(cells)
            except Unfit as unfit:
                self.refuse_row(number, "", "", str(unfit))
                continue
            for recipe in self._recipes:
                yield from recipe.drafts(number, cells)
        self._finish()

    def refuse(self, draft: Draft, field: str, reason: str) -> None:
        """Note that a field's value refuses the row."""
        value = draft.record.fields.get(field)
        columns = list(dict.fromkeys(_columns(value))) if value else []
        raw = " · ".join(draft.cells.get(column, "") for column in columns)
        if not columns:
            raw = draft.texts.get(field, "")
        self.refuse_row(draft.row, field, ", ".join(columns), reason, raw)

    def refuse_row(self, row: int, field: str, column: str, reason: str, value: str = "") -> None:
        """Note that a row is refused; row 0 is the file as a whole."""
        self.report.refused.append(RefusedValue(self._main.name, row, field, column, value, reason))

    def unfit(self, draft: Draft, field: str, reason: str) -> None:
        """Note a value that does not fit: it refuses the row, or is left out where the map lets it."""
        if draft.record.fields[field].unknown == "refuse":
            self.refuse(draft, field, reason)
        else:
            self.report.emptied[(field, draft.texts[field], reason)] += 1

    def close(self) -> None:
        """Let the files go."""
        for sheet in self._sheets.values():
            sheet.close()

    # Binding the map to the files.

    def _assign(self, paths: list[str]) -> dict[str, Path]:
        assigned: dict[str, Path] = {}
        by_name = {file.name: alias for alias, file in self.map.files.items()}
        if len(paths) == len(self.map.files) == 1 and "=" not in paths[0]:
            return {next(iter(self.map.files)): Path(paths[0])}
        for path in paths:
            alias, equals, rest = path.partition("=")
            if not equals or alias not in self.map.files:
                alias, rest = by_name.get(Path(path).name, ""), path
            if not alias:
                self._problems.add(
                    Path(path).name,
                    _("The map knows no such file; it knows: %s. Write NAME=FILE to say which one it is.")
                    % ", ".join(f"{alias} ({file.name})" for alias, file in self.map.files.items()),
                )
            elif alias in assigned:
                self._problems.add(Path(path).name, _("The file “%s” was given twice.") % alias)
            else:
                assigned[alias] = Path(rest)
        for alias, file in self.map.files.items():
            if alias not in assigned:
                self._problems.add(file.place, _("The file %s was not given.") % file.name)
        return assigned

    def _open(self, alias: str) -> Sheet:
        return Sheet(self._paths[alias], self.map.files[alias].delimiter)

    def _all_columns(self, alias: str, seen: tuple[str, ...] = ()) -> list[str]:
        columns = list(self._sheets[alias].header)
        for join in self.map.files[alias].joins:
            if join.file in (*seen, alias):
                self._problems.add(self.map.files[alias].place, _("A file cannot join itself."))
                continue
            columns += [f"{join.file}.{column}" for column in self._all_columns(join.file, (*seen, alias))]
        return columns

    def _check(self) -> None:
        """Note every column that the map names and a file lacks."""
        for alias, file in self.map.files.items():
            for column in file.translate:
                self._use(alias, column, f"{file.place}.translate", count=False)
            for join in file.joins:
                for theirs, ours in join.on.items():
                    self._use(join.file, theirs, f"{file.place}.join")
                    self._use(alias, ours, f"{file.place}.join")
        for record in self.map.records:
            extra: set[str] = set()
            if record.for_each is not None:
                self._check_lookup(record.for_each.lookup, f"{record.place}.for_each", extra)
                extra.add(record.for_each.name)
            if record.when is not None:
                self._use_row(record.when, f"{record.place}.when", extra)
            for value in record.fields.values():
                self._check_value(value, extra)

    def _check_value(self, value: Value, extra: set[str]) -> None:
        if value.lookup is not None:
            self._check_lookup(value.lookup, f"{value.place}.lookup", extra)
        for column in () if value.lookup else _columns(value, deep=False):
            self._use_row(column, value.place, extra)
        if value.otherwise is not None:
            self._check_value(value.otherwise, extra)

    def _check_lookup(self, lookup: Lookup, place: str, extra: set[str]) -> None:
        self._use(lookup.file, lookup.column, place)
        for theirs, ours in lookup.where.items():
            self._use(lookup.file, theirs, place)
            self._use_row(ours, place, extra)

    def _use_row(self, column: str, place: str, extra: set[str]) -> None:
        if column not in extra:
            self._use(self.map.rows, column, place)

    def _use(self, alias: str, column: str, place: str, *, count: bool = True) -> None:
        if column not in self._columns[alias]:
            self._problems.add(
                place,
                _("%(file)s has no column “%(column)s”; it has: %(known)s.")
                % {
                    "file": self._sheets[alias].name,
                    "column": column,
                    "known": ", ".join(self._columns[alias]),
                },
            )
        elif count:
            self._used[alias].add(column)
            joined, dot, theirs = column.partition(".")
            if dot and joined in self.map.files and column not in self._sheets[alias].header:
                self._use(joined, theirs, place)

    # Turning rows into drafts.

    def _recipe(self, record: Record) -> _Recipe:
        each = record.for_each
        return _Recipe(
            self,
            record,
            {name: self._get(name, value) for name, value in record.fields.items()},
            self._values(each.lookup) if each else None,
        )

    def _get(self, name: str, value: Value) -> Get:
        """Return the function that gives a field's text for a row."""
        source = self._source(value)
        translate, translated = value.translate, self.report.translated
        scale, date_format = value.scale, value.date_format
        otherwise = self._get(name, value.otherwise) if value.otherwise else None

        def get(cells: Cells) -> str:
            text = source(cells)
            if translate and text in translate:
                new = translate[text]
                translated[(name, text, new)] += 1
                text = new
            if text and scale is not None:
                text = _scaled(text, scale)
            if text and date_format is not None:
                text = _dated(text, date_format)
            return otherwise(cells) if otherwise is not None and not text else text

        return get

    def _source(self, value: Value) -> Get:
        if value.column is not None:
            column = value.column
            return lambda cells: cells[column]
        if value.template is not None:
            return value.template.fill
        if value.lookup is not None:
            return self._looked_up(value.lookup)
        constant = value.constant or ""
        return lambda cells: constant

    def _looked_up(self, lookup: Lookup) -> Get:
        values = self._values(lookup)
        name = self._sheets[lookup.file].name

        def get(cells: Cells) -> str:
            found = values(cells)
            if not found:
                return ""
            if lookup.take == ONLY and len(found) > 1:
                raise Unfit(
                    _("%(file)s has several values for this row: %(values)s.")
                    % {"file": name, "values": ", ".join(sorted(found))}
                )
            # Of equally frequent values the first in order: the answer does not hang on the order of rows.
            return min(found, key=lambda text: (-found[text], text))

        return get

    def _values(self, lookup: Lookup) -> Callable[[Cells], Counter[str]]:
        theirs, ours = tuple(lookup.where), tuple(lookup.where.values())
        index: Index = defaultdict(Counter)
        for cells in self._table(lookup.file):
            if text := cells[lookup.column]:
                index[tuple(cells[column] for column in theirs)][text] += 1
        index = dict(index)
        nothing: Counter[str] = Counter()
        return lambda cells: index.get(tuple(cells[column] for column in ours), nothing)

    def _table(self, alias: str) -> Table:
        """Return the rows of a file, cleaned and joined."""
        if alias in self._tables:
            return self._tables[alias]
        # The file that is walked is read a second time where it is looked up in, too.
        sheet = self._open(alias) if alias == self.map.rows else self._sheets[alias]
        clean, extend = self._cleaner(self.map.files[alias]), self._joiner(self.map.files[alias])
        table: Table = []
        for number, values in sheet.rows():
            if len(values) != len(sheet.header):
                self._problems.add(sheet.name, _wrong_width(number, len(values), len(sheet.header)))
                continue
            cells = dict(zip(sheet.header, values, strict=True))
            clean(cells)
            try:
                extend(cells)
            except Unfit as unfit:
                self._problems.add(sheet.name, _("Row %(row)s: %(why)s") % {"row": number, "why": unfit})
            table.append(cells)
        self._problems.stop()
        self._tables[alias] = table
        return table

    def _cleaner(self, file: File) -> Callable[[Cells], None]:
        prefix = "" if file.alias == self.map.rows else f"{file.alias}."
        translations = [
            (column, f"{prefix}{column}", texts) for column, texts in file.translate.items() if texts
        ]
        translated = self.report.translated

        def clean(cells: Cells) -> None:
            for column, label, texts in translations:
                text = cells[column]
                if text in texts:
                    translated[(label, text, texts[text])] += 1
                    cells[column] = texts[text]

        return clean

    def _joiner(self, file: File) -> Callable[[Cells], None]:
        joins = [(join, self._join_index(join)) for join in file.joins]

        def extend(cells: Cells) -> None:
            for join, index in joins:
                key = tuple(cells[ours] for ours in join.on.values())
                found = index.get(key)
                if found is None and any(key):
                    raise Unfit(
                        _("%(file)s has no row for “%(key)s”.")
                        % {"file": self._sheets[join.file].name, "key": " · ".join(key)}
                    )
                for column in self._columns[join.file]:
                    cells[f"{join.file}.{column}"] = found[column] if found else ""

        return extend

    def _join_index(self, join: Join) -> dict[tuple[str, ...], Cells]:
        index: dict[tuple[str, ...], Cells] = {}
        for cells in self._table(join.file):
            key = tuple(cells[theirs] for theirs in join.on)
            if index.setdefault(key, cells) != cells:
                self._problems.add(
                    self._sheets[join.file].name,
                    _("Several different rows are for “%s”; a file that is joined has one.")
                    % " · ".join(key),
                )
        self._problems.stop()
        return index

    # What is left to say at the end.

    def _refuse_shape(self, number: int, values: list[str]) -> None:
        self.refuse_row(
            number, "", "", _wrong_width(number, len(values), len(self._main.header)), " · ".join(values[:3])
        )

    def _finish(self) -> None:
        report = self.report
        others = [sheet for alias, sheet in self._sheets.items() if alias != self.map.rows]
        report.files = [sheet.read() for sheet in (self._main, *others)]
        if self._main.blank:
            report.skipped[_("blank row")] += self._main.blank
        for alias, sheet in self._sheets.items():
            if unused := [column for column in sheet.header if column not in self._used[alias]]:
                report.unused_columns[sheet.name] = unused
        report.unused_translations = [
            (where, text) for where, text in self._translations() if not self._translated(where, text)
        ]

    def _translations(self) -> Iterator[tuple[str, str]]:
        for file in self.map.files.values():
            prefix = "" if file.alias == self.map.rows else f"{file.alias}."
            for column, texts in file.translate.items():
                yield from ((f"{prefix}{column}", text) for text in texts)
        yield from sorted(
            {
                (name, text)
                for record in self.map.records
                for name, value in record.fields.items()
                for text in value.translate
            }
        )

    def _translated(self, where: str, text: str) -> bool:
        return any(key[:2] == (where, text) for key in self.report.translated)


@dataclass(frozen=True)
class _Recipe:
    """How one record is made from a row."""

    plan: Plan
    record: Record
    gets: Mapping[str, Get]
    each: Callable[[Cells], Counter[str]] | None

    def drafts(self, row: int, cells: Cells) -> Iterator[Draft]:
        if self.record.when is not None and not cells[self.record.when]:
            self.plan.report.skipped[_("“%s” is empty") % self.record.when] += 1
            return
        for expanded in self._expanded(row, cells):
            draft = Draft(self.record, row, expanded, {})
            fits = True
            for name, get in self.gets.items():
                try:
                    draft.texts[name] = get(expanded)
                except Unfit as unfit:
                    self.plan.refuse(draft, name, str(unfit))
                    fits = False
            if fits:
                yield draft

    def _expanded(self, row: int, cells: Cells) -> Iterator[Cells]:
        each: ForEach | None = self.record.for_each
        if self.each is None or each is None:
            yield cells
            return
        found = self.each(cells)
        key = " · ".join(cells[ours] for ours in each.lookup.where.values())
        if not found and each.skip_unseen:
            self.plan.report.skipped[_("no “%s” in the other file") % each.name] += 1
        elif not found:
            self.plan.refuse_row(
                row,
                each.name,
                ", ".join(each.lookup.where.values()),
                _("The other file has no value of “%s” for this row.") % each.name,
                key,
            )
        for text in sorted(found):
            yield {**cells, each.name: text}


def _columns(value: Value, *, deep: bool = True) -> Iterator[str]:
    """Yield the columns of the row that a value is made from."""
    if value.column is not None:
        yield value.column
    if value.template is not None:
        yield from value.template.columns()
    if value.lookup is not None:
        yield from value.lookup.where.values()
    if deep and value.otherwise is not None:
        yield from _columns(value.otherwise)


def _scaled(text: str, scale: Decimal) -> str:
    # What is no number stays as it is: the field's own check says so.
    try:
        return f"{Decimal(text.replace(',', '')) * scale:f}"
    except InvalidOperation:
        return text


def _dated(text: str, date_format: str) -> str:
    try:
        return datetime.strptime(text, date_format).date().isoformat()
    except ValueError:
        raise Unfit(
            _("“%(text)s” is not a date written as %(format)s.") % {"text": text, "format": date_format}
        ) from None


def _wrong_width(row: int, found: int, expected: int) -> str:
    return _("Row %(row)s has %(found)s cells, the first row names %(expected)s columns.") % {
        "row": row,
        "found": found,
        "expected": expected,
    }
