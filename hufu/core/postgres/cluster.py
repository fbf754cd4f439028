"""One data folder of PostgreSQL: making it, starting and stopping its server, telling whether one runs on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from hufu.core.errors import Unavailable
from hufu.core.postgres.launcher import MAJOR_VERSION, Launcher, binaries, launcher

ADMIN = "postgres"
HOST = "127.0.0.1"
START_SECONDS = 300
STOP_SECONDS = 60
SETTLE_SECONDS = 60
PORT_ATTEMPTS = 5
LOG_BYTES = 10 * 1024 * 1024
ADDRESS_IN_USE = "could not bind"

# Nobody is trusted, not even on this machine: every connection proves its password.
ACCESS_RULES = """\
# Written by Hufu CRM at every start; changes are lost.
host all all 127.0.0.1/32 scram-sha-256
"""

# Messages of the server carry no values: neither parameters nor statements nor the rows of a violated constraint.
SERVER_SETTINGS = """\
# Written by Hufu CRM at every start; changes are lost.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
password_encryption = scram-sha-256
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
random_page_cost = 1.1
jit = off
fsync = on
max_wal_size = 2GB
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_destination = 'stderr'
logging_collector = off
log_line_prefix = '%m [%p] %u '
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


@dataclass(frozen=True)
class Postmaster:
    """A running server: its process and where it listens."""

    pid: int
    port: int


class Cluster:
    """A data folder and its log. INVARIANT: whoever calls `make` or `start` holds the folder's start lock."""

    def __init__(self, data: Path, log: Path) -> None:
        self.data = data
        self.log = log

    def running(self) -> Postmaster | None:
        """Return the server of this folder if one runs and accepts connections."""
        lines = self._pid_file()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return None
        pid = int(lines[0])
        return Postmaster(pid, int(lines[3])) if pid in self.processes() else None

    def processes(self) -> list[int]:
        """Return the live processes of PostgreSQL whose working folder is this data folder (zombies are dead)."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if (entry / "cwd").resolve() == self.data and (entry / "exe").resolve().name == "postgres":
                    found.append(int(entry.name))
        return found

    def make(self, password: str) -> None:
        """Make the data folder unless it is there: no trust, UTF-8, order by code point. Half a folder never stays."""
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            return
        draft = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        how = launcher()
        draft.mkdir(mode=0o700, parents=True)
        how.own(draft)
        secret = draft.with_name(f"{draft.name}.password")
        try:
            with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(password)
            how.own(secret)
            made = how.run(
                "initdb",
                f"--pgdata={draft}",
                f"--username={ADMIN}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            )
        finally:
            secret.unlink(missing_ok=True)
        if made.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Unavailable(_diagnosis("could not be made", made.stdout + made.stderr, self.data))
        draft.rename(self.data)

    def start(self, port: int | None) -> tuple[Postmaster, subprocess.Popen[bytes]]:
        """Start the server on `port`, or on another free one when it is taken; return when it accepts connections."""
        self._settle()
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        how = launcher()
        how.own(self.data)
        for _attempt in range(PORT_ATTEMPTS):
            port = port if port and _is_free(port) else _free_port()
            self._configure(port, how)
            begin = self._rotate_log()
            with self.log.open("ab") as log:
                process = how.spawn("postgres", ["-D", str(self.data)], log)
            if self._wait_ready(process):
                return Postmaster(process.pid, port), process
            said = self._log_since(begin)
            if ADDRESS_IN_USE not in said:
                raise Unavailable(_diagnosis("did not start", said, self.data))
            port = None
        raise Unavailable(
            "The embedded PostgreSQL found no free port on 127.0.0.1. Close other programs and try again."
        )

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stop the server: connections are closed, everything committed is on disk."""
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
                return

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> bool:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                return False
            lines = self._pid_file()
            if len(lines) >= 8 and lines[7].strip() == "ready" and int(lines[0]) == process.pid:
                return True
            time.sleep(0.02)
        self.stop(process)
        raise Unavailable(
            f"The embedded PostgreSQL was not ready after {START_SECONDS} s. Its log is {self.log}."
        )

    def _settle(self) -> None:
        # INVARIANT: two servers never work on one folder. What is left of a killed one (its processes notice within
        # seconds) ends before its postmaster.pid, which may name a zombie or by now another program, is removed.
        end = time.monotonic() + SETTLE_SECONDS
        while left := self.processes():
            if time.monotonic() > end:
                raise Unavailable(
                    f"Processes of an earlier PostgreSQL still work on {self.data}: {', '.join(map(str, left))}. "
                    "End them (kill -INT PID) and try again."
                )
            time.sleep(0.05)

    def _configure(self, port: int, how: Launcher) -> None:
        for name, text in (
            ("postgresql.conf", f"{SERVER_SETTINGS}port = {port}\n"),
            ("pg_hba.conf", ACCESS_RULES),
            ("pg_ident.conf", ""),
        ):
            path = self.data / name
            try:
                path.write_text(text)
                path.chmod(0o600)
                if how.user_id is not None and how.group_id is not None:
                    os.chown(path, how.user_id, how.group_id)
            except OSError as error:
                raise Unavailable(_diagnosis("could not be configured", str(error), self.data)) from error

    def _pid_file(self) -> list[str]:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []
        return lines if lines and lines[0].isdigit() else []

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != str(MAJOR_VERSION):
            raise Unavailable(
                f"{self.data} was made by PostgreSQL {version}; this version of Hufu CRM carries {MAJOR_VERSION}. "
                "Restore a backup into a new folder (HUFU_VAR), or run the version that made it."
            )

    def _rotate_log(self) -> int:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name(f"{self.log.name}.1"))
        return self.log.stat().st_size if self.log.exists() else 0

    def _log_since(self, begin: int) -> str:
        with self.log.open("rb") as file:
            file.seek(begin)
            return file.read().decode(errors="replace")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _diagnosis(what: str, said: str, data: Path) -> str:
    """Return one sentence on what went wrong, why, and what to do, from what PostgreSQL said."""
    if "No space left on device" in said:
        why = f"the disk of {data} is full. Free some space and try again."
    elif "Permission denied" in said or "not permitted" in said:
        account = "the user running it" if launcher().user_id is None else f"user {launcher().user_id}"
        why = (
            f"{data}, a folder above it or {binaries()} is closed to {account}. "
            "Open them, or name another folder with HUFU_VAR."
        )
    elif "shared memory" in said:
        why = "the machine gives it too little shared memory (it needs 300 MB)."
    else:
        why = "it said: " + " / ".join(line.strip() for line in said.strip().splitlines()[-4:])
    return f"The embedded PostgreSQL {what}: {why}"
