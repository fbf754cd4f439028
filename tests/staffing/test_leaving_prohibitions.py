"""Whoever leaves what a prohibition binds gets away from it: that waits for release like everything that widens.

冯刚 manages people and gives no rights; 何明 gives and forbids. Nothing is approved beforehand.
"""

from __future__ import annotations

import pytest
from django.db import Error, connection
from django.test import Client
from django.utils import translation

from hufu.access import explain, guard, prohibitions, queries
from hufu.access.actions import Principal
from hufu.cli.main import main
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import Department, DepartmentPost, Level, Post, Status, User
from hufu.staffing import actions as staffing
from hufu.staffing import organisation_file, pending_words
from hufu.staffing.actions import Move, pending
from tests.imports.conftest import imported, map_file, sheet
from tests.staffing.test_pending import LEVELS

__all__ = ["imported", "map_file", "sheet"]

OPERATOR = Actor.operator()


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def nothing_approved(company, owner_connection):
    owner_connection.execute("DELETE FROM access_approved_move")


@pytest.fixture
def watched(company):
    """The group and the position of those under investigation; 林悦 is in both."""
    he, feng = company.actor("he"), company.actor("feng")
    with acting(he):
        group = staffing.create_group(he, key="watched", name="受调查人员")
        position = staffing.create_position(he, key="desk", name="内勤")
    with acting(feng):
        staffing.add_members(feng, group, [company.people["lin"]])
        staffing.add_holders(feng, position, [company.people["lin"]])
    return group, position


def forbid(company, permission="customer.edit", **to):
    he = company.actor("he")
    with acting(he):
        return prohibitions.forbid(he, permission, to=Principal(**to), reason="调查")


def may(company, name, permission="customer.edit"):
    actor = company.actor(name)
    with acting(actor):
        return guard.may(actor, permission)


def waiting():
    with acting(OPERATOR):
        rows = pending.pending(OPERATOR)
        return [(row.user and row.user.username, row.field, row.value, row.leaves) for row in rows]


def release(company):
    he = company.actor("he")
    with acting(he):
        return pending.release(he, [row.id for row in pending.pending(he)])


def test_who_leaves_a_group_that_a_prohibition_binds_stays_until_it_is_released(company, watched, events):
    group, _position = watched
    forbid(company, group=group)
    feng, lin = company.actor("feng"), company.people["lin"]
    assert not may(company, "lin")
    with acting(feng):
        assert staffing.remove_members(feng, group, [lin]) == 0
    assert waiting() == [("lin", "group", group.id, True)]
    assert not may(company, "lin")
    (event,) = events("change.pending")
    assert event["data"]["leaves"] is True
    with acting(OPERATOR):
        [row] = pending.pending(OPERATOR)
        names = pending_words.Names()
        assert names.what(row) == "林悦: leaves Group 受调查人员"
        assert names.adds(row) == "would add what is forbidden now: Edit customers"
        snapshot = queries.snapshot()
        said = list(explain.sentences(snapshot, queries.explain(snapshot, lin, "customer.edit", None)))
    assert any("林悦: leaves Group 受调查人员 (asked for by 冯刚)" in each for each in said)
    # A new word takes its place: she stays after all.
    with acting(feng):
        staffing.add_members(feng, group, [lin])
    assert waiting() == []
    with acting(feng):
        staffing.remove_members(feng, group, [lin])
    assert release(company) == 1
    assert may(company, "lin")
    with acting(OPERATOR):
        assert not group.members.exists()


def test_leaving_waits_only_where_a_prohibition_is_lifted_by_it(company, watched):
    group, position = watched
    forbid(company, group=group)
    forbid(company, permission="customer.*", position=position)
    feng, lin = company.actor("feng"), company.people["lin"]
    # The position says the same, and more: the group may be left, the position may not.
    with acting(feng):
        assert staffing.remove_members(feng, group, [lin]) == 1
        assert staffing.remove_holders(feng, position, [lin]) == 0
    assert waiting() == [("lin", "position", position.id, True)]
    release(company)
    assert may(company, "lin")


STATUS = """
format: 1
import: users
files: {staff: status.csv}
records:
  - identity: username
    fields:
      username: {column: user}
      name: {column: name}
      status: {column: status}
      level: {column: level}
"""


def test_who_leaves_the_company_by_command_and_comes_back_by_import_is_bound_still(
    company, watched, sheet, imported, capsys
):
    group, _position = watched
    with acting(OPERATOR):
        rep = Level.objects.get(key="rep")
    forbid(company, group=group)
    forbid(company, permission="customer.delete", level=rep)
    header, row = ["user", "name", "status", "level"], ["lin", "林悦"]
    assert main(["leave", "lin", "--successor", "tang", "--reason", "离职"]) == 0
    said = capsys.readouterr().out
    assert "林悦: leaves Group 受调查人员" in said
    assert sorted(waiting(), key=str) == [("lin", "group", group.id, True), ("lin", "level", None, False)]
    imported("users", STATUS, sheet("status.csv", header, [*row, "active", "sales.rep"]))
    assert not may(company, "lin")
    assert not may(company, "lin", "customer.delete")
    assert may(company, "lin", "customer.view")
    # Nor does leaving and coming back by the file alone help, or being taken out while the account is closed.
    imported("users", STATUS, sheet("status.csv", header, [*row, "left", ""]))
    feng = company.actor("feng")
    with acting(feng):
        assert staffing.remove_members(feng, group, [company.people["lin"]]) == 0
    with pytest.raises(Error, match="waits for release"), acting(feng), connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_group_member WHERE group_id = %s", [group.id])
        cursor.execute("SELECT hufu.settle_reach()")
    imported("users", STATUS, sheet("status.csv", header, [*row, "active", "sales.rep"]))
    assert not may(company, "lin")
    assert not may(company, "lin", "customer.delete")


def test_what_somebody_who_left_was_to_leave_is_left_when_it_is_released(company, watched, sheet, imported):
    group, position = watched
    forbid(company, group=group)
    feng = company.actor("feng")
    with acting(feng):
        lin = User.objects.get(username="lin")
        handover = staffing.Handover(to=company.people["tang"])
        outcome = staffing.leave(feng, lin, handover=handover, reason="离职")
        # What nothing binds is left at once.
        assert [held.id for held in outcome.ended_positions] == [position.id]
        assert [row.field for row in outcome.waiting] == ["group"]
    assert release(company) == 1
    imported(
        "users",
        STATUS,
        sheet("status.csv", ["user", "name", "status", "level"], ["lin", "林悦", "active", "sales.rep"]),
    )
    release(company)
    assert may(company, "lin")


def test_a_suspended_account_that_the_page_opens_again_is_bound_still(company, watched):
    group, _position = watched
    forbid(company, group=group)
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.get(username="feng"), backend="hufu.web.accounts.backend.PasswordBackend")
    lin = company.people["lin"]
    client.post(f"/people/{lin}/suspend/", {"reason": "休假"})
    feng = company.actor("feng")
    with acting(feng):
        assert User.objects.get(pk=lin).status == Status.SUSPENDED
        assert staffing.remove_members(feng, group, [lin]) == 0
    client.post(f"/people/{lin}/reactivate/", {"reason": "回来"})
    with acting(feng):
        assert User.objects.get(pk=lin).status == Status.ACTIVE
    assert not may(company, "lin")


def test_both_at_once_do_not_slip_through(company, watched):
    """Two that forbid the same are left in one deed: neither covers for the other."""
    group, position = watched
    forbid(company, group=group)
    forbid(company, position=position)
    feng = company.actor("feng")
    with acting(feng):
        user = User.objects.get(username="lin")
        staffing.move_person(
            feng, user, Move(leave_groups=[group], leave_positions=[position]), reason="结束调查"
        )
    assert not may(company, "lin")
    assert {field for _who, field, _value, _leaves in waiting()} == {"group", "position"}


def test_a_mover_takes_no_prohibition_off(company):
    """By the command and the page of movers: department, level and post stay where they are bound, until released."""
    with acting(OPERATOR):
        east, hq = Department.objects.get(code="east"), Department.objects.get(code="hq")
        rep, manager = Level.objects.get(key="rep"), Level.objects.get(key="manager")
    forbid(company, permission="customer.delete", department=east, below=True)
    forbid(company, permission="customer.transfer", level=rep)
    feng, lin = company.actor("feng"), company.people["lin"]
    for move in (Move(department=hq.id, level=manager.id), Move(department=None, level=None)):
        with acting(feng):
            staffing.move_person(feng, User.objects.get(pk=lin), move, reason="调岗")
        with acting(OPERATOR):
            user = User.objects.get(pk=lin)
            assert (user.main_department_id, user.level_id) == (east.id, rep.id)
        assert not may(company, "lin", "customer.delete")
        assert not may(company, "lin", "customer.transfer")
    assert {(field, value) for _who, field, value, _leaves in waiting()} == {
        ("department", None),
        ("level", None),
    }
    with acting(feng):
        staffing.move_person(
            feng, User.objects.get(pk=lin), Move(department=hq.id, level=manager.id), reason="调岗"
        )
    release(company)
    with acting(OPERATOR):
        user = User.objects.get(pk=lin)
        assert (user.main_department_id, user.level_id) == (hq.id, manager.id)


def test_neither_an_import_nor_the_organisation_file_takes_a_prohibition_off(company, sheet, imported):
    with acting(OPERATOR):
        rep, east = Level.objects.get(key="rep"), Department.objects.get(code="east")
    forbid(company, level=rep)
    imported("users", LEVELS, sheet("levels.csv", ["user", "name", "level"], ["lin", "林悦", ""]))
    assert waiting() == [("lin", "level", None, False)]
    assert not may(company, "lin")
    release(company)
    # A head whom another replaces stays while the post is bound, and the other waits.
    feng = company.actor("feng")
    with acting(feng):
        staffing.appoint_head(feng, east, company.people["tang"])
    forbid(company, permission="customer.share", department=east, post=Post.HEAD)
    with acting(feng):
        organisation_file.apply(feng, {"posts": [{"department": "east", "head": "zhao"}]})
    with acting(OPERATOR):
        held = DepartmentPost.objects.filter(department=east, post=Post.HEAD)
        assert list(held.values_list("user__username", flat=True)) == ["tang"]
    assert {(who, leaves) for who, _field, _value, leaves in waiting()} == {("zhao", False), ("tang", True)}
    release(company)
    with acting(OPERATOR):
        assert list(held.values_list("user__username", flat=True)) == ["zhao"]


def test_a_department_that_moves_takes_its_people_out_of_no_prohibition(company):
    with acting(OPERATOR):
        sales, hq = (Department.objects.get(code=code) for code in ("sales", "hq"))
    forbid(company, department=sales, below=True)
    feng = company.actor("feng")
    for to in (hq, None):
        with acting(feng):
            staffing.move_department(feng, Department.objects.get(code="south"), to=to)
        with acting(OPERATOR):
            assert Department.objects.get(code="south").parent_id == sales.id
    assert not may(company, "zhang")
    assert {field for _who, field, _value, _leaves in waiting()} == {"parent"}


def test_secondary_departments_that_are_bound_are_kept(company):
    with acting(OPERATOR):
        finance = Department.objects.get(code="finance")
    feng, lin = company.actor("feng"), company.people["lin"]
    with acting(feng):
        staffing.set_secondary_departments(feng, {lin: [finance.id]})
    release(company)
    forbid(company, department=finance)
    with acting(feng):
        staffing.set_secondary_departments(feng, {lin: []})
    assert waiting() == [("lin", "other_department", finance.id, True)]
    assert not may(company, "lin")


def test_sql_in_the_place_of_the_application_takes_no_prohibition_off(company, watched):
    group, _position = watched
    forbid(company, group=group)
    feng = company.actor("feng")
    with pytest.raises(Error, match="waits for release"), acting(feng), connection.cursor() as cursor:
        cursor.execute("DELETE FROM people_group_member WHERE group_id = %s", [group.id])
        cursor.execute("SELECT hufu.settle_reach()")
    assert not may(company, "lin")


def test_what_is_approved_beforehand_is_what_one_comes_to(company, watched, owner_connection):
    """A combination approves no leaving; in a company in which nothing waits, this does not either."""
    group, _position = watched
    forbid(company, group=group)
    feng = company.actor("feng")
    owner_connection.execute(
        "INSERT INTO access_approved_move (anything, below, manager, group_id, reason)"
        " VALUES (false, false, false, %s, 'x')",
        [group.id],
    )
    with acting(feng):
        assert staffing.remove_members(feng, group, [company.people["lin"]]) == 0
    owner_connection.execute(
        "INSERT INTO access_approved_move (anything, below, manager, reason) VALUES (true, false, false, 'x')"
    )
    with acting(feng):
        assert staffing.remove_members(feng, group, [company.people["lin"]]) == 1
