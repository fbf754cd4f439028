"""Who must have a second factor, and what happens until they have proved it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from hufu.access import guard, registry
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.web.second_factor.proof import factors

# What one needs to set up a first factor, or to prove one that stands.
OPEN = frozenset(
    {
        "account_reauthenticate",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_view_recovery_codes",
        "step_up",
    }
)
# Where the way led when somebody was sent to set up their first factor.
BACK = "hufu_second_factor_back"


def is_missing(actor: Actor) -> bool:
    """Say whether the actor must prove a second factor before anything else, and this session has not."""
    return (
        settings.HUFU_SECOND_FACTOR == settings.SECOND_FACTOR_REQUIRED
        and actor.context.second_factor_at is None
        and administers(actor)
    )


def administers(actor: Actor) -> bool:
    """Say whether the actor holds a system permission that is more than a look at names."""
    return any(
        guard.may(actor, permission.name)
        for permission in registry.permissions()
        if registry.type_of(permission.name) is None and permission.risk is not Risk.LOW
    )


def has_none(actor: Actor) -> bool:
    """Say whether the actor has no second factor at all."""
    return not factors(actor.user_id).exists()


def to_enrolment(request: HttpRequest) -> HttpResponse:
    """Send somebody to set up their first factor, and back here afterwards if they wanted to read."""
    target = reverse("mfa_index")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    if request.method == "GET":
        request.session[BACK] = request.get_full_path()
    return HttpResponseRedirect(target)
