"""The daily backup of `hufu serve`: a process of its own with its own credentials, not one that answers requests."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, time, timedelta

from hufu.core import clock, variables
from hufu.core.language import gettext as _
from hufu.core.postgres.launcher import die_with_parent

AT = "HUFU_BACKUP_AT"
KEEP = "HUFU_BACKUP_KEEP"
STOP_SECONDS = 20
PERIODS = ("daily", "weekly", "monthly")


class Schedule:
    """Starts a backup when it is due. `tick` is called again and again, `stop` once."""

    def __init__(self, at: time, command: list[str], on_killed: Callable[[int], None]) -> None:
        self._at = at
        self._command = command
        self._on_killed = on_killed
        self._process: subprocess.Popen[bytes] | None = None
        self.due = self._next()

    def tick(self) -> None:
        """Start a backup that is due, notice one that ended."""
        if self._process is not None:
            if (code := self._process.poll()) is None:
                return
            self._process = None
            # A backup that failed has left its event; one that was killed could not.
            if code < 0:
                self._on_killed(-code)
        if _local_now() >= self.due:
            self.due = self._next()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),
            )

    def stop(self) -> None:
        """End a running backup: it leaves nothing half."""
        if self._process is None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
                return

    def _next(self) -> datetime:
        now = _local_now()
        due = now.replace(hour=self._at.hour, minute=self._at.minute, second=0, microsecond=0)
        return due if due > now else due + timedelta(days=1)


def from_environment() -> Schedule | None:
    """Return the schedule that HUFU_BACKUP_AT asks for, or None; raise Unavailable for a value that makes no sense."""
    at = variables.time_of_day(AT)
    return None if at is None else Schedule(at, [*_backup(), *_keep()], _note_killed)


def _backup() -> list[str]:
    return [sys.executable, "-m", "hufu.cli.main", "backup"]


def _keep() -> list[str]:
    kept = variables.periods(KEEP, default=variables.KEPT)
    return [
        word
        for period, number in zip(PERIODS, kept, strict=bool(kept))
        for word in (f"--keep-{period}", number)
    ]


def _note_killed(number: int) -> None:
    from hufu.audit import record
    from hufu.audit.backups import FAILED
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    reason = _("It was killed (signal %s).") % number
    print(f"hufu backup: {reason}", file=sys.stderr)
    operator = Actor.operator()
    with acting(operator):
        record(operator, FAILED, result="failed", reason=reason)


def _local_now() -> datetime:
    # The company's time zone, like every time of day that people enter.
    from django.utils.timezone import localtime

    return localtime(clock.true_time())
