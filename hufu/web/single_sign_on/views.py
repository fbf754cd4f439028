"""To an identity provider and back."""

from __future__ import annotations

import hashlib
import time
from http import HTTPStatus
from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables

from hufu.web.pages import page
from hufu.web.single_sign_on import oidc
from hufu.web.single_sign_on.arrivals import Arrival, Failed, account_of, record_failure
from hufu.web.single_sign_on.providers import OidcProvider, Provider, providers

ATTEMPTS = "hufu_sso"
MOST_ATTEMPTS = 5
SECONDS_TO_RETURN = 600


@page(public=True, limit="sensitive")
def start(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the visitor to the provider, and keep in their session what its answer must fit."""
    provider = provider_of(key)
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted(request, request.GET.get("next", "")))
    attempt = oidc.Attempt.new()
    try:
        target = oidc.address_of_provider(provider, attempt, address(key))
    except Failed as failed:
        return refused(request, provider, failed)
    keep(request, key, attempt.state, {"nonce": attempt.nonce, "verifier": attempt.verifier})
    return HttpResponseRedirect(target)


@page(public=True, limit="sensitive")
@sensitive_variables()
def callback(request: HttpRequest, key: str) -> HttpResponseBase:
    """Sign in whom an OpenID provider's answer is about."""
    provider = provider_of(key)
    if request.user.is_authenticated:
        return HttpResponseRedirect(reverse("home"))
    try:
        state = request.GET.get("state", "")
        kept = taken(request, key, state)
        attempt = oidc.Attempt(state, kept["nonce"], kept["verifier"])
        arrived = oidc.arrival(provider, attempt, address(key), request.GET.dict())
        return signed_in(request, provider, arrived, kept["next"])
    except Failed as failed:
        return refused(request, provider, failed)


def provider_of(key: str) -> OidcProvider:
    """Return a provider; raise Http404 where there is none of this key."""
    provider = providers().get(key)
    if not isinstance(provider, OidcProvider):
        raise Http404
    return provider


def address(key: str) -> str:
    """Return where the provider sends people back to: below HUFU_ORIGIN, whatever host the request named."""
    return str(settings.HUFU_ORIGIN) + reverse("sso_callback", args=[key])


def keep(request: HttpRequest, key: str, state: str, what: dict[str, str]) -> None:
    """Keep an attempt in the session, with the page that the visitor wants; the oldest of many give way."""
    attempts: list[dict[str, Any]] = request.session.get(ATTEMPTS, [])
    new = {**what, "state": state, "key": key, "at": time.time(), "next": request.GET.get("next", "")[:2000]}
    request.session[ATTEMPTS] = [*attempts, new][-MOST_ATTEMPTS:]


def taken(request: HttpRequest, key: str, state: str) -> dict[str, Any]:
    """Return the attempt of this session that an answer belongs to, once; raise Failed for every other answer."""
    attempts: list[dict[str, Any]] = request.session.get(ATTEMPTS, [])
    found = next((kept for kept in attempts if state and kept["state"] == state and kept["key"] == key), None)
    if found is None:
        raise Failed("wrong_state")
    request.session[ATTEMPTS] = [kept for kept in attempts if kept is not found]
    # Sessions are read and written whole: of two answers at once, the shared cache lets one through.
    once("state", state, SECONDS_TO_RETURN)
    if time.time() - found["at"] > SECONDS_TO_RETURN:
        raise Failed("expired")
    return found


def once(what: str, name: str, seconds: int) -> None:
    """Raise Failed when something was seen before, in any process."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    if not cache.add(f"sso:{what}:{digest}", 1, timeout=seconds):
        raise Failed("replayed")


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
