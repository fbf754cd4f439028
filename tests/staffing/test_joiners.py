"""An account, its place and its rights in one deed."""

from __future__ import annotations

import pytest

from hufu.access import guard
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import GroupMember, PositionHolder, User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Person


def newcomer(company, **facts):
    return Person(
        **{
            "username": "fang",
            "name": "方晴",
            "main_department_id": company.departments["east"],
            "level_id": company.levels["rep"],
            **facts,
        }
    )


def test_a_joiner_has_account_department_level_manager_groups_and_positions_and_reaches_at_once(
    company, belonging, events
):
    feng = company.actor("feng")
    group, position = belonging("bidders", "key_account")
    with acting(feng):
        outcome = staffing.join(
            feng, newcomer(company), manager=company.people["wang"], groups=[group], positions=[position]
        )
    fang = User.objects.get(username="fang")
    assert fang.manager_id == company.people["wang"]
    assert not fang.has_usable_password()
    assert GroupMember.objects.filter(user=fang, group=group).exists()
    assert PositionHolder.objects.filter(user=fang, position=position).exists()
    assert [held.code for held in (outcome.after.department,)] == ["east"]
    actor = Actor(fang.id, fang.name)
    with acting(actor):
        assert set(guard.scope(actor, "customer.view").values_list("pk", flat=True)) == {
            company.customer(name) for name in ("qiming", "yunhe", "haitian")
        }
    (event,) = events("user.joined")
    assert event["target"]["id"] == fang.id
    assert event["data"] == {
        "manager": company.people["wang"],
        "groups": ["bidders"],
        "positions": ["key_account"],
    }


@pytest.mark.parametrize(
    "facts",
    [{"username": "lin"}, {"username": "方 晴"}, {"name": " "}],
)
def test_a_joiner_whose_name_does_not_do_is_refused_in_words(unharmed, facts):
    feng = unharmed.actor("feng")
    with pytest.raises(Invalid) as refused, acting(feng):
        staffing.join(feng, newcomer(unharmed, **facts))
    assert set(refused.value.problems) == set(facts)


def test_nobody_becomes_a_joiners_manager_by_their_own_hand_and_a_representative_lets_nobody_join(unharmed):
    feng, lin = unharmed.actor("feng"), unharmed.actor("lin")
    with pytest.raises(Invalid), acting(feng):
        staffing.join(feng, newcomer(unharmed), manager=feng.user_id)
    for name in ("lin", "he", "wu"):
        actor = unharmed.actor(name)
        with pytest.raises(Denied), acting(actor):
            staffing.join(actor, newcomer(unharmed))
    assert not User.objects.filter(username="fang").exists()
    assert lin.is_person
