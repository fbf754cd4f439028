"""Groups, positions, posts and included levels in the policy file: entered once, exported, then nothing to change."""

from __future__ import annotations

import copy

import pytest
import yaml

from hufu.cli import yaml_file
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import DepartmentPost, GroupMember, LevelIncludes, PositionHolder
from hufu.staffing import actions as staffing
from hufu.staffing import organisation_file
from tests.company import POLICY, unpublish

OPERATOR = Actor.operator()
SECTION = {
    "ladders": [
        {
            "key": "service",
            "name": "服务序列",
            "levels": [
                {"key": "agent", "name": "客服"},
                {"key": "lead", "name": "客服组长", "includes": ["sales.rep"]},
            ],
        }
    ],
    "groups": [
        {"key": "bidders", "name": "投标小组", "members": ["lin", "tang"]},
        {"key": "sports", "name": "篮球队"},
    ],
    "positions": [{"key": "key_account", "name": "大客户经理", "holders": ["zhang"]}],
    "posts": [
        {"department": "east", "head": "lin", "assistants": ["tang", "zhao"]},
        {"department": "south", "assistants": "zhang"},
    ],
}


@pytest.fixture(autouse=True)
def before_version_1(company, owner_connection):
    """What levels include is entered before version 1: afterwards definitions change by change sets alone."""
    unpublish(owner_connection)


def applied(company, section):
    """Enter a section as 何明."""
    he = company.actor("he")
    with acting(he):
        return organisation_file.apply(he, section)


@pytest.fixture
def both(company, owner_connection):
    """何明 is system and security administrator, as in standard mode."""
    owner_connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, reason, given_by)"
        " SELECT id, %s, 'x', -1 FROM access_role WHERE key = 'system'",
        [company.people["he"]],
    )


def test_a_section_is_entered_exported_and_then_there_is_nothing_to_change(company, both):
    report = applied(company, SECTION)
    assert report.created == [
        "ladder:service",
        "group:bidders",
        "group:sports",
        "position:key_account",
    ]
    assert report.changed == ["level:service.lead", "posts:east", "posts:south"]
    assert set(GroupMember.objects.values_list("group__key", "user__username")) == {
        ("bidders", "lin"),
        ("bidders", "tang"),
    }
    assert list(PositionHolder.objects.values_list("user__username", flat=True)) == ["zhang"]
    assert list(LevelIncludes.objects.values_list("level__key", "includes__key")) == [("lead", "rep")]
    assert set(DepartmentPost.objects.values_list("department__code", "post", "user__username")) == {
        ("east", "head", "lin"),
        ("east", "assistant", "tang"),
        ("east", "assistant", "zhao"),
        ("south", "assistant", "zhang"),
    }
    with acting(company.actor("he")):
        exported = organisation_file.export()
    assert exported["departments"] == POLICY["organisation"]["departments"]
    for name in ("groups", "positions"):
        assert exported[name] == SECTION[name]
    assert exported["posts"][1] == {"department": "south", "assistants": ["zhang"]}
    assert exported["ladders"][1] == SECTION["ladders"][0]
    again = yaml.safe_load(yaml_file.text(exported))
    assert applied(company, again).is_empty
    assert applied(company, SECTION).is_empty


def test_another_head_replaces_the_former_and_nobody_is_taken_out_of_anything_else(company, both):
    applied(company, SECTION)
    report = applied(
        company,
        {
            "groups": [{"key": "bidders", "name": "投标组", "members": ["zhao"]}],
            "posts": [{"department": "east", "head": "tang"}],
        },
    )
    assert report.changed == ["group:bidders", "posts:east"]
    assert GroupMember.objects.filter(group__name="投标组").count() == 3
    assert DepartmentPost.objects.get(department__code="east", post="head").user.username == "tang"
    assert DepartmentPost.objects.filter(department__code="east", post="assistant").count() == 2


def test_everything_that_is_wrong_is_told_with_its_place_and_nothing_is_entered(company, both):
    section = copy.deepcopy(SECTION)
    section["ladders"][0]["levels"][0]["includes"] = ["sales.king"]
    section["groups"][0]["members"] = ["lin", "nobody"]
    section["positions"][0]["holder"] = "lin"
    section["posts"][0]["head"] = ["lin", "tang"]
    section["posts"][1]["department"] = "west"
    with pytest.raises(Invalid) as refused:
        applied(company, section)
    assert set(refused.value.problems) == {
        "organisation.ladders[1].levels[1].includes",
        "organisation.groups[1].members",
        "organisation.positions[1]",
        "organisation.posts[1].head",
        "organisation.posts[2].department",
    }
    assert not GroupMember.objects.exists()


def test_a_circle_of_levels_in_the_file_is_refused_with_its_path(company, both):
    section = copy.deepcopy(SECTION)
    section["ladders"].append(
        {
            "key": "board",
            "name": "董事会",
            "levels": [{"key": "member", "name": "董事", "includes": ["service.lead"]}],
        }
    )
    section["ladders"][0]["levels"][0]["includes"] = ["board.member"]
    with pytest.raises(Invalid) as refused:
        applied(company, section)
    (place,) = refused.value.problems
    assert place == "organisation.ladders[2].levels[1].includes"
    assert "董事 → 客服组长 → 客服 → 董事" in str(refused.value)


def test_nobody_enters_themselves(company, both):
    with pytest.raises(Denied):
        applied(company, {"groups": [{"key": "bidders", "name": "投标小组", "members": ["he"]}]})
    assert not GroupMember.objects.exists()


def test_before_version_1_the_operator_enters_it_all(committed):
    with acting(OPERATOR):
        organisation_file.apply(OPERATOR, POLICY["organisation"])
        staffing.create_users(
            OPERATOR, [staffing.Person(name, name) for name in ("lin", "tang", "zhang", "zhao")]
        )
        organisation_file.apply(OPERATOR, SECTION)
        assert organisation_file.apply(OPERATOR, organisation_file.export()).is_empty
