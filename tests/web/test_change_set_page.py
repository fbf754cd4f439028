"""The page of a change set: for all whom it concerns together, then by person, a page at a time."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hufu.access.change_sets import totals
from hufu.core.transaction import acting
from hufu.web.policy import presenters
from tests.access.test_change_sets import WIDE, submit, with_grants
from tests.company import Company, approver
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
