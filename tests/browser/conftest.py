"""The site on the small company's database, and Chromium.

Every page that a test opens is watched: a message on the console, a broken policy or a failed request fails the test.
"""

from __future__ import annotations

import os
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler

import psycopg
import pytest
from django.conf import LazySettings
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from hufu.people.models import User
from tests.company import Company, company, company_database, database_of_module, unharmed
from tests.conftest import chromium
from tests.database import is_idle

__all__ = ["company", "company_database", "database_of_module", "unharmed"]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

Open = Callable[..., Page]


class QuietHandler(WSGIRequestHandler):
    """Answers without a line per request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadedWSGIServer):
    """One thread per request; a browser that goes away is no error."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a browser that is closed breaks its connections."""


class Answers:
    """The application, whose threads hand their connections to those that answer after them.

    As those of a serving process they last, with what they have planned; each request has a thread of its own here.
    """

    def __init__(self) -> None:
        self._application = WSGIHandler()
        self._spare: list[dict[str, psycopg.Connection]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        for alias, spare in (self._spare.pop() if self._spare else {}).items():
            connections[alias].connection = spare
        response = self._application(environ, start_response)
        try:
            yield from response
        finally:
            response.close()
            mine = {each.alias: each.connection for each in connections.all() if each.connection is not None}
            if all(is_idle(connection) for connection in mine.values()):
                self._spare.append(mine)
                for alias in mine:
                    connections[alias].connection = None

    def close(self) -> None:
        """Close what is open."""
        for spare in self._spare:
            for connection in spare.values():
                connection.close()


@pytest.fixture(scope="module")
def answers_of_module(database_of_module: str) -> Iterator[Answers]:
    """What answers for all tests of a module that ask for `unharmed`."""
    with closing(Answers()) as answers:
        yield answers


@pytest.fixture
def visited(request: pytest.FixtureRequest) -> Company:
    """The company that a test's pages are of: `unharmed`, for tests that only look, or its own."""
    company: Company = request.getfixturevalue(
        "unharmed" if "unharmed" in request.fixturenames else "company"
    )
    return company


@pytest.fixture
def site(request: pytest.FixtureRequest, visited: Company, settings: LazySettings) -> Iterator[str]:
    """The address of a site that serves the company."""
    settings.ALLOWED_HOSTS = ["localhost"]
    lasts = "unharmed" in request.fixturenames
    with served(request.getfixturevalue("answers_of_module") if lasts else None) as url:
        yield url


@contextmanager
def served(answers: Answers | None = None) -> Iterator[str]:
    """Serve the connected database for the body; the value is the address."""
    own = Answers() if answers is None else None
    server = Server(("127.0.0.1", 0), QuietHandler, ipv6=False)
    server.set_app(answers or own)
    thread = threading.Thread(target=socketserver.BaseServer.serve_forever, args=(server, 0.05), daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
        if own is not None:
            own.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium of the system.

    Playwright keeps an event loop running in this thread; Django's own calls in the tests are as synchronous as ever.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_as(site: str, visited: Company, browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page as somebody ("" for a visitor): in a language, a theme, on a phone."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        who: str, path: str = "/", *, language: str = "en", theme: str = "light", phone: bool = False
    ) -> Page:
        context = browser.new_context(
            base_url=site, viewport=PHONE if phone else DESKTOP, reduced_motion="reduce", locale="en-GB"
        )
        contexts.append(context)
        cookies = {"django_language": language, "hufu_theme": theme}
        if who:
            cookies |= session_of(visited, who)
        context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
        page = context.new_page()
        page.on("console", lambda message: note(message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(path)
        return page

    def note(kind: str, text: str) -> None:
        # That a page answers 403, 404 or 409 is said by the browser and by htmx too, and is what such a test is about.
        expected = ("the server responded with a status of 4", "Response Status Error Code 4")
        if kind in ("error", "warning") and not any(words in text for words in expected):
            complaints.append(f"{kind}: {text}")

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def session_of(company: Company, who: str) -> dict[str, str]:
    """Return the cookie of somebody's new session."""
    client = Client()
    client.force_login(
        User.objects.get(pk=company.people[who]), backend="hufu.web.accounts.backend.PasswordBackend"
    )
    [(name, morsel)] = client.cookies.items()
    return {name: morsel.value}
