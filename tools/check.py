"""Run every check of the project and close with one line: `N passed, N failed, N skipped`.

Static checks count as one each. The exit code is 0 only if nothing failed. With CI=true, tests that were skipped for
want of a program (Chromium, xmlsec1) count as failed: a change may not land on checks that did not run.

Where PostgreSQL 15, the oldest that is supported, is installed (Debian: apt-get install postgresql-15), the tests that
are about SQL run a second time on it. HUFU_TEST_POSTGRES names the folder of the programs of another version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 2
BIN = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What some tests need beside Python: the package of Debian, the names of its program, and which tests those are.
PROGRAMS = (
    ("chromium", BROWSERS, "Browser tests"),
    ("xmlsec1", ("xmlsec1",), "Tests with a SAML identity provider"),
)
POSTGRES_VARIABLE = "HUFU_TEST_POSTGRES"
OLDEST_POSTGRES = Path("/usr/lib/postgresql/15/bin")
# What writes SQL of its own, or rests on what the server does with it: row policies, triggers, functions, roles,
# the log's keys and bytes, list queries. The other tests see the database through these.
SQL_TESTS = (
    "tests/access/test_as_of.py",
    "tests/access/test_as_of_differential.py::test_the_past_decides_as_the_present_did",
    "tests/access/test_database.py",
    "tests/access/test_differential.py::test_every_door_answers_like_the_reference",
    "tests/access/test_gates.py",
    "tests/audit/test_keys.py",
    "tests/audit/test_recording.py",
    "tests/core/test_fixtures.py",
    "tests/core/test_roles.py",
    "tests/crm/test_attachments.py",
    "tests/crm/test_lists.py",
    "tests/crm/test_sealed.py",
    "tests/people",
)
# Setting these up makes what all tests begin with: the migrated database, and the folder of a server of its own.
FIRST_TESTS = (
    "tests/core/test_fixtures.py::test_tests_run_with_the_rights_of_the_application",
    "tests/cli/test_serve.py::test_a_lost_key_of_the_log_is_not_replaced_in_silence",
)
# The reason of every test that was skipped for want of a program begins with one of these; tests/conftest.py and
# tests/web/saml_provider.py write them.
PROGRAM_SKIPS = ("browser: ", "xmlsec1: ")


@dataclass
class Count:
    """How many checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        """Add the numbers of `other` to these."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def main(arguments: Sequence[str]) -> int:
    """Run all checks; `arguments` go to pytest."""
    os.chdir(ROOT)
    strict = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
    other = os.environ.pop(POSTGRES_VARIABLE, "")
    total = Count()
    # The types take as long as all others together, and what tests begin with is made by one process.
    with ThreadPoolExecutor(PROCESSES) as side_by_side:
        counts = side_by_side.map(run_static, static_checks())
        side_by_side.submit(set_up_first, arguments)
        for count in counts:
            total.add(count)
    ensure_programs()
    total.add(run_tests(arguments, strict=strict))
    if not arguments:
        total.add(run_on_other_postgres(Path(other) if other else OLDEST_POSTGRES, strict=strict))
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


def static_checks() -> list[tuple[str, list[str]]]:
    """Return what is checked without running the program, as (title, command)."""
    return [
        ("types", [str(BIN / "mypy"), "--no-error-summary"]),
        ("lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("import directions", [str(BIN / "lint-imports")]),
        ("translations", [sys.executable, "tools/translations.py", "check"]),
    ]


def run_static(check: tuple[str, list[str]]) -> Count:
    """Run one static check, a title and its command; its output is shown only when it fails."""
    title, command = check
    started = time.monotonic()
    result = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    passed = result.returncode == 0
    told = f"{title:<20} {'ok' if passed else 'FAILED'} ({time.monotonic() - started:.1f} s)\n"
    # In one piece: others run beside it.
    sys.stdout.write(told if passed else f"{told}{result.stdout}\n")
    sys.stdout.flush()
    return Count(passed=1) if passed else Count(failed=1)


def set_up_first(arguments: Sequence[str]) -> None:
    """Make what a whole run of the tests begins with, which they would wait for; what fails here fails there, too."""
    if not arguments:
        command = [sys.executable, "-m", "pytest", "-q", "--setup-only", *FIRST_TESTS]
        subprocess.run(command, env=_environment(), capture_output=True, check=False)


def ensure_programs() -> None:
    """Install what is missing of PROGRAMS through the system's packages, where that may be done."""
    missing = [
        (package, tests)
        for package, names, tests in PROGRAMS
        if not any(shutil.which(name) for name in names)
    ]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        for package, tests in missing:
            print(
                f"{tests} will be skipped: no {package}, and it may not be installed (not root, or no apt-get)."
            )
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, capture_output=True, check=False)
    for package, tests in missing:
        print(f"Installing {package} …", flush=True)
        command = ["apt-get", "install", "-y", "-qq", package]
        result = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
        if result.returncode:
            print(
                f"{tests} will be skipped: {package} could not be installed.\n{result.stderr.strip()[-400:]}"
            )


def run_on_other_postgres(programs: Path, *, strict: bool) -> Count:
    """Run the tests that are about SQL on the PostgreSQL in a folder, if there is one."""
    if not (programs / "postgres").exists():
        print(f"Not run a second time on an older PostgreSQL: there is none in {programs}.", flush=True)
        return Count()
    print(f"On the PostgreSQL in {programs}:", flush=True)
    return run_tests(SQL_TESTS, strict=strict, environment={POSTGRES_VARIABLE: str(programs)})


def run_tests(
    arguments: Sequence[str], *, strict: bool, environment: Mapping[str, str] | None = None
) -> Count:
    """Run pytest on two processes, streaming its output, and return its numbers."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            str(PROCESSES),
            "-q",
            "-rs",
            f"--junit-xml={report}",
            *arguments,
        ]
        code = subprocess.run(command, env={**_environment(), **(environment or {})}, check=False).returncode
        return read_report(report, code, strict=strict)


def _environment() -> dict[str, str]:
    # Where nothing compiled may be kept, each program that a test starts compiles everything anew.
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def read_report(report: Path, code: int, *, strict: bool) -> Count:
    """Count pytest's results; a run that broke off counts as failed even where no single test did."""
    count = Count()
    if report.exists():
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed += 1
            elif skipped is None:
                count.passed += 1
            elif strict and skipped.get("message", "").startswith(PROGRAM_SKIPS):
                print(f"Skipped where that counts as failed: {case.get('classname')}.{case.get('name')}")
                count.failed += 1
            else:
                count.skipped += 1
    if code != 0 and count.failed == 0:
        count.failed = 1
    return count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
