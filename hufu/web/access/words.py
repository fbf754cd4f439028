"""What the cells of somebody's rights say: short in the cell, in full in its name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from hufu.access.decision.effective import Held
from hufu.access.decision.field_access import FieldAccess
from hufu.access.decision.scopes import is_within, names
from hufu.access.registry import HELD_SCOPES, NEW_VERBS, POOL_VERBS, Permission, type_of
from hufu.core.days import last_day, moment_words
from hufu.web.roles import matrix
from hufu.web.roles.matrix import HELD, NOTHING

FORBIDDEN = "forbidden"
SHORT: Mapping[str, str | Promise] = {
    **matrix.SHORT,
    FORBIDDEN: pgettext_lazy("scope in a cell", "Forbidden"),
}
# What is made anew is nobody's yet, what is claimed lies in a pool.
OF_NEW: Mapping[str, str | Promise] = {
    "own": pgettext_lazy("scope in a cell", "For oneself"),
    "everything": pgettext_lazy("scope in a cell", "For anybody"),
}
OF_POOLS: Mapping[str, str | Promise] = {
    "own": pgettext_lazy("scope in a cell", "Own pools"),
    "everything": pgettext_lazy("scope in a cell", "Every pool"),
}
TONES: Mapping[str, str] = {**matrix.TONES, FORBIDDEN: "red"}
# In the order of the columns; what a type adds comes behind them.
VERBS: Mapping[str, str | Promise] = {
    **matrix.VERBS,
    "check_duplicate": pgettext_lazy("verb", "Check duplicates"),
    "steward": pgettext_lazy("verb", "Work off duplicates"),
    "disclose": pgettext_lazy("verb", "Copy for the person"),
    "erase": pgettext_lazy("verb", "Erase"),
}
FIELD_TONES: Mapping[FieldAccess, str] = {
    FieldAccess.HIDDEN: "grey",
    FieldAccess.MASKED: "amber",
    FieldAccess.READ_ONLY: "blue",
    FieldAccess.EDITABLE: "green",
}


def scopes_of(held: Held) -> tuple[str, ...]:
    """Return what a cell says, by names: the scopes as far as none of them holds another, or what stands for them."""
    if held.forbidden:
        return (FORBIDDEN,)
    if not held.is_held:
        return (NOTHING,)
    if held.opened:
        return ("everything",)
    listed = names(held.scope)
    return tuple(
        name for name in listed if not any(other != name and is_within(name, other) for other in listed)
    )


def text_of(permission: Permission, held: Held) -> str:
    """Return the words of a cell."""
    said = scopes_of(held)
    if held.is_held and permission.scopes == HELD_SCOPES:
        return str(SHORT[HELD])
    labels = SHORT
    if type_of(permission.name) is not None and permission.verb in NEW_VERBS:
        labels = {**SHORT, **OF_NEW}
    elif permission.verb in POOL_VERBS:
        labels = {**SHORT, **OF_POOLS}
    return _(", ").join(str(labels[name]) for name in said)


def tone_of(permission: Permission, held: Held) -> str:
    """Return the colour that repeats the words: that of the widest scope."""
    if held.is_held and permission.scopes == HELD_SCOPES:
        return TONES[HELD]
    return TONES[scopes_of(held)[-1]]


def until_words(end: datetime | None) -> str:
    """Return “until 2027-01-31”: the last day that something holds, or the moment; empty where it has no end."""
    if end is None:
        return ""
    day = last_day(end)
    return _("until %s") % (day.isoformat() if day is not None else moment_words(end))
