"""People from a staff list."""

import pytest

from hufu.audit.models import AuditEvent
from hufu.core.actor import Actor
from hufu.core.imports import ImportRefused
from hufu.core.transaction import acting
from hufu.people.models import User

STAFF = """
format: 1
import: users
files: {staff: staff.csv}
records:
  - identity: external_id
    fields:
      external_id: {column: 工号}
      username: {template: "{姓名|slug}"}
      name: {column: 姓名}
      department: {column: 部门}
      level: {column: 级别, unknown: empty}
      manager: {column: 上级, by: name}
      status: active
"""
HEADER = ["工号", "姓名", "部门", "级别", "上级"]


def people():
    with acting(Actor.operator()):
        return {
            user.username: user for user in User.objects.select_related("manager", "main_department", "level")
        }


def refusals(imported, *rows):
    with pytest.raises(ImportRefused) as refused:
        imported("users", STAFF, *rows)
    return refused.value.report.refused


def test_people_come_with_department_level_and_manager_and_cannot_sign_in(company, sheet, imported):
    report = imported(
        "users",
        STAFF,
        sheet(
            "staff.csv",
            HEADER,
            ["1", "马超", "华东", "销售代表", "马腾"],
            ["2", "马腾", "sales", "sales.manager", "李强"],
        ),
    )
    assert (report.created, report.updated, report.unchanged) == (2, 0, 0)
    found = people()
    assert found["machao"].manager == found["mateng"]
    assert found["mateng"].manager == found["li"]
    assert found["machao"].main_department.code == "east"
    assert found["mateng"].level.key == "manager"
    assert not found["machao"].has_usable_password()


def test_importing_people_twice_is_importing_them_once(company, sheet, imported):
    file = sheet("staff.csv", HEADER, ["1", "马超", "华东", "", "王芳"])
    imported("users", STAFF, file)
    report = imported("users", STAFF, file)
    assert (report.created, report.updated, report.unchanged) == (0, 0, 1)


def test_facts_that_differ_are_changed_and_a_user_name_stays(company, sheet, imported):
    imported("users", STAFF, sheet("staff.csv", HEADER, ["1", "马超", "华东", "", "王芳"]))
    report = imported("users", STAFF, sheet("staff.csv", HEADER, ["1", "马小超", "华南", "", "李强"]))
    assert (report.created, report.updated) == (0, 1)
    assert report.kept == {"username": 1}
    changed = people()["machao"]
    assert (changed.name, changed.main_department.code, changed.manager.username) == ("马小超", "south", "li")


def test_a_circle_of_managers_is_refused_with_its_path(company, sheet, imported):
    found = refusals(
        imported,
        sheet("staff.csv", HEADER, ["1", "马超", "华东", "", "马腾"], ["2", "马腾", "华东", "", "马超"]),
    )
    assert {problem.row for problem in found} == {2, 3}
    assert "马超 → 马腾 → 马超" in found[0].reason
    assert "machao" not in people()


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        (["1", "马超", "华东", "", "谁"], "manager", "谁"),
        (["1", "马超", "火星", "", ""], "department", "火星"),
        (["", "马超", "华东", "", ""], "external_id", ""),
        (["1", "", "华东", "", ""], "name", ""),
        (["1", "林 悦", "华东", "", ""], "username", "林 悦"),
    ],
)
def test_a_row_is_refused_with_its_column_and_value(company, sheet, imported, row, field, value):
    taken = field == "username"
    if taken:
        imported("users", STAFF, sheet("staff.csv", HEADER, ["9", "林 悦", "华东", "", ""]))
    found = refusals(imported, sheet("staff.csv", HEADER, row))
    assert (field, value, 2) in {(problem.field, problem.value, problem.row) for problem in found}


def test_an_unknown_level_is_left_out_where_the_map_says_so_and_counted(company, sheet, imported):
    report = imported("users", STAFF, sheet("staff.csv", HEADER, ["1", "马超", "华东", "元帅", ""]))
    assert people()["machao"].level is None
    assert [(field, value) for field, value, _why in report.emptied] == [("level", "元帅")]


def test_an_import_of_people_is_one_event_with_its_counts(company, sheet, imported, as_owner_of_company):
    imported("users", STAFF, sheet("staff.csv", HEADER, ["1", "马超", "华东", "", ""]))
    with as_owner_of_company():
        body = bytes(AuditEvent.objects.get(type="user.imported").body).decode()
    assert '"file":"staff.csv"' in body
    assert '"created":1' in body
