"""Reading the log.

These functions ask no guard, which stands in a higher layer. The row policy of `audit_event` gives rows to
holders of `audit.view` and nothing to anybody else; a page calls `guard.authorize(actor, "audit.view")`
first, so that a refusal is answered and recorded as one. Reading the log is itself an event, written here.

A LogEntry carries what happened and the names of the fields it happened to: no value of a business field, no
address, nothing personal.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hufu.audit import events as registry
from hufu.audit.keys import SubjectKey
from hufu.audit.models import AuditEvent, AuditSubject
from hufu.audit.recording import Target, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound


@dataclass(frozen=True)
class LogFilter:
    """What to look for; what is empty is not asked. `since` is inclusive, `until` is not."""

    types: Sequence[str] = ()
    actor_user_id: int | None = None
    target: Target | None = None
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def asked(self) -> dict[str, Any]:
        """Return the conditions as the log keeps them when the log was read."""
        return {
            name: value
            for name, value in {
                "types": list(self.types),
                "actor": self.actor_user_id,
                "target": [self.target.type, self.target.id] if self.target else None,
                "result": self.result,
                "since": self.since,
                "until": self.until,
            }.items()
            if value not in (None, "", [])
        }


@dataclass(frozen=True)
class LogEntry:
    """One event as a reader of the log sees it.

    `actor_id` is the user (> 0) or system actor (< 0), None for nobody; `on_behalf_id` whose delegation it was done
    by. `changed` names the fields that
    changed. `details` holds the facts of the deed that its event type declares as shown. `origin` holds the
    address and the browser, of a single entry only, unless the key of whom they are about was erased.
    `recorded_at` is the true time of recording of an event that was simulated, None for every other.
    """

    id: UUID
    at: datetime
    type: str
    label: str | Promise
    actor_id: int | None
    target: Target | None
    result: str
    reason: str
    changed: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    channel: str = ""
    request_id: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)
    recorded_at: datetime | None = None
    on_behalf_id: int | None = None


@dataclass(frozen=True)
class LogPage:
    """Entries, newest first, and the cursor of the page after them (None on the last one)."""

    entries: tuple[LogEntry, ...]
    next_cursor: str | None


def events(actor: Actor, *, filters: LogFilter, cursor: str | None = None, limit: int = 50) -> LogPage:
    """Return one page of the log and record that it was read. Raise Invalid for a cursor that is none."""
    rows = _matching(filters)
    if cursor:
        at, id = _read_cursor(cursor)
        rows = rows.filter(at__lte=at).filter(Q(at__lt=at) | Q(id__lt=id))
    found = list(rows.order_by("-at", "-id")[: limit + 1])
    shown = found[:limit]
    record(actor, "log.viewed", data={"filter": filters.asked(), "count": len(shown)})
    return LogPage(_entries(shown), _cursor(shown[-1]) if len(found) > limit else None)


def entry(actor: Actor, id: UUID) -> LogEntry:
    """Return one event and record that it was read, or raise NotFound."""
    rows = list(AuditEvent.objects.filter(id=id))
    if not rows:
        raise NotFound()
    record(actor, "log.viewed", data={"event": id, "count": 1})
    return replace(_entries(rows)[0], origin=_origin(rows[0]))


def _matching(filters: LogFilter) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.all()
    if filters.types:
        rows = rows.filter(type__in=filters.types)
    if filters.actor_user_id is not None:
        rows = rows.filter(
            actor__in=list(
                AuditSubject.objects.filter(
                    kind__in=("user", "system"), ref=filters.actor_user_id
                ).values_list("pseudonym", flat=True)
            )
        )
    if filters.target:
        rows = rows.filter(target_type=filters.target.type, target_id=filters.target.id)
    if filters.result:
        rows = rows.filter(result=filters.result)
    if filters.since:
        rows = rows.filter(at__gte=filters.since)
    if filters.until:
        rows = rows.filter(at__lt=filters.until)
    return rows


def _entries(rows: Sequence[AuditEvent]) -> tuple[LogEntry, ...]:
    actors = dict(
        AuditSubject.objects.filter(
            pseudonym__in={who for row in rows for who in (row.actor, row.on_behalf) if who}
        ).values_list("pseudonym", "ref")
    )
    return tuple(_entry(row, actors) for row in rows)


def _origin(row: AuditEvent) -> dict[str, str]:
    sealed = json.loads(bytes(row.body))["origin"]
    subjects = AuditSubject.objects.filter(pseudonym__in={value["k"] for value in sealed.values()})
    keys = {
        str(one.pseudonym): SubjectKey(
            one.pseudonym, bytes(one.wrapped_key) if one.wrapped_key is not None else None, one.key_version
        )
        for one in subjects
    }
    opened = {name: keys[value["k"]].open(row.id, f"origin.{name}", value) for name, value in sealed.items()}
    return {name: value for name, value in opened.items() if value}


def _entry(row: AuditEvent, actors: Mapping[UUID, int]) -> LogEntry:
    said = json.loads(bytes(row.body))
    event_type = registry.find(row.type)
    shown = {field.name for field in event_type.declared if field.shown} if event_type else set()
    return LogEntry(
        id=row.id,
        at=row.at,
        type=row.type,
        label=event_type.label if event_type else row.type,
        actor_id=actors.get(row.actor) if row.actor else None,
        on_behalf_id=actors.get(row.on_behalf) if row.on_behalf else None,
        target=Target(row.target_type, row.target_id, row.partition_id)
        if row.target_type is not None and row.target_id is not None
        else None,
        result=row.result,
        reason=said["reason"],
        changed=tuple(sorted({*said["data"].get("changes", ()), *said["personal"].get("changes", ())})),
        details={name: value for name, value in said["data"].items() if name in shown},
        channel=said["channel"],
        request_id=row.request_id,
        recorded_at=datetime.fromisoformat(said["recorded_at"]) if said.get("simulated") else None,
    )


def _cursor(row: AuditEvent) -> str:
    return urlsafe_b64encode(f"{row.at.isoformat()} {row.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, id = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").split()
        return datetime.fromisoformat(at).astimezone(UTC), UUID(id)
    except (ValueError, OverflowError):
        raise Invalid(
            {"cursor": [_("This page address is damaged. Go back to the first page of the log.")]}
        ) from None
