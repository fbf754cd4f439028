"""The pages of the three administrators, and the first page of everybody."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import localtime

from hufu.access import actions as access
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.audit import record
from hufu.cli.demo.clock import held_open
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.postgres.roles import OWNER
from hufu.core.transaction import acting
from hufu.people.models import Department, Post
from hufu.staffing import actions as staffing
from tests.company import CUSTOMERS, PEOPLE, Company, publish
from tests.database import TestServer
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_records import text

PAGES = {
    "/log/": {"wu"},
    "/people/": {"feng", "he"},
    "/people/departments/": {"feng", "he"},
    "/roles/": {"he"},
    "/roles/given/": {"he"},
}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_of_an_administrator_opens_to_that_administrator_alone(visit: Visit, address: str) -> None:
    for who in ("li", "lin", "qian", "feng", "he", "wu"):
        assert visit(who).get(address).status_code == (200 if who in PAGES[address] else 403), who


def test_the_log_says_who_did_what_and_never_a_value(company: Company, visit: Visit) -> None:
    number = company.customer("qiming")
    lin = visit("lin")
    lin.get(f"/customers/{number}/")
    lin.get("/customers/?q=上海启明")
    lin.post(
        f"/customers/{number}/edit", {"name": "改名", "stage": "won", "version": "1", "phone": "13300009999"}
    )
    visit("tang").post(f"/customers/{number}/edit", {"name": "改名", "stage": "won", "version": "1"})
    page = text(visit("wu"), "/log/")
    for shown in (
        "Customer: viewed",
        "Customer: changed",
        "Access refused",
        f"Customer #{number}",
        "林悦",
        "唐亮",
    ):
        assert shown in page
    assert "Customer name" in page
    for value in ("改名", "13300009999", "13800006621", "上海启明", CUSTOMERS["qiming"][0]):
        assert value not in page
    changed = re.search(r'href="(/log/[^"]*)">Customer: changed', page)
    assert changed
    entry = text(visit("wu"), changed.group(1))
    assert "customer.changed" in entry
    assert "改名" not in entry


def test_the_log_is_found_through_by_type_person_result_and_day(company: Company, visit: Visit) -> None:
    visit("lin").get("/customers/")
    visit("zhou").get("/opportunities/")
    wu = visit("wu")
    refused = text(wu, "/log/?result=refused")
    assert "周涛" in refused
    assert "林悦" not in refused
    assert "View opportunities" in refused
    by_person = text(wu, "/log/?person=林悦&type=customer.listed")
    assert by_person.count("Customer: list read</a>") == 1
    assert "周涛" not in by_person
    assert (
        text(wu, "/log/?person=lin").count("林悦</span>")
        == text(wu, "/log/?person=林悦").count("林悦</span>")
        == len(("signed in", "new device", "list read")) + len(company.binned) * len(("created", "deleted"))
    )
    assert "Operator (command line)" in text(wu, "/log/?person=operator")
    assert "Nothing matches" in text(wu, "/log/?since=2001-01-01&until=2001-01-02")
    assert "林悦" in text(wu, "/log/?since=2020-01-01")
    assert "Nobody is called" in text(wu, "/log/?person=无名", 422)
    assert "is-invalid" in text(wu, "/log/?since=yesterday", 422)


def test_an_entry_names_people_and_gives_reasons_in_words(company: Company, visit: Visit) -> None:
    number = company.customer("qiming")
    to = {"to": str(company.people["tang"]), "reason": "林悦调岗", "version": "1"}
    visit("wang").post(f"/customers/{number}/transfer", to)
    visit("chen").get(f"/customers/{number}/edit")
    wu = visit("wu")
    listed = text(wu, "/log/?type=customer.transferred")
    assert "林悦 → 唐亮" in listed
    address = re.search(r'href="(/log/[^"]+/)"', listed)
    assert address
    entry = text(wu, address.group(1))
    for shown in ("Owner afterwards", "唐亮", "Department before", "华东", "林悦调岗"):
        assert shown in entry
    refused = re.search(r'href="(/log/[^"]+/)"', text(wu, "/log/?result=refused"))
    assert refused
    entry = text(wu, refused.group(1))
    assert "No role grants this." in entry
    assert "Edit customers" in entry


def test_the_log_has_pages(visit: Visit, company: Company) -> None:
    lin = visit("lin")
    for _time in range(51):
        lin.get(f"/customers/{company.customer('qiming')}/")
    wu = visit("wu")
    first = text(wu, "/log/?person=lin")
    older = re.search(r'rel="next" href="([^"]*)"', first)
    assert older
    second = text(wu, "/log/" + older.group(1).replace("&amp;", "&"))
    assert first.count("Customer: viewed</a>") == 50
    assert second.count("Customer: viewed</a>") == 1
    assert wu.get("/log/?cursor=damaged").status_code == 400


def test_reading_the_log_is_logged_and_an_absent_entry_is_404(
    visit: Visit, owner_connection: psycopg.Connection
) -> None:
    wu = visit("wu")
    wu.get("/log/?result=refused")
    assert wu.get(f"/log/{uuid4()}/").status_code == 404
    [read] = entries(owner_connection, "log.viewed")
    assert read.data["filter"] == {"result": "refused"}


def test_reading_people_departments_and_roles_are_events(
    visit: Visit, owner_connection: psycopg.Connection
) -> None:
    for address in ("/people/", "/people/?q=zhang", "/people/departments/"):
        text(visit("feng"), address)
    for address in ("/roles/", "/roles/given/"):
        text(visit("he"), address)
    everybody, narrowed = entries(owner_connection, "user.listed")
    assert everybody.data == {"filter": [], "search": 0, "count": len(PEOPLE)}
    assert narrowed.data == {"filter": ["search"], "search": 5, "count": 1}
    assert "values" in narrowed.personal
    assert "zhang" not in str(narrowed.personal)
    for type_name in ("department.listed", "role.listed", "assignment.listed"):
        [read] = entries(owner_connection, type_name)
        assert read.data["count"] > 0
    listed = text(visit("wu"), "/log/?type=user.listed")
    newest, oldest = re.findall(r'href="(/log/[^"]+/)"', listed)
    assert "5 characters" in text(visit("wu"), newest)
    assert "character" not in text(visit("wu"), oldest)


def test_people_are_listed_by_name_and_found_by_its_beginning(visit: Visit) -> None:
    page = text(visit("feng"), "/people/")
    assert all(name in page for name, *_rest in PEOPLE.values())
    assert f"{len(PEOPLE)} accounts" in page
    assert "Suspended" in page
    found = text(visit("feng"), "/people/?q=zhang")
    assert "张伟" in found
    assert "林悦" not in found
    assert "Nobody matches" in text(visit("feng"), "/people/?q=zzz")


def test_people_have_pages(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hufu.web.people.views.PAGE", 5)
    client, address, seen = visit("feng"), "/people/", 0
    while address:
        page = text(client, address)
        seen += page.count('<tr role="row">') - 1
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = "/people/" + following.group(1).replace("&amp;", "&") if following else ""
    assert seen == len(PEOPLE)
    assert text(client, "/people/?cursor=damaged!")


def test_departments_are_a_tree_with_the_people_in_them(visit: Visit) -> None:
    page = text(visit("feng"), "/people/departments/")
    assert page.index("总部") < page.index("销售部") < page.index("华东") < page.index("深圳公司")
    assert re.search(r"华东</span> <span class=\"soft\">4 people", page)


def test_roles_are_shown_with_scopes_and_who_holds_them(visit: Visit) -> None:
    he = visit("he")
    page = text(he, "/roles/")
    assert "销售经理" in page
    link = re.search(r'href="(/roles/[0-9]+/)">销售经理', page)
    assert link is not None
    manager = text(he, link[1])
    assert "inherits 销售代表" in manager
    assert "own and subordinates" in manager
    given = text(visit("he"), "/roles/given/")
    for shown in ("销售序列 · 销售经理", "Level and above", "冯刚", "上海公司", "Department and below"):
        assert shown in given


def test_the_page_of_who_holds_what_names_every_kind_of_principal(company: Company, visit: Visit) -> None:
    east = Department.objects.get(code="east")
    with acting(he := company.actor("he")):
        group = staffing.create_group(he, key="keys", name="大客户组")
        position = staffing.create_position(he, key="advisor", name="顾问")
        for to in (
            Principal(group=group),
            Principal(position=position),
            Principal(department=east, post=Post.HEAD, below=True),
            Principal(department=east, post=Post.ASSISTANT),
        ):
            access.assign_role(he, Role.objects.get(key="rep_reading"), to=to, reason="x")
    given = text(visit("he"), "/roles/given/")
    for shown in (
        "大客户组",
        "Group",
        "顾问",
        "Position",
        "Head of department · Department and below",
        "Assistant of department",
    ):
        assert shown in given, shown


def test_the_first_page_counts_what_one_may_view_and_shows_ones_own(visit: Visit) -> None:
    page = text(visit("lin"), "/")
    assert re.search(r'tile-count">3</span><span class="soft">Customers that you may view', page)
    assert CUSTOMERS["qiming"][0] in page
    assert CUSTOMERS["haitian"][0] not in page
    assert "You may not see anything yet" in text(visit("qian"), "/")
    assert 'href="/people/"' in text(visit("feng"), "/")


def test_the_site_speaks_chinese_and_english(visit: Visit) -> None:
    client = visit("lin")
    client.cookies["django_language"] = "zh-hans"
    page = text(client, "/customers/")
    assert '<html lang="zh-hans">' in page
    assert "共 3 条（您有权查看）" in page
    client.cookies["django_language"] = "en"
    assert "3 in all (that you may view)" in text(client, "/customers/")


def test_the_title_of_a_change_set_is_not_called_a_job_title(company: Company, visit: Visit) -> None:
    rule = {"key": "night", "name": "夜间应急", "role": "rep", "types": ["customer"], "minutes": 60}
    publish(company, {"format": 1, "break_glass": [rule]})
    log = visit("wu").get(reverse("log") + "?type=policy.submitted").content.decode()
    [entry] = set(re.findall(r"/log/[0-9a-f-]{36}", log))
    for who, address in (("he", reverse("policy")), ("wu", entry)):
        client = visit(who)
        client.cookies["django_language"] = "zh-hans"
        page = client.get(address, follow=True).content.decode()
        assert "标题" in page, address
        assert "职务" not in page, address


@pytest.mark.parametrize(
    ("chosen", "attribute"), [("dark", ' data-bs-theme="dark"'), ("auto", ""), ('"><b>', "")]
)
def test_the_theme_comes_from_the_browser_and_nothing_else_does(
    visit: Visit, chosen: str, attribute: str
) -> None:
    client = visit("lin")
    client.cookies["hufu_theme"] = chosen
    assert re.search(rf'<html lang="en"{attribute}>', text(client, "/"))


def test_what_was_played_under_the_demo_clock_is_marked_in_the_log_with_its_true_time(
    visit: Visit, postgres: TestServer, company: Company
) -> None:
    then = datetime(2025, 3, 4, 1, 30, tzinfo=UTC)
    lin = Actor(company.people["lin"], "林悦")
    with held_open(postgres.url(OWNER, connection.settings_dict["NAME"])), clock.simulated(then), acting(lin):
        record(lin, "auth.signed_in", data={"method": "demo"})
    audit = visit("wu")
    listed = text(audit, "/log/?until=2025-12-31")
    assert "2025-03-04 09:30:00" in listed
    assert "Simulated" in listed
    address = re.search(r'href="(/log/[0-9a-f-]{36}/)"', listed)
    assert address
    entry = text(audit, address.group(1))
    assert "Truly recorded" in entry
    assert f"{localtime():%Y-%m-%d}" in entry
    assert "Simulated" not in text(audit, "/log/?since=2026-01-01")
