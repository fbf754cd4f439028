"""The embedded server: starts on demand, is shared, survives being killed, trusts nobody."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hufu.core.errors import Unavailable
from hufu.core.postgres import cluster
from hufu.core.postgres.embedded import Server, attach_or_start, server, serving
from hufu.core.postgres.launcher import Launcher, binaries

# A command of its own: uses the server until it reads a line, then ends.
COMMAND = """
import json, os, sys, ctypes, fcntl, shutil, subprocess
from pathlib import Path
import psycopg
from hufu.core.errors import Unavailable
from hufu.core.postgres.embedded import attach_or_start, serving
from hufu.core.postgres.launcher import binaries
binaries()
var, user, serve = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "serve"
if user:
    os.setgroups([]); os.setgid(user); os.setuid(user)
def say(**values):
    print(json.dumps(values), flush=True)
try:
    if serve:
        lock = serving(var); lock.__enter__()
    running = attach_or_start(var)
except Unavailable as error:
    say(error=str(error))
    sys.exit(3)
say(pid=running.pid, port=running.port, started=running.started_here)
sys.stdin.readline()
running.close()
say(closed=True)
"""


class Command:
    """Another `hufu` command that uses the server of a folder."""

    def __init__(self, var: Path, *, user: int = 0, serve: bool = False) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(var), str(user), "serve" if serve else "use"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def tell_to_end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def command(var: Path, *, user: int = 0, serve: bool = False) -> Iterator[Command]:
    one = Command(var, user=user, serve=serve)
    try:
        yield one
    finally:
        one.kill()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped server's folder with a table of one row; copied by those who hurt it."""
    var = tmp_path_factory.mktemp("made") / "var"
    with server(var) as running, psycopg.connect(running.admin_url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")
    return var


@pytest.fixture
def var(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "var", symlinks=True)
    return tmp_path / "var"


def rows(running: Server) -> int:
    with psycopg.connect(running.admin_url()) as connection:
        found = connection.execute("SELECT sum(n) FROM kept").fetchone()
    return int(found[0]) if found else 0


def add_row(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO kept VALUES (1)")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.02)


def test_it_starts_on_demand_and_stops_with_its_user(var):
    with server(var) as running:
        assert running.started_here
        assert rows(running) == 1
    assert not is_running(running.pid)


def test_it_trusts_nobody(var):
    with server(var) as running:
        rules = (var / "postgres" / "pg_hba.conf").read_text()
        assert "trust" not in rules
        for url in (
            running.admin_url().replace(running.secrets.password("postgres"), "guess"),
            f"postgresql://postgres@127.0.0.1:{running.port}/postgres",
        ):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(url)
        with psycopg.connect(running.admin_url()) as connection:
            settings = connection.execute(
                "SELECT current_setting('listen_addresses'), current_setting('fsync'),"
                " current_setting('unix_socket_directories'), (SELECT count(*) FROM pg_hba_file_rules)"
            ).fetchone()
    assert settings == ("127.0.0.1", "on", "", 1)


def test_its_messages_carry_no_values(var):
    with server(var) as running, psycopg.connect(running.admin_url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE one (phone text UNIQUE)")
        connection.execute("INSERT INTO one VALUES ('13800138000')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO one VALUES ('13800138000')")
    assert "13800138000" not in (var / "log" / "postgres.log").read_text()


def test_secrets_are_readable_by_their_owner_only(var):
    assert (var / "secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (var / "secrets").iterdir()} == {0o600}
    assert (var / "postgres").stat().st_mode & 0o077 == 0


def test_when_its_starter_is_killed_it_goes_down_cleanly_and_keeps_the_data(var):
    with command(var) as starter:
        heard = starter.hear()
        starter.kill()
        wait_until_gone(heard["pid"])
    with server(var) as running:
        assert rows(running) == 1


def test_a_killed_postmaster_is_replaced_and_what_was_committed_is_there(var):
    with command(var) as starter:
        heard = starter.hear()
        password = (var / "secrets" / "postgres.password").read_text()
        add_row(f"postgresql://postgres:{password}@127.0.0.1:{heard['port']}/postgres")
        os.kill(heard["pid"], signal.SIGKILL)
        with server(var) as running:
            assert running.started_here
            assert rows(running) == 2


def test_a_running_program_revives_its_killed_server_at_the_same_address(var):
    with server(var) as running:
        before, port = running.pid, running.port
        assert not running.revive()
        os.kill(before, signal.SIGKILL)
        wait_until_gone(before)
        assert running.revive()
        assert running.pid != before
        assert running.port == port
        assert rows(running) == 1
    assert not is_running(running.pid)


def test_a_pid_file_that_names_another_program_is_no_obstacle(var):
    stale = [str(os.getpid()), str(var / "postgres"), "1", "5432", "", "127.0.0.1", "1 1", "ready   "]
    (var / "postgres" / "postmaster.pid").write_text("\n".join(stale) + "\n")
    with server(var) as running:
        assert running.started_here


def test_what_an_interrupted_first_start_left_is_made_again(tmp_path):
    (tmp_path / "var" / "postgres.new" / "base").mkdir(parents=True)
    with server(tmp_path / "var") as running:
        assert running.started_here
    assert not (tmp_path / "var" / "postgres.new").exists()


def test_a_taken_port_is_replaced_by_a_free_one(var):
    remembered = int((var / "port").read_text())
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", remembered))
        other.listen()
        with server(var) as running:
            assert running.port != remembered


def test_commands_attach_to_a_running_server(var):
    with command(var) as starter:
        heard = starter.hear()
        with server(var) as running:
            assert not running.started_here
            assert running.pid == heard["pid"]
        assert is_running(heard["pid"])


def test_commands_that_start_at_once_share_one_server(var):
    with command(var) as first, command(var) as second:
        heard = [first.hear(), second.hear()]
        assert heard[0]["pid"] == heard[1]["pid"]
        assert sorted(one["started"] for one in heard) == [False, True]


def test_a_short_command_does_not_pull_the_server_away_under_an_attached_one(var):
    with command(var) as starter:
        pid = starter.hear()["pid"]
        with server(var) as running:
            starter.tell_to_end()
            time.sleep(0.5)
            assert starter.process.poll() is None
            assert rows(running) == 1
        assert starter.hear() == {"closed": True}
        assert not is_running(pid)


def test_a_second_serve_on_the_same_folder_is_refused_and_told_whom_to_ask(var):
    with command(var, serve=True) as first:
        first.hear()
        with command(var, serve=True) as second:
            refusal = second.hear()["error"]
        assert f"kill {first.process.pid}" in refusal
        assert "HUFU_VAR" in refusal


def test_a_killed_serve_leaves_no_lock(var):
    with command(var, serve=True) as first:
        first.hear()
        first.kill()
    with serving(var):
        pass


def open_to_everybody(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents everybody may pass, for tests as another user."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; this run is one already")
    if not open_to_everybody(binaries()):
        pytest.skip(f"{binaries()} is closed to other users")
    folder = Path(tempfile.mkdtemp(prefix="hufu-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_an_ordinary_user_runs_it(open_folder):
    nobody = pwd.getpwnam("nobody").pw_uid
    folder = open_folder / "home"
    open_folder.chmod(0o755)
    folder.mkdir()
    os.chown(folder, nobody, nobody)
    with command(folder / "var", user=nobody) as theirs:
        heard = theirs.hear()
        assert heard["started"]
        assert Path(f"/proc/{heard['pid']}").stat().st_uid == nobody
        theirs.tell_to_end()
        assert theirs.hear() == {"closed": True}


def test_a_folder_that_may_not_be_written_is_named(open_folder):
    nobody = pwd.getpwnam("nobody").pw_uid
    open_folder.chmod(0o755)
    with command(open_folder / "var", user=nobody) as theirs:
        assert str(open_folder / "var") in theirs.hear()["error"]


def test_root_without_namespaces_steps_down_to_a_service_user(open_folder, monkeypatch):
    nobody = pwd.getpwnam("nobody")
    open_folder.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "launcher", lambda: Launcher(user_id=nobody.pw_uid, group_id=nobody.pw_gid))
        with server(open_folder / "var") as running:
            assert Path(f"/proc/{running.pid}").stat().st_uid == nobody.pw_uid
    # And back: the files follow whoever runs it.
    with server(open_folder / "var") as running:
        assert Path(f"/proc/{running.pid}").stat().st_uid == 0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("FATAL:  could not write to file: No space left on device", "Free some space"),
        ("could not open directory: Permission denied", "HUFU_VAR"),
        ("FATAL:  could not create shared memory segment", "300 MB"),
        ("FATAL:  something new", "something new"),
    ],
)
def test_a_failed_start_says_what_to_do(said, told, tmp_path):
    assert told in cluster._diagnosis("did not start", said, tmp_path)


def test_a_start_that_fails_is_an_error_with_the_servers_own_words(var):
    (var / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(Unavailable, match="pg_control"):
        attach_or_start(var)


def test_data_of_another_major_version_is_left_alone(var):
    (var / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(Unavailable, match="made by PostgreSQL 17"):
        attach_or_start(var)
