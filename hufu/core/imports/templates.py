"""Texts composed of columns: `{column}`, `{column|slug}`, and `[parts]` that stand only where all their columns do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from hufu.core.errors import Invalid
from hufu.core.text import sort_key

_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{([^{}]*)\}|[{}\[\]]")
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9._-]+")


def slug(text: str) -> str:
    """Return the text as part of a user name: `Mei-Mei Johns` → `mei-mei.johns`, `张伟` → `zhangwei`."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)
    )
    words = (_NOT_IN_A_SLUG.sub("", sort_key(word)) for word in plain.split())
    return ".".join(word for word in words if word)


FILTERS: Mapping[str, Callable[[str], str]] = {"slug": slug, "lower": str.lower, "upper": str.upper}


@dataclass(frozen=True)
class Place:
    """Where a column goes into the text, and through which filters."""

    column: str
    filters: tuple[str, ...]

    def fill(self, cells: Mapping[str, str]) -> str:
        text = cells[self.column]
        for name in self.filters:
            text = FILTERS[name](text)
        return text


@dataclass(frozen=True)
class Template:
    """A text with places. An inner template is an optional part: it vanishes when one of its columns is empty."""

    parts: tuple[str | Place | Template, ...]

    def fill(self, cells: Mapping[str, str]) -> str:
        """Return the text for one row."""
        return "".join(self._filled(part, cells) for part in self.parts)

    def columns(self) -> Iterator[str]:
        """Yield the columns in the order of their places."""
        for part in self.parts:
            if isinstance(part, Place):
                yield part.column
            elif isinstance(part, Template):
                yield from part.columns()

    @staticmethod
    def _filled(part: str | Place | Template, cells: Mapping[str, str]) -> str:
        if isinstance(part, str):
            return part
        if isinstance(part, Place):
            return part.fill(cells)
        return part.fill(cells) if all(cells[column] for column in part.columns()) else ""


def read_template(text: str) -> Template:
    """Return the template that a text describes; raise Invalid, saying what is wrong with it."""
    outer: list[str | Place | Template] = []
    inner: list[str | Place | Template] | None = None
    end = 0
    for match in _TOKEN.finditer(text):
        target = outer if inner is None else inner
        target.append(text[end : match.start()])
        end = match.end()
        token = match.group()
        if token in ("{{", "}}", "[[", "]]"):
            target.append(token[0])
        elif match.group(1) is not None:
            target.append(_place(match.group(1)))
        elif token == "[" and inner is None:
            inner = []
        elif token == "]" and inner is not None:
            outer.append(Template(_joined(inner)))
            inner = None
        else:
            raise Invalid({"": [_("“%s” stands alone in the template; double it to mean itself.") % token]})
    if inner is not None:
        raise Invalid({"": [_("“[” is never closed in the template.")]})
    outer.append(text[end:])
    return Template(_joined(outer))


def _place(inside: str) -> Place:
    column, *filters = (part.strip() for part in inside.split("|"))
    if not column:
        raise Invalid({"": [_("“{}” names no column.")]})
    for name in filters:
        if name not in FILTERS:
            raise Invalid(
                {
                    "": [
                        _("There is no filter “%(name)s”; there are: %(known)s.")
                        % {"name": name, "known": ", ".join(FILTERS)}
                    ]
                }
            )
    return Place(column, tuple(filters))


def _joined(parts: Sequence[str | Place | Template]) -> tuple[str | Place | Template, ...]:
    return tuple(part for part in parts if part != "")
