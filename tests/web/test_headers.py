"""Every kind of answer carries the headers that keep a browser to its own site."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from hufu.core.transaction import acting
from hufu.crm import attachments
from hufu.crm.resources import CUSTOMER
from tests.company import Company
from tests.web.conftest import PASSWORD, Visit

HTMX = {"hx-request": "true"}
PAGE = {
    *("default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'"),
    "frame-ancestors 'none'",
}
Answers = dict[str, HttpResponse]


@pytest.fixture
def answers(
    company: Company, visit: Visit, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Answers]:
    """Return a function that asks for one answer of every kind."""
    (tmp_path / "logo.svg").write_text("<svg/>")
    number = company.customer("qiming")
    lin = company.actor("lin")
    with acting(lin):
        file = attachments.attach(lin, CUSTOMER, number, name="a.txt", content=b"x")

    def ask() -> Answers:
        client, strict = visit("lin"), Client(enforce_csrf_checks=True)
        strict.force_login(
            client.get("/").wsgi_request.user, backend="hufu.web.accounts.backend.PasswordBackend"
        )
        client.raise_request_exception = False
        found: Answers = {
            "page 200": client.get("/customers/"),
            "fragment 200": client.get(f"/customers/{number}/drawer", headers=HTMX),
            "redirect 302": client.post(
                f"/customers/{number}/edit", {"name": "x", "stage": "won", "version": "1"}
            ),
            "file 200": client.get(f"/customers/{number}/files/open?file={file}"),
            "wrong 400": client.get("/customers/?owner=lin"),
            "forged 403": strict.post("/customers/new", {"name": "x"}),
            "denied 403": client.get("/log/"),
            "absent 404": client.get("/customers/99999999/"),
            "method 405": client.post("/customers/"),
        }
        settings.LIMITS = {"lists": 1}
        client.get("/customers/")
        found["often 429"] = client.get("/customers/")
        found["often, in a part 429"] = client.get("/customers/", headers=HTMX)
        settings.LIMITS = {}
        with monkeypatch.context() as patch:
            patch.setattr("hufu.web.home.views.render", lambda *_a, **_n: 1 / 0)
            found["failure 500"] = client.get("/")
        stranger = Client(raise_request_exception=False)
        found |= {
            "stranger's page 200": stranger.get("/accounts/login/"),
            "stranger's redirect 302": stranger.get("/customers/"),
            "stranger's absent 404": stranger.get("/no/such/page"),
            "host 400": stranger.get("/", headers={"host": "evil.example"}),
            "static 200": stranger.get("/static/favicon.svg"),
            "health 200": stranger.get("/healthz"),
            "ready 200": stranger.get("/readyz"),
            "figures 200": stranger.get("/metrics"),
        }
        return found

    return ask


def test_every_kind_of_answer_carries_them(answers: Callable[[], Answers]) -> None:
    for kind, answer in answers().items():
        assert answer.status_code == int(kind.rpartition(" ")[2]), kind
        head = answer.headers
        assert head["X-Content-Type-Options"] == "nosniff", kind
        assert head["Referrer-Policy"] == "same-origin", kind
        assert head["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert head["Cross-Origin-Resource-Policy"] == "same-origin", kind
        assert head["X-Frame-Options"] == "DENY", kind
        assert "camera=()" in head["Permissions-Policy"], kind
        assert len(head["X-Request-ID"]) == 32, kind
        assert "Strict-Transport-Security" not in head, kind
        policy = {part.strip() for part in head["Content-Security-Policy"].split(";")}
        assert "default-src 'none'" in policy, kind
        assert "unsafe" not in head["Content-Security-Policy"], kind
        if kind.startswith("file"):
            assert "sandbox" in policy
            assert head["Content-Disposition"].startswith("attachment")
        else:
            assert "frame-ancestors 'none'" in policy, kind
        if head.get("Content-Type", "").startswith("text/html") and "host" not in kind:
            assert policy >= PAGE, kind
        if not kind.startswith(("stranger", "static", "host")):
            assert "no-store" in head["Cache-Control"], kind


def test_where_people_come_by_https_it_stays_so(
    answers: Callable[[], Answers], settings: LazySettings
) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    client = Client()
    for path in ("/accounts/login/", "/static/favicon.svg", "/healthz", "/no/such/page"):
        assert client.get(path, secure=True)["Strict-Transport-Security"].startswith("max-age=31536000"), path
        assert "Strict-Transport-Security" not in client.get(path), path


def test_the_cookies_are_for_this_site_and_for_no_script(company: Company, visitor: Client) -> None:
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", {"login": "lin", "password": PASSWORD})
    for cookie in visitor.cookies.values():
        assert (cookie["httponly"], cookie["samesite"], cookie["domain"], cookie["path"]) == (
            True,
            "Lax",
            "",
            "/",
        )
