"""What happened to a record: the events of the log that whoever may view the record may know of.

Views and lists by others are not among them, nor refusals, nor what happened while the record lived in a partition that
the reader may not read in. Values are told only of fields that are readable on every record that is viewable; of other
fields only that they changed, and only where the reader may read them. Reasons are told to those who may edit the
record. Events of what belongs to the record are told where that may be viewed, too. The database decides: a definer
function per type gives nothing on records that may not be viewed.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from hufu.access import guard, registry
from hufu.access.deeds import HEAD, dependents
from hufu.access.fields import FieldAccess, is_open
from hufu.access.registry import ResourceType
from hufu.audit import Target
from hufu.core.actor import Actor

TOLD = (
    *("created", "changed", "deleted", "restored", "transferred"),
    *("voided", "unvoided", "locked", "unlocked", "task_opened", "task_ended"),
    *("taken_along", "member_joined", "member_left", "shared", "share_ended", "moved"),
    *("released", "claimed"),
    *("consent_given", "consent_withdrawn", "disclosed", "erased"),
    *("attachment_added", "attachment_removed"),
)
# What the owner of its partition let reach one person across the wall, and that it ended.
ACROSS = ("admission.let_across", "admission.ended")
PAGE = 30
READABLE = (FieldAccess.EDITABLE, FieldAccess.READ_ONLY)


@dataclass(frozen=True)
class Change:
    """A field that changed. The values are None where they are not told; `is_told` says whether they are."""

    field: registry.Field
    is_told: bool
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a record or to what belongs to it. `verb` is the past verb of the event type."""

    at: datetime
    verb: str
    target: Target
    actor_id: int
    reason: str
    # For whom, where somebody stood in for them.
    on_behalf_id: int | None = None
    changes: tuple[Change, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """Entries, newest first, and the cursor of those before them; empty on the last page."""

    entries: tuple[Entry, ...]
    next_cursor: str


def timeline(
    actor: Actor, resource: ResourceType, record_id: int, *, cursor: str = "", limit: int = PAGE
) -> Timeline:
    """Return what happened to a record that the actor may view; nothing for any other.

    A fixed number of statements, however long it is.
    """
    rows = guard.scope(actor, resource.permission("view")).filter(pk=record_id)
    record = guard.with_parent(resource, rows).first()
    if record is None:
        return Timeline((), "")
    at, event_id = _read_cursor(cursor)
    with connection.cursor() as statement:
        statement.execute(
            f"SELECT * FROM hufu.timeline_{resource.table}(%s, %s, %s, %s)",
            [record_id, at, event_id, limit + 1],
        )
        found = statement.fetchall()
    more = len(found) > limit
    found = found[:limit]
    access = guard.fields(actor, resource, record)
    may_know_why = guard.may(actor, resource.permission("edit"), record)

    def is_named(entry: Entry, declared: registry.Field) -> bool:
        if (entry.target.type, entry.target.id) == (resource.name, record_id):
            return access[declared.name] in READABLE
        return is_open(actor, registry.resource_type(entry.target.type), declared)

    told = (
        replace(
            entry,
            changes=tuple(
                _told(actor, entry, change) for change in entry.changes if is_named(entry, change.field)
            ),
            reason=entry.reason if may_know_why else "",
        )
        for entry in map(_entry, found)
    )
    return Timeline(tuple(told), _write_cursor(found[-1][1], found[-1][0]) if more else "")


def _entry(row: tuple[Any, ...]) -> Entry:
    _id, at, kind, event_type, actor_id, on_behalf_id, target_id, reason, data, personal = row
    resource = registry.resource_type(kind)
    said = json.loads(data)
    before_and_after = said.pop("changes", {})
    changed = {**dict.fromkeys(json.loads(personal) if personal else ()), **before_and_after}
    return Entry(
        at=at,
        verb=event_type.partition(".")[2],
        target=Target(kind, target_id),
        actor_id=actor_id or 0,
        on_behalf_id=on_behalf_id,
        reason=reason,
        changes=tuple(
            _change(resource.by_name[name], change)
            for name, change in changed.items()
            if name in resource.by_name
        ),
        facts=said,
    )


def _change(declared: registry.Field, change: Mapping[str, Any] | None) -> Change:
    # A reference's number is no name; what it points at is shown where it is looked up under the guard.
    if change is None or declared.kind is registry.Kind.REFERENCE:
        return Change(declared, False)
    return Change(declared, True, change.get("before"), change.get("after"))


def _told(actor: Actor, entry: Entry, change: Change) -> Change:
    """Return the change without its values where the field is not readable on every record."""
    if is_open(actor, registry.resource_type(entry.target.type), change.field):
        return change
    return Change(change.field, False)


def _write_cursor(at: datetime, event_id: UUID) -> str:
    return urlsafe_b64encode(f"{at.isoformat()} {event_id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime | None, UUID | None]:
    """Return a position; a broken one means the beginning."""
    try:
        at, event_id = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split()
        return datetime.fromisoformat(at).astimezone(UTC), UUID(event_id)
    except (ValueError, OverflowError):
        return None, None


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of each type's function."""
    for resource in registry.resource_types():
        yield f"crm.timeline.{resource.name}", _timeline(resource)


def _timeline(resource: ResourceType) -> str:
    things = [f"SELECT '{resource.name}'::text AS kind, record AS number"]
    things += [
        f"SELECT '{other.name}', o.id FROM {other.table} o WHERE o.{column} = record"
        f" AND hufu.covers_{other.table}('{other.permission('view')}', o.id)"
        for other, column in dependents(resource)
    ]
    told = ", ".join([*(f"things.kind || '.{verb}'" for verb in TOLD), *(f"'{name}'" for name in ACROSS)])
    return f"""
DROP FUNCTION IF EXISTS hufu.timeline_{resource.table}(bigint, timestamptz, uuid, int);
CREATE FUNCTION hufu.timeline_{resource.table}(record bigint, before_at timestamptz, before_id uuid,
                                                          most int)
    RETURNS TABLE (id uuid, at timestamptz, kind text, type text, actor bigint, behalf bigint, target bigint,
                   reason text, data text, personal text)
    LANGUAGE sql STABLE {HEAD} AS $$
    WITH things AS ({" UNION ALL ".join(things)})
    SELECT e.id, e.at, things.kind, e.type, s.ref, b.ref, e.target_id,
           CASE WHEN hufu.covers_{resource.table}('{resource.permission("edit")}', record)
                THEN said ->> 'reason' ELSE '' END,
           ((said -> 'data')::jsonb - 'from_partition'
                - CASE WHEN e.type LIKE '%.moved' THEN 'from_owner' ELSE '' END)::text,
           (SELECT json_agg(name) FROM json_object_keys(said -> 'personal' -> 'changes') name)::text
    FROM things
    CROSS JOIN LATERAL (
        SELECT * FROM audit_event e
        WHERE e.target_type = things.kind AND e.target_id = things.number AND e.result = 'done'
          AND e.type IN ({told})
          AND (e.partition_id IS NULL OR EXISTS (
              SELECT 1 FROM access_term t
              WHERE t.user_id = hufu.actor() AND hufu.bit(t.read_partitions, e.partition_id)))
          AND (before_at IS NULL OR (e.at, e.id) < (before_at, before_id))
        ORDER BY e.at DESC, e.id DESC LIMIT most) e
    CROSS JOIN LATERAL (SELECT convert_from(e.body, 'UTF8')::json AS said) body
    LEFT JOIN audit_subject s ON s.pseudonym = e.actor AND s.kind IN ('user', 'system')
    LEFT JOIN audit_subject b ON b.pseudonym = e.on_behalf AND b.kind = 'user'
    WHERE hufu.covers_{resource.table}('{resource.permission("view")}', record)
    ORDER BY e.at DESC, e.id DESC LIMIT most
$$;
"""
