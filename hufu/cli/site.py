"""Running the site: a web server in a process of its own that holds the application's credentials and no others."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hufu.cli import environment
from hufu.cli.environment import Database
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres.launcher import die_with_parent
from hufu.core.postgres.roles import APP
from hufu.core.postgres.urls import ADMIN_VARIABLE, VARIABLES

DEMO = "HUFU_DEMO"
# Where the processes that answer requests count for /metrics; the library's own name for it.
METERS = "PROMETHEUS_MULTIPROC_DIR"
ENTRY = "hufu.config.wsgi:application"
# Each thread has two connections (one commits by itself); the embedded server takes 60.
THREADS = 6
START_SECONDS = 60
STOP_SECONDS = 20
WATCH_SECONDS = 0.5
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass
class Site:
    """A site that answers, until `stop`."""

    url: str
    process: subprocess.Popen[bytes]
    database: Database

    def wait(self, tick: Callable[[], None] = lambda: None) -> int:
        """Serve until told to stop (Ctrl-C, SIGTERM) and return 0, or until the web server ends, and return its code.

        An embedded database that is killed meanwhile is started again; `tick` is called again and again.
        """
        try:
            while (code := self.process.poll()) is None:
                self.database.revive()
                tick()
                time.sleep(WATCH_SECONDS)
        except (KeyboardInterrupt, SystemExit):
            return 0
        return code

    def stop(self) -> None:
        """End the web server: running requests are answered first."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
                return


@contextlib.contextmanager
def site(database: Database, *, host: str, port: int, workers: int = 1, demo: bool = False) -> Iterator[Site]:
    """Serve pages for the body. Raise Unavailable when the port is taken or the web server does not come up."""
    require_free(host, port)
    shown = "localhost" if host in LOOPBACK else host
    url = f"http://{shown}:{port}"
    values = serving_environment(os.environ, database.url(APP))
    values.setdefault("HUFU_ORIGIN", url)
    values["HUFU_VAR"] = str(environment.var())
    values[METERS] = str(folder_of_meters(port))
    if demo:
        values[DEMO] = "1"
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--blocking-threads", str(THREADS), "--backlog", "512", "--respawn-failed-workers", ENTRY),
    ]
    process = subprocess.Popen(
        command,
        env=values,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),
    )
    running = Site(url, process, database)
    try:
        _wait_until_answering(process, host, port)
        yield running
    finally:
        running.stop()


def folder_of_meters(port: int) -> Path:
    """Return the folder, empty, in which the processes of a site count: from its start on, whichever is replaced."""
    folder = environment.var() / "metrics" / str(port)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def note_start() -> None:
    """Write to the log what waits in the spool since the log could not be written, and that the site starts."""
    from hufu import __version__
    from hufu.audit import record
    from hufu.audit.spool import recover_spool
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    operator = Actor.operator()
    recover_spool(operator)
    with acting(operator):
        record(operator, "system.started", data={"version": __version__})


def serving_environment(values: Mapping[str, str], database_url: str) -> dict[str, str]:
    """Return the environment of a serving process: one address of the database, the application's.

    Demo mode is not inherited: whoever serves says so.
    """
    dropped = {ADMIN_VARIABLE, *VARIABLES.values(), DEMO, METERS}
    kept = {
        name: value for name, value in values.items() if name not in dropped and not name.startswith("PG")
    }
    return {**kept, VARIABLES[APP]: database_url, "DJANGO_SETTINGS_MODULE": environment.SETTINGS}


def require_free(host: str, port: int) -> None:
    """Raise Unavailable, with what to do, unless a server could listen there."""
    try:
        family, kind, protocol, _canonical, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Unavailable(
            _(
                "The site cannot listen on %(host)s, port %(port)s (%(why)s). Stop what listens there, or name "
                "another one with --port (make demo PORT=…)."
            )
            % {"host": host, "port": port, "why": error.strerror or error}
        ) from error


def require_assets() -> None:
    """Raise Unavailable unless the browser's assets were built."""
    if not assets_built():
        raise Unavailable(
            _(
                "The browser's assets are not built. In a clone, run `make setup`; a released package has them."
            )
        )


def assets_built() -> bool:
    """Tell whether the assets are there."""
    return (Path(__file__).resolve().parent.parent / "web" / "static" / "build" / "app.js").exists()


def _wait_until_answering(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Unavailable(
                _("The web server ended at once (exit code %s); the reason stands above.")
                % process.returncode
            )
        with contextlib.suppress(OSError), socket.create_connection((target, port), timeout=1) as probe:
            # Any answer will do: whoever gives it has loaded the application.
            probe.settimeout(START_SECONDS)
            probe.sendall(
                b"HEAD /static/build/app.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            if probe.recv(1):
                return
        time.sleep(0.1)
    raise Unavailable(_("The web server did not answer within %s s.") % START_SECONDS)
