"""What deeds on records share: events, checks of fields and references, columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.fields import FieldAccess
from hufu.access.registry import Kind, ResourceType, Sensitivity, resource_type
from hufu.audit import Target
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import sound
from hufu.crm.blind import index_columns


def sealed_fields(resource: ResourceType) -> frozenset[str]:
    """Return the fields whose values the log keeps as ciphertext: of a person every one, so that all can be erased."""
    if resource.is_person:
        return frozenset(declared.name for declared in resource.editable_fields())
    return frozenset(
        declared.name
        for declared in resource.fields
        if declared.sensitivity in (Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL)
    )


def target(resource: ResourceType, row: Any) -> Target:
    return Target(resource.name, row.pk, row.partition_id)


def check_fields(actor: Actor, resource: ResourceType, current: Any, values: Mapping[str, Any]) -> None:
    """Raise Denied for a field that the actor may not write. A masked one may be replaced blind."""
    access = guard.fields_to_write(actor, resource, current)
    permission = resource.permission("create" if current is None else "edit")
    for name in values:
        if access.get(name) not in (FieldAccess.EDITABLE, FieldAccess.MASKED):
            raise guard.denied(actor, permission, current)


def changed(actor: Actor, resource: ResourceType, current: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the values that are to be written: all that differ, and whatever replaces a masked one.

    INVARIANT: a masked value is never compared with one that a person sent, or the right guess would look otherwise.
    """
    access = guard.fields(actor, resource, current)
    return {
        name: value
        for name, value in values.items()
        if (actor.is_person and not access[name].is_readable)
        or getattr(current, resource.by_name[name].column) != value
    }


def may_own(places: set[tuple[int, int]]) -> bool:
    """Say whether each of these people may own records in each of these partitions."""
    owners, partitions = zip(*places, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(bool_and(hufu.may_own(o, p) AND u.main_department_id IS NOT NULL), false)"
            " FROM unnest(%s::int[], %s::int[]) AS place (o, p) LEFT JOIN people_user u ON u.id = o",
            [list(owners), list(partitions)],
        )
        allowed: bool = cursor.fetchone()[0]
    return allowed


def check_references(
    actor: Actor, resource: ResourceType, places: Sequence[tuple[int, Mapping[str, Any]]]
) -> None:
    """Raise Invalid for a reference to a record that is absent, not viewable, or in another partition."""
    for declared in resource.fields:
        if declared.kind is not Kind.REFERENCE or declared.reference is None:
            continue
        wanted = {
            (partition_id, values[declared.name])
            for partition_id, values in places
            if values.get(declared.name) is not None
        }
        if not wanted:
            continue
        rows = guard.scope(actor, resource_type(declared.reference).permission("view")).filter(
            pk__in={number for _partition, number in wanted}
        )
        if wanted - set(rows.values_list("partition_id", "pk")):
            raise Invalid(
                {
                    declared.name: [
                        _("“%s” must be one that you may view, in the same partition.") % declared.label
                    ]
                }
            )


def columns(resource: ResourceType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return column values, with what is derived from them for sorting and searching."""
    columns = {resource.by_name[name].column: value for name, value in values.items()}
    columns |= index_columns(resource, values)
    if "name" in values:
        columns["name_sort"], columns["name_initials"] = sound(values["name"])
    return columns


def call(function: str, *arguments: Any) -> Any:
    """Return what a definer function of the database returns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({', '.join(['%s'] * len(arguments))})", list(arguments))
        return cursor.fetchone()[0]
