"""Whether the files have the columns that a map names, and which of theirs it leaves unused."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from hufu.core.imports.maps import Lookup, Map, Value
from hufu.core.imports.tables import Tables


def check_columns(map: Map, tables: Tables) -> dict[str, set[str]]:
    """Return the columns in use, per file; raise Invalid naming every column that is missing, and those there are."""
    check = _Check(map, tables)
    check.files()
    check.records()
    tables.problems.stop()
    return check.used


def columns_of(value: Value, *, deep: bool = True) -> Iterator[str]:
    """Yield the columns of the row that a value is made from."""
    if value.column is not None:
        yield value.column
    if value.template is not None:
        yield from value.template.columns()
    if value.lookup is not None:
        yield from value.lookup.where.values()
    if deep and value.otherwise is not None:
        yield from columns_of(value.otherwise)


class _Check:
    def __init__(self, map: Map, tables: Tables) -> None:
        self.map = map
        self.tables = tables
        self.used: dict[str, set[str]] = {alias: set() for alias in map.files}

    def files(self) -> None:
        for alias, file in self.map.files.items():
            for column in file.translate:
                # To be cleaned is not to be used.
                self._use(alias, column, f"{file.place}.translate", count=False)
            for join in file.joins:
                for theirs, ours in join.on.items():
                    self._use(join.file, theirs, f"{file.place}.join")
                    self._use(alias, ours, f"{file.place}.join")

    def records(self) -> None:
        for record in self.map.records:
            extra: set[str] = set()
            if record.for_each is not None:
                place = f"{record.place}.for_each"
                self._lookup(record.for_each.lookup, place, extra)
                if record.for_each.name in self.tables.columns[self.map.rows]:
                    self.tables.problems.add(
                        place, _("The file has a column “%s” already.") % record.for_each.name
                    )
                extra.add(record.for_each.name)
            if record.when is not None:
                self._row(record.when, f"{record.place}.when", extra)
            for value in record.fields.values():
                self._value(value, extra)

    def _value(self, value: Value, extra: set[str]) -> None:
        if value.lookup is not None:
            self._lookup(value.lookup, f"{value.place}.lookup", extra)
        else:
            for column in columns_of(value, deep=False):
                self._row(column, value.place, extra)
        if value.otherwise is not None:
            self._value(value.otherwise, extra)

    def _lookup(self, lookup: Lookup, place: str, extra: set[str]) -> None:
        self._use(lookup.file, lookup.column, place)
        for theirs, ours in lookup.where.items():
            self._use(lookup.file, theirs, place)
            self._row(ours, place, extra)

    def _row(self, column: str, place: str, extra: set[str]) -> None:
        if column not in extra:
            self._use(self.map.rows, column, place)

    def _use(self, alias: str, column: str, place: str, *, count: bool = True) -> None:
        sheet = self.tables.sheets[alias]
        if column not in self.tables.columns[alias]:
            self.tables.problems.add(
                place,
                _("%(file)s has no column “%(column)s”; it has: %(known)s.")
                % {"file": sheet.name, "column": column, "known": ", ".join(self.tables.columns[alias])},
            )
        elif count:
            self.used[alias].add(column)
            joined, dot, theirs = column.partition(".")
            if dot and joined in self.map.files and column not in sheet.header:
                self._use(joined, theirs, place)
