"""Showing one masked value: of one field of one record, with a reason, counted and recorded. The log has no value."""

from __future__ import annotations

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard
from hufu.access.fields import FieldAccess
from hufu.access.registry import Field, ResourceType, resource_types
from hufu.audit import EventType, declare, record, shown
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm.actions.common import target

VERB = "reveal"

declare(
    *(
        EventType(
            f"{resource.name}.revealed",
            format_lazy(gettext_lazy("{thing}: masked value shown"), thing=resource.label),
            shown("field"),
            "personal",
        )
        for resource in resource_types()
        if resource.has(VERB)
    )
)


def may_reveal(actor: Actor, resource: ResourceType, current: Any) -> bool:
    """Say whether a button beside a masked value makes sense."""
    return resource.has(VERB) and guard.may(actor, resource.permission(VERB), current)


def revealable(actor: Actor, resource: ResourceType, record_id: int, name: str) -> Field:
    """Return the field, or raise NotFound: a hidden one looks like one that is not there."""
    permission = resource.permission(VERB)
    current = guard.get(actor, permission, record_id)
    declared = resource.by_name.get(name)
    if declared is None or guard.fields(actor, resource, current)[name] is FieldAccess.HIDDEN:
        raise guard.not_found(resource, permission, record_id)
    return declared


def reveal(actor: Actor, resource: ResourceType, record_id: int, name: str, *, reason: str) -> Any:
    """Return the value of one field that is masked for the actor; raise Invalid without a reason.

    It counts against the quotas on the permission. The event names the field, never the value. A hidden field is never
    shown: it raises NotFound, like one that is not there.
    """
    declared = revealable(actor, resource, record_id, name)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why you need to see it: the reason stands in the log.")]})
    current = guard.use(actor, resource.permission(VERB), record_id)
    record(
        actor,
        f"{resource.name}.revealed",
        target=target(resource, current),
        data={"field": name},
        reason=reason.strip(),
    )
    return getattr(current, declared.column)
