"""`hufu restore`: the database comes back whole, says what is missing, and refuses before it touches anything."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from hufu.cli.commands.restore import REPLACED, RESTORING
from hufu.cli.site import serving_environment
from hufu.core.postgres.embedded import DATABASE, attach_or_start
from hufu.core.postgres.secret_files import SecretFolder
from tests.database import migrated_folder


def hufu(var: Path, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    values = {**serving_environment(os.environ, ""), "HUFU_VAR": str(var), "LANG": "C", **more}
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", *words],
        env=values,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def owner(var: Path) -> Iterator[psycopg.Connection]:
    with attach_or_start(var, SecretFolder(var / "secrets")) as server:
        with psycopg.connect(server.url("hufu_owner"), autocommit=True) as connection:
            yield connection


def databases(var: Path) -> set[str]:
    with attach_or_start(var, SecretFolder(var / "secrets")) as server:
        with psycopg.connect(server.admin_url()) as connection:
            return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def findings(var: Path) -> dict[str, dict[str, str]]:
    said = json.loads(hufu(var, "doctor", "--json").stdout)
    wrong = [one for one in said["findings"] if not one["ok"] and one["name"] != "assets"]
    assert wrong == []
    return {one["name"]: one for one in said["findings"]}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A company that was set up, with somebody signed in and an attachment, and its backup."""
    var = tmp_path_factory.mktemp("restore") / "var"
    shutil.copytree(migrated_folder(), var)
    done = hufu(var, "setup", "--system", "wang:王伟", "--audit", "zhao:赵敏")
    assert done.returncode == 0, done.stderr
    (var / "attachments").mkdir(mode=0o700)
    (var / "attachments" / "contract").write_bytes(b"sealed contract")
    with owner(var) as connection:
        connection.execute("INSERT INTO django_session VALUES ('s', 'data', now() + interval '1 day')")
    done = hufu(var, "backup", "--no-verify")
    assert done.returncode == 0, done.stderr
    (backup,) = (var / "backups").glob("*.backup")
    return var, backup


@pytest.fixture
def company(original: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A copy of that company, for the test alone."""
    var = tmp_path / "var"
    shutil.copytree(original[0], var)
    return var, var / "backups" / original[1].name


def test_from_the_backup_and_the_master_key_alone_everything_comes_back_and_doctor_and_log_agree(company):
    var, backup = company
    master = (var / "secrets" / "master-key").read_bytes()
    saved = backup.read_bytes()
    shutil.rmtree(var)
    backup = var.parent / backup.name
    backup.write_bytes(saved)
    (var / "secrets").mkdir(parents=True, mode=0o700)
    (var / "secrets" / "master-key").write_bytes(master)
    (var / "secrets" / "master-key").chmod(0o600)
    said = hufu(var, "restore", str(backup))
    assert said.returncode == 0, said.stderr
    assert (var / "attachments" / "contract").read_bytes() == b"sealed contract"
    with owner(var) as connection:
        people = connection.execute("SELECT username FROM people_user ORDER BY 1").fetchall()
        assert people == [("wang",), ("zhao",)]
        assert connection.execute("SELECT count(*) FROM django_session").fetchone() == (0,)
        (body,) = connection.execute("SELECT body FROM audit_event WHERE type = 'system.restored'").fetchone()
    event = json.loads(bytes(body))["data"]
    assert event["file"] == backup.name
    assert "missing" not in event
    restored = findings(var)["restored"]["note"]
    assert str(event["last_event"]) in restored
    assert "not known" in restored


def test_replacing_says_how_many_events_are_missing_and_the_database_of_before_is_gone(company):
    var, backup = company
    said = hufu(var, "restore", str(backup), "--replace", typed="replace\n")
    assert said.returncode == 0, said.stderr
    # The event of the backup itself came after the backup.
    assert findings(var)["restored"]["note"].count("1 later events between") == 1
    assert databases(var) & {DATABASE, DATABASE + RESTORING, DATABASE + REPLACED} == {DATABASE}


def test_nothing_is_touched_without_replace_the_typed_word_the_master_key_the_other_keys_or_the_whole_file(
    company,
):
    var, backup = company
    whole = backup.read_bytes()
    master = var / "secrets" / "master-key"
    kek = var / "secrets" / "log-kek"

    def refused(*words: str, code: int = 3, **more: str) -> str:
        said = hufu(var, "restore", str(backup), *words, **more)
        assert said.returncode == code, said.stderr
        return said.stderr

    assert "add --replace" in refused()
    assert "Nothing was touched" in refused("--replace", typed="yes\n", code=1)

    backup.write_bytes(whole[:-20])
    assert "damaged" in refused("--replace", typed="replace\n")
    backup.write_bytes(b"something else")
    assert "is no backup" in refused("--replace", typed="replace\n")
    backup.write_bytes(whole)

    other = var / "other-key"
    another = b64encode(bytes(32)).decode()
    assert "another master key" in refused("--replace", typed="replace\n", HUFU_MASTER_KEY=another)
    master.rename(other)
    assert "cannot be read" in refused("--replace", typed="replace\n")
    other.rename(master)
    kek.rename(other)
    kek.write_bytes(bytes(32))
    assert str(kek) in refused("--replace", typed="replace\n")
    other.rename(kek)

    assert "restored" not in findings(var)


def test_a_restore_that_fails_in_the_middle_leaves_everything_as_it_was(company, tmp_path):
    var, backup = company
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_restore"
    program.write_text("#!/bin/sh\ncat > /dev/null\nkill -9 $PPID\n")
    program.chmod(0o755)
    killed = hufu(
        var, "restore", str(backup), "--replace", typed="replace\n", HUFU_PG_BIN=str(tmp_path / "bin")
    )
    assert killed.returncode == -9
    assert "restored" not in findings(var)
    assert DATABASE + RESTORING in databases(var)
    program.write_text("#!/bin/sh\ncat > /dev/null\necho 'it broke' >&2\nexit 1\n")
    failed = hufu(
        var, "restore", str(backup), "--replace", typed="replace\n", HUFU_PG_BIN=str(tmp_path / "bin")
    )
    assert failed.returncode == 3
    assert "it broke" in failed.stderr
    assert "restored" not in findings(var)
    assert databases(var) & {DATABASE, DATABASE + RESTORING, DATABASE + REPLACED} == {DATABASE}


def test_a_backup_of_a_later_version_is_refused(in_english):
    from hufu.cli.commands.restore import require_known_version
    from hufu.core.errors import Unavailable

    known = {"format": 1, "version": "9.0", "migrations": ["audit.0001_initial", "sessions.0001_initial"]}
    require_known_version(known)
    with pytest.raises(Unavailable, match=r"9\.0"):
        require_known_version({**known, "migrations": ["audit.9999_something"]})
