"""Break the rules of both halves on purpose, one at a time, and see that the comparison notices each: `make mutate`.

Every break is a test of tests/access/test_differential.py: forty generated companies, until the first difference. It
takes minutes; `make test` tries a few of them. `python tools/mutate.py WORD` tries those whose names hold the word.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = "tests/access/test_differential.py"


def main(arguments: Sequence[str]) -> int:
    """Run the broken halves and return pytest's exit code: 0 where each was noticed."""
    wanted = " and ".join(["test_a_broken_half", *arguments])
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", TESTS, "-k", wanted]
    environment = {**os.environ, "HUFU_BREAKS": "all"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
