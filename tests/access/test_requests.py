"""Access requests: asking tells nothing, deciding is a deed of one's own, and what is given ends by itself.

张伟 (华南) sees no customer of 林悦 (华东); she and those above her may share it. 孙海 stands outside the partition.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from hufu.access import (
    delegated,
    delegations,
    duties,
    explain,
    guard,
    policy_document,
    policy_file,
    queries,
    requests,
)
from hufu.access.decision.requests import Asking, Hint, helpful
from hufu.access.decision.terms import Share
from hufu.access.delegation_models import Delegation
from hufu.access.models import Role
from hufu.access.requests import State
from hufu.core import clock
from hufu.core.errors import Conflict, Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.queries import get_record
from hufu.crm.resources import CUSTOMER
from hufu.people.models import Department, User
from tests.access.test_delegation import lend
from tests.company import company, company_database, publish, unpublish

__all__ = ["company", "company_database"]

ABSENT = "987654"


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def later(days=7):
    return clock.now() + timedelta(days=days)


def ask(company, who, number, access="read", type_name="customer"):
    with acting(company.actor(who)) as unit:
        return requests.ask_for_record(
            unit.actor, type_name, str(number), access=access, until=later(), reason="跟进交货"
        ).pk


def ask_permission(company, who, permission):
    with acting(company.actor(who)) as unit:
        return requests.ask_for_permission(unit.actor, permission, until=later(), reason="月底对账").pk


def grant(company, who, number, access="read"):
    with acting(company.actor(who)) as unit:
        return actions.grant_record(unit.actor, number, access=access, ends_at=later(3), reason="")


def waiting(company, who):
    with acting(company.actor(who)) as unit:
        return [each.pk for each in requests.waiting(unit.actor)]


def deciders(company):
    return {name for name in company.people if name != "zheng" and waiting(company, name)}


def mine(company, who):
    with acting(company.actor(who)) as unit:
        return [each.state for each in requests.mine(unit.actor)]


def sees(company, who, customer="qiming", permission="customer.view"):
    with acting(company.actor(who)) as unit:
        return guard.scope(unit.actor, permission).filter(pk=company.customer(customer)).exists()


def test_zhang_asks_for_lins_customer_and_she_opens_it_until_a_day(company, owner_connection):
    number = ask(company, "zhang", company.customer("qiming"))
    assert deciders(company) == {"lin", "wang", "li"}
    assert (mine(company, "zhang"), sees(company, "zhang")) == ([State.WAITING], False)
    share = grant(company, "lin", number)
    assert (mine(company, "zhang"), sees(company, "zhang")) == ([State.GRANTED], True)
    assert not sees(company, "zhang", permission="customer.edit")
    assert deciders(company) == set()
    with pytest.raises(Conflict):
        grant(company, "wang", number)
    with acting(company.actor("lin")) as unit:
        record = get_record(unit.actor, CUSTOMER, company.customer("qiming"))
        [given] = queries.facts(CUSTOMER, record).shares
        assert (given.given.id, given.request) == (share, number)
        snapshot = queries.snapshot()
        decision = queries.explain(
            snapshot, company.people["zhang"], "customer.view", queries.facts(CUSTOMER, record)
        )
        said = list(explain.sentences(snapshot, decision))
    owner_connection.execute("UPDATE access_share SET ends_at = now() - interval '1 minute'")
    assert not sees(company, "zhang")
    events = owner_connection.execute(
        "SELECT type FROM audit_event WHERE type LIKE 'access.request%' OR type = 'customer.shared' ORDER BY at"
    ).fetchall()
    assert [row[0] for row in events] == ["access.requested", "customer.shared", "access.request_granted"]
    assert f"It was asked for with access request {number}, and ends by itself." in said


def test_absent_forbidden_and_behind_the_wall_are_asked_for_alike(company):
    """Not one query differs, and neither does what stands in “my requests”."""
    numbers = [str(company.customer("qiming")), str(company.customer("pengcheng")), ABSENT, "0", "9" * 40]
    asked = []
    for each in numbers:
        with acting(company.actor("zhang")) as unit, CaptureQueriesContext(connection) as captured:
            requests.ask_for_record(unit.actor, "customer", each, access="read", until=later(), reason="x")
        asked.append([query["sql"].split()[:3] for query in captured.captured_queries])
        assert not any("crm_customer" in query["sql"] for query in captured.captured_queries)
    assert all(each == asked[0] for each in asked)
    with acting(company.actor("zhang")) as unit, CaptureQueriesContext(connection) as captured:
        shown = requests.mine(unit.actor)
        assert {each.state for each in shown} == {State.WAITING}
        assert sorted(each.request.number for each in shown) == sorted(numbers)
    assert len(captured) == 2
    # What nobody can decide is in nobody's way.
    assert len(waiting(company, "lin")) == 1
    assert len(waiting(company, "sun")) == 1


def test_what_is_asked_for_again_is_told_to_wait_and_tells_nothing_of_the_record(company, owner_connection):
    """The same answer for absent, forbidden and walled records, put aside or not; what is not the same is new."""
    numbers = {name: str(company.customer(name)) for name in ("qiming", "pengcheng")} | {"absent": ABSENT}
    asked = {name: ask(company, "zhang", number) for name, number in numbers.items()}
    with acting(company.actor("lin")) as unit:
        requests.reject(unit.actor, asked["qiming"], reason="", tell=False)
    said = []
    for number in (*numbers.values(), f"00{ABSENT}"):
        with (
            acting(company.actor("zhang")) as unit,
            CaptureQueriesContext(connection) as captured,
            pytest.raises(Invalid) as again,
        ):
            requests.ask_for_record(unit.actor, "customer", number, access="read", until=later(), reason="y")
        said.append((str(again.value).split(":")[0], [query["sql"].split()[:3] for query in captured]))
        assert not any("crm_customer" in query["sql"] for query in captured)
    assert all(each == said[0] for each in said)
    assert said[0][0] == "You asked for this already"
    assert len(mine(company, "zhang")) == 3
    # To edit is another thing; what was withdrawn, rejected or never answered may be asked for anew.
    ask(company, "zhang", numbers["qiming"], "edit")
    with acting(company.actor("zhang")) as unit:
        requests.withdraw(unit.actor, asked["absent"])
    ask(company, "zhang", ABSENT)
    ask_permission(company, "zhang", "customer.import")
    with pytest.raises(Invalid):
        ask_permission(company, "zhang", "customer.import")
    owner_connection.execute("UPDATE access_request SET asked_at = now() - interval '31 days'")
    ask(company, "zhang", numbers["qiming"])


def test_of_eight_equal_requests_in_the_same_instant_one_is_kept(company):
    """A double click, or two windows: the others are told that it waits."""
    qiming = company.customer("qiming")

    def asks(_number):
        with translation.override("en"):
            try:
                ask(company, "zhang", qiming)
            except Invalid as refused:
                return str(refused)
        return "asked"

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(asks, range(8)))
    assert said[-1] == "asked"
    assert all(each.startswith("You asked for this already") for each in said[:-1])
    assert mine(company, "zhang") == [State.WAITING]


def test_nobody_decides_about_their_own_request_by_no_way(company, connect_as):
    """王芳 may share 林悦's customer, and not with herself; nor does whoever stands in for her decide by her right."""
    own = ask(company, "wang", company.customer("qiming"), "edit")
    assert "wang" not in deciders(company)
    with pytest.raises(Conflict):
        grant(company, "wang", own)
    # 赵敏 shares nothing of 林悦's, and does not by standing in for her; neither is 林悦's own request hers by that.
    lins = ask(company, "lin", company.customer("haitian"), "edit")
    zhaos = ask(company, "zhao", company.customer("qiming"), "edit")
    before = deciders(company)
    lend(company, "lin", "zhao", "customer.view", "customer.edit")
    lend(company, "tang", "lin", "customer.view", "customer.edit")
    assert deciders(company) == before
    app = connect_as("hufu_app")
    for name, number in (("wang", own), ("lin", lins), ("zhao", lins), ("zhao", zhaos)):
        with pytest.raises(Conflict):
            grant(company, name, number)
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[name]])
            app.execute(
                "INSERT INTO access_request_decision (request_id, granted, told, decided_by_id, decided_at)"
                " VALUES (%s, false, true, %s, now())",
                [number, company.people[name]],
            )


def test_nobody_keeps_a_decider_out_by_delegating_to_them(company):
    """林悦 asks for 唐雨's customer and lends to both who could say yes: they decide in their own name."""
    number = ask(company, "lin", company.customer("haitian"), "edit")
    before = deciders(company)
    assert before >= {"wang", "tang"}
    reached = sees(company, "tang", "haitian", "customer.edit")
    for name in ("wang", "tang"):
        lend(company, "lin", name, "customer.view", "customer.edit")
    assert deciders(company) == before
    grant(company, "wang", number, "edit")
    assert sees(company, "lin", "haitian", "customer.edit")
    assert reached is sees(company, "tang", "haitian", "customer.edit")


def test_whoever_stands_in_for_the_asker_refuses_a_role_and_gives_none_until_the_delegation_ends(
    company, connect_as
):
    """A role of 周涛's would come to 何明 by the delegation; he ends it himself, and gives the role."""
    number = ask_permission(company, "zhou", "customer.edit")
    refused = ask_permission(company, "zhou", "customer.delete")
    lend(company, "zhou", "he", "customer.view")
    assert waiting(company, "he") == [number, refused]
    with acting(company.actor("he")) as unit:
        requests.reject(unit.actor, refused, reason="不需要")

    def give():
        with acting(company.actor("he")) as unit:
            requests.grant_role(unit.actor, number, role=role, ends_at=later(3), reason="")

    with acting(company.actor("he")) as unit:
        role = Role.objects.get(key="rep")
        assert requests.roles_for(unit.actor, requests.to_decide(unit.actor, number)) == []
    with pytest.raises(Invalid, match="You stand in for 周涛"):
        give()
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [company.people["he"]])
        may = app.execute(
            "SELECT hufu.may_decide(%s, NULL), hufu.may_decide(%s, %s)", [number, number, role.pk]
        )
        assert may.fetchone() == (True, False)
    with acting(company.actor("he")) as unit:
        [lent] = Delegation.objects.filter(user_id=unit.actor.user_id)
        delegations.end_delegation(unit.actor, lent.pk)
    give()
    assert mine(company, "zhou") == [State.REJECTED, State.GRANTED]


def test_a_decision_says_what_was_truly_given_and_requests_are_ones_own(company, connect_as):
    number = ask(company, "zhang", company.customer("qiming"))
    app = connect_as("hufu_app")
    for name, statement in (
        # In the name of another, and about what was typed.
        (
            "lin",
            "INSERT INTO access_request (user_id, type, number, access, reason, until, asked_at)"
            " VALUES ({zhang}, 'customer', '1', 'read', '', now(), now())",
        ),
        ("zhang", "UPDATE access_request SET number = '2'"),
        # A share that is not there.
        (
            "lin",
            "INSERT INTO access_request_decision (request_id, granted, told, decided_by_id, decided_at, ends_at,"
            " share_id) VALUES ({number}, true, true, {lin}, now(), now(), 1)",
        ),
        ("lin", "INSERT INTO access_approver (type, by) VALUES ('customer', 'owner')"),
        ("he", "INSERT INTO access_approver (type, by) VALUES ('customer', 'owner')"),
        ("lin", "SELECT * FROM hufu.asked_record('customer', 1)"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[name]])
            app.execute(statement.format(**company.people, number=number))
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [company.people["tang"]])
        assert app.execute("SELECT count(*) FROM access_request").fetchone() == (0,)
        assert app.execute("UPDATE access_request SET withdrawn_at = now()").rowcount == 0


def test_rejected_put_aside_withdrawn_and_lapsed(company, owner_connection):
    number = ask(company, "zhang", company.customer("qiming"))
    with acting(company.actor("lin")) as unit:
        with pytest.raises(Invalid):
            requests.reject(unit.actor, number, reason=" ")
        requests.reject(unit.actor, number, reason="请找唐亮")
    assert mine(company, "zhang") == [State.REJECTED]
    aside = ask(company, "zhang", company.customer("qiming"))
    with acting(company.actor("lin")) as unit:
        requests.reject(unit.actor, aside, reason="", tell=False)
    # Whoever asked sees what stands beside a record that is not there; nobody is asked a second time.
    ask(company, "zhang", ABSENT)
    assert mine(company, "zhang")[:2] == [State.WAITING, State.WAITING]
    assert deciders(company) == set()
    owner_connection.execute("UPDATE access_request SET asked_at = asked_at - interval '31 days'")
    assert mine(company, "zhang")[:2] == [State.LAPSED, State.LAPSED]
    late = ask(company, "zhang", company.customer("qiming"))
    owner_connection.execute(
        "UPDATE access_request SET asked_at = asked_at - interval '31 days' WHERE id = %s", [late]
    )
    with pytest.raises(Conflict):
        grant(company, "lin", late)
    back = ask(company, "zhang", company.customer("qiming"))
    with acting(company.actor("tang")) as unit:
        requests.withdraw(unit.actor, back)
    assert waiting(company, "lin") == [back]
    with acting(company.actor("zhang")) as unit:
        requests.withdraw(unit.actor, back)
    assert (waiting(company, "lin"), mine(company, "zhang")[0]) == ([], State.WITHDRAWN)


def test_to_grant_is_the_deed_of_sharing_and_ends_at_the_wall(company):
    suns = ask(company, "sun", company.customer("qiming"))
    with pytest.raises(Invalid, match="not admitted"):
        grant(company, "lin", suns)
    assert mine(company, "sun") == [State.WAITING]
    # 唐亮 views it and may not share it; nobody gives more than was asked for, nor without an end.
    number = ask(company, "zhang", company.customer("qiming"))
    with pytest.raises(Conflict):
        grant(company, "tang", number)
    with pytest.raises(Invalid, match="asked to view"):
        grant(company, "lin", number, "edit")
    with acting(company.actor("lin")) as unit, pytest.raises(Invalid, match="At most"):
        actions.grant_record(unit.actor, number, access="read", ends_at=later(400), reason="")
    # A contact opens with the customer that it belongs to.
    contact = ask(company, "zhang", company.contact("gao"), type_name="contact")
    grant(company, "lin", contact)
    assert sees(company, "zhang")


def test_who_decides_is_policy(company, owner_connection):
    number = ask(company, "zhang", company.customer("qiming"))
    section = [
        {"records": "customer", "by": "manager_of_owner"},
        {"records": "customer", "partition": "sz", "by": "owner"},
    ]
    publish(company, {"format": 1, "approvals": section})
    assert deciders(company) == {"wang", "li"}
    with pytest.raises(Conflict):
        grant(company, "lin", number)
    with acting(company.actor("he")):
        assert policy_document.export()["approvals"] == section
        assert policy_document.plan({"format": 1, "approvals": section}) == ()
    gone = {"approvals": [section[0]]}
    for by, expected in (
        ({"user": "lin"}, {"lin"}),
        ({"role": "executive"}, {"li"}),
        # He stands above 张伟, and may not share 林悦's customer: to be an approver gives no right.
        ({"user": "zhao"}, set()),
        ("owner", {"lin"}),
        ("manager_of_requester", {"wang", "li"}),
    ):
        entry = {"records": "customer", "by": by}
        publish(company, {"format": 1, "approvals": [entry], "removes": gone})
        assert deciders(company) == expected, by
        gone = {"approvals": [entry]}
    with acting(company.actor("he")), pytest.raises(Invalid) as refused:
        policy_document.plan(
            {
                "format": 1,
                "approvals": [
                    {"records": "contact", "by": "owner"},
                    {"role": "rep", "by": "owner"},
                    {"role": "rep", "partition": "sh", "by": {"user": "li"}},
                    {"records": "customer", "by": "somebody"},
                    {"records": "customer", "by": {"role": "none"}},
                ],
            }
        )
    assert len(refused.value.problems) == 5


def test_a_permission_is_asked_for_and_a_role_is_given_until_a_day(company, owner_connection):
    """何明 gives roles; so does 王芳, entrusted with one; separation of duties holds as for every gift."""
    unpublish(owner_connection)
    with acting(company.actor("he")) as unit:
        delegated.entrust(
            unit.actor,
            User.objects.get(username="wang"),
            within=Department.objects.get(code="east"),
            roles=[Role.objects.get(key="rep_reading")],
            reason="x",
        )
        duties.set_duty(
            unit.actor,
            key="d",
            name="对账与销售",
            roles=[Role.objects.get(key="finance"), Role.objects.get(key="rep")],
        )
    number = ask_permission(company, "qian", "customer.view")
    assert deciders(company) == {"he", "wang"}

    def offered(name):
        with acting(company.actor(name)) as unit:
            return {
                role.key for role in requests.roles_for(unit.actor, requests.to_decide(unit.actor, number))
            }

    assert offered("wang") == {"rep_reading"}
    assert offered("he") == {"rep", "rep_reading", "manager", "executive", "service", "finance"}

    def give(name, key, number=number):
        with acting(company.actor(name)) as unit:
            role = Role.objects.get(key=key)
            requests.grant_role(unit.actor, number, role=role, ends_at=later(2), reason="")

    with pytest.raises(Invalid, match="Choose a role"):
        give("wang", "finance")
    give("wang", "rep_reading")
    assert (mine(company, "qian"), sees(company, "qian")) == ([State.GRANTED], True)
    owner_connection.execute(
        "UPDATE access_assignment SET ends_at = now() + interval '1 millisecond' WHERE ends_at > now()"
    )
    assert not sees(company, "qian")
    lins = ask_permission(company, "lin", "customer.view")
    with pytest.raises(Invalid, match="对账与销售"):
        give("he", "finance", lins)
    assert mine(company, "lin") == [State.WAITING]
    # 何明 does not answer himself.
    assert ask_permission(company, "he", "customer.view") not in waiting(company, "he")


def test_asking_is_counted_and_there_is_an_end_to_it(company, owner_connection):
    unpublish(owner_connection)
    with acting(company.actor("he")) as unit:
        policy_file.apply(
            unit.actor,
            {
                "format": 1,
                "quotas": [{"key": "asks", "name": "申请次数", "counts": "access.request", "per_day": 2}],
            },
        )
    for each in (company.customer("qiming"), ABSENT):
        ask(company, "zhang", each)
    for each in (company.customer("yunhe"), "987655"):
        with pytest.raises(Denied, match="used up"):
            ask(company, "zhang", each)
    owner_connection.execute("DELETE FROM access_quota")
    for each in range(requests.MOST_A_DAY - 2):
        ask(company, "zhang", 5000 + each)
    with pytest.raises(Invalid, match="today"):
        ask(company, "zhang", "987655")
    assert mine(company, "lin") == []


def test_why_not_names_the_request_that_would_help(company):
    def hints(name, permission, customer="qiming"):
        with acting(company.actor("li")) as unit:
            record = get_record(unit.actor, CUSTOMER, company.customer(customer))
            facts = queries.facts(CUSTOMER, record)
        with acting(company.actor("he")):
            snapshot = queries.snapshot()
            decision = queries.explain(snapshot, company.people[name], permission, facts)
            return helpful(decision), list(explain.sentences(snapshot, decision))[-1]

    assert hints("zhang", "customer.view") == (
        (Hint(Asking.RECORD, Share.READ),),
        "张伟 can ask for access to the record: whoever may share it can open it until a day, to view.",
    )
    assert hints("zhang", "customer.edit")[0] == (Hint(Asking.RECORD, Share.EDIT),)
    assert hints("tang", "customer.delete") == (
        (Hint(Asking.PERMISSION, permission="customer.delete"),),
        "唐亮 can ask for “Delete customers”: whoever may give a role that grants it can do so until a day.",
    )
    assert hints("chen", "customer.edit")[0] == (Hint(Asking.WALL),)
    assert hints("sun", "customer.view")[0] == (Hint(Asking.WALL),)
    assert hints("zheng", "customer.view")[0] == ()
    assert hints("lin", "customer.view")[0] == ()
