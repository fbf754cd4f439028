"""Open sign-ins: their register, their limits, their end by oneself, by an administrator and by suspension."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.models import Session as StoredSession
from django.core.cache import cache
from django.test import Client

from hufu.people.models import Session, User
from tests.company import Company
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries
from tests.web.test_records import text

SIGN_IN = "/accounts/login/"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
Aged = Callable[..., None]


def is_in(client: Client) -> bool:
    """Say whether the next click is answered, or leads to the page of signing in."""
    response = client.get("/customers/")
    assert response.status_code == 200 or response["Location"].startswith(SIGN_IN)
    return response.status_code == 200


@pytest.fixture
def aged(owner_connection: psycopg.Connection) -> Aged:
    """Return a function that makes all sessions older, or longer idle, by so many minutes."""

    def age(*, old: int = 0, idle: int = 0) -> None:
        owner_connection.execute(
            "UPDATE people_session SET signed_in_at = signed_in_at - make_interval(mins => %s),"
            " last_seen_at = last_seen_at - make_interval(mins => %s)",
            [old, idle],
        )

    return age


def suspend(client: Client, company: Company, name: str, reason: str = "电脑失窃"):
    return client.post(f"/people/{company.people[name]}/suspend/", {"reason": reason})


def test_suspended_in_one_window_the_next_click_in_every_other_is_refused(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    feng, desk, phone = visit("feng"), visit("lin"), visit("lin")
    assert is_in(desk)
    assert is_in(phone)
    assert "2 open sessions end" in text(feng, f"/people/{company.people['lin']}/suspend/")
    assert suspend(feng, company, "lin").status_code == 302
    assert Session.objects.filter(user_id=company.people["lin"]).count() == 0
    assert StoredSession.objects.count() == 1
    assert not is_in(desk)
    assert not is_in(phone)
    [event] = entries(owner_connection, "user.suspended")
    assert (event.reason, event.data, event.target) == (
        "电脑失窃",
        {"sessions": 2},
        ("user", company.people["lin"]),
    )


def test_an_account_that_opens_again_leaves_its_old_sessions_dead(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    feng, lin = visit("feng"), visit("lin")
    suspend(feng, company, "lin")
    page = f"/people/{company.people['lin']}/"
    assert "Open again" in text(feng, page)
    assert feng.post(f"{page}reactivate/", {"reason": "找到了"}).status_code == 302
    assert not is_in(lin)
    assert is_in(visit("lin"))
    assert [event.reason for event in entries(owner_connection, "user.reactivated")] == ["找到了"]


def test_whoever_closes_an_account_in_the_database_ends_its_sessions_too(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    lin = visit("lin")
    for status in ("left", "active"):
        owner_connection.execute(
            "UPDATE people_user SET status = %s WHERE id = %s", [status, company.people["lin"]]
        )
    assert not is_in(lin)


def test_nobody_suspends_themselves_or_without_a_reason_or_the_last_who_manages_people(
    company: Company, visit: Visit
) -> None:
    feng = visit("feng")
    assert suspend(feng, company, "feng").status_code == 403
    assert "Suspend" not in text(feng, f"/people/{company.people['feng']}/")
    assert suspend(feng, company, "lin", reason=" ").status_code == 200
    assert suspend(visit("he"), company, "lin").status_code == 403
    answer = suspend(feng, company, "he")
    assert answer.status_code == 200
    assert "Nobody but" in answer.content.decode()
    assert suspend(feng, company, "zheng").status_code == 200
    assert "is not active" in suspend(feng, company, "zheng").content.decode()
    assert is_in(visit("lin"))


def test_ones_sessions_say_device_address_and_which_one_this_is(company: Company, visit: Visit) -> None:
    lin = visit("lin")
    visit("wang")
    Session.objects.filter(user_id=company.people["lin"]).update(agent=CHROME)
    lin.get("/", REMOTE_ADDR="192.0.2.7")
    page = text(lin, "/accounts/sessions/")
    assert "Chrome on Windows" in page
    assert page.count("this session") == 1
    assert len(re.findall(r"/accounts/sessions/\d+/end/", page)) == 1
    assert "60 minutes" in page


def test_one_ends_one_session_of_ones_own_and_never_a_colleagues(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    lin, other, wang = visit("lin"), visit("lin"), visit("wang")
    numbers = {
        name: Session.objects.filter(user_id=company.people[name]).latest("pk").pk for name in ("lin", "wang")
    }
    assert lin.post(f"/accounts/sessions/{numbers['wang']}/end/").status_code == 404
    assert is_in(wang)
    assert lin.post(f"/accounts/sessions/{numbers['lin']}/end/").status_code == 302
    assert not is_in(other)
    assert is_in(lin)
    [event] = entries(owner_connection, "auth.session_ended")
    assert (event.reason, event.data) == ("by_themselves", {"count": 1})


def test_one_ends_all_others_and_stays(company: Company, visit: Visit) -> None:
    lin, others, wang = visit("lin"), [visit("lin"), visit("lin")], visit("wang")
    assert "2 sessions have ended" in lin.post("/accounts/sessions/end-others/", follow=True).content.decode()
    assert [is_in(client) for client in (lin, *others, wang)] == [True, False, False, True]


def test_an_administrator_of_people_ends_the_sessions_of_others(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    feng, he, lin, other = visit("feng"), visit("he"), visit("lin"), visit("lin")
    page = f"/people/{company.people['lin']}/"
    assert "sessions-title" in text(feng, page)
    assert "sessions-title" not in text(he, page)
    number = Session.objects.filter(user_id=company.people["lin"]).latest("pk").pk
    assert he.post(f"{page}sessions/{number}/end/").status_code == 403
    assert is_in(other)
    # A session belongs to the page of its person alone.
    assert feng.post(f"/people/{company.people['wang']}/sessions/{number}/end/").status_code == 404
    assert feng.post(f"{page}sessions/{number}/end/").status_code == 302
    assert [is_in(lin), is_in(other)] == [True, False]
    assert feng.post(f"{page}sessions/end/").status_code == 302
    assert not is_in(lin)
    assert [event.reason for event in entries(owner_connection, "auth.session_ended")] == [
        "by_administrator"
    ] * 2


@pytest.mark.parametrize(("limit", "spent"), [("idle", {"idle": 61}), ("too_old", {"old": 12 * 60 + 1})])
def test_a_session_past_its_limit_leads_to_signing_in_and_back(
    visit: Visit, aged: Aged, owner_connection: psycopg.Connection, limit: str, spent: dict[str, int]
) -> None:
    lin = visit("lin")
    aged(**{name: minutes - 2 for name, minutes in spent.items()})
    assert is_in(lin)
    aged(**spent)
    answer = lin.get("/customers/?q=a")
    assert answer["Location"] == f"{SIGN_IN}?next=%2Fcustomers%2F%3Fq%3Da"
    assert "reached its limit" in lin.get(answer["Location"]).content.decode()
    [event] = entries(owner_connection, "auth.session_ended")
    assert event.reason == limit
    assert Session.objects.count() == 0


def test_a_part_of_a_page_leads_back_to_the_page(visit: Visit, aged: Aged) -> None:
    lin = visit("lin")
    aged(idle=61)
    answer = lin.get(
        "/customers/?part=1",
        headers={"HX-Request": "true", "HX-Current-URL": "https://crm.example.com/customers/?q=b"},
    )
    assert answer["HX-Redirect"] == f"{SIGN_IN}?next=%2Fcustomers%2F%3Fq%3Db"


def test_last_seen_is_written_at_most_once_a_minute(visit: Visit, aged: Aged) -> None:
    lin = visit("lin")
    lin.get("/")
    first = Session.objects.get().last_seen_at
    lin.get("/")
    assert Session.objects.get().last_seen_at == first
    aged(idle=2)
    lin.get("/")
    assert Session.objects.get().last_seen_at > first


def test_a_session_that_no_register_knows_is_over(visit: Visit, owner_connection: psycopg.Connection) -> None:
    lin = visit("lin")
    owner_connection.execute("DELETE FROM people_session")
    assert not is_in(lin)


@pytest.fixture
def with_password(company: Company) -> None:
    """林悦 has a password; nobody failed before."""
    user = User.objects.get(username="lin")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    cache.clear()


def sign_in(client: Client, **more: str) -> int:
    form = {"login": "lin", "password": PASSWORD, **more}
    return client.post(SIGN_IN, form).status_code


def test_a_session_that_somebody_planted_before_is_not_the_one_that_signing_in_opens(
    with_password: None, visitor: Client
) -> None:
    planted = visitor.session
    planted["x"] = 1
    planted.save()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    assert sign_in(visitor) == 302
    assert visitor.cookies[settings.SESSION_COOKIE_NAME].value != planted.session_key
    assert is_in(visitor)
    attacker = Client()
    attacker.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key
    assert not is_in(attacker)
    assert Session.objects.get().key == visitor.cookies[settings.SESSION_COOKIE_NAME].value


def test_no_script_reads_the_cookies_and_no_other_site_sends_them(
    with_password: None, visitor: Client
) -> None:
    visitor.get(SIGN_IN)
    assert sign_in(visitor) == 302
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        cookie = visitor.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", ""), name


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("https://crm.example.com", "True True __Host-hufu __Host-hufu-csrf"),
        ("http://localhost:8000", "False False hufu hufu-csrf"),
    ],
)
def test_where_people_come_by_https_the_cookies_travel_by_it_alone(origin: str, said: str) -> None:
    program = (
        "from hufu.config import settings as s;"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HUFU_ORIGIN": origin},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == said


@pytest.mark.parametrize("name", ["HUFU_SESSION_IDLE_MINUTES", "HUFU_SESSION_HOURS"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "100000", "never", "١"])
def test_a_limit_that_is_none_lets_nothing_start(name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import hufu.config.settings"],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    sentence = done.stderr.splitlines()[-1]
    assert "Unavailable" in sentence
    assert f"{name} " in sentence
    assert f"“{value}”" in sentence


def test_a_form_without_its_token_ends_no_session(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    lin, feng = visit("lin"), visit("feng")
    for client, path in (
        (lin, "/accounts/sessions/end-others/"),
        (feng, f"/people/{company.people['lin']}/sessions/end/"),
        (feng, f"/people/{company.people['lin']}/suspend/"),
    ):
        strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
        strict.cookies = client.cookies
        assert strict.post(path, {"reason": "x"}).status_code == 403, path
    assert is_in(lin)
    assert entries(owner_connection, "user.suspended") == []


def test_no_page_is_shown_in_a_frame(visit: Visit, visitor: Client) -> None:
    for client, path in ((visit("lin"), "/accounts/sessions/"), (visitor, SIGN_IN)):
        answer = client.get(path)
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_whoever_leaves_leaves_no_session_behind(visit: Visit) -> None:
    lin = visit("lin")
    lin.post("/accounts/logout/")
    assert (Session.objects.count(), StoredSession.objects.count()) == (0, 0)
