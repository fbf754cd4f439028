"""What an identity provider by SAML comes to: our description, and where the visitor's browser posts its answer.

The provider's page posts the answer from another site, and our session cookie (SameSite=Lax) does not travel with
such a post. Loosening the cookie would weaken every form of the site, and an answer without its session would sign in
whoever brings it: an attacker could put you into their own account. So it goes in two steps:

1. `answer` is where the provider's page posts to. It has no cookie, believes nothing, keeps nothing and sets no cookie
   (one would push the visitor's session out): it hands the answer back on a page of ours, which posts it at once.
2. `arrive` gets it from that page, with the session. The request that the answer names must be one that this very
   session made and has not used. An answer to an attacker's request fits no session but the attacker's.

Neither has the token of a form: the first is posted by another site, the second repeats what came from it. What a
token proves, that the visitor began this themselves, the request in the session proves. RelayState is not read: the
page that somebody wants is kept in the session, too. A provider that begins by itself is refused.
"""

from __future__ import annotations

import time

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from hufu.web.pages import page
from hufu.web.single_sign_on import saml
from hufu.web.single_sign_on.arrivals import Failed
from hufu.web.single_sign_on.attempts import SECONDS_TO_RETURN, once, taken
from hufu.web.single_sign_on.kinds import SamlProvider
from hufu.web.single_sign_on.outcomes import refused, signed_in
from hufu.web.single_sign_on.providers import providers
from hufu.web.single_sign_on.saml_fence import SECONDS_BETWEEN_CLOCKS


@page(public=True)
def metadata(request: HttpRequest, key: str) -> HttpResponse:
    """Show how we describe ourselves to a provider: our name, and where answers are posted."""
    provider = provider_of(key)
    described = saml.metadata(provider, saml.own_of(provider))
    return HttpResponse(described, content_type="application/samlmetadata+xml")


@csrf_exempt
@never_cache
@sensitive_post_parameters("SAMLResponse")
@page(public=True, methods=("POST",), limit="sensitive")
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """Hand the provider's answer back to the visitor's browser, which posts it to `arrive` from our own page."""
    provider = provider_of(key)
    posted = request.POST.get("SAMLResponse", "")
    if not 0 < len(posted) <= saml.LONGEST_ANSWER:
        return refused(request, provider, Failed("wrong_answer"))
    return render(request, "account/sso_arriving.html", {"provider": provider, "answer": posted})


@csrf_exempt
@never_cache
@sensitive_post_parameters("SAMLResponse")
@sensitive_variables()
@page(public=True, methods=("POST",), limit="sensitive")
def arrive(request: HttpRequest, key: str) -> HttpResponseBase:
    """Sign in whom an answer is about that fits a request of this session."""
    provider = provider_of(key)
    if request.user.is_authenticated:
        return HttpResponseRedirect(reverse("home"))
    try:
        posted = saml.Answer(provider, saml.own_of(provider), request.POST.get("SAMLResponse", ""))
        kept = taken(request, key, posted.request)
        checked = posted.checked(kept["state"])
        good_for = checked.good_until + SECONDS_BETWEEN_CLOCKS - int(time.time())
        once("assertion", f"{provider.identity} {checked.assertion}", max(good_for, SECONDS_TO_RETURN))
        return signed_in(request, provider, checked.arrival, kept["next"])
    except Failed as failed:
        return refused(request, provider, failed)


def provider_of(key: str) -> SamlProvider:
    """Return a provider by SAML; raise Http404 where there is none of this key."""
    provider = providers().get(key)
    if not isinstance(provider, SamlProvider):
        raise Http404
    return provider
