"""The states of records in lists: what is void stands in none, unless somebody filters for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import states
from hufu.access.decision.states import State
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core.errors import Invalid

NAME = "state"
VOID, LOCKED, OPEN = "void", "locked", "open"
# No column of a record: what the filter of a list offers.
FILTER = Field(
    NAME,
    gettext_lazy("State"),
    Kind.CHOICE,
    system=True,
    choices=(
        (OPEN, gettext_lazy("open")),
        (LOCKED, gettext_lazy("locked")),
        (VOID, gettext_lazy("void")),
    ),
)


def is_filter(resource: ResourceType, name: str) -> bool:
    """Say whether a filter of this name is about the state."""
    return name == NAME and bool(resource.states)


def wanted_states(values: Sequence[str]) -> list[str]:
    """Return the states that are wanted; raise Invalid for one that there is not."""
    wanted = [value for value in values if value]
    unknown = [value for value in wanted if value not in dict(FILTER.choices)]
    if unknown:
        raise Invalid({NAME: [_("“%s” is not one of the values.") % unknown[0]]})
    return wanted


def narrowed(rows: QuerySet[Any], resource: ResourceType, wanted: Sequence[str]) -> QuerySet[Any]:
    """Return the records in one of the wanted states; without any, all that are not void."""
    if not resource.states:
        return rows
    values = wanted_states(wanted)
    not_void = states.is_open(State.VOID & resource.states)
    if not values:
        return rows.filter(not_void)
    is_open = states.is_open(resource.states)
    condition = {
        OPEN: is_open,
        LOCKED: ~states.is_open((State.LOCKED | State.PENDING) & resource.states),
        VOID: ~not_void,
    }
    whole = Q()
    for value in values:
        whole |= condition[value]
    return rows.filter(whole)
