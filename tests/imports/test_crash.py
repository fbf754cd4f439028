"""Imports that are killed leave nothing half-done. `tools/crash_loop.py` does it at length, and with requests."""

import subprocess
import sys
from pathlib import Path

from tests.database import migrated_folder

ROOT = Path(__file__).resolve().parents[2]


def test_an_import_that_is_killed_is_there_whole_or_not_at_all():
    script = ROOT / "tools" / "crash_loop.py"
    command = [
        sys.executable,
        str(script),
        "--kind",
        "import",
        "--rounds",
        "3",
        "--seconds",
        "25",
        "--rows",
        "600",
        "--begin",
        str(migrated_folder()),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 problems" in result.stdout.splitlines()[-1]
    assert int(result.stdout.splitlines()[-1].split()[0]) >= 1
