"""What somebody may do with a field of a record they may view (DESIGN 2.5, the case without field rules)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from hufu.access import gates
from hufu.access.registry import Field, Kind, Sensitivity
from hufu.core.actor import Actor

# What a gate can close. Public and internal fields are the record itself: who may not read them may not view it.
CLOSABLE = frozenset({Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL})


class FieldAccess(StrEnum):
    HIDDEN = "hidden"
    MASKED = "masked"
    READ_ONLY = "read_only"
    EDITABLE = "editable"


def field_access(actor: Actor, declared: Field, *, mine: bool) -> FieldAccess:
    """Return the access to a field, for a record that is the actor's own (`mine`) or somebody else's.

    What a closed gate on its sensitivity closes is hidden, whosever the record is.
    """
    if declared.system:
        return FieldAccess.READ_ONLY
    if declared.sensitivity in gates.closed_sensitivities():
        return FieldAccess.HIDDEN
    if declared.sensitivity in (Sensitivity.PUBLIC, Sensitivity.INTERNAL):
        return FieldAccess.EDITABLE
    if declared.sensitivity is Sensitivity.PERSONAL:
        return FieldAccess.EDITABLE if mine else FieldAccess.MASKED
    return FieldAccess.HIDDEN


def is_open(declared: Field) -> bool:
    """Say whether the field may be read on every record that is viewable: then it may be filtered and sorted by."""
    return declared.sensitivity in (Sensitivity.PUBLIC, Sensitivity.INTERNAL)


def masked(declared: Field, value: Any) -> str:
    """Return what a masked value looks like; it tells no more than that there is one, and its rough shape."""
    text = "" if value is None else str(value)
    if not text:
        return ""
    if declared.kind is Kind.PHONE:
        national = text.removeprefix("+86").strip()
        return f"{national[:3]}****{national[-4:]}" if len(national) >= 11 else "****"
    if declared.kind is Kind.EMAIL:
        name, _at, domain = text.partition("@")
        return f"{name[:1]}***@{domain}" if domain else "***"
    if declared.kind is Kind.IDENTITY_NUMBER:
        return f"{text[:1]}{'*' * (len(text) - 2)}{text[-1:]}"
    return f"{text[:1]}***"
