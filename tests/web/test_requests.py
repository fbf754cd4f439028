"""What every request goes through: identity, declared permission, one transaction, headers, error pages."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from hufu.core.actor import ANONYMOUS, Context
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.core.transaction import current_actor
from hufu.people.models import User
from hufu.web import middleware, pages
from hufu.web.accounts import register
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import entries


def test_every_address_declares_what_it_needs() -> None:
    assert [route for route in pages.routes() if route.page is None] == []


def test_a_page_needs_exactly_one_declaration() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        pages.page("audit.view", public=True)
    with pytest.raises(ValueError, match="exactly one"):
        pages.page()


def test_a_view_without_a_declaration_is_answered_to_nobody() -> None:
    asked = middleware.ActingMiddleware(lambda request: HttpResponse("secret"))
    with pytest.raises(Exception, match="no declared permission"):
        asked.process_view(RequestFactory().get("/x"), lambda request: HttpResponse(), (), {})  # type: ignore[arg-type]


def test_a_visitor_is_sent_to_sign_in_and_back_again(visitor: Client) -> None:
    response = visitor.get("/customers/?q=abc")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fcustomers%2F%3Fq%3Dabc"
    assert visitor.post("/customers/new")["Location"] == "/accounts/login/"


def test_a_fragment_asked_for_after_the_session_ended_moves_the_whole_page(visitor: Client) -> None:
    response = visitor.get("/customers/owners", headers={"hx-request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"].startswith("/accounts/login/")


def test_a_method_that_a_page_does_not_answer_is_refused(company: Company, visit: Visit) -> None:
    assert visit("lin").post("/customers/").status_code == 405
    assert visit("lin").get(f"/customers/{company.customer('qiming')}/delete").status_code == 405
    assert visit("lin").head("/customers/").status_code == 200


def test_a_page_that_nobody_gave_is_refused_with_words_and_one_event(
    visit: Visit, owner_connection: psycopg.Connection
) -> None:
    response = visit("zhou").get("/opportunities/")
    assert response.status_code == 403
    assert "View opportunities" in response.content.decode()
    assert "security administrator" in response.content.decode()
    [refused] = entries(owner_connection, "access.refused")
    assert (refused.result, refused.data) == (
        "refused",
        {"permission": "opportunity.view", "method": "GET", "path": "/opportunities/"},
    )


def test_absent_and_forbidden_answer_with_the_same_bytes(company: Company, visit: Visit) -> None:
    client = visit("lin")
    hidden, absent = company.customer("pengcheng"), 10**12
    for verb in ("", "edit", "transfer"):
        answers = [client.get(f"/customers/{number}/{verb}") for number in (hidden, absent)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        # When they were answered, and under which random number, is all that differs.
        own = {"Expires": "", "X-Request-ID": ""}
        assert dict(answers[0].headers) | own == dict(answers[1].headers) | own
    # What is no record's address offers no request; for the rest it looks alike.
    nowhere = client.get("/customers/no/such/page")
    assert nowhere.status_code == 404
    assert b"Ask for access" in answers[0].content
    assert b"Ask for access" not in nowhere.content


def test_a_suspended_person_is_out_with_the_very_next_request(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("lin")
    assert client.get("/customers/").status_code == 200
    owner_connection.execute("UPDATE people_user SET status = 'suspended' WHERE username = 'lin'")
    assert client.get("/customers/").status_code == 302


def test_a_session_that_came_while_the_account_was_closed_stays_ended(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client = visit("lin")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    owner_connection.execute("UPDATE people_user SET status = 'suspended' WHERE username = 'lin'")
    assert client.get("/customers/").status_code == 302
    owner_connection.execute("UPDATE people_user SET status = 'active' WHERE username = 'lin'")
    assert client.get("/customers/").status_code == 302
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert client.get("/customers/").status_code == 302
    assert visit("lin").get("/customers/").status_code == 200


def test_pages_of_somebody_are_kept_nowhere_and_carry_the_strict_policy(
    visit: Visit, visitor: Client
) -> None:
    response = visit("lin").get("/customers/")
    assert "no-store" in response["Cache-Control"]
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert "camera=()" in response["Permissions-Policy"]
    assert "camera=()" in visitor.get("/accounts/login/")["Permissions-Policy"]


def test_no_page_carries_inline_styles_or_scripts(company: Company, visit: Visit, visitor: Client) -> None:
    number = company.customer("qiming")
    addresses = {
        "lin": (
            "/",
            "/customers/",
            f"/customers/{number}/",
            f"/customers/{number}/edit",
            f"/customers/{number}/transfer",
        ),
        "wang": ("/customers/new", "/opportunities/"),
        "wu": ("/log/",),
        "feng": ("/people/", "/people/departments/"),
        "he": ("/roles/", "/roles/given/"),
    }
    texts = {"/accounts/login/": visitor.get("/accounts/login/").content.decode()}
    for name, paths in addresses.items():
        client = visit(name)
        texts |= {path: client.get(path).content.decode() for path in paths}
    for path, text in texts.items():
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", text), path


def run(view: object, user: User, method: str = "get") -> HttpResponse:
    """Answer one request through the middleware with a view of the test's own."""
    request = getattr(RequestFactory(), method)("/somewhere")
    request.user = user
    request.session = SessionStore()
    register.enter(request, user)
    frame: middleware.ActingMiddleware

    def get_response(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)  # type: ignore[operator,no-any-return]
        except Exception as error:
            return frame.process_exception(request, error) or HttpResponse(status=500)  # type: ignore[arg-type,return-value]

    frame = middleware.ActingMiddleware(get_response)
    return frame(request)  # type: ignore[return-value]


def rename(company: Company) -> None:
    """Change something of one's own."""
    User.objects.filter(pk=company.people["lin"]).update(language="en")


def language(owner_connection: psycopg.Connection) -> str:
    row = owner_connection.execute("SELECT language FROM people_user WHERE username = 'lin'").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (NotFound("gone"), 404),
        (Denied(None, "no"), 403),
        (Conflict("changed"), 409),
        (Invalid({"": ["wrong"]}), 400),
        (ZeroDivisionError(), 500),
    ],
)
def test_what_a_view_raises_undoes_all_that_it_did(
    company: Company, owner_connection: psycopg.Connection, raised: Exception, status: int
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        rename(company)
        raise raised

    assert run(view, User.objects.get(username="lin")).status_code == status
    assert language(owner_connection) == ""


def test_what_a_view_did_is_there_when_the_answer_leaves(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        rename(company)
        actor = current_actor()
        return HttpResponse(actor.name if actor else "")

    response = run(view, User.objects.get(username="lin"))
    assert response.content.decode() == "林悦"
    assert language(owner_connection) == "en"
    assert current_actor() is None


def test_a_refusal_leaves_its_event_and_nothing_else(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        rename(company)
        raise Denied(None, "no", event={"type": "access.refused", "data": {"permission": "customer.edit"}})

    assert run(view, User.objects.get(username="lin"), "post").status_code == 403
    assert language(owner_connection) == ""
    [refused] = entries(owner_connection, "access.refused")
    assert refused.data == {"permission": "customer.edit", "method": "POST", "path": "/somewhere"}


def test_a_refusal_that_cannot_be_recorded_ends_with_503(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise Denied(None, "no", event={"type": "access.refused"})

    def fail(*_arguments: object, **_named: object) -> None:
        raise DatabaseError("the log is away")

    monkeypatch.setattr("hufu.audit.refusals.record", fail)
    monkeypatch.setattr("hufu.audit.refusals.spool.write", lambda *_a, **_n: None)
    assert run(view, User.objects.get(username="lin")).status_code == 503


def test_a_database_that_is_away_is_503_not_a_trace(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> None:
        raise DatabaseError("connection refused at 10.0.0.1")

    monkeypatch.setattr("hufu.core.transaction.enter", away)
    response = run(lambda request: HttpResponse("x"), User.objects.get(username="lin"))
    assert response.status_code == 503
    assert "10.0.0.1" not in response.content.decode()


def test_a_database_that_is_away_while_somebody_is_signed_in_is_503(
    company: Company, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit("lin")

    def away(*_arguments: object) -> None:
        raise DatabaseError("connection refused at 10.0.0.1")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore._get_session_from_db", away)
    response = client.get("/customers/")
    assert response.status_code == 503
    assert "10.0.0.1" not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_a_request_leaves_no_identity_on_the_connection(company: Company, visit: Visit) -> None:
    visit("li").get("/customers/")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('hufu.user_id', true), (SELECT count(*) FROM crm_customer)")
        assert cursor.fetchone() in ((None, 0), ("", 0))


def test_who_acts_comes_from_the_session_alone(company: Company, visit: Visit) -> None:
    client = visit("qian")
    boss = str(company.people["li"])
    forged = {"HTTP_X_USER": boss, "HTTP_REMOTE_USER": "li", "REMOTE_USER": "li"}
    response = client.get("/customers/", {"actor": boss, "user_id": boss}, **forged)
    assert response.status_code == 403


def test_where_a_request_comes_from_is_part_of_the_actor(company: Company) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_USER_AGENT="browser")
    request.session = type("Session", (), {"session_key": None})()  # type: ignore[assignment]
    actor = middleware.visitor(request)
    assert actor.user_id == ANONYMOUS.user_id
    assert actor.context == Context(actor.context.request_id, "", "203.0.113.9", "browser", "web")
