"""A role is given, taken back and given for another time: what it does is shown before, and each stands in the log."""

from __future__ import annotations

import html
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from hufu.access import actions as access
from hufu.access import delegated, giving
from hufu.access.actions import Principal
from hufu.access.models import Assignment, Role
from hufu.core.days import end_of
from hufu.core.errors import Denied
from hufu.core.transaction import acting
from hufu.people.models import Department, User
from tests.company import Company, publish, unpublish
from tests.web.conftest import Visit
from tests.web.log import entries

GIVE = "/roles/give/"


def form(company: Company, role: str, who: str = "qian", **more: str) -> dict[str, str]:
    """Return what the form sends that gives a role for ninety days, once its effect was seen."""
    with acting(company.actor("he")):
        number = Role.objects.get(key=role).pk
    to = f"user:{company.people[who]}"
    return {
        "role": str(number),
        "who": str(company.people[who]),
        "term": "day",
        "until": str(localdate() + timedelta(days=90)),
        "reason": "帮忙两周",
        "seen": f"{number} {to}",
        **more,
    }


def told(client: Client, address: str, sent: dict[str, str] | None = None) -> str:
    """Return what a page says."""
    answer = client.get(address) if sent is None else client.post(address, sent)
    assert answer.status_code == 200, answer.content.decode()[-500:]
    return html.unescape(answer.content.decode())


def held_by(company: Company, who: str) -> list[Assignment]:
    """Return what was given to somebody by name."""
    with acting(company.actor("he")):
        return list(Assignment.objects.select_related("role").filter(user_id=company.people[who]))


def test_what_a_role_adds_is_shown_before_anything_is_given(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    said = told(he, "/roles/give/preview/", form(company, "service"))
    assert "It adds rights for 1 person" in said
    assert "钱多" in said
    assert "View customers: — → everything" in said
    unseen = told(he, GIVE, form(company, "service", seen=""))
    assert "It adds rights for 1 person" in unseen
    assert held_by(company, "qian") == []
    assert [each.type for each in entries(owner_connection, "assignment.previewed")]


def test_a_role_is_given_with_reason_and_end_and_undone_with_one_click(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    answer = he.post(GIVE, form(company, "service"))
    assert answer["Location"] == f"/people/{company.people['qian']}/"
    [given] = held_by(company, "qian")
    assert (given.role.key, given.reason) == ("service", "帮忙两周")
    assert given.ends_at == end_of(localdate() + timedelta(days=90))
    page = told(he, answer["Location"])
    undo = reverse("roles_given_undo", args=[given.pk])
    assert undo in page
    assert "帮忙两周" in page
    assert he.post(undo).status_code == 302
    assert held_by(company, "qian") == []
    assert [entry.reason for entry in entries(owner_connection, "role.unassigned")][
        -1
    ] == "Undone by whoever gave it."


def test_what_was_given_long_ago_or_by_somebody_else_is_not_undone(company: Company, visit: Visit) -> None:
    [old] = held_by(company, "chen")
    assert visit("he").post(reverse("roles_given_undo", args=[old.pk])).status_code == 404
    assert held_by(company, "chen")


def test_no_end_has_to_be_chosen_and_a_reason_to_be_given(company: Company, visit: Visit) -> None:
    he = visit("he")
    assert "Choose a day, or say that there is no end." in told(he, GIVE, form(company, "service", until=""))
    assert "This day has passed." in told(he, GIVE, form(company, "service", until="2020-01-01"))
    assert "This field is required" in told(he, GIVE, form(company, "service", reason=" "))
    assert held_by(company, "qian") == []
    assert he.post(GIVE, form(company, "service", term="never", until="")).status_code == 302
    assert [row.ends_at for row in held_by(company, "qian")] == [None]


def test_nobody_gives_to_themselves_and_what_is_forged_is_refused_and_recorded(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    sent = form(company, "service", "he")
    assert visit("he").post(GIVE, sent).status_code == 403
    assert visit("he").post("/roles/give/preview/", sent).status_code == 403
    for who in ("feng", "wu", "wang", "li", "lin"):
        assert visit(who).post(GIVE, form(company, "manager")).status_code == 403, who
    assert len(held_by(company, "he")) == 1
    assert held_by(company, "qian") == []
    assert len(entries(owner_connection, "access.refused")) == 7


def test_a_recipient_that_is_none_is_said_beside_the_field(company: Company, visit: Visit) -> None:
    he = visit("he")
    usual = form(company, "service")
    for who in ("", "0", "999999", "x"):
        assert "field-problem" in told(he, GIVE, {**usual, "who": who}), who
    assert "Choose a colleague" in told(he, GIVE, form(company, "service", many="department:1+"))


def test_a_role_is_given_to_all_of_a_department_at_once(company: Company, visit: Visit) -> None:
    to = f"department:{company.departments['east']}"
    sent = form(company, "finance", many=to)
    del sent["who"]
    sent["seen"] = f"{sent['role']} {to}"
    assert "people" in told(visit("he"), "/roles/give/preview/", sent)
    assert visit("he").post(GIVE, sent).status_code == 302
    with acting(company.actor("he")):
        assert Assignment.objects.filter(department_id=company.departments["east"]).exists()


def test_what_levels_hold_is_not_given_by_hand_once_version_1_stands(company: Company, visit: Visit) -> None:
    sent = form(company, "finance", many=f"level:{company.levels['rep']}")
    del sent["who"]
    assert visit("he").post(GIVE, sent).status_code == 403
    page = told(visit("he"), GIVE)
    assert "level:" not in page


def test_roles_that_exclude_each_other_are_refused_in_words(company: Company, visit: Visit) -> None:
    publish(
        company,
        {"format": 1, "duties": [{"key": "apart", "name": "收付分离", "roles": ["service", "finance"]}]},
    )
    he = visit("he")
    said = told(he, "/roles/give/preview/", form(company, "finance", "chen"))
    assert "收付分离" in said
    assert 'name="seen"' not in said
    assert "收付分离" in told(he, GIVE, form(company, "finance", "chen"))
    assert len(held_by(company, "chen")) == 1


def test_who_is_affected_is_shown_before_a_role_is_taken_back(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    [row] = held_by(company, "chen")
    address = reverse("roles_given_end", args=[row.pk])
    page = told(he, address)
    assert "1 person is affected" in page
    assert "陈静" in page
    assert "→ 0 (−4)" in page
    assert held_by(company, "chen"), "looking takes nothing"
    assert "This field is required" in told(he, address, {"reason": ""})
    assert he.post(address, {"reason": "调岗"}).status_code == 302
    assert held_by(company, "chen") == []
    assert visit("chen").get("/customers/").status_code == 403
    assert entries(owner_connection, "role.unassigned")[-1].reason == "调岗"


def test_an_end_is_moved_with_a_reason(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    [row] = held_by(company, "chen")
    address = reverse("roles_given_until", args=[row.pk])
    day = localdate() + timedelta(days=7)
    sent = {"term": "day", "until": str(day), "reason": "试用"}
    assert "without an end" in told(he, address)
    assert "This day has passed" in told(he, address, {**sent, "until": "2020-01-01"})
    assert he.post(address, sent).status_code == 302
    assert [each.ends_at for each in held_by(company, "chen")] == [end_of(day)]
    [event] = entries(owner_connection, "role.end_changed")
    assert event.reason == "试用"


def test_nobody_moves_the_end_of_what_they_hold(company: Company, visit: Visit) -> None:
    [row] = held_by(company, "he")
    sent = {"term": "never", "until": "", "reason": "x"}
    assert visit("he").post(reverse("roles_given_until", args=[row.pk]), sent).status_code == 403


@pytest.fixture
def entrusted(company: Company, owner_connection: psycopg.Connection) -> Company:
    """The company in which 王芳 gives 客服代表 to people of the East."""
    unpublish(owner_connection)
    he = company.actor("he")
    with acting(he):
        delegated.entrust(
            he,
            User.objects.get(username="wang"),
            within=Department.objects.get(code="east"),
            roles=[Role.objects.get(key="service")],
            reason="x",
        )
    return company


def test_whoever_was_entrusted_gives_those_roles_to_those_people_alone(
    entrusted: Company, visit: Visit
) -> None:
    company, wang = entrusted, visit("wang")
    page = told(wang, GIVE)
    assert "客服代表" in page
    assert "销售经理" not in page
    assert "钱多" in told(wang, "/roles/give/people/?q=qian")
    assert "孙海" not in told(wang, "/roles/give/people/?q=sun")
    assert wang.post(GIVE, form(company, "service")).status_code == 302
    [given] = held_by(company, "qian")
    assert wang.post(GIVE, form(company, "service", "sun")).status_code == 403
    assert wang.post(GIVE, form(company, "manager", "zhao")).status_code == 403
    assert wang.get(reverse("roles_given_end", args=[given.pk])).status_code == 200
    assert wang.post(reverse("roles_given_end", args=[given.pk]), {"reason": "x"}).status_code == 302
    [foreign] = held_by(company, "chen")
    assert wang.post(reverse("roles_given_end", args=[foreign.pk]), {"reason": "x"}).status_code == 404


def test_a_preview_leaves_nothing(company: Company) -> None:
    he = company.actor("he")
    with acting(he):
        before = list(Assignment.objects.order_by("id").values())
        found = giving.would_add(
            he,
            Role.objects.get(key="service"),
            to=Principal(user=User.objects.get(username="qian")),
        )
        assert found is not None
        assert [each.username for each in found] == ["qian"]
        assert list(Assignment.objects.order_by("id").values()) == before
    assert held_by(company, "qian") == []


def test_what_is_given_is_found_by_person_by_role_and_by_its_end(company: Company, visit: Visit) -> None:
    he = visit("he")
    assert he.post(GIVE, form(company, "service", until=str(localdate() + timedelta(days=3)))).status_code
    page = told(he, "/roles/given/?q=qian")
    assert "钱多" in page.split("Who is admitted")[0]
    assert "周涛" not in page.split("Who is admitted")[0]
    assert "钱多" in told(he, "/roles/given/?ends=soon").split("Who is admitted")[0]
    assert "钱多" not in told(he, "/roles/given/?ends=never").split("Who is admitted")[0]
    with acting(company.actor("he")):
        number = Role.objects.get(key="finance").pk
    page = told(he, f"/roles/given/?role={number}").split("Who is admitted")[0]
    assert "周涛" in page
    assert "钱多" not in page
    assert "Nothing matches" in told(he, "/roles/given/?q=nobody")
    for broken in ("?role=x&ends=x&cursor=x", "?q=%00", "?role=99999999999999999999"):
        assert he.get(f"/roles/given/{broken}").status_code == 200, broken


def test_a_page_of_what_is_given_takes_as_many_queries_for_many_as_for_few(
    company: Company, visit: Visit
) -> None:
    client = visit("he")
    told(client, "/roles/given/")
    with CaptureQueriesContext(connection) as few:
        told(client, "/roles/given/")
    he = company.actor("he")
    with acting(he):
        for role in Role.objects.filter(key__in=["empty", "approver"]):
            for user in User.objects.filter(username__in=["lin", "tang", "zhang", "sun", "qian", "zhao"]):
                for _n in range(5):
                    access.assign_role(he, role, to=Principal(user=user), reason="x")
    with CaptureQueriesContext(connection) as many:
        page = told(client, "/roles/given/")
    assert len(many) == len(few)
    assert 'rel="next"' in page


def test_nobody_but_its_deed_changes_an_end(company: Company) -> None:
    [row] = held_by(company, "chen")
    for who in ("feng", "wu", "wang"):
        actor = company.actor(who)
        with pytest.raises(Denied), acting(actor):
            access.change_end(actor, row, ends_at=None, reason="x")
