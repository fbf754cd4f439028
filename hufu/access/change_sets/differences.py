"""What differs between two documents of definitions, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hufu.access.change_sets.asserting import words
from hufu.access.policy_document import SECTIONS, assertions

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
# What is told as one: a principal, a condition.
WHOLE = frozenset({"to", "by", "members", "condition"})


@dataclass(frozen=True)
class Difference:
    """One entry of a section that was added, changed or removed. `parts`: what of it, as (path, before, after)."""

    section: str
    key: str
    kind: str
    parts: tuple[tuple[str, Any, Any], ...] = field(default=())

    @property
    def place(self) -> str:
        """What it is about: two drafts that change the same place cannot both be carried out unseen."""
        return f"{self.section}.{self.key}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what has to change in `before` to become `after`, in the order of the sections."""
    found: list[Difference] = []
    for section in SECTIONS:
        old, new = entries(section.name, before), entries(section.name, after)
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                found.append(Difference(section.name, key, REMOVED, ()))
            elif key not in old:
                found.append(Difference(section.name, key, ADDED, tuple(_parts("", None, new[key]))))
            elif old[key] != new[key]:
                found.append(Difference(section.name, key, CHANGED, tuple(_parts("", old[key], new[key]))))
    return tuple(found)


def entries(section: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a section by what names them."""
    content = document.get(section) or {}
    if isinstance(content, Mapping):
        return {str(key): value for key, value in content.items()}
    return {key_of(section, entry): entry for entry in content}


def key_of(section: str, entry: Any) -> str:
    """Return what names an entry of a list."""
    if section == assertions.SECTION.name:
        return words(entry)
    named = next(each for each in SECTIONS if each.name == section).identity(entry)
    if isinstance(named, Mapping):
        return " → ".join(str(_first(value)) for value in named.values())
    return str(named)


def _first(value: Any) -> Any:
    return next(iter(value.values())) if isinstance(value, Mapping) else value


def _parts(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before == after:
        return
    is_leaf = path in WHOLE or not (isinstance(before, Mapping) or isinstance(after, Mapping))
    if (
        is_leaf
        or not isinstance(before, (Mapping, type(None)))
        or not isinstance(after, (Mapping, type(None)))
    ):
        yield path, before, after
        return
    old, new = before or {}, after or {}
    for key in [*old, *(key for key in new if key not in old)]:
        yield from _parts(f"{path}.{key}" if path else str(key), old.get(key), new.get(key))
