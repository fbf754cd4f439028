"""Changing a record, the bin, and out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import guard, lost_rights
from hufu.access.registry import ResourceType
from hufu.audit import Subject, changes, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict
from hufu.core.prepared import prepared
from hufu.crm.actions.common import (
    call,
    changed,
    check_fields,
    check_references,
    columns,
    sealed_fields,
    target,
)
from hufu.crm.duplicates import exclusive


def edit_record(
    actor: Actor, resource: ResourceType, record_id: int, values: Mapping[str, Any], *, version: int
) -> Any:
    """Change fields of a record that was read at `version`; raise Conflict where it has changed since.

    Return the record as it is now; or as it was, where a rule that shared it does so no longer, because of this change.
    """
    current = guard.use(actor, resource.permission("edit"), record_id)
    check_fields(actor, resource, current, values)
    wanted = changed(actor, resource, current, values)
    if current.lock_version != version:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at what is new, then save again.")
        )
    # Each reference that is named, changed or not: a right guess at a hidden one must look like a wrong one.
    check_references(actor, resource, [(current.partition_id, values)])
    if not wanted:
        return current
    exclusive.must_be_open(actor, resource, [wanted])
    with exclusive.refusing(actor, resource, wanted, partition_id=current.partition_id, record_id=record_id):
        with prepared():
            updated = resource.model_class._base_manager.filter(
                pk=record_id, partition_id=current.partition_id, lock_version=version
            ).update(
                **columns(resource, wanted),
                lock_version=version + 1,
                updated_at=clock.now(),
                updated_by_id=actor.user_id,
            )
    if not updated:
        raise lost_rights.lost(actor) or Conflict(
            _("Somebody else changed this record meanwhile. Look at what is new, then save again.")
        )
    record(
        actor,
        f"{resource.name}.changed",
        target=target(resource, current),
        subject=Subject(resource.name, record_id),
        **changes(
            {name: getattr(current, resource.by_name[name].column) for name in wanted},
            wanted,
            sealed=sealed_fields(resource),
        ),
    )
    rows = guard.with_parent(resource, resource.model_class._base_manager.filter(pk=record_id))
    with prepared():
        return rows.first() or current


def delete_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int) -> None:
    """Put a record into the bin."""
    current = guard.use(actor, resource.permission("delete"), record_id)
    if not call(f"hufu.bin_{resource.table}", record_id, version):
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you delete it.")
        )
    record(
        actor,
        f"{resource.name}.deleted",
        target=target(resource, current),
        subject=Subject(resource.name, record_id),
        **changes(
            {declared.name: getattr(current, declared.column) for declared in resource.editable_fields()},
            None,
            sealed=sealed_fields(resource),
        ),
    )


def restore_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int) -> None:
    """Take a record out of the bin, as it was; raise NotFound where none lies there that the actor may restore.

    Raise Invalid where another record has an exclusive value of it by now.
    """
    current = guard.use(actor, resource.permission("restore"), record_id)
    theirs = exclusive.of_record(resource, current)
    exclusive.must_be_open(actor, resource, [theirs])
    with exclusive.refusing(actor, resource, theirs, partition_id=current.partition_id, record_id=record_id):
        restored = call(f"hufu.restore_{resource.table}", record_id, version)
    if not restored:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you restore it.")
        )
    record(actor, f"{resource.name}.restored", target=target(resource, current))


def purge_record(actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str) -> None:
    """Delete a record in the bin for good, with what follows it; the log keeps that it was there, and the reason."""
    current = guard.use(actor, resource.permission("purge"), record_id)
    children = call(f"hufu.purge_{resource.table}", record_id, version)
    if children is None:
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you delete it.")
        )
    record(
        actor,
        f"{resource.name}.purged",
        target=target(resource, current),
        data={"children": {name: number for name, number in json.loads(children).items() if number}},
        reason=reason,
    )
