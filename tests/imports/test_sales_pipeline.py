"""The real sales data, where it lies beside the project: everybody counts exactly what the files say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "sales-pipeline"


@pytest.mark.skipif(
    not (DATA / "sales_pipeline.csv").exists(),
    reason="the sales pipeline data is not part of the project, and ../shared/data/sales-pipeline is absent",
)
def test_everybody_counts_what_the_files_say_in_both_variants():
    script = ROOT / "tools" / "check_sales_pipeline.py"
    result = subprocess.run(
        [sys.executable, str(script), str(DATA)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" numbers compared, 0 differ") == 2
