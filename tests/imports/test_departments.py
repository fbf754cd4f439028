"""Departments from a list, in any order of rows."""

import pytest

from hufu.audit.models import AuditEvent
from hufu.core.actor import Actor
from hufu.core.imports import ImportRefused
from hufu.core.transaction import acting
from hufu.people.models import Department, Membership, User

MAP = """
format: 1
import: departments
files: {main: main.csv}
records:
  - fields:
      code: {column: code}
      name: {column: name}
      parent: {column: parent}
"""
HEADER = ["code", "name", "parent"]

STAFF = """
format: 1
import: users
files: {staff: staff.csv}
records:
  - identity: external_id
    fields:
      external_id: {column: no}
      username: {column: login}
      name: {column: name}
      department: {column: department}
      departments: {column: others, separator: 、}
      manager: {column: manager, by: external_id}
"""
STAFF_HEADER = ["no", "login", "name", "department", "others", "manager"]


def tree():
    with acting(Actor.operator()):
        return {each.code: each.parent.code if each.parent else None for each in Department.objects.all()}


def refusals(imported, *arguments):
    with pytest.raises(ImportRefused) as refused:
        imported(*arguments)
    return {problem.row: problem.reason for problem in refused.value.report.refused}


def test_departments_come_in_any_order_of_rows(company, sheet, imported):
    before = tree()
    file = sheet("main.csv", HEADER, ["c", "丙", "b"], ["b", "乙", "a"], ["a", "甲", ""], ["d", "丁", "east"])
    report = imported("departments", MAP, file)
    assert (report.created, report.updated, report.unchanged) == (4, 0, 0)
    assert tree() == before | {"a": None, "b": "a", "c": "b", "d": "east"}
    again = imported("departments", MAP, file)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 4)


def test_a_parent_may_be_named_by_its_name(company, sheet, imported):
    text = MAP.replace("{column: parent}", "{column: parent, by: name}")
    imported("departments", text, sheet("main.csv", HEADER, ["b", "乙", "甲"], ["a", "甲", "华东"]))
    assert (tree()["a"], tree()["b"]) == ("east", "a")


def test_departments_change_places_and_names(company, sheet, imported, as_owner_of_company):
    imported(
        "departments", MAP, sheet("main.csv", HEADER, ["a", "甲", ""], ["b", "乙", "a"], ["c", "丙", "b"])
    )
    turned = sheet("turned.csv", HEADER, ["a", "甲", "c"], ["b", "乙部", "c"], ["c", "丙", ""])
    report = imported("departments", MAP, turned)
    assert (report.created, report.updated, report.unchanged) == (0, 3, 0)
    assert {code: tree()[code] for code in "abc"} == {"a": "c", "b": "c", "c": None}
    with as_owner_of_company():
        # Three moved, one of them renamed.
        assert AuditEvent.objects.filter(type="department.changed").count() == 4
        bodies = [bytes(each.body).decode() for each in AuditEvent.objects.filter(type="department.imported")]
    assert sorted('"created":3' in body for body in bodies) == [False, True]


def test_a_circle_names_every_row_in_it(company, sheet, imported):
    before = tree()
    found = refusals(
        imported,
        "departments",
        MAP,
        sheet("main.csv", HEADER, ["a", "甲", "c"], ["x", "戊", "a"], ["b", "乙", "a"], ["c", "丙", "b"]),
    )
    assert set(found) == {2, 4, 5}
    assert "甲 → 丙 → 乙 → 甲" in found[2]
    assert tree() == before


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["a", "甲", "a"], "甲 → 甲"),
        (["a", "甲", "nowhere"], "There is no “nowhere”"),
        (["", "甲", ""], "must not be empty"),
        (["a", "", ""], "must not be empty"),
        (["a" * 65, "甲", ""], "at most 64"),
    ],
)
def test_a_row_that_makes_no_department_is_refused(company, sheet, imported, row, said):
    assert said in refusals(imported, "departments", MAP, sheet("main.csv", HEADER, row))[2]


def test_what_stands_below_a_refused_department_is_refused_with_it(company, sheet, imported):
    file = sheet(
        "main.csv",
        HEADER,
        ["c", "丙", "b"],
        ["b", "乙", "a"],
        ["a", "甲", "nowhere"],
        ["d", "丁", "east"],
    )
    report = imported("departments", MAP, file, skip_errors=True)
    assert (report.created, report.refused_numbers) == (1, {2, 3, 4})
    reasons = {problem.row: problem.reason for problem in report.refused}
    assert "Row 4" in reasons[3]
    assert "Row 3" in reasons[2]
    assert "d" in tree()
    assert "a" not in tree()


def test_whoever_reports_to_somebody_refused_is_refused_too(company, sheet, imported):
    file = sheet(
        "staff.csv",
        STAFF_HEADER,
        ["3", "c", "丙", "east", "", "2"],
        ["2", "b", "乙", "east", "", "1"],
        ["1", "a", "甲", "nowhere", "", ""],
        ["4", "d", "丁", "east", "", ""],
        ["5", "e", "戊", "east", "", "6"],
        ["6", "f", "己", "east", "", "5"],
        ["7", "g", "庚", "east", "", "5"],
    )
    report = imported("users", STAFF, file, skip_errors=True)
    assert (report.created, report.refused_numbers) == (1, {2, 3, 4, 6, 7, 8})
    reasons = {problem.row: problem.reason for problem in report.refused}
    assert "Row 4" in reasons[3]
    assert "circle" in reasons[6]
    assert "Row 6" in reasons[8]
    with acting(Actor.operator()):
        assert User.objects.filter(username="d").exists()
        assert not User.objects.filter(username__in=["a", "b", "c", "e", "f", "g"]).exists()


def test_secondary_departments_are_set_and_the_main_one_is_none_of_them(
    company, sheet, imported, as_owner_of_company
):
    def others():
        with acting(Actor.operator()):
            return set(
                Membership.objects.filter(user__username="a").values_list("department__code", flat=True)
            )

    first = sheet("staff.csv", STAFF_HEADER, ["1", "a", "甲", "east", "south、华东、sales", ""])
    assert imported("users", STAFF, first).created == 1
    assert others() == {"south", "sales"}
    assert imported("users", STAFF, first).unchanged == 1
    second = sheet("staff.csv", STAFF_HEADER, ["1", "a", "甲", "east", "sales", ""])
    assert imported("users", STAFF, second).updated == 1
    assert others() == {"sales"}
    with as_owner_of_company():
        bodies = [bytes(each.body).decode() for each in AuditEvent.objects.filter(type="user.changed")]
    assert sum("other_department_ids" in body for body in bodies) == 2


def test_a_secondary_department_that_is_not_there_refuses_the_row(company, sheet, imported):
    file = sheet("staff.csv", STAFF_HEADER, ["1", "a", "甲", "east", "south、火星", ""])
    assert "火星" in refusals(imported, "users", STAFF, file)[2]
    lenient = STAFF.replace("separator: 、", "separator: 、, unknown: empty")
    report = imported("users", lenient, file)
    assert report.created == 1
    assert [(field, value) for field, value, _why in report.emptied] == [("departments", "火星")]
