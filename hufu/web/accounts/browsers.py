"""The browsers in which one signed in: trusting this one, saying that a new one is one's own, forgetting one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.core import clock
from hufu.core.actor import ANONYMOUS, Actor
from hufu.core.errors import Invalid
from hufu.people import devices
from hufu.people.models import Device
from hufu.staffing import devices as deeds
from hufu.web.accounts import device_cookie
from hufu.web.accounts.devices import in_words
from hufu.web.accounts.register import NEW_DEVICE, ended_here
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.second_factor.proof import factors, proofs
from hufu.web.second_factor.step_up import is_htmx

# Of somebody who signed in with more, the last used are shown.
MOST_SHOWN = 50


class Where(TypedDict):
    """From which browser somebody does something, and which second factors they proved there."""

    here: Device | None
    proven: dict[int, datetime]


@dataclass(frozen=True)
class ShownDevice:
    """A browser as it is shown."""

    device: Device
    name: str
    is_this: bool
    is_trusted: bool
    # A second factor was set up in it that proves nobody yet.
    has_new_factor: bool = False


@dataclass(frozen=True)
class Notices:
    """What stands above a page: the first new browser, and how many more there are."""

    first: ShownDevice | None = None
    more: int = 0


def shown_devices(request: HttpRequest, user_id: int) -> list[ShownDevice]:
    """Return the browsers in which somebody signed in, the last used first."""
    here, now = device_cookie.here(request), clock.now()
    return [
        ShownDevice(
            device,
            in_words(device.agent),
            here is not None and device.pk == here.pk,
            device.trusted_until is not None and now < device.trusted_until,
        )
        for device in devices.of(user_id)[:MOST_SHOWN]
    ]


def notices(request: HttpRequest) -> Notices:
    """Return the new browsers of which whoever looks at a page must know.

    The one that just signed in for the first time is told so itself. Any other is told of in every session until it is
    confirmed or forgotten, in sessions that cannot confirm it too: some people lost all browsers that could.
    """
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    if not actor.is_person:
        return Notices()
    here = device_cookie.here(request)
    told, number = request.session.get(NEW_DEVICE, 0), here.pk if here is not None else 0
    waiting = devices.of(actor.user_id).filter(confirmed_at__isnull=True)
    if told != number:
        waiting = waiting.exclude(pk=number)
    # Those of others go first: what one just did oneself one knows.
    ordered = sorted(waiting, key=lambda device: device.pk == number)
    if not ordered:
        return Notices()
    first = ordered[0]
    is_here = first.pk == number
    factor = not is_here and factors(actor.user_id).filter(data__device=first.pk).exists()
    return Notices(ShownDevice(first, in_words(first.agent), is_here, False, factor), len(ordered) - 1)


@page(signed_in=True, methods=("POST",))
def confirm(request: Passage, device: int) -> HttpResponse:
    """Say that a new browser is one's own, and do not tell of it any more; say what helps where that cannot be said.

    In place where scripts run: nothing that was typed on the page is lost.
    """
    here = device_cookie.here(request)
    problem = ""
    try:
        deeds.confirm_device(request.actor, device, here=here, proven=proofs(request))
    except Invalid as invalid:
        problem = str(invalid)
    else:
        if here is not None and here.pk == device:
            request.session.pop(NEW_DEVICE, None)
    if is_htmx(request):
        context = {"new_devices": notices(request), "problem": problem, "back": _back(request)}
        return render(request, "account/device_notices.html", context)
    if problem:
        messages.error(request, problem)
    return HttpResponseRedirect(_back(request))


@page(signed_in=True, methods=("POST",), limit="sensitive")
def trust(request: Passage) -> HttpResponse:
    """Let this browser be a trusted one, after a fresh second factor."""
    token = device_cookie.new_token()
    here = device_cookie.here(request)
    try:
        deeds.trust_device(request.actor, here, token=token, proven=proofs(request))
    except Invalid as invalid:
        return _refused(request, invalid)
    request.session.pop(NEW_DEVICE, None)
    device_cookie.give(request, token)
    days = devices.trust_limit().days
    messages.success(
        request,
        ngettext(
            "This browser is a trusted device for %(count)s day.",
            "This browser is a trusted device for %(count)s days.",
            days,
        )
        % {"count": days},
    )
    return HttpResponseRedirect(reverse("my_sessions"))


@page(signed_in=True, methods=("POST",))
def end_trust(request: Passage, device: int) -> HttpResponse:
    """Let a browser of one's own not be trusted any longer."""
    try:
        deeds.end_trust(request.actor, device, user_id=request.actor.user_id, **_where(request))
    except Invalid as invalid:
        return _refused(request, invalid)
    messages.success(request, _("It is not a trusted device any more."))
    return HttpResponseRedirect(reverse("my_sessions"))


@page(signed_in=True, methods=("POST",))
def forget(request: Passage, device: int) -> HttpResponse:
    """Forget a browser of one's own, and end what is open in it."""
    try:
        ended = deeds.forget_device(request.actor, device, user_id=request.actor.user_id, **_where(request))
    except Invalid as invalid:
        return _refused(request, invalid)
    way = "account_login" if ended_here(request) else "my_sessions"
    say_forgotten(request, ended)
    return HttpResponseRedirect(reverse(way))


def say_forgotten(request: HttpRequest, ended: int) -> None:
    """Have the next page say that a browser is forgotten, and how many sessions ended in it."""
    messages.success(
        request,
        ngettext(
            "The device is forgotten; %(count)s session in it has ended.",
            "The device is forgotten; %(count)s sessions in it have ended.",
            ended,
        )
        % {"count": ended},
    )


def _refused(request: HttpRequest, invalid: Invalid) -> HttpResponse:
    messages.error(request, str(invalid))
    return HttpResponseRedirect(reverse("my_sessions"))


def _where(request: HttpRequest) -> Where:
    return {"here": device_cookie.here(request), "proven": proofs(request)}


def _back(request: HttpRequest) -> str:
    way = request.POST.get("next", "")
    return way if url_has_allowed_host_and_scheme(way, allowed_hosts=None) else reverse("my_sessions")
