"""Leaving refused rows out: the others are stored, and the error file can be corrected and imported as it is."""

from __future__ import annotations

import csv
import os
import stat
from datetime import date

import pytest
import xlsxwriter
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from hufu.access import guard
from hufu.audit.models import AuditEvent
from hufu.cli.commands import import_
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.core.imports import ErrorFile, Plan
from hufu.core.imports.files import open_sheet
from hufu.core.imports.maps import File
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER

MAP = """
format: 1
import: customers
files: {main: main.csv}
records:
  - fields:
      external_id: {column: no}
      name: {column: name}
      stage: new
      owner: {column: owner}
      partition: {rule: partition_of_owner}
      phone: {column: phone}
      note: {column: note}
"""
HEADER = ["name", "no", "owner", "phone", "unused", "note"]
GOOD = ["启明", "K1", "lin", "021-1", "u", "好"]
BAD_OWNER = ["鹏飞", "K2", "nobody", "021-2", "=u", "-1+2"]
BAD_PHONE = ["云合", "K3", "lin", "138****6621", " u ", "\t'x"]
OPERATOR = Actor.operator()


def numbers():
    with acting(OPERATOR):
        rows = guard.scope(OPERATOR, CUSTOMER.permission("view")).exclude(external_id=None)
        return sorted(rows.values_list("external_id", flat=True))


def error_rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_good_rows_are_stored_and_only_the_refused_ones_are_in_the_error_file(company, sheet, imported):
    file = sheet("main.csv", HEADER, BAD_OWNER, GOOD, BAD_PHONE)
    report = imported("customers", MAP, file, skip_errors=True)
    assert (report.created, report.refused_rows) == (1, 2)
    assert numbers() == ["K1"]
    path = file.with_name("main.refused.csv")
    assert report.error_file == str(path)
    header, first, second = error_rows(path)
    assert header == [*HEADER, "hufu_reason", "hufu_row"]
    assert [first[-1], second[-1]] == ["2", "4"]
    assert "There is no “nobody”" in first[-2]
    assert "masked" in second[-2]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_no_spreadsheet_computes_anything_in_the_error_file(company, sheet, imported):
    file = sheet("main.csv", HEADER, BAD_OWNER, BAD_PHONE)
    imported("customers", MAP, file, skip_errors=True)
    for row in error_rows(file.with_name("main.refused.csv")):
        for cell in row:
            assert cell.lstrip()[:1] not in set("=+-@"), cell
            assert cell[:1] not in set("\t\r\n"), cell


def test_an_error_file_that_was_corrected_is_imported_with_the_same_map(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER, BAD_PHONE)
    imported("customers", MAP, file, skip_errors=True)
    path = file.with_name("main.refused.csv")
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("nobody", "sun").replace("138****6621", "13800006621"), encoding="utf-8")
    report = imported("customers", MAP, path)
    assert (report.created, report.refused_rows) == (2, 0)
    with acting(OPERATOR):
        rows = guard.scope(OPERATOR, CUSTOMER.permission("view"))
        notes = dict(rows.exclude(external_id=None).values_list("external_id", "note"))
    assert notes == {"K1": "好", "K2": "-1+2", "K3": "'x"}


def test_importing_everything_again_after_the_correction_changes_nothing(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER)
    imported("customers", MAP, file, skip_errors=True)
    report = imported("customers", MAP, file, skip_errors=True, error_file=file.with_name("again.csv"))
    assert (report.created, report.updated, report.unchanged, report.refused_rows) == (0, 0, 1, 1)


def test_what_is_wrong_in_an_error_file_goes_to_the_next_one_cell_by_cell(company, sheet, imported):
    file = sheet("main.csv", HEADER, BAD_OWNER, BAD_PHONE)
    imported("customers", MAP, file, skip_errors=True)
    first = file.with_name("main.refused.csv")
    report = imported("customers", MAP, first, skip_errors=True)
    second = file.with_name("main.refused-2.csv")
    assert report.error_file == str(second)
    assert [row[:-1] for row in error_rows(second)] == [row[:-1] for row in error_rows(first)]
    assert [row[-1] for row in error_rows(second)] == ["hufu_row", "2", "3"]


def test_a_row_of_the_wrong_width_stays_wrong_until_it_is_corrected(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD, ["鹏飞", "K2"], [*BAD_OWNER, "too", "many"])
    report = imported("customers", MAP, file, skip_errors=True)
    assert (report.created, report.refused_rows) == (1, 2)
    again = imported("customers", MAP, file.with_name("main.refused.csv"), skip_errors=True)
    assert (again.created, again.refused_rows) == (0, 2)


def test_an_error_file_never_overwrites_anything(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER)
    file.with_name("main.refused.csv").write_text("mine")
    with pytest.raises(Conflict, match=r"main\.refused\.csv"):
        imported("customers", MAP, file, skip_errors=True)
    assert file.with_name("main.refused.csv").read_text() == "mine"
    assert numbers() == []


def test_without_refused_rows_there_is_no_error_file(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD)
    report = imported("customers", MAP, file, skip_errors=True)
    assert (report.created, report.error_file) == (1, "")
    assert [path.name for path in file.parent.iterdir() if path.suffix == ".csv"] == ["main.csv"]


def test_a_dry_run_counts_and_writes_no_file(company, sheet, imported):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER)
    report = imported("customers", MAP, file, skip_errors=True, dry_run=True)
    assert (report.created, report.refused_rows, report.error_file) == (1, 1, "")
    assert not file.with_name("main.refused.csv").exists()
    assert numbers() == []


def test_the_log_says_how_many_rows_were_refused(company, sheet, imported, as_owner_of_company):
    def made():
        with as_owner_of_company():
            return AuditEvent.objects.filter(type="customer.created").count()

    before = made()
    imported("customers", MAP, sheet("main.csv", HEADER, GOOD, BAD_OWNER, BAD_PHONE), skip_errors=True)
    with as_owner_of_company():
        body = bytes(AuditEvent.objects.get(type="customer.imported").body).decode()
    assert '"created":1' in body
    assert '"refused":2' in body
    assert '"result":"done"' in body
    assert made() == before + 1


def test_an_import_that_cannot_be_stored_leaves_no_error_file(company, sheet, imported, monkeypatch):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER)

    def fail(self):
        assert file.with_name("main.refused.csv").exists()
        raise OperationalError("the server is gone")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", fail)
    with pytest.raises(OperationalError):
        imported("customers", MAP, file, skip_errors=True)
    monkeypatch.undo()
    assert not file.with_name("main.refused.csv").exists()
    assert numbers() == []


def test_a_file_that_changes_while_it_is_imported_is_not_imported(company, sheet, map_file):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER)
    plan = Plan(import_._read_map("customers", map_file(MAP)), [str(file)], skip_errors=True)
    into = ErrorFile(plan)

    def change():
        with open(file, "a", encoding="utf-8") as opened:
            opened.write("x\n")

    with pytest.raises(Conflict, match="changed while"):
        import_._import("customers", plan, change, dry_run=False, error_file=into)
    assert numbers() == []
    assert not into.path.exists()


def test_all_records_of_a_refused_row_are_left_out(company, sheet, imported):
    two = (
        MAP
        + """
  - fields:
      external_id: {template: "{no}-2"}
      name: {column: name}
      stage: new
      owner: {column: note}
      partition: {rule: partition_of_owner}
"""
    )
    rows = [["甲", "A", "lin", "", "", "nobody"], ["乙", "B", "lin", "", "", "sun"]]
    report = imported("customers", two, sheet("main.csv", HEADER, *rows), skip_errors=True)
    assert (report.created, report.refused_rows) == (2, 1)
    assert numbers() == ["B", "B-2"]


def test_a_number_that_is_taken_by_a_binned_record_refuses_its_row_alone(company, sheet, imported):
    from hufu.crm.actions import delete_record

    imported("customers", MAP, sheet("first.csv", HEADER, GOOD))
    with acting(OPERATOR):
        row = guard.scope(OPERATOR, CUSTOMER.permission("view")).get(external_id="K1")
    lin = Actor(company.people["lin"], "林")
    with acting(lin):
        delete_record(lin, CUSTOMER, row.pk, version=row.lock_version)
    others = [[f"客户{number}", f"N{number}", "lin", "", "", ""] for number in range(9)]
    report = imported("customers", MAP, sheet("main.csv", HEADER, *others, GOOD), skip_errors=True)
    assert (report.created, report.refused_rows) == (9, 1)
    assert "bin" in report.refused[0].reason


def test_a_workbook_gives_a_workbook_with_texts_dates_and_long_numbers_as_they_were(
    company, tmp_path, imported
):
    path = tmp_path / "main.xlsx"
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        page = book.add_worksheet("客户")
        page.write_row(0, 0, HEADER)
        page.write_row(1, 0, GOOD)
        for at, text in enumerate(["=1+1", "00914601000000000123", "nobody", "021-2", "", "\t-1"]):
            page.write_string(2, at, text)
        page.write_datetime(2, 4, date(2026, 3, 31), book.add_format({"num_format": 14}))
        page.write_row(3, 0, ["数", "K9", "lin", "021-9", ""])
        page.write_number(3, 5, 914601000000000123)
    text = MAP.replace("main.csv", "{name: main.xlsx, sheet: 客户}")
    report = imported("customers", text, path, skip_errors=True)
    assert (report.created, report.refused_rows) == (1, 2)
    refused = open_sheet(tmp_path / "main.refused.xlsx", File("main", "", "", sheet="客户"))
    rows = list(refused.rows())
    assert refused.header == HEADER
    assert rows[0].cells == ["=1+1", "00914601000000000123", "nobody", "021-2", "2026-03-31", "-1"]
    assert list(rows[1].spoiled) == ["note"]
    with pytest.raises(Invalid, match=r"\.xlsx"):
        imported("customers", text, path, skip_errors=True, error_file=tmp_path / "refused.csv")


def test_a_csv_file_may_give_a_workbook(company, sheet, imported, tmp_path):
    file = sheet("main.csv", HEADER, GOOD, BAD_OWNER, BAD_PHONE)
    into = tmp_path / "refused.xlsx"
    imported("customers", MAP, file, skip_errors=True, error_file=into)
    rows = list(open_sheet(into, File("main", "", "")).rows())
    assert [row.cells[:5] for row in rows] == [BAD_OWNER[:5], ["云合", "K3", "lin", "138****6621", "u"]]


CODES = MAP.replace("note: {column: note}", "code: {column: code}")


def test_a_code_that_is_taken_refuses_its_row(company, sheet, imported, owner_connection):
    """Taken by another row, by a record that the importer views, and by one that she does not: each row alone."""
    owner_connection.execute(
        "UPDATE crm_customer SET code = '91310000MA1FL00043' WHERE id = %s", [company.customer("nanfang")]
    )
    header = ["name", "no", "owner", "phone", "code"]
    rows = [
        ["一", "K1", "lin", "", "91310115MA1K35LD4R"],
        ["二", "K2", "lin", "", "91310115MA1K35LD4R"],
        ["三", "K3", "lin", "", "9131 0000-MA1FL00043"],
        ["四", "K4", "lin", "", ""],
    ]
    file = sheet("main.csv", header, *rows)
    report = imported("customers", CODES, file, skip_errors=True)
    assert (report.created, report.refused_rows) == (2, 2)
    assert numbers() == ["K1", "K4"]
    _header, second, third = error_rows(file.with_name("main.refused.csv"))
    assert "Row 2 has the same “Unified social credit code”" in second[-2]
    assert "“广州南方电子有限公司” (number" in third[-2]
    # Editing by import, too.
    again = sheet("again.csv", header, ["四", "K4", "lin", "", "91310000MA1FL00043"])
    report = imported("customers", CODES, again, skip_errors=True)
    assert (report.updated, report.refused_rows) == (0, 1)
