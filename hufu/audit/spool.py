"""Where events wait that the log could not take: one line each, in a file beside the logs of the service.

What is personal in a line is sealed under the key ring itself: the database with everybody's keys is away.
At the next start `recover_spool` writes each line to the log as `log.recovered`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import DataError

from hufu.audit import canonical
from hufu.audit.ids import uuid7
from hufu.audit.keys import Subject, key_ring
from hufu.audit.recording import Event, Target, actor_subject, record_again, session_mark
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Unavailable
from hufu.core.transaction import acting

LONGEST_UNREADABLE = 2_000


def spool_file() -> Path:
    """Return where the spool stands."""
    return Path(settings.HUFU_VAR) / "log" / "spool.jsonl"


def write(actor: Actor, event: Event, *, failure: str) -> None:
    """Keep `event` in the spool; `failure` says what kept it out of the log. Return when it is on the disk.

    Raise OSError when the disk cannot take it either.
    """
    line = canonical.to_bytes(_line(actor, event, failure)) + b"\n"
    with _locked() as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def pending() -> int:
    """Return how many events wait in the spool."""
    try:
        return spool_file().read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def recover_spool(actor: Actor) -> int:
    """Write what waits in the spool to the log, as `actor`, and empty the spool; return how many events.

    After a crash in between it is repeated; events that the log has already are left out. A line that the log
    cannot take as it is goes there as text: it never keeps the others, or the site, from starting.
    """
    if not pending():
        return 0
    with _locked() as file:
        file.seek(0)
        lines = [line for line in file.read().splitlines() if line]
        try:
            with acting(actor):
                record_again(actor, dict(_recovered(line) for line in lines))
        except DataError:
            for line in lines:
                _recover_line(actor, line)
        # INVARIANT (log): the spool is emptied only after the commit.
        file.truncate(0)
        os.fsync(file.fileno())
    return len(lines)


def _line(actor: Actor, event: Event, failure: str) -> dict[str, object]:
    at = clock.now()
    id = uuid7(at)
    context = actor.context
    subject = actor_subject(actor) or event.subject
    return {
        "id": id,
        "written_at": at,
        "failure": failure,
        "actor": actor.user_id,
        "subject": [subject.kind, subject.id] if subject else None,
        "type": event.type,
        "target": [event.target.type, event.target.id, event.target.partition_id] if event.target else None,
        "result": event.result,
        "reason": event.reason,
        "kept": {
            "channel": context.channel,
            "session": session_mark(context.session),
            "request": context.request_id,
            "data": event.data,
        },
        "sealed": _seal(id, {"address": context.address, "agent": context.agent, "personal": event.personal}),
    }


def _seal(id: UUID, values: Mapping[str, object]) -> dict[str, object] | None:
    try:
        ring = key_ring()
    except Unavailable:
        # The refusal itself must not get lost; what is personal is never written in the clear.
        return None
    return {"k": ring.version, "c": b64encode(ring.wrap(canonical.to_bytes(values), id)).decode()}


def _recover_line(actor: Actor, line: bytes) -> None:
    try:
        with acting(actor):
            record_again(actor, dict([_recovered(line)]))
    except DataError:
        with acting(actor):
            record_again(actor, dict([_as_text(line)]))


def _recovered(line: bytes) -> tuple[UUID, Event]:
    try:
        said = json.loads(line)
        id, sealed = UUID(said["id"]), said["sealed"]
        personal = json.loads(key_ring().unwrap(b64decode(sealed["c"]), sealed["k"], id)) if sealed else None
        event = Event(
            "log.recovered",
            target=Target(*said["target"]) if said["target"] else None,
            data={name: said[name] for name in ("failure", "written_at", "type", "actor", "result", "reason")}
            | {"entry": said["kept"]},
            personal={"entry": personal} if personal else {},
            subject=Subject(*said["subject"]) if said["subject"] else None,
        )
    except (ValueError, KeyError, TypeError):
        return _as_text(line)
    return id, event


def _as_text(line: bytes) -> tuple[UUID, Event]:
    id = UUID(bytes=hashlib.sha256(line).digest()[:16])
    text = line[:LONGEST_UNREADABLE].decode(errors="replace")
    return id, Event("log.recovered", data={"failure": "unreadable line", "entry": text})


@contextmanager
def _locked() -> Iterator[BinaryIO]:
    path = spool_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
