"""The related team: a share of view, and of edit for its editors, for those who hold these at any scope; never more."""

from __future__ import annotations

import pytest

from hufu.access import guard, queries
from hufu.access.fields import FieldAccess
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.crm import actions
from hufu.crm import queries as crm_queries
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last, may


def add(company, by_whom, who, access, record="qiming", role=""):
    with by(company, by_whom) as actor:
        actions.add_member(
            actor, CUSTOMER, company.customer(record), who=company.people[who], access=access, role=role
        )


def test_zhang_sees_a_customer_of_another_department_from_the_moment_he_is_in_its_team(
    company, owner_connection
):
    qiming = company.customer("qiming")
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    add(company, "lin", "zhang", "read", role="售前支持")
    assert may(company, "zhang", "customer.view", CUSTOMER, qiming)
    assert not may(company, "zhang", "customer.edit", CUSTOMER, qiming)
    assert last(owner_connection, "customer.member_joined").data == {
        "member": company.people["zhang"],
        "access": "read",
        "role": "售前支持",
    }


def test_an_editor_of_the_team_edits_and_neither_deletes_nor_transfers_nor_shares(company):
    qiming = company.customer("qiming")
    add(company, "lin", "zhang", "edit")
    with by(company, "zhang") as zhang:
        actions.edit_record(zhang, CUSTOMER, qiming, {"stage": "won"}, version=1)
    for deed in (
        lambda a: actions.delete_record(a, CUSTOMER, qiming, version=2),
        lambda a: actions.transfer_record(
            a, CUSTOMER, qiming, to=company.people["zhang"], reason="x", version=2
        ),
        lambda a: actions.add_member(a, CUSTOMER, qiming, who=company.people["sun"], access="read"),
    ):
        with pytest.raises(Denied), by(company, "zhang") as zhang:
            deed(zhang)


def test_an_editor_reads_the_phone_like_the_owner_and_a_reader_sees_it_masked(company):
    for access, expected in (("read", FieldAccess.MASKED), ("edit", FieldAccess.EDITABLE)):
        add(company, "lin", "zhang", access)
        with by(company, "zhang") as zhang:
            record = guard.get(zhang, "customer.view", company.customer("qiming"))
            assert guard.fields(zhang, CUSTOMER, record)["phone"] is expected
            contact = guard.get(zhang, "contact.view", company.contact("gao"))
            assert guard.fields(zhang, CONTACT, contact)["phone"] is expected


def test_contacts_follow_their_customer_and_opportunities_do_not(company):
    add(company, "lin", "zhang", "edit")
    assert may(company, "zhang", "contact.view", CONTACT, company.contact("gao"))
    assert may(company, "zhang", "contact.edit", CONTACT, company.contact("gao"))
    assert not may(company, "zhang", "opportunity.view", OPPORTUNITY, company.opportunity("machines"))


def test_the_team_widens_nothing_for_somebody_without_the_permission(company):
    """钱多 holds no role: he may be a member and sees nothing."""
    add(company, "lin", "qian", "read")
    assert not may(company, "qian", "customer.view", CUSTOMER, company.customer("qiming"))
    # 陈静 holds view and no edit: as an editor she still only reads.
    assert not may(company, "chen", "customer.edit", CUSTOMER, company.customer("qiming"))


def test_the_wall_holds_for_the_team(company, owner_connection):
    """孙海 is admitted to 深圳 alone and cannot be taken in; and if his row stood there, he would see nothing."""
    with pytest.raises(Invalid, match=r"not admitted|没有"):
        add(company, "lin", "sun", "read")
    owner_connection.execute(
        "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
        " VALUES ('customer', %s, %s, 'edit', '', -1)",
        [company.customer("qiming"), company.people["sun"]],
    )
    assert not may(company, "sun", "customer.view", CUSTOMER, company.customer("qiming"))
    # 陈静 is admitted to read and cannot be an editor.
    with pytest.raises(Invalid):
        add(company, "lin", "chen", "edit")


@pytest.mark.parametrize(
    ("by_whom", "who", "access", "error"),
    [
        ("tang", "zhang", "read", Denied),  # a colleague who views it
        ("zhao", "zhang", "read", Denied),  # read-only
        ("zhang", "zhang", "edit", NotFound),  # who does not see it
        ("lin", "lin", "edit", Invalid),  # oneself
        ("wang", "wang", "edit", Invalid),  # oneself, as the manager
        ("wang", "lin", "read", Invalid),  # its owner
        ("lin", "zhang", "delete", Invalid),  # no such access
    ],
)
def test_whom_nobody_takes_in(company, owner_connection, by_whom, who, access, error):
    with pytest.raises(error):
        add(company, by_whom, who, access)
    assert owner_connection.execute("SELECT count(*) FROM access_team_member").fetchone() == (0,)


def test_lin_changes_what_a_member_may_do_and_takes_him_out_and_he_may_leave_himself(
    company, owner_connection
):
    qiming = company.customer("qiming")
    add(company, "lin", "zhang", "edit")
    add(company, "lin", "zhang", "read")
    assert not may(company, "zhang", "customer.edit", CUSTOMER, qiming)
    with by(company, "lin") as lin:
        actions.remove_member(lin, CUSTOMER, qiming, who=company.people["zhang"])
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    add(company, "lin", "zhang", "read")
    with by(company, "zhang") as zhang:
        actions.remove_member(zhang, CUSTOMER, qiming, who=zhang.user_id)
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    assert last(owner_connection, "customer.member_left").data == {"member": company.people["zhang"]}


def test_nobody_takes_out_members_of_a_record_that_they_only_view(company):
    add(company, "lin", "zhang", "read")
    with pytest.raises(Denied), by(company, "tang") as tang:
        actions.remove_member(tang, CUSTOMER, company.customer("qiming"), who=company.people["zhang"])
    assert may(company, "zhang", "customer.view", CUSTOMER, company.customer("qiming"))


def test_whoever_views_the_record_sees_its_team_and_others_do_not(company):
    add(company, "lin", "zhang", "read", role="售前")
    qiming = company.customer("qiming")
    for name, seen in (("tang", 1), ("chen", 1), ("zhang", 1), ("sun", 0), ("qian", 0), ("feng", 0)):
        with by(company, name) as actor:
            assert len(crm_queries.team(actor, CUSTOMER, qiming)) == seen, name


def test_the_explanation_says_that_the_team_is_why(company):
    add(company, "lin", "zhang", "read")
    with by(company, "he"):
        snapshot = queries.snapshot()
    with by(company, "lin") as lin:
        facts = queries.facts(CUSTOMER, guard.get(lin, "customer.view", company.customer("qiming")))
    decision = queries.explain(snapshot, company.people["zhang"], "customer.view", facts)
    assert decision.allowed
    assert decision.covers[0].shared


def test_who_can_see_a_record_is_told_to_its_owner_and_not_to_those_who_only_view(company):
    add(company, "lin", "zhang", "read")
    with by(company, "lin") as lin:
        found = queries.who_may(lin, "customer.view", company.customer("qiming"))
    names = {"lin", "tang", "zhao", "wang", "zhang", "chen", "zhou", "li"}
    assert found.keys() == {company.people[name] for name in names}
    from django.db import ProgrammingError

    for name in ("zhao", "chen", "sun", "qian"):
        with pytest.raises(ProgrammingError, match="not allowed"), by(company, name) as actor:
            queries.who_may(actor, "customer.view", company.customer("qiming"))
