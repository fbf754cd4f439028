"""Void and lock, and back: what closes a record to everybody, and who opens it again."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.core.text import is_storable
from hufu.crm.actions.common import call, target

LONGEST_REASON = 500


def void_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str) -> None:
    """Declare a record void: whoever viewed it still does, nobody edits, transfers or shares it."""
    _close(actor, resource, record_id, "void", "voided", version, reason)


def unvoid_record(
    actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str = ""
) -> None:
    """Take back that a record is void."""
    _open(actor, resource, record_id, "void", "unvoid", "unvoided", version, reason)


def lock_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str) -> None:
    """Lock a record: whoever viewed it still does, and nobody changes it or what follows it."""
    _close(actor, resource, record_id, "lock", "locked", version, reason)


def unlock_record(
    actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str = ""
) -> None:
    """Unlock a record. What an approval task holds stays closed until the task ends."""
    _open(actor, resource, record_id, "lock", "unlock", "unlocked", version, reason)


def _close(
    actor: Actor, resource: ResourceType, record_id: int, verb: str, past: str, version: int, reason: str
) -> None:
    current = guard.get(actor, resource.permission(verb), record_id)
    _check_reason(reason, required=True)
    if not call(f"hufu.{verb}_{resource.table}", record_id, version, reason.strip()):
        raise _conflict()
    record(actor, f"{resource.name}.{past}", target=target(resource, current), reason=reason.strip())


def _open(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    verb: str,
    deed: str,
    past: str,
    version: int,
    reason: str,
) -> None:
    current = guard.get(actor, resource.permission(verb), record_id)
    _check_reason(reason, required=False)
    if not call(f"hufu.{deed}_{resource.table}", record_id, version):
        raise _conflict()
    record(actor, f"{resource.name}.{past}", target=target(resource, current), reason=reason.strip())


def _check_reason(reason: str, *, required: bool) -> None:
    if required and not reason.strip():
        raise Invalid({"reason": [_("Say why: whoever meets the record reads it.")]})
    if not is_storable(reason):
        raise Invalid({"reason": [_("This text cannot be stored. Type it anew.")]})
    if len(reason.strip()) > LONGEST_REASON:
        raise Invalid({"reason": [_("Too long: at most %s characters.") % LONGEST_REASON]})


def _conflict() -> Conflict:
    return Conflict(_("Somebody else changed this record meanwhile. Look at what is new, then try again."))
