"""`hufu bench` as a program: it makes a company in a database of its own, in a folder that can be kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hufu.cli.bench.scratch import MARK, scratch
from hufu.core.errors import Unavailable


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", "bench", *words],
        env={**os.environ, "LANG": "C"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_makes_a_company_and_measures_in_it(tmp_path: Path) -> None:
    plotted = tmp_path / "plots.html"
    done = bench(
        *(
            "who-can",
            "--records",
            "1200",
            "--users",
            "30",
            "--rounds",
            "2",
            "--json",
            "--keep",
            str(tmp_path),
        ),
        *("--html", str(plotted)),
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["data"]["records"], said["data"]["users"]) == (1200, 30)
    assert all(one["people"] > 0 for one in said["measured"])
    assert json.loads((tmp_path / MARK).read_text()) == said["data"]
    assert "1,200 customers, 30 people" in done.stderr
    page = plotted.read_text(encoding="utf-8")
    assert page.count("<svg") == len(said["measured"])
    assert "1,200 customers, 30 people" in page


def test_a_folder_that_was_kept_is_not_taken_for_another_company(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text('{"records": 1200, "users": 30, "seconds": {}, "size": 0}')
    with pytest.raises(Unavailable, match="1,200 customers of 30 people"), scratch(5, None, tmp_path):
        pass


def test_a_folder_in_which_a_company_was_never_finished_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    with pytest.raises(Unavailable, match="never finished"), scratch(None, None, tmp_path):
        pass


def test_a_company_that_is_too_small_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    done = bench("list", "--users", "5", "--keep", str(tmp_path))
    assert done.returncode == 2
    assert not list(tmp_path.iterdir())
