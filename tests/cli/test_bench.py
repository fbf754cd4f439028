"""`hufu bench list` as a program: it fills a database of its own, and everybody in it sees what their role says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

RECORDS = 1200


def test_the_bench_measures_a_representative_a_manager_an_executive_and_somebody_without_a_role() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "hufu.cli.main",
            "bench",
            "list",
            "--records",
            str(RECORDS),
            "--rounds",
            "2",
            "--json",
        ],
        env={**os.environ, "LANG": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first = {page["who"]: page for page in json.loads(done.stdout)["pages"] if page["page"] == 1}
    assert first["executive"]["visible"] == RECORDS
    assert 0 < first["representative"]["visible"] <= first["manager"]["visible"] < RECORDS
    assert first["nobody"]["visible"] == first["nobody"]["rows"] == 0
    assert max(page["statements"] for page in first.values()) <= 6, first
