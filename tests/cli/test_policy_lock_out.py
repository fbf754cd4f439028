"""Access limits behind which nobody could ever sign in again: refused, unless it is said; and the way back in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from hufu.access.decision.gates import HORIZON, read
from hufu.access.decision.openings import can_open
from hufu.access.gates import on_person
from hufu.core import clock
from hufu.people.models import Device
from tests.cli.conftest import POLICY

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
YEARS = [(NOW + timedelta(days=day)).date().isoformat() for day in range(-2, HORIZON + 3)]
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def hours(start: str, end: str, *, days: list[str] = WEEK, **more: Any) -> dict[str, Any]:
    return {"hours": {"zone": "UTC", "days": days, "from": start, "to": end, **more}}


NEVER = hours("09:00", "18:00", holidays=YEARS)


@pytest.mark.parametrize(
    ("limits", "can"),
    [
        ([], True),
        ([{"networks": ["10.1.0.0/16"]}], True),
        ([{"networks": ["10.1.0.0/16"]}, {"networks": ["10.2.0.0/16", "10.1.5.0/24"]}], True),
        ([{"networks": ["10.1.0.0/16"]}, {"networks": ["10.2.0.0/16", "2001:db8::/32"]}], False),
        ([{"networks": ["::1/128", "127.0.0.0/8"]}], True),
        ([{"networks": ["224.0.0.0/4", "0.0.0.0/32", "240.0.0.0/4", "ff00::/8"]}], False),
        ([{"networks": ["::ffff:10.1.0.0/112"]}], False),
        ([hours("09:00", "18:00")], True),
        ([NEVER], False),
        ([hours("09:00", "18:00", days=["mon"]), hours("17:00", "20:00", days=["mon"])], True),
        ([hours("09:00", "18:00", days=["mon"]), hours("18:00", "20:00", days=["mon"])], False),
        ([hours("09:00", "18:00", days=["mon"]), hours("09:00", "18:00", days=["tue"])], False),
        ([{"second_factor": 15}], True),
        ([{"trusted_device": True}], False),
    ],
)
def test_limits_can_be_open_at_some_time_from_some_address_or_not(
    limits: list[dict[str, Any]], can: bool
) -> None:
    assert can_open([read(limit) for limit in limits], NOW, trusted_until=None) is can


def test_a_trusted_device_counts_until_its_time_is_over() -> None:
    tomorrow = [read({"trusted_device": True, **hours("09:00", "10:00")})]
    assert can_open(tomorrow, NOW, trusted_until=NOW + timedelta(days=1))
    assert not can_open(tomorrow, NOW, trusted_until=NOW + timedelta(hours=2))


def limited(conditions: dict[str, Any], **binds: Any) -> str:
    document = yaml.safe_load(POLICY)
    document["gates"] = [{"key": "office", "name": "办公网", "conditions": conditions, "binds": binds}]
    return yaml.safe_dump(document, allow_unicode=True)


def test_a_policy_that_locks_everybody_out_is_refused_and_lifted_on_the_server(hufu, people, write, events):
    locked = write(limited({"trusted_device": True}, sign_in=True, roles=["manager"]))
    for option in ([], ["--dry-run"]):
        said = hufu("policy", "apply", locked, *option)
        assert said.code == 1
        assert "“办公网” nobody who may change the policy could ever sign in again" in said.err
        assert "--allow-lock-out" in said.err
    assert events("policy.applied") == []
    assert hufu("policy", "apply", locked, "--allow-lock-out").code == 0
    zhao = people["zhao"].id
    assert [gate.key for gate in on_person(zhao)] == ["office"]

    assert "no access limit" in hufu("policy", "lift", "offices", "--reason", "x").err
    assert hufu("policy", "lift", "office", "--reason", " ").code == 1
    assert hufu("policy", "lift", "office", "--reason", "办公网搬了").code == 0
    assert on_person(zhao) == []
    [lifted] = events("gate.lifted")
    assert (lifted["reason"], lifted["data"]) == ("办公网搬了", {"key": "office"})
    [standing] = yaml.safe_load(hufu("policy", "export").out)["gates"]
    assert standing["binds"] == {"roles": ["manager"]}
    assert "keeps nobody from signing in" in hufu("policy", "lift", "office", "--reason", "x").err


def test_it_is_let_through_where_one_of_those_who_may_change_it_gets_in(hufu, people, write):
    now = clock.now()
    Device.objects.create(
        user=people["zhao"],
        hash="x",
        first_seen_at=now,
        last_seen_at=now,
        trusted_until=now + timedelta(days=1),
    )
    assert hufu("policy", "apply", write(limited({"trusted_device": True}, sign_in=True))).code == 0


def test_a_limit_on_people_who_may_not_change_the_policy_is_theirs(hufu, people, write):
    alone = limited({"trusted_device": True}, principals=[{"user": "wang"}])
    assert hufu("policy", "apply", write(alone)).code == 0
