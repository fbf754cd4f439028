"""Signing in at the terminal: the same limits, second factors, gates and events as on the page."""

from __future__ import annotations

import psycopg
import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from hufu.core.actor import Actor
from hufu.core.errors import GateClosed, Invalid
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.people.terminal import Answers, sign_in
from hufu.staffing.actions import suspension
from tests.company import Company, publish
from tests.web.conftest import PASSWORD
from tests.web.log import entries
from tests.web.test_second_factor import code, enrol


@pytest.fixture(autouse=True)
def fresh(company: Company, in_english: None) -> None:
    """林悦, the security administrator and the suspended 郑凯 have passwords; nobody failed before."""
    for name in ("lin", "he", "zheng"):
        user = User.objects.get(username=name)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    cache.clear()


def at_the_terminal(name: str, password: str = PASSWORD, second: str = "") -> Actor:
    """Sign in, typing these answers."""
    return sign_in(name, Answers(lambda: password, lambda: second))


def test_lin_signs_in_by_name_or_mail_and_the_log_says_it_was_the_command_line(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    for name in ("lin", "lin@hufu.example"):
        actor = at_the_terminal(name)
        assert (actor.user_id, actor.context.channel) == (company.people["lin"], "cli")
    assert [event.data for event in entries(owner_connection, "auth.signed_in")] == [
        {"method": "password"},
        {"method": "password"},
    ]
    rows = owner_connection.execute("SELECT body FROM audit_event WHERE type = 'auth.signed_in'").fetchall()
    assert all(b'"channel":"cli"' in bytes(row[0]) for row in rows)


def test_failures_look_alike_are_recorded_and_count_with_those_of_the_page(
    company: Company, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    said = set()
    for name in ("lin", "zheng", "nobody"):
        with pytest.raises(Invalid) as refused:
            at_the_terminal(name, "wrong" if name == "lin" else PASSWORD)
        said.add(str(refused.value))
    assert len(said) == 1
    for _ in range(4):
        visitor.post("/accounts/login/", {"login": "lin", "password": "wrong"})
    with pytest.raises(Invalid):
        at_the_terminal("lin")
    failed = entries(owner_connection, "auth.sign_in_failed")
    assert [event.reason for event in failed] == ["wrong_credentials"] * 7 + ["too_many_failures"]


def test_whoever_has_a_second_factor_proves_it_and_a_code_opens_once(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    client = Client(headers={"accept-language": "en"})
    assert client.post("/accounts/login/", {"login": "lin", "password": PASSWORD}).status_code == 302
    secret, codes = enrol(client)
    with pytest.raises(Invalid, match="not right"):
        at_the_terminal("lin", second="000000")
    actor = at_the_terminal("lin", second=code(secret, ahead=1))
    assert actor.context.second_factor_at is not None
    with pytest.raises(Invalid, match="not right"):
        at_the_terminal("lin", second=code(secret, ahead=1))
    assert at_the_terminal("lin", second=codes[0]).user_id == company.people["lin"]
    assert len(entries(owner_connection, "auth.second_factor_failed")) == 2
    assert [event.data["step"] for event in entries(owner_connection, "auth.recovery_used")] == ["sign_in"]


def test_an_administrator_without_the_second_factor_that_is_required_gets_nowhere(
    company: Company, settings: LazySettings
) -> None:
    settings.HUFU_SECOND_FACTOR = settings.SECOND_FACTOR_REQUIRED
    with pytest.raises(Invalid, match="Set one up on the site first"):
        at_the_terminal("he")
    assert at_the_terminal("lin").user_id == company.people["lin"]


def test_nobody_without_a_password_signs_in_and_nobody_who_was_closed_meanwhile(company: Company) -> None:
    with pytest.raises(Invalid):
        at_the_terminal("qian", "")
    with pytest.raises(Invalid):
        # The way of the demo is no way past a password.
        sign_in("lin", Answers(None, lambda: ""))
    client = Client(headers={"accept-language": "en"})
    assert client.post("/accounts/login/", {"login": "lin", "password": PASSWORD}).status_code == 302
    secret, _codes = enrol(client)

    def suspended_meanwhile() -> str:
        feng = company.actor("feng")
        with acting(feng):
            suspension.suspend(feng, User.objects.get(username="lin"), reason="离岗")
        return code(secret, ahead=1)

    with pytest.raises(Invalid):
        sign_in("lin", Answers(lambda: PASSWORD, suspended_meanwhile))


def test_an_access_limit_by_network_keeps_people_out_at_the_terminal(company: Company) -> None:
    # Published by whoever sits in the office: at the terminal no network is known.
    gate = {"key": "office", "name": "公司网络", "conditions": {"networks": ["10.0.0.0/8"]}}
    assert (
        publish(company, {"format": 1, "gates": [{**gate, "binds": {"principals": [{"user": "lin"}]}}]}) == 2
    )
    with pytest.raises(GateClosed):
        at_the_terminal("lin")
    assert at_the_terminal("he").user_id == company.people["he"]
