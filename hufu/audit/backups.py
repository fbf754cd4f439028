"""How backups stand, as the log tells it: the last one, whether it failed, and what a restore has lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from hufu.core import clock
from hufu.core.health import Finding

SCHEDULE = "HUFU_BACKUP_AT"
MADE, FAILED, RESTORED = "system.backed_up", "system.backup_failed", "system.restored"
LONGEST_PAUSE = timedelta(hours=26)


@dataclass(frozen=True)
class Last:
    """The last event of a type: when it was, why, and the facts in it."""

    at: datetime
    reason: str
    data: dict[str, Any]


def last_events() -> dict[str, Last]:
    """Return the last event of each of the three types, of those that ever happened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, at, body FROM hufu.last_of_operation()")
        rows = cursor.fetchall()
    said = {type: (at, json.loads(bytes(body))) for type, at, body in rows}
    return {type: Last(at, body["reason"], body["data"]) for type, (at, body) in said.items()}


def findings() -> Iterator[Finding]:
    """Yield how the last backup and the last restore stand."""
    last = last_events()
    yield _backup(last)
    if restored := last.get(RESTORED):
        yield Finding("restored", note=_restored(restored))


def _backup(last: dict[str, Last]) -> Finding:
    made, failed = last.get(MADE), last.get(FAILED)
    remedy = "Put right what it names, then run `hufu backup`."
    if failed and (made is None or failed.at > made.at):
        return Finding("backup", f"the last one, of {_moment(failed.at)}, failed: {failed.reason}", remedy)
    scheduled = os.environ.get(SCHEDULE)
    if made is None:
        if RESTORED in last:
            return Finding("backup", note="none since the restore: run `hufu backup`")
        return Finding("backup", note="none was ever made: run `hufu backup`, or set HUFU_BACKUP_AT")
    if scheduled and clock.true_time() - made.at > LONGEST_PAUSE:
        problem = f"the last one is of {_moment(made.at)}, and one is due every day at {scheduled}"
        return Finding("backup", problem, "See whether `hufu serve` ran then; run `hufu backup`.")
    verified = "restored once to try it" if made.data.get("verified") else "never tried"
    return Finding("backup", note=f"{_moment(made.at)}, {made.data.get('events')} events, {verified}")


def _restored(restored: Last) -> str:
    data = restored.data
    note = (
        f"{_moment(restored.at)} from the backup of {_moment(datetime.fromisoformat(data['moment']))}; "
        f"{data['events']} events, the last one {data['last_event']}"
    )
    if data.get("missing"):
        span = (
            f" between {_moment(datetime.fromisoformat(data['missing_from']))} and "
            f"{_moment(datetime.fromisoformat(data['missing_until']))}"
            if data.get("missing_from")
            else ""
        )
        return f"{note}; {data['missing']} later events{span} are missing"
    if data.get("missing") == 0:
        return f"{note}; no event is missing"
    return f"{note}; how many later events are missing is not known: the replaced database could not be read"


def _moment(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
