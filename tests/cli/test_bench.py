"""`hufu bench` as a program: it makes a company in a database of its own and measures a person of each kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from hufu.cli.bench.archetypes import ARCHETYPES

RECORDS = 1200
USERS = 30


def test_the_bench_measures_one_person_of_each_kind() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "hufu.cli.main", "bench", "list"),
            *("--records", str(RECORDS), "--users", str(USERS), "--rounds", "2", "--json"),
        ],
        env={**os.environ, "LANG": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["data"]["records"], said["data"]["users"]) == (RECORDS, USERS)
    first = {page["who"]: page for page in said["pages"] if page["page"] == 1}
    assert list(first) == [archetype.title for archetype in ARCHETYPES]
    assert first["chief executive"]["visible"] == RECORDS
    assert 0 < first["representative"]["visible"] < first["director"]["visible"] < RECORDS
    assert first["nobody"]["visible"] == first["nobody"]["rows"] == 0
    assert max(page["statements"] for page in first.values()) <= 8, first
