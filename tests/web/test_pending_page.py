"""What waits for release: looked at, released, refused and approved beforehand on pages."""

from __future__ import annotations

import html

import psycopg
import pytest
from django.test import Client

from hufu.access.models import ChangeSet
from hufu.access.pending_models import PendingChange
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.staffing import actions as staffing
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import entries

OPERATOR = Actor.operator()


@pytest.fixture(autouse=True)
def nothing_approved(company: Company, owner_connection: psycopg.Connection) -> None:
    """Here changes wait."""
    owner_connection.execute("DELETE FROM access_approved_move")


def told(client: Client, address: str) -> str:
    """Return what a page says."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def promoted(company: Company, name: str = "lin") -> int:
    """Return the number of the change by which 冯刚 makes somebody a sales manager."""
    feng = company.actor("feng")
    with acting(feng):
        staffing.change_users(feng, {company.people[name]: {"level_id": company.levels["manager"]}})
    with acting(OPERATOR):
        return int(PendingChange.objects.get(user_id=company.people[name]).pk)


def level_of(company: Company, name: str) -> int | None:
    """Return the level of somebody."""
    with acting(OPERATOR):
        return User.objects.get(pk=company.people[name]).level_id


def test_what_waits_is_said_in_a_sentence_with_what_it_would_add(company: Company, visit: Visit) -> None:
    number = promoted(company)
    page = told(visit("he"), "/pending/")
    assert "林悦: Level → 销售经理" in page
    assert "would add permissions:" in page
    assert "asked for by 冯刚" in page
    review = told(visit("he"), f"/pending/review/?n={number}")
    assert "It adds rights for 1 person" in review
    assert level_of(company, "lin") == company.levels["rep"]


def test_a_change_is_released_and_holds_from_the_next_request(company: Company, visit: Visit) -> None:
    number = promoted(company)
    answer = visit("he").post("/pending/review/", {"n": str(number), "do": "release", "reason": "晋升"})
    assert answer.status_code == 302
    assert level_of(company, "lin") == company.levels["manager"]
    assert "Nothing waits for release" in told(visit("he"), "/pending/")


def test_several_are_released_in_one_deed(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    numbers = [promoted(company, name) for name in ("lin", "tang")]
    he = visit("he")
    said = he.post(
        "/pending/review/", {"n": [str(each) for each in numbers], "do": "release", "reason": ""}, follow=True
    ).content.decode()
    assert "2 changes are released." in said
    assert len(entries(owner_connection, "change.released")) == 2


def test_refusing_asks_for_a_reason(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = promoted(company)
    he = visit("he")
    assert he.post("/pending/review/", {"n": str(number), "do": "withdraw", "reason": ""}).status_code == 200
    assert "销售经理" in told(he, "/pending/")
    sent = {"n": str(number), "do": "withdraw", "reason": "名额已满"}
    assert he.post("/pending/review/", sent).status_code == 302
    assert level_of(company, "lin") == company.levels["rep"]
    [event] = entries(owner_connection, "change.withdrawn")
    assert event.reason == "名额已满"


def test_the_system_administrator_sees_that_theirs_wait_and_releases_nothing(
    company: Company, visit: Visit
) -> None:
    number = promoted(company)
    feng = visit("feng")
    page = told(feng, "/pending/")
    assert "林悦: Level → 销售经理" in page
    assert "would add" not in page
    review = told(feng, f"/pending/review/?n={number}")
    assert "It adds rights" not in review
    assert 'value="release"' not in review
    sent = {"n": str(number), "do": "release", "reason": "x"}
    assert feng.post("/pending/review/", sent).status_code == 403
    assert level_of(company, "lin") == company.levels["rep"]
    sent["do"] = "withdraw"
    assert feng.post("/pending/review/", sent).status_code == 302
    assert "Nothing waits" in told(feng, "/pending/")


def test_nobody_else_sees_or_releases_anything(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = promoted(company)
    for who in ("wu", "li", "wang", "lin", "qian"):
        client = visit(who)
        assert client.get("/pending/").status_code == 403, who
        sent = {"n": str(number), "do": "release", "reason": "x"}
        assert client.post("/pending/review/", sent).status_code == 403, who
        assert client.get(f"/pending/{number}/beforehand/").status_code == 403, who
    assert level_of(company, "lin") == company.levels["rep"]
    assert len(entries(owner_connection, "access.refused")) == 15


def test_nobody_releases_what_is_about_themselves(company: Company, visit: Visit) -> None:
    number = promoted(company, "he")
    he = visit("he")
    assert "Somebody else releases it" in told(he, "/pending/")
    review = told(he, f"/pending/review/?n={number}")
    assert 'value="release"' not in review
    sent = {"n": str(number), "do": "release", "reason": "x"}
    assert he.post("/pending/review/", sent).status_code == 403


def test_a_number_that_waits_no_longer_leads_back_to_the_list(company: Company, visit: Visit) -> None:
    for asked in ("", "?n=0", "?n=99999", "?n=x", f"?n={'9' * 40}"):
        assert visit("he").get(f"/pending/review/{asked}").status_code == 302, asked


def test_a_combination_is_approved_beforehand_by_a_change_set(company: Company, visit: Visit) -> None:
    number = promoted(company)
    he = visit("he")
    page = told(he, f"/pending/{number}/beforehand/")
    assert "华东" in page
    assert "销售经理" in page
    answer = he.post(f"/pending/{number}/beforehand/", {"reason": "常规晋升"})
    assert answer.status_code == 302
    with acting(OPERATOR):
        draft = ChangeSet.objects.order_by("-number").first()
        assert draft is not None
        assert draft.state == ChangeSet.State.SUBMITTED
        assert '"level": "sales.manager"' in draft.document
    assert answer["Location"] == f"/policy/{draft.number}/"
    assert level_of(company, "lin") == company.levels["rep"], "it still waits"


def test_how_many_wait_stands_in_the_menu(company: Company, visit: Visit) -> None:
    assert "side-count" not in told(visit("he"), "/roles/")
    promoted(company)
    assert "waiting: </span>1<" in told(visit("he"), "/roles/")
    assert "side-count" in told(visit("feng"), "/people/")
    assert "side-count" not in told(visit("wu"), "/log/")
