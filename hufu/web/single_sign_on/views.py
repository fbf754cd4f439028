"""To an identity provider, and back by OpenID Connect; back by SAML is in `saml_views`."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from hufu.web.pages import page
from hufu.web.single_sign_on import oidc, saml
from hufu.web.single_sign_on.arrivals import Failed
from hufu.web.single_sign_on.attempts import keep, taken
from hufu.web.single_sign_on.kinds import OidcProvider, SamlProvider
from hufu.web.single_sign_on.outcomes import refused, signed_in, wanted
from hufu.web.single_sign_on.providers import providers


@page(public=True, limit="sensitive")
def start(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send the visitor to the provider, and keep in their session what its answer must fit."""
    provider = providers().get(key)
    if provider is None:
        raise Http404
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted(request, request.GET.get("next", "")))
    try:
        match provider:
            case OidcProvider():
                attempt = oidc.Attempt.new()
                target = oidc.address_of_provider(provider, attempt, address(key))
                keep(request, key, attempt.state, {"nonce": attempt.nonce, "verifier": attempt.verifier})
            case SamlProvider():
                name, target = saml.request_for(provider, saml.own_of(provider))
                keep(request, key, name, {})
            case _:
                raise Http404
    except Failed as failed:
        return refused(request, provider, failed)
    return HttpResponseRedirect(target)


@page(public=True, limit="sensitive")
@sensitive_variables()
def callback(request: HttpRequest, key: str) -> HttpResponseBase:
    """Sign in whom an OpenID provider's answer is about."""
    provider = providers().get(key)
    if not isinstance(provider, OidcProvider):
        raise Http404
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


def address(key: str) -> str:
    """Return where the provider sends people back to: below HUFU_ORIGIN, whatever host the request named."""
    return str(settings.HUFU_ORIGIN) + reverse("sso_callback", args=[key])
