"""Who is at the other end of a request, as far as the operator's own proxies may say (HUFU_TRUSTED_PROXIES)."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from hufu.core import addresses

# No header of a request can have this name in META: only the middleware below writes it.
SCHEME = "hufu.scheme"
# What proxies and tunnels add: a request with any of these did not begin on this machine.
FORWARDED = (
    "HTTP_CF_CONNECTING_IP",
    "HTTP_FORWARDED",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REAL_IP",
)


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from; the only place where X-Forwarded-For is read."""
    return addresses.client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.TRUSTED_PROXIES,
    )


def through_trusted_proxy(request: HttpRequest) -> bool:
    """Say whether the peer is one of the operator's proxies."""
    return addresses.within(request.META.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXIES)


def is_forwarded(request: HttpRequest) -> bool:
    """Say whether a request carries what proxies and tunnels add, whoever wrote it."""
    return any(header in request.META for header in FORWARDED)


class ProxyMiddleware:
    """Takes over from a trusted proxy whether the browser came by HTTPS.

    INVARIANT: stands first, so that nobody asks for the scheme before. SECURE_PROXY_SSL_HEADER reads what is
    written here and never the header itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        proto = request.META.get("HTTP_X_FORWARDED_PROTO")
        if proto is not None and through_trusted_proxy(request):
            # The right-most entry is the nearest proxy's.
            request.META[SCHEME] = proto.rpartition(",")[2].strip().lower()
        return self.get_response(request)
