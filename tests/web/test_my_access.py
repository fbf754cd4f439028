"""My access: for everybody what they hold, what ends and what they asked for; for managers their team."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from django.utils.timezone import localdate

from hufu.core.days import end_of
from tests.company import CUSTOMERS, Company
from tests.web.conftest import Visit
from tests.web.test_records import text
from tests.web.test_rights_page import cells, give


def test_everybody_finds_what_they_hold_and_the_way_to_ask_for_more(company: Company, visit: Visit) -> None:
    lin = visit("lin")
    assert 'href="/access/mine/"' in text(lin, "/")
    page = text(lin, "/access/mine/?permission=customer.purge")
    assert cells(page)["customer.view"] == "Department"
    source = page[page.index('id="source"') :]
    assert "No role of yours grants it." in source
    assert "Ask for it" in source
    assert "Nothing that you hold has an end." in page


def test_whoever_holds_nothing_finds_an_empty_page_not_an_error(company: Company, visit: Visit) -> None:
    page = text(visit("qian"), "/access/mine/")
    assert set(cells(page).values()) == {"None"}
    assert "No role." in page


def test_what_ends_stands_on_top_the_first_to_end_first(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    give(company, "finance", "lin", days=9)
    owner_connection.execute(
        "INSERT INTO access_share (type, record_id, user_id, access, reason, given_by, ends_at)"
        " VALUES ('customer', %s, %s, 'read', '', -1, %s)",
        [company.customer("haitian"), company.people["lin"], end_of(localdate() + timedelta(days=3))],
    )
    page = text(visit("lin"), "/access/mine/")
    ends = page[page.index('id="ends-title"') : page.index('id="objects-title"')]
    assert ends.index(CUSTOMERS["haitian"][0]) < ends.index("财务")
    assert f"until {(localdate() + timedelta(days=9)).isoformat()}" in ends


def test_a_share_of_a_record_out_of_sight_is_not_named(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(
        "INSERT INTO access_share (type, record_id, user_id, access, reason, given_by, ends_at)"
        " VALUES ('customer', %s, %s, 'read', '', -1, %s)",
        [company.customer("pengcheng"), company.people["lin"], end_of(localdate() + timedelta(days=3))],
    )
    assert CUSTOMERS["pengcheng"][0] not in text(visit("lin"), "/access/mine/")


def test_a_manager_finds_the_team_and_what_ends_in_it(company: Company, visit: Visit) -> None:
    give(company, "finance", "tang", days=9)
    page = text(visit("wang"), "/access/mine/")
    team = page[page.index('id="team-title"') : page.index('id="objects-title"')]
    for who in ("lin", "tang", "zhang", "zhao"):
        assert f'href="/people/{company.people[who]}/rights/"' in team
    assert f'href="/people/{company.people["chen"]}/rights/"' not in team
    # What ends comes first.
    assert team.index("唐亮") < team.index("林悦")
    assert "财务" in team
    assert 'id="team-title"' not in text(visit("lin"), "/access/mine/")


def test_the_menu_offers_answers_to_whoever_explains_rights_alone(company: Company, visit: Visit) -> None:
    assert 'href="/access/why/"' in text(visit("he"), "/")
    for who in ("feng", "wu", "wang", "qian"):
        assert 'href="/access/why/"' not in text(visit(who), "/")
