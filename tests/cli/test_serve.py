"""`hufu serve` and `hufu migrate` as programs, on a folder of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hufu.cli.site import assets_built, serving_environment

pytestmark = pytest.mark.skipif(not assets_built(), reason="the browser's assets are not built (make setup)")
PATIENCE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(var: Path) -> dict[str, str]:
    return {**serving_environment(os.environ, ""), "HUFU_VAR": str(var), "LANG": "C"}


def hufu(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", *arguments],
        env=environment(var),
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def served(var: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hufu.cli.main", "serve", "--port", str(port), *options],
        env=environment(var),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"http://localhost:{port}" in process.stdout.readline()
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


def status(port: int, path: str = "/accounts/login/") -> int:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    direct = [int(word) for word in text.split()]
    return direct + [below for child in direct for below in children(child)]


def test_a_site_of_its_own(tmp_path):
    var, port = tmp_path / "var", free_port()
    with served(var, port) as process:
        assert status(port) == 200

        # A second one is refused, on the same folder and on the same port; other commands attach.
        refused = hufu(var, "serve", "--port", str(free_port()))
        assert refused.returncode == 3
        assert f"kill {process.pid}" in refused.stderr
        taken = hufu(var.parent / "other", "serve", "--port", str(port))
        assert taken.returncode == 3
        assert "--port" in taken.stderr
        assert hufu(var, "migrate").stdout == "The database is up to date.\n"
        examined = hufu(var, "doctor")
        assert examined.returncode == 0, examined.stdout

        # No serving process holds any other address or password than the application's.
        web = [
            pid for pid in children(process.pid) if b"granian" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert web
        for pid in web:
            values = Path(f"/proc/{pid}/environ").read_text()
            assert values.count("postgresql://") == 1
            assert "postgresql://hufu_app:" in values

        # The database is killed under it: it is there again, at the same address.
        postmaster = int((var / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGKILL)
        time.sleep(1)
        end = time.monotonic() + PATIENCE_SECONDS
        while status(port, "/accounts/login/") != 200 or hufu(var, "doctor").returncode != 0:
            assert time.monotonic() < end
    assert process.returncode == 0
    assert not (var / "postgres" / "postmaster.pid").exists()


def figures(port: int) -> dict[str, str]:
    with urllib.request.urlopen(f"http://localhost:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_the_figures_of_a_site_are_those_of_all_its_processes(folder_of_data):
    port = free_port()
    with served(folder_of_data, port, "--workers", "2"):
        assert status(port) == 200
        for _ in range(39):
            assert status(port) == 200
        # Whichever of the two answers.
        asked = [figures(port) for _ in range(6)]
        logins = 'hufu_requests_total{method="GET",route="account_login"'
        counted = {
            sum(float(value) for name, value in each.items() if name.startswith(logins)) for each in asked
        }
        assert counted == {40.0}
        assert {each["hufu_metrics_shared"] for each in asked} == {"1.0"}
        written = list((folder_of_data / "metrics" / str(port)).glob("counter_*.db"))
        assert len(written) == 2
        assert (folder_of_data / "metrics" / str(port)).stat().st_mode & 0o077 == 0


def test_an_address_that_is_none_is_explained(tmp_path):
    values = {**environment(tmp_path / "var"), "DATABASE_URL": "mysql://root@localhost/crm"}
    result = subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", "doctor"],
        env=values,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3
    assert "postgresql://USER:PASSWORD@HOST:PORT/DATABASE" in result.stderr


def test_a_lost_key_of_the_log_is_not_replaced_in_silence(folder_of_data):
    (folder_of_data / "secrets" / "log-kek").unlink()
    again = hufu(folder_of_data, "migrate")
    assert again.returncode == 3
    assert "backup" in again.stderr
    assert not (folder_of_data / "secrets" / "log-kek").exists()


def test_demo_mode_is_not_inherited():
    assert "HUFU_DEMO" not in serving_environment({"HUFU_DEMO": "1"}, "postgresql://hufu_app@localhost/x")
