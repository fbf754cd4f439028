"""Whoever watches the site learns whether it answers and is ready, and strangers learn no more."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from django.test import Client, RequestFactory

from hufu.core import schema, vault
from hufu.core.errors import Unavailable
from hufu.web import health
from hufu.web.health import HealthMiddleware
from tests.company import Company

Break = Callable[[pytest.MonkeyPatch, LazySettings, Path], None]


def ask(path: str, method: str = "GET") -> HttpResponse:
    """Return what a process that has just started answers; the host is one that the site does not know."""
    request = RequestFactory().generic(method, path, headers={"host": "10.1.2.3:8000"})
    answer = HealthMiddleware(lambda request: HttpResponse("another page"))(request)
    assert isinstance(answer, HttpResponse)
    return answer


def database_away(patch: pytest.MonkeyPatch, _settings: LazySettings, _folder: Path) -> None:
    def cursor(*_: object) -> None:
        raise OperationalError("the server on db.internal is away")

    patch.setattr(connection, "cursor", cursor)


def pending_migration(patch: pytest.MonkeyPatch, _settings: LazySettings, _folder: Path) -> None:
    patch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("crm.0099", False)])


def other_version(patch: pytest.MonkeyPatch, _settings: LazySettings, _folder: Path) -> None:
    patch.setattr(schema, "installed_digest", lambda _connection: "another")


def no_key_of_the_log(_patch: pytest.MonkeyPatch, settings: LazySettings, folder: Path) -> None:
    settings.HUFU_SECRETS = folder


def wrong_master_key(patch: pytest.MonkeyPatch, _settings: LazySettings, _folder: Path) -> None:
    def check() -> None:
        raise Unavailable("the master key of /srv/secrets is another")

    patch.setattr(vault, "check", check)


def test_a_site_that_serves_is_ready(company: Company) -> None:
    assert (ask("/healthz").status_code, ask("/healthz").content) == (200, b"ok\n")
    assert (ask("/readyz").status_code, ask("/readyz").content) == (200, b"ready\n")
    assert ask("/readyz/").content == ask("/").content == b"another page"
    assert ask("/readyz", "POST").status_code == 405
    # The site has it where no host is looked at yet.
    assert Client().get("/readyz", headers={"host": "10.1.2.3:8000"}).content == b"ready\n"
    assert Client().get("/accounts/login/", headers={"host": "10.1.2.3:8000"}).status_code == 400


@pytest.mark.parametrize(
    "harm", [database_away, pending_migration, other_version, no_key_of_the_log, wrong_master_key]
)
def test_a_site_that_lacks_something_answers_but_is_not_ready_and_does_not_say_why(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    settings: LazySettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Break,
) -> None:
    assert ask("/readyz").status_code == 200
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR, "hufu.web.health"):
        harm(patch, settings, tmp_path)
        assert ask("/healthz").status_code == 200
        answer = ask("/readyz")
    assert (answer.status_code, answer.content) == (503, b"not ready\n")
    assert "not ready: " in caplog.text
    assert "db.internal" not in caplog.text


def test_however_often_somebody_asks_the_database_is_asked_every_two_seconds(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def problems() -> Iterator[str]:
        asked.append("asked")
        yield from ()

    monkeypatch.setattr(health, "problems", problems)
    process = HealthMiddleware(lambda request: HttpResponse())
    for _ in range(5):
        assert process(RequestFactory().get("/readyz")).status_code == 200
    assert len(asked) == 1
    monkeypatch.setattr(health, "SECONDS_KEPT", 0.0)
    assert process(RequestFactory().get("/readyz")).status_code == 200
    assert len(asked) == 2
