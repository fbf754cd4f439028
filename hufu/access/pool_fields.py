"""What pools hide: a field is hidden on every record that lies in such a pool, whoever looks, until it is claimed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from hufu.access import reach
from hufu.access.pool_models import PoolHidden
from hufu.access.registry import Field, ResourceType
from hufu.core.transaction import current_unit


def hiding(resource: ResourceType, declared: Field) -> frozenset[int]:
    """Return the pools that hide a field of the type, read once per transaction."""
    cache = current_unit().cache
    if reach.POOL_FIELDS not in cache:
        found: dict[tuple[str, str], frozenset[int]] = {}
        for pool, type_name, field in PoolHidden.objects.values_list("pool_id", "type", "field"):
            found[type_name, field] = found.get((type_name, field), frozenset()) | {pool}
        cache[reach.POOL_FIELDS] = found
    known: Mapping[tuple[str, str], frozenset[int]] = cache[reach.POOL_FIELDS]
    return known.get((resource.name, declared.name), frozenset())


def pool_of(resource: ResourceType, record: Any) -> int | None:
    """Return the pool in which a record lies, or the one that it is decided with; None where it has an owner."""
    decides = getattr(record, resource.parent) if resource.parent else record
    pool: int | None = decides.pool_id if resource.independent.pooled else None
    return pool


def shown(resource: ResourceType, declared: Field) -> Q:
    """Return the condition for the records on which no pool hides the field."""
    pools = hiding(resource, declared)
    if not pools:
        return Q()
    prefix = f"{resource.parent}__" if resource.parent else ""
    return Q(**{f"{prefix}pool_id__isnull": True}) | ~Q(**{f"{prefix}pool_id__in": sorted(pools)})
