"""Writing events. INVARIANT (log): only this module inserts; nothing updates or deletes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, Literal
from uuid import UUID

from django.db import connection, transaction

from hufu.audit import canonical, events
from hufu.audit.ids import uuid7
from hufu.audit.keys import Subject, SubjectKey, subject_keys
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.transaction import on_behalf_of

SCHEMA_VERSION = 1
BATCH = 2_000
LONGEST_AGENT = 400

Result = Literal["done", "refused", "failed"]


@dataclass(frozen=True)
class Target:
    """The record that an event is about, and the partition it lay in at that moment."""

    type: str
    id: int
    partition_id: int | None = None


@dataclass(frozen=True)
class Event:
    """An event before it is written.

    `data` holds what may be kept as it is; `personal` what is kept as ciphertext under the key of `subject`,
    which by default is the target, and without a target the actor.
    """

    type: str
    target: Target | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)
    subject: Subject | None = None
    result: Result = "done"
    reason: str = ""


def record(
    actor: Actor,
    type: str,
    *,
    target: Target | None = None,
    data: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    subject: Subject | None = None,
    result: Result = "done",
    reason: str = "",
) -> UUID:
    """Write one event in the running transaction and return its id.

    If it cannot be written the transaction cannot be committed any more: no deed without its event.
    """
    draft = _draft(actor, Event(type, target, data or {}, personal or {}, subject, result, reason))
    _write([draft])
    return draft.id


def record_many(actor: Actor, events: Iterable[Event]) -> int:
    """Write any number of events in the running transaction, a few statements per 2,000; return how many."""
    written = 0
    remaining = iter(events)
    while batch := list(islice(remaining, BATCH)):
        _write([_draft(actor, event) for event in batch])
        written += len(batch)
    return written


_observers: list[Callable[[Sequence[Event]], None]] = []


def on_written(observe: Callable[[Sequence[Event]], None]) -> None:
    """Have events shown to `observe` once they are committed. What counts them calls this once, when it is loaded."""
    _observers.append(observe)


def actor_subject(actor: Actor) -> Subject | None:
    """Return the subject that an actor is, None for nobody."""
    if actor.user_id == 0:
        return None
    return Subject("user" if actor.is_person else "system", actor.user_id)


def record_again(actor: Actor, entries: Mapping[UUID, Event]) -> None:
    """Write events whose ids were given before; those that the log has already are left out."""
    _write(
        [_Draft(id, clock.now(), actor, event) for id, event in entries.items()],
        "ON CONFLICT DO NOTHING",
    )


def _write(drafts: Sequence[_Draft], unless: Literal["", "ON CONFLICT DO NOTHING"] = "") -> None:
    # Without a savepoint: an error in here, even one that is caught further up, dooms the deed.
    with transaction.atomic(savepoint=False):
        for draft in drafts:
            events.get(draft.event.type).check(draft.event.data, draft.event.personal)
        keys = subject_keys({subject for draft in drafts for subject in draft.subjects()})
        bodies = [canonical.to_bytes(draft.body(keys)) for draft in drafts]
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO audit_event (body) SELECT unnest(%s::bytea[]) {unless}", [bodies])
        for observe in _observers:
            transaction.on_commit(partial(observe, [draft.event for draft in drafts]), robust=True)


def _draft(actor: Actor, event: Event) -> _Draft:
    at = clock.now()
    return _Draft(uuid7(at), at, actor, event)


@dataclass(frozen=True)
class _Draft:
    """An event that has its id and moment, and lacks the keys of the people in it."""

    id: UUID
    at: datetime
    actor: Actor
    event: Event

    def subjects(self) -> set[Subject]:
        wanted: set[Subject] = set()
        if actor := actor_subject(self.actor):
            wanted.add(actor)
        if behalf := self._behalf():
            wanted.add(behalf)
        if self.actor.context.address or self.actor.context.agent:
            wanted.add(self._whence())
        if self.event.personal:
            wanted.add(self._about())
        return wanted

    def _behalf(self) -> Subject | None:
        """For whom the actor did it, where not for themselves."""
        target = self.event.target
        whom = on_behalf_of(target.type, target.id) if target else None
        return Subject("user", whom) if whom is not None else None

    def _about(self) -> Subject:
        """Whom the personal values are about."""
        event = self.event
        if event.subject:
            return event.subject
        if event.target:
            return Subject(event.target.type, event.target.id)
        return actor_subject(self.actor) or _anonymous(self.at)

    def _whence(self) -> Subject:
        """Whose address and browser these are: the actor's; a failed sign-in goes with the account tried."""
        return actor_subject(self.actor) or self.event.subject or _anonymous(self.at)

    def body(self, keys: Mapping[Subject, SubjectKey]) -> dict[str, Any]:
        event, context = self.event, self.actor.context
        actor = actor_subject(self.actor)
        marks = {"simulated": True, "recorded_at": clock.true_time()} if clock.simulated_moment() else {}
        origin = {"address": context.address, "agent": context.agent[:LONGEST_AGENT]}
        return {
            "v": SCHEMA_VERSION,
            "id": self.id,
            "at": self.at,
            "type": event.type,
            "actor": keys[actor].pseudonym if actor else None,
            "on_behalf": keys[behalf].pseudonym if (behalf := self._behalf()) else None,
            "channel": context.channel,
            "session": session_mark(context.session),
            "request": context.request_id,
            "origin": {
                name: keys[self._whence()].seal(self.id, f"origin.{name}", value)
                for name, value in origin.items()
                if value
            },
            "target": {"type": event.target.type, "id": event.target.id} if event.target else None,
            "partition": event.target.partition_id if event.target else None,
            "result": event.result,
            "reason": event.reason,
            "data": event.data,
            "personal": self._sealed(keys),
            **marks,
        }

    def _sealed(self, keys: Mapping[Subject, SubjectKey]) -> dict[str, Any]:
        if not self.event.personal:
            return {}
        key, event_type = keys[self._about()], events.get(self.event.type)
        return {
            name: {part: key.seal(self.id, f"{name}.{part}", of_part) for part, of_part in value.items()}
            if event_type.is_by_name(name)
            else key.seal(self.id, name, value)
            for name, value in self.event.personal.items()
        }


def session_mark(session: str) -> str:
    """Return what ties the events of one session together and does not lead back to its key."""
    return hashlib.sha256(b"hufu session\0" + session.encode()).hexdigest()[:16] if session else ""


def _anonymous(at: datetime) -> Subject:
    return Subject("anonymous", (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days)
