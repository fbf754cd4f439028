"""Break-glass: 张伟 (华南) opens the customers of 上海 to himself for minutes; it is loud, it ends, it is reviewed."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils import translation

from hufu.access import (
    as_of,
    break_glass,
    change_sets,
    delegations,
    explain,
    guard,
    policy_document,
    prohibitions,
    queries,
)
from hufu.access.actions import Principal
from hufu.access.decision.decide import Code
from hufu.access.policy_document import plan
from hufu.core import clock
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm import queries as crm_queries
from hufu.crm.resources import CONTACT, CUSTOMER
from hufu.people.models import User
from tests.company import company, company_database, publish

__all__ = ["company", "company_database"]

SECTION = [
    {"key": "night", "name": "夜间应急", "role": "rep", "types": ["customer", "contact"], "minutes": 60}
]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture(scope="module")
def beginning():
    return lambda company: publish(company, {"format": 1, "break_glass": SECTION})


@pytest.fixture
def ruled(begun):
    return begun


def break_it(company, who="zhang", minutes=30, key="night", reason="客户产线停机"):
    with acting(company.actor(who)) as unit:
        return break_glass.break_glass(unit.actor, key, minutes=minutes, reason=reason).pk


def sees(company, who="zhang", customer="qiming", permission="customer.view"):
    with acting(company.actor(who)) as unit:
        return guard.scope(unit.actor, permission).filter(pk=company.customer(customer)).exists()


def told(company, who="zhang", permission="customer.view", customer="qiming"):
    with acting(company.actor("li")) as unit:
        facts = queries.facts(
            CUSTOMER, crm_queries.get_record(unit.actor, CUSTOMER, company.customer(customer))
        )
    with acting(company.actor("he")):
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, company.people[who], permission, facts)
        return decision, list(explain.sentences(snapshot, decision))


def test_zhang_opens_what_the_rule_names_and_everybody_concerned_is_told(ruled, connect_as, owner_connection):
    assert not sees(ruled)
    assert told(ruled)[1][-1] == (
        "In an emergency 张伟 may open it by break-glass “夜间应急”, for 60 minutes at most; others are told."
    )
    use = break_it(ruled)
    assert (sees(ruled), sees(ruled, permission="customer.edit")) == (True, False)
    # The wall stands: he is not admitted to 深圳. What follows the customer is open, too.
    assert not sees(ruled, customer="pengcheng")
    with acting(ruled.actor("zhang")) as unit:
        assert crm_queries.get_record(unit.actor, CONTACT, ruled.contact("gao"))
        assert crm_queries.get_record(unit.actor, CUSTOMER, ruled.customer("qiming"))
        with pytest.raises(NotFound):
            crm_queries.get_record(unit.actor, CUSTOMER, ruled.customer("pengcheng"))
        assert break_glass.is_open(unit.actor)
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [ruled.people["zhang"]])
        assert app.execute("SELECT count(*) FROM crm_customer WHERE deleted_at IS NULL").fetchone() == (4,)
    decision, said = told(ruled)
    assert (decision.code, [cover.glass.id for cover in decision.covers]) == (Code.COVERED, [use])
    assert said[1].startswith("张伟 opened it by break-glass “夜间应急”, from ")
    assert told(ruled, permission="customer.edit")[0].allowed is False
    with acting(ruled.actor("he")) as unit:
        may = queries.who_may(unit.actor, "customer.view", ruled.customer("qiming"))
        assert ruled.people["zhang"] in may
    for name, expected in (("he", [use]), ("wu", [use]), ("li", []), ("zhang", [])):
        with acting(ruled.actor(name)) as unit:
            assert [each.pk for each in break_glass.standing(unit.actor)] == expected
    events = [
        row[0]
        for row in owner_connection.execute(
            "SELECT type FROM audit_event WHERE type LIKE 'security.glass%' ORDER BY at"
        )
    ]
    assert events == ["security.glass_broken", "security.glass_used", "security.glass_used"]


def test_it_ends_by_itself_by_hand_and_with_the_role_or_the_rule(ruled, owner_connection):
    use = break_it(ruled)
    [valid, ends] = owner_connection.execute(
        "SELECT r.valid_until, u.ends_at FROM access_reach r JOIN access_break_glass_use u USING (user_id)"
    ).fetchone()
    assert valid == ends
    owner_connection.execute(
        "UPDATE access_break_glass_use SET starts_at = starts_at - interval '1 hour', ends_at = now()"
    )
    assert not sees(ruled)
    assert "张伟 had opened it by break-glass “夜间应急”; that ended: " in told(ruled)[1][-2]
    for ender in ("zhang", "he", "wu"):
        use = break_it(ruled)
        assert sees(ruled)
        # 林悦 does not even see that it is open.
        with acting(ruled.actor("lin")) as unit:
            break_glass.end(unit.actor, use)
        assert sees(ruled)
        with acting(ruled.actor(ender)) as unit:
            break_glass.end(unit.actor, use)
        assert not sees(ruled), ender
    break_it(ruled)
    publish(ruled, {"format": 1, "removes": {"break_glass": ["night"]}})
    assert not sees(ruled)
    publish(ruled, {"format": 1, "break_glass": SECTION})
    break_it(ruled)
    owner_connection.execute("UPDATE people_user SET level_id = NULL WHERE username = 'zhang'")
    assert not sees(ruled)
    assert told(ruled)[0].allowed is False


def test_it_is_never_put_together_with_what_one_holds_nor_handed_on(ruled, owner_connection):
    """张伟 may edit every customer that he may view: what he opened to view he does not edit."""
    owner_connection.execute(
        "INSERT INTO access_grant (role_id, permission, scope) SELECT id, p, 'everything' FROM access_role,"
        " unnest('{customer.edit,customer.share,customer.transfer}'::text[]) p WHERE key = 'empty'"
    )
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by)"
        " SELECT id, %s, false, '', -1 FROM access_role WHERE key = 'empty'",
        [ruled.people["zhang"]],
    )
    break_it(ruled)
    for permission in ("customer.edit", "customer.share", "customer.transfer"):
        assert not sees(ruled, permission=permission)
        assert told(ruled, permission=permission)[0].allowed is False
    to = Principal(user=User.objects.get(username="tang"))
    with pytest.raises(Denied), acting(ruled.actor("zhang")) as unit:
        actions.share_record(unit.actor, CUSTOMER, ruled.customer("qiming"), to=to, access="read", reason="x")
    with pytest.raises(Denied), acting(ruled.actor("zhang")) as unit:
        actions.edit_record(unit.actor, CUSTOMER, ruled.customer("qiming"), {"stage": "won"}, version=1)
    with acting(ruled.actor("zhang")) as unit:
        delegations.delegate(
            unit.actor,
            User.objects.get(username="lin"),
            permissions=["customer.view"],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1),
            reason="x",
        )
    assert sees(ruled, "lin", "nanfang")
    owner_connection.execute(
        "DELETE FROM access_assignment WHERE role_id = (SELECT id FROM access_role WHERE key = 'empty')"
    )
    owner_connection.execute(
        "UPDATE crm_customer SET department_id = %s WHERE id = %s",
        [ruled.departments["far"], ruled.customer("haitian")],
    )
    assert sees(ruled, "zhang", "haitian")
    assert not sees(ruled, "lin", "haitian")
    # Reporting tools, which leave no trace of records, have it closed.
    assert owner_connection.execute(
        "SELECT gates FROM access_term WHERE holder_id < -1000000"
    ).fetchall() == [([0],)]


def test_a_rule_may_open_editing_in_some_partitions_and_a_prohibition_wins(company, owner_connection):
    rule = {**SECTION[0], "access": "edit", "partitions": ["sh"]}
    publish(company, {"format": 1, "break_glass": [rule]})
    break_it(company)
    assert sees(company, permission="customer.edit")
    with acting(company.actor("zhang")) as unit:
        actions.edit_record(unit.actor, CUSTOMER, company.customer("qiming"), {"stage": "won"}, version=1)
    assert told(company, permission="customer.edit")[0].allowed
    # 孙海 opens it, and it opens nothing: the rule does not go to 深圳, and he is not admitted to 上海.
    break_it(company, "sun")
    assert not sees(company, "sun", "qiming")
    with acting(company.actor("he")) as unit:
        prohibitions.forbid(
            unit.actor, "customer.edit", to=Principal(user=User.objects.get(username="zhang")), reason="x"
        )
    assert (sees(company), sees(company, permission="customer.edit")) == (True, False)
    publish(company, {"format": 1, "break_glass": [{**rule, "partitions": ["sz"]}]})
    assert not sees(company)


def test_an_access_limit_on_the_role_binds_what_is_opened_and_is_named(ruled):
    """The limit is on the role of the rule alone: what 张伟 holds by another role would be open."""
    night = {"networks": ["10.0.0.0/8"]}
    gate = {"key": "office", "name": "办公网", "conditions": night, "binds": {"roles": ["rep"]}}
    publish(ruled, {"format": 1, "gates": [gate]})
    break_it(ruled)
    with acting(ruled.actor("li")) as unit:
        facts = queries.facts(
            CUSTOMER, crm_queries.get_record(unit.actor, CUSTOMER, ruled.customer("qiming"))
        )
    with acting(ruled.actor("he")):
        snapshot = queries.snapshot()
        [number] = snapshot.gate_names
        closed = queries.explain(
            snapshot, ruled.people["zhang"], "customer.view", facts, closed=frozenset({number})
        )
        said = list(explain.sentences(snapshot, closed))
        assert queries.explain(snapshot, ruled.people["zhang"], "customer.view", facts).allowed
    assert closed.code is Code.GATE_CLOSED
    assert said == [
        "No: 张伟 may not: View customers.",
        "张伟 opened it by break-glass “夜间应急”, but the access limit “办公网” binds that, too, and is closed.",
    ]


def test_who_may_tells_the_owner_and_whoever_stands_in_before_the_glass(company, owner_connection):
    """Two differences that the comparison found: 张伟's own customer, and one that 李强 lends him the view of."""
    publish(company, {"format": 1, "break_glass": [{**SECTION[0], "access": "edit"}]})
    owner_connection.execute(
        "DELETE FROM access_grant WHERE permission = 'customer.edit'"
        " AND role_id = (SELECT id FROM access_role WHERE key = 'rep')"
    )
    with acting(company.actor("li")) as unit:
        delegations.delegate(
            unit.actor,
            User.objects.get(username="zhang"),
            permissions=["customer.view"],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1),
            reason="x",
        )
    break_it(company)
    for permission, customer, by in (
        ("customer.edit", "nanfang", "glass"),
        ("customer.view", "qiming", "delegation"),
    ):
        covers = told(company, permission=permission, customer=customer)[0].covers
        assert getattr(covers[-1], by) is not None
        with acting(company.actor("he")) as unit:
            may = queries.who_may(unit.actor, permission, company.customer(customer))
        assert may[company.people["zhang"]] is covers[-1].because


def test_who_may_not_and_what_is_too_much(ruled, connect_as, owner_connection):
    for who in ("qian", "chen", "he", "wu"):
        with pytest.raises(Denied):
            break_it(ruled, who)
    for wrong in ({"minutes": 61}, {"minutes": 0}, {"reason": " "}):
        with pytest.raises(Invalid):
            break_it(ruled, **wrong)
    use = break_it(ruled)
    with pytest.raises(Invalid, match="open already"):
        break_it(ruled)
    app = connect_as("hufu_app")
    rule = owner_connection.execute("SELECT id FROM access_break_glass").fetchone()[0]
    insert = (
        "INSERT INTO access_break_glass_use (user_id, rule_id, starts_at, ends_at, reason)"
        " VALUES ({whose}, {rule}, now() + interval '{start}', now() + interval '{end}', 'x')"
    )
    zhang, lin, qian = (ruled.people[name] for name in ("zhang", "lin", "qian"))
    for who, statement in (
        (zhang, insert.format(whose=lin, rule=rule, start="0", end="10 minutes")),
        (zhang, insert.format(whose=zhang, rule=rule, start="0", end="3 hours")),
        (zhang, insert.format(whose=zhang, rule=rule, start="2 hours", end="3 hours")),
        (qian, insert.format(whose=qian, rule=rule, start="0", end="10 minutes")),
        (zhang, "UPDATE access_break_glass_use SET ends_at = ends_at + interval '1 hour'"),
        (zhang, "UPDATE access_break_glass_use SET reason = 'x'"),
        (zhang, "DELETE FROM access_break_glass_use"),
        (zhang, "UPDATE access_break_glass SET minutes = 400"),
        (zhang, f"INSERT INTO access_break_glass_review VALUES ({use}, now(), 'x', {zhang})"),
        (
            ruled.people["wu"],
            f"INSERT INTO access_break_glass_review (use_id, reviewed_at, finding, reviewed_by_id)"
            f" VALUES ({use}, now(), 'x', {ruled.people['wu']})",
        ),
    ):
        try:
            with app.transaction(force_rollback=True):
                app.execute("SELECT hufu.enter(%s)", [who])
                done = app.execute(statement)
                assert "break_glass SET minutes" in statement, statement
                assert done.rowcount == 0
        except psycopg.errors.InsufficientPrivilege:
            continue
    # In three-administrator mode no administrator comes to business data so.
    level = [ruled.levels["rep"]]
    owner_connection.execute("UPDATE people_user SET level_id = %s WHERE username = 'wu'", level)
    owner_connection.execute("DELETE FROM access_company")
    owner_connection.execute("INSERT INTO access_company (id, name, mode) VALUES (1, '', 'three')")
    with pytest.raises(Denied):
        break_it(ruled, "wu")


def test_somebody_else_reviews_it_when_it_is_over(ruled, owner_connection):
    use = break_it(ruled)

    def review(name, finding="属实"):
        with acting(ruled.actor(name)) as unit:
            break_glass.review(unit.actor, use, finding=finding)

    with pytest.raises(Invalid, match="still open"):
        review("wu")
    with acting(ruled.actor("zhang")) as unit:
        break_glass.end(unit.actor, use)
    with pytest.raises(Denied):
        review("zhang")
    with pytest.raises(Denied):
        review("li")
    with pytest.raises(Invalid, match="what you found"):
        review("wu", " ")
    review("wu")
    with pytest.raises(Invalid, match="Nothing is to be reviewed"):
        review("he")
    with acting(ruled.actor("he")) as unit:
        assert break_glass.standing(unit.actor) == []


def test_what_was_open_on_another_day_is_known(ruled, owner_connection):
    he = ruled.actor("he")
    use = break_it(ruled)

    def could(at):
        with acting(he):
            found = as_of.who_could_at(he, "customer.view", ruled.customer("qiming"), at)
        return ruled.people["zhang"] in {each.person_id for each in found.decisions}

    during = clock.now()
    with acting(ruled.actor("zhang")) as unit:
        break_glass.end(unit.actor, use)
    assert could(during)
    assert not could(clock.now())


WIDE = {**SECTION[0], "access": "edit", "partitions": ["sh", "sz"]}


@pytest.mark.parametrize(
    ("name", "narrower", "wider"),
    [
        ("minutes", 30, 61),
        ("types", ["customer"], ["customer", "contact", "opportunity"]),
        ("partitions", ["sh"], []),
        ("access", "read", None),
        ("role", None, "manager"),
    ],
)
def test_to_lower_a_rule_is_immediate_by_one_person_and_to_raise_it_waits(company, name, narrower, wider):
    publish(company, {"format": 1, "break_glass": [WIDE]})
    he = company.actor("he")

    def submit(value):
        with acting(he):
            document = {"format": 1, "break_glass": [{**WIDE, name: value}]}
            made = change_sets.submit(he, document, title="x")
            return made.rehearsal.narrows, made.version > 0

    if wider is not None:
        assert submit(wider) == (False, False)
    if narrower is not None:
        assert submit(narrower) == (True, True)
        with acting(he):
            assert policy_document.export()["break_glass"][0].get(name, "read") == narrower
            back = change_sets.submit(he, {"format": 1, "break_glass": [WIDE]}, title="x")
        assert (back.rehearsal.narrows, back.version) == (False, 0)
        with acting(he):
            gone = change_sets.submit(he, {"format": 1, "removes": {"break_glass": ["night"]}}, title="x")
        assert gone.version > 0


def test_a_change_set_that_says_it_narrows_raises_no_rule_in_sql(company, connect_as, owner_connection):
    publish(company, {"format": 1, "break_glass": [{**WIDE, "partitions": ["sh"], "access": "read"}]})
    owner_connection.execute(
        "INSERT INTO access_change_set (number, title, reason, author, base_version, document, narrows, risk, outcome,"
        " submitted_at) SELECT 99, 'x', '', %s, max(number), '{}', true, 'low', '', now() FROM access_version",
        [company.people["he"]],
    )
    app = connect_as("hufu_app")
    for change, is_narrow in (
        ("minutes = 5", True),
        ("types = '{customer}'", True),
        ("minutes = 400", False),
        ("types = '{customer,contact,opportunity}'", False),
        ("partitions = '{}'", False),
        ("access = 'edit'", False),
        ("name = 'other'", False),
        ("role_id = (SELECT id FROM access_role WHERE key = 'manager')", False),
    ):
        with app.transaction(force_rollback=True):
            app.execute("SELECT hufu.enter(%s)", [company.people["he"]])
            app.execute("SELECT hufu.publish(99, '')")
            update = f"UPDATE access_break_glass SET {change}"
            if is_narrow:
                assert app.execute(update).rowcount == 1
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(update)


def test_the_section_reads_back_and_says_what_is_wrong(company):
    section = [{**SECTION[0], "partitions": ["sh"], "access": "edit"}, {**SECTION[0], "key": "day"}]
    section = [
        {
            name: each[name]
            for name in ("key", "name", "role", "types", "partitions", "access", "minutes")
            if name in each
        }
        for each in section
    ]
    publish(company, {"format": 1, "break_glass": section})
    with acting(company.actor("he")):
        assert policy_document.export()["break_glass"] == section
        assert plan({"format": 1, "break_glass": section}) == ()
        with pytest.raises(Invalid) as refused:
            plan(
                {
                    "format": 1,
                    "break_glass": [
                        {**SECTION[0], "role": "none"},
                        {**SECTION[0], "key": "b", "types": ["contact"]},
                        {**SECTION[0], "key": "c", "types": ["nothing"]},
                        {**SECTION[0], "key": "d", "partitions": ["none"]},
                        {**SECTION[0], "key": "e", "minutes": 1000},
                        {**SECTION[0], "key": "f", "access": "all"},
                    ],
                }
            )
        assert len(refused.value.problems) == 6
