"""The columns of a list: what stands there by itself, and what this browser chose instead.

The choice is a cookie with names of fields and nothing else; each name is checked against what the type declares,
and what stands in a column is decided per record as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from hufu.access.registry import Field, Kind, ResourceType
from hufu.crm.next_steps import is_planned

# No field of a record: it comes from what is planned with it.
NEXT_STEP = Field("next_step", _("Next step"), system=True)


@dataclass(frozen=True)
class Choice:
    """A column that one can have, and whether it is shown."""

    field: Field
    chosen: bool


def possible(resource: ResourceType) -> list[Field]:
    """Return what may stand in a column besides the title, in the order of the type."""
    offered = [
        declared
        for declared in resource.fields
        if declared.kind is not Kind.LONG_TEXT and declared.name != resource.title
    ]
    if is_planned(resource):
        offered.insert(next(i for i, each in enumerate(offered) if each.system) + 1, NEXT_STEP)
    return offered


def usual(resource: ResourceType) -> list[Field]:
    """Return the columns of a list that nobody arranged. The department stands beside the owner."""
    names = {declared.name for declared in resource.fields if declared.in_list}
    if "owner" in names:
        names.discard("department")
    return [declared for declared in possible(resource) if declared.name in names or declared is NEXT_STEP]


def shown(request: HttpRequest, resource: ResourceType) -> list[Field]:
    """Return the columns of this browser's list: the title first, always."""
    asked = set(request.COOKIES.get(f"hufu_columns_{resource.name}", "").split("."))
    chosen = [declared for declared in possible(resource) if declared.name in asked]
    return [resource.by_name[resource.title], *(chosen or usual(resource))]


def choices(resource: ResourceType, columns: list[Field]) -> list[Choice]:
    """Return what the chooser offers."""
    return [Choice(declared, declared in columns) for declared in possible(resource)]


def beside_parent(fields: list[Field]) -> list[Field]:
    """Return the columns of a list that stands on the page of what its records belong to: without that one."""
    return [declared for declared in fields if declared.kind is not Kind.REFERENCE]
