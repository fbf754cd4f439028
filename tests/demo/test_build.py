"""The demo company goes into an empty database through the real deeds, and each role sees its own world there."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import translation

from hufu.access import as_of, guard, queries, reach
from hufu.cli import environment
from hufu.cli.demo import steps
from hufu.cli.demo.build import build, is_demo, is_empty
from hufu.cli.demo.cast import cast
from hufu.cli.demo.clock import held_open, unfinished
from hufu.cli.demo.company import build as build_company
from hufu.cli.demo.organisation import people
from hufu.cli.demo.year import build_year
from hufu.core.actor import Actor
from hufu.core.errors import Unavailable
from hufu.core.postgres.roles import OWNER
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User
from tests.database import TestServer
from tests.demo.conftest import RARELY, TODAY, Played

# The records of the tour in README.
OF_A_SUBORDINATE, OF_ANOTHER_REGION = 12, 1


def test_it_is_whole(played: Played) -> None:
    assert not is_empty()
    assert is_demo()
    assert not unfinished(played.url)
    assert len(played.users) == len(people())
    assert not any(user.has_usable_password() for user in User.objects.all())


def test_each_of_the_cast_sees_their_own_world(played: Played) -> None:
    seen = {}
    for part in cast():
        actor = Actor(played.users[part.username], part.name)
        with acting(actor):
            seen[part.username] = tuple(
                guard.scope(actor, permission).count()
                for permission in ("customer.view", "customer.edit", "opportunity.view", "contact.view")
            )
    customers = {each.number: each for each in played.company.customers}
    in_the_bin = {
        step.number
        for session in played.year.sessions
        for step in session.steps
        if isinstance(step, steps.Delete)
    }
    in_the_bin -= {
        step.number
        for session in played.year.sessions
        for step in session.steps
        if isinstance(step, steps.Restore)
    }
    there = [each for number, each in customers.items() if number not in in_the_bin]
    team = sum(each.department == "sh-east-1" for each in there)
    own = sum(each.owner == "wangsiyuan" for each in there)
    assert seen["wangsiyuan"][:2] >= (team, own)
    assert seen["linxiaomeng"][1] == 0
    assert seen["limengjie"][1] > own
    assert seen["chenliqun"][1] > seen["limengjie"][1]
    assert seen["taozhixia"][:3] == (sum(each.partition == "sh" for each in there), 0, 0)
    assert seen["taozhixia"][3] > 0
    assert seen["sunwanqing"] == (len(there), 0, 0, 0)
    assert seen["shiruolan"] == (len(there), 0, 0, 0)
    assert seen["yezhiqiu"][:2] == (len(there), len(there))
    assert seen["shenhuaijin"][:3] == (len(there), len(there), len(played.company.opportunities))
    assert seen["chenxiangdong"] == seen["chuanran"] == seen["hanjingshu"] == (0, 0, 0, 0)


def _released(played: Played) -> set[int]:
    """Return the customers that lie in a pool at the end of the year."""
    told = [step for session in played.year.sessions for step in session.steps]
    claimed = {step.number for step in told if isinstance(step, steps.Claim)}
    return {step.number for step in told if isinstance(step, steps.Release)} - claimed


def test_whose_records_are_is_as_the_company_says(played: Played) -> None:
    operator = Actor.operator()
    with acting(operator):
        shown = guard.scope(operator, "customer.view").select_related(
            "owner", "pool", "partition", "department"
        )
        rows = list(shown)
    found = {(row.name, row.partition.key): row for row in rows}
    known = people()
    released = _released(played)
    assert released
    for each in played.company.customers:
        row = found.get((each.name, each.partition))
        if row is not None and each.number in released:
            assert row.pool.key == "sh-east"
        elif row is not None:
            assert row.owner.username == each.owner
            assert row.department.code in (each.department, known[each.owner].department)
            assert row.created_at <= row.updated_at < datetime(2026, 1, 15, tzinfo=UTC)
    assert min(row.created_at for row in rows) == min(each.created_at for each in played.company.customers)


def test_the_tour_of_readme_holds(played: Played) -> None:
    whole = build_company(TODAY)
    known = people()
    of_hers, elsewhere = (whole.customers[number - 1] for number in (OF_A_SUBORDINATE, OF_ANOTHER_REGION))
    assert known[of_hers.owner].manager == "limengjie"
    assert elsewhere.partition != "sh"
    first, _opportunities = build_year(whole, TODAY).at_first
    assert {OF_A_SUBORDINATE, OF_ANOTHER_REGION} <= set(first[:50])
    operator = Actor.operator()
    with acting(operator):
        snapshot = queries.snapshot()
        rows = guard.scope(operator, "customer.view").filter(owner__isnull=False).select_related("owner")
        for of_limengjie in (True, False):
            row = next(
                row for row in rows if (known[row.owner.username].manager == "limengjie") is of_limengjie
            )
            decision = queries.explain(
                snapshot, played.users["limengjie"], "customer.edit", queries.facts(CUSTOMER, row)
            )
            assert decision.allowed is of_limengjie


def test_every_event_says_that_it_is_simulated_and_when_it_was_truly_recorded(played: Played) -> None:
    now = datetime.now(UTC)
    for event in played.events:
        assert event["simulated"] is True
        assert now - datetime.fromisoformat(event["recorded_at"]) < timedelta(hours=1)
        assert datetime.fromisoformat(event["at"]) < datetime(2026, 1, 15, tzinfo=UTC)
    assert played.year.opened == datetime.fromisoformat(played.events[0]["at"])


def test_nobody_did_what_they_may_not(played: Played) -> None:
    tried = sum(len(session.steps) for session in played.year.sessions if session.refused)
    refused = [event for event in played.events if event["result"] != "done"]
    assert len(refused) == tried > 5
    assert {event["type"] for event in refused} == {"access.refused"}
    operator = played.of("user.created")[0]["actor"]
    later = [event for event in played.events if datetime.fromisoformat(event["at"]) > played.year.opened]
    assert all(event["channel"] == "demo" and event["actor"] != operator for event in later)


def test_the_log_has_every_kind_of_deed(played: Played) -> None:
    kinds = Counter(event["type"] for event in played.events)
    assert kinds["customer.created"] == len(played.company.customers)
    assert kinds["opportunity.created"] == len(played.company.opportunities)
    assert kinds["contact.created"] == sum(map(len, played.company.contacts.values()))
    assert set(kinds) >= {
        *("auth.signed_in", "customer.listed", "customer.viewed", "customer.changed", "opportunity.changed"),
        *("customer.transferred", "customer.member_joined", "customer.member_left", "customer.deleted"),
        *("customer.restored", "customer.purged", "customer.moved", "role.assigned", "partition.admitted"),
        *("partition.admission_ended", "user.changed", "log.viewed"),
    }


def test_what_was_given_for_a_time_has_ended(played: Played) -> None:
    for username in ("yujiajun", "weiqinglan"):
        actor = Actor(played.users[username], "")
        with acting(actor):
            reached = guard.scope(actor, "customer.view").values_list("partition__key", flat=True)
            assert set(reached) == {"sh"}
    trainee = Actor(played.users["linxiaomeng"], "")
    with acting(trainee):
        assert not guard.may(trainee, "customer.edit")
        assert reach.terms(trainee)


def test_facts_and_teams_are_as_old_as_they_were_played(played: Played) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.now() - max(valid_from) FROM people_user")
        assert cursor.fetchone()[0] > timedelta(days=90)
    opened = User.objects.get(username="wangsiyuan")
    assert opened.created_at == played.year.opened
    assert opened.valid_from - played.year.opened < timedelta(seconds=1)
    joined = User.objects.get(username="langyifan")
    assert (TODAY - joined.created_at.date()).days in range(118, 124)


def test_a_company_that_is_not_whole_lets_nobody_work_and_is_known_by_its_mark(
    postgres: TestServer, committed: str
) -> None:
    company = build_company(TODAY, customers=60)
    year = build_year(company, TODAY, every=RARELY)
    environment._require_current()
    left = iter(range(5))

    def advance(amount: int) -> None:
        next(left)

    with pytest.raises(StopIteration), held_open(postgres.url(OWNER, committed)) as analyze:
        build(company, year, advance=advance, analyze=analyze)
    assert unfinished(postgres.url(OWNER, committed))
    assert is_demo()
    with translation.override("en"), pytest.raises(Unavailable, match="interrupted"):
        environment._require_current()


def test_another_days_rights_are_known_for_the_whole_year(played: Played) -> None:
    """林晓萌 had the representative's role for a month; before the books were opened there was nobody."""
    security = Actor(played.users["chuanran"], "褚安然")

    def allowed(days_ago: int) -> bool:
        moment = datetime(2026, 1, 15, 4, tzinfo=UTC) - timedelta(days=days_ago)
        past = as_of.decide_at(security, played.users["linxiaomeng"], "customer.create", None, moment)
        return past.decision.allowed

    with acting(security):
        assert [allowed(days_ago) for days_ago in (300, 75, 30)] == [False, True, False]
        snapshot = as_of.snapshot_at(security, 1)
        assert len(snapshot.people) == len(played.year.staff)
        assert as_of.change_at(security, played.year.opened - timedelta(days=1)).number == 0
