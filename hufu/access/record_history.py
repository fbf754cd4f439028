"""What of a record keeps its past: whatever a rule can name, by one generator from the registry."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry, states
from hufu.access.registry import Field, Kind, ResourceType, Sensitivity
from hufu.core.schema import record_history_sql

# What coverage itself looks at, where a type has it.
COVERED_BY = ("partition_id", "owner_id", "department_id", "pool_id", "deleted_at", *states.PAST)
NAMEABLE = frozenset({Kind.CHOICE, Kind.INTEGER, Kind.MONEY, Kind.DATE, Kind.REFERENCE, Kind.CODE})
OPEN = frozenset({Sensitivity.PUBLIC, Sensitivity.INTERNAL})


def can_be_named(declared: Field) -> bool:
    """Say whether a rule can name the field: it is open, and has a value that one compares with others.

    Texts count where their declaration says so, or lists can be filtered by them. Personal, confidential and sealed
    values stand in no history.
    """
    if declared.system or declared.sensitivity not in OPEN or declared.is_encrypted:
        return False
    return declared.kind in NAMEABLE or (
        declared.kind is Kind.TEXT and (declared.filterable or declared.in_rules)
    )


def nameable_fields(resource: ResourceType) -> tuple[Field, ...]:
    """Return the fields of a type that a rule can name."""
    return tuple(declared for declared in resource.fields if can_be_named(declared))


def kept_columns(resource: ResourceType) -> tuple[str, ...]:
    """Return the columns whose past is kept."""
    parent = (resource.by_name[resource.parent].column,) if resource.parent else ()
    own = {field.column for field in resource.model_class._meta.concrete_fields}
    named = (*COVERED_BY, *parent, *(declared.column for declared in nameable_fields(resource)))
    return tuple(column for column in dict.fromkeys(named) if column in own)


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) for every registered type."""
    for resource in registry.resource_types():
        yield (
            f"access.history.{resource.name}",
            record_history_sql(resource.table, kept_columns(resource)),
        )
