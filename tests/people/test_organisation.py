"""Deeds on people and the organisation: circles are refused with their path, and the past is kept."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Department, Level, User
from hufu.staffing import actions as staffing
from hufu.staffing import organisation_file

OPERATOR = Actor.operator()


def department(company, code):
    return Department.objects.get(pk=company.departments[code])


def manager_of(company, name):
    return User.objects.get(pk=company.people[name]).manager_id


def test_a_department_that_would_stand_below_itself_is_refused_with_the_path(company):
    with pytest.raises(Invalid) as refused, acting(company.actor("feng")):
        staffing.move_department(
            company.actor("feng"), department(company, "hq"), to=department(company, "east")
        )
    assert "总部 → 销售部 → 华东 → 总部" in _circle(refused.value.problems["parent"][0])
    assert department(company, "hq").parent_id is None


def _circle(message):
    # The path may begin at either end; what counts is that every step of it is named.
    steps = message.rstrip(".。").split("：")[-1].split(": ")[-1].split(" → ")
    start = steps.index("总部")
    ring = steps[start:-1] + steps[:start] if steps[0] == steps[-1] else steps
    return " → ".join([*ring, ring[0]])


def test_a_department_below_itself_is_refused(company):
    with pytest.raises(Invalid), acting(company.actor("feng")):
        staffing.move_department(
            company.actor("feng"), department(company, "hq"), to=department(company, "hq")
        )


def test_feng_moves_a_department_and_lin_may_not(company):
    with pytest.raises(Denied), acting(company.actor("lin")):
        staffing.move_department(company.actor("lin"), department(company, "east"), to=None)
    with acting(company.actor("feng")):
        staffing.move_department(
            company.actor("feng"), department(company, "east"), to=department(company, "hq")
        )
    assert department(company, "east").parent_id == company.departments["hq"]


def test_a_circle_in_the_reporting_line_is_refused_with_the_path_and_nothing_changes(company):
    people, feng = company.people, company.actor("feng")
    with pytest.raises(Invalid) as refused, acting(feng):
        staffing.set_managers(feng, {people["tang"]: people["lin"], people["wang"]: people["zhang"]})
    assert "王芳 → 张伟 → 郑凯 → 王芳" in str(refused.value)
    assert manager_of(company, "tang") == people["wang"]
    assert manager_of(company, "wang") == people["li"]


def test_nobody_reports_to_themselves(company):
    with pytest.raises(Invalid), acting(company.actor("feng")):
        staffing.set_managers(company.actor("feng"), {company.people["lin"]: company.people["lin"]})


def test_a_line_can_be_turned_around_in_one_deed(company):
    people, feng = company.people, company.actor("feng")
    with acting(feng):
        staffing.set_managers(feng, {people["wang"]: people["lin"], people["lin"]: None})
    assert manager_of(company, "wang") == people["lin"]
    assert manager_of(company, "lin") is None


@pytest.mark.parametrize(
    "deed",
    [
        lambda a, c: staffing.create_department(a, code="x", name="x", parent=None),
        lambda a, c: staffing.create_users(a, [staffing.Person("x", "某人")]),
        lambda a, c: staffing.set_managers(a, {c.people["lin"]: None}),
        lambda a, c: staffing.change_users(a, {c.people["lin"]: {"level_id": c.levels["executive"]}}),
        lambda a, c: staffing.create_ladder(a, key="x", name="x", levels=[]),
    ],
)
@pytest.mark.parametrize("name", ["lin", "li", "wu", "qian"])
def test_people_without_the_permission_change_no_fact(company, name, deed):
    with pytest.raises(Denied), acting(company.actor(name)):
        deed(company.actor(name), company)


def test_the_system_administrator_draws_no_ladder_and_the_security_administrator_changes_no_user(company):
    with pytest.raises(Denied), acting(company.actor("feng")):
        staffing.create_ladder(company.actor("feng"), key="x", name="x", levels=[])
    with pytest.raises(Denied), acting(company.actor("he")):
        staffing.set_managers(company.actor("he"), {company.people["lin"]: None})


def test_the_past_of_a_person_is_kept_with_who_ended_it(company, owner_connection):
    people, feng = company.people, company.actor("feng")
    with acting(feng):
        staffing.change_users(feng, {people["lin"]: {"level_id": company.levels["manager"], "title": "经理"}})
    with acting(feng):
        staffing.change_users(feng, {people["lin"]: {"main_department_id": company.departments["south"]}})
    past = owner_connection.execute(
        "SELECT level_id, main_department_id, valid_from < valid_to, ended_by FROM people_user_history"
        " WHERE id = %s AND ended_by = %s ORDER BY valid_to",
        [people["lin"], people["feng"]],
    ).fetchall()
    rep, manager, east = company.levels["rep"], company.levels["manager"], company.departments["east"]
    assert past == [(rep, east, True, people["feng"]), (manager, east, True, people["feng"])]


def test_a_sign_in_leaves_no_past(company, owner_connection):
    count = "SELECT count(*) FROM people_user_history"
    before = owner_connection.execute(count).fetchone()
    owner_connection.execute("UPDATE people_user SET last_login = now(), language = 'en', password = 'x'")
    assert owner_connection.execute(count).fetchone() == before


def test_the_past_of_a_gift_and_of_a_department_is_kept(company, owner_connection):
    owner_connection.execute("DELETE FROM access_assignment WHERE user_id = %s", [company.people["chen"]])
    owner_connection.execute("UPDATE people_department SET name = '客户中心' WHERE code = 'service'")
    assert owner_connection.execute(
        "SELECT user_id, reason, valid_to IS NOT NULL FROM access_assignment_history"
    ).fetchall() == [(company.people["chen"], "岗位需要", True)]
    names = owner_connection.execute("SELECT name FROM people_department_history").fetchall()
    assert names == [("客服部",)]


def test_moments_of_the_past_follow_one_another_without_a_gap(company, owner_connection):
    for name in ("一", "二", "三"):
        owner_connection.execute("UPDATE people_department SET name = %s WHERE code = 'east'", [name])
    gaps = owner_connection.execute(
        "SELECT count(*) FROM (SELECT valid_to, lead(valid_from) OVER (ORDER BY valid_to) AS next"
        " FROM people_department_history WHERE id = %s) h WHERE next < valid_to",
        [company.departments["east"]],
    ).fetchone()
    assert gaps == (0,)


def test_whoever_stands_higher_on_the_ladder_holds_what_stands_lower(company):
    """王芳 holds the manager's role by her level and, through the ladder, the representative's delete."""
    wang = company.actor("wang")
    from hufu.access import queries

    with acting(OPERATOR):
        decision = queries.explain(queries.snapshot(), wang.user_id, "customer.delete", None)
        assert decision.allowed
        assert decision.covers[0].path.assignment.level_id in (
            company.levels["rep"],
            company.levels["manager"],
        )


def test_levels_that_stand_are_neither_reordered_nor_left_out(company):
    ladder = {"key": "sales", "name": "销售序列"}
    levels = [{"key": "manager", "name": "经理"}, {"key": "rep", "name": "代表"}]
    with pytest.raises(Invalid), acting(OPERATOR):
        organisation_file.apply(OPERATOR, {"ladders": [{**ladder, "levels": levels}]})
    assert list(Level.objects.order_by("rank").values_list("key", flat=True)) == [
        "rep",
        "manager",
        "executive",
    ]


def test_an_organisation_is_entered_whole_or_not_at_all(committed):
    section = {"departments": [{"code": "a", "name": "甲", "children": [{"code": "b"}]}]}
    with pytest.raises(Invalid) as refused, acting(OPERATOR):
        organisation_file.apply(OPERATOR, section)
    assert list(refused.value.problems) == ["organisation.departments[1].children[1]"]
    assert Department.objects.count() == 0


def test_the_database_refuses_a_circle_by_itself(company):
    with pytest.raises(IntegrityError), acting(company.actor("feng")), transaction.atomic():
        User.objects.filter(pk=company.people["wang"]).update(manager_id=company.people["lin"])


def test_people_created_together_cannot_sign_in_and_are_sorted_by_their_sound(company):
    feng = company.actor("feng")
    with acting(feng):
        (new,) = staffing.create_users(feng, [staffing.Person("ouyang", "欧阳 娜娜")])
    stored = User.objects.get(pk=new.id)
    assert not stored.has_usable_password()
    assert stored.name_sort == "ouyang nana" or stored.name_sort == "ouyangnana"
