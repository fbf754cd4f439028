"""Void and lock: who closes a record, what stays open, who opens it again, and what somebody is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection

from hufu.access import delegations, explain, queries, registry
from hufu.access.actions import Principal
from hufu.access.decision.decide import Code
from hufu.access.decision.near import Nearness, near_misses
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm import queries as crm
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import User
from tests.company import PEOPLE
from tests.crm.acts import by, last, may


def lock(company, record_id, name="wang", version=1):
    with by(company, name) as actor:
        actions.lock_record(actor, CUSTOMER, record_id, version=version, reason="年度审计")


def void(company, record_id, name="wang", version=1):
    with by(company, name) as actor:
        actions.void_record(actor, CUSTOMER, record_id, version=version, reason="重复建档")


def listed(company, name, **filters):
    with by(company, name) as actor:
        query = ListQuery(filters={key: [value] for key, value in filters.items()})
        return {row.pk for row in crm.list_records(actor, CUSTOMER, query).records}


def why_not(company, name, permission, number, resource=CUSTOMER):
    """Return the decision about somebody, and its sentences, as the operator is told them."""
    with acting(Actor.operator()):
        row = resource.model_class._base_manager.get(pk=number)
        decision = queries.explain(
            queries.snapshot(), company.people[name], permission, queries.facts(resource, row)
        )
        return decision, list(explain.sentences(queries.snapshot(), decision))


def test_a_locked_customer_is_viewed_and_changed_by_nobody_until_it_is_unlocked(company, owner_connection):
    qiming, gao = company.customer("qiming"), company.contact("gao")
    lock(company, qiming)
    assert last(owner_connection, "customer.locked").reason == "年度审计"
    for name in ("lin", "wang"):
        assert may(company, name, "customer.view", CUSTOMER, qiming)
        for verb in ("edit", "delete", "transfer", "share", "void"):
            assert not may(company, name, f"customer.{verb}", CUSTOMER, qiming), (name, verb)
        # What follows it is closed with it; what has an owner of its own is not.
        assert may(company, name, "contact.view", CONTACT, gao)
        assert not may(company, name, "contact.edit", CONTACT, gao)
    assert may(company, "lin", "opportunity.edit", OPPORTUNITY, company.opportunity("machines"))
    with pytest.raises(Denied, match="年度审计") as refused, by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, qiming, {"region": "上海"}, version=2)
    assert refused.value.decision.code is Code.LOCKED
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.unlock_record(lin, CUSTOMER, qiming, version=2)
    with by(company, "wang") as wang:
        actions.unlock_record(wang, CUSTOMER, qiming, version=2)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)
    assert last(owner_connection, "customer.unlocked").target == ("customer", qiming)


def test_a_void_customer_leaves_the_lists_and_comes_back(company, owner_connection):
    qiming = company.customer("qiming")
    void(company, qiming)
    assert qiming not in listed(company, "lin")
    assert qiming in listed(company, "lin", state="void")
    assert qiming not in listed(company, "lin", state="open")
    assert may(company, "lin", "customer.view", CUSTOMER, qiming)
    assert not may(company, "lin", "customer.edit", CUSTOMER, qiming)
    with by(company, "lin") as lin:
        found = {row.pk for row in crm.find(lin, CUSTOMER, "", limit=200)}
    assert found
    assert qiming not in found
    with pytest.raises(Denied, match="重复建档"), by(company, "lin") as lin:
        actions.share_record(
            lin,
            CUSTOMER,
            qiming,
            to=Principal(user=User.objects.get(pk=company.people["tang"])),
            access="read",
            reason="x",
        )
    # It can go to the bin and come back, void as it was.
    with by(company, "lin") as lin:
        actions.delete_record(lin, CUSTOMER, qiming, version=2)
    with by(company, "lin") as lin:
        actions.restore_record(lin, CUSTOMER, qiming, version=3)
    assert qiming in listed(company, "lin", state="void")
    with by(company, "wang") as wang:
        actions.unvoid_record(wang, CUSTOMER, qiming, version=4, reason="误操作")
    assert qiming in listed(company, "lin")
    assert last(owner_connection, "customer.unvoided").reason == "误操作"


def test_lin_is_told_since_when_by_whom_and_why_and_who_could_unlock_it(company):
    qiming = company.customer("qiming")
    lock(company, qiming)
    decision, said = why_not(company, "lin", "customer.edit", qiming)
    assert decision.code is Code.LOCKED
    told = " ".join(said)
    for part in (PEOPLE["wang"][0], "年度审计", str(registry.permission("customer.lock").label), "销售经理"):
        assert part in told
    decision, _said = why_not(company, "wang", "customer.edit", qiming)
    with acting(Actor.operator()):
        nearest = near_misses(queries.snapshot(), decision.person_id, decision.missing[0], decision.record)[0]
    assert nearest.nearness is Nearness.BY_THEMSELVES
    # What is missing besides comes first: who may not edit it at all learns that.
    assert why_not(company, "chen", "customer.edit", qiming)[0].code is Code.NO_GRANT
    assert why_not(company, "lin", "contact.edit", company.contact("gao"), CONTACT)[0].code is Code.NO_PARENT


def test_nobody_sets_a_state_past_the_deed(company):
    qiming = company.customer("qiming")
    for column, value in (("locked_at", "now()"), ("voided_at", "NULL"), ("pending_tasks", "0")):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            by(company, "lin"),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE crm_customer SET {column} = {value} WHERE id = {qiming}")


def test_deeds_on_states_ask_for_a_reason_a_version_and_the_right(company):
    qiming = company.customer("qiming")
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.void_record(lin, CUSTOMER, qiming, version=1, reason="x")
    with pytest.raises(NotFound), by(company, "zhang") as zhang:
        actions.lock_record(zhang, CUSTOMER, qiming, version=1, reason="x")
    with pytest.raises(Invalid), by(company, "wang") as wang:
        actions.lock_record(wang, CUSTOMER, qiming, version=1, reason="  ")
    with pytest.raises(Conflict), by(company, "wang") as wang:
        actions.lock_record(wang, CUSTOMER, qiming, version=9, reason="x")
    with pytest.raises(Conflict), by(company, "wang") as wang:
        actions.unlock_record(wang, CUSTOMER, qiming, version=1)


def test_there_is_a_way_out_of_every_state(company):
    """A void record that is locked, too, is unlocked first."""
    qiming = company.customer("qiming")
    void(company, qiming)
    lock(company, qiming, version=2)
    with pytest.raises(Denied), by(company, "wang") as wang:
        actions.unvoid_record(wang, CUSTOMER, qiming, version=3)
    with by(company, "wang") as wang:
        actions.unlock_record(wang, CUSTOMER, qiming, version=3)
    with by(company, "wang") as wang:
        actions.unvoid_record(wang, CUSTOMER, qiming, version=4)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)


def test_a_locked_opportunity_holds_its_customer_where_it_is(company):
    yunhe = company.customer("yunhe")
    with by(company, "wang") as wang:
        actions.lock_record(
            wang, OPPORTUNITY, company.opportunity("software"), version=1, reason="合同会签中"
        )
    with pytest.raises(Invalid), by(company, "li") as li:
        actions.move_record(
            li,
            CUSTOMER,
            yunhe,
            to=company.partitions["sz"],
            owner=company.people["sun"],
            reason="划归深圳",
            version=1,
        )
    with by(company, "li") as li:
        assert crm.get_record(li, CUSTOMER, yunhe).partition_id == company.partitions["sh"]


def test_every_type_that_declares_the_permission_has_the_state():
    for resource in registry.resource_types():
        columns = {field.column for field in resource.model_class._meta.concrete_fields}
        assert resource.has("void") == ("voided_at" in columns)
        assert resource.has("lock") == ("locked_at" in columns) == ("pending_tasks" in columns)


def test_a_state_closes_what_is_lent_and_what_base_access_opens_too(company, owner_connection):
    """林悦 lends 陈静 the work with her customers, and base access opens all of them to whoever edits any."""
    qiming, now = company.customer("qiming"), clock.now()
    owner_connection.execute(
        "INSERT INTO access_base_access (type, access) VALUES ('customer', 'public_read_write')"
    )
    with by(company, "lin") as lin:
        delegations.delegate(
            lin,
            User.objects.get(username="chen"),
            permissions=("customer.view", "customer.edit"),
            reason="年假",
            starts_at=now,
            ends_at=now + timedelta(days=7),
        )
    able = [name for name in company.people if may(company, name, "customer.edit", CUSTOMER, qiming)]
    assert {"lin", "chen", "zhang"} <= set(able)
    lock(company, qiming)
    for name in able:
        assert not may(company, name, "customer.edit", CUSTOMER, qiming), name
        with by(company, name), connection.cursor() as cursor:
            cursor.execute(f"UPDATE crm_customer SET updated_by_id = hufu.actor() WHERE id = {qiming}")
            assert cursor.rowcount == 0, name
    # She is told what is in the way of what was lent to her, and not that no role grants it.
    assert why_not(company, "chen", "customer.edit", qiming)[0].code is Code.LOCKED
