"""The embedded server of one folder, shared by every command that needs it.

It starts on demand and stops with the process that started it, once nobody else is attached. If that process is
killed, the server goes down with it, cleanly; what was committed is kept.

Locks in the folder (all of them vanish with the process that holds them):
  start.lock     exclusive, for moments: who looks whether a server runs and starts one
  attached.lock  shared by everybody who uses a server that somebody else started; its starter takes it exclusively
                 before stopping the server
  serve.lock     exclusive, held by the one `hufu serve` of the folder
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres.cluster import ADMIN, HOST, Cluster, Postmaster
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.postgres.urls import make_url

DATABASE = "hufu"
PATIENCE_SECONDS = 1.0


class Server:
    """A running embedded server that this process may use until `close`."""

    def __init__(
        self,
        postmaster: Postmaster,
        secrets: SecretFolder,
        *,
        var: Path,
        cluster: Cluster,
        attached: IO[str],
        process: subprocess.Popen[bytes] | None,
    ) -> None:
        self.pid = postmaster.pid
        self.port = postmaster.port
        self.secrets = secrets
        self._var = var
        self._cluster = cluster
        self._attached = attached
        self._process = process

    @property
    def started_here(self) -> bool:
        """Whether this process started the server, and will stop it."""
        return self._process is not None

    def url(self, role: str, database: str = DATABASE) -> str:
        """Return the address for one role."""
        return make_url(role, self.secrets.password(role), HOST, self.port, database)

    def admin_url(self, database: str = "postgres") -> str:
        """Return the address for the superuser: for making roles and databases, for nothing else."""
        return self.url(ADMIN, database)

    def revive(self) -> bool:
        """Start the server again if it was killed; return whether that was necessary.

        Raise Unavailable when it cannot be had on its old port: whoever knows its address would not find it.
        """
        if self._process.poll() is None if self._process else Path(f"/proc/{self.pid}").exists():
            return False
        with _locked(self._var / "start.lock"):
            found = self._cluster.running()
            if found is None:
                fcntl.flock(self._attached, fcntl.LOCK_UN)
                found, self._process = self._cluster.start(self.port)
            self.pid = found.pid
        if found.port != self.port:
            raise Unavailable(
                _("The embedded PostgreSQL was killed and port %s taken meanwhile. Start again.") % self.port
            )
        return True

    def close(self) -> None:
        """Let go of the server; whoever started it waits for the others and stops it."""
        if self._attached.closed:
            return
        if self._process is not None:
            _wait_for_attached(self._attached)
            self._cluster.stop(self._process)
        self._attached.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextlib.contextmanager
def server(var: Path) -> Iterator[Server]:
    """Use the embedded server of a folder for the body; see `attach_or_start`."""
    with attach_or_start(var) as running:
        yield running


def attach_or_start(var: Path, secrets: SecretFolder | None = None) -> Server:
    """Return the embedded server whose data and log (and secrets, unless given) are in `var`; start it where necessary.

    Call it in a thread that lives as long as the server is needed: when the thread that started it ends, so does
    the server. Raise Unavailable, with what to do, when it cannot be had.
    """
    var = var.absolute().resolve()
    _open_folder(var)
    secrets = secrets or SecretFolder(Path(os.environ.get("HUFU_SECRETS", var / "secrets")))
    cluster = Cluster(var / "postgres", var / "log" / "postgres.log")
    attached = (var / "attached.lock").open("a")
    with _locked(var / "start.lock"):
        if cluster.running():
            # The starter may be stopping it: then this waits until it has gone, and the server is looked for again.
            fcntl.flock(attached, fcntl.LOCK_SH)
            if found := cluster.running():
                return Server(found, secrets, var=var, cluster=cluster, attached=attached, process=None)
            fcntl.flock(attached, fcntl.LOCK_UN)
        cluster.make(secrets.password(ADMIN))
        started, process = cluster.start(_remembered_port(var))
        (var / "port").write_text(f"{started.port}\n")
    return Server(started, secrets, var=var, cluster=cluster, attached=attached, process=process)


@contextlib.contextmanager
def serving(var: Path) -> Iterator[None]:
    """Be the only `hufu serve` on a folder; raise Unavailable, naming the other one, when there is another."""
    var = var.absolute()
    _open_folder(var)
    with (var / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            pid = lock.read().strip() or "unknown"
            raise Unavailable(
                _(
                    "Hufu CRM is already being served from %(folder)s, by process %(pid)s. Use that one, stop it "
                    "(kill %(pid)s), or serve another folder (HUFU_VAR=/another/folder hufu serve)."
                )
                % {"folder": var, "pid": pid}
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _open_folder(var: Path) -> None:
    try:
        var.mkdir(mode=0o755, parents=True, exist_ok=True)
        (var / "start.lock").open("a").close()
    except OSError as error:
        raise Unavailable(
            _(
                "The folder %(folder)s cannot be written (%(why)s). Run the command as the user who owns it, or name "
                "another folder with HUFU_VAR."
            )
            % {"folder": var, "why": error.strerror}
        ) from error


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _wait_for_attached(lock: IO[str]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.02)
    print(_("Another command still uses the database; waiting for it to end …"), file=sys.stderr)
    fcntl.flock(lock, fcntl.LOCK_EX)


def _remembered_port(var: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        return int((var / "port").read_text())
    return None
