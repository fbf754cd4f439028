"""Two addresses for whoever watches the site: does the process answer, and can it serve people."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from hufu.core import schema, vault
from hufu.core.postgres.secret_files import LOG_KEK, SecretFolder

logger = logging.getLogger(__name__)

ALIVE, READY = "/healthz", "/readyz"
SECONDS_KEPT = 2.0


class HealthMiddleware:
    """Answers /healthz and /readyz to everybody, in one word; why the site is not ready, its own messages say.

    INVARIANT: stands before whatever looks at host, session or database. A probe names any host, and a process
    that has lost its database still answers /healthz.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._lock = threading.Lock()
        self._asked = float("-inf")
        self._ready = False

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info not in (ALIVE, READY):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return _answer("not allowed", HTTPStatus.METHOD_NOT_ALLOWED)
        if request.path_info == ALIVE:
            return _answer("ok", HTTPStatus.OK)
        if self._is_ready():
            return _answer("ready", HTTPStatus.OK)
        return _answer("not ready", HTTPStatus.SERVICE_UNAVAILABLE)

    def _is_ready(self) -> bool:
        # However often strangers ask, the database is asked every two seconds at most.
        with self._lock:
            if time.monotonic() - self._asked >= SECONDS_KEPT:
                self._ready = _examine()
                self._asked = time.monotonic()
            return self._ready


def problems() -> Iterator[str]:
    """Yield what keeps the site from serving; raise whatever the database raises."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield "migrations are pending"
        if schema.installed_digest(connection) != _digest():
            yield "installed functions are not of this version"
        cursor.execute(
            "SELECT has_any_column_privilege('audit_event', 'INSERT')"
            " AND current_setting('transaction_read_only') = 'off'"
        )
        if cursor.fetchone() != (True,):
            yield "the log cannot be written"
    if not SecretFolder(Path(settings.HUFU_SECRETS)).path(LOG_KEK).exists():
        yield "the key of the log is missing"
    vault.check()


@cache
def _digest() -> str:
    return schema.digest()


def _examine() -> bool:
    try:
        found = list(problems())
    except Exception as error:
        found = [f"{type(error).__name__}"]
    if found:
        logger.error("not ready: %s", "; ".join(found))
    return not found


def _answer(word: str, status: HTTPStatus) -> HttpResponse:
    return HttpResponse(
        f"{word}\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"}
    )
