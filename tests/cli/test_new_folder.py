"""Commands in a folder that was never set up: `hufu setup` sets it up, the others say so and leave nothing there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hufu.cli import environment
from hufu.cli.site import serving_environment

COMMANDS = (
    ("count", "customer.view", "--as", "wang"),
    ("explain", "--as", "wang", "customer.view"),
    ("import", "users", "staff.csv", "--map", "staff.yaml"),
    ("invite", "wang"),
    ("policy", "apply", "company.yaml"),
    ("policy", "export"),
)


def hufu(var: Path, *words: str) -> subprocess.CompletedProcess[str]:
    values = {**serving_environment(os.environ, ""), "HUFU_VAR": str(var), "LANG": "C"}
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", *words],
        env=values,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_says_that_the_folder_was_never_set_up(tmp_path, words):
    said = hufu(tmp_path / "var", *words)
    assert (said.returncode, said.stdout) == (3, "")
    assert said.stderr == (
        f"hufu: The folder {tmp_path / 'var'} was never set up. Run `hufu setup` (or `hufu serve`) first, or name "
        "the right folder with HUFU_VAR.\n"
    )
    assert not (tmp_path / "var").exists()


def test_it_says_so_in_the_language_of_the_terminal(tmp_path):
    values = {**serving_environment(os.environ, ""), "HUFU_VAR": str(tmp_path / "var"), "LANG": "zh_CN.UTF-8"}
    said = subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", "invite", "wang"],
        env=values,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 3
    assert "尚未初始化" in said.stderr


def test_doctor_says_the_same_and_nothing_of_lost_secrets(tmp_path):
    said = hufu(tmp_path / "var", "doctor")
    assert said.returncode == 1
    assert "was never set up" in said.stdout
    assert "secrets" not in said.stdout


def test_setup_sets_the_folder_up_and_the_others_work_from_then_on(tmp_path):
    said = hufu(tmp_path / "var", "setup", "--system", "wang:王伟", "--audit", "zhao:赵敏")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("http://localhost:8000/accounts/password/") == 2
    assert "If the site runs elsewhere, set HUFU_ORIGIN" in said.stderr
    assert hufu(tmp_path / "var", "count", "customer.view", "--as", "wang").stdout == "0\n"


def test_a_folder_whose_setting_up_was_interrupted_was_never_set_up(postgres, template_database):
    name = postgres.clone(template_database)
    try:
        known = {role: postgres.url(role, name) for role in ("hufu_app", "hufu_owner")}
        database = environment.Database(known, postgres.admin_url, embedded=True)
        assert not environment.never_set_up(database)
        with psycopg.connect(known["hufu_owner"]) as owner:
            owner.execute("DROP TABLE hufu.installed")
        assert environment.never_set_up(database)
    finally:
        postgres.drop(name)
    assert environment.never_set_up(database)
