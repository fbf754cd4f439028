"""The demo company goes into an empty database through the real deeds, and each role sees its own world there."""

from __future__ import annotations

from datetime import date

import pytest

from hufu.access import guard, queries, reach
from hufu.cli.demo.build import build, is_demo, is_empty, steps
from hufu.cli.demo.cast import cast
from hufu.cli.demo.company import Company
from hufu.cli.demo.company import build as build_company
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import User

TODAY = date(2026, 1, 15)
# The records of the tour in README.
OF_A_SUBORDINATE, OF_ANOTHER_REGION = 12, 1


@pytest.fixture
def company(committed: str) -> Company:
    company = build_company(TODAY)
    assert is_empty()
    advanced: list[int] = []
    build(company, advance=advanced.append)
    assert sum(advanced) == steps(company)
    return company


def test_everything_is_entered_and_each_of_the_cast_sees_their_own_world(company: Company) -> None:
    assert not is_empty()
    assert is_demo()
    with acting(Actor.operator()):
        users = {user.username: user for user in User.objects.all()}
    assert len(users) == 80
    assert not any(user.has_usable_password() for user in users.values())
    seen = {}
    for part in cast():
        actor = Actor(users[part.username].id, part.name)
        with acting(actor):
            seen[part.username] = tuple(
                guard.scope(actor, permission).count()
                for permission in ("customer.view", "customer.edit", "opportunity.view")
            )
    with acting(Actor.operator()):
        snapshot = queries.snapshot()
        toured = guard.scope(Actor.operator(), "customer.view")
        answers = [
            queries.explain(
                snapshot, users["limengjie"].id, "customer.edit", reach.facts(toured.get(pk=number))
            ).allowed
            for number in (OF_A_SUBORDINATE, OF_ANOTHER_REGION)
        ]
    assert answers == [True, False]
    team = sum(each.department == "sh-east-1" for each in company.customers)
    own = sum(each.owner == "wangsiyuan" for each in company.customers)
    of_sh = sum(each.partition == "sh" for each in company.customers)
    assert seen["wangsiyuan"][:2] == (team, own)
    assert seen["linxiaomeng"][:2] == (team, 0)
    assert seen["limengjie"][0] > team  # what a subordinate brought along stayed in another department
    assert seen["limengjie"][1] > own
    assert seen["chenliqun"][1] > seen["limengjie"][1]
    assert seen["taozhixia"] == (of_sh, 0, 0)
    assert seen["sunwanqing"] == (5000, 0, 0)
    assert seen["shenhuaijin"] == (5000, 5000, 3000)
    with acting(Actor.operator()):
        entered = guard.scope(Actor.operator(), "customer.view").order_by("created_at").first()
    assert entered.created_at == min(each.created_at for each in company.customers)
    assert seen["chenxiangdong"] == seen["chuanran"] == seen["hanjingshu"] == (0, 0, 0)
