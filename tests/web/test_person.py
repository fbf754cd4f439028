"""The page of a person: facts, posts, positions and groups, direct reports; for administrators alone."""

from __future__ import annotations

import psycopg

from hufu.core.transaction import acting
from hufu.people.models import Department, User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Handover
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_records import text


def furnish(company: Company) -> None:
    """王芳 heads 销售部 and assists 华东, holds a position and is in a group."""
    he, feng, wang = company.actor("he"), company.actor("feng"), company.people["wang"]
    with acting(he):
        group = staffing.create_group(he, key="bidders", name="投标小组")
        position = staffing.create_position(he, key="key_account", name="大客户经理")
    with acting(feng):
        staffing.add_members(feng, group, [wang])
        staffing.add_holders(feng, position, [wang])
        staffing.appoint_head(feng, Department.objects.get(code="sales"), wang)
        staffing.add_assistants(feng, Department.objects.get(code="east"), [wang])
        staffing.set_secondary_departments(feng, {wang: [company.departments["service"]]})


def test_the_page_of_a_person_says_where_they_belong_and_who_reports_to_them(
    company: Company, visit: Visit
) -> None:
    furnish(company)
    page = text(visit("feng"), f"/people/{company.people['wang']}/")
    for shown in (
        "王芳",
        "wang@hufu.example",
        "销售序列 · 销售经理",
        "客服部",
        "李强",
        "投标小组",
        "大客户经理",
    ):
        assert shown in page
    assert "销售部: Head of department" in page
    assert "华东: Assistant of department" in page
    assert f'href="/people/{company.people["lin"]}/"' in page
    assert f'href="/people/{company.people["zhang"]}/"' not in page


def test_the_list_of_people_leads_to_each_person(company: Company, visit: Visit) -> None:
    assert f'href="/people/{company.people["wang"]}/"' in text(visit("feng"), "/people/")


def test_the_page_opens_to_administrators_of_people_and_rights_alone(company: Company, visit: Visit) -> None:
    address = f"/people/{company.people['lin']}/"
    for who in ("feng", "he"):
        assert visit(who).get(address).status_code == 200
    for who in ("li", "wang", "lin", "wu", "qian"):
        assert visit(who).get(address).status_code == 403


def test_a_person_who_does_not_exist_is_not_found(company: Company, visit: Visit) -> None:
    for number in ("987654", "99999999999999999999", "0", "9" * 5000):
        assert visit("feng").get(f"/people/{number}/").status_code == 404


def test_looking_at_a_person_is_in_the_log(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    visit("feng").get(f"/people/{company.people['lin']}/")
    (seen,) = entries(owner_connection, "user.viewed")
    assert seen.target == ("user", company.people["lin"])


def test_the_log_tells_a_departure_in_words_with_the_names_of_the_successors(
    company: Company, visit: Visit
) -> None:
    furnish(company)
    feng = company.actor("feng")
    with acting(feng):
        staffing.leave(
            feng,
            User.objects.get(username="wang"),
            handover=Handover(to=company.people["tang"]),
            reason="离职",
        )
    page = text(visit("wu"), "/log/?type=user.left")
    assert "Left the company" in page
    assert "王芳" in page
