"""Approval tasks: a pending one shows the record to whoever has it, and holds it, until it ends."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from hufu.access import as_of, explain, guard, queries, task_kinds
from hufu.access.decision.decide import Code
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last, may

KIND = "test.credit"


@pytest.fixture
def approvals(company, owner_connection, monkeypatch):
    """A flow that only tests have: credit approval of customers. It stands in both lists, as a declared one does."""
    monkeypatch.setattr(task_kinds, "_kinds", {})
    task_kinds.declare_task_kind(task_kinds.DeclaredKind(KIND, "customer", "信用审批"))
    owner_connection.execute(task_kinds.install_sql())


def begin(company, name, *assignees, customer="qiming"):
    with by(company, name) as actor:
        people = [company.people[each] for each in assignees]
        made = actions.open_tasks(actor, CUSTOMER, company.customer(customer), kind=KIND, assignees=people)
        return [made[each] for each in people]


def end(company, name, task):
    with by(company, name) as actor:
        actions.end_task(actor, task)


def told(company, name, permission, customer="qiming"):
    """Return the decision about somebody, as the operator is told it, and its sentences."""
    with acting(Actor.operator()):
        row = CUSTOMER.model_class._base_manager.get(pk=company.customer(customer))
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, company.people[name], permission, queries.facts(CUSTOMER, row))
        return decision, " ".join(explain.sentences(snapshot, decision))


@pytest.mark.usefixtures("approvals")
def test_zhang_views_what_waits_for_him_and_nobody_changes_it_until_he_has_decided(company, owner_connection):
    """林悦 asks 张伟, who otherwise sees nothing of 启明."""
    qiming, gao = company.customer("qiming"), company.contact("gao")
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    before = clock.now()
    (task,) = begin(company, "lin", "zhang")
    assert last(owner_connection, "customer.task_opened").target == ("customer", qiming)
    assert may(company, "zhang", "customer.view", CUSTOMER, qiming)
    assert may(company, "zhang", "contact.view", CONTACT, gao)
    with by(company, "zhang") as zhang, connection.cursor() as cursor:
        assert guard.get(zhang, "customer.view", qiming).pk == qiming
        cursor.execute("SELECT count(*) FROM crm_customer WHERE id = %s", [qiming])
        assert cursor.fetchone() == (1,)
    # It opens view, and nothing of what belongs to the customer and has an owner of its own.
    assert not may(company, "zhang", "opportunity.view", OPPORTUNITY, company.opportunity("machines"))
    for name in ("zhang", "lin", "wang"):
        for verb in ("edit", "delete", "transfer", "share", "void"):
            assert not may(company, name, f"customer.{verb}", CUSTOMER, qiming), (name, verb)
    decision, said = told(company, "zhang", "customer.view")
    assert decision.covers[-1].share.task == KIND
    assert "信用审批" in said
    with acting(Actor.operator()):
        assert explain.structure(queries.snapshot(), decision)["path"][-1]["share"]["task"] == KIND
        assert company.people["zhang"] in queries.who_may(Actor.operator(), "customer.view", qiming)
    assert told(company, "lin", "customer.edit")[0].code is Code.TASK_PENDING
    with pytest.raises(Denied) as refused, by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, qiming, {"region": "上海"}, version=1)
    assert refused.value.decision.code is Code.TASK_PENDING
    during = clock.now()
    end(company, "zhang", task)
    assert last(owner_connection, "customer.task_ended").target == ("customer", qiming)
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)
    # The past knows it.
    operator = Actor.operator()
    for moment, viewed in ((before, False), (during, True), (clock.now(), False)):
        with acting(operator):
            past = as_of.decide_at(operator, company.people["zhang"], "customer.view", qiming, moment)
        assert past.decision.allowed is viewed
    with acting(operator):
        past = as_of.decide_at(operator, company.people["lin"], "customer.edit", qiming, during)
    assert past.decision.code is Code.TASK_PENDING


@pytest.mark.usefixtures("approvals")
def test_a_task_goes_to_others_who_are_admitted_and_comes_from_whoever_may_start_it(company):
    for name, people in (("lin", ["sun"]), ("lin", ["lin"]), ("lin", []), ("lin", ["zhang", "sun"])):
        with pytest.raises(Invalid):
            begin(company, name, *people)
    # 陈静 reads it and edits nothing; for 孙 it is not there.
    with pytest.raises(Denied):
        begin(company, "chen", "zhang")
    with pytest.raises(NotFound):
        begin(company, "sun", "zhang")
    begin(company, "lin", "zhang")
    # It is held: nobody starts another one on it.
    with pytest.raises(Denied):
        begin(company, "lin", "chen")


@pytest.mark.usefixtures("approvals")
def test_zhang_passes_his_task_on_and_the_last_one_sets_the_record_free(company):
    qiming = company.customer("qiming")
    first, other = begin(company, "lin", "zhang", "tang")
    (third,) = begin(company, "zhang", "chen")
    for task, name in ((first, "zhang"), (other, "tang"), (third, "chen")):
        assert not may(company, "lin", "customer.edit", CUSTOMER, qiming)
        end(company, name, task)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)


@pytest.mark.usefixtures("approvals")
def test_whoever_may_lock_the_record_ends_the_task_of_somebody_who_is_away(company):
    qiming = company.customer("qiming")
    (task,) = begin(company, "lin", "zhang")
    # To lock and to unlock is something else.
    with by(company, "wang") as wang:
        actions.lock_record(wang, CUSTOMER, qiming, version=1, reason="年度审计")
    with by(company, "wang") as wang:
        actions.unlock_record(wang, CUSTOMER, qiming, version=2)
    assert not may(company, "lin", "customer.edit", CUSTOMER, qiming)
    with pytest.raises(Denied):
        end(company, "chen", task)
    with pytest.raises(NotFound):
        end(company, "sun", task)
    with pytest.raises(NotFound):
        end(company, "wang", task + 999)
    end(company, "wang", task)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)


def test_what_no_code_declares_opens_no_task(company):
    """The program declares no flow yet; and nobody writes tasks or kinds past the deeds."""
    qiming, zhang = company.customer("qiming"), company.people["zhang"]
    assert task_kinds.task_kinds() == ()
    with pytest.raises(KeyError):
        begin(company, "lin", "zhang")
    with pytest.raises(ValueError, match="cannot be locked"):
        task_kinds.declare_task_kind(task_kinds.DeclaredKind("x", "contact", "x"))
    for statement in (
        f"SELECT hufu.open_tasks_crm_customer({qiming}, '{KIND}', ARRAY[{zhang}])",
        "INSERT INTO access_task (type, record_id, kind, user_id, opened_by)"
        f" VALUES ('customer', {qiming}, '{KIND}', {zhang}, -1)",
        "INSERT INTO access_task_kind (kind, type, permission) VALUES ('x', 'customer', 'customer.view')",
        "SELECT count(*) FROM access_task_kind",
        "UPDATE access_task SET user_id = 1",
        "DELETE FROM access_task",
        "SELECT hufu.end_task(1)",
    ):
        with (
            pytest.raises(ProgrammingError, match=r"permission denied|not allowed"),
            by(company, "lin"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
