"""The map: what the rows of a file mean. Read strictly; docs/import.md describes it.

Everything in a map is text: `007` and `no` mean what they look like.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import gettext as _

from hufu.core.errors import Invalid, Unavailable
from hufu.core.imports.files.encodings import STATED
from hufu.core.imports.templates import Template, read_template

FORMAT = "1"
SOURCES = ("constant", "column", "template", "lookup", "rule")
REFUSE, EMPTY = "refuse", "empty"
ONLY, MOST_FREQUENT = "only", "most_frequent"


@dataclass(frozen=True)
class Shape:
    """What a map may say for one type of record.

    `identities` are the fields by which a record is known again. `by` lists, per field that names something,
    what it may be named by (the first is the default); `rules` the rules a field can follow; `several` are the
    fields that may name several things in one text.
    """

    type: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    identities: tuple[str, ...]
    by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    several: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """A value of another file: of its rows where each column of `where` equals a column of this row."""

    file: str
    column: str
    where: Mapping[str, str]
    take: str = ONLY


@dataclass(frozen=True)
class Value:
    """Where a field's text comes from (exactly one source), and what is done with it."""

    place: str
    constant: str | None = None
    column: str | None = None
    template: Template | None = None
    lookup: Lookup | None = None
    rule: str | None = None
    otherwise: Value | None = None
    translate: Mapping[str, str] = field(default_factory=dict)
    unknown: str = REFUSE
    by: str = ""
    scale: Decimal | None = None
    date_format: str | None = None
    separator: str = ";"


@dataclass(frozen=True)
class Join:
    """Columns of another file, as `file.column`, from its one row where each column of `on` equals one of ours."""

    file: str
    on: Mapping[str, str]


@dataclass(frozen=True)
class File:
    """A file of the map: its usual name, how to read it, and how its columns are cleaned before anything else.

    What is empty of `delimiter`, `encoding` and `sheet` is found out from the file.
    """

    alias: str
    name: str
    place: str
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    translate: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True)
class ForEach:
    """One record for each value that another file has for this row; the value is the new column `name`."""

    name: str
    lookup: Lookup
    skip_unseen: bool


@dataclass(frozen=True)
class Record:
    """A record that is made from a row."""

    place: str
    label: str
    identity: str
    fields: Mapping[str, Value]
    for_each: ForEach | None = None
    when: str | None = None


@dataclass(frozen=True)
class Map:
    """A map that was read: whole, and right as far as it can be known without the files."""

    name: str
    digest: str
    type: str
    files: Mapping[str, File]
    rows: str
    records: tuple[Record, ...]


class Problems:
    """Everything that is wrong with a map, with the place of each."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, place: str, message: str) -> None:
        """Note a problem."""
        self.found.setdefault(place, []).append(message)

    def keys(self, place: str, entry: Any, allowed: Iterable[str], required: Iterable[str] = ()) -> bool:
        """Say whether `entry` is a mapping that has the required keys and no others than the allowed ones."""
        allowed = tuple(allowed)
        if not isinstance(entry, Mapping):
            self.add(place, _("This must be a mapping of: %s.") % ", ".join(allowed))
            return False
        before = len(self.found.get(place, ()))
        for key in entry:
            if key not in allowed:
                self.add(
                    place,
                    _("There is no setting “%(key)s” here; there are: %(allowed)s.")
                    % {"key": key, "allowed": ", ".join(allowed)},
                )
        for key in required:
            if entry.get(key) in (None, "", [], {}):
                self.add(place, _("“%s” is missing.") % key)
        return len(self.found.get(place, ())) == before

    def one_of(self, place: str, text: Any, allowed: Iterable[str]) -> str:
        """Return the text, which must be one of the allowed ones."""
        allowed = tuple(allowed)
        if text not in allowed:
            self.add(
                place,
                _("“%(text)s” is not one of: %(allowed)s.") % {"text": text, "allowed": ", ".join(allowed)},
            )
            return allowed[0]
        return str(text)

    def texts(self, place: str, entry: Any) -> dict[str, str]:
        """Return a mapping from text to text."""
        if isinstance(entry, Mapping) and all(isinstance(value, str) for value in entry.values()):
            return {str(key).strip(): value.strip() for key, value in entry.items()}
        self.add(place, _("This must map texts to texts."))
        return {}

    def stop(self) -> None:
        """Raise Invalid where something was found."""
        if self.found:
            raise Invalid(self.found)


class _Loader(yaml.BaseLoader):
    """Reads every scalar as text, and refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _value in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, _("“%s” stands here twice") % key.value, key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_map(path: Path, shape: Shape) -> Map:
    """Return the map in a file; raise Invalid with everything that is wrong with it, and where."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            _("The map %(path)s cannot be read: %(why)s.") % {"path": path, "why": error.strerror}
        ) from None
    try:
        document = yaml.load(content, _Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid({path.name: [_("This is not valid YAML: %s") % error]}) from None
    problems = Problems()
    read = _Reader(shape, problems).map(path.name, hashlib.sha256(content).hexdigest(), document)
    problems.stop()
    assert read is not None
    return read


class _Reader:
    """Reads the parts of one map, noting what is wrong."""

    def __init__(self, shape: Shape, problems: Problems) -> None:
        self.shape = shape
        self.problems = problems
        self.files: dict[str, File] = {}

    def map(self, name: str, digest: str, document: Any) -> Map | None:
        keys = ("format", "import", "files", "rows", "records")
        if not self.problems.keys("", document, keys, ("format", "import", "files", "records")):
            return None
        if document["format"] != FORMAT:
            self.problems.add("format", _("This version reads format %s.") % FORMAT)
        if document["import"] != self.shape.type:
            self.problems.add(
                "import",
                _("The map is for “%(map)s”, the command imports “%(asked)s”.")
                % {"map": document["import"], "asked": self.shape.type},
            )
        if not isinstance(document["files"], Mapping) or not isinstance(document["records"], list):
            self.problems.add("", _("“files” must be a mapping of names to files, “records” a list."))
            return None
        for alias, entry in document["files"].items():
            self.files[alias] = self._file(alias, entry)
        for file in self.files.values():
            for join in file.joins:
                self._known_file(f"{file.place}.join", join.file)
        rows = document.get("rows") or next(iter(self.files))
        self._known_file("rows", rows)
        records = tuple(
            record
            for index, entry in enumerate(document["records"], start=1)
            if (record := self._record(f"records[{index}]", entry)) is not None
        )
        return Map(name, digest, self.shape.type, self.files, rows, records)

    def _known_file(self, place: str, alias: str) -> None:
        if alias not in self.files:
            self.problems.add(
                place,
                _("There is no file “%(name)s” in this map; there are: %(known)s.")
                % {"name": alias, "known": ", ".join(self.files)},
            )

    def _file(self, alias: str, entry: Any) -> File:
        place = f"files.{alias}"
        if isinstance(entry, str) and entry:
            return File(alias, entry, place)
        keys = ("name", "delimiter", "encoding", "sheet", "translate", "join")
        if not self.problems.keys(place, entry, keys, ("name",)):
            return File(alias, "", place)
        delimiter = str(entry.get("delimiter", ""))
        delimiter = "\t" if delimiter == "tab" else delimiter
        if len(delimiter) > 1 or ("delimiter" in entry and not delimiter):
            self.problems.add(f"{place}.delimiter", _("Write one character, or “tab”."))
            delimiter = ""
        encoding = str(entry.get("encoding", "")).lower()
        if "encoding" in entry:
            encoding = self.problems.one_of(f"{place}.encoding", encoding, STATED)
        translate = entry.get("translate") or {}
        if not isinstance(translate, Mapping):
            self.problems.add(f"{place}.translate", _("This must map columns to translations."))
            translate = {}
        joins = entry.get("join") or []
        return File(
            alias,
            str(entry["name"]),
            place,
            delimiter,
            encoding,
            str(entry.get("sheet", "")),
            {
                column: self.problems.texts(f"{place}.translate.{column}", texts)
                for column, texts in translate.items()
            },
            tuple(
                Join(str(join["file"]), self.problems.texts(f"{place}.join", join["on"]))
                for join in (joins if isinstance(joins, list) else [joins])
                if self.problems.keys(f"{place}.join", join, ("file", "on"), ("file", "on"))
            ),
        )

    def _record(self, place: str, entry: Any) -> Record | None:
        keys = ("label", "identity", "when", "for_each", "fields")
        if not self.problems.keys(place, entry, keys, ("fields",)):
            return None
        fields = entry["fields"]
        if not self.problems.keys(f"{place}.fields", fields, self.shape.fields, self.shape.required):
            return None
        identity = self.problems.one_of(
            f"{place}.identity", entry.get("identity", self.shape.identities[0]), self.shape.identities
        )
        if identity not in fields:
            self.problems.add(
                f"{place}.fields",
                _("“%s” is missing: by it a record is known again (identity).") % identity,
            )
        return Record(
            place,
            str(entry.get("label", "")),
            identity,
            {name: self._value(f"{place}.fields.{name}", name, value) for name, value in fields.items()},
            self._for_each(f"{place}.for_each", entry["for_each"]) if "for_each" in entry else None,
            entry.get("when"),
        )

    def _for_each(self, place: str, entry: Any) -> ForEach | None:
        keys = ("as", "file", "column", "where", "unseen")
        if not self.problems.keys(place, entry, keys, ("as", "file", "column", "where")):
            return None
        self._known_file(place, entry["file"])
        lookup = Lookup(entry["file"], entry["column"], self.problems.texts(f"{place}.where", entry["where"]))
        unseen = self.problems.one_of(f"{place}.unseen", entry.get("unseen", REFUSE), (REFUSE, "skip"))
        return ForEach(entry["as"], lookup, unseen == "skip")

    def _value(self, place: str, name: str, entry: Any) -> Value:
        if isinstance(entry, str):
            return Value(place, constant=entry, by=self._default_by(name))
        keys = (*SOURCES, "otherwise", "translate", "unknown", "by", "scale", "date_format", "separator")
        if not self.problems.keys(place, entry, keys):
            return Value(place, constant="")
        given = [source for source in SOURCES if source in entry]
        if len(given) != 1:
            self.problems.add(place, _("Give exactly one of: %s.") % ", ".join(SOURCES))
            return Value(place, constant="")
        source: Any = entry[given[0]]
        if given[0] == "lookup":
            source = self._lookup(f"{place}.lookup", source)
        elif given[0] == "template":
            source = self._template(f"{place}.template", source)
        elif given[0] == "rule":
            source = self._rule(f"{place}.rule", name, source)
        elif not isinstance(source, str):
            self.problems.add(f"{place}.{given[0]}", _("This must be a text."))
            source = ""
        options: dict[str, Any] = {given[0]: source}
        if "otherwise" in entry:
            options["otherwise"] = self._value(f"{place}.otherwise", name, entry["otherwise"])
        if "translate" in entry:
            options["translate"] = self.problems.texts(f"{place}.translate", entry["translate"])
        if "unknown" in entry:
            options["unknown"] = self.problems.one_of(f"{place}.unknown", entry["unknown"], (REFUSE, EMPTY))
        if "scale" in entry:
            options["scale"] = self._scale(f"{place}.scale", entry["scale"])
        if "date_format" in entry:
            options["date_format"] = str(entry["date_format"])
        if options.get("unknown") == EMPTY and name in self.shape.required:
            self.problems.add(
                f"{place}.unknown", _("“%s” must not be empty, so it cannot be left out.") % name
            )
        if "separator" in entry:
            options["separator"] = self._separator(place, name, entry["separator"])
        options["by"] = self._default_by(name)
        if "by" in entry:
            if name not in self.shape.by:
                self.problems.add(place, _("“by” is for fields that name a person or another record."))
            else:
                options["by"] = self.problems.one_of(f"{place}.by", entry["by"], self.shape.by[name])
        return Value(place, **options)

    def _default_by(self, name: str) -> str:
        return self.shape.by.get(name, ("",))[0]

    def _separator(self, place: str, name: str, entry: Any) -> str:
        if name not in self.shape.several:
            self.problems.add(place, _("“separator” is for fields that name several things."))
        elif not isinstance(entry, str) or not entry.strip():
            self.problems.add(f"{place}.separator", _("Write what stands between two names."))
        return str(entry).strip() or ";"

    def _lookup(self, place: str, entry: Any) -> Lookup | None:
        if not self.problems.keys(
            place, entry, ("file", "column", "where", "take"), ("file", "column", "where")
        ):
            return None
        self._known_file(place, entry["file"])
        take = self.problems.one_of(f"{place}.take", entry.get("take", ONLY), (ONLY, MOST_FREQUENT))
        where = self.problems.texts(f"{place}.where", entry["where"])
        return Lookup(entry["file"], entry["column"], where, take)

    def _template(self, place: str, entry: Any) -> Template | None:
        try:
            return read_template(str(entry))
        except Invalid as invalid:
            for message in invalid.problems[""]:
                self.problems.add(place, message)
            return None

    def _rule(self, place: str, name: str, entry: Any) -> str | None:
        if name not in self.shape.rules:
            self.problems.add(
                place, _("This field follows no rule; rules are for: %s.") % ", ".join(self.shape.rules)
            )
            return None
        return self.problems.one_of(place, entry, self.shape.rules[name])

    def _scale(self, place: str, entry: Any) -> Decimal | None:
        try:
            scale = Decimal(str(entry))
            if scale.is_finite() and scale > 0:
                return scale
        except InvalidOperation:
            pass
        self.problems.add(place, _("“%s” is not a number above zero.") % entry)
        return None
