"""A type that somebody adds by declaring it gets the whole engine: DESIGN's one mechanism, kept honest.

The type (tests.added_type) is one file. What is run with it are the tests that look at every declared type: all doors
against the reference, privileges and row policies of each table, lists against single checks, and the columns that
reporting tools see. Any other test runs with it as well: `pytest --ds tests.added_type.settings tests/…`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.database import BEFORE_VARIABLE

ROOT = Path(__file__).resolve().parent.parent.parent
ASKED = (
    "tests/access/test_differential.py::test_every_door_answers_like_the_reference",
    "tests/access/test_database.py",
    "tests/access/test_reporting.py::test_every_field_of_every_type_is_a_column_with_a_comment",
    "tests/leaks/test_l25_list_is_check.py::test_every_door_agrees_for_everybody_after_a_change[nothing]",
)
CHOSEN = "site or inspection or reference or every_field or nothing"
# As many as fit into a check; `HUFU_ORGANISATIONS=40 pytest --ds tests.added_type.settings …` compares more.
ORGANISATIONS = "3"


def test_a_type_that_is_declared_in_one_file_is_decided_explained_counted_and_guarded_like_all_others(
    template_database: str,
):
    result = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--ds",
                "tests.added_type.settings",
            ),
            *("-k", CHOSEN, *ASKED),
        ],
        cwd=ROOT,
        env={
            **_without_workers(),
            "HUFU_ORGANISATIONS": ORGANISATIONS,
            # The type comes to a database that is there, as in an installation.
            BEFORE_VARIABLE: template_database,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) > 20, result.stdout


def _without_workers() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
