"""Signing in and out, passwords, and being one of the demo company's people."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from hufu.core import clock
from hufu.people.models import Device, User
from tests.company import Company
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries

LOGIN = "/accounts/login/"


@pytest.fixture
def with_password(company: Company) -> None:
    """林悦 and the suspended 郑凯 have passwords; 钱多 has none."""
    for name in ("lin", "zheng"):
        user = User.objects.get(username=name)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    cache.clear()


def sign_in(client: Client, login: str, password: str, **extra: str) -> str:
    """Send the form; return "in", or what the page says is wrong."""
    response = client.post(LOGIN, {"login": login, "password": password, **extra})
    if response.status_code == 302:
        return "in"
    found = re.search(r'role="alert".*?<p>(.*?)</p>', response.content.decode(), re.DOTALL)
    return found.group(1) if found else f"nothing ({response.status_code})"


@pytest.mark.parametrize("login", ["lin", "lin@hufu.example", " LIN@hufu.example "])
def test_one_signs_in_with_name_or_mail_and_that_is_an_event(
    with_password: None, visitor: Client, owner_connection: psycopg.Connection, login: str
) -> None:
    assert sign_in(visitor, login, PASSWORD) == "in"
    assert visitor.get("/customers/").status_code == 200
    [event] = entries(owner_connection, "auth.signed_in")
    assert (event.result, event.data) == ("done", {"method": "password"})


def test_every_failure_looks_alike_and_is_an_event_that_stays(
    with_password: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    said = {
        sign_in(visitor, login, password)
        for login, password in (
            ("lin", "wrong-password"),
            ("nobody", "wrong-password"),
            ("zheng", PASSWORD),
            ("qian", "wrong-password"),
            ("nobody@hufu.example", "wrong-password"),
        )
    }
    assert len(said) == 1
    assert "do not match" in said.pop()
    events = entries(owner_connection, "auth.sign_in_failed")
    assert len(events) == 5
    assert {event.result for event in events} == {"failed"}
    assert all("login" in event.personal and not {"login", "password"} & set(event.data) for event in events)
    assert "wrong-password" not in json.dumps([event.personal for event in events])


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("lin", PASSWORD),
        ("lin@hufu.example", PASSWORD),
        ("lin", "wrong-password"),
        ("lin@hufu.example", "wrong-password"),
        ("nobody", "wrong-password"),
        ("nobody@hufu.example", "wrong-password"),
        ("zheng", PASSWORD),
        ("zheng@hufu.example", PASSWORD),
        ("qian", "wrong-password"),
        ("qian@hufu.example", "wrong-password"),
    ],
)
def test_every_attempt_costs_one_hash(
    with_password: None, visitor: Client, monkeypatch: pytest.MonkeyPatch, login: str, password: str
) -> None:
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, *arguments: str) -> str:
        hashed.append(arguments)
        return encode(self, *arguments)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    sign_in(visitor, login, password)
    assert len(hashed) == 1


def test_a_mail_address_of_several_accounts_signs_in_nobody_and_a_name_goes_first(
    with_password: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    change = "UPDATE people_user SET email = %s WHERE username = 'tang'"
    owner_connection.execute(change, ["LIN@hufu.example"])
    assert sign_in(visitor, "lin@hufu.example", PASSWORD) != "in"
    owner_connection.execute(change, ["lin"])
    assert sign_in(visitor, "lin", PASSWORD) == "in"


def test_after_several_failures_one_has_to_wait_even_with_the_right_password(
    with_password: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    for _attempt in range(6):
        sign_in(visitor, "lin", "wrong-password")
    assert "Wait" in sign_in(visitor, "lin", PASSWORD)
    assert entries(owner_connection, "auth.sign_in_failed")[-1].reason == "too_many_failures"


MANY = [("192.0.2." + str(number)) for number in range(1, 9)]


@pytest.mark.parametrize("right", ["lin", "lin@hufu.example"])
def test_failures_at_the_name_and_at_the_mail_address_of_one_account_count_together(
    with_password: None, owner_connection: psycopg.Connection, right: str
) -> None:
    def attempt(login: str, password: str, address: str) -> str:
        return sign_in(Client(headers={"accept-language": "en"}, REMOTE_ADDR=address), login, password)

    for login, address in zip(
        ("lin", "lin", "lin", "lin@hufu.example", "lin@hufu.example"), MANY, strict=False
    ):
        assert "do not match" in attempt(login, "wrong-password", address)
    assert attempt(right, PASSWORD, MANY[6]) != "in"
    assert entries(owner_connection, "auth.sign_in_failed")[-1].reason == "too_many_failures"
    assert attempt("nobody", "wrong-password", MANY[7]) != "in"


def test_what_a_locked_account_says_tells_not_that_there_is_one(
    with_password: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, *more: str) -> str:
        hashed.append(password)
        return encode(self, password, *more)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    said: dict[str, list[tuple[str, int]]] = {}
    for somebody in ("lin", "nobody"):
        cache.clear()
        logins = [somebody] * 6 + [f"{somebody}@hufu.example"] * 6
        for number, login in enumerate(logins):
            hashed.clear()
            client = Client(headers={"accept-language": "en"}, REMOTE_ADDR=f"192.0.2.{number}")
            said.setdefault(somebody, []).append((sign_in(client, login, "wrong-password"), len(hashed)))
    assert said["lin"] == said["nobody"]
    assert [one for _text, one in said["lin"]] == [1] * 5 + [0] + [1] * 5 + [0]


def test_signing_in_leads_back_to_the_page_and_never_to_another_site(
    with_password: None, company: Company, visitor: Client
) -> None:
    page = {"login": "lin", "password": PASSWORD}
    assert visitor.post(LOGIN, {**page, "next": "/customers/?q=a"})["Location"] == "/customers/?q=a"
    other = Client()
    assert other.post(LOGIN, {**page, "next": "https://evil.example/"})["Location"] == "/"


def test_signing_out_is_an_event(visit: Visit, owner_connection: psycopg.Connection) -> None:
    client = visit("lin")
    assert client.get("/accounts/logout/").status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get("/customers/").status_code == 302
    assert len(entries(owner_connection, "auth.signed_out")) == 1


def link_for(name: str) -> str:
    """Return the link with which somebody chooses a password."""
    user = User.objects.get(username=name)
    return reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )


def test_a_link_sets_a_password_once(
    company: Company, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    link = link_for("qian")
    form = visitor.get(link, follow=True)
    assert form.status_code == 200
    address = form.request["PATH_INFO"]
    weak = visitor.post(address, {"password1": "12345678", "password2": "12345678"})
    assert "field-problem" in weak.content.decode()
    done = visitor.post(address, {"password1": PASSWORD, "password2": PASSWORD})
    assert done["Location"] == LOGIN
    [event] = entries(owner_connection, "auth.password_set")
    assert event.data == {"method": "link"}
    again = Client(headers={"accept-language": "en"}).get(link, follow=True)
    assert "no longer works" in again.content.decode()
    assert sign_in(Client(), "qian", PASSWORD) == "in"


def test_a_newer_link_voids_the_older_and_using_it_ends_all_sessions_and_all_trust(
    with_password: None, visit: Visit, company: Company, owner_connection: psycopg.Connection
) -> None:
    feng, lin = visit("feng"), visit("lin")
    Device.objects.update(trusted_until=clock.now() + timedelta(days=1))
    page = f"/people/{company.people['lin']}/"
    assert f'href="{page}link/"' in feng.get(page).content.decode()
    assert "Earlier links of this person stop working" in feng.get(f"{page}link/").content.decode()
    assert "setup-link" not in feng.post(f"{page}link/", {"reason": ""}).content.decode()
    links = []
    for reason in ("电话中核实", "又丢了"):
        answer = feng.post(f"{page}link/", {"reason": reason})
        assert "no-store" in answer["Cache-Control"]
        [link] = re.findall(r'value="https?://[^/]+(/accounts/password/link/[^"]+)"', answer.content.decode())
        links.append(link)
    assert [event.reason for event in entries(owner_connection, "user.reset_started")] == [
        "电话中核实",
        "又丢了",
    ]
    older = Client(headers={"accept-language": "en"}).get(links[0], follow=True)
    assert "no longer works" in older.content.decode()
    assert lin.get("/customers/").status_code == 200, "a link that nobody used ends nothing"
    newer = Client().get(links[1], follow=True)
    assert newer.status_code == 200
    new = "老虎-two-halves-9"
    done = newer.client.post(newer.request["PATH_INFO"], {"password1": new, "password2": new})
    assert done["Location"] == LOGIN
    assert lin.get("/customers/").status_code == 302
    assert not Device.objects.filter(user_id=company.people["lin"], trusted_until__isnull=False).exists()
    assert [event.reason for event in entries(owner_connection, "device.trust_ended")] == ["password_set"]
    assert feng.get(page).status_code == 200


def test_nobody_with_the_old_password_voids_lins_link_and_her_new_one_is_right_at_once(
    with_password: None, company: Company
) -> None:
    link, new = link_for("lin"), "老虎-two-halves-9"
    thief = Client(headers={"accept-language": "en"})
    assert sign_in(thief, "lin", PASSWORD) == "in"
    Device.objects.filter(user_id=company.people["lin"]).update(confirmed_at=clock.now())
    User.objects.filter(username="lin").update(device_confirmed_at=clock.now())
    changed = {"oldpassword": PASSWORD, "password1": "狮子-two-halves-8", "password2": "狮子-two-halves-8"}
    assert thief.post(reverse("account_change_password"), changed).status_code == 302
    for login in ["lin"] * 6 + ["lin@hufu.example"] * 6:
        sign_in(Client(REMOTE_ADDR="192.0.2.1"), login, "wrong-password")
    form = Client(REMOTE_ADDR="192.0.2.2").get(link, follow=True)
    assert (
        form.client.post(form.request["PATH_INFO"], {"password1": new, "password2": new}).status_code == 302
    )
    for login in ("lin", "lin@hufu.example"):
        assert sign_in(Client(REMOTE_ADDR="192.0.2.3"), login, new) == "in"
    again = Client(headers={"accept-language": "en"}).get(link, follow=True)
    assert "no longer works" in again.content.decode()
    # Her browsers are told anew, and the first one vouches for itself again.
    assert not Device.objects.filter(user_id=company.people["lin"], confirmed_at__isnull=False).exists()
    assert User.objects.get(username="lin").device_confirmed_at is None


def test_nobody_makes_a_link_for_themselves_or_for_an_administrator_of_another_kind(
    visit: Visit, company: Company, owner_connection: psycopg.Connection
) -> None:
    feng = visit("feng")
    assert feng.post(f"/people/{company.people['feng']}/link/", {"reason": "x"}).status_code == 403
    for name in ("he", "wu"):
        refused = feng.post(f"/people/{company.people[name]}/link/", {"reason": "x"}).content.decode()
        assert "The operator does this on the server." in refused
        assert "setup-link" not in refused
    assert visit("he").post(f"/people/{company.people['lin']}/link/", {"reason": "x"}).status_code == 403
    assert set(User.objects.values_list("link_number", flat=True)) == {0}
    assert entries(owner_connection, "user.invited") == []


def test_changing_the_password_keeps_the_session_and_ends_the_others(
    with_password: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    elsewhere = Client()
    assert sign_in(visitor, "lin", PASSWORD) == sign_in(elsewhere, "lin", PASSWORD) == "in"
    new = "老虎-two-halves-8"
    wrong = {"oldpassword": "not it", "password1": new, "password2": new}
    assert "not your current password" in visitor.post("/accounts/password/change/", wrong).content.decode()
    response = visitor.post("/accounts/password/change/", {**wrong, "oldpassword": PASSWORD})
    assert response.status_code == 302
    assert visitor.get("/customers/").status_code == 200
    assert elsewhere.get("/customers/").status_code == 302
    assert [event.data["method"] for event in entries(owner_connection, "auth.password_set")] == ["changed"]


def test_whoever_has_no_password_is_told_how_to_get_one(visit: Visit) -> None:
    response = visit("qian").get("/accounts/password/change/", follow=True)
    assert response.status_code == 200
    assert "no password to change" in response.content.decode()


@pytest.mark.parametrize("path", ["signup/", "email/", "password/reset/", "social/login/error/", "inactive/"])
def test_what_nobody_needs_does_not_exist(visitor: Client, company: Company, path: str) -> None:
    assert visitor.get(f"/accounts/{path}").status_code == 404


@pytest.fixture
def demo(company: Company, settings: LazySettings, tmp_path: Path) -> None:
    """Demo mode, with 林悦 and the suspended 郑凯 on the list."""
    settings.HUFU_DEMO = True
    settings.HUFU_VAR = tmp_path
    people = [
        {"username": name, "name": name, "title": "t", "title_en": "t", "can": "能", "can_en": "can"}
        for name in ("lin", "zheng")
    ]
    (tmp_path / "demo-people.json").write_text(json.dumps(people), encoding="utf-8")


def be(
    client: Client, name: str, *, host: str = "localhost:8000", address: str = "127.0.0.1", **more: str
) -> int:
    """Click on one of the demo people."""
    response = client.post("/accounts/demo/", {"username": name}, HTTP_HOST=host, REMOTE_ADDR=address, **more)
    return response.status_code


def test_in_demo_mode_one_click_signs_in(
    demo: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    page = visitor.get(LOGIN, HTTP_HOST="localhost:8000").content.decode()
    assert 'value="lin"' in page
    assert be(visitor, "lin") == 302
    assert visitor.get("/customers/").status_code == 200
    assert entries(owner_connection, "auth.signed_in")[0].data == {"method": "demo"}


@pytest.mark.parametrize(
    ("host", "address", "more"),
    [
        ("localhost:8000", "192.0.2.7", {}),
        ("crm.example.com", "127.0.0.1", {}),
        ("localhost.example.com", "127.0.0.1", {}),
        ("localhost:8000", "127.0.0.1", {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_VIA": "1.1 proxy"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_CF_CONNECTING_IP": "192.0.2.7"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_TRUE_CLIENT_IP": "192.0.2.7"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_X_FORWARDED_PROTO": "https"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_X_FORWARDED_SERVER": "proxy"}),
        ("localhost:8000", "127.0.0.1", {"HTTP_X_FORWARDED_PORT": "443"}),
        ("localhost:8000", "", {}),
    ],
)
def test_demo_mode_answers_this_machine_alone(
    demo: None, settings: LazySettings, visitor: Client, host: str, address: str, more: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = visitor.get(LOGIN, HTTP_HOST=host, REMOTE_ADDR=address, **more).content.decode()
    assert 'value="lin"' not in page
    assert be(visitor, "lin", host=host, address=address, **more) == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "localhost", "[::1]"])
def test_demo_mode_knows_the_names_of_this_machine(demo: None, visitor: Client, host: str) -> None:
    assert be(visitor, "lin", host=host, address="::1") == 302


@pytest.mark.parametrize("name", ["wang", "zheng", "nobody", ""])
def test_demo_mode_signs_in_nobody_who_is_not_offered_or_not_active(
    demo: None, visitor: Client, name: str
) -> None:
    assert be(visitor, name) == 404


def test_without_demo_mode_there_is_no_such_door(visitor: Client, company: Company) -> None:
    assert be(visitor, "lin") == 404


def test_the_demo_door_asks_for_the_token_of_the_form(demo: None) -> None:
    assert be(Client(enforce_csrf_checks=True), "lin") == 403
