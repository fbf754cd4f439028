"""The driver of `make test`: its numbers, and what may not be skipped where changes land."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import BROWSER_SKIP
from tests.web.saml_provider import XMLSEC_SKIP
from tools import check

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="passes"/>
<testcase classname="a" name="fails"><failure message="no"/></testcase>
<testcase classname="a" name="breaks"><error message="no"/></testcase>
<testcase classname="a" name="skips"><skipped message="needs root"/></testcase>
<testcase classname="a" name="drives"><skipped message="{reason}"/></testcase>
</testsuite></testsuites>"""


@pytest.mark.parametrize("reason", [BROWSER_SKIP, XMLSEC_SKIP])
@pytest.mark.parametrize(("strict", "numbers"), [(False, (1, 2, 2)), (True, (1, 3, 1))])
def test_tests_skipped_for_want_of_a_program_fail_only_where_changes_land(
    tmp_path: Path, strict, numbers, reason
):
    report = tmp_path / "junit.xml"
    report.write_text(REPORT.format(reason=reason))
    count = check.read_report(report, 1, strict=strict)
    assert (count.passed, count.failed, count.skipped) == numbers


def test_what_is_missing_is_installed_and_nothing_else(monkeypatch, capsys):
    ran = []

    def run(command, **_how):
        ran.append(command)
        return check.subprocess.CompletedProcess(
            command, 1 if "install" in command else 0, "", "no such package"
        )

    monkeypatch.setattr(check.subprocess, "run", run)
    monkeypatch.setattr(check.os, "geteuid", lambda: 0)
    monkeypatch.setattr(check.shutil, "which", lambda name: None if name == "xmlsec1" else name)
    check.ensure_programs()
    assert [command[-1] for command in ran] == ["-qq", "xmlsec1"]
    assert "Tests with a SAML identity provider will be skipped" in capsys.readouterr().out
    monkeypatch.setattr(check.shutil, "which", lambda name: name)
    check.ensure_programs()
    assert len(ran) == 2


def test_a_run_that_broke_off_without_a_failed_test_is_a_failure(tmp_path: Path):
    assert check.read_report(tmp_path / "missing.xml", 3, strict=False).failed == 1


def test_what_is_about_sql_runs_a_second_time_where_another_postgresql_is_installed(
    tmp_path: Path, monkeypatch, capfd
):
    ran = []

    def run_tests(arguments, *, strict, environment=None):
        ran.append((arguments, strict, environment))
        return check.Count(passed=3)

    monkeypatch.setattr(check, "run_tests", run_tests)
    assert check.run_on_other_postgres(tmp_path, strict=True) == check.Count()
    assert "there is none" in capfd.readouterr().out
    (tmp_path / "postgres").touch()
    assert check.run_on_other_postgres(tmp_path, strict=True) == check.Count(passed=3)
    assert ran == [(check.SQL_TESTS, True, {"HUFU_TEST_POSTGRES": str(tmp_path)})]
    assert all((check.ROOT / name.partition("::")[0]).exists() for name in check.SQL_TESTS)


def test_what_all_tests_begin_with_is_made_by_tests_that_are_there(monkeypatch):
    ran = []
    monkeypatch.setattr(check.subprocess, "run", lambda command, **_how: ran.append(command))
    check.set_up_first(["tests/people"])
    assert ran == []
    check.set_up_first([])
    for name in ran[0][-len(check.FIRST_TESTS) :]:
        path, _colons, test = name.partition("::")
        assert f"def {test}(" in (check.ROOT / path).read_text(encoding="utf-8")


def test_a_static_check_that_fails_shows_what_it_said(capfd):
    assert check.run_static(("nothing", ["true"])).passed == 1
    assert check.run_static(("something", ["sh", "-c", "echo here it is; exit 1"])).failed == 1
    assert "here it is" in capfd.readouterr().out
