"""Sharing rules and territories: what meets a condition is shared, exactly and never wider."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from hufu.access import as_of, explain, guard, policy_document, policy_file, queries, sharing
from hufu.access.actions import Principal
from hufu.access.decision.decide import Code
from hufu.access.models import SharingRule
from hufu.access.sharing import Rule
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import Department, User
from hufu.staffing import actions as staffing
from tests.company import republish, unpublish
from tests.pools import a_pool, a_pooled_customer

OPERATOR = Actor.operator()
MEDICAL = {"field": "industry", "is": ["medical"]}


@pytest.fixture
def he(company, owner_connection):
    """何明, who manages roles and rules and sees no customer: before version 1, when rules come by deeds."""
    unpublish(owner_connection)
    return company.actor("he")


@pytest.fixture
def medical(company, owner_connection):
    """启明 is a medical customer, 海天 one of food; the others have no industry."""
    for name, industry in (("qiming", "medical"), ("haitian", "food")):
        owner_connection.execute(
            "UPDATE crm_customer SET industry = %s WHERE id = %s", [industry, company.customer(name)]
        )


def to(company, **whom):
    kind, name = next(iter(whom.items()))
    model, numbers = {"user": (User, company.people), "department": (Department, company.departments)}[kind]
    return Principal(**{kind: model.objects.get(pk=numbers[name])}, below=whom.get("below", False))


def share(he, company, condition, *, key="r", **more):
    """Set a rule that shares with 华南, or with whom `to` names."""
    with acting(he):
        whom = more.pop("to", {"department": "south"})
        rule = Rule(key, more.pop("name", "医疗客户"), "customer", condition, (to(company, **whom),), **more)
        return sharing.set_rule(he, rule)


def seen(company, name, permission="customer.view"):
    """Return the customers that somebody's list shows, by name."""
    numbers = {number: customer for customer, number in company.customers.items()}
    actor = company.actor(name)
    with acting(actor):
        return {numbers[pk] for pk in guard.scope(actor, permission).values_list("pk", flat=True)}


def told(company, he, name, permission, customer):
    """Return the decision about somebody, and its sentences, as 何明 is told."""
    with acting(OPERATOR):
        row = guard.scope(OPERATOR, "customer.view").get(pk=company.customer(customer))
        facts = queries.facts(CUSTOMER, row)
    with acting(he):
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, company.people[name], permission, facts)
        return decision, list(explain.sentences(snapshot, decision))


def test_zhang_views_medical_customers_and_only_as_long_as_they_are(
    company, he, medical, owner_connection, in_english
):
    assert seen(company, "zhang") == {"nanfang"}
    share(he, company, MEDICAL)
    assert seen(company, "zhang") == {"nanfang", "qiming"}
    decision, said = told(company, he, "zhang", "customer.view", "qiming")
    assert decision.covers[0].rule.rule.key == "r"
    assert (
        "The sharing rule “医疗客户” shares it with department “华南”, to view: the record meets its condition."
        in said
    )
    zhang = company.actor("zhang")
    with acting(zhang):
        record = guard.get(zhang, "customer.view", company.customer("qiming"))
        # A share widens view (and edit) alone; nothing is given on, taken over or thrown away.
        for verb in ("edit", "delete", "transfer", "share"):
            assert not guard.may(zhang, f"customer.{verb}", record)
    lin = company.actor("lin")
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, company.customer("qiming"), {"industry": "food"}, version=1)
    assert seen(company, "zhang") == {"nanfang"}
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, company.customer("yunhe"), {"industry": "medical"}, version=1)
    assert seen(company, "zhang") == {"nanfang", "yunhe"}


def test_a_rule_to_edit_lets_edit_even_what_then_leaves_it(company, he, medical):
    share(he, company, MEDICAL, access="edit")
    zhang = company.actor("zhang")
    with acting(zhang):
        crm.edit_record(zhang, CUSTOMER, company.customer("qiming"), {"industry": "food"}, version=1)
    assert seen(company, "zhang") == {"nanfang"}


def test_a_rule_on_a_department_without_those_below_does_not_reach_the_departments_below(company, he):
    share(he, company, {"owner_department": company.departments["sales"]}, to={"user": "zhao"})
    assert "nanfang" not in seen(company, "zhao")
    share(he, company, {"owner_department": company.departments["sales"], "below": True}, to={"user": "zhao"})
    assert "nanfang" in seen(company, "zhao")
    # Nor does one that shares with 销售部 alone reach whoever works in 华东.
    share(he, company, {"owner_department": company.departments["south"]}, to={"department": "sales"})
    assert "nanfang" not in seen(company, "zhao")


def test_zhao_gains_nothing_through_a_group_of_a_group(company, owner_connection):
    """Groups do not nest: a member is a person, for the database and for every file that is read."""
    members = owner_connection.execute(
        "SELECT array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns"
        " WHERE table_name = 'people_group_member' AND column_name LIKE '%\\_id'"
    ).fetchone()[0]
    assert members == ["group_id", "user_id"]
    nested = {
        "key": "r",
        "name": "r",
        "type": "customer",
        "condition": MEDICAL,
        "to": {"group": {"group": "inner"}},
    }
    with acting(company.actor("he")), pytest.raises(Invalid) as refused:
        policy_document.plan({"format": 1, "sharing_rules": [nested]})
    assert "sharing_rules[1].to" in refused.value.problems


def test_what_is_not_there_is_neither_met_nor_the_opposite(company, he, medical, owner_connection):
    """L20: an empty field, a record without owner and an owner without level are unknown, whichever way one asks."""
    a_pooled_customer(owner_connection, company)
    share(he, company, {"not": MEDICAL})
    assert seen(company, "zhang") == {"nanfang", "haitian"}
    executive = {"owner_level": company.levels["executive"]}
    share(he, company, {"not": executive})
    assert seen(company, "zhang") == {"nanfang", "qiming", "yunhe"}
    owner_connection.execute("UPDATE people_user SET level_id = NULL WHERE id = %s", [company.people["lin"]])
    assert seen(company, "zhang") == {"nanfang"}
    share(he, company, {"any": [{"not": executive}, {"field": "industry", "empty": True}]})
    assert seen(company, "zhang") == {"nanfang", "yunhe"}


def test_an_owner_s_role_counts_by_whatever_way_and_as_long_as_it_is_held(company, he, owner_connection):
    with acting(he):
        rep = sharing.Role.objects.get(key="rep").id
    # 王芳 holds 销售代表 by inheriting, 林悦 by her level; 周涛 gets it for a moment.
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = %s WHERE id = %s",
        [company.people["zhou"], company.customer("haitian")],
    )
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = %s WHERE id = %s",
        [company.people["wang"], company.customer("yunhe")],
    )
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, ends_at, reason, given_by)"
        " VALUES (%s, %s, clock_timestamp() + interval '1 hour', '', -1)",
        [rep, company.people["zhou"]],
    )
    share(he, company, {"owner_role": rep})
    assert seen(company, "zhang") == {"nanfang", "qiming", "yunhe", "haitian"}
    # The hour passes: nothing changes but the clock.
    for statement in (
        "ALTER TABLE access_assignment DISABLE TRIGGER USER",
        "UPDATE access_assignment SET ends_at = clock_timestamp() WHERE ends_at IS NOT NULL",
        "ALTER TABLE access_assignment ENABLE TRIGGER USER",
        "UPDATE access_reach SET valid_until = clock_timestamp() WHERE user_id = 0 AND valid_until IS NOT NULL",
    ):
        owner_connection.execute(statement)
    assert seen(company, "zhang") == {"nanfang", "qiming", "yunhe"}


def test_the_wall_stands_before_every_rule(company, he, owner_connection):
    owner_connection.execute("UPDATE crm_customer SET industry = 'medical'")
    share(he, company, MEDICAL)
    assert "pengcheng" not in seen(company, "zhang")
    share(he, company, MEDICAL, to={"user": "sun"})
    assert seen(company, "sun") == {"pengcheng"}


def test_a_rule_gives_nothing_to_those_without_the_permission(company, he, medical, in_english):
    share(he, company, MEDICAL, to={"user": "qian"})
    assert seen(company, "qian") == set()
    decision, said = told(company, he, "qian", "customer.view", "qiming")
    assert decision.code is Code.NO_GRANT
    assert (
        "“医疗客户” shares such records with the person 钱多, but only those profit who hold the permission."
        in said
    )


def test_what_a_rule_lacks_is_said(company, he, medical, in_english):
    yesterday = clock.now() - timedelta(days=1)
    share(he, company, MEDICAL, starts_at=yesterday - timedelta(days=9), ends_at=yesterday)
    assert seen(company, "zhang") == {"nanfang"}
    assert any("that ended" in line for line in told(company, he, "zhang", "customer.view", "qiming")[1])
    share(he, company, MEDICAL)
    said = told(company, he, "zhang", "customer.edit", "qiming")[1]
    assert "“医疗客户” shares such records with department “华南”, only to view." in said
    said = told(company, he, "sun", "customer.view", "qiming")[1]
    assert "“医疗客户” shares such records with department “华南”." in said


def test_superiors_of_recipients_profit_where_the_rule_says_so(company, he, medical, owner_connection):
    pool = a_pool(owner_connection, company)
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = NULL, pool_id = %s WHERE partition_id = 1", [pool]
    )
    share(he, company, MEDICAL)
    assert seen(company, "wang") == set()
    share(he, company, MEDICAL, superiors=True)
    # 张伟 reports to 王芳 through 郑凯, who is suspended.
    assert seen(company, "wang") == {"qiming"}


def test_members_of_a_territory_reach_what_matches_below_and_nobody_reaches_above(
    company, he, medical, in_english
):
    def territory(key, name, condition, whom, parent=None):
        with acting(he):
            rule = Rule(
                key, name, "customer", condition, (to(company, user=whom),), territory=True, parent=parent
            )
            sharing.set_rule(he, rule)

    territory("all", "全国", {"field": "industry", "is": ["food"]}, "sun")
    territory("east", "医疗区", MEDICAL, "zhang", "all")
    # 孙海 is a member above, but is not admitted to 上海: the wall stands.
    assert seen(company, "sun") == {"pengcheng"}
    territory("all", "全国", {"field": "industry", "is": ["food"]}, "zhang")
    territory("east", "医疗区", MEDICAL, "sun", "all")
    assert seen(company, "zhang") == {"nanfang", "qiming", "haitian"}
    said = told(company, he, "zhang", "customer.view", "qiming")[1]
    assert "Members of “全国” also reach what matches the territories below it." in said
    territory("all", "全国", {"field": "industry", "is": ["food"]}, "sun")
    territory("east", "医疗区", MEDICAL, "zhang", "all")
    assert seen(company, "zhang") == {"nanfang", "qiming"}
    with pytest.raises(Invalid):
        territory("all", "全国", MEDICAL, "sun", "east")


def test_a_rule_that_names_what_is_gone_shares_nothing_and_says_so(company, he, owner_connection, in_english):
    gone = owner_connection.execute(
        "INSERT INTO people_department (id, name, code) VALUES (900, '撤销的部门', 'gone') RETURNING id"
    ).fetchone()[0]
    share(he, company, {"any": [{"department": gone}, {"owner_department": company.departments["east"]}]})
    assert seen(company, "zhang") == {"nanfang", "qiming", "yunhe", "haitian"}
    owner_connection.execute("DELETE FROM people_department WHERE id = 900")
    assert seen(company, "zhang") == {"nanfang"}
    decision, said = told(company, he, "zhang", "customer.view", "qiming")
    assert Code.RULE_BROKEN in {link.code for link in decision.missing}
    assert any("names something that is gone" in line for line in said)


@pytest.mark.parametrize(
    "whom", [{"user": "he"}, {"department": "office"}, {"department": "hq", "below": True}]
)
def test_he_makes_no_rule_that_gives_himself_anything(company, he, whom, connect_as):
    with pytest.raises(Denied):
        share(he, company, MEDICAL, to=whom)
    row = share(he, company, MEDICAL)
    with pytest.raises(Denied):
        share(he, company, MEDICAL, to=whom)
    # Nor past the program: the database asks again.
    app = connect_as("hufu_app")
    principal = {"user": ("user_id", "people")}.get(next(iter(whom)), ("department_id", "departments"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [he.user_id])
        app.execute(
            f"INSERT INTO access_rule_to (rule_id, {principal[0]}, below, post) VALUES (%s, %s, %s, '')",
            [row.id, getattr(company, principal[1])[next(iter(whom.values()))], whom.get("below", False)],
        )


def test_whoever_does_not_manage_roles_makes_no_rule(company, medical):
    for name in ("lin", "li", "feng", "wu"):
        with pytest.raises(Denied):
            share(company.actor(name), company, MEDICAL)


def test_the_number_is_told_to_those_who_manage_and_names_to_those_who_may_view(company, he, medical):
    with acting(he):
        found = sharing.coverage(he, "customer", {"any": [MEDICAL, {"field": "industry", "is": ["food"]}]})
        assert (found.amount, found.newest) == (2, ())
    with acting(OPERATOR):
        found = sharing.coverage(OPERATOR, "customer", MEDICAL)
    assert found == sharing.Coverage(1, (company.customer("qiming"),))
    for name, titles in (("lin", 1), ("zhang", 0)):
        actor = company.actor(name)
        with acting(actor):
            assert len(sharing.samples(actor, "customer", found.newest)) == titles
            with pytest.raises(Denied):
                sharing.coverage(actor, "customer", MEDICAL)


def test_as_of_the_day_before_the_record_changed(company, he, medical, owner_connection):
    row = share(he, company, MEDICAL)
    before = owner_connection.execute("SELECT clock_timestamp()").fetchone()[0]
    lin = company.actor("lin")
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, company.customer("qiming"), {"industry": "food"}, version=1)
    between = owner_connection.execute("SELECT clock_timestamp()").fetchone()[0]
    with acting(he):
        sharing.end_rule(he, SharingRule.objects.get(pk=row.pk), reason="不再需要")

    def could(moment):
        with acting(he):
            number = company.customer("qiming")
            return as_of.decide_at(
                he, company.people["zhang"], "customer.view", number, moment
            ).decision.allowed

    assert could(before)
    assert not could(between)
    assert not could(owner_connection.execute("SELECT clock_timestamp()").fetchone()[0])


# Documents.

RULE = {"key": "r", "name": "医疗客户", "type": "customer", "to": {"department": "south"}}


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"field": "phone", "is": "138"}, "condition.field"),
        ({"field": "note", "is": "x"}, "condition.field"),
        ({"field": "colour", "is": "x"}, "condition.field"),
        ({"field": "industry", "is": "medicine"}, "condition.is"),
        ({"field": "industry", "at_least": "a"}, "condition"),
        ({"field": "employees", "at_least": "many"}, "condition.at_least"),
        ({"field": "employees", "is": 5, "at_least": 3}, "condition"),
        ({"field": "industry", "empty": False}, "condition.empty"),
        ({"owner_department": "nowhere"}, "condition.owner_department"),
        ({"owner_role": "nobody"}, "condition.owner_role"),
        ({"owner_level": "sales.king"}, "condition.owner_level"),
        ({"all": []}, "condition.all"),
        (
            {"all": [{"any": [{"not": {"field": "phone", "empty": True}}]}]},
            "condition.all[1].any[1].not.field",
        ),
        ({"owner_department": "east", "field": "industry"}, "condition"),
        (["x"], "condition"),
        (
            {"all": [{"any": [{"field": "employees", "is": n} for n in range(6)]} for _n in range(2)]},
            "condition.all",
        ),
    ],
)
def test_a_condition_that_cannot_be_translated_exactly_is_refused_with_its_place(
    company, he, condition, place
):
    with acting(he), pytest.raises(Invalid) as refused:
        policy_document.plan({"format": 1, "sharing_rules": [{**RULE, "condition": condition}]})
    assert f"sharing_rules[1].{place}" in refused.value.problems


def test_days_are_absolute_and_amounts_have_their_currency(company, he):
    wrong = [
        ({"field": "expected_close", "from": "today"}, "from"),
        ({"field": "expected_close", "from": "2026-02-30"}, "from"),
        ({"field": "amount", "at_least": 1}, "currency"),
        ({"field": "amount", "at_least": "1.234", "currency": "CNY"}, "at_least"),
    ]
    for condition, place in wrong:
        with acting(he), pytest.raises(Invalid) as refused:
            policy_document.plan(
                {"format": 1, "sharing_rules": [{**RULE, "type": "opportunity", "condition": condition}]}
            )
        assert f"sharing_rules[1].condition.{place}" in refused.value.problems


def test_a_document_comes_back_as_it_was(company, he):
    document = {
        "sharing_rules": [
            {
                **RULE,
                "access": "edit",
                "condition": {
                    "any": [
                        {"owner_role": "rep"},
                        {
                            "all": [
                                {"field": "annual_revenue", "at_least": 1000000},
                                {"not": {"owner_level": "sales.rep"}},
                            ]
                        },
                        {"field": "industry", "is": ["medical", "food"]},
                        {"department": "east", "below": True},
                    ]
                },
                "superiors": True,
            }
        ],
        "territories": [
            {
                "key": "cn",
                "name": "全国",
                "type": "customer",
                "members": {"user": "zhang"},
                "children": [
                    {
                        "key": "east",
                        "name": "华东区",
                        "condition": {"field": "region", "is": "华东"},
                        "members": [{"user": "zhao"}, {"department": "far"}],
                    }
                ],
            }
        ],
    }
    with acting(he):
        assert policy_file.apply(he, {"format": 1, **document}).version == 1
    with acting(he):
        exported = policy_document.export()
        assert {name: exported[name] for name in document} == document
        assert policy_document.plan(exported) == ()
        changed = replace(sharing.standing(SharingRule.objects.get(key="r")), name="另一个名字")
        assert sharing.differs(sharing.standing(SharingRule.objects.get(key="r")), changed)


def test_a_move_to_a_department_that_a_rule_shares_with_waits(company, he, medical, owner_connection):
    """周涛 would come to edit medical customers by moving to 客服部: that is for 何明 to release."""
    owner_connection.execute("DELETE FROM access_approved_move")
    share(he, company, MEDICAL, to={"department": "service"})
    republish(owner_connection)
    feng = company.actor("feng")
    with acting(feng):
        staffing.change_users(
            feng, {company.people["zhou"]: {"main_department_id": company.departments["service"]}}
        )
    with acting(he):
        # What she leaves ends at once; what she would come to waits.
        assert User.objects.get(pk=company.people["zhou"]).main_department_id is None
