"""Transfer with its choices, and the move to another partition with everything that belongs to a record."""

from __future__ import annotations

import pytest

from hufu.access import guard
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.crm import actions
from hufu.crm.actions import FormerOwner
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last, may
from tests.web.log import entries


def transfer(company, by_whom, to, **choices):
    with by(company, by_whom) as actor:
        actions.transfer_record(
            actor,
            CUSTOMER,
            company.customer("qiming"),
            to=company.people[to],
            reason="客户搬到华南",
            version=1,
            **choices,
        )


@pytest.mark.parametrize(
    ("former", "views", "edits"),
    [(FormerOwner.LEAVES, False, False), (FormerOwner.READS, True, False), (FormerOwner.EDITS, True, True)],
)
def test_the_former_owner_leaves_or_stays_as_reader_or_editor(
    company, owner_connection, former, views, edits
):
    transfer(company, "lin", "zhang", former_owner=former)
    qiming = company.customer("qiming")
    assert may(company, "lin", "customer.view", CUSTOMER, qiming) is views
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming) is edits
    assert may(company, "zhang", "customer.edit", CUSTOMER, qiming)
    assert last(owner_connection, "customer.transferred").data["former_access"] == (former.value or None)


def test_the_department_follows_the_new_owner_or_stays(company):
    qiming = company.customer("qiming")
    transfer(company, "lin", "zhang", keep_department=True)
    with by(company, "zhang") as zhang:
        assert guard.get(zhang, "customer.view", qiming).department_id == company.departments["east"]
    # 唐亮 views his department: the record is still of it.
    assert may(company, "tang", "customer.view", CUSTOMER, qiming)
    with by(company, "wang") as wang:
        actions.transfer_record(
            wang, CUSTOMER, qiming, to=company.people["lin"], reason="回到华东", version=2
        )
    with by(company, "lin") as lin:
        assert guard.get(lin, "customer.view", qiming).department_id == company.departments["east"]


def test_a_member_who_becomes_the_owner_is_no_member_any_more(company, owner_connection):
    with by(company, "lin") as lin:
        actions.add_member(
            lin, CUSTOMER, company.customer("qiming"), who=company.people["zhang"], access="read"
        )
    transfer(company, "lin", "zhang", former_owner=FormerOwner.EDITS)
    members = owner_connection.execute("SELECT user_id, access FROM access_team_member").fetchall()
    assert members == [(company.people["lin"], "edit")]


def move(company, by_whom, to, *, owner=None, record="yunhe", version=1):
    with by(company, by_whom) as actor:
        actions.move_record(
            actor,
            CUSTOMER,
            company.customer(record),
            to=company.partitions[to],
            owner=company.people[owner] if owner else None,
            reason="划归深圳公司",
            version=version,
        )


def test_a_customer_moves_with_its_contacts_and_opportunities_to_an_owner_who_is_admitted(
    company, owner_connection
):
    qiming, gao, machines = (
        company.customer("qiming"),
        company.contact("gao"),
        company.opportunity("machines"),
    )
    with by(company, "lin") as lin:
        actions.add_member(lin, CUSTOMER, qiming, who=company.people["tang"], access="read")
    move(company, "li", "sz", owner="sun", record="qiming")
    for permission, resource, number in (
        ("customer.edit", CUSTOMER, qiming),
        ("contact.edit", CONTACT, gao),
        ("opportunity.edit", OPPORTUNITY, machines),
    ):
        assert may(company, "sun", permission, resource, number)
        assert not may(company, "lin", permission.replace("edit", "view"), resource, number)
        assert not may(company, "wang", permission.replace("edit", "view"), resource, number)
    # 唐亮 is not admitted to 深圳: his membership ended with the move.
    assert owner_connection.execute("SELECT count(*) FROM access_team_member").fetchone() == (0,)
    sh, sz = company.partitions["sh"], company.partitions["sz"]
    facts = {
        event.target: event.data
        for event in entries(owner_connection, "customer.moved", "contact.moved", "opportunity.moved")
    }
    lin_to_sun = {"from_owner": company.people["lin"], "to_owner": company.people["sun"]}
    assert facts[("customer", qiming)] == {"from_partition": sh, "to_partition": sz, **lin_to_sun}
    assert facts[("opportunity", machines)] == {"from_partition": sh, "to_partition": sz, **lin_to_sun}
    assert facts[("contact", gao)] == {"from_partition": sh, "to_partition": sz}
    assert last(owner_connection, "customer.member_left").data == {"member": company.people["tang"]}


def test_an_owner_who_is_not_admitted_there_does_not_follow(company):
    for owner in (None, "tang"):
        with pytest.raises(Invalid):
            move(company, "li", "sz", owner=owner)


def test_an_opportunity_moves_with_its_customer_and_not_alone(company):
    with pytest.raises(Invalid, match=r"moves with it|一起"), by(company, "li") as li:
        actions.move_record(
            li,
            OPPORTUNITY,
            company.opportunity("machines"),
            to=company.partitions["sz"],
            owner=company.people["sun"],
            reason="x",
            version=1,
        )


def test_whoever_may_not_create_in_the_other_partition_does_not_move_there(company, owner_connection):
    """王芳 creates but may not move; 李强 may move until nobody of his levels creates any more."""
    owner_connection.execute("DELETE FROM access_grant WHERE permission = 'customer.create'")
    with pytest.raises(Denied):
        move(company, "li", "sz", owner="sun")
    with pytest.raises(Denied):
        move(company, "wang", "sz", owner="sun")
    with pytest.raises(NotFound):
        move(company, "sun", "sz", owner="sun")


def test_a_move_of_another_version_is_a_conflict(company):
    with pytest.raises(Conflict):
        move(company, "li", "sz", owner="sun", version=7)
    assert may(company, "lin", "customer.view", CUSTOMER, company.customer("yunhe"))


def test_a_taken_external_number_is_said_and_nothing_moves(company, owner_connection):
    for name in ("yunhe", "pengcheng"):
        owner_connection.execute(
            "UPDATE crm_customer SET external_id = 'K-1' WHERE id = %s", [company.customer(name)]
        )
    with pytest.raises(Invalid):
        move(company, "li", "sz", owner="sun")
    assert may(company, "lin", "customer.view", CUSTOMER, company.customer("yunhe"))


def test_naming_another_owner_where_this_one_could_follow_is_a_transfer_too(company, owner_connection):
    """李强 may move customers and, without the manager's grants, not transfer them; 唐亮 is admitted to 深圳, too."""
    owner_connection.execute("DELETE FROM access_grant WHERE permission = 'customer.transfer'")
    owner_connection.execute(
        "INSERT INTO access_admission (partition_id, user_id, can_create, can_edit, can_delete, reason, given_by)"
        " SELECT 2, id, true, true, true, '', -1 FROM people_user WHERE username IN ('lin', 'tang')"
    )
    for owner in ("tang", "li"):
        with pytest.raises(Denied):
            move(company, "li", "sz", owner=owner)
    move(company, "li", "sz")
    assert may(company, "lin", "customer.edit", CUSTOMER, company.customer("yunhe"))


def test_nobody_moves_a_record_to_themselves_without_transfer(company, owner_connection):
    owner_connection.execute("DELETE FROM access_grant WHERE permission = 'customer.transfer'")
    with pytest.raises(Denied):
        move(company, "li", "sz", owner="li")
    move(company, "li", "sz", owner="sun")
