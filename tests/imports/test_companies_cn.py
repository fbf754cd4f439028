"""Real companies with their 统一社会信用代码, where the data lies beside the project: what is wrong is reported so.

As written, 250 of the 5,000 codes fail: 150 are old registration numbers of 15 digits, kept as text; 9 are right but
for small letters, kept in capitals; 91 are wrong (87 of 13 digits, one of 16 characters, three with a wrong check
digit). 13 codes stand twice, each with another row of the same company.
"""

from collections import Counter
from pathlib import Path

import pytest

from hufu.access import guard
from hufu.core.actor import Actor
from hufu.core.imports import ImportRefused
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "companies-cn"
MAP = (ROOT / "examples" / "maps" / "companies-cn" / "customers.yaml").read_text(encoding="utf-8")
LIN = MAP.replace("owner: wangsiyuan", "owner: lin")
LENIENT = LIN.replace("{column: 统一社会信用代码}", "{column: 统一社会信用代码, unknown: empty}")
OPERATOR = Actor.operator()

pytestmark = pytest.mark.skipif(
    not (DATA / "companies_utf8_5000.csv").exists(),
    reason="the companies are not part of the project, and ../shared/data/companies-cn is absent",
)


def kinds(report):
    """How many notices of each kind there are."""
    return Counter(notice.reason.partition(" ")[0] for notice in report.notices)


def records():
    with acting(OPERATOR):
        names = [field.column for field in CUSTOMER.editable_fields()]
        rows = guard.scope(OPERATOR, CUSTOMER.permission("view")).filter(
            owner__username="lin", source="import"
        )
        return {row.name: tuple(getattr(row, name) for name in names) for row in rows}


def test_wrong_codes_are_refused_row_by_row_old_numbers_kept_and_doubles_named(company, imported):
    with pytest.raises(ImportRefused) as raised:
        imported("customers", LIN, DATA / "companies_utf8_5000.csv")
    report = raised.value.report
    about_codes = [problem for problem in report.refused if problem.field == "code"]
    # A code is nobody else's in its partition: of the 13 companies that stand there twice, the second row is refused.
    doubles = [problem for problem in about_codes if problem.reason.startswith("Row ")]
    codes = [problem for problem in about_codes if problem not in doubles]
    assert (len(codes), len(doubles)) == (91, 13)
    assert len({problem.row for problem in about_codes}) == 104 == report.refused_rows
    assert Counter(len(problem.value) for problem in codes) == {13: 87, 16: 1, 18: 3}
    assert all(problem.column == "统一社会信用代码" and problem.reason for problem in about_codes)
    assert kinds(report) == {"An": 150, "The": 9}
    assert len(codes) + kinds(report)["An"] + kinds(report)["The"] == 250


def test_what_is_right_comes_in_and_the_rest_stands_in_the_error_file(company, imported, tmp_path):
    into = tmp_path / "refused.csv"
    report = imported("customers", LIN, DATA / "companies_utf8_5000.csv", skip_errors=True, error_file=into)
    assert (report.created, report.refused_rows) == (4896, 104)
    assert kinds(report) == {"An": 150, "The": 9}
    found = records()
    assert len(found) == 4896
    codes = [
        row[[field.name for field in CUSTOMER.editable_fields()].index("code")] for row in found.values()
    ]
    assert Counter(map(len, codes)) == {18: 4746, 15: 150}
    assert "9.13E" not in "".join(codes)
    again = imported("customers", LENIENT, into, skip_errors=True, error_file=tmp_path / "again.csv")
    assert (again.created, again.updated, again.refused_rows) == (91, 13, 0)


def test_a_map_may_keep_the_companies_without_their_wrong_codes(company, imported, tmp_path):
    report = imported(
        "customers",
        LENIENT,
        DATA / "companies_utf8_5000.csv",
        skip_errors=True,
        error_file=tmp_path / "refused.csv",
    )
    assert (report.created, report.refused_rows) == (4987, 13)
    assert sum(report.emptied.values()) == 91


def test_gbk_and_utf_8_give_equal_records(company, imported, tmp_path):
    def outcome(name):
        report = imported("customers", LENIENT, DATA / name)
        return report, records()

    first, from_gbk = outcome("companies_gbk.csv")
    second, from_utf_8 = outcome("companies_same_utf8.csv")
    assert (first.created, first.files[0].encoding, first.files[0].detected) == (2241, "GB18030", True)
    assert (second.unchanged, second.updated, second.created) == (2241, 0, 0)
    assert second.files[0].encoding == "UTF-8"
    assert len(from_gbk) == 2241
    assert from_gbk == from_utf_8
