"""The section `pools`: where records without owner lie, who may claim them, what is hidden until then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import pools
from hufu.access.actions import Principal
from hufu.access.policy_document.draft import Draft, Section, again
from hufu.access.policy_document.principals import export_principal, read_principal
from hufu.access.pool_models import Pool
from hufu.access.pools import PoolSays

KEYS = ("key", "name", "type", "partition", "members", "hides")


def _plan(draft: Draft, entries: Any) -> None:
    """Plan to bring each pool that the document names to exactly what it says; others stay."""
    standing = {row.key: pools.standing(row) for row in _rows()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("pools", entries):
        if not draft.problems.check_keys(place, entry, KEYS, ("key", "name", "type", "partition")):
            continue
        key = str(entry["key"])
        if again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        says = PoolSays(
            key,
            str(entry["name"]),
            str(entry["type"]),
            str(entry["partition"]),
            _principals(draft, f"{place}.members", entry.get("members")),
            tuple(draft.problems.names(f"{place}.hides", entry.get("hides"))),
        )
        for setting, problem in pools.problems_of(says):
            draft.problems.add(f"{place}.{setting}", problem)
        if says.partition not in draft.partitions:
            draft.problems.add(f"{place}.partition", _("There is no partition “%s”.") % says.partition)
        known = standing.get(key)
        if known is not None and (known.type, known.partition) != (says.type, says.partition):
            draft.problems.add(place, _("A pool keeps its type and its partition. Make another one."))
        if len(draft.problems.found) > before or (known is not None and known.words() == says.words()):
            continue
        draft.add(
            place,
            f"pool:{key}",
            partial(pools.set_pool, says=says),
            creates=known is None,
            narrows=known is not None and says.narrows(known),
        )


def _principals(draft: Draft, place: str, entry: Any) -> tuple[Principal, ...]:
    """Return the members; a single one may stand alone."""
    if isinstance(entry, Mapping):
        found = read_principal(place, entry, draft.problems)
        return (found,) if found is not None else ()
    every = (read_principal(where, to, draft.problems) for where, to in draft.problems.entries(place, entry))
    return tuple({str(found): found for found in every if found is not None}.values())


def _rows() -> list[Pool]:
    return list(Pool.objects.select_related("partition").order_by("id"))


def _export() -> list[dict[str, Any]]:
    return [_exported(pools.standing(row)) for row in _rows()]


def _exported(says: PoolSays) -> dict[str, Any]:
    exported: dict[str, Any] = {
        "key": says.key,
        "name": says.name,
        "type": says.type,
        "partition": says.partition,
    }
    members = [export_principal(principal) for principal in says.members]
    if members:
        exported["members"] = members[0] if len(members) == 1 else members
    if says.hides:
        exported["hides"] = list(says.hides)
    return exported


def _remove(draft: Draft, place: str, entry: Any) -> None:
    row = Pool.objects.select_related("partition").filter(key=str(entry)).first()
    if row is None:
        draft.problems.add(place, _("There is no pool “%s”.") % entry)
        return
    draft.add(place, f"pool:{row.key}", partial(pools.end_pool, row=row), creates=False, removes=True)


SECTION = Section("pools", _plan, _export, _remove)
