"""The page of a change set: for all whom it concerns together, then by person, a page at a time."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from hufu.access import actions as access
from hufu.access.actions import Principal
from hufu.access.change_sets import totals
from hufu.access.models import Role
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.web.policy import presenters
from tests.access.test_change_sets import WIDE, submit, with_grants
from tests.company import Company, approver, publish
from tests.web.conftest import Visit
from tests.web.test_records import text


def address(number: int, query: str = "") -> str:
    return reverse("policy_change_set", args=[number]) + query


def test_it_says_first_what_changes_for_each_kind_of_people(company: Company, visit: Visit) -> None:
    approver(company)
    number = submit(company, WIDE).number
    shown = text(visit("qian"), address(number))
    assert shown.index("Level or title") < shown.index("Permissions and partitions")
    for kind in ("All", "销售代表", "Without a level or a title"):
        assert kind in shown
    page = visit("qian").get(address(number)).content.decode()
    assert "Page 1 of" not in page


def test_of_many_people_a_page_has_some_and_the_others_are_a_click_away(
    company: Company, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    approver(company)
    made = submit(company, WIDE)
    by_weight = sorted(made.rehearsal.people, key=lambda effect: -effect.weight)
    monkeypatch.setattr(presenters, "MOST_PEOPLE", 2)
    pages = -(-len(by_weight) // 2)
    seen: list[str] = []
    for page in range(1, pages + 1):
        shown = text(visit("qian"), address(made.number, f"?people={page}"))
        assert f"Page {page} of {pages}" in shown
        part = shown[shown.index("Permissions and partitions") :]
        seen += [effect.name for effect in by_weight if effect.name in part]
    assert sorted(seen) == sorted(effect.name for effect in by_weight)
    assert by_weight[0].name in seen[:2]
    for broken in ("?people=0", "?people=x", "?people=99999999999"):
        assert f"Page 1 of {pages}" in text(visit("qian"), address(made.number, broken))
    assert f"Page {pages} of {pages}" in text(visit("qian"), address(made.number, "?people=9999"))


def test_its_statements_are_as_many_for_thousands_as_for_one(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    approver(company)
    few = submit(company, with_grants("service", customer__view="own")).number or 1

    [outcome] = owner_connection.execute(
        "SELECT outcome FROM access_change_set WHERE number = %s", [few]
    ).fetchone() or ("",)
    found = json.loads(outcome)
    [one] = found["people"]

    def statements(people: int) -> int:
        found["people"] = [{**one, "user_id": number} for number in range(1, people + 1)]
        # What nobody counted is not shown as a number.
        found["people"][0]["records"] = {"customer": {"before": None, "after": None, "gained": 0, "lost": 1}}
        owner_connection.execute(
            "UPDATE access_change_set SET outcome = %s WHERE number = %s", [json.dumps(found), few]
        )
        client = visit("qian")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address(few))
        assert "None" not in page.content.decode()
        return len(queries)

    statements(2)
    assert statements(2) == statements(4000)


def test_of_more_kinds_than_a_table_holds_the_smallest_are_one(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    approver(company)
    monkeypatch.setattr(totals, "MOST_KINDS", 2)
    with_all = submit(company, WIDE)
    moved = [(effect.user_id, effect.moved) for effect in with_all.rehearsal.people]
    with acting(company.actor("qian")):
        every, kinds = totals.totals(moved)
    assert [kind.kind for kind in kinds][1:] == [None]
    assert sum(kind.people for kind in kinds) == every.people == len(moved)


def test_what_was_written_for_an_older_version_is_carried_over_and_not_approved(
    company: Company, visit: Visit
) -> None:
    approver(company)
    number = submit(company, WIDE).number
    assert "Approve and publish" in text(visit("qian"), address(number))
    submit(company, with_grants("rep_reading", customer__view=None))
    shown = text(visit("qian"), address(number))
    assert "It was written for version 1, and version 2 stands" in shown
    assert "何明 can carry it over" in shown
    assert "Approve and publish" not in shown
    assert "Reject" in shown
    assert visit("qian").post(f"{address(number)}rebase/").status_code == 403
    assert "Carry it over" in text(visit("he"), address(number))
    made = visit("he").post(f"{address(number)}rebase/")
    assert made["Location"] == address(number + 2)
    assert "Withdrawn" in text(visit("he"), address(number))
    assert "Approve and publish" in text(visit("qian"), address(number + 2))


def test_where_both_changed_the_same_carrying_over_says_so(company: Company, visit: Visit) -> None:
    approver(company)
    number = submit(company, WIDE).number
    submit(company, with_grants("finance", customer__view=None))
    said = visit("he").post(f"{address(number)}rebase/").content.decode()
    assert "Both this change set and a newer version change this." in said


def test_ones_own_is_withdrawn_by_oneself_alone(company: Company, visit: Visit) -> None:
    approver(company)
    number = submit(company, WIDE).number
    assert visit("qian").post(f"{address(number)}withdraw/").status_code == 403
    assert visit("he").post(f"{address(number)}withdraw/").status_code == 302
    assert "Withdrawn" in text(visit("he"), address(number))
    assert "is decided" in visit("he").post(f"{address(number)}withdraw/").content.decode()


def test_deciding_comes_after_what_there_is_to_read(company: Company, visit: Visit) -> None:
    approver(company)
    document = {**WIDE, "tests": [{"who": "chen", "may": "customer.view", "expect": True}]}
    shown = text(visit("qian"), address(submit(company, document).number))
    places = [shown.index(f'id="{name}"') for name in ("what", "who", "tests", "decide")]
    assert places == sorted(places)


def test_numbers_are_grouped_and_what_is_held_anyway_is_nobodys_change() -> None:
    moved = {"before": 12345, "after": 11111, "gained": 0, "lost": 1234}
    nothing = {"before": 5, "after": 5, "gained": 0, "lost": 0}
    people = [
        {"user_id": 1, "permissions": {}, "partitions": {}, "records": {"customer": moved}},
        {
            "user_id": 2,
            "permissions": {"customer.view": [["own"], ["everything"]]},
            "partitions": {},
            "records": {"customer": nothing},
        },
        {
            "user_id": 3,
            "permissions": {"customer.view": [["department", "everything"], ["everything"]]},
            "partitions": {},
            "records": {"customer": nothing},
        },
    ]
    with acting(Actor.operator()), translation.override("en"):
        found = presenters.found(json.dumps({"differences": [], "people": people, "tests": []}))
    assert found.concerned == 2
    assert [person.records for person in found.people] == [["Customers: 12,345 → 11,111 (−1,234)"], []]
    assert found.kinds[0].records == ["Customers: −1,234"]


def test_the_page_of_a_version_says_what_it_changed_and_leads_back(company: Company, visit: Visit) -> None:
    approver(company)
    he, qian = visit("he"), visit("qian")
    assert "It stands now" in text(he, "/policy/versions/1/")
    number = submit(company, with_grants("service", customer__edit="own")).number
    qian.post(f"{address(number)}approve/", {"reason": "好"})
    shown = text(he, "/policy/versions/2/")
    for said in ("Edit customers: — → own", "何明", "It stands now"):
        assert said in shown
    assert "Return to version 1" in text(he, "/policy/versions/1/")
    assert "Return to version 1" not in text(qian, "/policy/versions/1/")
    assert "This field is required" in he.post("/policy/versions/1/return/", {}).content.decode()
    made = he.post("/policy/versions/1/return/", {"reason": "试点结束"})
    assert made["Location"] == address(number + 1)
    assert "It stands now" in text(he, "/policy/versions/3/")
    # The way to version 2 again widens: somebody else decides.
    made = he.post("/policy/versions/2/return/", {"reason": "再来"})
    assert "Waits for somebody else" in text(he, made["Location"])
    text(he, "/policy/versions/99/", 404)


def test_a_way_back_past_roles_that_are_held_says_so_until_they_may_go(
    company: Company, visit: Visit
) -> None:
    he = company.actor("he")
    publish(
        company,
        {"format": 1, "roles": [{"key": "extra", "name": "附加", "grants": {"customer.view": "own"}}]},
    )
    with acting(he):
        to = Principal(user=User.objects.get(username="qian"))
        access.assign_role(he, Role.objects.get(key="extra"), to=to, reason="x")
    client = visit("he")
    said = client.post("/policy/versions/1/return/", {"reason": "x"}).content.decode()
    assert "is assigned 1 times" in said
    answer = client.post("/policy/versions/1/return/", {"reason": "x", "end_assignments": "on"})
    assert answer.status_code == 302
