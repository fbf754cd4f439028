"""The section `partitions`."""

from __future__ import annotations

from functools import partial
from typing import Any

from hufu.access import actions
from hufu.access.models import Partition
from hufu.access.policy_document.draft import Draft, Section, again
from hufu.access.registry import Risk
from hufu.core.actor import Actor


def _plan_partitions(draft: Draft, entries: Any) -> None:
    draft.partitions.update({partition.key: partition for partition in Partition.objects.all()})
    named: set[str] = set()
    for place, entry in draft.problems.entries("partitions", entries):
        if not draft.problems.check_keys(place, entry, ("key", "name"), ("key", "name")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if again(draft, place, key, named):
            continue
        label = f"partition:{key}"
        standing = draft.partitions.setdefault(key, None)
        if standing is None:
            draft.add(place, label, partial(_create_partition, draft, key, name), creates=True, risk=Risk.LOW)
        elif standing.name != name:
            rename = partial(actions.rename_partition, partition=standing, name=name)
            draft.add(place, label, rename, creates=False, risk=Risk.LOW)


def _create_partition(draft: Draft, key: str, name: str, actor: Actor) -> None:
    draft.partitions[key] = actions.create_partition(actor, key=key, name=name)


def _export() -> list[dict[str, str]]:
    return [{"key": row.key, "name": row.name} for row in Partition.objects.order_by("id")]


SECTION = Section("partitions", _plan_partitions, _export)
