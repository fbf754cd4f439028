"""A share across the wall: one person, one record, until a day, by whoever owns the partition; and nothing beside it.

林悦's customers lie in 上海. 孙海 is admitted to 深圳 alone, and a representative like her. 何明 gives admissions.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.utils import translation

from hufu.access import actions as access
from hufu.access import (
    admission_requests,
    as_of,
    doctor,
    explain,
    explain_fields,
    guard,
    policy_document,
    principals,
    queries,
)
from hufu.access.admission_requests import State
from hufu.access.decision.decide import Code
from hufu.access.decision.field_access import FieldAccess, FieldCode
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import Right
from hufu.access.models import Partition, Role
from hufu.core import clock
from hufu.core.actor import Actor, Ceiling
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm import queries as crm_queries
from hufu.crm.queries import get_record
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.crm.who_sees import who_sees
from hufu.people.models import User
from hufu.web.records.forms import RecordForm
from tests.access.test_delegation import lend
from tests.company import company, company_database, publish

__all__ = ["company", "company_database"]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def later(days=7):
    return clock.now() + timedelta(days=days)


def ask(company, who="lin", to="sun", customer="qiming", access="read", ends_at=None):
    with acting(company.actor(who)) as unit:
        return actions.ask_across(
            unit.actor,
            CUSTOMER,
            company.customer(customer),
            to=User.objects.get(pk=company.people[to]),
            access=access,
            ends_at=ends_at or later(),
            reason="联合投标",
        )


def answer(company, number, who="he", *, yes=True, reason=""):
    with acting(company.actor(who)) as unit:
        admission_requests.answer(unit.actor, number, yes=yes, reason=reason)


def deciders(company):
    found = set()
    for name in company.people:
        if name != "zheng":
            with acting(company.actor(name)) as unit:
                if admission_requests.waiting(unit.actor):
                    found.add(name)
    return found


def states(company, who="lin"):
    with acting(company.actor(who)) as unit:
        return [each.state for each in admission_requests.mine(unit.actor)]


def reached(company, who="sun", permission="customer.view"):
    with acting(company.actor(who)) as unit:
        return set(guard.scope(unit.actor, permission).values_list("pk", flat=True))


def asked_of(company, who, permission, customer="qiming", ceiling=None):
    """Return what list, point check and database say of one customer; they say the same."""
    number = company.customer(customer)
    with acting(company.actor("lin")) as unit:
        record = get_record(unit.actor, CUSTOMER, number)
    person = company.actor(who)
    actor = Actor(person.user_id, person.name, person.context, ceiling)
    with acting(actor), connection.cursor() as cursor:
        listed = guard.scope(actor, permission).filter(pk=number).exists()
        checked = guard.may(actor, permission, record)
        cursor.execute("SELECT hufu.covers_crm_customer(%s, %s)", [permission, number])
        assert listed == checked == cursor.fetchone()[0]
        return listed


def test_sun_reaches_the_one_customer_that_was_let_across_and_its_contacts_until_the_day(
    company, owner_connection
):
    before, contacts = reached(company), reached(company, permission="contact.view")
    with acting(company.actor("lin")) as unit, pytest.raises(actions.OutsideWall):
        to = principals.read(f"user:{company.people['sun']}")
        actions.share_record(
            unit.actor, CUSTOMER, company.customer("qiming"), to=to, access="read", reason="x"
        )
    number = ask(company)
    assert (reached(company), states(company), deciders(company)) == (before, [State.WAITING], {"he"})
    answer(company, number)
    assert reached(company) == before | {company.customer("qiming")}
    assert reached(company, permission="contact.view") - contacts == {company.contact("gao")}
    assert (states(company), deciders(company)) == ([State.OPEN], set())
    for verb in ("edit", "delete", "transfer", "share"):
        assert not asked_of(company, "sun", f"customer.{verb}")
    with acting(company.actor("li")) as unit:
        who = queries.who_may(unit.actor, "customer.view", company.customer("qiming"))
        assert who[company.people["sun"]] is Scope.SHARED
        facts = queries.facts(CUSTOMER, get_record(unit.actor, CUSTOMER, company.customer("qiming")))
    with acting(company.actor("sun")):
        own = queries.snapshot()
        decision = queries.explain(own, company.people["sun"], "customer.view", facts)
        said = list(explain.sentences(own, decision))
        assert decision.allowed
        assert decision.covers[-1].admission is None
        assert explain.structure(own, decision)["path"][-1]["share"]["across_by"] == company.people["he"]
    assert (
        "孙海 is not admitted to partition “上海公司”. 何明, for its owner, let this share reach them across the wall: "
        "this record and what follows it, nothing else."
    ) in said
    owner_connection.execute("UPDATE access_share SET ends_at = now() - interval '1 minute'")
    assert reached(company) == before
    with acting(company.actor("li")) as unit:
        snapshot = queries.snapshot()
        record = get_record(unit.actor, CUSTOMER, company.customer("qiming"))
        decision = queries.explain(
            snapshot, company.people["sun"], "customer.view", queries.facts(CUSTOMER, record)
        )
        said = list(explain.sentences(snapshot, decision))
    assert Code.NOT_ADMITTED in {link.code for link in decision.missing}
    assert (
        sum(line.startswith("The record was shared with the person 孙海; that ended") for line in said) == 1
    )
    events = owner_connection.execute(
        "SELECT type FROM audit_event WHERE type LIKE 'admission.%' ORDER BY at"
    ).fetchall()
    assert [row[0] for row in events] == ["admission.asked", "admission.let_across"]


def test_to_edit_lets_him_edit_and_add_contacts_and_nothing_else(company):
    answer(company, ask(company, access="edit"))
    assert asked_of(company, "sun", "customer.edit")
    for verb in ("delete", "transfer", "share"):
        assert not asked_of(company, "sun", f"customer.{verb}")
    qiming = company.customer("qiming")
    with acting(company.actor("sun")) as unit:
        record = get_record(unit.actor, CUSTOMER, qiming)
        actions.edit_record(unit.actor, CUSTOMER, qiming, {"industry": "food"}, version=record.lock_version)
        added = actions.create_child(unit.actor, CONTACT, actions.NewChild(qiming, {"name": "陆工"}))
        assert get_record(unit.actor, CONTACT, added)
        sh = company.partitions["sh"]
        assert sh not in guard.creatable_partitions(unit.actor, CUSTOMER)
        with pytest.raises((Denied, Invalid)):
            new = actions.NewRecord(sh, unit.actor.user_id, {"name": "新机会", "customer": qiming})
            actions.create_record(unit.actor, OPPORTUNITY, new)


def test_to_edit_lets_him_delete_restore_and_disclose_no_contact(company, owner_connection):
    """孙海 holds all that is asked of a contact, and edits hers; what he lacks is the partition's right."""
    verbs = ("edit", "delete", "restore", "purge", "disclose", "erase")
    everything = {
        "key": "contacts",
        "name": "联系人",
        "grants": {f"contact.{verb}": "everything" for verb in verbs},
    }
    publish(company, {"format": 1, "roles": [everything]})
    sun = access.Principal(user=User.objects.get(pk=company.people["sun"]))
    with acting(company.actor("he")) as unit:
        access.assign_role(unit.actor, Role.objects.get(key="contacts"), to=sun, reason="x")
    answer(company, ask(company, access="edit"))
    gao = company.contact("gao")

    def doors(permission):
        """What list, point check, database and explanation say of 高's; they say the same."""
        with acting(company.actor("lin")) as unit:
            row = guard.with_parent(CONTACT, CONTACT.model_class._base_manager.all()).get(pk=gao)
            facts = queries.facts(CONTACT, row)
        with acting(company.actor("sun")) as unit, connection.cursor() as cursor:
            cursor.execute("SELECT hufu.covers_crm_contact(%s, %s)", [permission, gao])
            said = {
                guard.scope(unit.actor, permission).filter(pk=gao).exists(),
                guard.may(unit.actor, permission, row),
                cursor.fetchone()[0],
                queries.explain(queries.snapshot(), unit.actor.user_id, permission, facts).allowed,
            }
        [answer] = said
        return answer

    assert doors("contact.view")
    assert doors("contact.edit")
    for verb in ("delete", "disclose", "erase"):
        assert not doors(f"contact.{verb}")
    with acting(company.actor("sun")) as unit, pytest.raises(Denied):
        actions.delete_record(unit.actor, CONTACT, gao, version=1)
    with pytest.raises(DatabaseError), acting(company.actor("sun")), connection.cursor() as cursor:
        cursor.execute("SELECT hufu.bin_crm_contact(%s, 1)", [gao])
    owner_connection.execute("UPDATE crm_contact SET deleted_at = now() WHERE id = %s", [gao])
    for verb in ("restore", "purge"):
        assert not doors(f"contact.{verb}")
    with acting(company.actor("sun")) as unit, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM crm_contact WHERE deleted_at IS NOT NULL")
        assert cursor.fetchall() == []
        with pytest.raises(NotFound):
            actions.restore_record(unit.actor, CONTACT, gao, version=1)
    # Inside the wall the same share is like any other.
    with acting(company.actor("he")) as unit:
        sh = Partition.objects.get(key="sh")
        access.admit(unit.actor, sh, to=sun, rights={Right.READ, Right.EDIT}, reason="x")
    assert doors("contact.restore")


def test_an_exclusive_code_is_not_his_to_change_and_a_taken_one_looks_like_a_free_one(
    company, owner_connection, connect_as
):
    """The refusal of a taken code would tell of customers of a partition to which 孙海 is not admitted."""
    answer(company, ask(company, access="edit"))
    qiming, yunhe = company.customer("qiming"), company.customer("yunhe")
    taken, free = "91310000MA1FL0001H", "91310000MA1FL0002F"
    owner_connection.execute("UPDATE crm_customer SET code = %s WHERE id = %s", [taken, yunhe])
    counted = "SELECT count(*) FROM crm_duplicate_hit"
    before = owner_connection.execute(counted).fetchone()
    said = set()
    for code in (taken, free, ""):
        with acting(company.actor("sun")) as unit:
            version = get_record(unit.actor, CUSTOMER, qiming).lock_version
            form = RecordForm(unit.actor, CUSTOMER, get_record(unit.actor, CUSTOMER, qiming))
            assert "code" not in form.fields
            assert "industry" in form.fields
            with pytest.raises(Denied) as refused:
                actions.edit_record(unit.actor, CUSTOMER, qiming, {"code": code}, version=version)
        said.add((str(refused.value), str(refused.value.event)))
    assert len(said) == 1
    app = connect_as("hufu_app")
    for code in (taken, free):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people["sun"]])
            app.execute(
                "UPDATE crm_customer SET code = %s, updated_by_id = %s, lock_version = lock_version + 1"
                " WHERE id = %s",
                [code, company.people["sun"], qiming],
            )
    assert owner_connection.execute(counted).fetchone() == before
    with acting(company.actor("lin")) as unit:
        version = get_record(unit.actor, CUSTOMER, qiming).lock_version
        actions.edit_record(unit.actor, CUSTOMER, qiming, {"code": free}, version=version)


def test_the_explanation_of_an_exclusive_code_names_the_wall_and_agrees_with_what_may_be_written(company):
    """For whoever is admitted, and for other fields, it names what it always names."""
    answer(company, ask(company, access="edit"))
    qiming = company.customer("qiming")
    with acting(company.actor("lin")) as unit:
        facts = queries.facts(CUSTOMER, get_record(unit.actor, CUSTOMER, qiming))

    def explained(name, field, verb):
        with acting(company.actor(name)) as unit:
            snapshot, record = queries.snapshot(), get_record(unit.actor, CUSTOMER, qiming)
            permission = f"customer.{verb}"
            decision = queries.explain(snapshot, unit.actor.user_id, permission, facts)
            assert decision.allowed
            of_field = explain_fields.decide(snapshot, decision, CUSTOMER, CUSTOMER.by_name[field])
            written = guard.fields_to_write(unit.actor, CUSTOMER, record)[field]
            return of_field, written, list(explain_fields.sentences(snapshot, of_field))

    for verb in ("view", "edit"):
        of_field, written, said = explained("sun", "code", verb)
        assert (of_field.access, of_field.code) == (FieldAccess.READ_ONLY, FieldCode.WALL)
        assert of_field.access == written
        assert explain_fields.allows(of_field, verb) is (verb == "view")
        assert said[1].startswith("The wall keeps it: it is exclusive")
        assert len(said) == 2
        for name, field in (("sun", "industry"), ("lin", "code")):
            of_field, written, said = explained(name, field, verb)
            assert of_field.access == written == FieldAccess.EDITABLE
            assert not any("wall" in line for line in said)


def test_a_share_across_the_wall_opens_what_it_names_only_to_whoever_holds_the_permission(company):
    """冯刚 has no such role; nor does 孙海 reach what a token of his leaves out."""
    answer(company, ask(company))
    assert asked_of(company, "sun", "customer.view")
    elsewhere = Ceiling("令牌", None, frozenset({company.partitions["sz"]}))
    assert not asked_of(company, "sun", "customer.view", ceiling=elsewhere)
    assert not asked_of(company, "sun", "customer.view", ceiling=Ceiling("令牌", frozenset({"contact.view"})))
    answer(company, ask(company, to="feng"))
    assert not asked_of(company, "feng", "customer.view")


def test_the_policy_names_who_owns_a_partition_and_neither_asker_nor_recipient_decides(
    company, owner_connection
):
    entry = {"partition": "sh", "by": {"role": "manager"}}
    number = ask(company, "wang")
    assert deciders(company) == {"he"}
    publish(company, {"format": 1, "approvals": [entry]})
    # 王芳 is a manager, and asked herself; the executive is one, too.
    assert deciders(company) == {"li"}
    with pytest.raises(Conflict):
        answer(company, number, "he")
    with acting(company.actor("he")):
        assert entry in policy_document.export()["approvals"]
        assert policy_document.plan({"format": 1, "approvals": [entry]}) == ()
        with pytest.raises(Invalid):
            policy_document.plan({"format": 1, "approvals": [{"partition": "sh", "by": "owner"}]})
    answer(company, number, "li")
    assert asked_of(company, "sun", "customer.view")
    publish(
        company,
        {
            "format": 1,
            "approvals": [{"partition": "sh", "by": {"user": "sun"}}],
            "removes": {"approvals": [entry]},
        },
    )
    ask(company, customer="yunhe")
    assert deciders(company) == set()
    assert [found.problem for found in doctor.check_partition_owners()] == [""]
    owner_connection.execute("UPDATE people_user SET status = 'left' WHERE username = 'sun'")
    assert [found.problem for found in doctor.check_partition_owners()] == ["no active owner: sh"]


def test_a_refusal_says_why_and_takes_the_share_away_and_so_do_asker_and_owner(company, owner_connection):
    def shares():
        return owner_connection.execute("SELECT count(*) FROM access_share").fetchone()[0]

    refused = ask(company)
    with pytest.raises(Invalid):
        answer(company, refused, yes=False)
    answer(company, refused, yes=False, reason="请走正式流程")
    assert (states(company), shares()) == ([State.REJECTED], 0)
    withdrawn = ask(company)
    with acting(company.actor("lin")) as unit:
        assert admission_requests.end(unit.actor, withdrawn)
    assert (states(company), shares()) == ([State.WITHDRAWN, State.REJECTED], 0)
    ended = ask(company)
    answer(company, ended)
    with acting(company.actor("sun")) as unit:
        assert not admission_requests.end(unit.actor, ended)
    with acting(company.actor("he")) as unit:
        assert [row.pk for row in admission_requests.let_across(unit.actor)] == [ended]
        assert admission_requests.end(unit.actor, ended)
        assert not admission_requests.end(unit.actor, ended)
    assert states(company)[0] is State.OVER
    assert not asked_of(company, "sun", "customer.view")


def test_nobody_keeps_the_owner_from_deciding_or_ending_by_a_delegation(company, connect_as):
    """A delegation needs no consent of whom it is given to. 何明 decides in his own name, which is never lent."""
    lend(company, "lin", "he", "customer.view")
    number = ask(company)
    assert deciders(company) == {"he"}
    answer(company, number)
    lend(company, "sun", "he", "customer.view")
    with acting(company.actor("he")) as unit:
        assert [row.pk for row in admission_requests.let_across(unit.actor)] == [number]
        assert admission_requests.end(unit.actor, number)
    assert not asked_of(company, "sun", "customer.view")


def test_an_owner_ends_what_reaches_themselves_and_decides_nothing_about_it(company, owner_connection):
    number = ask(company, to="he")
    assert deciders(company) == set()
    with pytest.raises(Conflict):
        answer(company, number)
    publish(company, {"format": 1, "approvals": [{"partition": "sh", "by": {"user": "li"}}]})
    answer(company, number, "li")
    entry = {"partition": "sh", "by": {"user": "he"}}
    publish(company, {"format": 1, "approvals": [entry]})
    with acting(company.actor("he")) as unit:
        assert [row.pk for row in admission_requests.let_across(unit.actor)] == [number]
        assert admission_requests.end(unit.actor, number)
    assert states(company) == [State.OVER]


def test_what_lies_in_the_bin_waits_for_nobody_until_it_is_restored(company):
    number, qiming = ask(company), company.customer("qiming")

    def deed(does, version):
        with acting(company.actor("lin")) as unit:
            does(unit.actor, CUSTOMER, qiming, version=version)

    with acting(company.actor("lin")) as unit:
        version = get_record(unit.actor, CUSTOMER, qiming).lock_version
    deed(actions.delete_record, version)
    assert deciders(company) == set()
    with acting(company.actor("he")):
        assert admission_requests.how_many_wait() == 0
    with pytest.raises(Conflict):
        answer(company, number)
    deed(actions.restore_record, version + 1)
    assert deciders(company) == {"he"}
    answer(company, number)
    assert asked_of(company, "sun", "customer.view")


def test_he_sees_his_own_share_and_none_of_the_people_of_the_partition(company, connect_as):
    """唐雨 has a share and is in the team, 冯刚 is asked for: 孙海 reads of neither, nor who sees the customer."""
    qiming, sun = company.customer("qiming"), company.people["sun"]
    with acting(company.actor("lin")) as unit:
        to = principals.read(f"user:{company.people['tang']}")
        actions.share_record(unit.actor, CUSTOMER, qiming, to=to, access="read", reason="x")
        actions.add_member(unit.actor, CUSTOMER, qiming, who=company.people["chen"], access="read", role="")
    ask(company, to="feng")
    answer(company, ask(company, access="edit"))

    def listed(name):
        with acting(company.actor(name)) as unit:
            shares = crm_queries.shares(unit.actor, CUSTOMER, qiming)
            return {row.user_id for row in shares}, len(crm_queries.team(unit.actor, CUSTOMER, qiming))

    assert listed("sun") == ({sun}, 0)
    assert listed("lin") == ({sun, company.people["tang"], company.people["feng"]}, 1)
    assert listed("chen") == listed("lin")
    with acting(company.actor("sun")) as unit, pytest.raises(Denied):
        who_sees(unit.actor, CUSTOMER, qiming)
    with acting(company.actor("lin")) as unit:
        assert who_sees(unit.actor, CUSTOMER, qiming)
    app = connect_as("hufu_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [sun])
        app.execute("SELECT * FROM hufu.who_crm_customer('customer.view', %s)", [qiming])


def test_whoever_asks_twice_or_without_need_or_for_too_long_is_told_so(company):
    ask(company)
    for wrong in (
        {},
        {"to": "tang"},
        {"to": "zheng"},
        {"to": "lin"},
        {"ends_at": later(200)},
        {"ends_at": later(-1)},
        {"access": "delete"},
    ):
        with pytest.raises(Invalid):
            ask(company, **wrong)
    with pytest.raises(Denied):
        ask(company, "chen")
    assert states(company) == [State.WAITING]


def test_what_moves_to_another_partition_is_behind_another_wall(company):
    answer(company, ask(company, "li"))
    waits = ask(company, "li", to="feng")
    with acting(company.actor("li")) as unit:
        qiming = get_record(unit.actor, CUSTOMER, company.customer("qiming"))
        actions.move_record(
            unit.actor,
            CUSTOMER,
            qiming.pk,
            to=company.partitions["sz"],
            owner=company.people["li"],
            version=qiming.lock_version,
            reason="业务划转",
        )
    assert states(company, "li") == [State.WITHDRAWN, State.OVER]
    with pytest.raises(Conflict):
        answer(company, waits)


def test_the_database_writes_no_crossing_but_by_its_own_functions(company, connect_as):
    number = ask(company)
    app = connect_as("hufu_app")
    sun, lin, he = (company.people[name] for name in ("sun", "lin", "he"))
    qiming = company.customer("qiming")
    for who, statement in (
        (sun, "UPDATE access_share SET across_by = 1"),
        (he, "UPDATE access_admission_request SET granted = true"),
        (lin, f"SELECT hufu.answer_admission({number}, true, '')"),
        (sun, f"SELECT hufu.answer_admission({number}, true, '')"),
        (sun, f"SELECT hufu.end_admission_request({number})"),
        (company.people["tang"], f"SELECT hufu.answer_admission({number}, true, '')"),
        (lin, f"SELECT hufu.ask_across_crm_customer({qiming}, {lin}, 'read', now() + interval '1 day', '')"),
        (lin, f"SELECT hufu.ask_across_crm_customer({qiming}, {sun}, 'read', NULL, '')"),
        (lin, f"SELECT hufu.ask_across_crm_customer({qiming}, {sun}, 'read', now() + interval '1 year', '')"),
        (
            company.people["chen"],
            f"SELECT hufu.ask_across_crm_customer({qiming}, {sun}, 'read', now() + interval '1 day', '')",
        ),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [who])
            app.execute(statement)
    for who, seen in ((sun, 0), (company.people["tang"], 0), (lin, 1), (he, 1)):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [who])
            assert app.execute("SELECT count(*) FROM access_admission_request").fetchone() == (seen,)


def test_what_somebody_reached_across_the_wall_is_known_afterwards(company):
    answer(company, ask(company))
    let = clock.now()
    with acting(company.actor("lin")) as unit:
        [asked] = admission_requests.mine(unit.actor)
        assert admission_requests.end(unit.actor, asked.request.pk)
    with acting(company.actor("he")) as unit:
        for moment, expected in ((let, True), (clock.now(), False)):
            past = as_of.decide_at(
                unit.actor, company.people["sun"], "customer.view", company.customer("qiming"), moment
            )
            assert past.decision.allowed is expected
