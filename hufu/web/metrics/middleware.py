"""The address of the figures: answered to this machine and to the networks that the operator named."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import split_domain_port, validate_host
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hufu import __version__
from hufu.core import addresses
from hufu.web import client
from hufu.web.metrics import ADDRESS, meters
from hufu.web.metrics.standing import Standing

LOOPBACK = addresses.networks("127.0.0.0/8, ::1")


class MetricsMiddleware:
    """Answers /metrics to whoever may read it; for everybody else there is no such page.

    INVARIANT: stands before whatever looks at host, session or database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._standing = Standing()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != ADDRESS or request.method not in ("GET", "HEAD") or not may_read(request):
            return self.get_response(request)
        return HttpResponse(
            self._figures(), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
        )

    def _figures(self) -> bytes:
        now = CollectorRegistry()
        now.register(self._standing)
        now.register(About())
        if meters.is_shared():
            MultiProcessCollector(now)
            return generate_latest(now)
        return generate_latest(now) + generate_latest(meters.METERS)


class About(Collector):
    """What the figures are about."""

    def collect(self) -> list[Metric]:
        """Return the version, and whether the counted figures are those of all processes."""
        build = GaugeMetricFamily("hufu_build_info", "The version that runs", labels=("version",))
        build.add_metric([__version__], 1)
        says = "1: counted figures are those of all processes of the site; 0: of the process that answered"
        return [build, GaugeMetricFamily("hufu_metrics_shared", says, value=float(meters.is_shared()))]


def may_read(request: HttpRequest) -> bool:
    """Say whether a request comes from this machine or from a network that the operator named.

    Whoever speaks for somebody else and is no trusted proxy is neither; nor is a browser that
    came by a name that is not the site's.
    """
    if not _is_ours(request):
        return False
    forwarded = client.is_forwarded(request)
    if forwarded and not client.through_trusted_proxy(request):
        return False
    address = client.address_of(request)
    return addresses.within(address, settings.METRICS_NETWORKS) or (
        addresses.within(address, LOOPBACK) and not forwarded
    )


def _is_ours(request: HttpRequest) -> bool:
    # A page can turn its own name to this machine (DNS rebinding), never an address.
    named = request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")
    host, _port = split_domain_port(named)
    is_address = addresses.address_of(host.removeprefix("[").removesuffix("]")) is not None
    return is_address or bool(host and validate_host(host, settings.ALLOWED_HOSTS))
