"""A closed gate on signing in: told to whoever knows the password, at every request, in words that help."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.test import Client

from hufu.access import policy_file
from hufu.core.actor import Actor, Context
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.company import Company
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries

OFFICE = "10.1.0.7"
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def gate_on_everybody(company: Company) -> None:
    """Nobody signs in from outside the office."""
    gate: dict[str, Any] = {
        "key": "office",
        "name": "办公网",
        "conditions": {"networks": ["10.1.0.0/16"]},
        "binds": {"sign_in": True},
    }
    he = Actor(company.people["he"], "何明", Context(address=OFFICE))
    with acting(he):
        policy_file.apply(he, {"format": 1, "gates": [gate]})
    user = User.objects.get(username="lin")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    cache.clear()


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
