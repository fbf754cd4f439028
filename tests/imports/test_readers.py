"""Files of every usual kind give the texts that people see in them, or a reason why not."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hufu.core.errors import Invalid
from hufu.core.imports.files import open_sheet
from hufu.core.imports.files.neutral import neutral, original
from hufu.core.imports.maps import File

ROWS = [["编号", "名称"], ["001", "启明股份"], ["002", "鹏飞；科技"]]


def opened(path: Path, **settings: str):
    return open_sheet(path, File("main", path.name, "files.main", **settings))


def read(path: Path, **settings: str):
    """The header, the rows and what the report says of the file."""
    sheet = opened(path, **settings)
    rows = list(sheet.rows())
    return sheet.header, rows, sheet.read()


def text(rows, delimiter=","):
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows(rows)
    return written.getvalue()


@pytest.fixture
def workbook(tmp_path):
    """Return a function that makes a workbook: it is given a function that writes to the first sheet."""

    def make(write, name="main.xlsx", **options):
        path = tmp_path / name
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, **options}) as book:
            write(book.add_worksheet("客户"), book)
        return path

    return make


@pytest.mark.parametrize(
    ("codec", "settings", "label", "detected"),
    [
        ("utf-8", {}, "UTF-8", False),
        ("utf-8-sig", {}, "UTF-8", False),
        ("utf-8-sig", {"encoding": "gbk"}, "UTF-8", False),
        ("utf-16", {}, "UTF-16", False),
        ("gbk", {}, "GB18030", True),
        ("gb18030", {}, "GB18030", True),
        ("gbk", {"encoding": "gbk"}, "GBK", False),
        ("utf-16-le", {"encoding": "utf-16-le"}, "UTF-16-LE", False),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_out_and_reported(
    tmp_path, codec, settings, label, detected, delimiter
):
    path = tmp_path / "main.csv"
    path.write_bytes(text(ROWS, delimiter).encode(codec))
    header, rows, file = read(path, **settings)
    assert header == ROWS[0]
    assert [row.cells for row in rows] == ROWS[1:]
    assert (file.encoding, file.detected, file.delimiter, file.rows) == (label, detected, delimiter, 2)


def test_what_the_map_says_of_a_delimiter_holds(tmp_path):
    path = tmp_path / "main.csv"
    path.write_text("a;b,c\n1;2,3\n", encoding="utf-8")
    assert read(path, delimiter=";")[0] == ["a", "b,c"]


def test_a_character_in_the_middle_of_a_long_gbk_file_is_not_cut_in_two(tmp_path):
    path = tmp_path / "main.csv"
    rows = [["编号", "名称"], *([f"{number}", "上海启明股份有限公司"] for number in range(9000))]
    path.write_bytes(text(rows).encode("gbk"))
    assert [row.cells for row in read(path)[1]] == rows[1:]


def test_empty_columns_and_rows_at_the_end_are_nothing(tmp_path):
    path = tmp_path / "main.csv"
    path.write_text("no,name,,\n1,启明,,\n,,,\n2,鹏飞\n", encoding="utf-8")
    header, rows, _file = read(path)
    assert header == ["no", "name"]
    assert [(row.number, row.cells) for row in rows] == [(2, ["1", "启明"]), (4, ["2", "鹏飞"])]


def test_a_cell_below_no_heading_is_not_dropped_in_silence(tmp_path):
    path = tmp_path / "main.csv"
    path.write_text("no,name,,\n1,启明,,x\n", encoding="utf-8")
    (row,) = read(path)[1]
    assert len(row.cells) == 4


@pytest.mark.parametrize("spoiled", ["9.146E+17", "3.20321E+12", "#N/A", "#REF!"])
def test_what_a_spreadsheet_ruined_in_a_csv_file_is_noticed(tmp_path, spoiled):
    path = tmp_path / "main.csv"
    path.write_text(f"no,code\n1,{spoiled}\n", encoding="utf-8")
    (row,) = read(path)[1]
    assert list(row.spoiled) == ["code"]


def test_a_workbook_gives_what_people_see(workbook):
    def write(page, book):
        day = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
        page.write_row(2, 1, ["编号", "电话", "日期", "时刻", "金额", "是否", "公式", "比例"])
        page.write_row(3, 1, ["007", 13812345678])
        page.write_datetime(3, 3, date(2026, 3, 31), day)
        page.write_datetime(
            3, 4, datetime(2026, 3, 31, 13, 5), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        )
        page.write_number(3, 5, 120.0)
        page.write_boolean(3, 6, True)
        page.write_formula(3, 7, "=1+1", None, 2)
        page.write_number(3, 8, 0.1 + 0.2)
        page.write_blank(9, 12, None, day)

    header, rows, file = read(workbook(write))
    assert header == ["编号", "电话", "日期", "时刻", "金额", "是否", "公式", "比例"]
    assert [(row.number, row.cells) for row in rows] == [
        (4, ["007", "13812345678", "2026-03-31", "2026-03-31 13:05:00", "120", "TRUE", "2", "0.3"])
    ]
    assert (file.sheet, file.encoding) == ("客户", "")


@pytest.mark.parametrize("since_1904", [False, True])
@pytest.mark.parametrize("notation", ["yyyy-mm-dd", "m/d/yy", 14, 31, 57, "[$-804]yyyy/m/d;@"])
def test_a_date_is_the_same_day_in_every_notation_and_calendar(workbook, since_1904, notation):
    def write(page, book):
        page.write_string(0, 0, "日期")
        page.write_datetime(1, 0, date(2026, 3, 31), book.add_format({"num_format": notation}))

    assert read(workbook(write, date_1904=since_1904))[1][0].cells == ["2026-03-31"]


def test_long_numbers_stay_whole_or_are_refused(workbook):
    def write(page, _book):
        page.write_row(0, 0, ["text", "fifteen", "eighteen"])
        page.write_string(1, 0, "914601000000000123")
        page.write_number(1, 1, 320321250061500)
        page.write_number(1, 2, 914601000000000123)

    (row,) = read(workbook(write))[1]
    assert row.cells[:2] == ["914601000000000123", "320321250061500"]
    assert list(row.spoiled) == ["eighteen"]


def test_a_failed_formula_and_a_merged_cell_are_no_empty_cells(workbook):
    def write(page, _book):
        page.write_row(1, 2, ["a", "b", "c"])
        page.write_formula(2, 2, "=NA()", None, "#N/A")
        page.merge_range(3, 3, 4, 3, "上海")
        page.write_string(4, 2, "x")
        page.write_row(5, 2, ["1", "2", "3"])

    rows = {row.number: row for row in read(workbook(write))[1]}
    assert {number: list(row.spoiled) for number, row in rows.items() if row.spoiled} == {3: ["a"], 5: ["b"]}
    assert rows[4].cells == ["", "上海", ""]


def test_the_sheet_that_the_map_names_is_read_or_else_the_first_that_can_be_seen(workbook):
    def write(page, book):
        page.hide()
        page.write_row(0, 0, ["hidden"])
        for name in ("二", "三"):
            book.add_worksheet(name).write_row(0, 0, [name])
        book.get_worksheet_by_name("二").activate()

    path = workbook(write)
    assert read(path)[0] == ["二"]
    assert read(path, sheet="三")[0] == ["三"]
    with pytest.raises(Invalid, match=r"“四”.*客户, 二, 三"):
        read(path, sheet="四")


def test_a_heading_that_spans_columns_is_refused_with_what_to_do(workbook):
    def write(page, _book):
        page.merge_range(0, 0, 0, 1, "客户")
        page.write_string(0, 2, "电话")
        page.write_row(1, 0, ["1", "启明", "021"])

    with pytest.raises(Invalid, match=r"Column 2 has no name.*merged"):
        read(workbook(write))


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken"])
def test_a_workbook_that_cannot_be_read_says_what_to_do(tmp_path, content):
    path = tmp_path / "main.xlsx"
    path.write_bytes(content)
    with pytest.raises(Invalid, match="not a workbook"):
        opened(path)


def test_a_cell_at_the_end_of_the_world_does_not_fill_the_memory(workbook):
    def write(page, _book):
        page.write_string(0, 0, "a")
        page.write_string(1048575, 16383, "x")

    with pytest.raises(Invalid, match="very far"):
        read(workbook(write))


@given(st.text())
@example("=1+1")
@example("'=1+1")
@example("'")
@example("''=")
@example("\t=1")
@example("\r")
@example("@SUM(A1)")
@example(" -1")
@example("＝1")
@settings(max_examples=300, deadline=None)
def test_a_text_that_looks_like_a_formula_is_harmless_and_comes_back_exactly(said):
    safe = neutral(said)
    assert original(safe) == said
    assert safe.lstrip()[:1] not in tuple("=+-@＝＋－＠")
    assert safe[:1] not in tuple("\t\r\n")
