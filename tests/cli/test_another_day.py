"""`--at`: who could, how many, and what somebody reached on another day."""

from __future__ import annotations

from datetime import UTC, datetime

from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import Department
from hufu.staffing import actions


def test_after_li_moved_the_questions_about_the_day_before_are_answered_as_they_were_then(
    hufu, company, customer
):
    before = datetime.now(UTC).isoformat()
    then = {
        "count": hufu("count", "customer.edit", "--as", "wang", "--json").json,
        "who": hufu("who-can", "customer.view", f"customer:{customer}", "--json").json,
        "reach": hufu("reach", "wang", "--json").json,
    }
    assert then["count"] == {"count": 1}
    assert [person["username"] for person in then["who"]["people"]] == ["wang", "li"]
    operator = Actor.operator()
    with acting(operator):
        actions.set_managers(operator, {company["li"].id: company["zhao"].id})
        west = Department.objects.get(code="west")
        actions.change_users(operator, {company["li"].id: {"main_department_id": west.id}})
    assert hufu("count", "customer.edit", "--as", "wang", "--json").json == {"count": 0}
    now = hufu("who-can", "customer.view", f"customer:{customer}", "--json").json
    assert [person["username"] for person in now["people"]] == ["li"]

    past = hufu("count", "customer.edit", "--as", "wang", "--at", before, "--json").json
    assert past.pop("as_of")["gates"] == "not_evaluated"
    assert past == then["count"]
    who = hufu("who-can", "customer.view", f"customer:{customer}", "--at", before, "--json").json
    assert who.pop("as_of")["version"] == 1
    assert who == then["who"]
    reach = hufu("reach", "wang", "--at", before, "--json").json
    assert reach.pop("as_of")
    assert reach == then["reach"]
    said = hufu("who-can", "customer.view", f"customer:{customer}", "--at", before).out
    assert said.startswith(f"2 people could: View customers, customer:{customer}.")
    assert "Access limits are not evaluated for the past." in said


def test_what_was_not_there_yet_is_told_as_that(hufu, company, customer):
    long_ago = datetime.now(UTC).isoformat()
    operator = Actor.operator()
    with acting(operator):
        actions.create_users(operator, [actions.Person("xin", "辛新")])
    assert hufu("reach", "xin", "--at", long_ago).err == "hufu: 辛新 was not there yet.\n"
    absent = hufu("who-can", "customer.view", "customer:999999", "--at", long_ago)
    assert (absent.code, absent.out.splitlines()[0]) == (1, "There was no such record.")
    assert hufu("count", "customer.view", "--as", "xin", "--at", long_ago).out == "0\n"
    assert hufu("count", "customer.view", "--as", "li", "--at", "2999-01-01").code == 2
