"""Ceilings of tokens, agents and jobs: they narrow in both halves, in fields and in the explanation, and give nothing.

No token is issued yet: the ceilings here are declared doubles.
"""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from hufu.access import guard, queries, system_actors
from hufu.access.decision.decide import Code
from hufu.access.explain import sentences
from hufu.access.fields import FieldAccess
from hufu.core.actor import OPERATOR_ID, Actor, Ceiling, Context
from hufu.core.errors import Denied, GateClosed, NotFound
from hufu.core.transaction import acting, current_unit
from hufu.crm import actions
from hufu.crm.queries import count, get_record
from hufu.crm.resources import CUSTOMER

READING = frozenset({"customer.view", "contact.view"})


def token(company, name, **sides):
    return replace(company.actor(name), ceiling=Ceiling("报表令牌", **sides))


def test_a_token_of_li_reads_customers_of_one_partition_and_does_nothing_else(
    company, connect_as, in_english
):
    li = token(company, "li", permissions=READING, partitions=frozenset({company.partitions["sz"]}))
    with acting(li):
        assert count(li, "customer.view") == 1
        assert get_record(li, CUSTOMER, company.customer("pengcheng"))
        assert not guard.may(li, "opportunity.view")
        with pytest.raises(NotFound):
            guard.get(li, "customer.view", company.customer("qiming"))
    with (
        acting(li),
        pytest.raises(Denied, match="“报表令牌” is not made for this: Edit customers") as refused,
    ):
        guard.get(li, "customer.edit", company.customer("pengcheng"))
    assert refused.value.decision.code is Code.OUTSIDE_CEILING
    with acting(company.actor("li")) as unit:
        assert count(unit.actor, "customer.view") == 5, "the person keeps all that is theirs"
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s, '{}')", [li.user_id])
        assert app.execute("SELECT count(*) FROM crm_customer WHERE deleted_at IS NULL").fetchone() == (5,)
        app.execute("SELECT hufu.hold_under(%s, %s)", [sorted(READING), [company.partitions["sz"]]])
        assert app.execute("SELECT count(*) FROM crm_customer").fetchone() == (1,)
        assert app.execute("SELECT count(*) FROM crm_opportunity").fetchone() == (0,)
        assert app.execute("UPDATE crm_customer SET note = 'x' RETURNING id").fetchall() == []
        # It is never lifted within its transaction, and never outlives it.
        app.execute("SELECT hufu.hold_under(%s, %s)", [["customer.view", "customer.edit"], [1, 2, 3]])
        assert app.execute("SELECT hufu.permission_ceiling()").fetchone() == (["customer.view"],)
        assert app.execute("SELECT count(*) FROM crm_customer").fetchone() == (1,)
        app.execute("SELECT hufu.hold_under(NULL, '{}')")
        assert app.execute("SELECT count(*) FROM crm_customer").fetchone() == (0,)
    with app.transaction():
        app.execute("SELECT hufu.enter(%s, '{}')", [li.user_id])
        assert app.execute("SELECT count(*) FROM crm_customer WHERE deleted_at IS NULL").fetchone() == (5,)


def test_a_token_gives_nothing_that_its_person_has_not(company):
    everything = frozenset({"customer.view", "customer.edit", "role.manage"})
    zhou = token(company, "zhou", permissions=everything, partitions=frozenset({1, 2, 3, 4}))
    with acting(zhou):
        assert count(zhou, "customer.view") == 4
        assert not guard.may(zhou, "customer.edit")
        assert not guard.may(zhou, "role.manage")


def test_the_person_named_without_the_ceiling_stays_under_it_in_its_transaction(company):
    """An attack: code that asks about the bare person within a token's request."""
    bare = company.actor("li")
    with acting(token(company, "li", permissions=frozenset())):
        assert current_unit().actor.ceiling is not None
        assert not guard.may(bare, "customer.view")
        assert count(bare, "customer.view") == 0


def test_a_token_adds_nothing_where_it_does_not_reach(company):
    sz = frozenset({company.partitions["sz"]})
    with acting(token(company, "li", partitions=sz)) as unit, pytest.raises(Denied):
        place = (company.partitions["sh"], company.people["li"])
        actions.create_record(
            unit.actor, CUSTOMER, actions.NewRecord(*place, {"name": "新客户", "stage": "new"})
        )


def test_fields_of_a_sensitivity_outside_are_hidden_on_ones_own_records_too(company):
    for sensitivities, access in ((None, FieldAccess.EDITABLE), (frozenset(), FieldAccess.HIDDEN)):
        lin = token(company, "lin", sensitivities=sensitivities)
        with acting(lin):
            record = get_record(lin, CUSTOMER, company.customer("qiming"))
            fields = guard.fields(lin, CUSTOMER, record)
            assert (fields["phone"], fields["name"]) == (access, FieldAccess.EDITABLE)


@pytest.mark.parametrize(
    ("address", "networks", "is_open"),
    [
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("::ffff:10.1.2.3", ("10.1.0.0/16",), True),
        ("192.0.2.1", ("10.1.0.0/16",), False),
        ("", ("10.1.0.0/16",), False),
        ("10.1.2.3", (), False),
        ("10.1.2.3", ("nonsense",), False),
    ],
)
def test_from_a_network_outside_nothing_is_open_and_no_identity_is_taken(company, address, networks, is_open):
    lin = replace(token(company, "lin", networks=networks), context=Context(address=address))
    with acting(lin) as unit:
        assert (unit.gates.refusal is None) is is_open
        assert is_open or isinstance(unit.gates.refusal, GateClosed)
        assert guard.may(lin, "customer.view") is is_open
        assert (count(lin, "customer.view") > 0) is is_open


def test_an_unknown_permission_in_a_ceiling_is_an_error(company):
    with pytest.raises(KeyError), acting(token(company, "lin", permissions=frozenset({"customer.fly"}))):
        pass


def test_the_explanation_tells_the_ceiling_from_what_the_person_may(company, in_english):
    with acting(company.actor("he")):
        policy = queries.snapshot()
    li = company.people["li"]
    with acting(company.actor("li")) as unit:
        record = guard.get(unit.actor, "customer.view", company.customer("qiming"))
        facts = queries.facts(CUSTOMER, record)
    reading = Ceiling("报表令牌", permissions=READING)
    said = queries.explain(policy, li, "customer.edit", facts, ceiling=reading)
    assert said.code is Code.OUTSIDE_CEILING
    assert list(sentences(policy, said)) == [
        "No: 李强 may not: Edit customers.",
        "“报表令牌” does not carry “Edit customers”, whatever 李强 may.",
    ]
    elsewhere = Ceiling("报表令牌", partitions=frozenset({company.partitions["sz"]}))
    said = queries.explain(policy, li, "customer.view", facts, ceiling=elsewhere)
    assert list(sentences(policy, said))[1:] == ["“报表令牌” does not reach the record's partition."]
    assert queries.explain(policy, li, "customer.view", facts, ceiling=reading).allowed


def test_a_declared_job_can_be_given_partitions_and_an_unknown_one_is_an_error(company):
    with pytest.raises(KeyError):
        system_actors.acting_as("nightly miner")
    job = system_actors.acting_as("operator", partitions=[company.partitions["sz"]])
    assert (job.user_id, job.context.channel) == (OPERATOR_ID, "job")
    with acting(job):
        assert count(job, "customer.view") == 1
    with acting(Actor.operator()) as unit:
        assert count(unit.actor, "customer.view") == 5


def test_nobody_gives_a_number_of_a_job_that_is_not_declared(company, connect_as):
    app = connect_as("hufu_app")
    with app.transaction():
        assert app.execute("SELECT hufu.enter(-77)").fetchone() == (False,)
    with pytest.raises(psycopg.Error), app.transaction():
        app.execute("INSERT INTO access_system_actor (id, name) VALUES (-77, 'miner')")
