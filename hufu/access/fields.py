"""What the one who acts may do with a field of a record they may view (DESIGN 2.5), and what a masked value looks like.

Field rules come with reach: those of the open terms count, the most permissive first, and where none is about a field
its sensitivity decides. The same stands in `decision.field_access`, with reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hufu.access import gates, pool_fields, reach
from hufu.access.decision.field_access import BY_SENSITIVITY, LEVELS, FieldAccess
from hufu.access.models import TermField
from hufu.access.registry import Field, Kind, ResourceType, Sensitivity
from hufu.core.actor import Actor
from hufu.core.transaction import current_unit

__all__ = ["CLOSABLE", "FieldAccess", "Says", "field_access", "is_exportable", "is_open", "masked", "says"]

# What a gate can close. Public and internal fields are the record itself: who may not read them may not view it.
CLOSABLE = frozenset({Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL})


@dataclass(frozen=True)
class Says:
    """What holds for a field of a type: on records that are one's own, on others', and for export."""

    mine: FieldAccess
    others: FieldAccess
    export: bool = True


_OF_DEEDS = Says(FieldAccess.READ_ONLY, FieldAccess.READ_ONLY)
_CLOSED = Says(FieldAccess.HIDDEN, FieldAccess.HIDDEN, export=False)


def says(actor: Actor, resource: ResourceType, declared: Field) -> Says:
    """Return what holds for a field of the type for the one who acts.

    What a closed gate on its sensitivity closes is hidden, whosever the record is.
    """
    if declared.system:
        return _OF_DEEDS
    if declared.sensitivity in gates.closed_sensitivities():
        return _CLOSED
    return _rules(actor).get((resource.name, declared.name)) or Says(*BY_SENSITIVITY[declared.sensitivity])


def field_access(actor: Actor, resource: ResourceType, declared: Field, *, mine: bool) -> FieldAccess:
    """Return the access to a field, for a record that is the actor's own (`mine`) or somebody else's."""
    holds = says(actor, resource, declared)
    return holds.mine if mine else holds.others


def is_open(actor: Actor, resource: ResourceType, declared: Field) -> bool:
    """Say whether the field may be read on every record that is viewable."""
    holds = says(actor, resource, declared)
    hidden = pool_fields.hiding(resource, declared)
    return holds.mine.is_readable and holds.others.is_readable and not hidden


def is_exportable(actor: Actor, resource: ResourceType, declared: Field) -> bool:
    """Say whether what may be read of a field may leave in an export, a report or a copy, too."""
    return says(actor, resource, declared).export


def _rules(actor: Actor) -> Mapping[tuple[str, str], Says]:
    """Return what the rules of the open terms say together, read once per transaction."""
    unit = current_unit()
    if unit.actor.user_id != actor.user_id:
        raise RuntimeError("The actor is not the one of this transaction.")
    if reach.FIELD_RULES not in unit.cache:
        unit.cache[reach.FIELD_RULES] = _load(actor)
    found: Mapping[tuple[str, str], Says] = unit.cache[reach.FIELD_RULES]
    return found


def _load(actor: Actor) -> Mapping[tuple[str, str], Says]:
    rows = TermField.objects.filter(user_id=actor.user_id)
    if shut := reach.shut_terms(actor):
        rows = rows.exclude(term__in=shut)
    found: dict[tuple[str, str], tuple[int, int, bool]] = {}
    for row in rows:
        mine, others, export = found.get((row.type, row.field), (0, 0, False))
        found[row.type, row.field] = (max(mine, row.mine), max(others, row.others), export or row.export)
    return {
        about: Says(LEVELS[mine], LEVELS[others], export) for about, (mine, others, export) in found.items()
    }


def masked(declared: Field, value: Any) -> str:
    """Return what a masked value looks like: that there is one, and of some kinds a part that tells no whole value.

    INVARIANT: a value too short to keep most of itself back shows nothing of itself, and stars never count its length.
    """
    text = "" if value is None else str(value)
    return _MASKS.get(declared.kind, _nothing)(text) if text else ""


NOTHING_SHOWN = "****"


def _nothing(text: str) -> str:
    return NOTHING_SHOWN


def _phone(text: str) -> str:
    digits = "".join(character for character in text.removeprefix("+86") if character.isdigit())
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else NOTHING_SHOWN


def _email(text: str) -> str:
    name, _at, domain = text.partition("@")
    if not domain:
        return NOTHING_SHOWN
    return f"{name[:1]}***@{domain}" if len(name) >= 3 else f"***@{domain}"


def _identity_number(text: str) -> str:
    return f"{text[:1]}{'*' * 16}{text[-1:]}" if len(text) >= 15 else NOTHING_SHOWN


def _bank_account(text: str) -> str:
    digits = "".join(text.split())
    return f"**** {digits[-4:]}" if len(digits) >= 12 else NOTHING_SHOWN


def _private_address(text: str) -> str:
    return f"{text[:1]}***" if len(text) >= 6 else NOTHING_SHOWN


# An amount shows nothing: its order of magnitude is most of what one wants to know of it.
_MASKS = {
    Kind.PHONE: _phone,
    Kind.EMAIL: _email,
    Kind.IDENTITY_NUMBER: _identity_number,
    Kind.BANK_ACCOUNT: _bank_account,
    Kind.PRIVATE_ADDRESS: _private_address,
}
