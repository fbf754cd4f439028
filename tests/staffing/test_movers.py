"""林悦 moves from 华东 to 华南 with 42 customers: with and without taking them along, reach, lists and log agree.

A 43rd lies in the bin, and so does a third opportunity: these go where the others go.
"""

from __future__ import annotations

import pytest

from hufu.access import actions as access
from hufu.access import guard, queries, reach
from hufu.access.actions import Principal
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import Right
from hufu.access.models import Assignment, Partition, Role, TeamMember
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm import queries as crm_queries
from hufu.crm.resources import CUSTOMER
from hufu.crm.timeline import timeline
from hufu.people.models import DepartmentPost, GroupMember, Membership, PositionHolder, User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Handover, Move
from hufu.staffing.holdings import holdings

OPERATOR = Actor.operator()
REASON = "调往华南"


def listed(company, name, permission="customer.view"):
    """Return the customers that somebody's own list shows, and check that count and reach say the same."""
    actor = company.actor(name)
    with acting(actor):
        numbers = set(guard.scope(actor, permission).values_list("pk", flat=True))
        assert crm_queries.count(actor, permission) == len(numbers)
    return numbers


def owners_within(company, name):
    actor = company.actor(name)
    with acting(actor):
        (term,) = reach.terms(actor)
        return term.owners


def departments_within(company, name):
    actor = company.actor(name)
    with acting(actor):
        (term,) = reach.terms(actor)
        return term.departments


def places(company, owner_connection, name):
    """Return (department, how many) of the customers that somebody owns."""
    codes = {number: code for code, number in company.departments.items()}
    rows = owner_connection.execute(
        "SELECT department_id, count(*) FROM crm_customer WHERE owner_id = %s GROUP BY 1",
        [company.people[name]],
    ).fetchall()
    return {codes[number]: amount for number, amount in rows}


def moved(company, person, **wanted):
    feng = company.actor("feng")
    with acting(feng):
        return staffing.move_person(
            feng,
            person("lin"),
            Move(
                department=company.departments["south"],
                manager=company.people["zheng"],
                **wanted,
            ),
            reason=REASON,
        )


@pytest.fixture
def mine(company, forty):
    """The numbers of all 42 customers of 林悦."""
    return {*forty, company.customer("qiming"), company.customer("yunhe")}


def test_customers_taken_along_are_seen_by_the_new_department_and_no_longer_by_the_old(
    company, mine, person, owner_connection, events
):
    assert mine <= listed(company, "tang")
    assert not mine & listed(company, "zhang")

    outcome = moved(company, person)

    assert places(company, owner_connection, "lin") == {"south": 43}
    assert listed(company, "lin", "customer.edit") >= mine
    assert mine <= listed(company, "zhang")
    assert not mine & listed(company, "tang")
    assert not mine & listed(company, "zhao")
    # Her new manager is suspended; the line runs through him to 王芳.
    assert mine <= listed(company, "wang", "customer.edit")
    assert company.people["lin"] in owners_within(company, "wang")
    assert departments_within(company, "lin") == {company.departments["south"]}

    assert {(taken.type, taken.number) for taken in outcome.taken} == {("customer", 43), ("opportunity", 3)}
    assert outcome.handed == ()
    said = events("customer.taken_along")
    assert {event["target"]["id"] for event in said} == mine | {company.binned["customer"]}
    for event in said:
        assert event["partition"] == company.partitions["sh"]
        assert event["reason"] == REASON
        assert event["data"] == {
            "owner": company.people["lin"],
            "from_department": company.departments["east"],
            "to_department": company.departments["south"],
        }
    assert events("customer.transferred") == []
    (summary,) = events("user.moved")
    assert summary["data"]["records"] == 46
    assert summary["data"]["changed"] == ["department", "manager"]


def test_customers_left_behind_stay_the_movers_and_visible_to_the_old_department(
    company, mine, person, owner_connection, events
):
    outcome = moved(company, person, take_records=False)

    assert places(company, owner_connection, "lin") == {"east": 43}
    assert listed(company, "lin", "customer.edit") >= mine
    assert mine <= listed(company, "tang")
    assert not mine & listed(company, "zhang")
    assert mine <= listed(company, "wang", "customer.edit")
    assert outcome.taken == outcome.handed == ()
    assert events("customer.taken_along") == events("customer.transferred") == []
    (summary,) = events("user.moved")
    assert summary["data"]["records"] == 0


def test_customers_handed_to_a_successor_are_the_successors_and_the_mover_loses_them(
    company, mine, person, owner_connection, events
):
    outcome = moved(company, person, handover=Handover(to=company.people["tang"]))

    assert places(company, owner_connection, "lin") == {}
    assert places(company, owner_connection, "tang") == {"east": 44}
    assert not mine & listed(company, "lin")
    assert mine <= listed(company, "tang", "customer.edit")
    assert not mine & listed(company, "zhang")
    said = events("customer.transferred")
    assert {event["target"]["id"] for event in said} == mine | {company.binned["customer"]}
    assert {(event["data"]["from_owner"], event["data"]["to_owner"], event["reason"]) for event in said} == {
        (company.people["lin"], company.people["tang"], REASON)
    }
    assert [(handed.type, handed.number, handed.owner.username) for handed in outcome.handed] == [
        ("customer", 43, "tang"),
        ("opportunity", 3, "tang"),
    ]


@pytest.mark.parametrize(("keep", "where"), [(False, "south"), (True, "east")])
def test_the_department_of_what_is_handed_over_follows_the_successor_or_stays(
    company, mine, person, owner_connection, events, keep, where
):
    moved(company, person, handover=Handover(to=company.people["zhang"], keep_department=keep))
    before = {"south": 1} if keep else {}
    assert places(company, owner_connection, "zhang") == before | {where: 43 if keep else 44}
    assert {event["data"]["to_department"] for event in events("customer.transferred")} == {
        company.departments[where]
    }


def test_only_the_records_of_a_named_partition_go_to_its_successor(company, person, owner_connection):
    """李强 owns a customer in each partition; the one in 深圳 goes to 孙海, the other stays with him."""
    with acting(OPERATOR):
        crm.create_many(
            OPERATOR,
            CUSTOMER,
            [
                crm.NewRecord(number, company.people["li"], {"name": "大客户", "stage": "new"})
                for number in company.partitions.values()
            ],
        )
    feng, sz = company.actor("feng"), company.partitions["sz"]
    with acting(feng):
        staffing.move_person(
            feng,
            person("li"),
            Move(
                department=company.departments["sales"],
                keep=holdings(feng, company.people["li"]).gifts,
                handover=Handover(by_partition={sz: company.people["sun"]}),
            ),
            reason=REASON,
        )
    owned = owner_connection.execute(
        "SELECT partition_id, owner_id FROM crm_customer WHERE name = '大客户' ORDER BY 1"
    ).fetchall()
    assert owned == [
        (company.partitions["sh"], company.people["li"]),
        (sz, company.people["sun"]),
    ]


def test_a_mover_who_may_no_longer_own_records_is_refused_with_the_numbers(company, mine, person):
    feng = company.actor("feng")
    with pytest.raises(Invalid) as refused, acting(feng):
        staffing.move_person(feng, person("lin"), Move(department=company.departments["far"]), reason=REASON)
    said = str(refused.value)
    assert "上海公司" in said
    assert "43" in said
    assert person("lin").main_department_id == company.departments["east"]


def test_a_successor_who_may_not_own_records_there_is_refused_with_partition_and_numbers(
    company, mine, person, events
):
    for name in ("sun", "chen", "zheng"):
        with pytest.raises(Invalid) as refused:
            moved(company, person, handover=Handover(to=company.people[name]))
        assert "上海公司" in str(refused.value)
        assert "43" in str(refused.value)
    assert person("lin").main_department_id == company.departments["east"]
    assert events("customer.transferred") == events("user.moved") == []


def test_what_a_mover_was_given_by_name_ends_unless_it_is_kept(company, person, events, owner_connection):
    he, lin = company.actor("he"), company.people["lin"]
    with acting(he):
        for key in ("finance", "service"):
            access.assign_role(he, Role.objects.get(key=key), to=Principal(user=person("lin")), reason="项目")
        access.admit(
            he,
            Partition.objects.get(key="sz"),
            to=Principal(user=person("lin")),
            rights=[Right.READ],
            reason="项目",
        )
    assert company.customer("pengcheng") in listed(company, "lin")
    # What ended long ago ends no more, and stays to be explained.
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, below, post, reason, given_by, starts_at, ends_at)"
        " SELECT id, %s, false, '', '替班', %s, now() - interval '2 days', now() - interval '1 day'"
        " FROM access_role WHERE key = 'executive'",
        [lin, he.user_id],
    )
    feng = company.actor("feng")
    with acting(feng):
        held = holdings(feng, lin)
        assert [(gift.kind, gift.key) for gift in held.gifts] == [
            ("role", "finance"),
            ("role", "service"),
            ("partition", "sz"),
        ]
    outcome = moved(company, person, keep=[gift for gift in held.gifts if gift.key == "finance"])

    assert [gift.key for gift in outcome.ended_gifts] == ["service", "sz"]
    assert company.customer("pengcheng") not in listed(company, "lin")
    left = owner_connection.execute(
        "SELECT r.key FROM access_assignment a JOIN access_role r ON r.id = a.role_id WHERE user_id = %s"
        " ORDER BY a.id",
        [lin],
    ).fetchall()
    assert left == [("finance",), ("executive",)]
    (ended,) = events("role.unassigned")
    assert ended["data"] == {"role": "service", "principal": f"user:{lin}"}
    assert ended["reason"] == REASON
    (closed,) = events("partition.admission_ended")
    assert closed["data"] == {"partition": "sz", "principal": f"user:{lin}"}
    past = owner_connection.execute(
        "SELECT user_id, ended_by FROM access_admission_history WHERE user_id = %s", [lin]
    ).fetchall()
    assert past == [(lin, feng.user_id)]


def test_another_title_or_manager_alone_ends_nothing_and_leaves_the_records_alone(
    company, mine, person, owner_connection, events
):
    feng = company.actor("feng")
    with acting(feng):
        outcome = staffing.move_person(
            feng,
            person("zhao"),
            Move(title="高级顾问", manager=company.people["tang"]),
            reason=REASON,
        )
    assert outcome.ended_gifts == ()
    assert outcome.taken == ()
    assert person("zhao").title == "高级顾问"
    assert person("zhao").manager_id == company.people["tang"]
    (summary,) = events("user.moved")
    assert summary["data"]["changed"] == ["manager", "title"]


def test_a_move_that_changes_nothing_leaves_no_event(company, person, events):
    feng = company.actor("feng")
    with acting(feng):
        staffing.move_person(feng, person("lin"), Move(department=company.departments["east"]), reason=REASON)
    assert events("user.moved") == []
    assert {event["target"]["id"] for event in events("user.changed") if event["channel"] == "web"} == set()


def test_a_post_in_the_department_that_is_left_ends_and_other_posts_stay(company, person, department):
    feng = company.actor("feng")
    with acting(feng):
        staffing.appoint_head(feng, department("east"), company.people["lin"])
        staffing.add_assistants(feng, department("finance"), [company.people["lin"]])
    outcome = moved(company, person)
    assert [(held.department.code, held.post) for held in outcome.ended_posts] == [("east", "head")]
    assert list(DepartmentPost.objects.values_list("department__code", "post")) == [("finance", "assistant")]


def test_groups_positions_and_teams_stay_unless_they_are_named(company, person, belonging):
    feng, lin, wang = company.actor("feng"), company.people["lin"], company.people["wang"]
    group, other, position = belonging("bidders", "sports", "key_account")
    with acting(OPERATOR):
        for one in (group, other):
            staffing.add_members(OPERATOR, one, [lin, wang])
        staffing.add_holders(OPERATOR, position, [lin])
        crm.add_member(OPERATOR, CUSTOMER, company.customer("haitian"), who=lin, access="edit")
    moved(company, person)
    assert GroupMember.objects.filter(user_id=lin).count() == 2
    with acting(feng):
        outcome = staffing.move_person(
            feng,
            person("lin"),
            Move(leave_groups=[group], leave_positions=[position], leave_teams=True),
            reason=REASON,
        )
    assert [group.key for group in outcome.ended_groups] == ["bidders"]
    assert [position.key for position in outcome.ended_positions] == ["key_account"]
    assert outcome.ended_teams == 1
    assert list(GroupMember.objects.filter(user_id=lin).values_list("group__key", flat=True)) == ["sports"]
    assert not PositionHolder.objects.filter(user_id=lin).exists()
    with acting(company.actor("lin")):
        assert not TeamMember.objects.exists()


def test_the_main_department_is_never_a_secondary_one_as_well(company, person):
    feng, lin = company.actor("feng"), company.people["lin"]
    with acting(feng):
        staffing.set_secondary_departments(feng, {lin: [company.departments["south"]]})
    moved(company, person)
    assert not Membership.objects.filter(user_id=lin).exists()
    with acting(feng):
        staffing.move_person(
            feng,
            person("lin"),
            Move(other_departments=[company.departments["east"], company.departments["south"]]),
            reason=REASON,
        )
    assert list(Membership.objects.filter(user_id=lin).values_list("department_id", flat=True)) == [
        company.departments["east"]
    ]


def test_a_move_that_would_make_a_circle_is_refused_whole(company, mine, person, owner_connection):
    feng = company.actor("feng")
    with pytest.raises(Invalid) as refused, acting(feng):
        staffing.move_person(
            feng,
            person("wang"),
            Move(department=company.departments["hq"], manager=company.people["lin"]),
            reason=REASON,
        )
    assert "王芳 → 林悦 → 王芳" in str(refused.value)
    assert person("wang").main_department_id == company.departments["sales"]


def test_direct_reports_go_to_whom_is_named_and_one_of_them_may_take_over(company, person):
    feng, people = company.actor("feng"), company.people
    with acting(feng):
        staffing.move_person(
            feng,
            person("wang"),
            Move(
                department=company.departments["hq"],
                reports_to=people["tang"],
                keep=(),
                handover=Handover(to=people["tang"]),
            ),
            reason=REASON,
        )
    managers = dict(User.objects.values_list("username", "manager_id"))
    assert {managers[name] for name in ("lin", "zheng", "zhao")} == {people["tang"]}
    assert managers["tang"] == people["li"]


def test_nobody_moves_themselves_and_only_who_manages_people_moves_anybody(unharmed, person):
    for name, whom in (("feng", "feng"), ("lin", "tang"), ("he", "lin"), ("wang", "lin"), ("wu", "lin")):
        actor = unharmed.actor(name)
        with pytest.raises(Denied), acting(actor):
            staffing.move_person(
                actor, person(whom), Move(department=unharmed.departments["south"]), reason=REASON
            )
    assert person("lin").main_department_id == unharmed.departments["east"]


def test_nobody_takes_over_records_or_people_by_their_own_hand(unharmed, person):
    feng = unharmed.actor("feng")
    for move in (
        Move(handover=Handover(to=feng.user_id)),
        Move(handover=Handover(by_partition={1: feng.user_id})),
        Move(manager=feng.user_id),
        Move(reports_to=feng.user_id),
    ):
        with pytest.raises(Invalid), acting(feng):
            staffing.move_person(feng, person("wang"), move, reason=REASON)


def test_the_only_system_administrator_does_not_lose_the_role_by_moving(company, person):
    with pytest.raises(Invalid) as refused, acting(OPERATOR):
        staffing.move_person(
            OPERATOR, person("feng"), Move(department=company.departments["office"]), reason=REASON
        )
    assert "冯刚" in str(refused.value)
    with acting(OPERATOR):
        staffing.move_person(
            OPERATOR,
            person("feng"),
            Move(department=company.departments["office"], keep=holdings(OPERATOR, person("feng").id).gifts),
            reason=REASON,
        )
    assert Assignment.objects.count() == 0  # nobody acts here: nothing is seen
    with acting(company.actor("feng")):
        assert guard.may(company.actor("feng"), "user.manage")


def test_a_rehearsal_says_what_the_deed_then_does_and_leaves_nothing(
    company, mine, person, owner_connection, events
):
    feng = company.actor("feng")
    move = Move(department=company.departments["south"], handover=Handover(to=company.people["tang"]))
    count = "SELECT count(*) FROM audit_event"
    before = owner_connection.execute(count).fetchone()
    with acting(feng):
        foretold = staffing.rehearse(lambda: staffing.move_person(feng, person("lin"), move, reason=REASON))
    assert person("lin").main_department_id == company.departments["east"]
    assert places(company, owner_connection, "lin") == {"east": 43}
    assert owner_connection.execute(count).fetchone() == before
    with acting(feng):
        done = staffing.move_person(feng, person("lin"), move, reason=REASON)
    assert done == foretold


def test_who_holds_what_is_told_to_who_manages_people_in_numbers_alone(company, mine, person):
    feng = company.actor("feng")
    with acting(feng):
        held = holdings(feng, company.people["lin"])
    assert [(amount.type, amount.partition, amount.number) for amount in held.records] == [
        ("customer", "上海公司", 43),
        ("opportunity", "上海公司", 3),
    ]
    assert held.roles == ()  # a system administrator reads no assignments of groups, levels and departments
    with acting(OPERATOR):
        roles = holdings(OPERATOR, company.people["lin"]).roles
    assert [role.key for role in roles] == ["rep"]
    with pytest.raises(Denied), acting(company.actor("he")):
        holdings(company.actor("he"), company.people["lin"])


def test_who_may_names_the_new_colleagues_after_a_move(company, mine, person):
    he = company.actor("he")
    with acting(he):
        before = queries.who_may(he, "customer.view", company.customer("qiming"))
    moved(company, person)
    with acting(he):
        after = queries.who_may(he, "customer.view", company.customer("qiming"))
    people = company.people
    assert {people["tang"], people["zhao"]} <= set(before)
    assert not {people["tang"], people["zhao"]} & set(after)
    assert after[people["lin"]] == Scope.OWN
    assert after[people["zhang"]] == Scope.DEPARTMENT


def test_the_timeline_of_a_record_says_that_it_was_taken_along_and_that_it_was_handed_over(company, person):
    moved(company, person)
    feng, lin = company.actor("feng"), company.actor("lin")
    with acting(feng):
        staffing.move_person(
            feng, person("lin"), Move(handover=Handover(to=company.people["zhang"])), reason="交接"
        )
    with acting(company.actor("zhang")):
        told = timeline(company.actor("zhang"), CUSTOMER, company.customer("qiming")).entries
    assert [(entry.verb, entry.reason) for entry in told if entry.target.type == "customer"][:2] == [
        ("transferred", "交接"),
        ("taken_along", REASON),
    ]
    with acting(lin):
        assert timeline(
            lin, CUSTOMER, company.customer("qiming")
        ).entries  # her department's colleague has it
