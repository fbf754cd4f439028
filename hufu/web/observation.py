"""What is told of every request: its number, one line in the messages of the program, and the figures of /metrics.

Nothing here names a person, a record, an address or what was typed: a line has the name of the route, not the path.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponseBase

from hufu.web import health
from hufu.web.metrics import ADDRESS, meters
from hufu.web.request_ids import HEADER, number_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Asked by machines, many times for each page: in the figures, and in the messages only where they are wanted in full.
QUIET = frozenset({"static", "health", "metrics"})

log: structlog.stdlib.BoundLogger = structlog.get_logger("hufu.requests")


class Statements:
    """Counts the statements that a request sends to the database."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.number += 1
        return execute(*arguments)


class ObservationMiddleware:
    """Gives a request its number, and tells of it when it is answered.

    INVARIANT: stands where every answer passes; a request has its number before anything is recorded in its name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = number_of(request)
        begin = time.perf_counter()
        counted = Statements()
        with (
            structlog.contextvars.bound_contextvars(request_id=number),
            connections["default"].execute_wrapper(counted),
            connections["autonomous"].execute_wrapper(counted),
        ):
            response = self.get_response(request)
            response.headers[HEADER] = number
            seconds = time.perf_counter() - begin
            tell(request, response, seconds, counted.number)
        return response


def tell(request: HttpRequest, response: HttpResponseBase, seconds: float, statements: int) -> None:
    """Count an answer, and write its line."""
    route, method = route_of(request), method_of(request)
    meters.count_request(route, method, response.status_code, seconds)
    if not settings.ACCESS_LOG:
        return
    write = log.debug if route in QUIET else log.info
    write(
        "request",
        route=route,
        method=method,
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
        statements=statements,
    )


def route_of(request: HttpRequest) -> str:
    """Return the name of the route that a request was for; a request for no page of ours is `none`."""
    if request.resolver_match is not None:
        return request.resolver_match.url_name or "unnamed"
    path = request.path_info
    if path in (health.ALIVE, health.READY):
        return "health"
    if path == ADDRESS:
        return "metrics"
    return "static" if path.startswith(settings.STATIC_URL) else "none"


def method_of(request: HttpRequest) -> str:
    """Return the method, one of a few: a client may send any word."""
    return request.method if request.method in METHODS else "other"
