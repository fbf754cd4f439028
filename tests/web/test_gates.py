"""A closed gate on signing in: told to whoever knows the password, at every request, in words that help."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.test import Client

from hufu.access import gates, policy_document, policy_file
from hufu.core import clock
from hufu.core.actor import Actor, Context
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User
from tests.company import CUSTOMERS, Company, unpublish
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries
from tests.web.test_second_factor import enrol, enter

OFFICE = "10.1.0.7"
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def company(company: Company, owner_connection: psycopg.Connection) -> Company:
    """The company before version 1 of its policy: by deeds of one's own definitions change until then."""
    unpublish(owner_connection)
    return company


def stand(company: Company, conditions: dict[str, Any], binds: dict[str, Any]) -> None:
    """Publish the gate “office” with these conditions, which 何明 meets in the office."""
    gate = {"key": "office", "name": "办公网", "conditions": conditions, "binds": binds}
    he = Actor(company.people["he"], "何明", Context(address=OFFICE, second_factor_at=clock.true_time()))
    with acting(he):
        policy_file.apply(he, {"format": 1, "gates": [gate]})


@pytest.fixture
def lin(company: Company) -> None:
    """林悦 has a password; nobody failed before."""
    user = User.objects.get(username="lin")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    cache.clear()


@pytest.fixture
def gate_on_everybody(company: Company, lin: None) -> None:
    """Nobody signs in from outside the office."""
    stand(company, {"networks": ["10.1.0.0/16"]}, {"sign_in": True})


def gates_see(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let it be this moment for gates alone; sessions go by the true time."""
    monkeypatch.setattr(gates, "clock", SimpleNamespace(now=lambda: moment))


def test_a_session_is_asked_at_every_request_and_can_always_end(
    gate_on_everybody: None, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("lin")
    assert client.get("/customers/", REMOTE_ADDR=OFFICE).status_code == 200
    answer = client.get("/customers/", REMOTE_ADDR=ELSEWHERE)
    said = answer.content.decode()
    assert answer.status_code == 403
    assert "You are outside the networks" in said
    assert "ask your security administrator" in said
    assert "10.1" not in said
    [event] = entries(owner_connection, "access.refused")
    assert (event.reason, event.data["gate"]) == ("gate", "office")
    assert client.get("/customers/", REMOTE_ADDR=OFFICE).status_code == 200
    assert client.post("/accounts/logout/", REMOTE_ADDR=ELSEWHERE).status_code == 302


def test_only_the_right_password_learns_of_the_gate(gate_on_everybody: None, visitor: Client) -> None:
    def sign_in(password: str, address: str) -> Any:
        return visitor.post("/accounts/login/", {"login": "lin", "password": password}, REMOTE_ADDR=address)

    wrong = sign_in("wrong-password", ELSEWHERE)
    assert "do not match" in wrong.content.decode()
    assert "outside the networks" not in wrong.content.decode()
    right = sign_in(PASSWORD, ELSEWHERE)
    assert right.status_code == 403
    assert "outside the networks" in right.content.decode()
    assert visitor.get("/customers/", REMOTE_ADDR=ELSEWHERE).status_code == 302, "nobody is signed in"
    assert sign_in(PASSWORD, OFFICE).status_code == 302


def test_who_comes_too_late_is_told_when_it_opens_and_a_session_ends_with_the_hours(
    company: Company, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = {"zone": "Asia/Shanghai", "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00"}
    stand(company, {"hours": {**hours, "to": "18:00"}}, {"principals": [{"user": "lin"}]})
    client = visit("lin")

    def at(moment: str) -> Any:
        gates_see(monkeypatch, datetime.fromisoformat(moment))
        return client.get("/customers/")

    assert at("2026-11-27T17:59+08:00").status_code == 200
    late = at("2026-11-27T18:00+08:00")
    said = late.content.decode()
    assert late.status_code == 403
    assert "It is outside the hours in which it is open." in said
    assert "It opens again: 30 November 2026, 09:00 (Asia/Shanghai)." in said
    assert at("2026-11-30T09:00+08:00").status_code == 200


def test_where_signing_in_asks_for_a_second_factor_one_is_set_up_and_then_proven_in_place(
    company: Company, lin: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand(company, {"second_factor": 30}, {"principals": [{"user": "lin"}]})
    client = enter("lin")
    assert client.get("/customers/")["Location"] == "/accounts/security/"
    enrol(client)
    assert client.get("/customers/").status_code == 200
    gates_see(monkeypatch, clock.true_time() + timedelta(minutes=31))
    asked = client.get("/customers/")
    assert asked.status_code == 403
    assert 'name="step_up-code"' in asked.content.decode()


def test_outside_the_office_personal_fields_are_as_if_they_were_not_there(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    """林悦 owns 上海启明: elsewhere its phone is neither shown nor written nor found by, and all else stays."""
    stand(company, {"networks": ["10.1.0.0/16"]}, {"sensitivities": ["personal"]})
    page = f"/customers/{company.customer('qiming')}/"
    client = visit("lin")

    def shown(path: str, address: str) -> str:
        answer = client.get(path, REMOTE_ADDR=address)
        assert answer.status_code == 200
        return answer.content.decode()

    national = "".join(filter(str.isdigit, CUSTOMERS["qiming"][3]))[-11:]
    here = shown(page, OFFICE)
    assert national in "".join(filter(str.isdigit, here))
    there = shown(page, ELSEWHERE)
    assert national[-4:] not in there
    assert CUSTOMERS["qiming"][0] in there
    assert 'name="phone"' in shown(f"{page}edit", OFFICE)
    assert 'name="phone"' not in shown(f"{page}edit", ELSEWHERE)
    assert CUSTOMERS["qiming"][0] in shown(f"/customers/?q={national}", OFFICE)
    assert CUSTOMERS["qiming"][0] not in shown(f"/customers/?q={national}", ELSEWHERE)
    lin = Actor(company.people["lin"], "林悦", Context(address=ELSEWHERE))
    with pytest.raises(Denied), acting(lin):
        crm.edit_record(lin, CUSTOMER, company.customer("qiming"), {"phone": "13800001111"}, version=1)
    with acting(lin):
        exported = policy_document.export()
    assert exported["gates"][0]["binds"] == {"sensitivities": ["personal"]}


def test_a_limit_binds_no_field_that_everybody_may_read_who_views_the_record(company: Company) -> None:
    with pytest.raises(Invalid, match="personal, confidential"):
        stand(company, {"networks": ["10.1.0.0/16"]}, {"sensitivities": ["internal"]})


def test_a_quota_warns_on_the_page_and_then_closes_it_in_words(company: Company, visit: Visit) -> None:
    quota = {"key": "views", "name": "查看客户", "counts": "customer.view", "per_day": 2, "warn_at": 50}
    he = company.actor("he")
    with acting(he):
        policy_file.apply(he, {"format": 1, "quotas": [quota]})
    lin = visit("lin")
    opened = lin.get(f"/customers/{company.customer('qiming')}/")
    assert "You have used 1 of 2 a day of the quota “查看客户”" in opened.content.decode()
    lin.get(f"/customers/{company.customer('yunhe')}/")
    for path in ("/customers/", f"/customers/{company.customer('haitian')}/"):
        refused = lin.get(path)
        assert refused.status_code == 403, path
        assert "The quota “查看客户” is used up: 2 a day. It opens again:" in refused.content.decode()
