"""What an operator sees of the site: figures, a line per request, its number; and how often one may ask."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from hufu.config.logs import WithoutPaths
from hufu.core import addresses
from hufu.web.metrics import middleware, standing
from hufu.web.request_ids import number_of
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import entries

PROXY = "10.0.0.1"


def figures(client: Client, **named: Any) -> dict[str, float]:
    """Return the figures by name and labels."""
    answer = client.get("/metrics", **named)
    assert answer.status_code == 200
    lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _space, value in (line.rpartition(" ") for line in lines)}


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        record.msg
        for record in caplog.records
        if record.name == "hufu.requests" and isinstance(record.msg, dict)
    ]


def test_the_figures_count_requests_refusals_and_failures_and_name_nobody(
    company: Company, visit: Visit, visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "SECONDS_KEPT", 0.0)
    before = figures(visitor)
    lin = visit("lin")
    number = company.customer("qiming")
    for _ in range(2):
        assert lin.get(f"/customers/{number}/?q=secret").status_code == 200
    assert lin.get("/log/").status_code == 403
    visitor.post("/accounts/login/", {"login": "lin", "password": "wrong"})
    visitor.get("/no/such/page")
    visitor.generic("TEAPOT", "/healthz")
    after = figures(visitor)

    def more(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert more('hufu_requests_total{method="GET",route="customer_record",status="2xx"}') == 2
    assert more('hufu_requests_total{method="GET",route="log",status="4xx"}') == 1
    assert more('hufu_requests_total{method="GET",route="none",status="4xx"}') == 1
    assert more('hufu_requests_total{method="other",route="health",status="4xx"}') == 1
    assert more('hufu_request_seconds_count{method="GET",route="customer_record"}') == 2
    assert more('hufu_refused_decisions_total{permission="audit.view"}') == 1
    assert more('hufu_sign_in_failures_total{reason="wrong_credentials"}') == 1
    assert more('hufu_log_events_total{result="done",type="customer.viewed"}') == 2
    assert after["hufu_sessions_open"] == 1
    assert after["hufu_database_up"] == 1
    assert 0 < after['hufu_database_connections{state="active"}'] < after["hufu_database_connections_limit"]
    assert after["hufu_key_rotation_under_way"] == after["hufu_metrics_shared"] == 0
    said = "\n".join(after)
    assert not re.search(rf'"lin"|林悦|/customers|"{number}"|127\.0\.0\.1|secret', said)


def test_rows_under_an_old_key_and_the_age_of_the_backup_are_figures(
    company: Company, owner_connection: psycopg.Connection, visitor: Client
) -> None:
    owner_connection.execute("UPDATE hufu.data_key SET state = 'old' WHERE purpose = 'field'")
    owner_connection.execute(
        "INSERT INTO hufu.data_key (purpose, version, wrapped, master_version, state)"
        " SELECT 'field', 2, wrapped, master_version, 'active' FROM hufu.data_key WHERE purpose = 'field'"
    )
    client = Client()
    found = figures(client)
    sealed = owner_connection.execute(
        "SELECT (SELECT count(*) FROM crm_customer WHERE length(phone) > 0)"
        " + (SELECT count(*) FROM crm_contact WHERE length(phone) > 0 OR length(email) > 0 OR length(wechat) > 0)"
    ).fetchone()
    assert found["hufu_key_rotation_under_way"] == 1
    assert sealed is not None
    assert found["hufu_key_rotation_remaining_rows"] == sealed[0] > 0
    assert "hufu_backup_age_seconds" not in found


def test_a_database_that_is_away_is_a_figure(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise DatabaseError("connection refused at 10.0.0.9")

    monkeypatch.setattr(standing.backups, "last_events", away)
    found = middleware.MetricsMiddleware(lambda request: None)(RequestFactory().get("/metrics"))  # type: ignore[arg-type,return-value]
    assert b"hufu_database_up 0.0" in found.content  # type: ignore[attr-defined]
    assert b"10.0.0.9" not in found.content  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.9.0.4", {}, 200),
        ("10.8.0.4", {}, 404),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
        ("127.0.0.1", {"HTTP_FORWARDED": "for=127.0.0.1"}, 404),
        ("10.9.0.4", {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}, 404),
        ("127.0.0.1", {"HTTP_HOST": "localhost:8000"}, 200),
        ("10.9.0.4", {"HTTP_HOST": "[fd00::7]:8000"}, 200),
        # 林悦's browser on the server, on a page that turned its own name to this machine.
        ("127.0.0.1", {"HTTP_HOST": "rebound.example:8000"}, 400),
        ("10.9.0.4", {"HTTP_HOST": "rebound.example"}, 400),
        (PROXY, {"HTTP_X_FORWARDED_FOR": "10.9.0.4"}, 200),
        (PROXY, {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}, 404),
        (PROXY, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 404),
    ],
)
def test_only_this_machine_and_named_networks_see_them_and_for_others_there_is_no_such_page(
    company: Company, settings: LazySettings, peer: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_NETWORKS = addresses.networks("10.9.0.0/24")
    settings.TRUSTED_PROXIES = addresses.networks(PROXY)
    client = Client(REMOTE_ADDR=peer, **headers)
    answer = client.get("/metrics")
    assert answer.status_code == status
    if status != 200:
        absent = client.get("/absent")
        assert answer.content == absent.content
        own = {"X-Request-ID": "", "Expires": ""}
        assert dict(answer.headers) | own == dict(absent.headers) | own


def test_a_request_is_one_line_without_whatever_names_a_person_or_a_record(
    company: Company, visit: Visit, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ACCESS_LOG = True
    client = visit("lin")
    number = company.customer("qiming")
    with caplog.at_level(logging.INFO):
        client.get(f"/customers/{number}/?q=13800138000", headers={"user-agent": "x\nroute=forged"})
        client.get("/customers/99999999/")
        client.get("/nowhere%0Aroute=forged")
        client.get("/static/favicon.svg")
        client.get("/healthz")
    told = lines_of(caplog)
    assert [(line["route"], line["method"], line["status"]) for line in told] == [
        ("customer_record", "GET", 200),
        ("customer_record", "GET", 404),
        ("none", "GET", 404),
    ]
    assert told[0]["statements"] > 0
    assert set(told[0]) == {
        *("event", "route", "method", "status", "milliseconds", "statements"),
        *("request_id", "level", "logger", "timestamp"),
    }
    assert not re.search(r"forged|13800138000|林悦|/customers|127\.0\.0\.1", str(told))
    # What the framework says of absent pages has the path.
    assert not [record for record in caplog.records if record.name == "django.request"]


def test_no_message_has_a_path_with_the_secret_of_lins_link_and_a_wrong_host_is_one_line(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    [handler] = [
        each
        for each in logging.getLogger().handlers
        if any(isinstance(one, WithoutPaths) for one in each.filters)
    ]
    assert isinstance(handler, logging.StreamHandler)
    told = io.StringIO()
    monkeypatch.setattr(handler, "stream", told)
    link = "/accounts/password/link/7-s3cret-token/"
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    page = "https://testserver/accounts/password/link/7-s3cret-token/"
    assert client.post(link).status_code == 403
    assert (
        client.post(
            link, secure=True, headers={"referer": page.replace("testserver", "x.example")}
        ).status_code
        == 403
    )
    assert client.get(link, headers={"host": "evil.example"}).status_code == 400
    monkeypatch.setattr("hufu.web.accounts.views.SetPasswordView.dispatch", lambda *_a, **_n: 1 / 0)
    assert client.get(link).status_code == 500
    said = told.getvalue()
    assert "s3cret" not in said
    assert "x.example" not in said
    assert "evil.example" not in said
    assert len([line for line in said.splitlines() if "DisallowedHost" in line]) == 1
    assert "refused (DisallowedHost), route none" in said
    assert said.count("Traceback") == 1
    assert "Internal Server Error, route account_reset_password_from_key" in said


def test_a_request_has_one_number_in_answer_log_and_messages(
    company: Company,
    visit: Visit,
    owner_connection: psycopg.Connection,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.ACCESS_LOG = True
    client = visit("lin")
    with caplog.at_level(logging.INFO):
        number = client.get("/customers/")["X-Request-ID"]
    assert lines_of(caplog)[0]["request_id"] == number
    found = owner_connection.execute(
        "SELECT DISTINCT request_id FROM audit_event WHERE type = 'customer.listed'"
    )
    assert found.fetchall() == [(number,)]


def test_a_failure_tells_its_number_to_the_person(
    company: Company, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit("lin")
    client.raise_request_exception = False
    monkeypatch.setattr("hufu.web.home.views.render", lambda *_a, **_n: 1 / 0)
    answer = client.get("/")
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in answer.content.decode()


@pytest.mark.parametrize(
    ("peer", "said", "taken_over"),
    [
        (PROXY, "req-0123456789", True),
        ("203.0.113.9", "req-0123456789", False),
        (PROXY, "short", False),
        (PROXY, "x" * 65, False),
        (PROXY, "12345678\nroute=forged", False),
        (PROXY, "<script>alert(1)</script>", False),
    ],
)
def test_a_number_is_taken_over_from_a_trusted_proxy_where_it_is_one(
    settings: LazySettings, peer: str, said: str, taken_over: bool
) -> None:
    settings.TRUSTED_PROXIES = addresses.networks(PROXY)
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_REQUEST_ID=said)
    assert (number_of(request) == said) is taken_over
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", number_of(request))
    assert number_of(request) == number_of(request)


def test_whoever_asks_too_often_waits_and_nobody_else_does(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, settings: LazySettings
) -> None:
    lin, tang = visit("lin"), visit("tang")
    settings.LIMITS = {"lists": 3, "search": 2}
    with CaptureQueriesContext(connections["autonomous"]) as counted:
        assert lin.get("/customers/").status_code == 200
    assert len([each for each in counted.captured_queries if "hufu.spend" in each["sql"]]) == 1
    for _ in range(2):
        assert lin.get("/opportunities/").status_code == 200
    for language, words in (("en", "Too many requests"), ("zh-hans", "短时间内请求过多")):
        stopped = lin.get("/customers/", headers={"accept-language": language})
        assert stopped.status_code == 429
        assert 0 < int(stopped["Retry-After"]) <= 60
        assert words in stopped.content.decode()
    assert tang.get("/customers/").status_code == 200
    # A page that is not of the kind is not counted, and neither asked.
    assert lin.get(f"/customers/{company.customer('qiming')}/").status_code == 200
    # Within a page it is a toast, and the page stays.
    for _ in range(3):
        part = lin.get("/palette/?q=x", headers={"hx-request": "true"})
    assert part.status_code == 429
    assert part["HX-Retarget"] == "#toasts"
    assert "toast-note" in part.content.decode()
    assert "<html" not in part.content.decode()
    # One event each, however long somebody goes on.
    limited = entries(owner_connection, "access.limited")
    assert sorted((each.result, each.data["limit"]) for each in limited) == [
        ("refused", "lists"),
        ("refused", "search"),
    ]
    # Nothing in the store names whom it counts.
    kept = owner_connection.execute("SELECT who, ends > now(), times FROM hufu.spent").fetchall()
    assert {len(bytes(who)) for who, _later, _times in kept} == {16}
    assert all(later for _who, later, _times in kept)
    # When the time is over one goes on.
    owner_connection.execute("UPDATE hufu.spent SET ends = now() - interval '1 second'")
    assert lin.get("/customers/").status_code == 200


def test_an_address_has_a_limit_of_its_own(company: Company, visit: Visit, settings: LazySettings) -> None:
    settings.LIMITS = {"lists": 1}
    for name in ("lin", "tang", "zhang", "zhao", "wang", "li", "chen", "zhou", "sun"):
        assert visit(name).get("/customers/", REMOTE_ADDR="203.0.113.5").status_code == 200
    assert visit("feng").get("/people/", REMOTE_ADDR="203.0.113.5").status_code == 200
    assert visit("wu").get("/log/", REMOTE_ADDR="203.0.113.5").status_code == 429
    assert visit("wu").get("/people/", REMOTE_ADDR="203.0.113.6").status_code == 429
