"""A map bound to files: each row becomes drafts, texts per field, and what was noticed goes into the report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.utils.translation import gettext as _

from hufu.core.imports.columns import check_columns, columns_of
from hufu.core.imports.files import DateText, Sheet
from hufu.core.imports.maps import ONLY, REFUSE, ForEach, Lookup, Map, Problems, Record, Value
from hufu.core.imports.report import RefusedValue, Report, Unfit
from hufu.core.imports.tables import Cells, Tables, wrong_width

Get = Callable[[Cells], str]


@dataclass(frozen=True, slots=True)
class Draft:
    """What one row says of one record."""

    record: Record
    row: int
    cells: Cells
    texts: dict[str, str]


class Plan:
    """A map and the files it is about. `drafts` walks the rows once; the report fills as it goes."""

    def __init__(self, map: Map, paths: Iterable[str], *, skip_errors: bool = False) -> None:
        """Open the files; raise Invalid where the map does not fit them.

        A path may be given as `name=path`, where `name` is the file's in the map; otherwise the file's own name
        must be the one that the map says. A map of one file takes any. `skip_errors`: rows that are not refused
        are to be stored although others are.
        """
        self.map = map
        self.report = Report(map.type, map.name, map.digest, skip_errors=skip_errors)
        self._tables = Tables(map, assign(map, list(paths)), self.report)
        try:
            self._used = self._tables.used = check_columns(map, self._tables)
            main = map.files[map.rows]
            self._recipes = [self._recipe(record) for record in map.records]
            self._clean, self._extend = self._tables.cleaner(main), self._tables.joiner(main)
            self._keys = self._row_keys()
            self._tables.release()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """How many bytes the rows take."""
        return self._tables.main.size

    @property
    def position(self) -> int:
        """How many of these bytes were read."""
        return self._tables.main.position

    def drafts(self) -> Iterator[Draft]:
        """Yield the drafts of every row; rows that make none stand in the report, with the reason."""
        header = self._tables.main.header
        for number, values, spoiled in self._tables.main.rows():
            if len(values) != len(header):
                reason = wrong_width(number, len(values), len(header))
                self.refuse_row(number, "", "", reason, " · ".join(values))
                continue
            cells = dict(zip(header, values, strict=True))
            for column in self._keys & spoiled.keys():
                self.refuse_row(number, "", column, spoiled[column], cells[column])
            if self._keys & spoiled.keys():
                continue
            self._clean(cells)
            try:
                self._extend(cells)
            except Unfit as unfit:
                self.refuse_row(number, "", "", str(unfit))
                continue
            for recipe in self._recipes:
                yield from recipe.drafts(number, cells, spoiled)
        self._finish()

    def refuse(self, draft: Draft, field: str, reason: str) -> None:
        """Note that a field's value refuses the row."""
        self.report.refuse(self._about(draft, field, reason))

    def refuse_row(self, row: int, field: str, column: str, reason: str, value: str = "") -> None:
        """Note that a row is refused."""
        self.report.refuse(RefusedValue(self._tables.main.name, row, field, column, value, reason))

    def notice(self, draft: Draft, field: str, reason: str) -> None:
        """Note something about a field's value that somebody should look at and that refuses nothing."""
        self.report.notices[self._about(draft, field, reason)] = None

    def unfit(self, draft: Draft, field: str, reason: str) -> None:
        """Note a value that does not fit: it refuses the row, or is left out where the map lets it."""
        if draft.record.fields[field].unknown == REFUSE:
            self.refuse(draft, field, reason)
        else:
            text = draft.texts[field] or self._about(draft, field, reason).value
            self.report.emptied[(field, text, reason)] += 1

    @property
    def main(self) -> Sheet:
        """The file whose rows become records."""
        return self._tables.main

    def source(self) -> Sheet:
        """Return the file whose rows become records, opened once more."""
        return self._tables.open(self.map.rows)

    def close(self) -> None:
        """Let the files go."""
        self._tables.close()

    def _about(self, draft: Draft, field: str, reason: str) -> RefusedValue:
        value = draft.record.fields.get(field)
        columns = list(dict.fromkeys(columns_of(value))) if value else []
        text = (
            " · ".join(draft.cells[column] for column in columns) if columns else draft.texts.get(field, "")
        )
        return RefusedValue(self._tables.main.name, draft.row, field, ", ".join(columns), text, reason)

    def _row_keys(self) -> set[str]:
        """Return the columns that say which records a row is for, and which rows of other files belong to it."""
        keys = {ours for join in self.map.files[self.map.rows].joins for ours in join.on.values()}
        for record in self.map.records:
            keys |= {record.when} if record.when else set()
            keys |= set(record.for_each.lookup.where.values()) if record.for_each else set()
        return keys

    def _recipe(self, record: Record) -> _Recipe:
        each = record.for_each
        return _Recipe(
            self,
            record,
            {name: self._get(name, value) for name, value in record.fields.items()},
            self._tables.values(each.lookup) if each else None,
        )

    def _get(self, name: str, value: Value) -> Get:
        """Return the function that gives a field's text for a row."""
        source = self._source(value)
        translate, translated = value.translate, self.report.translated
        scale, date_format = value.scale, value.date_format
        otherwise = self._get(name, value.otherwise) if value.otherwise else None

        def get(cells: Cells) -> str:
            text = source(cells)
            if text in translate:
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
        values = self._tables.values(lookup)
        name = self._tables.sheets[lookup.file].name

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

    def _finish(self) -> None:
        report, sheets = self.report, self._tables.sheets
        others = [sheet for alias, sheet in sheets.items() if alias != self.map.rows]
        report.files = [sheet.read() for sheet in (self._tables.main, *others)]
        if self._tables.main.blank:
            report.skipped[_("blank row")] += self._tables.main.blank
        for alias, sheet in sheets.items():
            if unused := [column for column in sheet.header if column not in self._used[alias]]:
                report.unused_columns[sheet.name] = unused
        made = {(where, text) for where, text, _new in report.translated}
        report.unused_translations = sorted(set(self._translations()) - made)

    def _translations(self) -> Iterator[tuple[str, str]]:
        for file in self.map.files.values():
            for column, texts in file.translate.items():
                yield from ((f"{self._tables.prefix(file)}{column}", text) for text in texts)
        for record in self.map.records:
            for name, value in record.fields.items():
                yield from ((name, text) for text in value.translate)


@dataclass(frozen=True)
class _Recipe:
    """How one record is made from a row."""

    plan: Plan
    record: Record
    gets: Mapping[str, Get]
    each: Callable[[Cells], Counter[str]] | None

    def drafts(self, row: int, cells: Cells, spoiled: Mapping[str, str]) -> Iterator[Draft]:
        if self.record.when is not None and not cells[self.record.when]:
            self.plan.report.skipped[_("“%s” is empty") % self.record.when] += 1
            return
        for expanded in self._expanded(row, cells):
            draft = Draft(self.record, row, expanded, {})
            fits = True
            for name, get in self.gets.items():
                try:
                    for column in columns_of(self.record.fields[name]) if spoiled else ():
                        if column in spoiled:
                            raise Unfit(spoiled[column])
                    draft.texts[name] = get(expanded)
                except Unfit as unfit:
                    draft.texts[name] = ""
                    self.plan.unfit(draft, name, str(unfit))
                    fits = fits and self.record.fields[name].unknown != REFUSE
            if fits:
                yield draft

    def _expanded(self, row: int, cells: Cells) -> Iterator[Cells]:
        each: ForEach | None = self.record.for_each
        if self.each is None or each is None:
            yield cells
            return
        found = self.each(cells)
        columns = tuple(each.lookup.where.values())
        if not found and each.skip_unseen:
            self.plan.report.skipped[_("no “%s” in the other file") % each.name] += 1
        elif not found:
            self.plan.refuse_row(
                row,
                each.name,
                ", ".join(columns),
                _("The other file has no value of “%s” for this row.") % each.name,
                " · ".join(cells[column] for column in columns),
            )
        for text in sorted(found):
            yield {**cells, each.name: text}


def assign(map: Map, paths: list[str]) -> dict[str, Path]:
    """Return which file of the map each path is; raise Invalid where that cannot be told, or one is missing."""
    problems = Problems()
    assigned: dict[str, Path] = {}
    by_name = {file.name: alias for alias, file in map.files.items()}
    if len(paths) == len(map.files) == 1 and "=" not in paths[0]:
        return {next(iter(map.files)): Path(paths[0])}
    for path in paths:
        alias, equals, rest = path.partition("=")
        if not equals or alias not in map.files:
            alias, rest = by_name.get(_usual_name(path), ""), path
        if not alias:
            problems.add(
                Path(path).name,
                _("The map knows no such file; it knows: %s. Write NAME=FILE to say which one it is.")
                % ", ".join(f"{alias} ({file.name})" for alias, file in map.files.items()),
            )
        elif alias in assigned:
            problems.add(Path(path).name, _("The file “%s” was given twice.") % alias)
        else:
            assigned[alias] = Path(rest)
    for alias, file in map.files.items():
        if alias not in assigned:
            problems.add(file.place, _("The file %s was not given.") % file.name)
    problems.stop()
    return assigned


def _usual_name(path: str) -> str:
    """Return a file's name without what an error file has in addition."""
    return re.sub(r"\.refused(-\d+)?(?=\.[^.]+$)", "", Path(path).name)


def _scaled(text: str, scale: Decimal) -> str:
    # What is no number stays as it is: the field's own check says so.
    try:
        return f"{Decimal(text.replace(',', '')) * scale:f}"
    except InvalidOperation:
        return text


def _dated(text: str, date_format: str) -> str:
    if isinstance(text, DateText):
        return text
    try:
        return datetime.strptime(text, date_format).date().isoformat()
    except ValueError:
        raise Unfit(
            _("“%(text)s” is not a date written as %(format)s.") % {"text": text, "format": date_format}
        ) from None
