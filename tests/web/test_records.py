"""Customers and opportunities as pages: what stands on them for whom, and what a forged request gets."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.company import CUSTOMERS, Company
from tests.sealed import opened
from tests.web.conftest import Visit
from tests.web.log import entries


def text(client: Client, address: str, status: int = 200) -> str:
    """Return a page as text."""
    response = client.get(address)
    assert response.status_code == status, response.content.decode()
    return response.content.decode()


def titles(page: str) -> set[str]:
    """Return the names of the customers on a page."""
    return {name for name, (title, *_rest) in CUSTOMERS.items() if title in page}


def stored(owner: psycopg.Connection, number: int, *columns: str) -> tuple[Any, ...]:
    """Return columns of a customer as they stand in the table; sealed ones opened."""
    row = owner.execute(f"SELECT {', '.join(columns)} FROM crm_customer WHERE id = %s", [number]).fetchone()
    assert row is not None
    return tuple(
        opened(value, f"crm_customer.{column}") if isinstance(value, bytes) else value
        for column, value in zip(columns, row, strict=True)
    )


def form_of(client: Client, address: str) -> dict[str, str]:
    """Return what the form on a page holds, as a browser would send it."""
    return form_in(text(client, address))


def form_in(page: str) -> dict[str, str]:
    """Return what the form in a page's source holds."""
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        named = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_sent = named.get("type") not in ("radio", "checkbox", "search") or " checked" in tag
        if "name" in named and is_sent:
            found[named["name"]] = named.get("value", "")
    for name, body in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen.group(1) if chosen else ""
    for name, body in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        found[name] = body.strip()
    return {name: unescape(value) for name, value in found.items()}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("lin", {"qiming", "yunhe", "haitian"}),
        ("zhao", {"qiming", "yunhe", "haitian"}),
        ("wang", {"qiming", "yunhe", "haitian", "nanfang"}),
        ("chen", {"qiming", "yunhe", "haitian", "nanfang"}),
        ("zhou", {"qiming", "yunhe", "haitian", "nanfang"}),
        ("li", set(CUSTOMERS)),
        ("sun", {"pengcheng"}),
    ],
)
def test_everybody_sees_their_own_world_and_its_count(visit: Visit, who: str, seen: set[str]) -> None:
    page = text(visit(who), "/customers/")
    assert titles(page) == seen
    assert f"{len(seen)} in all (that you may view)" in page


@pytest.mark.parametrize("who", ["qian", "feng", "he", "wu"])
def test_whoever_may_view_no_customer_has_no_such_entry_and_no_such_page(visit: Visit, who: str) -> None:
    client = visit(who)
    assert "/customers/" not in text(client, "/")
    assert client.get("/customers/").status_code == 403


def test_the_navigation_follows_permissions(visit: Visit) -> None:
    def entries_of(who: str) -> set[str]:
        return set(re.findall(r'class="side-link" href="([^"]*)"', text(visit(who), "/")))

    everybodys = {"/", "/access/mine/"}
    assert entries_of("lin") == {*everybodys, "/customers/", "/opportunities/", "/contacts/"}
    assert entries_of("zhou") == {*everybodys, "/customers/"}
    assert entries_of("wu") == {*everybodys, "/log/"}
    assert entries_of("feng") == {*everybodys, "/people/", "/pending/"}
    of_security = {"/access/why/", "/people/", "/pending/", "/policy/", "/posture/", "/roles/"}
    assert entries_of("he") == everybodys | of_security
    assert entries_of("qian") == everybodys


@pytest.mark.parametrize("name", ["phone", "note", "lock_version", "nonsense", "deleted_at"])
def test_a_filter_that_may_not_be_asked_is_refused_not_ignored(visit: Visit, name: str) -> None:
    assert visit("lin").get("/customers/", {name: "1"}).status_code == 400


@pytest.mark.parametrize("sort", ["phone", "-phone", "nonsense"])
def test_a_sort_that_may_not_be_asked_is_refused(visit: Visit, sort: str) -> None:
    assert visit("lin").get("/customers/", {"sort": sort}).status_code == 400


def test_filters_search_and_the_count_go_together(company: Company, visit: Visit) -> None:
    client = visit("wang")
    mine = text(client, f"/customers/?owner={company.people['tang']}")
    assert titles(mine) == {"haitian"}
    assert "1 match (that you may view)" in mine
    assert titles(text(client, "/customers/?q=shanghai")) == {"qiming"}
    assert titles(text(client, "/customers/?q=上海启明")) == {"qiming"}
    assert titles(text(client, "/customers/?stage=won")) == set()
    assert "Nothing matches" in text(client, "/customers/?stage=won")
    elsewhere = text(client, f"/customers/?partition={company.partitions['sz']}")
    assert titles(elsewhere) == set()
    assert "0 match" in elsewhere


def test_a_picked_filter_is_a_chip_that_takes_itself_away(visit: Visit) -> None:
    page = text(visit("wang"), "/customers/?stage=following&customer_level=B&q=a&sort=name")
    assert 'href="?customer_level=B&amp;q=a&amp;sort=name"' in page
    assert "Stage: Following up" in page
    assert "Search: a" in page


def test_pages_of_a_list_follow_one_another(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hufu.web.records.filters.PAGE", 2)
    client = visit("li")
    seen: list[set[str]] = []
    address = "/customers/?sort=name"
    while address:
        page = text(client, address)
        seen.append(titles(page))
        following = re.search(r'rel="next" href="([^"]*)"', page)
        address = f"/customers/{following.group(1).replace('&amp;', '&')}" if following else ""
    assert [len(part) for part in seen] == [2, 2, 1]
    assert set().union(*seen) == set(CUSTOMERS)
    back = re.search(r'rel="prev" href="([^"]*)"', page)
    assert back
    assert titles(text(client, f"/customers/{back.group(1).replace('&amp;', '&')}")) == seen[1]


def test_a_list_takes_few_queries_however_long_it_is(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    client = visit("li")
    client.get("/opportunities/")
    with CaptureQueriesContext(connection) as many:
        client.get("/opportunities/")
    monkeypatch.setattr("hufu.web.records.filters.PAGE", 1)
    with CaptureQueriesContext(connection) as few:
        client.get("/opportunities/")
    assert len(many) == len(few)
    assert len(many) < 40


def test_somebody_elses_phone_number_is_masked_and_ones_own_is_not(company: Company, visit: Visit) -> None:
    address = f"/customers/{company.customer('qiming')}/"
    assert "13800006621" in text(visit("lin"), address)
    assert "13800006621" in text(visit("lin"), "/customers/")
    for who in ("tang", "wang", "zhao", "chen", "li"):
        for page in (text(visit(who), address), text(visit(who), "/customers/")):
            assert "13800006621" not in page
            assert "****6621" in page
    assert "13800006621" not in text(visit("wang"), f"{address}edit")


def buttons(page: str) -> set[str]:
    """Return the deeds that a record's page offers."""
    return set(re.findall(r'(?:href|action)="/\w+/\d+/(edit|transfer|delete)"', page))


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("lin", {"edit", "transfer", "delete"}),
        ("tang", set()),
        ("zhao", set()),
        ("wang", {"edit", "transfer"}),
        ("chen", set()),
        ("zhou", set()),
        ("li", {"edit", "transfer"}),
    ],
)
def test_a_button_stands_only_where_the_deed_is_allowed_and_the_server_decides_again(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, who: str, offered: set[str]
) -> None:
    number = company.customer("qiming")
    client = visit(who)
    assert buttons(text(client, f"/customers/{number}/")) == offered
    before = stored(owner_connection, number, "name", "owner_id", "deleted_at", "lock_version")
    for verb in {"edit", "transfer", "delete"} - offered:
        forged = {
            "name": "伪造",
            "stage": "won",
            "to": str(company.people["tang"]),
            "reason": "x",
            "version": "1",
        }
        response = client.post(f"/customers/{number}/{verb}", forged)
        assert response.status_code == 403, verb
    refused = entries(owner_connection, "access.refused")
    assert sorted(event.data["permission"] for event in refused) == sorted(
        f"customer.{verb}" for verb in {"edit", "transfer", "delete"} - offered
    )
    assert all(event.target == ("customer", number) for event in refused)
    assert stored(owner_connection, number, "name", "owner_id", "deleted_at", "lock_version") == before


def test_a_manager_edits_a_customer_of_the_reporting_line(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("nanfang")
    client = visit("wang")
    form = form_of(client, f"/customers/{number}/edit")
    response = client.post(
        f"/customers/{number}/edit", {**form, "name": "广州南方电子集团", "industry": "energy"}
    )
    assert response.status_code == 302, response.content.decode()
    assert stored(owner_connection, number, "name", "industry", "lock_version") == (
        "广州南方电子集团",
        "energy",
        2,
    )
    [changed] = entries(owner_connection, "customer.changed")
    assert set(changed.data["changes"]) == {"name", "industry"}


def test_a_masked_value_stays_when_left_empty_and_is_replaced_blind(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    client = visit("wang")
    form = form_of(client, f"/customers/{number}/edit")
    assert form["phone"] == ""
    client.post(f"/customers/{number}/edit", form)
    assert stored(owner_connection, number, "phone") == ("13800006621",)
    client.post(f"/customers/{number}/edit", {**form, "phone": "13912345678"})
    assert stored(owner_connection, number, "phone") == ("13912345678",)


def test_after_a_conflict_what_was_typed_stays_and_nothing_is_overwritten(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    mine, theirs = visit("lin"), visit("wang")
    form = form_of(mine, f"/customers/{number}/edit")
    theirs.post(
        f"/customers/{number}/edit", {**form_of(theirs, f"/customers/{number}/edit"), "region": "浦东"}
    )
    response = mine.post(f"/customers/{number}/edit", {**form, "region": "徐汇", "note": "二期改造"})
    page = response.content.decode()
    assert response.status_code == 409
    assert "Nothing was overwritten" in page
    assert 'value="徐汇"' in page
    assert "二期改造" in page
    assert "Region: 浦东" in page
    assert stored(owner_connection, number, "region", "note") == ("浦东", "")
    again = mine.post(f"/customers/{number}/edit", form_in(page))
    assert again.status_code == 302
    assert stored(owner_connection, number, "region", "note") == ("徐汇", "二期改造")


def test_after_a_conflict_saving_again_does_not_undo_what_the_other_changed(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    mine, theirs = visit("lin"), visit("wang")
    form = form_of(mine, f"/customers/{number}/edit")
    theirs.post(
        f"/customers/{number}/edit", {**form_of(theirs, f"/customers/{number}/edit"), "employees": "4321"}
    )
    response = mine.post(f"/customers/{number}/edit", {**form, "note": "二期改造"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Employees: 4321" in page
    assert "Note: " not in page
    assert mine.post(f"/customers/{number}/edit", form_in(page)).status_code == 302
    assert stored(owner_connection, number, "employees", "note") == (4321, "二期改造")


def test_after_a_conflict_about_what_wang_may_not_read_no_list_stands_empty(
    company: Company, visit: Visit
) -> None:
    number = company.customer("qiming")
    mine, theirs = visit("wang"), visit("lin")
    form = form_of(mine, f"/customers/{number}/edit")
    theirs.post(
        f"/customers/{number}/edit",
        {**form_of(theirs, f"/customers/{number}/edit"), "phone": "13911112222"},
    )
    response = mine.post(f"/customers/{number}/edit", {**form, "note": "二期改造"})
    page = response.content.decode()
    assert response.status_code == 409
    assert "What others changed is not what you may read." in page
    assert "Changed by others:" not in page
    assert "13911112222" not in page


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    client = visit("lin")
    form = form_of(client, f"/customers/{number}/edit")
    wrong = {**form, "name": "", "code": "123", "employees": "many", "stage": "nonsense", "note": "typed"}
    page = client.post(f"/customers/{number}/edit", wrong).content.decode()
    assert page.count('class="field-problem"') == 4
    assert page.count('aria-invalid="true"') == 4
    assert "typed" in page
    assert stored(owner_connection, number, "lock_version") == (1,)


def test_a_field_that_was_not_sent_stays_as_it_is(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    visit("lin").post(f"/customers/{number}/edit", {"region": "徐汇", "version": "1"})
    name, *_rest = CUSTOMERS["qiming"]
    assert stored(owner_connection, number, "region", "name", "phone", "customer_level") == (
        "徐汇",
        name,
        "13800006621",
        "B",
    )


def test_a_form_names_no_field_that_deeds_alone_may_set(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    client = visit("lin")
    form = form_of(client, f"/customers/{number}/edit")
    more = {
        "owner": str(company.people["tang"]),
        "owner_id": "5",
        "partition": "2",
        "department": "1",
        "id": "9",
    }
    client.post(f"/customers/{number}/edit", {**form, **more, "region": "徐汇"})
    assert stored(owner_connection, number, "owner_id", "partition_id", "region") == (
        company.people["lin"],
        company.partitions["sh"],
        "徐汇",
    )


def test_a_representative_creates_for_herself_whatever_the_request_says(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("lin")
    form = {**form_of(client, "/customers/new"), "name": "苏州新客户有限公司"}
    assert "owner" not in form
    made = client.post("/customers/new", form)
    number = int(made["Location"].split("/")[2])
    assert stored(owner_connection, number, "owner_id", "partition_id") == (
        company.people["lin"],
        company.partitions["sh"],
    )
    for forged in ({"owner": str(company.people["tang"])}, {"partition": str(company.partitions["sz"])}):
        assert client.post("/customers/new", {**form, **forged}).status_code == 403
    count = owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE name = '苏州新客户有限公司'"
    ).fetchone()
    assert count == (1,)


def test_a_manager_creates_for_somebody_else(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("wang")
    form = {
        **form_of(client, "/customers/new"),
        "name": "苏州新客户有限公司",
        "owner": str(company.people["tang"]),
    }
    number = int(client.post("/customers/new", form)["Location"].split("/")[2])
    assert stored(owner_connection, number, "owner_id") == (company.people["tang"],)


@pytest.mark.parametrize("who", ["zhao", "chen", "zhou", "qian"])
def test_whoever_may_not_create_has_no_button_and_no_form(visit: Visit, who: str) -> None:
    client = visit(who)
    assert client.get("/customers/new").status_code == 403
    assert client.post("/customers/new", {"name": "x", "stage": "new"}).status_code == 403
    page = client.get("/customers/")
    assert page.status_code == 403 or "/customers/new" not in page.content.decode()


def test_a_record_changes_its_owner_with_a_reason(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    client = visit("wang")
    form = form_of(client, f"/customers/{number}/transfer")
    to = {"to": str(company.people["tang"]), "reason": "林悦调岗"}
    assert client.post(f"/customers/{number}/transfer", {**form, **to, "reason": ""}).status_code == 200
    assert client.post(f"/customers/{number}/transfer", {**form, "reason": "x"}).status_code == 200
    refused = client.post(f"/customers/{number}/transfer", {**form, **to, "to": str(company.people["sun"])})
    assert "cannot own the record" in refused.content.decode()
    assert stored(owner_connection, number, "owner_id") == (company.people["lin"],)
    done = client.post(f"/customers/{number}/transfer", {**form, **to})
    assert done["Location"] == f"/customers/{number}/"
    assert stored(owner_connection, number, "owner_id") == (company.people["tang"],)
    [event] = entries(owner_connection, "customer.transferred")
    assert event.reason == "林悦调岗"
    assert client.post(f"/customers/{number}/transfer", {**form, **to}).status_code == 200


def test_giving_a_record_away_out_of_sight_leads_to_the_list(company: Company, visit: Visit) -> None:
    number = company.customer("qiming")
    client = visit("lin")
    form = form_of(client, f"/customers/{number}/transfer")
    to = {"to": str(company.people["zhang"]), "reason": "客户迁往广州"}
    done = client.post(f"/customers/{number}/transfer", {**form, **to})
    assert done["Location"] == "/customers/"
    assert client.get(f"/customers/{number}/").status_code == 404


def test_a_deleted_record_is_gone_from_list_page_and_count(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    client = visit("lin")
    stale = client.post(f"/customers/{number}/delete", {"version": "7"})
    assert stale.status_code == 409
    assert client.post(f"/customers/{number}/delete", {"version": "1"})["Location"] == "/customers/"
    page = text(client, "/customers/")
    assert "qiming" not in titles(page)
    assert "2 in all" in page
    assert client.get(f"/customers/{number}/").status_code == 404
    deleted = [event.target for event in entries(owner_connection, "customer.deleted")]
    assert deleted == [("customer", company.binned["customer"]), ("customer", number)]


def test_pickers_offer_only_what_a_list_would(company: Company, visit: Visit) -> None:
    assert titles(text(visit("lin"), "/customers/pick?q=")) == {"qiming", "yunhe", "haitian"}
    assert titles(text(visit("sun"), "/customers/pick?q=上海")) == set()
    sh, sz = company.partitions["sh"], company.partitions["sz"]
    offered = text(visit("lin"), f"/customers/owners?partition={sh}&q=唐")
    assert "唐亮" in offered
    assert "孙海" not in text(visit("lin"), f"/customers/owners?partition={sh}")
    assert visit("lin").get(f"/customers/owners?partition={sz}").status_code == 404
    assert visit("lin").get("/customers/owners?partition=x").status_code == 404


def test_an_opportunity_does_not_name_a_customer_that_is_out_of_sight(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    hidden, absent = company.customer("nanfang"), 987654321
    number = company.opportunity("machines")
    owner_connection.execute("UPDATE crm_opportunity SET customer_id = %s WHERE id = %s", [hidden, number])
    address = f"/opportunities/{number}/"
    client = visit("lin")
    for page in (text(client, address), text(client, "/opportunities/"), text(client, f"{address}edit")):
        assert CUSTOMERS["nanfang"][0] not in page
    assert "No access" in text(client, address)
    form = form_of(client, f"{address}edit")
    assert form["customer"] == "keep"
    assert client.post(f"{address}edit", {**form, "note": "a"}).status_code == 302
    row = owner_connection.execute("SELECT customer_id, note FROM crm_opportunity WHERE id = %s", [number])
    assert row.fetchone() == (hidden, "a")
    other = f"/opportunities/{company.opportunity('software')}/edit"
    form = form_of(client, other)
    answers = [
        client.post(other, {**form, "customer": str(wanted)}).content.decode() for wanted in (hidden, absent)
    ]
    assert "must be one that you may view" in answers[0]
    assert without_tokens(answers[0]) == without_tokens(answers[1])


def test_a_form_does_not_tell_which_hidden_customer_is_stored(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    stored_one, other, absent = company.customer("nanfang"), company.customer("pengcheng"), 987654321
    number = company.opportunity("machines")
    owner_connection.execute(
        "UPDATE crm_opportunity SET customer_id = %s WHERE id = %s", [stored_one, number]
    )
    client, address = visit("lin"), f"/opportunities/{number}/edit"
    form = form_of(client, address)
    for more in ({}, {"version": "7"}, {"name": ""}):
        answers = [
            client.post(address, {**form, **more, "customer": str(wanted)})
            for wanted in (stored_one, other, absent)
        ]
        assert {answer.status_code for answer in answers} <= {200, 409}
        assert len({without_tokens(answer.content.decode()) for answer in answers}) == 1
        assert "Keep what is there" not in answers[0].content.decode()
    assert "Keep what is there" in client.post(address, {**form, "name": ""}).content.decode()


def without_tokens(page: str) -> str:
    """Return a page without what differs from answer to answer."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", page)


def test_finance_sees_no_opportunity(company: Company, visit: Visit) -> None:
    client = visit("zhou")
    assert client.get("/opportunities/").status_code == 403
    assert client.get(f"/opportunities/{company.opportunity('machines')}/").status_code == 404
    assert "启明数控" not in text(client, "/")


def test_reading_a_list_and_a_record_are_events(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("lin")
    client.get("/customers/?stage=following")
    client.get(f"/customers/{company.customer('qiming')}/")
    [listed] = entries(owner_connection, "customer.listed")
    assert (listed.data["filter"], listed.data["count"]) == (["stage"], 3)
    [viewed] = entries(owner_connection, "customer.viewed")
    assert viewed.target == ("customer", company.customer("qiming"))


def test_hostile_text_is_shown_as_text(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    hostile = "<img src=x onerror=alert(1)>{{ 7*7 }}' OR 1=1 --"
    client = visit("lin")
    form = {
        **form_of(client, "/customers/new"),
        "name": hostile,
        "website": "",
        "note": "</textarea><script>",
    }
    number = int(client.post("/customers/new", form)["Location"].split("/")[2])
    assert stored(owner_connection, number, "name") == (hostile,)
    for address in (
        "/customers/",
        f"/customers/{number}/",
        f"/customers/{number}/edit",
        f"/customers/?q={hostile}",
    ):
        page = text(client, address)
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page
        assert "<script>" not in page
    bad = client.post(
        f"/customers/{number}/edit",
        {**form_of(client, f"/customers/{number}/edit"), "website": "javascript:alert(1)"},
    )
    assert "field-problem" in bad.content.decode()


@pytest.mark.parametrize("verb", ["edit", "transfer"])
def test_a_form_that_shows_a_record_is_a_reading_of_it(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, verb: str
) -> None:
    number = company.customer("qiming")
    client, address = visit("lin"), f"/customers/{number}/{verb}"
    assert client.get(address).status_code == 200
    wrong = {"name": "", "stage": "new", "version": "1", "to": "0", "reason": ""}
    assert client.post(address, wrong).status_code == 200
    outdated = {"name": "改名", "stage": "new", "version": "7", "reason": "调岗"}
    assert client.post(address, {**outdated, "to": str(company.people["tang"])}).status_code == 409
    read = entries(owner_connection, "customer.viewed")
    assert [event.target for event in read] == [("customer", number)] * 3


def test_an_absent_owner_and_one_who_may_not_own_are_refused_with_the_same_words(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    count = "SELECT count(*) FROM crm_customer"
    before = owner_connection.execute(count).fetchone()
    new = {"name": "苏州新客户有限公司", "stage": "new"}
    client = visit("wang")
    for owner in ("987654", "9" * 25, "x", str(company.people["zheng"]), str(company.people["sun"])):
        response = client.post("/customers/new", {**new, "owner": owner})
        assert response.status_code == 200
        assert "The owner must be active" in response.content.decode()
    for owner in ("987654", str(company.people["tang"])):
        assert visit("lin").post("/customers/new", {**new, "owner": owner}).status_code == 403
    assert owner_connection.execute(count).fetchone() == before
