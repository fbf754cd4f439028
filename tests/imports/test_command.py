"""`hufu import` as a command: the report for people and for programs, and its exit codes."""

import json

import pytest

from hufu.cli import main

MAP = """
format: 1
import: customers
files: {main: main.csv}
records:
  - fields:
      external_id: {column: no}
      name: {column: name}
      owner: {column: owner}
      partition: {rule: partition_of_owner}
      stage: {column: stage, translate: {neu: new}}
"""
HEADER = ["no", "name", "owner", "stage", "fax"]


@pytest.fixture
def run(company, map_file, sheet, capsys):
    def command(*rows, text=MAP, options=()):
        file = sheet("main.csv", HEADER, *rows)
        code = main.main(["import", "customers", str(file), "--map", str(map_file(text)), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def test_the_report_says_what_was_created_translated_and_not_used(run):
    code, out, err = run(["K1", "启明", "lin", "neu", "1"], ["K2", "云合", "lin", "won", ""])
    assert (code, err) == (main.DONE, "")
    assert "2  created" in out
    assert "stage: neu → new  1×" in out
    assert "fax" in out


def test_a_refusal_is_exit_code_1_and_names_every_row(run):
    code, out, _err = run(["K1", "启明", "wer", "new", ""], ["K2", "云合", "wer", "new", ""])
    assert code == main.REFUSED
    assert "row 2, 3: owner (owner) = “wer”" in out
    assert "Nothing was imported" in out


def test_the_json_report_is_for_programs(run):
    code, out, _err = run(["K1", "启明", "lin", "neu", ""], options=["--json", "--dry-run"])
    report = json.loads(out)
    assert code == main.DONE
    assert (report["dry_run"], report["created"], report["refusals"]) == (True, 1, [])
    assert report["translated"] == [{"where": "stage", "from": "neu", "to": "new", "count": 1}]


def test_the_json_report_of_a_refusal_has_row_column_and_value(run):
    code, out, _err = run(["K1", "启明", "wer", "new", ""], options=["--json"])
    (problem,) = json.loads(out)["refusals"]
    assert code == main.REFUSED
    assert (problem["file"], problem["row"], problem["column"], problem["value"]) == (
        "main.csv",
        2,
        "owner",
        "wer",
    )


def test_what_is_wrong_with_a_map_is_told_with_its_place(run):
    code, _out, err = run(text=MAP.replace("column: stage", "column: phase"))
    assert code == main.REFUSED
    assert "records[1].fields.stage" in err
    assert "no, name, owner, stage, fax" in err
    code, out, _err = run(text=MAP.replace("column: stage", "column: phase"), options=["--json"])
    assert code == main.REFUSED
    assert "records[1].fields.stage" in json.loads(out)["problems"]


def test_a_file_that_is_not_there_is_exit_code_3(company, map_file, capsys):
    code = main.main(["import", "customers", "/nowhere/main.csv", "--map", str(map_file(MAP))])
    assert code == main.UNAVAILABLE
    assert "/nowhere/main.csv" in capsys.readouterr().err
