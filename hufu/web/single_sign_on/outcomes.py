"""How signing in at a provider ends: somebody is signed in, or is told that it did not work."""

from __future__ import annotations

from http import HTTPStatus

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from hufu.web.single_sign_on.arrivals import Arrival, Failed, account_of, record_failure
from hufu.web.single_sign_on.kinds import Provider


def signed_in(request: HttpRequest, provider: Provider, arrived: Arrival, page_wanted: str) -> HttpResponse:
    """Sign somebody in, through the second factor where the account asks for one."""
    user = account_of(request, provider, arrived)
    record_authentication(request, user, provider.method)
    return perform_login(request, Login(user=user, redirect_url=wanted(request, page_wanted)))


def wanted(request: HttpRequest, target: str) -> str:
    """Return the page of ours that somebody wants; never another site."""
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(target, hosts, require_https=request.is_secure())
    return target if is_ours else reverse("home")


def refused(request: HttpRequest, provider: Provider, failed: Failed) -> HttpResponse:
    """Say the same whatever the reason is; the log knows it."""
    record_failure(request, provider.method, failed)
    return render(request, "account/sso_failed.html", {"provider": provider}, status=HTTPStatus.FORBIDDEN)
