"""`hufu backup`: whole and sealed or not there at all, tried by restoring, kept as long as was asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hufu.cli import backup_schedule
from hufu.core.backup import archive, dump, folder
from hufu.core.errors import Unavailable
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.vault.cipher import TAG_BYTES
from hufu.core.vault.streams import CHUNK, MAGIC, SALT_BYTES
from tests.cli.conftest import Hufu

KEY = bytes(range(32))


@pytest.fixture
def real_server(committed, postgres, monkeypatch, tmp_path) -> Path:
    """The test's database as a real server's, and a folder of its own for everything else; the value is that folder."""
    monkeypatch.setenv("HUFU_VAR", str(tmp_path / "var"))
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secrets").mkdir(mode=0o700)
    (tmp_path / "var" / "secrets" / "master-key").write_bytes(KEY)
    for role, name in (("hufu_app", "DATABASE_URL"), ("hufu_backup", "HUFU_BACKUP_URL")):
        monkeypatch.setenv(name, postgres.url(role, committed))
    return tmp_path / "var"


def made(var: Path) -> list[str]:
    return sorted(path.name for path in (var / "backups").iterdir() if path.name != ".lock")


def test_a_backup_is_tried_recorded_and_says_which_key_to_keep(real_server, hufu: Hufu, customer, events):
    (real_server / "secrets" / "log-kek").write_bytes(bytes(reversed(KEY)))
    (real_server / "secrets" / "hufu_app.password").write_bytes(b"secret")
    (real_server / "attachments" / "ab").mkdir(parents=True)
    (real_server / "attachments" / "ab" / "contract").write_bytes(b"sealed contract")
    # What a trial that was killed has left.
    (real_server / "trial").mkdir()
    (real_server / "trial" / "readable").write_bytes(b"left")
    said = hufu("backup")
    assert said.code == 0, said.err
    (name,) = made(real_server)
    assert str(real_server / "backups" / name) in said.out
    assert str(real_server / "secrets" / "master-key") in said.out.splitlines()[-1]
    (event,) = events("system.backed_up")
    assert event["data"]["file"] == name
    assert event["data"]["verified"] is True

    path = real_server / "backups" / name
    assert path.stat().st_mode & 0o077 == 0
    assert "上海启明机械有限公司".encode() not in path.read_bytes()
    manifest = archive.check(path, folder.keys(SecretFolder(real_server / "secrets")))
    assert manifest["rows"]["public.crm_customer"] == 1
    assert manifest["log"]["events"] == event["data"]["events"]
    # Neither the master key nor a password is in it.
    assert set(manifest["parts"]) == {"database", "secrets/log-kek", "attachments/ab/contract"}
    assert not (real_server / "trial").exists()

    listed = hufu("backup", "list", "--json").json
    assert [(one["file"], one["readable"]) for one in listed] == [(name, True)]


def test_it_holds_what_row_policies_hide_from_the_application(
    real_server, hufu: Hufu, customer, postgres, committed
):
    with dump.snapshot(postgres.url("hufu_backup", committed)) as (held, _moment):
        assert dump.contents(held)["rows"]["public.crm_customer"] == 1
    with pytest.raises(Exception, match="row-level security"):
        with dump.snapshot(postgres.url("hufu_app", committed)) as (held, _moment):
            held.execute("SELECT count(*) FROM crm_customer")


def test_a_full_disk_leaves_no_half_backup_an_event_and_a_finding(
    real_server, hufu: Hufu, company, events, monkeypatch
):
    def full(key, source, bound_to):
        yield b"begun"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "seal_stream", full)
    said = hufu("backup")
    assert said.code == 3
    assert "No space left on device" in said.err
    assert "Free some space" in said.err
    assert made(real_server) == []
    (event,) = events("system.backup_failed")
    assert event["result"] == "failed"
    doctor = {one["name"]: one for one in hufu("doctor", "--json").json["findings"]}
    assert "No space left on device" in doctor["backup"]["problem"]

    monkeypatch.undo()


def test_a_dump_that_breaks_off_leaves_nothing(real_server, hufu: Hufu, company, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text("#!/bin/sh\necho PGDMP\necho 'it broke' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("HUFU_PG_BIN", str(tmp_path / "bin"))
    said = hufu("backup")
    assert said.code == 3
    assert "it broke" in said.err
    assert made(real_server) == []


def test_a_killed_backup_leaves_a_draft_that_the_next_one_removes(real_server, hufu: Hufu, company, tmp_path):
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "pg_dump"
    program.write_text("#!/bin/sh\necho PGDMP\nexec sleep 60\n")
    program.chmod(0o755)
    running = subprocess.Popen(
        [sys.executable, "-m", "hufu.cli.main", "backup"],
        env={**os.environ, "HUFU_PG_BIN": str(tmp_path / "bin")},
    )
    end = time.monotonic() + 30
    while not (real_server / "backups").exists() or not made(real_server):
        assert time.monotonic() < end
        time.sleep(0.05)
    (left,) = made(real_server)
    second = hufu("backup", "--no-verify")
    assert second.code == 3
    assert "Another backup is being made" in second.err
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert left.endswith(".draft")
    assert folder.backups(real_server / "backups") == []
    said = hufu("backup", "--no-verify")
    assert said.code == 0, said.err
    assert [name.endswith(".backup") for name in made(real_server)] == [True]


def test_a_restore_that_differs_is_told_and_the_backup_is_not_kept(
    real_server, hufu: Hufu, customer, monkeypatch
):
    real = dump.facts

    def wrong(connection):
        found = real(connection)
        found["rows"]["public.crm_customer"] += 1
        return found

    monkeypatch.setattr(dump, "facts", wrong)
    said = hufu("backup")
    assert said.code == 3
    assert "public.crm_customer: 1 ≠ 2" in said.err
    assert made(real_server) == []


def written(path: Path) -> Path:
    with path.open("wb") as file:
        parts = [("database", [b"x" * CHUNK, b"y" * 10])]
        made = "2026-01-01T00:00:00+00:00"
        archive.write(file, KEY, parts, lambda: {"format": 1}, made=made, version="0")
    return path


def test_an_archive_opens_only_whole_unchanged_and_with_its_key(tmp_path):
    path = written(tmp_path / "a")
    whole = path.read_bytes()
    assert archive.check(path, [bytes(32), KEY])["format"] == 1
    with pytest.raises(archive.WrongKey):
        archive.check(path, [bytes(32)])
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    other_day = whole.replace(b"2026-01-01", b"2026-01-02")
    first_chunk = whole.index(b"}\n") + 2 + len(MAGIC) + 1 + SALT_BYTES + CHUNK + TAG_BYTES
    for damaged in (whole[:-1], whole[:first_chunk], whole + b"z", bytes(flipped), other_day):
        path.write_bytes(damaged)
        with pytest.raises(archive.Damaged):
            archive.check(path, [KEY])
    for foreign in (b"", b"PK\x03\x04", archive.MAGIC, archive.MAGIC + b"{}\n"):
        path.write_bytes(foreign)
        with pytest.raises(archive.Damaged):
            archive.check(path, [KEY])


def test_days_weeks_and_months_keep_their_newest():
    end = datetime(2026, 11, 26, 2, 30, tzinfo=UTC)
    found = [folder.Kept(end - timedelta(days=back), Path(str(back))) for back in range(400, -1, -1)]
    removed = folder.to_remove(found, folder.Retention(7, 4, 12), UTC)
    kept = [one.moment.date().isoformat() for one in found if one not in removed]
    assert kept[-7:] == [f"2026-11-{day}" for day in range(20, 27)]
    assert kept[:11] == [
        *("2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"),
        *("2026-06-30", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31"),
    ]
    assert kept[11:-7] == ["2026-11-08", "2026-11-15"]
    assert folder.to_remove(found[-1:], folder.Retention(0, 0, 1), UTC) == []


def test_the_schedule_starts_a_child_when_it_is_due_and_notes_one_that_was_killed(monkeypatch):
    now = [datetime(2026, 11, 26, 2, 29, tzinfo=UTC)]
    monkeypatch.setattr(backup_schedule, "_local_now", lambda: now[0])
    killed: list[int] = []
    schedule = backup_schedule.Schedule(
        backup_schedule.time(2, 30),
        [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"],
        killed.append,
    )
    schedule.tick()
    assert schedule._process is None
    now[0] += timedelta(minutes=1)
    schedule.tick()
    assert schedule._process is not None
    schedule._process.wait()
    schedule.tick()
    assert killed == [9]
    assert schedule.due == datetime(2026, 11, 27, 2, 30, tzinfo=UTC)


def test_a_schedule_that_makes_no_sense_is_refused_with_a_sentence(monkeypatch, in_english):
    monkeypatch.setenv("HUFU_BACKUP_AT", "half past two")
    with pytest.raises(Unavailable, match="Write it as 02:30"):
        backup_schedule.from_environment()
    monkeypatch.setenv("HUFU_BACKUP_AT", "02:30")
    monkeypatch.setenv("HUFU_BACKUP_KEEP", "many")
    with pytest.raises(Unavailable, match="7,4,12"):
        backup_schedule.from_environment()
