"""Groups, positions, posts and included levels: rights hang on them, so nobody puts themselves into any."""

from __future__ import annotations

import psycopg
import pytest

from hufu.access import actions as access
from hufu.access import guard
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import DepartmentPost, Group, Level, LevelIncludes, Position, Post
from hufu.staffing import actions as staffing
from tests.company import unpublish

OPERATOR = Actor.operator()


def views(company, name):
    actor = company.actor(name)
    with acting(actor):
        return guard.scope(actor, "customer.view").count()


@pytest.fixture
def service_ladder(company, owner_connection):
    """何明 draws a ladder of two levels for customer service, before version 1 of the policy."""
    unpublish(owner_connection)
    he = company.actor("he")
    with acting(he):
        staffing.create_ladder(
            he, key="service", name="服务序列", levels=[("agent", "客服"), ("lead", "客服组长")]
        )
    return {level.key: level for level in Level.objects.select_related("ladder")}


def test_a_role_given_to_a_group_reaches_its_members_and_ends_with_the_membership(company, belonging, events):
    he, feng, qian = company.actor("he"), company.actor("feng"), company.people["qian"]
    (group,) = belonging("bidders")
    with acting(he):
        access.assign_role(he, Role.objects.get(key="rep_reading"), to=Principal(group=group), reason="项目")
    assert views(company, "qian") == 0
    with acting(feng):
        assert staffing.add_members(feng, group, [qian, qian]) == 1
        assert staffing.add_members(feng, group, [qian]) == 0
    assert views(company, "qian") == 3
    with acting(feng):
        assert staffing.remove_members(feng, group, [qian, company.people["lin"]]) == 1
    assert views(company, "qian") == 0
    for type_name in ("group.member_joined", "group.member_left"):
        (event,) = events(type_name)
        assert event["target"] == {"type": "user", "id": qian}
        assert event["data"] == {"group": "bidders"}


def test_a_role_given_to_a_position_reaches_its_holders_and_ends_with_it(company, belonging, events):
    he, feng, qian = company.actor("he"), company.actor("feng"), company.people["qian"]
    (position,) = belonging("key_account")
    with acting(he):
        access.assign_role(
            he, Role.objects.get(key="rep_reading"), to=Principal(position=position), reason="项目"
        )
    with acting(feng):
        staffing.add_holders(feng, position, [qian])
    assert views(company, "qian") == 3
    with acting(feng):
        staffing.remove_holders(feng, position, [qian])
    assert views(company, "qian") == 0
    assert len(events("position.holder_joined")) == len(events("position.holder_left")) == 1


def test_a_department_has_one_head_and_a_new_one_takes_the_place_of_the_former(company, department, events):
    he, feng, people = company.actor("he"), company.actor("feng"), company.people
    with acting(he):
        access.assign_role(
            he,
            Role.objects.get(key="rep_reading"),
            to=Principal(department=department("east"), post=Post.HEAD),
            reason="职责",
        )
    with acting(feng):
        assert staffing.appoint_head(feng, department("east"), people["qian"])
        assert not staffing.appoint_head(feng, department("east"), people["qian"])
    assert views(company, "qian") == 3
    with acting(feng):
        staffing.appoint_head(feng, department("east"), people["tang"])
    assert views(company, "qian") == 0
    assert list(DepartmentPost.objects.values_list("user_id", "post")) == [(people["tang"], "head")]
    with acting(feng):
        assert staffing.appoint_head(feng, department("east"), None)
    assert not DepartmentPost.objects.exists()
    assert [event["target"]["id"] for event in events("post.taken")] == [people["qian"], people["tang"]]
    assert [event["target"]["id"] for event in events("post.left")] == [people["qian"], people["tang"]]


def test_a_department_has_any_number_of_assistants(company, department):
    feng, people = company.actor("feng"), company.people
    with acting(feng):
        staffing.add_assistants(feng, department("east"), [people["qian"], people["zhao"]])
        staffing.appoint_head(feng, department("east"), people["qian"])
        assert staffing.leave_posts(feng, department("east"), Post.ASSISTANT, [people["qian"]]) == 1
    assert set(DepartmentPost.objects.values_list("user_id", "post")) == {
        (people["qian"], "head"),
        (people["zhao"], "assistant"),
    }


def test_nobody_puts_themselves_into_anything(company, belonging, department):
    feng = company.actor("feng")
    group, position = belonging("bidders", "key_account")
    for deed in (
        lambda: staffing.add_members(feng, group, [feng.user_id]),
        lambda: staffing.add_holders(feng, position, [company.people["qian"], feng.user_id]),
        lambda: staffing.appoint_head(feng, department("hq"), feng.user_id),
        lambda: staffing.add_assistants(feng, department("hq"), [feng.user_id]),
    ):
        with pytest.raises(Denied), acting(feng):
            deed()
    assert not position.holders.exists()


@pytest.mark.parametrize("name", ["lin", "wang", "wu", "he"])
def test_only_who_manages_people_says_who_belongs_where(company, belonging, department, name):
    actor, qian = company.actor(name), company.people["qian"]
    group, position = belonging("bidders", "key_account")
    for deed in (
        lambda: staffing.add_members(actor, group, [qian]),
        lambda: staffing.remove_members(actor, group, [qian]),
        lambda: staffing.add_holders(actor, position, [qian]),
        lambda: staffing.remove_holders(actor, position, [qian]),
        lambda: staffing.appoint_head(actor, department("east"), qian),
        lambda: staffing.add_assistants(actor, department("east"), [qian]),
        lambda: staffing.leave_posts(actor, department("east"), Post.HEAD, [qian]),
    ):
        with pytest.raises(Denied), acting(actor):
            deed()


def test_only_who_manages_roles_makes_and_renames_groups_and_positions(company, belonging, events):
    group, position = belonging("bidders", "key_account")
    feng, he = company.actor("feng"), company.actor("he")
    for deed in (
        lambda: staffing.create_group(feng, key="x", name="x"),
        lambda: staffing.rename_group(feng, group, name="x"),
        lambda: staffing.create_position(feng, key="x", name="x"),
        lambda: staffing.rename_position(feng, position, name="x"),
    ):
        with pytest.raises(Denied), acting(feng):
            deed()
    with acting(he):
        staffing.rename_group(he, group, name="投标组")
        staffing.rename_position(he, position, name="客户经理")
    assert Group.objects.get().name == "投标组"
    assert Position.objects.get().name == "客户经理"
    assert events("group.renamed")[0]["data"] == {"key": "bidders", "before": "投标小组", "after": "投标组"}
    with pytest.raises(Invalid), acting(he):
        staffing.create_group(he, key="bidders", name="又一个")


def test_whoever_has_left_or_does_not_exist_belongs_nowhere(company, belonging):
    feng, qian = company.actor("feng"), company.people["qian"]
    (group,) = belonging("bidders")
    with acting(feng):
        staffing.change_users(feng, {qian: {"status": "left"}})
    for number in (qian, 987_654):
        with pytest.raises(Invalid), acting(feng):
            staffing.add_members(feng, group, [number])


def test_a_level_that_includes_another_holds_its_roles_until_that_ends(company, service_ladder, events):
    he, feng = company.actor("he"), company.actor("feng")
    levels = service_ladder
    with acting(he):
        access.assign_role(
            he, Role.objects.get(key="rep_reading"), to=Principal(level=levels["agent"]), reason="级别"
        )
    with acting(feng):
        staffing.change_users(feng, {company.people["qian"]: {"level_id": levels["lead"].id}})
    assert views(company, "qian") == 3  # the higher level of its own ladder
    with acting(feng):
        staffing.change_users(feng, {company.people["qian"]: {"level_id": None}})
        staffing.change_users(feng, {company.people["zhao"]: {"level_id": levels["executive"].id}})
    with acting(he):
        assert staffing.include_level(he, levels["executive"], levels["lead"])
        assert not staffing.include_level(he, levels["executive"], levels["lead"])
    assert list(LevelIncludes.objects.values_list("level__key", "includes__key")) == [("executive", "lead")]
    assert events("level.included")[0]["data"] == {"level": "sales.executive", "includes": "service.lead"}
    with acting(he):
        assert staffing.end_included_level(he, levels["executive"], levels["lead"])
        assert not staffing.end_included_level(he, levels["executive"], levels["lead"])
    assert len(events("level.include_ended")) == 1


def test_a_circle_of_levels_is_refused_with_its_path(company, service_ladder):
    he, levels = company.actor("he"), service_ladder
    with acting(he):
        staffing.include_level(he, levels["manager"], levels["lead"])
    with pytest.raises(Invalid) as refused, acting(he):
        staffing.include_level(he, levels["agent"], levels["executive"])
    assert "客服 → 高管 → 销售经理 → 客服组长 → 客服" in str(refused.value)
    with pytest.raises(Invalid), acting(he):
        staffing.include_level(he, levels["rep"], levels["manager"])


def test_nobody_widens_the_level_that_they_hold(company, service_ladder, connect_as):
    he, feng, levels = company.actor("he"), company.actor("feng"), service_ladder
    with acting(feng):
        staffing.change_users(feng, {he.user_id: {"level_id": levels["lead"].id}})
    for held in ("lead", "agent"):
        with pytest.raises(Denied), acting(he):
            staffing.include_level(he, levels[held], levels["rep"])
        app = connect_as("hufu_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [he.user_id])
            app.execute(
                "INSERT INTO people_level_includes (level_id, includes_id) VALUES (%s, %s)",
                [levels[held].id, levels["rep"].id],
            )
    with pytest.raises(Denied), acting(feng):
        staffing.include_level(feng, levels["executive"], levels["lead"])
    assert not LevelIncludes.objects.exists()
