"""Quotas: counted by the deed, read by the decision, never exceeded however many count at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import psycopg
import pytest

from hufu.access import guard, policy_document, policy_file, queries, quotas
from hufu.access.decision.decide import Code
from hufu.access.explain import sentences
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.queries import ListQuery, get_record, list_records
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from tests.company import unpublish
from tests.web.log import entries


@pytest.fixture
def company(company, owner_connection):
    """The company before version 1 of its policy: by deeds of one's own definitions change until then."""
    unpublish(owner_connection)
    return company


def quota(counts="customer.view", **more):
    return {
        "key": "views",
        "name": "查看客户",
        "counts": counts,
        "zone": "Asia/Shanghai",
        "warn_at": 80,
        **more,
    }


def apply(company, *said, who="he"):
    actor = company.actor(who)
    with acting(actor):
        return policy_file.apply(actor, {"format": 1, "quotas": list(said)})


def view(company, name, customer):
    actor = company.actor(name)
    with acting(actor):
        return get_record(actor, CUSTOMER, company.customer(customer))


def left(company, name, counted="customer.view"):
    actor = company.actor(name)
    with acting(actor):
        return [(one.span, one.left) for one in quotas.standing(actor, counted)]


def listed(company, name):
    actor = company.actor(name)
    with acting(actor):
        return len(list_records(actor, CUSTOMER, ListQuery()).records)


def test_lin_opens_two_customers_and_the_third_is_closed_until_midnight(
    company, owner_connection, in_english
):
    apply(company, quota(per_day=2))
    assert listed(company, "lin") == 3
    assert left(company, "lin") == [("day", 2)], "rows of a list are not views"
    view(company, "lin", "qiming")
    view(company, "lin", "qiming")
    assert left(company, "lin") == [("day", 1)], "a record counts once a day"
    view(company, "lin", "yunhe")
    with pytest.raises(
        Denied, match=r"The quota “查看客户” is used up: 2 a day\. It opens again: .*Asia/Shanghai"
    ) as refused:
        view(company, "lin", "haitian")
    assert refused.value.decision.code is Code.QUOTA_EXHAUSTED
    # For the same state and the same closed gates all doors agree.
    assert listed(company, "lin") == 0
    lin = company.actor("lin")
    with acting(lin), pytest.raises(Denied, match="used up"):
        guard.get(lin, "customer.edit", company.customer("qiming"))
    assert listed(company, "tang") == 3, "a quota is each person's own"
    refusal = entries(owner_connection, "access.refused")[-1]
    assert (refusal.reason, refusal.data) == ("quota", {"permission": "customer.view", "quota": "views"})


def test_a_new_day_opens_it_again(company, owner_connection):
    apply(company, quota(per_day=1))
    view(company, "lin", "qiming")
    assert listed(company, "lin") == 0
    owner_connection.execute(
        "UPDATE access_quota_used SET begins = begins - interval '1 day';"
        "UPDATE access_quota_seen SET at = at - interval '1 day'"
    )
    assert listed(company, "lin") == 3
    view(company, "lin", "qiming")
    assert left(company, "lin") == [("day", 0)]


def test_the_most_restrictive_quota_binds_and_each_only_those_it_names(company):
    apply(
        company,
        quota(per_day=10),
        quota(key="rep", name="销售代表", per_hour=1, to={"level": "sales.rep"}),
        quota(key="south", name="华南", per_hour=0, to={"department": "south", "below": True}),
    )
    assert left(company, "lin") == [("hour", 1), ("day", 10)]
    assert left(company, "chen") == [("day", 10)]
    assert listed(company, "zhang") == 0, "none an hour is none"
    view(company, "lin", "qiming")
    with pytest.raises(Denied):
        view(company, "lin", "yunhe")
    view(company, "chen", "yunhe")
    # A level as principal means it and those above it.
    view(company, "wang", "qiming")
    with pytest.raises(Denied):
        view(company, "wang", "yunhe")


def test_at_the_mark_lin_is_told_once_and_the_log_knows(company, owner_connection, in_english):
    apply(company, quota(per_day=4, warn_at=50))
    told = []
    for customer in ("qiming", "yunhe", "haitian"):
        lin = company.actor("lin")
        with acting(lin):
            get_record(lin, CUSTOMER, company.customer(customer))
            told.append(quotas.take_warnings())
    assert told == [
        [],
        [
            "You have used 2 of 4 a day of the quota “查看客户”. After that it is closed until the time is over."
        ],
        [],
    ]
    [event] = entries(owner_connection, "quota.nearly_used_up")
    assert event.data == {"quota": "views", "span": "day", "used": 2, "most": 4}


def test_forty_at_once_never_exceed_ten(company):
    apply(company, quota("customer.edit", per_day=10))
    lin = company.actor("lin")

    def consume(_number):
        try:
            with acting(lin):
                quotas.consume(lin, "customer.edit")
            return True
        except Denied:
            return False

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(consume, range(40)))
    assert done == 10
    assert left(company, "lin", "customer.edit") == [("day", 0)]


def test_deeds_count_what_they_do_and_a_deed_that_failed_counts_nothing(company):
    apply(
        company, quota("opportunity.create", per_day=3), quota("opportunity.delete", key="deletes", per_day=1)
    )
    lin = company.actor("lin")
    new = [
        actions.NewRecord(
            company.partitions["sh"], company.people["lin"], {"name": f"商机{n}", "stage": "lead"}
        )
        for n in range(4)
    ]
    with pytest.raises(Denied) as refused, acting(lin):
        actions.create_many(lin, OPPORTUNITY, new)
    assert refused.value.decision.code is Code.QUOTA_EXHAUSTED
    assert left(company, "lin", "opportunity.create") == [("day", 3)]
    with acting(lin):
        made = actions.create_many(lin, OPPORTUNITY, new[:3])
    assert left(company, "lin", "opportunity.create") == [("day", 0)]
    with acting(lin):
        actions.delete_record(lin, OPPORTUNITY, made[0], version=1)
    with pytest.raises(Denied, match=r".") as refused, acting(lin):
        actions.delete_record(lin, OPPORTUNITY, made[1], version=1)
    assert refused.value.decision.code is Code.QUOTA_EXHAUSTED
    with acting(lin):
        assert get_record(lin, OPPORTUNITY, made[1]), "only what is used up is closed"


def test_the_operator_has_no_quota(company):
    apply(company, quota(per_day=0))
    operator = Actor.operator()
    with acting(operator):
        assert quotas.standing(operator, "customer.view") == ()
        assert get_record(operator, CUSTOMER, company.customer("qiming"))


def test_the_database_closes_it_by_itself_and_nobody_writes_what_they_used(company, connect_as):
    apply(company, quota(per_day=1))
    view(company, "lin", "qiming")
    app = connect_as("hufu_app")
    lin = company.people["lin"]
    for closed, sees in (("{}", True), ("{-1}", False)):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s, %s)", [lin, closed])
            assert bool(app.execute("SELECT 1 FROM crm_customer").fetchall()) is sees
    with app.transaction():
        app.execute("SELECT hufu.enter(%s, '{}')", [lin])
        assert app.execute("SELECT used FROM access_quota_used").fetchall() == [(1,)]
        for statement in (
            "UPDATE access_quota_used SET used = 0",
            "DELETE FROM access_quota_used",
            "INSERT INTO access_quota_used VALUES (1, 1, 'day', now(), 0)",
            "SELECT 1 FROM access_quota_seen",
            "SELECT hufu.quotas_standing(1)",
            "UPDATE access_quota SET per_day = 1000 RETURNING id",
        ):
            try:
                with app.transaction():
                    assert app.execute(statement).fetchall() == [], statement
            except psycopg.errors.InsufficientPrivilege:
                pass
        with pytest.raises(psycopg.errors.CheckViolation), app.transaction():
            app.execute("SELECT hufu.consume_quota('customer.view', -5, NULL)")
        refuses = app.execute("SELECT refuses FROM hufu.consume_quota('customer.view', 1, NULL)").fetchone()
        assert refuses == (True,)
    with app.transaction():
        app.execute("SELECT hufu.enter(%s, '{}')", [company.people["tang"]])
        assert app.execute("SELECT used FROM access_quota_used").fetchall() == []


def test_what_is_exported_is_what_stands_and_a_quota_that_binds_he_is_changed_by_others(company):
    written = [
        quota(per_hour=20, per_day=100, to={"user": "zhang"}),
        quota(key="office", per_day=9, to={"user": "he"}),
    ]
    apply(company, *written)
    with acting(company.actor("he")):
        assert policy_document.export()["quotas"] == written
    assert apply(company, *written).is_empty
    with pytest.raises(Denied):
        apply(company, quota(key="office", per_day=10, to={"user": "he"}))


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (quota("customer.fly"), "quotas[1].counts"),
        (quota("role.manage"), "quotas[1].counts"),
        (quota(per_day=-1), "quotas[1].per_day"),
        (quota(per_hour=True), "quotas[1].per_hour"),
        (quota(zone="Mars/Olympus"), "quotas[1].zone"),
        (quota(warn_at=0), "quotas[1].warn_at"),
        (quota(to={"user": "nobody"}), "quotas[1].to"),
        (quota(limit=3), "quotas[1]"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(shared, wrong, place):
    with pytest.raises(Invalid) as refused, acting(shared.actor("he")):
        policy_document.plan({"format": 1, "quotas": [wrong]})
    assert list(refused.value.problems) == [place]


def test_the_explanation_names_the_quota_and_says_what_it_allows(company, in_english):
    apply(company, quota(per_hour=50, per_day=200, to={"level": "sales.rep"}))
    with acting(company.actor("he")):
        policy = queries.snapshot()
    lin, chen = company.people["lin"], company.people["chen"]
    said = list(sentences(policy, queries.explain(policy, lin, "customer.view", None, frozenset({-1}))))
    assert said[1] == (
        "“View customers” is held, but the quota “查看客户” on it is used up. "
        "The quota “查看客户” allows “View customers” 50 times an hour and 200 a day (Asia/Shanghai)."
    )
    said = list(sentences(policy, queries.explain(policy, lin, "customer.view", None)))
    assert said[-1].endswith("How much of it is left is not evaluated here.")
    assert queries.explain(policy, chen, "customer.view", None, frozenset({-1})).allowed


@pytest.mark.parametrize(
    ("zone", "moment", "span", "begins", "ends"),
    [
        ("Asia/Shanghai", "2026-11-26T15:59Z", "day", "2026-11-25T16:00Z", "2026-11-26T16:00Z"),
        ("Asia/Shanghai", "2026-11-26T16:00Z", "day", "2026-11-26T16:00Z", "2026-11-27T16:00Z"),
        ("Asia/Kathmandu", "2026-11-26T15:20Z", "hour", "2026-11-26T15:15Z", "2026-11-26T16:15Z"),
        # A day of 25 hours, and an hour that the clock on the wall shows twice.
        ("Europe/Berlin", "2026-10-25T12:00Z", "day", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("Europe/Berlin", "2026-10-25T00:30Z", "hour", "2026-10-25T00:00Z", "2026-10-25T01:00Z"),
        ("Europe/Berlin", "2026-10-25T01:30Z", "hour", "2026-10-25T01:00Z", "2026-10-25T02:00Z"),
    ],
)
def test_when_an_hour_and_a_day_begin_and_end(shared, connect_as, zone, moment, span, begins, ends):
    found = connect_as("hufu_owner").execute(
        "SELECT hufu.span_begins(%(span)s, %(zone)s, %(at)s), hufu.span_ends(%(span)s, %(zone)s, %(at)s)",
        {"span": span, "zone": zone, "at": datetime.fromisoformat(moment)},
    )
    assert found.fetchone() == (datetime.fromisoformat(begins), datetime.fromisoformat(ends))
