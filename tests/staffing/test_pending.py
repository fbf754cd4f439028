"""Organisation changes that would add a right, an admission or a record wait for a security administrator.

Here nothing is approved beforehand. 冯刚 manages people, 何明 gives roles.
"""

from __future__ import annotations

import psycopg
import pytest
from django.utils import translation

from hufu.access import actions as access
from hufu.access import explain, guard, policy_document, queries
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Department, Position, User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Move, Person, pending
from tests.company import publish
from tests.imports.conftest import imported, map_file, sheet

__all__ = ["imported", "map_file", "sheet"]

OPERATOR = Actor.operator()
LEVELS = """
format: 1
import: users
files: {staff: levels.csv}
records:
  - identity: username
    fields:
      username: {column: user}
      name: {column: name}
      level: {column: level}
"""


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def nothing_approved(company, owner_connection):
    owner_connection.execute("DELETE FROM access_approved_move")


def user(name):
    return User.objects.get(username=name)


def waiting():
    """Return what waits, as (who, field, value)."""
    with acting(OPERATOR):
        return [(row.user and row.user.username, row.field, row.value) for row in pending.pending(OPERATOR)]


def release(company, *numbers):
    he = company.actor("he")
    with acting(he):
        return pending.release(he, numbers or [row.id for row in pending.pending(he)])


def customers(company, name, permission="customer.view"):
    actor = company.actor(name)
    with acting(actor):
        return set(guard.scope(actor, permission).values_list("pk", flat=True))


@pytest.fixture
def seller(company):
    """The position of a seller carries the role of a representative."""
    he = company.actor("he")
    with acting(he):
        made = staffing.create_position(he, key="seller", name="销售岗")
        access.assign_role(he, Role.objects.get(key="rep"), to=Principal(position=made), reason="x")
        staffing.create_position(he, key="chess", name="棋手")
        return made


# The traps.


def test_a_position_change_that_smuggles_rights_in_is_pending(company, seller, events):
    feng, zhao = company.actor("feng"), company.people["zhao"]
    with acting(feng):
        assert staffing.add_holders(feng, seller, [zhao]) == 0
        # A position that nothing hangs on is taken at once.
        assert staffing.add_holders(feng, Position.objects.get(key="chess"), [zhao]) == 1
    assert waiting() == [("zhao", "position", seller.id)]
    assert customers(company, "zhao", "customer.edit") == set()
    with acting(company.actor("zhao")) as unit, pytest.raises(Denied):
        guard.authorize(unit.actor, "customer.create")
    (event,) = events("change.pending")
    assert event["data"] == {"field": "position", "value": seller.id, "asked_by": feng.user_id}
    with acting(OPERATOR):
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, zhao, "customer.create", None)
        said = list(explain.sentences(snapshot, decision))
    assert str(decision.code) == "pending_release"
    assert said[1].startswith("A change that would open this waits for release since ")
    assert "赵敏: Position → 销售岗 (asked for by 冯刚)" in said[1]
    assert release(company) == 1
    assert waiting() == []
    with acting(company.actor("zhao")) as unit:
        guard.authorize(unit.actor, "customer.create")
    assert len(events("change.released")) == 1


def test_a_level_change_by_import_is_pending_and_the_lower_level_stays_until_then(company, sheet, imported):
    report = imported(
        "users",
        LEVELS,
        sheet(
            "levels.csv",
            ["user", "name", "level"],
            ["lin", "林悦", "sales.executive"],
            ["tang", "唐亮", "sales.rep"],
        ),
    )
    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    assert waiting() == [("lin", "level", company.levels["executive"])]
    with acting(OPERATOR):
        assert user("lin").level_id == company.levels["rep"]
    before = customers(company, "lin")
    release(company)
    assert customers(company, "lin", "customer.edit") >= {company.customer("qiming")}
    assert customers(company, "lin") >= before


# What holds at once, and what waits.


def test_leaving_holds_at_once_and_joining_waits(company):
    feng = company.actor("feng")
    with acting(feng):
        outcome = staffing.move_person(
            feng,
            user("zhao"),
            Move(department=company.departments["south"], keep=staffing.UNCHANGED),
            reason="调岗",
        )
    assert [(row.field, row.value) for row in outcome.waiting] == [
        ("department", company.departments["south"])
    ]
    with acting(OPERATOR):
        assert user("zhao").main_department_id is None
    assert customers(company, "zhao") == set()
    release(company)
    assert customers(company, "zhao") == {company.customer("nanfang")}


def test_what_adds_nothing_or_takes_away_holds_at_once(company):
    feng = company.actor("feng")
    with acting(feng):
        # 钱多 has no role: in 华南 she is admitted where she was in 华东.
        staffing.change_users(
            feng, {company.people["qian"]: {"main_department_id": company.departments["south"]}}
        )
        staffing.change_users(feng, {company.people["wang"]: {"level_id": company.levels["rep"]}})
        staffing.set_managers(feng, {company.people["zhang"]: None})
    assert waiting() == []
    with acting(OPERATOR):
        assert user("qian").main_department_id == company.departments["south"]
        assert user("wang").level_id == company.levels["rep"]


def test_a_manager_who_would_see_more_waits_and_one_who_sees_nothing_does_not(company):
    feng = company.actor("feng")
    with acting(feng):
        staffing.set_managers(
            feng,
            {company.people["sun"]: company.people["wang"], company.people["chen"]: company.people["wu"]},
        )
    assert waiting() == [("sun", "manager", company.people["wang"])]
    with acting(OPERATOR):
        rows = pending.pending(OPERATOR)
        # 李强, above her, sees every customer anyway; but she would come to edit those of 孙海, too.
        assert rows[0].adds["to"] == [company.people["li"], company.people["wang"]]
        assert rows[0].adds["people"] == [company.people["sun"]]
        assert user("chen").manager_id == company.people["wu"]


def test_a_joiner_has_an_account_at_once_and_the_rest_when_it_is_released(company):
    feng = company.actor("feng")
    with acting(feng):
        outcome = staffing.join(
            feng,
            Person(
                "mei",
                "梅朵",
                main_department_id=company.departments["east"],
                level_id=company.levels["rep"],
            ),
            manager=company.people["wang"],
        )
    # That 王芳 stands above somebody new adds no record.
    assert sorted(row.field for row in outcome.waiting) == ["department", "level"]
    release(company)
    with acting(OPERATOR):
        mei = user("mei")
        assert (mei.main_department_id, mei.level_id) == (company.departments["east"], company.levels["rep"])


def test_a_department_hung_elsewhere_waits_where_others_would_gain(company):
    he, feng = company.actor("he"), company.actor("feng")
    director = {"key": "director", "name": "总监", "grants": {"customer.view": "department_and_below"}}
    publish(company, {"format": 1, "roles": [director]})
    with acting(he):
        access.assign_role(he, Role.objects.get(key="director"), to=Principal(user=user("sun")), reason="x")
    with acting(feng):
        staffing.move_department(
            feng, Department.objects.get(code="south"), to=Department.objects.get(code="far")
        )
    with acting(OPERATOR):
        (row,) = pending.pending(OPERATOR)
        assert (row.field, row.department.code, row.value) == ("parent", "south", company.departments["far"])
        assert Department.objects.get(code="south").parent_id == company.departments["sales"]
    release(company)
    with acting(OPERATOR):
        assert Department.objects.get(code="south").parent_id == company.departments["far"]


def test_a_new_word_takes_the_place_of_what_waits_and_a_waiting_change_can_be_withdrawn(company, seller):
    feng, zhao = company.actor("feng"), company.people["zhao"]
    for department in ("south", "far"):
        with acting(feng):
            staffing.change_users(feng, {zhao: {"main_department_id": company.departments[department]}})
    assert waiting() == [("zhao", "department", company.departments["far"])]
    with acting(feng):
        assert pending.withdraw(feng, [row.id for row in pending.pending(feng)], reason="x") == 1
    assert waiting() == []


# Who releases.


def test_nobody_releases_what_they_asked_for_and_nobody_for_themselves(company, seller, owner_connection):
    feng, he = company.actor("feng"), company.actor("he")
    with acting(feng):
        staffing.add_holders(feng, seller, [company.people["zhao"], he.user_id])
        numbers = {row.user.username: row.id for row in pending.pending(feng)}
    with pytest.raises(Denied), acting(feng):
        pending.release(feng, [numbers["zhao"]])
    with pytest.raises(Denied), acting(he):
        pending.release(he, [numbers["he"]])
    with pytest.raises(Invalid), acting(he):
        pending.release(he, [10_000])
    for actor in (company.actor("lin"), company.actor("wu"), OPERATOR):
        with pytest.raises(Denied), acting(actor):
            pending.release(actor, [numbers["zhao"]])
    assert release(company, numbers["zhao"]) == 1


def test_psql_as_the_application_writes_no_fact_that_would_add_rights(company, seller, connect_as):
    app = connect_as("hufu_app")
    feng, zhao = company.people["feng"], company.people["zhao"]

    def tried(statement, *values):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [feng])
            app.execute(statement, values)

    tried("INSERT INTO people_position_holder (position_id, user_id) VALUES (%s, %s)", seller.id, zhao)
    tried("UPDATE people_user SET level_id = %s WHERE id = %s", company.levels["executive"], zhao)
    tried("UPDATE people_user SET main_department_id = %s WHERE id = %s", company.departments["south"], zhao)
    tried(
        "UPDATE people_user SET manager_id = %s WHERE id = %s", company.people["wang"], company.people["sun"]
    )
    tried("UPDATE people_department SET parent_id = %s WHERE code = 'far'", company.departments["east"])
    tried("SELECT hufu.release_changes(ARRAY[1])")
    tried("SELECT hufu.write_facts('[]')")
    tried(
        "INSERT INTO access_pending_change (user_id, field, value, adds, asked_by, asked_at)"
        " VALUES (%s, 'level', 1, '{}', %s, now())",
        zhao,
        company.people["he"],
    )
    # What adds nothing is written.
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [feng])
        app.execute("UPDATE people_user SET level_id = NULL WHERE id = %s", [company.people["wang"]])


# What is approved beforehand.


def test_a_combination_that_was_approved_beforehand_waits_for_nobody(company, seller):
    he, feng = company.actor("he"), company.actor("feng")
    section = [
        {"department": "sales", "below": True, "level": "sales.manager", "manager": True, "reason": "常规"},
        {"department": "east", "position": "seller", "reason": "华东销售岗"},
    ]
    publish(company, {"format": 1, "approved_moves": section})
    with acting(he):
        assert policy_document.export()["approved_moves"] == section
        assert policy_document.plan({"format": 1, "approved_moves": section}) == ()
    with acting(feng):
        staffing.change_users(
            feng,
            {
                company.people["lin"]: {"main_department_id": company.departments["south"]},
                # Beside the combination: no level, and one that is too high.
                company.people["zhao"]: {"main_department_id": company.departments["south"]},
                company.people["tang"]: {"level_id": company.levels["executive"]},
            },
        )
        staffing.add_holders(feng, seller, [company.people["qian"], company.people["chen"]])
    assert sorted(waiting()) == [
        ("chen", "position", seller.id),
        ("tang", "level", company.levels["executive"]),
        ("zhao", "department", company.departments["south"]),
    ]
    with acting(OPERATOR):
        assert user("lin").main_department_id == company.departments["south"]


def test_whoever_gives_roles_has_released_what_they_do(company, seller, owner_connection):
    """In standard mode one person may be both: what they could give directly does not wait for them."""
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, reason, given_by)"
        " SELECT id, %s, 'x', -1 FROM access_role WHERE key = 'system'",
        [company.people["he"]],
    )
    he = company.actor("he")
    with acting(he):
        assert staffing.add_holders(he, seller, [company.people["zhao"]]) == 1
    assert waiting() == []
