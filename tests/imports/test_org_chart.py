"""A real organisation of 3,112 people, where its data lies beside the project, in shuffled order."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "org-chart"


@pytest.mark.skipif(
    not (DATA / "employees_flat.csv").exists(),
    reason="the org-chart data is not part of the project, and ../shared/data/org-chart is absent",
)
def test_everybody_has_the_people_below_that_the_file_says_and_what_is_planted_is_refused():
    script = ROOT / "tools" / "check_org_chart.py"
    result = subprocess.run(
        [sys.executable, str(script), str(DATA)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3,112 people" in result.stdout
    assert " 0 people differ" in result.stdout
