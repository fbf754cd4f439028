"""What a working draft says and changes, worked out from documents alone: nothing here reads the database.

A document is looked at by entries: section → what names an entry → the entry, as the export writes it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hufu.access.change_sets.differences import entries

# The sections that a draft changes; the others are written in a document.
SECTIONS = ("base_access", "roles")
# Sections that are mappings in a document; the others are lists.
MAPPINGS = frozenset({"base_access"})
# Of an entry that is written whole these stand there even where they say nothing.
ALWAYS = frozenset({("grants",)})

Entries = dict[str, dict[str, Any]]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One place in which a draft differs: of an entry that is new, all of it (`path` is empty)."""

    section: str
    key: str
    path: Path
    before: Any
    after: Any

    @property
    def place(self) -> str:
        """What names it among the changes of one draft."""
        return "/".join((self.section, self.key, *self.path))


def by_entry(document: Mapping[str, Any]) -> Entries:
    """Return the entries of the sections that a draft changes."""
    return {name: entries(name, document) for name in SECTIONS}


def document_of(found: Entries) -> dict[str, Any]:
    """Return entries as a document; sections without any are left out."""
    document: dict[str, Any] = {"format": 1}
    for name, of in found.items():
        if of:
            document[name] = dict(of) if name in MAPPINGS else list(of.values())
    return document


def applied(base: Entries, mine: Entries) -> Entries:
    """Return what the definitions become: an entry of the draft stands for the whole of it."""
    return {name: {**of, **mine.get(name, {})} for name, of in base.items()}


def changes(base: Entries, mine: Entries) -> tuple[Change, ...]:
    """Return where a draft differs from what it was written for, in the order of its sections."""
    return tuple(
        Change(name, key, path, before, after)
        for name, of in mine.items()
        for key, entry in of.items()
        for path, before, after in _parts(base[name].get(key), entry)
    )


def without(base: Entries, mine: Entries, place: str) -> Entries:
    """Return a draft without the change that stands at this place; the same where none does."""
    left = copy.deepcopy(mine)
    for change in changes(base, mine):
        if change.place == place:
            if change.path:
                left[change.section][change.key] = _with(
                    left[change.section][change.key], change.path, change.before
                )
            else:
                del left[change.section][change.key]
    return tidy(base, left)


def tidy(base: Entries, mine: Entries) -> Entries:
    """Return a draft without the entries that say what stands anyway."""
    return {
        name: {key: entry for key, entry in of.items() if entry != base[name].get(key)}
        for name, of in mine.items()
    }


def carried(base: Entries, standing: Entries, mine: Entries) -> tuple[Entries, tuple[Change, ...]]:
    """Return a draft written anew for what stands now, and what was left out because a newer version changed the same.

    INVARIANT: nothing that another change set brought is taken back by it: each change is made in what stands.
    """
    left: Entries = {name: {} for name in mine}
    lost = []
    for change in changes(base, mine):
        of, stands = left[change.section], standing[change.section].get(change.key)
        if not change.path:
            now, wanted = stands, copy.deepcopy(change.after)
        else:
            now = _at(stands, change.path)
            wanted = _with(copy.deepcopy(of.get(change.key, stands)), change.path, change.after)
        if now == change.after:
            continue
        if now != change.before or (change.path and stands is None):
            lost.append(change)
        else:
            of[change.key] = wanted
    return tidy(standing, left), tuple(lost)


def _parts(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    if before == after:
        return
    if not isinstance(after, Mapping) or not isinstance(before, Mapping):
        # Of fields without any rule before, each that comes is a change of its own.
        if path[:1] == ("fields",) and len(path) < 3 and _is_mapping_or_none(before, after):
            before, after = before or {}, after or {}
        else:
            yield path, before, after
            return
    for key in _ordered(before, after):
        yield from _parts(before.get(key), after.get(key), (*path, key))


def _is_mapping_or_none(*values: Any) -> bool:
    return all(value is None or isinstance(value, Mapping) for value in values)


def _ordered(before: Iterable[str], after: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*before, *after]))


def _at(entry: Any, path: Path) -> Any:
    for key in path:
        entry = entry.get(key) if isinstance(entry, Mapping) else None
    return entry


def _with(entry: Any, path: Path, value: Any, above: Path = ()) -> Any:
    """Return an entry with another value at a path; None takes it out, and what is empty then."""
    if not path:
        return value
    changed = dict(entry) if isinstance(entry, Mapping) else {}
    here = (*above, path[0])
    inner = _with(changed.get(path[0]), path[1:], value, here)
    if inner is None or (inner == {} and here not in ALWAYS):
        changed.pop(path[0], None)
    else:
        changed[path[0]] = inner
    return changed
