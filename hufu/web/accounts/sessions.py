"""Where one is signed in, and leaving there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.people import devices as known_devices
from hufu.people import sessions
from hufu.people.models import Session
from hufu.staffing import sessions as deeds
from hufu.web.accounts import devices, register
from hufu.web.accounts.browsers import shown_devices
from hufu.web.pages import page
from hufu.web.passage import Passage


@dataclass(frozen=True)
class Shown:
    """A session as it is shown."""

    session: Session
    device: str
    is_this: bool


def shown_sessions(request: Passage, user_id: int) -> list[Shown]:
    """Return somebody's open sessions, the last used first."""
    here = register.entry(request)
    return [
        Shown(session, devices.in_words(session.agent), session.pk == here)
        for session in sessions.open_sessions(user_id)
    ]


@page(signed_in=True)
def my_sessions(request: Passage) -> HttpResponse:
    """Show where one is signed in."""
    shown = shown_sessions(request, request.actor.user_id)
    context = {"sessions": shown, "devices": shown_devices(request, request.actor.user_id), **limits()}
    return render(request, "account/sessions.html", context)


@page(signed_in=True, methods=("POST",))
def end_mine(request: Passage, session: int) -> HttpResponse:
    """End one session of one's own."""
    deeds.end_session(request.actor, session, user_id=request.actor.user_id)
    if register.ended_here(request):
        return HttpResponseRedirect(reverse("account_login"))
    messages.success(request, _("The session has ended: the next click there leads to the sign-in page."))
    return HttpResponseRedirect(reverse("my_sessions"))


@page(signed_in=True, methods=("POST",))
def end_my_others(request: Passage) -> HttpResponse:
    """End all sessions of one's own but this one."""
    actor = request.actor
    number = deeds.end_sessions(actor, user_id=actor.user_id, but=register.entry(request))
    say_ended(request, number)
    return HttpResponseRedirect(reverse("my_sessions"))


def say_ended(request: Passage, number: int) -> None:
    """Have the next page say how many sessions ended."""
    messages.success(
        request,
        ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", number)
        % {"count": number},
    )


def limits() -> dict[str, Any]:
    """Return the limits for the page: of a session, minutes of idleness and hours altogether; of trust, days."""
    return {
        "idle_minutes": int(sessions.idle_limit().total_seconds() // 60),
        "hours": int(sessions.absolute_limit().total_seconds() // 3600),
        "days": known_devices.trust_limit().days,
    }
