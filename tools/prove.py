"""Prove both halves of the decision, and Cedar, against the reference on many new organisations, and the past against
what was kept of it: `make prove`.

`python tools/prove.py [NUMBER]` generates NUMBER organisations (500 without a number) from a seed that it prints;
`python tools/prove.py NUMBER SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = (
    "tests/access/test_differential.py::test_every_door_answers_like_the_reference",
    "tests/access/test_cedar.py::test_cedar_answers_like_the_reference",
    "tests/access/test_preview_differential.py",
    "tests/demo/test_past.py",
)
# At how many moments of the demo company's year the past is asked about.
MOMENTS = "20"


def main(arguments: Sequence[str]) -> int:
    """Run the differential tests and return its exit code."""
    number = int(arguments[0]) if arguments else 500
    seed = int(arguments[1]) if len(arguments) > 1 else random.randrange(2**32)
    print(f"{number} organisations, seed {seed}: every door and Cedar against the reference …", flush=True)
    command = [sys.executable, "-m", "pytest", "-v", "-x", "-n", "2", "-rP", *TESTS]
    environment = {
        **os.environ,
        "HUFU_ORGANISATIONS": str(number),
        "HUFU_ORGANISATIONS_SEED": str(seed),
        "HUFU_MOMENTS": MOMENTS,
    }
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
