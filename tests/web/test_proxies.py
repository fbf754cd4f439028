"""Behind a proxy: the log and the limits see the client, and only a trusted proxy is believed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from hufu.core import addresses
from hufu.web import client, middleware
from hufu.web.accounts.adapter import AccountAdapter

NOWHERE = "postgresql://hufu_app@127.0.0.1:1/nowhere"
PROXY, STRANGER, BROWSER = "10.0.0.1", "203.0.113.9", "198.51.100.1"


@pytest.fixture(autouse=True)
def trusted(settings: LazySettings) -> None:
    """One proxy is trusted; the site is reached by HTTPS."""
    settings.TRUSTED_PROXIES = addresses.networks(PROXY)
    settings.SECURE_PROXY_SSL_HEADER = (client.SCHEME, "https")


@pytest.mark.parametrize(("peer", "seen"), [(PROXY, BROWSER), (STRANGER, STRANGER)])
def test_log_and_limits_see_the_same_address(peer: str, seen: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=BROWSER)
    request.session = type("Session", (), {"session_key": "s"})()
    assert middleware.context_of(request).address == seen
    assert AccountAdapter().get_client_ip(request) == seen


@pytest.mark.parametrize(
    ("peer", "headers", "scheme"),
    [
        (PROXY, {"HTTP_X_FORWARDED_PROTO": "https"}, "https"),
        (PROXY, {"HTTP_X_FORWARDED_PROTO": "https, http"}, "http"),
        (PROXY, {}, "http"),
        (STRANGER, {"HTTP_X_FORWARDED_PROTO": "https"}, "http"),
        (STRANGER, {"HTTP_HUFU.SCHEME": "https"}, "http"),
    ],
)
def test_only_a_trusted_proxy_says_that_the_browser_came_by_https(
    peer: str, headers: dict[str, str], scheme: str
) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **headers)
    client.ProxyMiddleware(lambda request: request)(request)  # type: ignore[arg-type,return-value]
    assert request.scheme == scheme


def test_a_wrong_network_is_one_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hufu.cli.main", "doctor"],
        env={
            **os.environ,
            "DATABASE_URL": NOWHERE,
            "HUFU_TRUSTED_PROXIES": "10.0.0.1, my-proxy",
            "HUFU_LANGUAGE": "en",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 3
    assert ended.stderr == (
        "hufu: HUFU_TRUSTED_PROXIES: “my-proxy” is no network. Write addresses or networks such as 10.0.0.0/8, "
        "separated by commas.\n"
    )
