"""What belongs to a record: the types whose records name it, and the field by which they do."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access.registry import Field, Kind, ResourceType, resource_types


def children(resource: ResourceType) -> Iterator[tuple[ResourceType, Field]]:
    """Yield each type whose records belong to records of this one, those that follow it first."""
    found = [
        (other, declared)
        for other in resource_types()
        for declared in other.fields
        if declared.kind is Kind.REFERENCE and declared.reference == resource.name
    ]
    yield from sorted(found, key=lambda pair: pair[0].parent != pair[1].name)


def reference_to(child: ResourceType, resource: ResourceType) -> Field:
    """Return the field by which records of `child` belong to one of `resource`."""
    return next(declared for other, declared in children(resource) if other is child)
