"""林悦 leaves: nothing that rights hang on stays with her, her open session ends, and every record has a new owner."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from hufu.access import actions as access
from hufu.access import guard, queries
from hufu.access.actions import Principal
from hufu.access.decision.terms import Right
from hufu.access.models import Partition, Role
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Handover
from hufu.staffing.holdings import Holdings, holdings

OPERATOR = Actor.operator()
REASON = "离职"
BACKEND = "hufu.web.accounts.backend.PasswordBackend"


def left(company, person, name="lin", by="feng", **wanted):
    actor = company.actor(by)
    with acting(actor):
        return staffing.leave(actor, person(name), **{"reason": REASON, **wanted})


@pytest.fixture
def rich(company, person, department, belonging, forty):
    """林悦 with something of every kind that one can hold; 赵敏 and 唐亮 report to her."""
    he, feng, lin = company.actor("he"), company.actor("feng"), company.people["lin"]
    group, position = belonging("bidders", "key_account")
    with acting(he):
        access.assign_role(
            he, Role.objects.get(key="finance"), to=Principal(user=person("lin")), reason="项目"
        )
        access.assign_role(he, Role.objects.get(key="service"), to=Principal(group=group), reason="项目")
        access.admit(
            he,
            Partition.objects.get(key="sz"),
            to=Principal(position=position),
            rights=[Right.EDIT],
            reason="项目",
        )
        access.admit(
            he,
            Partition.objects.get(key="sz"),
            to=Principal(user=person("lin")),
            rights=[Right.READ],
            reason="项目",
        )
    with acting(feng):
        staffing.add_members(feng, group, [lin])
        staffing.add_holders(feng, position, [lin])
        staffing.appoint_head(feng, department("east"), lin)
        staffing.add_assistants(feng, department("south"), [lin])
        staffing.set_secondary_departments(feng, {lin: [company.departments["south"]]})
        staffing.set_managers(feng, {company.people["zhao"]: lin, company.people["tang"]: lin})
    with acting(OPERATOR):
        crm.add_member(OPERATOR, CUSTOMER, company.customer("nanfang"), who=lin, access="edit")
    return lin


def test_a_leaver_keeps_nothing(company, rich, person, owner_connection):
    outcome = left(company, person, handover=Handover(to=company.people["tang"]))

    with acting(OPERATOR):
        held = holdings(OPERATOR, rich)
    wang = person("wang")
    east = held.department
    assert east.code == "east"
    assert held == Holdings(department=east, manager=wang, status="left")
    assert outcome.after == held
    for table in (
        "access_assignment",
        "access_admission",
        "access_team_member",
        "people_group_member",
        "people_position_holder",
        "people_department_post",
        "people_membership",
    ):
        assert owner_connection.execute(
            f"SELECT count(*) FROM {table} WHERE user_id = %s", [rich]
        ).fetchone() == (0,), table
    for table in ("crm_customer", "crm_opportunity"):
        assert owner_connection.execute(
            f"SELECT count(*) FROM {table} WHERE owner_id = %s", [rich]
        ).fetchone() == (0,)
    assert not User.objects.filter(manager_id=rich).exists()


def test_what_a_leaver_loses_is_told_and_every_step_has_its_event(company, rich, person, events):
    outcome = left(company, person, handover=Handover(to=company.people["tang"]))

    tang = company.people["tang"]
    assert [(handed.type, handed.number, handed.owner.id) for handed in outcome.handed] == [
        ("customer", 43, tang),
        ("opportunity", 3, tang),
    ]
    assert [gift.key for gift in outcome.ended_gifts] == ["finance", "sz"]
    assert outcome.ended_teams == 1
    assert {report.username for report in outcome.handed_reports} == {"zhao", "tang"}
    assert outcome.reports_to.username == "wang"
    (summary,) = events("user.left")
    assert summary["target"] == {"type": "user", "id": rich}
    assert summary["reason"] == REASON
    assert summary["data"] == {
        "records": 46,
        "successors": [tang],
        "roles": ["finance"],
        "partitions": ["sz"],
        "groups": ["bidders"],
        "positions": ["key_account"],
        "posts": ["east.head", "south.assistant"],
        "teams": 1,
        "reports": 2,
        "reports_to": company.people["wang"],
    }
    for type_name, amount in {
        "customer.transferred": 43,
        "opportunity.transferred": 3,
        "customer.member_left": 1,
        "role.unassigned": 1,
        "partition.admission_ended": 1,
        "group.member_left": 1,
        "position.holder_left": 1,
        "post.left": 2,
    }.items():
        assert len(events(type_name)) == amount, type_name
    (team,) = events("customer.member_left")
    assert team["target"]["id"] == company.customer("nanfang")
    assert team["partition"] == company.partitions["sh"]


def test_the_next_request_of_an_open_session_is_refused(company, rich, person):
    client = Client(headers={"accept-language": "en"})
    client.force_login(person("lin"), backend=BACKEND)
    address = f"/customers/{company.customer('qiming')}/"
    assert client.get(address).status_code == 200
    left(company, person, handover=Handover(to=company.people["tang"]))
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["location"].startswith("/accounts/login/")


def test_who_may_no_longer_names_a_leaver_and_names_the_successor(company, rich, person):
    he, number = company.actor("he"), company.customer("qiming")
    with acting(he):
        assert rich in queries.who_may(he, "customer.edit", number)
    left(company, person, handover=Handover(to=company.people["tang"]))
    with acting(he):
        for permission in ("customer.view", "customer.edit"):
            assert rich not in queries.who_may(he, permission, number)
        assert company.people["tang"] in queries.who_may(he, "customer.edit", number)
    with acting(company.actor("lin")):
        assert guard.scope(company.actor("lin"), "customer.view").count() == 0


def test_records_without_a_successor_refuse_the_deed_with_partitions_and_numbers(
    company, rich, person, owner_connection
):
    with pytest.raises(Invalid) as refused:
        left(company, person, handover=Handover())
    assert "上海公司" in str(refused.value)
    assert "43" in str(refused.value)
    assert person("lin").status == "active"
    with pytest.raises(Invalid) as refused:
        left(company, person, handover=Handover(to=company.people["sun"]))
    assert "孙海" in str(refused.value)
    assert owner_connection.execute(
        "SELECT count(*) FROM access_assignment WHERE user_id = %s", [rich]
    ).fetchone() == (1,)


def test_each_partition_has_its_own_successor(company, person, owner_connection):
    with acting(OPERATOR):
        crm.create_many(
            OPERATOR,
            CUSTOMER,
            [
                crm.NewRecord(number, company.people["li"], {"name": "大客户", "stage": "new"})
                for number in company.partitions.values()
            ],
        )
    people, partitions = company.people, company.partitions
    with pytest.raises(Invalid) as refused:
        left(company, person, "li", handover=Handover(to=people["tang"]))
    assert "深圳公司" in str(refused.value)
    assert "上海公司" not in str(refused.value)
    left(
        company,
        person,
        "li",
        handover=Handover(to=people["tang"], by_partition={partitions["sz"]: people["sun"]}),
    )
    assert owner_connection.execute(
        "SELECT partition_id, owner_id FROM crm_customer WHERE name = '大客户' ORDER BY 1"
    ).fetchall() == [(partitions["sh"], people["tang"]), (partitions["sz"], people["sun"])]


def test_one_who_could_own_everything_gets_only_the_partition_that_they_are_named_for(
    company, person, owner_connection
):
    """李强 may own in both partitions; named for 深圳 alone, he gets nothing of 上海."""
    people, partitions = company.people, company.partitions
    with acting(OPERATOR):
        crm.create_many(
            OPERATOR,
            CUSTOMER,
            [crm.NewRecord(partitions["sz"], people["sun"], {"name": "又一", "stage": "new"})],
        )
    left(
        company,
        person,
        "lin",
        handover=Handover(to=people["tang"], by_partition={partitions["sz"]: people["li"]}),
    )
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE owner_id = %s", [people["li"]]
    ).fetchone() == (0,)


def test_records_in_the_bin_are_handed_over_too(company, person, owner_connection):
    left(company, person, handover=Handover(to=company.people["tang"]))
    for table, number in (
        ("crm_customer", company.binned["customer"]),
        ("crm_opportunity", company.binned["opportunity"]),
    ):
        assert owner_connection.execute(
            f"SELECT owner_id, deleted_at IS NOT NULL FROM {table} WHERE id = %s", [number]
        ).fetchone() == (company.people["tang"], True)


def test_reports_go_past_a_manager_who_has_left_to_the_nearest_who_has_not(company, person):
    """张伟 reports to 郑凯, who reports to 王芳, who reports to 李强."""
    people = company.people
    left(company, person, "zheng", handover=Handover(to=people["tang"]))
    assert person("zhang").manager_id == people["wang"]
    feng = company.actor("feng")
    with acting(feng):
        staffing.set_managers(feng, {people["chen"]: people["zheng"], people["qian"]: people["chen"]})
    left(company, person, "chen", handover=Handover())
    assert person("qian").manager_id == people["wang"]
    left(company, person, "wang", handover=Handover(), reports_to=None)
    assert person("zhang").manager_id is None


def test_an_account_that_was_closed_before_is_cleared_by_leaving(company, person, owner_connection, events):
    """An import closed 林悦's account and left her records with her."""
    feng, lin = company.actor("feng"), company.people["lin"]
    with acting(feng):
        staffing.change_users(feng, {lin: {"status": "left"}})
    left(company, person, handover=Handover(to=company.people["tang"]))
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE owner_id = %s", [lin]
    ).fetchone() == (0,)
    assert len(events("user.left")) == 1
    left(company, person, handover=Handover())
    assert len(events("user.left")) == 1


def test_the_last_who_can_manage_people_or_rights_does_not_leave(company, person):
    for name, permission in (("he", "role.assign"), ("feng", "user.manage")):
        with pytest.raises(Invalid) as refused, acting(OPERATOR):
            staffing.leave(OPERATOR, person(name), handover=Handover(), reason=REASON)
        assert person(name).name in str(refused.value), permission
        assert person(name).status == "active"
    he = company.actor("he")
    with acting(he):
        access.assign_role(
            he, Role.objects.get(key="system"), to=Principal(user=person("qian")), reason="接任"
        )
    with acting(OPERATOR):
        staffing.leave(OPERATOR, person("feng"), handover=Handover(), reason=REASON)
    assert person("feng").status == "left"


def test_nobody_lets_themselves_leave_and_only_who_manages_people_lets_anybody(unharmed, person):
    for name, whom in (("feng", "feng"), ("lin", "lin"), ("wang", "lin"), ("he", "lin"), ("wu", "lin")):
        with pytest.raises(Denied):
            left(unharmed, person, whom, by=name, handover=Handover(to=unharmed.people["tang"]))
    assert person("lin").status == "active"


def test_nobody_takes_over_records_or_reports_by_their_own_hand(unharmed, person):
    feng = unharmed.actor("feng")
    with pytest.raises(Invalid):
        left(unharmed, person, "lin", handover=Handover(to=feng.user_id))
    with pytest.raises(Invalid):
        left(unharmed, person, "wang", handover=Handover(), reports_to=feng.user_id)
    assert person("wang").status == "active"


def test_two_thousand_records_are_handed_over_at_once(company, person, owner_connection):
    owner_connection.execute(
        "INSERT INTO crm_customer (id, partition_id, created_at, created_by_id, updated_at, updated_by_id,"
        " lock_version, name, name_sort, name_initials, owner_id, department_id, customer_level, stage, industry,"
        " source, region, code, phone, website, address, parent_company, note)"
        " SELECT nextval('crm_customer_id_seq'), %s, now(), 1, now(), 1, 1, 'x', 'x', 'x', %s, %s,"
        " '', 'new', '', '', '', '', '', '', '', '', '' FROM generate_series(1, 2000)",
        [company.partitions["sh"], company.people["lin"], company.departments["east"]],
    )
    started = time.monotonic()
    outcome = left(company, person, handover=Handover(to=company.people["zhang"]))
    assert time.monotonic() - started < 20
    assert outcome.handed[0].number == 2003
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE owner_id = %s AND department_id = %s",
        [company.people["zhang"], company.departments["south"]],
    ).fetchone() == (2004,)
