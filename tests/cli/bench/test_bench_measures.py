"""Each measure asks what it says, compares like with like, and is said in words and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from hufu.cli.bench import checks, clicks, counts, lists, people, previews, printing, reorg, who, writes
from hufu.cli.bench.archetypes import CHIEF, MANAGER, NOBODY, SHARED
from hufu.cli.bench.clicks import Crowd
from hufu.cli.bench.timing import Times, TookTooLong, in_turns, ratio
from hufu.cli.environment import Database
from hufu.core.postgres.roles import APP
from tests.cli.bench.conftest import RECORDS

LIMIT = 60_000.0


@pytest.fixture(autouse=True)
def a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "ARCHETYPES", (CHIEF, MANAGER, SHARED, NOBODY))


def measured(measure: Callable[..., Any], show: Callable[..., None], owner_url: str) -> list[dict[str, Any]]:
    found = list(measure(owner_url, 2, LIMIT, lambda _words: None))
    show(found)
    return json.loads(json.dumps([one.as_dict() for one in found]))


def test_one_where_gives_the_same_pages(database, owner_url, capsys):
    pages = measured(lists.measure, printing.pages, owner_url)
    assert len(pages) == 4 * len(lists.SITUATIONS)
    assert all(page["agrees"] for page in pages), [page for page in pages if not page["agrees"]]
    first = {page["who"]: page for page in pages if (page["situation"], page["page"]) == ("newest", 1)}
    assert first["chief executive"]["rows"] == 50
    assert first["nobody"]["rows"] == 0
    assert first["chief executive"]["costs"]["ours"]["buffers"] > 0
    assert all(page["ours"]["turns"] == 2 and page["policy"]["p50"] > 0 for page in pages)
    # Their number does not grow with the records.
    assert max(page["statements"] for page in pages) <= 8
    assert "middle manager" in capsys.readouterr().out


def test_one_where_counts_the_same(database, owner_url, capsys):
    counted = measured(counts.measure, printing.amounts, owner_url)
    assert all(one["amount"] == one["naive_amount"] for one in counted), counted
    amounts = {one["who"]: one["amount"] for one in counted if one["situation"] == "all"}
    assert amounts["chief executive"] == RECORDS
    assert amounts["nobody"] == 0
    assert f"{RECORDS:,}" in capsys.readouterr().out


def test_reach_explanation_cedar_and_casbin_decide_alike(database, owner_url, capsys):
    checked = measured(checks.measure, printing.decisions, owner_url)
    assert not sum(one["differ"] for one in checked), checked
    assert 0 < sum(one["allowed"] for one in checked) < sum(one["asked"] for one in checked)
    assert all(one["cedar_us"] > 0 and one["reach_us"] > 0 and one["casbin_us"] > 0 for one in checked)
    printed = capsys.readouterr().out
    assert all(
        f"{engine}/{way}" in printed for engine in ("Cedar", "Casbin") for way in ("reach", "explained")
    )


def test_who_may_view_a_customer_is_asked_of_customers_of_each_kind(database, owner_url, capsys):
    asked = measured(who.measure, printing.viewers, owner_url)
    assert {one["about"] for one in asked} == set(who.KINDS)
    assert all(one["people"] > 0 for one in asked)
    assert "of a house account" in capsys.readouterr().out


def test_a_change_is_in_force_at_the_next_request_and_rewrites_no_record(database, owner_url, owner, capsys):
    changes = measured(reorg.measure, printing.reorganised, owner_url)
    assert len(changes) == 4
    assert not sum(one["rewritten"] for one in changes), changes
    assert all(one["reach_rows"] > 0 for one in changes), changes
    assert all(one["after"] >= one["before"] for one in changes), changes
    assert changes[0]["after"] > changes[0]["before"], changes[0]
    # All of it was taken back.
    assert owner.execute("SELECT count(*) FROM access_admission WHERE reason = 'bench'").fetchone() == (0,)
    assert "a partition is opened to everybody" in capsys.readouterr().out


def test_what_a_preview_says_is_what_the_doors_give_afterwards(database, owner_url, owner, capsys):
    [preview] = measured(previews.measure, printing.previewed, owner_url)
    assert preview["compared"]["agrees"], preview["compared"]
    assert preview["compared"]["people"] == preview["compared"]["listed"] == preview["concerned"] > 10
    assert preview["kinds"]["representative"]["gained"] > 0
    scopes = owner.execute(
        "SELECT DISTINCT scope FROM access_grant WHERE permission = 'customer.view' AND role_id ="
        " (SELECT id FROM access_role WHERE key = 'representative')"
    ).fetchall()
    assert scopes == [("own",)], "it was taken back"
    assert {"reach read", "counted"} < preview.keys()
    assert "all agree" in capsys.readouterr().out


def test_writing_a_customer_leaves_nothing(database, owner_url, owner, capsys):
    written = measured(writes.measure, printing.written, owner_url)
    assert [one["what"] for one in written] == ["a new customer", "a changed note"]
    assert all(one["deed_ratio"] > one["table_ratio"] > 0 for one in written), written
    assert owner.execute("SELECT count(*) FROM crm_customer").fetchone() == (RECORDS,)
    assert owner.execute("SELECT count(*) FROM crm_customer WHERE note LIKE '测量%'").fetchone() == (0,)
    assert "the whole deed" in capsys.readouterr().out


def test_people_click_through_a_real_site_and_meet_no_error(database, postgres, owner_url, capsys):
    address = Database({APP: postgres.url(APP, database)}, None, embedded=False)
    clicked = measured(
        partial(clicks.measure, address, Crowd(people=3, seconds=12, pace=0.2, workers=1)),
        printing.clicked,
        owner_url,
    )
    pages = {one["page"]: one for one in clicked if "page" in one}
    assert set(pages) == {"list", "record", "next page", "search", "all"}
    assert all(one["turns"] > 0 and not one["errors"] for one in pages.values()), pages
    alone = [one for one in clicked if "who" in one]
    assert [one["who"] for one in alone] == [each.title for each in (CHIEF, MANAGER, SHARED, NOBODY)]
    assert all(one["first"]["turns"] == one["deep"]["turns"] == 2 and not one["errors"] for one in alone)
    assert "next page" in capsys.readouterr().out


def test_what_takes_too_long_is_not_run_again():
    turns: list[str] = []

    def slow() -> None:
        turns.append("slow")
        raise TookTooLong

    times = in_turns({"slow": slow, "quick": lambda: turns.append("quick")}, 3, 2500.0)
    assert turns == ["slow", "quick", "quick", "quick", "quick"]
    assert str(times["slow"]) == "> 2.5 s"
    assert times["slow"].as_dict() == {"p50": None, "p95": None, "turns": 0, "over": 2500.0}
    assert times["quick"].as_dict()["turns"] == 3


def test_a_ratio_is_that_of_the_medians():
    assert ratio(Times((2.0, 4.0, 90.0), 1.0), Times((1.0, 2.0, 3.0), 1.0)) == 2.0
    assert ratio(Times((), 1.0), Times((1.0,), 1.0)) is None
