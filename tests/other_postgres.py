"""A server of another PostgreSQL than the embedded one, for one run of the tests.

`HUFU_TEST_POSTGRES=/usr/lib/postgresql/15/bin pytest tests/access` runs them on the PostgreSQL whose programs are in
that folder. The server keeps its data in a temporary folder (in memory where there is room), listens on this machine
alone, and ends with the run.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from hufu.core.postgres.launcher import Launcher, die_with_parent, launcher
from hufu.core.postgres.urls import make_url
from tests import memory

VARIABLE = "HUFU_TEST_POSTGRES"
ADMIN = "postgres"
HOST = "127.0.0.1"
START_SECONDS = 60
# Nothing of a test's data must outlive a crash.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "listen_addresses": HOST,
    "max_connections": "60",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "unix_socket_directories": "",
}


@contextmanager
def other_server(programs: Path) -> Iterator[str]:
    """Have a fresh server of the PostgreSQL in `programs` for the body; the value is its superuser's address."""
    how, password = launcher(), secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="hufu-postgres-", dir=memory.parent()) as name:
        folder, data = Path(name), Path(name) / "data"
        data.mkdir(mode=0o700)
        secret = folder / "password"
        secret.write_text(password)
        folder.chmod(0o755)
        for path in (data, secret):
            how.own(path)
        _run(
            how,
            programs / "initdb",
            f"--pgdata={data}",
            f"--username={ADMIN}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--lc-ctype=C.UTF-8",
            "--no-sync",
        )
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
        log = folder / "log"
        process = subprocess.Popen(
            [*how.prefix, str(programs / "postgres"), "-D", str(data), "-p", str(port), *options],
            stdin=subprocess.DEVNULL,
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
            env=_environment(),
            cwd="/",
            user=how.user_id,
            group=how.group_id,
            extra_groups=None if how.user_id is None else [],
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGINT),
        )
        url = make_url(ADMIN, password, HOST, port, "postgres")
        try:
            _wait(process, url, log)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(START_SECONDS)


def version(programs: Path) -> str:
    """Return what the programs in a folder say that they are, such as `PostgreSQL 15.13`."""
    said = subprocess.run(
        [programs / "postgres", "--version"], text=True, capture_output=True, check=True
    ).stdout
    return f"PostgreSQL {said.split()[2]}"


def _run(how: Launcher, *command: str | Path) -> None:
    result = subprocess.run(
        [*how.prefix, *map(str, command)],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
        cwd="/",
        user=how.user_id,
        group=how.group_id,
        extra_groups=None if how.user_id is None else [],
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{result.stdout}")


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The server did not start:\n{log.read_text()}") from None
            time.sleep(0.1)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
