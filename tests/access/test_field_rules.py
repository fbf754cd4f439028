"""Field rules: what a role says of a field, on one's own records and on others', and what follows."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import timedelta

import psycopg
import pytest
from django.db import ProgrammingError, connection

from hufu.access import actions as actions_on_policy
from hufu.access import explain_fields, guard, policy_document, queries
from hufu.access.actions import Principal
from hufu.access.decision.field_access import FieldAccess, FieldCode
from hufu.access.field_rules import Rule, set_field_rules
from hufu.access.fields import masked
from hufu.access.models import Role
from hufu.access.registry import Field, Kind
from hufu.core import clock
from hufu.core.actor import Actor, Context
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import User
from tests.access.test_gates import gate
from tests.company import POLICY, publish, unpublish

HIDDEN, MASKED, READ_ONLY, EDITABLE = FieldAccess
BY_RESOURCE = {"customer": CUSTOMER, "contact": CONTACT, "opportunity": OPPORTUNITY}


def apply(company, rules, *, more=()):
    """Give roles of the company these field rules, by key, and none to others; `more` are roles besides."""
    roles = [{**role, "fields": rules.get(role["key"], {})} for role in copy.deepcopy(POLICY["roles"])]
    return publish(company, {"format": 1, "roles": [*roles, *more]})


def give(company, role, name, **term):
    """Give somebody a role by name."""
    with acting(company.actor("he")) as unit:
        to = Principal(user=User.objects.get(pk=company.people[name]))
        actions_on_policy.assign_role(unit.actor, Role.objects.get(key=role), to=to, reason="x", **term)


def access(company, name, what, of, field, context=None):
    """Return what somebody may do with a field of a record, as the guard says; the explanation must say the same."""
    actor = Actor(company.people[name], name, context or Context())
    resource = BY_RESOURCE[what]
    number = {
        "customer": company.customers,
        "contact": company.contacts,
        "opportunity": company.opportunities,
    }[what][of]
    with acting(actor) as unit:
        record = guard.get(actor, f"{what}.view", number)
        found = guard.fields(actor, resource, record)[field]
        closed = frozenset(unit.gates.closed)
        own = queries.snapshot()
        decision = queries.explain(
            own, actor.user_id, f"{what}.view", queries.facts(resource, record), closed
        )
        explained = explain_fields.decide(own, decision, resource, resource.by_name[field], closed)
    assert explained.access is found, (name, what, of, field)
    return found


def test_without_a_rule_the_sensitivity_decides(company):
    for name, expected in (("lin", EDITABLE), ("tang", MASKED), ("chen", MASKED)):
        assert access(company, name, "customer", "qiming", "phone") is expected
    assert access(company, "chen", "customer", "qiming", "annual_revenue") is EDITABLE


def test_a_rule_says_one_thing_of_ones_own_and_another_of_others_records(company):
    apply(company, {"rep": {"customer": {"phone": {"mine": "read_only", "others": "hidden"}}}})
    assert access(company, "lin", "customer", "qiming", "phone") is READ_ONLY
    assert access(company, "tang", "customer", "qiming", "phone") is HIDDEN
    # 陈静 has another role: nothing changes for her.
    assert access(company, "chen", "customer", "qiming", "phone") is MASKED


def test_of_a_following_type_the_parent_says_whose_it_is(company):
    apply(company, {"rep": {"contact": {"phone": {"mine": "editable", "others": "hidden"}}}})
    assert access(company, "lin", "contact", "gao", "phone") is EDITABLE
    assert access(company, "tang", "contact", "gao", "phone") is HIDDEN
    with acting(company.actor("lin")) as unit:
        actions.add_member(
            unit.actor, CUSTOMER, company.customer("qiming"), who=company.people["tang"], access="edit"
        )
    assert access(company, "tang", "contact", "gao", "phone") is EDITABLE


def test_the_most_permissive_of_somebodys_rules_wins_and_inherited_ones_count(company):
    """王芳 holds `manager`, which inherits `rep`: both speak."""
    apply(
        company,
        {
            "rep": {"customer": {"phone": {"mine": "editable", "others": "masked"}, "region": "hidden"}},
            "manager": {"customer": {"phone": "read_only", "region": "masked"}},
        },
    )
    assert access(company, "wang", "customer", "qiming", "phone") is READ_ONLY
    assert access(company, "tang", "customer", "qiming", "phone") is MASKED
    assert access(company, "wang", "customer", "qiming", "region") is MASKED
    assert access(company, "tang", "customer", "qiming", "region") is HIDDEN


def test_a_rule_counts_only_in_a_role_that_views_the_type_itself_or_by_what_it_inherits(company):
    """A role of help with the mail that views nothing opens nothing, whoever holds it beside another role."""
    blind = {"key": "blind", "name": "无查看", "grants": {"customer.edit": "own"}, "fields": FULL}
    heir = {"key": "heir", "name": "继承", "inherits": ["finance"], "grants": {}, "fields": FULL}
    apply(company, {}, more=[blind, heir])
    give(company, "blind", "chen")
    assert access(company, "chen", "customer", "qiming", "phone") is MASKED
    give(company, "heir", "chen")
    assert access(company, "chen", "customer", "qiming", "phone") is EDITABLE


FULL = {"customer": {"phone": "editable"}}


def test_a_rule_comes_and_goes_with_the_time_of_its_role(company, owner_connection):
    reader = {"key": "reads", "name": "明文", "grants": {"customer.view": "own"}, "fields": FULL}
    apply(company, {}, more=[reader])
    now = clock.now()
    for hours, expected in ((-1, MASKED), (1, EDITABLE)):
        owner_connection.execute(
            "DELETE FROM access_assignment WHERE role_id = (SELECT id FROM access_role WHERE key = 'reads')"
        )
        term = {"starts_at": now - timedelta(hours=2), "ends_at": now + timedelta(hours=hours)}
        give(company, "reads", "chen", **term)
        assert access(company, "chen", "customer", "qiming", "phone") is expected


def test_a_gate_on_a_role_takes_its_rules_away_and_leaves_those_of_others(company):
    reader = {"key": "reads", "name": "明文", "grants": {"customer.view": "own"}, "fields": FULL}
    apply(company, {"service": {"customer": {"phone": "hidden"}}}, more=[reader])
    give(company, "reads", "chen")
    publish(company, {"format": 1, "gates": [gate(roles=["reads"])]})
    for address, expected in (("10.1.0.1", EDITABLE), ("192.0.2.1", HIDDEN)):
        found = access(company, "chen", "customer", "qiming", "phone", Context(address=address))
        assert found is expected


def test_a_closed_gate_on_the_sensitivity_hides_whatever_a_rule_says(company):
    apply(company, {"rep": {"customer": {"phone": "editable"}}})
    publish(company, {"format": 1, "gates": [gate(sensitivities=["personal"])]})
    for address, expected in (("10.1.0.1", EDITABLE), ("192.0.2.1", HIDDEN)):
        found = access(company, "tang", "customer", "qiming", "phone", Context(address=address))
        assert found is expected


def test_what_is_exported_is_what_stands_and_a_rule_that_goes_is_gone(company):
    rules = {
        "contact": {
            "phone": {"mine": "editable", "others": "masked", "export": False},
            "id_number": "read_only",
            "note": {"mine": "read_only", "others": "hidden"},
        },
        "customer": {"annual_revenue": "masked"},
    }
    assert apply(company, {"rep": rules})
    with acting(Actor.operator()):
        [rep] = [role for role in policy_document.export()["roles"] if role["key"] == "rep"]
    assert rep["fields"] == rules
    assert not apply(company, {"rep": rules})
    del rules["contact"]["note"]
    apply(company, {"rep": rules})
    assert access(company, "tang", "contact", "gao", "note") is EDITABLE
    apply(company, {})
    assert access(company, "tang", "customer", "qiming", "annual_revenue") is EDITABLE


@pytest.mark.parametrize(
    ("type_name", "name", "said"),
    [
        ("customer", "owner", "hidden"),
        ("customer", "phon", "hidden"),
        ("custome", "phone", "hidden"),
        ("customer", "name", "hidden"),
        ("customer", "phone", "secret"),
        ("customer", "phone", {"mine": "masked", "others": "editable"}),
        ("customer", "phone", {"mine": "masked"}),
        ("customer", "phone", {"mine": "masked", "others": "masked", "export": "yes"}),
        ("opportunity", "customer", "masked"),
    ],
)
def test_a_rule_that_cannot_be_is_told_with_its_place(company, type_name, name, said):
    with pytest.raises(Invalid) as refused:
        apply(company, {"rep": {type_name: {name: said}}})
    [place] = refused.value.problems
    assert place.startswith(f"roles[1].fields.{type_name}.{name}")


def test_nobody_changes_the_field_rules_of_a_role_that_they_hold(company, owner_connection):
    """何明 comes to hold `finance`: neither a new rule nor the end of a hiding one is his to make there."""
    apply(company, {"finance": {"customer": {"region": "hidden"}}})
    unpublish(owner_connection)
    he = company.people["he"]
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by)"
        " SELECT id, %s, false, '', -1 FROM access_role WHERE key = 'finance'",
        [he],
    )
    for rules in ({("customer", "region"): Rule(EDITABLE, EDITABLE)}, {}):
        with pytest.raises(Denied), acting(company.actor("he")) as unit:
            set_field_rules(unit.actor, Role.objects.get(key="finance"), rules)
    # Nor are they in plain SQL.
    for statement in (
        "UPDATE access_field_rule SET mine = 'editable'",
        "DELETE FROM access_field_rule",
        "INSERT INTO access_field_rule (role_id, type, field, mine, others, export)"
        " SELECT id, 'customer', 'phone', 'editable', 'editable', true FROM access_role WHERE key = 'finance'",
    ):
        with suppress(ProgrammingError), acting(company.actor("he")), connection.cursor() as cursor:
            cursor.execute(statement)
    assert [row[0] for row in owner_connection.execute("SELECT mine FROM access_field_rule")] == ["hidden"]


def test_reach_is_read_by_its_owner_alone_and_written_by_nobody(company, connect_as):
    apply(company, {"rep": {"customer": {"phone": "read_only"}}})
    with acting(company.actor("lin")), connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT user_id FROM access_term_field")
        assert cursor.fetchall() == [(company.people["lin"],)]
    app = connect_as("hufu_app")
    assert app.execute("SELECT count(*) FROM access_term_field").fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("UPDATE access_term_field SET mine = 3")


# Writing.


def test_a_read_only_field_is_not_written_and_a_masked_one_is_replaced_blind(company, owner_connection):
    apply(
        company,
        {
            "manager": {
                "customer": {
                    "region": "read_only",
                    "annual_revenue": {"mine": "editable", "others": "masked"},
                }
            }
        },
    )
    qiming = company.customer("qiming")
    owner_connection.execute("UPDATE crm_customer SET annual_revenue = 700 WHERE id = %s", [qiming])
    with acting(company.actor("wang")) as unit, pytest.raises(Denied):
        actions.edit_record(unit.actor, CUSTOMER, qiming, {"region": "华东"}, version=1)
    # INVARIANT: the right guess and a wrong one look alike: both are a change.
    for version, guess in ((1, 700), (2, 800), (3, 800)):
        with acting(company.actor("wang")) as unit:
            after = actions.edit_record(
                unit.actor, CUSTOMER, qiming, {"annual_revenue": guess}, version=version
            )
        assert after.lock_version == version + 1


def test_a_masked_field_is_set_at_creation_a_read_only_one_is_not_and_a_required_one_always_is(company):
    apply(company, {"rep": {"customer": {"phone": "masked", "region": "read_only", "stage": "hidden"}}})
    lin = company.actor("lin")

    def new(**values):
        values = {"name": "新客户", "stage": "new", **values}
        with acting(lin):
            record = actions.NewRecord(company.partitions["sh"], lin.user_id, values)
            return actions.create_record(lin, CUSTOMER, record)

    assert new(phone="13812345678")
    with pytest.raises(Denied):
        new(region="华东")


# Masks.


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.PHONE, "13800006621", "138****6621"),
        (Kind.PHONE, "+86 138 0000 6621", "138****6621"),
        (Kind.PHONE, "1 2 3 4 5 6", "****"),
        (Kind.PHONE, "110", "****"),
        (Kind.EMAIL, "linyue@x.example", "l***@x.example"),
        (Kind.EMAIL, "a@x.example", "***@x.example"),
        (Kind.EMAIL, "a", "****"),
        (Kind.IDENTITY_NUMBER, "11010519491231002X", "1****************X"),
        (Kind.IDENTITY_NUMBER, "12", "****"),
        (Kind.BANK_ACCOUNT, "6222 0202 0011 2233 445", "**** 3445"),
        (Kind.BANK_ACCOUNT, "1234", "****"),
        (Kind.PRIVATE_ADDRESS, "上海市幸福路 1 号", "上***"),
        (Kind.PRIVATE_ADDRESS, "上海", "****"),
        (Kind.MONEY, 7, "****"),
        (Kind.MONEY, 700_000_000, "****"),
        (Kind.CHOICE, "A", "****"),
        (Kind.TEXT, "x", "****"),
        (Kind.TEXT, "", ""),
    ],
)
def test_a_mask_tells_no_whole_value_however_short(kind, value, shown):
    assert masked(Field("x", "X", kind), value) == shown


# Why.


def test_why_a_field_is_masked_or_hidden_is_told(company, in_english):
    apply(
        company,
        {
            "service": {"customer": {"phone": "hidden"}},
            "rep": {"customer": {"phone": {"mine": "editable", "others": "read_only"}}},
        },
    )
    chen, lin = (told(company, name, "customer", "qiming", "phone") for name in ("chen", "lin"))
    assert chen == [
        "“Phone” of this record is hidden from 陈静.",
        "The record is not 陈静's own.",
        "A field rule of role “客服代表”, given to the person 陈静, says: Hidden. No rule of theirs opens more.",
        "A field rule of role “销售代表” would say: Read only; the role is given to level “销售代表” and those above"
        " it.",
    ]
    assert lin == [
        "林悦 reads “Phone” of this record, and changes it where they may edit the record.",
        "The record counts as 林悦's own: they are its owner, or in its team with a right to edit.",
        "A field rule of role “销售代表”, given to level “销售代表” and those above it, says: Editable."
        " No rule of theirs opens more.",
    ]
    assert told(company, "zhou", "customer", "qiming", "phone")[:3] == [
        "“Phone” of this record is masked for 周涛; it can be replaced without being read.",
        "The record is not 周涛's own.",
        "No field rule of theirs is about it: it is marked “personal”, and so it is: Masked.",
    ]
    assert told(company, "zhou", "customer", "qiming", "owner") == [
        "周涛 reads “Owner” of this record and cannot change it.",
        "It says whose the record is, where or since when: whoever views the record reads it.",
    ]


def told(company, name, what, of, field):
    """Return how it is explained to whoever explains rights, from the whole policy."""
    resource = BY_RESOURCE[what]
    with acting(Actor.operator()) as unit:
        whole = queries.snapshot()
        record = guard.get(unit.actor, f"{what}.view", company.customers[of])
        facts = queries.facts(resource, record)
        decision = queries.explain(whole, company.people[name], f"{what}.view", facts)
        of_field = explain_fields.decide(whole, decision, resource, resource.by_name[field])
        return list(explain_fields.sentences(whole, of_field))


def test_a_closed_gate_on_the_mark_is_the_reason_and_while_open_it_is_named(company, in_english):
    publish(company, {"format": 1, "gates": [gate(sensitivities=["personal"])]})
    assert told(company, "lin", "customer", "qiming", "phone")[-1] == (
        "This holds while the access limit “办公网” is open; it is not evaluated here."
    )
    with acting(Actor.operator()) as unit:
        whole = queries.snapshot()
        record = guard.get(unit.actor, "customer.view", company.customers["qiming"])
        facts = queries.facts(CUSTOMER, record)
        [number] = whole.gate_names
        decision = queries.explain(whole, company.people["lin"], "customer.view", facts)
        closed = explain_fields.decide(
            whole, decision, CUSTOMER, CUSTOMER.by_name["phone"], frozenset({number})
        )
    assert (closed.access, closed.code) == (HIDDEN, FieldCode.GATE_CLOSED)
    assert list(explain_fields.sentences(whole, closed))[1] == (
        "The access limit “办公网” on fields marked “personal” is closed."
    )
