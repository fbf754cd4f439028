"""Gates: where, when and how somebody acts. Pure evaluation, and what a closed gate closes end to end."""

from __future__ import annotations

import copy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from hufu.access import guard, policy_document, policy_file, training
from hufu.access.decision.gates import Condition, Gate, closed, read
from hufu.access.decision.openings import can_open
from hufu.core import clock
from hufu.core.actor import Actor, Context
from hufu.core.errors import Denied, Invalid, SecondFactorNeeded
from hufu.core.transaction import acting, current_unit
from tests.company import POLICY, unpublish

OFFICE = {"networks": ["10.1.0.0/16", "2001:db8::/32"]}
WORKDAYS = {
    "zone": "Asia/Shanghai",
    "days": ["mon", "tue", "wed", "thu", "fri"],
    "from": "09:00",
    "to": "18:00",
}
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai


def failed(conditions, context=None, now=MONDAY):
    """Return what does not hold of a gate with these conditions."""
    found = closed([Gate(1, "g", "限制", conditions)], context or Context(), now)
    return found[1].failed if found else ()


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::7", True),
        ("10.2.0.1", False),
        ("2001:db9::7", False),
        ("", False),
        ("10.1.2.3, 10.1.2.4", False),
        ("testserver", False),
    ],
)
def test_networks(address, is_open):
    assert failed(OFFICE, Context(address=address)) == (() if is_open else (Condition.NETWORKS,))


@pytest.mark.parametrize(
    ("moment", "more", "is_open"),
    [
        ("2026-11-23T09:00+08:00", {}, True),
        ("2026-11-23T08:59+08:00", {}, False),
        ("2026-11-23T18:00+08:00", {}, False),
        ("2026-11-22T10:00+08:00", {}, False),
        ("2026-11-22T10:00+08:00", {"working_days": ["2026-11-22"]}, True),
        ("2026-11-23T10:00+08:00", {"holidays": ["2026-11-23"]}, False),
        ("2026-11-23T23:00+08:00", {"from": "22:00", "to": "06:00"}, True),
        ("2026-11-28T05:59+08:00", {"from": "22:00", "to": "06:00"}, True),
        ("2026-11-28T22:30+08:00", {"from": "22:00", "to": "06:00"}, False),
        ("2026-11-23T05:00+08:00", {"from": "22:00", "to": "06:00"}, False),
        ("2026-11-23T23:59+08:00", {"to": "24:00"}, True),
        # The hour that is skipped in Berlin never is, the one that is repeated is open twice.
        (
            "2026-03-29T01:00+00:00",
            {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:00", "to": "03:00"},
            False,
        ),
        (
            "2026-10-25T00:30+00:00",
            {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:00", "to": "03:00"},
            True,
        ),
        (
            "2026-10-25T01:30+00:00",
            {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:00", "to": "03:00"},
            True,
        ),
        (
            "2026-10-25T02:00+00:00",
            {"zone": "Europe/Berlin", "days": ["sun"], "from": "02:00", "to": "03:00"},
            False,
        ),
    ],
)
def test_hours(moment, more, is_open):
    found = failed({"hours": {**WORKDAYS, **more}}, now=datetime.fromisoformat(moment))
    assert found == (() if is_open else (Condition.HOURS,))


CLOCKS = st.times().map(lambda clock: clock.strftime("%H:%M"))
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))


@given(
    start=CLOCKS,
    end=CLOCKS,
    days=st.sets(st.sampled_from(["mon", "wed", "sat", "sun"]), min_size=1).map(sorted),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
    moment=MOMENTS,
)
def test_hours_that_are_closed_open_at_the_moment_that_is_told(start, end, days, zone, moment):
    if start == end:
        return
    said = {"hours": {"zone": zone, "days": days, "from": start, "to": end}}
    hours = read(said).hours
    assert hours is not None
    opens = hours.next_opening(moment)
    if opens is not None:
        assert opens > moment
        assert hours.include(opens)
    if not hours.include(moment) and opens is not None:
        assert closed([Gate(1, "g", "限制", said)], Context(), moment)[1].opens_at == opens


@given(proven=st.none() | MOMENTS, now=MOMENTS, minutes=st.integers(1, 1440))
def test_a_second_factor_is_fresh_for_its_minutes_and_never_from_the_future(proven, now, minutes):
    is_open = not failed({"second_factor": minutes}, Context(second_factor_at=proven), now)
    fresh = proven is not None and timedelta(0) <= now - proven <= timedelta(minutes=minutes)
    assert is_open is fresh


def test_all_conditions_must_hold_and_each_that_does_not_is_named():
    both = {**OFFICE, "trusted_device": True}
    assert failed(both, Context(address="10.1.0.1", trusted_device=True)) == ()
    assert failed(both, Context(address="10.1.0.1")) == (Condition.TRUSTED_DEVICE,)
    assert failed(both) == (Condition.NETWORKS, Condition.TRUSTED_DEVICE)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"moon": True},
        {"networks": []},
        {"networks": ["10.0.0.0/33"]},
        {"networks": "10.0.0.0/8"},
        {"networks": [167772160]},
        {"trusted_device": False},
        {"second_factor": 0},
        {"second_factor": True},
        {"training": []},
        {"training": "privacy"},
        {"training": [" "]},
        {"hours": {**WORKDAYS, "zone": "Mars/Olympus"}},
        {"hours": {**WORKDAYS, "days": []}},
        {"hours": {**WORKDAYS, "to": "09:00"}},
        {"hours": {**WORKDAYS, "from": 32400}},
        {"hours": {**WORKDAYS, "holidays": ["tomorrow"]}},
        {"hours": {**WORKDAYS, "until": "19:00"}},
    ],
)
def test_what_cannot_be_read_is_closed(wrong):
    assert failed(wrong, Context(address="10.1.0.1")) == (Condition.ERROR,)


@pytest.fixture
def company(company, owner_connection):
    """The company before version 1 of its policy: by deeds of one's own definitions change until then."""
    unpublish(owner_connection)
    return company


@pytest.fixture
def trained():
    """A declared double of whoever keeps training: who has passed which course, by number of the person."""
    passed: dict[int, set[str]] = {}
    training.source(lambda user_id: passed.get(user_id, set()), {"privacy": "个人信息保护"}.get)
    yield passed
    training.source(lambda _user_id: (), str)


def test_training_closes_what_lin_has_not_passed_and_names_the_course(company, trained, in_english):
    apply(company, gate({"training": ["privacy", "export"]}, permissions=["customer.edit"]))
    trained[company.people["tang"]] = {"privacy", "export"}
    trained[company.people["lin"]] = {"export"}
    for name, customer, is_open in (("tang", "haitian", True), ("lin", "qiming", False)):
        actor = company.actor(name)
        with acting(actor):
            assert (
                guard.scope(actor, "customer.edit").filter(pk=company.customer(customer)).exists() is is_open
            )
    with (
        acting(lin(company, "")) as unit,
        pytest.raises(Denied, match=r"no longer counts: “个人信息保护”\.$"),
    ):
        guard.authorize(unit.actor, "customer.edit")
    trained[company.people["lin"]].add("privacy")
    with acting(lin(company, "")) as unit:
        assert guard.may(unit.actor, "customer.edit")


def test_without_anybody_who_keeps_training_nobody_has_any_and_an_error_closes(company):
    asked = {"training": ["privacy"]}
    assert failed(asked) == (Condition.TRAINING,)
    assert closed([Gate(1, "g", "限制", asked)], Context(), MONDAY, lambda: 1 / 0)[1].failed == (
        Condition.ERROR,
    )
    apply(company, gate(asked, permissions=["customer.edit"]))
    with acting(lin(company, "")) as unit:
        assert not guard.may(unit.actor, "customer.edit")
    assert not can_open([read(asked)], MONDAY, trusted_until=None)
    assert can_open([read(asked)], MONDAY, trusted_until=None, passed={"privacy"})


def test_the_sales_roles_own_office_hours_gate_must_not_bind_the_executive(company):
    """Li holds the representatives' permissions by their level's role and views everything by his own."""
    never = {"hours": {**WORKDAYS, "days": ["sun"], "from": "03:00", "to": "03:01"}}
    apply(company, gate(never, roles=["rep", "manager"]))
    for name, sees in (("lin", False), ("wang", False), ("li", True)):
        actor = company.actor(name)
        with acting(actor):
            assert guard.scope(actor, "customer.view").exists() is sees, name
    li = company.actor("li")
    with acting(li):
        assert not guard.may(li, "customer.edit"), "which he holds through the gated roles alone"
        assert guard.scope(li, "customer.view").count() == 5


def gate(conditions=None, key="office", **binds):
    return {"key": key, "name": "办公网", "conditions": conditions or OFFICE, "binds": binds}


def apply(company, *gates, who="he", context=None):
    document = {
        **{k: copy.deepcopy(v) for k, v in POLICY.items() if k != "organisation"},
        "gates": list(gates),
    }
    actor = Actor(company.people[who], who, context or Context())
    with acting(actor):
        return policy_file.apply(actor, document)


def lin(company, address):
    return Actor(company.people["lin"], "林悦", Context(address=address))


def test_a_gate_on_a_permission_closes_it_outside_the_network_alone(company, in_english):
    apply(company, gate(permissions=["customer.edit"]))
    for address, is_open in (("10.1.9.9", True), ("192.0.2.1", False)):
        actor = lin(company, address)
        with acting(actor):
            customer = guard.scope(actor, "customer.view").filter(owner_id=actor.user_id).first()
            assert guard.may(actor, "customer.edit", customer) is is_open
            assert guard.scope(actor, "customer.edit").exists() is is_open
            if not is_open:
                with pytest.raises(Denied, match=r"“办公网” is closed\. You are outside") as refused:
                    guard.get(actor, "customer.edit", customer.pk)
                assert refused.value.event["reason"] == "gate"
                assert refused.value.event["data"]["gate"] == "office"
                assert "10.1" not in str(refused.value)


def test_a_gate_on_restoring_closes_the_bin_of_what_follows_a_record(company, owner_connection):
    """The comparison found it: the row policy of contacts showed 林悦 her bin behind a closed gate."""
    apply(company, gate(permissions=["contact.restore"]))
    contact = company.contact("gao")
    owner_connection.execute("UPDATE crm_contact SET deleted_at = now() WHERE id = %s", [contact])
    for address, expected in (("10.1.9.9", {company.binned["contact"], contact}), ("192.0.2.1", set())):
        with acting(lin(company, address)), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM crm_contact WHERE deleted_at IS NOT NULL")
            assert {row[0] for row in cursor.fetchall()} == expected


def test_a_gate_on_a_role_closes_the_paths_through_it_alone(company):
    apply(company, gate(roles=["rep"]))
    for name, sees in (("lin", False), ("zhou", True)):
        actor = Actor(company.people[name], name, Context(address="192.0.2.1"))
        with acting(actor):
            assert guard.scope(actor, "customer.view").exists() is sees
    with acting(lin(company, "10.1.0.1")) as unit:
        assert guard.scope(unit.actor, "customer.view").exists()


def test_a_gate_on_a_person_leaves_no_identity_and_system_actors_are_behind_none(company):
    apply(company, gate(principals=[{"department": "east"}]))
    with acting(lin(company, "192.0.2.1")):
        assert current_unit().gates.refusal is not None
        assert not guard.may(current_unit().actor, "customer.view")
    with acting(lin(company, "10.1.0.1")) as unit:
        assert unit.gates.refusal is None
        assert guard.may(unit.actor, "customer.view")
    with acting(Actor.operator()) as unit:
        assert unit.gates.closed == ()


def test_a_second_factor_that_alone_is_missing_is_asked_for(company):
    apply(company, gate({"second_factor": 15}, permissions=["customer.create"]))
    with acting(lin(company, "")) as unit, pytest.raises(SecondFactorNeeded):
        guard.authorize(unit.actor, "customer.create")


def test_nobody_locks_themselves_out_nor_loosens_what_binds_them(company, in_english):
    with pytest.raises(Invalid, match="closed to you right now"):
        apply(company, gate(sign_in=True))
    apply(company, gate(principals=[{"user": "he"}]), context=Context(address="10.1.0.1"))
    with pytest.raises(Denied):
        apply(company, gate({"networks": ["0.0.0.0/0"]}, principals=[]), context=Context(address="10.1.0.1"))


def test_what_is_exported_is_what_stands(company):
    written = gate(
        {"hours": {**WORKDAYS, "holidays": ["2027-01-01"]}, "second_factor": 5},
        permissions=["customer.delete"],
        roles=["rep"],
        principals=[{"department": "far", "below": True}, {"user": "zhang"}],
    )
    apply(company, written)
    with acting(Actor.operator()):
        exported = policy_document.export()
    assert exported["gates"] == [written]
    assert apply(company, written).is_empty


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (gate({"networks": ["10.0.0.0/40"]}), "gates[1].conditions.networks"),
        (gate({"hours": {**WORKDAYS, "from": "9 o'clock"}}), "gates[1].conditions.hours.from"),
        (gate(permissions=["customer.fly"]), "gates[1].binds.permissions"),
        (gate(roles=["nobody"]), "gates[1].binds.roles"),
        (gate(principals=[{"user": "nobody"}]), "gates[1].binds.principals[1]"),
        (gate(everything=True), "gates[1].binds"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(company, wrong, place):
    with pytest.raises(Invalid) as refused:
        apply(company, wrong)
    assert list(refused.value.problems) == [place]


def test_the_example_of_the_handbook_is_a_policy_that_stands(company, monkeypatch):
    handbook = (Path(__file__).parents[2] / "docs/administrator.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(gates:.*?)```", handbook, re.DOTALL)
    document = yaml.safe_load(example)
    document = {**document, "format": 1, "roles": [{"key": "finance", "name": "财务", "grants": {}}]}
    monkeypatch.setattr(clock, "now", lambda: MONDAY)
    context = Context(address="10.1.0.1", trusted_device=True, second_factor_at=MONDAY)
    he = Actor(company.people["he"], "何明", context)
    with acting(he):
        policy_file.apply(he, document)
    for moment, is_open in (("2026-11-23T10:00+08:00", True), ("2026-11-23T18:00+08:00", False)):
        monkeypatch.setattr(clock, "now", lambda moment=moment: datetime.fromisoformat(moment))
        with acting(he) as unit:
            assert (unit.gates.refusal is None) is is_open
