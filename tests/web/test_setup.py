"""Setting a company up in the browser: only with the code of the terminal, only once, and all of it in the log."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import connections
from django.test import Client

from hufu.access import company
from hufu.access.models import Assignment, Mode, Role
from hufu.core.actor import Actor
from hufu.core.errors import Unavailable
from hufu.core.setup_code import LIMIT
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.staffing import administrators
from hufu.staffing.actions import Person
from tests.web.conftest import PASSWORD
from tests.web.log import entries
from tests.web.setup import AN, HE, WEI, enter, opened, setup_code, visitor

PAGES = ("/setup/", "/setup/company/", "/setup/people/")


@pytest.fixture
def code(committed: str) -> Iterator[str]:
    """The code that `hufu serve` printed."""
    yield setup_code().issue()
    setup_code().withdraw()


def links(page: str) -> list[str]:
    return re.findall(r'value="(http[^"]+/accounts/password/[^"]+)"', page)


def users() -> set[str]:
    with acting(Actor.operator()):
        return set(User.objects.values_list("username", flat=True))


def told(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_opening_the_site_leads_to_the_set_up_page(code: str) -> None:
    client = visitor()
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/setup/"
    assert "Welcome to Hufu CRM" in told(client.get("/setup/"))
    assert "欢迎使用虎符 CRM" in told(client.get("/setup/", headers={"accept-language": "zh-CN"}))


def test_the_company_is_set_up_in_standard_mode_and_its_people_choose_their_passwords(
    code: str, owner_connection: psycopg.Connection
) -> None:
    client = opened(code)
    done = client.post("/setup/people/", {**WEI, **HE})
    assert done.status_code == 200
    assert "no-store" in done["Cache-Control"]
    wei, he = links(told(done))
    with acting(Actor.operator()):
        found = company.current()
        assert found is not None
        assert (found.name, found.mode) == ("虎啸集团", "standard")
        assert sorted(Assignment.objects.values_list("user__username", "role__administrator")) == [
            ("he", "audit"),
            ("wei", "security"),
            ("wei", "system"),
        ]
        assert not any(user.has_usable_password() for user in User.objects.all())
    # The link works once.
    page = client.get(wei.removeprefix("http://localhost:8000"), follow=True)
    chosen = {"password1": PASSWORD, "password2": PASSWORD}
    assert client.post(page.redirect_chain[-1][0], chosen).status_code == 302
    assert "no longer works" in told(client.get(wei.removeprefix("http://localhost:8000"), follow=True))
    assert client.post("/accounts/login/", {"login": "wei", "password": PASSWORD})["Location"] == "/"
    assert "does not conform to MLPS" in told(client.get("/roles/"))
    # And it is all in the log, by the actor of the set-up page, from this visitor's address.
    [event] = entries(owner_connection, "company.set_up")
    assert event.data == {"name": "虎啸集团", "mode": "standard"}
    assert len(entries(owner_connection, "role.assigned")) == 3
    assert len(entries(owner_connection, "user.invited")) == 2
    assert len(entries(owner_connection, "setup.opened")) == 1
    he_client = visitor()
    he_page = he_client.get(he.removeprefix("http://localhost:8000"), follow=True)
    he_client.post(he_page.redirect_chain[-1][0], chosen)
    he_client.post("/accounts/login/", {"login": "he", "password": PASSWORD})
    log = told(he_client.get("/log/?type=company.set_up"))
    assert "Set-up page" in log
    assert setup_code().fingerprint() is None


def test_three_administrators_are_three_people_and_the_page_says_what_is_missing(code: str) -> None:
    client = opened(code, mode="three")
    missing = client.post("/setup/people/", {**WEI, **HE})
    assert told(missing).count("This field is required.") == 2
    same = {"security_name": "卫东", "security_username": "Wei"}
    assert "needs three different people" in told(client.post("/setup/people/", {**WEI, **same, **HE}))
    mail = {**AN, "security_email": "WEI@example.com"}
    assert "is given to two people" in told(client.post("/setup/people/", {**WEI, **mail, **HE}))
    assert users() == set()
    done = client.post("/setup/people/", {**WEI, **AN, **HE})
    assert len(links(told(done))) == 3
    assert users() == {"wei", "an", "he"}
    with acting(Actor.operator()):
        assert company.mode() is Mode.THREE


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"audit_username": "wei", "audit_name": "卫东"}, "must be somebody else"),
        ({"audit_username": "wei", "audit_name": "何青"}, "must be somebody else"),
        ({"security_name": "安宁"}, "This field is required."),
        ({"security_username": "wei", "security_name": "安宁"}, "is given to two people"),
        ({"system_username": "wei dong"}, "letters, digits and @ . + - _, without spaces"),
        ({"system_email": "no-mail"}, "This is not a mail address."),
        ({"system_name": "\u200e\u200e"}, "none that can be seen"),
        ({"system_name": "x" * 121}, "at most 120"),
        ({"audit_name": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_made(
    code: str, wrong: dict[str, str], said: str
) -> None:
    client = opened(code)
    answer = client.post("/setup/people/", {**WEI, **HE, **wrong})
    assert answer.status_code == 200
    assert said in told(answer)
    assert 'role="alert"' in told(answer)
    assert users() == set()
    assert client.post("/setup/people/", {**WEI, **HE}).status_code == 200
    assert users() == {"wei", "he"}


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f"  {code.replace('-', ' ')} ", lambda code: _wide(code)]
)
def test_the_code_is_taken_however_it_is_typed(code: str, typed: Callable[[str], str]) -> None:
    assert enter(visitor(), typed(code)).status_code == 302


def _wide(code: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in code)


def test_without_the_code_nothing_can_be_done(code: str) -> None:
    stranger = visitor()
    for typed in ("AAAA-BBBB-CCCC-DDDD-EEEE", code[:-1], code + "A", "虎符", "-"):
        answer = enter(stranger, typed)
        assert (answer.status_code, "This is not the code" in told(answer)) == (200, True)
    for page in PAGES[1:]:
        assert stranger.get(page)["Location"] == "/setup/"
        assert stranger.post(page, {**WEI, **HE})["Location"] == "/setup/"
    assert users() == set()


def test_a_wrong_code_is_in_the_log_and_what_was_typed_is_not(
    code: str, owner_connection: psycopg.Connection
) -> None:
    enter(visitor(), "SECRETS-OF-SOMEBODY")
    [event] = entries(owner_connection, "setup.refused")
    assert (event.result, event.data) == ("failed", {})
    bodies = owner_connection.execute("SELECT body FROM audit_event").fetchall()
    assert not any(b"SECRETS" in bytes(body).upper() for (body,) in bodies)


def test_after_ten_wrong_attempts_the_code_is_void_for_everybody(code: str) -> None:
    for _attempt in range(LIMIT - 1):
        assert "This is not the code" in told(enter(visitor(), "wrong"))
    assert "There is no valid code" in told(enter(visitor(), "wrong"))
    assert "There is no valid code" in told(enter(visitor(), code))
    assert users() == set()
    fresh = setup_code().issue()
    assert enter(visitor(), code).status_code == 200
    assert enter(visitor(), fresh).status_code == 302


def test_the_right_code_lets_earlier_mistakes_be_forgotten(code: str) -> None:
    for _round in range(3):
        for _attempt in range(LIMIT - 2):
            enter(visitor(), "wrong")
        assert enter(visitor(), code).status_code == 302


def test_a_session_that_was_opened_with_an_earlier_code_is_closed(code: str) -> None:
    client = opened(code)
    setup_code().issue()
    assert client.post("/setup/people/", {**WEI, **HE})["Location"] == "/setup/"
    assert users() == set()


def test_steps_cannot_be_left_out(code: str) -> None:
    client = visitor()
    enter(client, code)
    assert client.get("/setup/people/")["Location"] == "/setup/company/"
    assert client.get("/setup/")["Location"] == "/setup/company/"
    for wrong in ({"mode": "none"}, {"name": ""}, {"name": "x" * 121}, {"language": "fr"}):
        form = {"language": "en", "name": "虎啸", "mode": "three", **wrong}
        assert client.post("/setup/company/", form).status_code == 200


def test_the_language_that_is_chosen_is_that_of_the_pages_and_of_the_roles(code: str) -> None:
    client = opened(code, language="zh-hans")
    assert "审计管理员" in told(client.get("/setup/people/"))
    client.post("/setup/people/", {**WEI, **HE})
    with acting(Actor.operator()):
        assert "审计管理员" in set(Role.objects.values_list("name", flat=True))


def test_the_session_that_was_there_before_the_code_is_not_the_one_that_is_opened(code: str) -> None:
    client = visitor()
    session = client.session
    session["x"] = 1
    session.save()
    client.cookies["hufu"] = before = session.session_key
    enter(client, code)
    assert client.cookies["hufu"].value != before


def _as_absent(client: Client, method: str, path: str) -> None:
    answers = [client.generic(method, each, "") for each in (path, "/there/is/none/")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    headers = [
        {name: value for name, value in each.headers.items() if name != "X-Request-ID"} for each in answers
    ]
    assert headers[0] == headers[1]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_once_set_up_the_pages_are_as_if_there_were_none_for_everybody(
    code: str, method: str, path: str
) -> None:
    winner, other = opened(code), opened(code)
    assert winner.post("/setup/people/", {**WEI, **HE}).status_code == 200
    # The one who did it, one who had entered the code, a stranger, and a form without its protection.
    for client in (winner, other, visitor(), Client(enforce_csrf_checks=True)):
        client.cookies.pop("hufu-csrf", None)
        _as_absent(client, method, path)
    # A new code opens nothing either.
    fresh = setup_code().issue()
    assert enter(visitor(), fresh).status_code == 404
    assert enter(other, fresh).status_code == 404
    assert users() == {"wei", "he"}


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_not_there_in_a_company_that_was_made_otherwise(
    visitor_of_company: Client, path: str
) -> None:
    setup_code().issue()
    _as_absent(visitor_of_company, "GET", path)
    _as_absent(visitor_of_company, "POST", path)
    assert visitor_of_company.get("/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


@pytest.fixture
def visitor_of_company(company: object) -> Client:
    return visitor()


def test_the_pages_are_not_there_once_people_were_imported(committed: str, code: str) -> None:
    with acting(Actor.operator()):
        from hufu.staffing.actions import create_users

        create_users(Actor.operator(), [Person("li", "李一")])
    for path in PAGES:
        assert visitor().get(path).status_code == 404
    assert enter(visitor(), code).status_code == 404


def test_of_two_browsers_at_once_exactly_one_wins_and_the_other_finds_no_page(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(2)
    appoint = administrators.appoint

    def at_once(*arguments: Any, **more: Any) -> Any:
        together.wait(10)
        return appoint(*arguments, **more)

    monkeypatch.setattr(administrators, "appoint", at_once)
    forms = ({**WEI, **HE}, {"system_name": "马全", "system_username": "ma", **HE})
    clients = [opened(code) for _form in forms]

    def send(number: int) -> int:
        try:
            return clients[number].post("/setup/people/", forms[number]).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, range(2)))
    assert sorted(answers) == [200, 404]
    assert users() == ({"wei", "he"} if answers[0] == 200 else {"ma", "he"})


def test_while_the_database_is_away_the_page_says_so_and_the_sign_in_page_stands(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> bool:
        raise Unavailable("The database is away.")

    monkeypatch.setattr("hufu.web.setup.views.never_set_up", away)
    monkeypatch.setattr(company, "never_set_up", away)
    assert visitor().get("/setup/").status_code == 503
    assert visitor().get("/accounts/login/").status_code == 200


def test_a_form_of_another_site_is_refused_before_set_up(code: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/setup/", {"code": code}).status_code == 403


def test_the_code_is_kept_closed_and_made_anew_at_every_start(code: str) -> None:
    path = setup_code()._folder.path("setup-code")
    assert path.read_text().strip() == code
    assert path.stat().st_mode & 0o777 == 0o600
    enter(visitor(), "wrong")
    assert path.with_name("setup-code.attempts").stat().st_mode & 0o777 == 0o600
    assert setup_code()._folder.wrong_modes() == []
    assert setup_code().issue() != code
