"""Another day's answers: who could see which customer then, and since when that changed.

Each test changes the company by a deed or, where there is no deed yet, by SQL as the owner of the tables, and asks
about the moment before.
"""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest

from hufu.access import actions, as_of, queries
from hufu.access.actions import Principal
from hufu.access.as_of import How
from hufu.access.decision.decide import Code
from hufu.access.decision.scopes import Scope
from hufu.access.models import Role
from hufu.cli.migration import bring_up_to_date
from hufu.core import clock
from hufu.core.errors import Denied, Invalid
from hufu.core.postgres import roles
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import Department, User
from hufu.staffing import actions as staffing
from tests.company import unpublish
from tests.database import django_on


@pytest.fixture
def he(company):
    """何明, who may explain anybody's rights and sees no customer."""
    return company.actor("he")


@pytest.fixture
def moment(owner_connection):
    """Return a function that says what the database's clock says, which is the one that the past is kept by."""
    return lambda: owner_connection.execute("SELECT clock_timestamp()").fetchone()[0]


def decided(he, company, name, permission, customer, at):
    with acting(he):
        number = company.customer(customer) if customer else None
        return as_of.decide_at(he, company.people[name], permission, number, at).decision


def could(he, company, name, permission, customer, at):
    return decided(he, company, name, permission, customer, at).allowed


def who_could(he, company, permission, customer, at):
    with acting(he):
        found = as_of.who_could_at(he, permission, company.customer(customer), at)
    numbers = {number: name for name, number in company.people.items()}
    return {numbers[decision.person_id] for decision in found.decisions}


def move_to(company, name, department):
    feng = company.actor("feng")
    with acting(feng):
        staffing.change_users(
            feng, {company.people[name]: {"main_department_id": company.departments[department]}}
        )


# People.


def test_tang_was_in_the_east_until_she_moved_south(company, he, moment):
    before = moment()
    move_to(company, "tang", "south")
    after = moment()
    then = decided(he, company, "tang", "customer.view", "qiming", before)
    assert then.allowed
    assert then.covers[0].because is Scope.DEPARTMENT
    now = decided(he, company, "tang", "customer.view", "qiming", after)
    assert (now.allowed, now.code) == (False, Code.OUT_OF_SCOPE)
    assert not could(he, company, "tang", "customer.view", "nanfang", before)
    assert could(he, company, "tang", "customer.view", "nanfang", after)


def test_who_could_see_qiming_on_that_day(company, he, moment):
    before = moment()
    move_to(company, "tang", "south")
    with acting(he):
        actions.assign_role(
            he,
            Role.objects.get(key="service"),
            to=Principal(user=User.objects.get(pk=company.people["zhang"])),
            reason="顶岗",
        )
    after = moment()
    seeing = {"li", "wang", "lin", "tang", "zhao", "chen", "zhou"}
    assert who_could(he, company, "customer.view", "qiming", before) == seeing
    assert who_could(he, company, "customer.view", "qiming", after) == seeing - {"tang"} | {"zhang"}
    assert who_could(he, company, "customer.edit", "qiming", before) == {"li", "wang", "lin"}


def test_who_held_a_permission_at_all(company, he, moment):
    with acting(he):
        found = as_of.who_could_at(he, "explain.any", None, moment())
    assert [decision.person_id for decision in found.decisions] == [company.people["he"]]
    assert found.gates == "not_evaluated"


def test_a_manager_who_went_away_saw_her_people_s_customers_until_then(company, he, moment):
    before, feng = moment(), company.actor("feng")
    with acting(feng):
        staffing.set_managers(feng, {company.people["lin"]: None})
    after = moment()
    assert could(he, company, "wang", "customer.edit", "qiming", before)
    assert not could(he, company, "wang", "customer.edit", "qiming", after)


def test_an_account_that_was_closed_later_was_open_then(company, he, moment):
    before, feng = moment(), company.actor("feng")
    with acting(feng):
        staffing.change_users(feng, {company.people["lin"]: {"status": "left"}})
    after = moment()
    assert could(he, company, "lin", "customer.view", "qiming", before)
    assert decided(he, company, "lin", "customer.view", "qiming", after).code is Code.ACCOUNT_CLOSED


def test_whoever_was_not_there_yet_could_do_nothing(company, he, moment):
    before, feng = moment(), company.actor("feng")
    with acting(feng):
        (new,) = staffing.create_users(feng, [staffing.Person("ouyang", "欧阳娜娜")])
    with acting(he):
        assert as_of.decide_at(he, new.id, "customer.view", None, before).decision.code is Code.UNKNOWN_PERSON
        assert as_of.decide_at(he, new.id, "customer.view", None, moment()).decision.code is Code.NO_GRANT


def test_a_department_that_moved_stood_elsewhere_then(company, he, moment):
    before, feng = moment(), company.actor("feng")
    with acting(feng):
        staffing.move_department(
            feng, Department.objects.get(code="east"), to=Department.objects.get(code="far")
        )
    after = moment()
    # 上海 is open to the sales department and those below; the east no longer stands there.
    assert could(he, company, "lin", "customer.view", "qiming", before)
    assert decided(he, company, "lin", "customer.view", "qiming", after).code is Code.NOT_ADMITTED


# Policy.


def test_a_role_that_was_narrowed_gave_more_then(company, he, moment, owner_connection):
    unpublish(owner_connection)
    before = moment()
    with acting(he):
        role = Role.objects.get(key="rep")
        actions.change_role(
            he,
            role,
            name=role.name,
            description=role.description,
            administrator="",
            grants={"customer.view": ["own"]},
        )
    after = moment()
    assert could(he, company, "lin", "customer.view", "haitian", before)
    assert not could(he, company, "lin", "customer.view", "haitian", after)
    assert could(he, company, "lin", "customer.delete", "qiming", before)
    assert decided(he, company, "lin", "customer.delete", "qiming", after).code is Code.NO_GRANT


def test_an_assignment_that_ended_held_until_then(company, he, moment, owner_connection):
    before = moment()
    owner_connection.execute("DELETE FROM access_assignment WHERE user_id = %s", [company.people["chen"]])
    after = moment()
    assert could(he, company, "chen", "customer.view", "qiming", before)
    assert decided(he, company, "chen", "customer.view", "qiming", after).code is Code.NO_GRANT


def test_a_gift_with_a_term_is_judged_by_the_day_that_is_asked_about(company, he, moment, owner_connection):
    with acting(he):
        actions.assign_role(
            he,
            Role.objects.get(key="service"),
            to=Principal(user=User.objects.get(pk=company.people["qian"])),
            reason="代班",
            ends_at=clock.now() + timedelta(hours=1),
        )
        actions.admit(
            he,
            actions.Partition.objects.get(key="sh"),
            to=Principal(user=User.objects.get(pk=company.people["qian"])),
            rights=(),
            reason="代班",
        )
    during = moment()
    assert could(he, company, "qian", "customer.view", "qiming", during)
    # The hour passes, and nothing changes by it.
    with owner_connection.transaction():
        owner_connection.execute("ALTER TABLE access_change DISABLE TRIGGER USER")
        owner_connection.execute("UPDATE access_change SET at = at - interval '2 hours'")
    with owner_connection.transaction():
        owner_connection.execute("ALTER TABLE crm_customer DISABLE TRIGGER USER")
        owner_connection.execute("UPDATE crm_customer SET valid_from = valid_from - interval '2 hours'")
        owner_connection.execute("ALTER TABLE access_assignment DISABLE TRIGGER USER")
        owner_connection.execute(
            "UPDATE access_assignment SET ends_at = ends_at - interval '2 hours' WHERE ends_at IS NOT NULL"
        )
    assert could(he, company, "qian", "customer.view", "qiming", during - timedelta(hours=2))
    assert decided(he, company, "qian", "customer.view", "qiming", during).code is Code.NO_GRANT


def test_before_there_was_anything_nobody_could_anything(company, he):
    early = clock.now() - timedelta(days=900)
    assert decided(he, company, "lin", "customer.view", "qiming", early).code is Code.UNKNOWN_PERSON
    with acting(he):
        assert as_of.change_at(he, early).number == 0
        assert as_of.snapshot_at(he, 0).people == {}


def test_each_answer_says_which_version_of_the_policy_stood(company, he, moment, owner_connection):
    before = moment()
    owner_connection.execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (2, -1, '', '')"
    )
    for at, version in ((before, 1), (moment(), 2)):
        with acting(he):
            found = as_of.decide_at(he, company.people["lin"], "customer.view", None, at)
            assert found.change.version == version
            assert as_of.change_at(he, at).number == found.change.number


@pytest.mark.parametrize(
    ("into", "out"),
    [
        (
            "INSERT INTO people_group (id, key, name) VALUES (1, 'task', '专项组');"
            "INSERT INTO people_group_member (group_id, user_id) VALUES (1, {qian});"
            "INSERT INTO access_assignment (role_id, group_id, reason, given_by) VALUES ({service}, 1, '', -1)",
            "DELETE FROM people_group_member",
        ),
        (
            "INSERT INTO people_position (id, key, name) VALUES (1, 'desk', '前台');"
            "INSERT INTO people_position_holder (position_id, user_id) VALUES (1, {qian});"
            "INSERT INTO access_assignment (role_id, position_id, reason, given_by) VALUES ({service}, 1, '', -1)",
            "DELETE FROM people_position_holder",
        ),
        (
            "INSERT INTO people_department_post (department_id, post, user_id) VALUES ({east}, 'head', {qian});"
            "INSERT INTO access_assignment (role_id, department_id, below, post, reason, given_by)"
            " VALUES ({service}, {east}, false, 'head', '', -1)",
            "UPDATE people_department_post SET post = 'assistant'",
        ),
        (
            "INSERT INTO people_ladder (id, key, name) VALUES (2, 'desk', '前台序列');"
            "INSERT INTO people_level (id, ladder_id, key, name, rank) VALUES (9, 2, 'desk', '前台', 1);"
            "UPDATE people_user SET level_id = 9 WHERE id = {qian};"
            "INSERT INTO people_level_includes (level_id, includes_id) VALUES (9, {rep})",
            "DELETE FROM people_level_includes",
        ),
    ],
    ids=["group", "position", "post", "included level"],
)
def test_qian_saw_qiming_for_as_long_as_she_belonged_to_it(company, he, moment, owner_connection, into, out):
    service = owner_connection.execute("SELECT id FROM access_role WHERE key = 'service'").fetchone()[0]
    names = {
        "qian": company.people["qian"],
        "east": company.departments["east"],
        "rep": company.levels["rep"],
        "service": service,
    }
    before = moment()
    with owner_connection.transaction():
        owner_connection.execute(into.format(**names))
    during = moment()
    owner_connection.execute(out)
    after = moment()
    seen = [could(he, company, "qian", "customer.view", "qiming", at) for at in (before, during, after)]
    assert seen == [False, True, False]


def test_base_access_opened_every_customer_until_it_was_closed(company, he, moment, owner_connection):
    before = moment()
    owner_connection.execute(
        "INSERT INTO access_base_access (type, access) VALUES ('customer', 'public_read')"
    )
    during = moment()
    owner_connection.execute("UPDATE access_base_access SET access = 'private'")
    after = moment()
    seen = [could(he, company, "lin", "customer.view", "nanfang", at) for at in (before, during, after)]
    assert seen == [False, True, False]


# Records.


def test_a_member_of_the_team_saw_the_customer_while_in_it(company, he, moment, owner_connection):
    number, zhang = company.customer("qiming"), company.people["zhang"]
    before = moment()
    owner_connection.execute(
        "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
        " VALUES ('customer', %s, %s, 'edit', '', -1)",
        [number, zhang],
    )
    editing = moment()
    owner_connection.execute("UPDATE access_team_member SET access = 'read'")
    reading = moment()
    owner_connection.execute("DELETE FROM access_team_member")
    after = moment()
    verbs = {
        at: {
            verb for verb in ("view", "edit") if could(he, company, "zhang", f"customer.{verb}", "qiming", at)
        }
        for at in (before, editing, reading, after)
    }
    assert list(verbs.values()) == [set(), {"view", "edit"}, {"view"}, set()]
    assert "zhang" in who_could(he, company, "customer.edit", "qiming", editing)
    with acting(he):
        touches = as_of.changes_of_record(he, CUSTOMER, number)
    assert [(touch.thing, touch.how) for touch in touches] == [
        ("customer", How.BEGAN),
        ("team_member", How.BEGAN),
        ("team_member", How.CHANGED),
        ("team_member", How.ENDED),
    ]


def test_a_contact_was_seen_with_its_customer(company, he, moment):
    lin, before = company.actor("lin"), moment()
    with acting(lin):
        crm.transfer_record(
            lin, CUSTOMER, company.customer("qiming"), to=company.people["zhang"], reason="换岗", version=1
        )
    after = moment()

    def seeing(at):
        with acting(he):
            found = as_of.who_could_at(he, "contact.view", company.contact("gao"), at)
        numbers = {number: name for name, number in company.people.items()}
        return {numbers[decision.person_id] for decision in found.decisions}

    assert seeing(before) == {"li", "wang", "lin", "tang", "zhao", "chen"}
    assert seeing(after) == {"li", "wang", "zhang", "chen"}


def test_what_moved_to_another_partition_stood_in_the_first_one(company, he, moment, owner_connection):
    number, deal = company.customer("qiming"), company.opportunity("machines")
    before = moment()
    owner_connection.execute(
        "UPDATE crm_customer SET partition_id = %s WHERE id = %s", [company.partitions["sz"], number]
    )
    after = moment()
    with acting(he):
        for resource, record_id in ((CUSTOMER, number), (OPPORTUNITY, deal)):
            partitions = [
                as_of.record_facts_at(he, resource, record_id, at).facts.partition_id
                for at in (before, after)
            ]
            assert partitions == [company.partitions["sh"], company.partitions["sz"]]


def test_a_customer_that_was_transferred_was_somebody_elses_then(company, he, moment):
    before, lin = moment(), company.actor("lin")
    with acting(lin):
        crm.transfer_record(
            lin, CUSTOMER, company.customer("yunhe"), to=company.people["zhang"], reason="换岗", version=1
        )
    after = moment()
    assert could(he, company, "lin", "customer.edit", "yunhe", before)
    assert not could(he, company, "lin", "customer.edit", "yunhe", after)
    assert not could(he, company, "zhang", "customer.view", "yunhe", before)
    assert could(he, company, "zhang", "customer.edit", "yunhe", after)


def test_a_customer_in_the_bin_is_nobodys_until_it_comes_back(company, he, moment):
    lin, number = company.actor("lin"), company.customer("yunhe")
    before = moment()
    with acting(lin):
        crm.delete_record(lin, CUSTOMER, number, version=1)
    inside = moment()
    with acting(lin):
        crm.restore_record(lin, CUSTOMER, number, version=2)
    after = moment()
    assert could(he, company, "lin", "customer.view", "yunhe", before)
    assert decided(he, company, "lin", "customer.view", "yunhe", inside).code is Code.RECORD_DELETED
    assert could(he, company, "lin", "customer.view", "yunhe", after)


def test_a_customer_that_was_purged_was_there_until_then(company, he, moment):
    number, lin, wang = company.customer("qiming"), company.actor("lin"), company.actor("wang")
    before = moment()
    with acting(lin):
        crm.delete_record(lin, CUSTOMER, number, version=1)
    with acting(wang):
        crm.purge_record(wang, CUSTOMER, number, version=2, reason="客户要求")
    after = moment()
    assert could(he, company, "lin", "customer.view", "qiming", before)
    assert decided(he, company, "lin", "customer.view", "qiming", after).code is Code.NO_RECORD
    with acting(he):
        assert as_of.record_facts_at(he, CUSTOMER, number, after) is None
        assert as_of.record_facts_at(he, CUSTOMER, number, before).facts.owner_id == lin.user_id
        assert as_of.record_facts_at(he, CONTACT, company.contact("gao"), after) is None


def test_a_customer_is_there_from_its_entry_on_whatever_its_papers_say(company, he, moment):
    """An import may say that a customer was created years ago; nobody could see it here before it was entered."""
    wang = company.actor("wang")
    before = moment()
    with acting(wang):
        company_number = crm.create_record(
            wang,
            CUSTOMER,
            crm.NewRecord(
                company.partitions["sh"], company.people["lin"], {"name": "新客户", "stage": "new"}
            ),
        )
    after = moment()
    with acting(he):
        assert as_of.record_facts_at(he, CUSTOMER, company_number, before) is None
        found = as_of.record_facts_at(he, CUSTOMER, company_number, after)
        assert found.facts.owner_id == company.people["lin"]


def test_papers_from_years_ago_do_not_make_a_record_older(company, he, moment, owner_connection):
    owner_connection.execute("UPDATE crm_customer SET created_at = '2019-01-01'")
    number = company.customer("qiming")
    with acting(he):
        assert as_of.record_facts_at(he, CUSTOMER, number, clock.now() - timedelta(days=30)) is None
        assert as_of.record_facts_at(he, CUSTOMER, number, moment()) is not None


def test_fields_that_a_rule_can_name_keep_their_past_and_others_do_not(company, he, moment):
    lin, number = company.actor("lin"), company.customer("qiming")
    before = moment()
    with acting(lin):
        crm.edit_record(
            lin,
            CUSTOMER,
            number,
            {"stage": "won", "employees": 300, "phone": "13811112222", "note": "x"},
            version=1,
        )
    with acting(he):
        then = as_of.record_facts_at(he, CUSTOMER, number, before).values
        now = as_of.record_facts_at(he, CUSTOMER, number, moment()).values
    assert (then["stage"], then["employees"]) == ("following", None)
    assert (now["stage"], now["employees"]) == ("won", 300)
    assert {"phone", "note", "name", "address"}.isdisjoint(then)


def test_a_reference_and_an_amount_keep_their_past(company, he, moment):
    lin, number = company.actor("lin"), company.opportunity("machines")
    before = moment()
    with acting(lin):
        crm.edit_record(
            lin, OPPORTUNITY, number, {"customer": company.customer("yunhe"), "amount": 5}, version=1
        )
    with acting(he):
        then = as_of.record_facts_at(he, OPPORTUNITY, number, before).values
        now = as_of.record_facts_at(he, OPPORTUNITY, number, moment()).values
    assert (then["customer"], then["amount"]) == (company.customer("qiming"), 100_000)
    assert (now["customer"], now["amount"]) == (company.customer("yunhe"), 5)


def test_an_edit_of_what_no_rule_can_name_leaves_no_past(company, owner_connection):
    lin, count = company.actor("lin"), "SELECT count(*) FROM crm_customer_history"
    before = owner_connection.execute(count).fetchone()
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, company.customer("qiming"), {"note": "打过电话"}, version=1)
    assert owner_connection.execute(count).fetchone() == before


# Order.


def test_a_transaction_is_one_change_and_one_that_changes_nothing_is_none(company, owner_connection):
    last = "SELECT max(number) FROM access_change"
    before = owner_connection.execute(last).fetchone()[0]
    with owner_connection.transaction():
        owner_connection.execute("UPDATE people_department SET name = name || '部'")
        owner_connection.execute("DELETE FROM access_grant WHERE permission = 'role.view'")
    owner_connection.execute("UPDATE people_user SET last_login = now(), language = 'en'")
    owner_connection.execute("UPDATE people_user SET title = title, status = status")
    assert owner_connection.execute(last).fetchone()[0] == before + 1
    touched = "SELECT count(*) FROM {} WHERE from_change = %s OR to_change = %s"
    for table, rows in (("people_department_history", 8), ("access_grant_history", 2)):
        found = owner_connection.execute(touched.format(table), [before + 1] * 2).fetchone()
        assert found == (rows,), table


def test_numbers_have_no_gap_where_a_change_was_rolled_back(company, owner_connection):
    with pytest.raises(ZeroDivisionError), owner_connection.transaction():
        owner_connection.execute("UPDATE people_department SET name = '甲' WHERE code = 'east'")
        raise ZeroDivisionError
    owner_connection.execute("UPDATE people_department SET name = '乙' WHERE code = 'east'")
    numbers = [n for (n,) in owner_connection.execute("SELECT number FROM access_change ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_two_changes_at_once_are_numbered_as_they_are_committed(company, owner_connection, connect_as):
    meanwhile = connect_as("hufu_owner")
    with owner_connection.transaction():
        owner_connection.execute("UPDATE people_user SET title = '一' WHERE username = 'lin'")
        with pytest.raises(psycopg.errors.LockNotAvailable), meanwhile.transaction():
            meanwhile.execute("SET LOCAL lock_timeout = '300ms'")
            meanwhile.execute("UPDATE people_user SET title = '二' WHERE username = 'tang'")
    meanwhile.execute("UPDATE people_user SET title = '二' WHERE username = 'tang'")
    first, second = (
        owner_connection.execute(
            "SELECT from_change FROM people_user WHERE username = %s", [name]
        ).fetchone()[0]
        for name in ("lin", "tang")
    )
    assert second == first + 1


def set_clock(owner_connection, moment):
    said = f"'{moment.isoformat()}'::timestamptz" if moment else "pg_catalog.clock_timestamp()"
    owner_connection.execute(
        "CREATE OR REPLACE FUNCTION hufu.moment() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS"
        f" $$ SELECT {said} $$"
    )


def test_a_clock_that_stands_still_or_steps_back_confuses_nothing(company, he, owner_connection):
    """Three changes of facts and of a record in the same microsecond, and three an hour before them."""
    number = company.customer("qiming")
    noon = clock.now()
    remembered = []
    for when in (noon, noon, noon, noon - timedelta(hours=1), noon - timedelta(hours=1)):
        set_clock(owner_connection, when)
        for department, owner in (("south", "tang"), ("east", "lin")):
            owner_connection.execute(
                "UPDATE people_user SET main_department_id = %s WHERE username = 'tang'",
                [company.departments[department]],
            )
            owner_connection.execute(
                "UPDATE crm_customer SET owner_id = %s WHERE id = %s", [company.people[owner], number]
            )
            change, at = owner_connection.execute(
                "SELECT number, at FROM access_change ORDER BY number DESC LIMIT 1"
            ).fetchone()
            valid_from = owner_connection.execute(
                "SELECT valid_from FROM crm_customer WHERE id = %s", [number]
            ).fetchone()[0]
            remembered.append((change, at, valid_from, department, owner))
    moments = [at for _n, at, *_rest in remembered]
    assert moments == sorted(set(moments))
    with acting(he):
        for change, at, valid_from, department, owner in remembered:
            past = as_of.snapshot_at(he, change)
            assert past.people[company.people["tang"]].main_department_id == company.departments[department]
            assert as_of.change_at(he, at).number == change
            found = as_of._record(CUSTOMER, number, as_of.Change(number=change, at=at), valid_from)
            assert found.facts.owner_id == company.people[owner]


# What touched something.


def test_the_changes_of_a_person_are_told_in_order(company, he):
    feng, tang = company.actor("feng"), company.people["tang"]
    move_to(company, "tang", "south")
    with acting(feng):
        staffing.change_users(feng, {tang: {"title": "大客户经理"}})
    with acting(he):
        actions.assign_role(
            he, Role.objects.get(key="service"), to=Principal(user=User.objects.get(pk=tang)), reason="x"
        )
    with acting(he):
        touches = as_of.changes_of_person(he, tang)
    assert [(touch.thing, touch.how) for touch in touches] == [
        ("user", How.BEGAN),
        ("user", How.CHANGED),
        ("user", How.CHANGED),
        ("assignment", How.BEGAN),
    ]
    moved = touches[1]
    assert moved.fields == ("main_department_id",)
    assert moved.before == {"main_department_id": company.departments["east"]}
    assert moved.after == {"main_department_id": company.departments["south"]}
    assert [touch.by for touch in touches] == [-1, feng.user_id, feng.user_id, he.user_id]
    assert [touch.change for touch in touches] == sorted(touch.change for touch in touches)


def test_the_changes_of_a_role_are_told(company, he, owner_connection):
    unpublish(owner_connection)
    with acting(he):
        role = Role.objects.get(key="empty")
        actions.change_role(
            he,
            role,
            name="不空的角色",
            description="",
            administrator="",
            grants={"customer.view": ["own"]},
        )
    owner_connection.execute("DELETE FROM access_grant WHERE role_id = %s", [role.id])
    with acting(he):
        touches = as_of.changes_of_role(he, role.id)
    assert [(touch.thing, touch.how) for touch in touches] == [
        ("role", How.BEGAN),
        ("role", How.CHANGED),
        ("grant", How.BEGAN),
        ("grant", How.ENDED),
    ]
    assert touches[1].after == {"name": "不空的角色"}
    assert touches[3].before["permission"] == "customer.view"


def test_the_changes_of_a_record_name_its_fields_and_show_no_value(company, he):
    lin, number = company.actor("lin"), company.customer("qiming")
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, number, {"stage": "won"}, version=1)
        crm.transfer_record(lin, CUSTOMER, number, to=company.people["zhang"], reason="换岗", version=2)
    with acting(he):
        began, edited, transferred = as_of.changes_of_record(he, CUSTOMER, number)
    assert began.how is How.BEGAN
    assert "stage" not in began.after
    assert (edited.fields, edited.before, edited.after) == (("stage",), {}, {})
    assert edited.by == transferred.by == lin.user_id
    assert transferred.after == {
        "owner_id": company.people["zhang"],
        "department_id": company.departments["south"],
    }


# Who may ask, and what is left of a question.

QUESTIONS = {
    "change": lambda a, c, t: as_of.change_at(a, t),
    "snapshot": lambda a, c, t: as_of.snapshot_at(a, 1),
    "record": lambda a, c, t: as_of.record_facts_at(a, CUSTOMER, c.customer("qiming"), t),
    "explain": lambda a, c, t: as_of.decide_at(a, c.people["lin"], "customer.view", c.customer("qiming"), t),
    "who": lambda a, c, t: as_of.who_could_at(a, "customer.view", c.customer("qiming"), t),
    "person": lambda a, c, t: as_of.changes_of_person(a, c.people["lin"]),
    "role": lambda a, c, t: as_of.changes_of_role(a, 1),
    "changes": lambda a, c, t: as_of.changes_of_record(a, CUSTOMER, c.customer("qiming")),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", ["lin", "li", "chen", "feng", "wu", "qian"])
def test_nobody_without_explain_any_asks_about_the_past(unharmed, name, question):
    actor, company = unharmed.actor(name), unharmed
    with pytest.raises(Denied), acting(actor):
        QUESTIONS[question](actor, company, clock.now())


@pytest.mark.parametrize("question", sorted(set(QUESTIONS) - {"change"}))
def test_each_question_leaves_an_event_with_its_moment(company, he, connect_as, question):
    asked_about = clock.now()
    with acting(he):
        QUESTIONS[question](he, company, asked_about)
    rows = connect_as("hufu_owner").execute("SELECT body FROM audit_event WHERE type = 'access.asked'")
    (event,) = [json.loads(bytes(body)) for (body,) in rows]
    if question in ("record", "explain", "who"):
        assert event["data"]["at"].startswith(asked_about.strftime("%Y-%m-%dT%H:%M:%S.%f"))
    assert event["target"] is not None or question == "snapshot"


def test_what_is_still_to_come_is_not_known(company, he, in_english):
    with pytest.raises(Invalid, match="still to come"), acting(he):
        as_of.change_at(he, clock.now() + timedelta(days=1))
    with pytest.raises(Invalid, match="no change number"), acting(he):
        as_of.snapshot_at(he, 10_000)


def test_where_people_were_there_first_the_past_begins_with_the_upgrade(
    company, he, postgres, owner_connection, moment, in_english
):
    """A database from before changes had numbers keeps its people, records and what it knew of their past."""
    before = moment()
    for table in queries.KEPT_COLUMNS:
        owner_connection.execute(f"ALTER TABLE {table} DROP COLUMN from_change")
        owner_connection.execute(
            f"ALTER TABLE {table}_history DROP COLUMN from_change, DROP COLUMN to_change"
        )
    owner_connection.execute("ALTER TABLE people_user_history DROP COLUMN title")
    owner_connection.execute("DROP TABLE access_change, crm_customer_history CASCADE")
    owner_connection.execute("ALTER TABLE crm_customer DROP COLUMN valid_from, DROP COLUMN from_change")
    owner_connection.execute("DROP TABLE access_company, access_company_history CASCADE")
    owner_connection.execute(
        "DROP TABLE access_gate, access_gate_history, access_gate_use, access_gate_use_history CASCADE"
    )
    owner_connection.execute(
        "DROP TABLE access_prohibition, access_prohibition_history,"
        " access_quota, access_quota_history, access_quota_used, access_quota_seen CASCADE"
    )
    owner_connection.execute("DROP TABLE access_reporting_login CASCADE")
    owner_connection.execute(
        "DROP TABLE access_share, access_share_history, access_shared_record, access_principal CASCADE"
    )
    owner_connection.execute("DROP TABLE access_cell, access_cell_change, access_cell_total CASCADE")
    owner_connection.execute("ALTER TABLE access_reach_stale DROP COLUMN parts")
    owner_connection.execute("DROP INDEX access_term_grant_whose")
    owner_connection.execute(
        "DROP INDEX customer_created, customer_level_stream, opportunity_created, opportunity_amount, opportunity_close"
    )
    owner_connection.execute(
        "DROP TABLE access_duty, access_duty_history, access_duty_role, access_duty_role_history,"
        " access_duty_exception, access_duty_exception_history, access_approved_move, access_approved_move_history,"
        " access_pending_change, access_emergency, access_delegated_role, access_delegated_role_history,"
        " access_delegated, access_delegated_history CASCADE"
    )
    owner_connection.execute(
        "DROP TABLE access_rule, access_rule_history, access_rule_to, access_rule_to_history, access_rule_part,"
        " access_rule_match, access_rule_reach CASCADE"
    )
    owner_connection.execute(
        "DROP TABLE access_field_rule, access_field_rule_history, access_term_field CASCADE"
    )
    owner_connection.execute(
        "ALTER TABLE crm_customer DROP COLUMN pool_id CASCADE, DROP CONSTRAINT IF EXISTS customer_owner_or_pool"
    )
    owner_connection.execute(
        "DROP TABLE access_pool, access_pool_history, access_pool_member, access_pool_member_history,"
        " access_pool_hidden, access_pool_hidden_history, access_pool_reach CASCADE"
    )
    owner_connection.execute("ALTER TABLE crm_duplicate_dispute DROP COLUMN outcome CASCADE")
    owner_connection.execute("DELETE FROM django_migrations WHERE app = 'crm' AND name > '0007_duplicates'")
    owner_connection.execute("ALTER TABLE crm_opportunity DROP CONSTRAINT opportunity_owner")
    owner_connection.execute("DROP TABLE access_version_text, access_change_set, access_draft CASCADE")
    owner_connection.execute("DROP TABLE access_duplicate_facts, access_duplicate_facts_history CASCADE")
    owner_connection.execute("DROP TABLE access_delegation, access_delegation_history CASCADE")
    owner_connection.execute(
        "DROP TABLE access_task, access_task_history, access_task_kind,"
        " access_admission_request, access_request_decision, access_request, access_approver,"
        " access_approver_history CASCADE"
    )
    owner_connection.execute(
        "DROP TABLE access_break_glass_review, access_break_glass_use, access_break_glass_use_history,"
        " access_break_glass, access_break_glass_history CASCADE"
    )
    owner_connection.execute(
        "ALTER TABLE access_term DROP COLUMN gates CASCADE, DROP COLUMN holder_id CASCADE"
    )
    owner_connection.execute(
        "DELETE FROM django_migrations WHERE app = 'access' AND name > '0002_principals'"
    )
    with django_on(postgres.url(roles.OWNER, owner_connection.info.dbname)):
        assert bring_up_to_date(quiet=True)
        assert not bring_up_to_date(quiet=True)
    assert owner_connection.execute("SELECT count(DISTINCT user_id) FROM access_principal").fetchone() == (
        len(company.people),
    )
    after = moment()
    move_to(company, "tang", "south")
    assert could(he, company, "tang", "customer.view", "qiming", after)
    assert not could(he, company, "tang", "customer.view", "qiming", moment())
    with pytest.raises(Invalid, match="The past is known from"), acting(he):
        as_of.change_at(he, before)
    with acting(he):
        began, moved = as_of.changes_of_person(he, company.people["tang"])
        assert (began.change, moved.change) == (0, 1)


PAST = ("SELECT * FROM hufu.people_user_at(1000)", "SELECT * FROM hufu.access_assignment_of('id', 1)")
RECORD_PAST = (
    "SELECT * FROM hufu.crm_customer_at(1, 1000, now())",
    "SELECT * FROM hufu.crm_customer_of('id', 1)",
)


def test_the_database_gives_the_past_to_explain_any_alone(shared, connect_as):
    company = shared
    app = connect_as("hufu_app")
    for name in ("lin", "li", "feng", "wu", "he", None):
        for statement in (*PAST, *RECORD_PAST):
            with app.transaction():
                if name is not None:
                    app.execute("SELECT hufu.enter(%s)", [company.people[name]])
                if name == "he":
                    assert app.execute(statement).fetchall()
                    continue
                with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                    app.execute(statement)


def test_numbers_of_changes_are_read_by_administrators_and_written_by_nobody(shared, connect_as):
    company = shared
    app = connect_as("hufu_app")
    for name, reads in (("lin", False), ("li", False), ("feng", False), ("wu", True), ("he", True)):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[name]])
            found = app.execute("SELECT count(*) FROM access_change").fetchone()[0]
            assert (found > 0) == reads, name
            for statement in (
                "INSERT INTO access_change (number, at, version) VALUES (99, now(), 0)",
                "UPDATE access_change SET at = at",
                "DELETE FROM access_change",
                "TRUNCATE access_change",
                "SELECT hufu.next_change()",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                    app.execute(statement)


@pytest.mark.parametrize("column", ["valid_from", "from_change"])
def test_nobody_says_since_when_a_record_or_a_fact_stands(shared, connect_as, column):
    company = shared
    app = connect_as("hufu_app")
    value = {"valid_from": "'2001-01-01'", "from_change": "-1"}[column]
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [company.people["lin"]])
        for statement in (
            f"UPDATE crm_customer SET {column} = {value}, updated_by_id = hufu.actor()",
            f"INSERT INTO crm_customer (id, {column}) VALUES (9000, {value})",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(statement)
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [company.people["feng"]])
        app.execute(f"UPDATE people_department SET {column} = {value}")
        app.execute(f"UPDATE people_department SET name = name || 'x', {column} = {value}")
        app.execute(
            f"INSERT INTO people_department (id, name, code, {column}) VALUES (900, 'x', 'x', {value})"
        )
        forged = app.execute(f"SELECT count(*) FROM people_department WHERE {column} <= {value}")
        assert forged.fetchone() == (0,)
