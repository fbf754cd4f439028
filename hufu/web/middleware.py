"""One transaction per request, in the name of whoever is signed in; and what a refusal looks like."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from hufu import audit
from hufu.access import gates, guard, quotas
from hufu.access.decision.decide import CODE_OF, Code
from hufu.core.actor import ANONYMOUS, Actor, Context
from hufu.core.database_refusals import refuses
from hufu.core.errors import (
    Conflict,
    Denied,
    GateClosed,
    HufuError,
    NotAsked,
    NotFound,
    NothingToDecide,
    Refusal,
    SecondFactorNeeded,
    TooLate,
    Unavailable,
)
from hufu.core.transaction import acting
from hufu.people import passwords
from hufu.people.models import User
from hufu.web import client, errors, limits
from hufu.web.accounts import device_cookie, register
from hufu.web.pages import Page, declared
from hufu.web.passage import Passage, TerminalRequest
from hufu.web.request_ids import number_of
from hufu.web.requests import links
from hufu.web.second_factor import required
from hufu.web.second_factor.proof import proven_at

logger = logging.getLogger(__name__)

CHANGE_PASSWORD = "account_change_password"
Answer = Callable[[HttpRequest], HttpResponseBase]


class RollBack(Exception):
    """The answer is made; what the request changed must not stay."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__()
        self.response = response


class ActingMiddleware:
    """Answers a request as its actor, in one transaction that is committed before the first byte leaves.

    INVARIANT: stands last, so that nothing of this project runs outside the transaction. A view that raises
    leaves nothing behind; a Refusal leaves its event (see `acting`). Anonymous requests take no identity.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        passage = cast(Passage, request)
        passage.fault = None
        try:
            passage.actor = actor_of(request)
            response = self._answer(passage)
            device_cookie.hand_out(passage, response)
        except HufuError as error:
            response = error_page(passage, error)
        except RollBack as done:
            response = done.response
        except Exception:
            # The database is away, or the event of a refusal could not be written: nothing was done.
            logger.exception("a request could not be answered")
            response = errors.unavailable(request)
        if is_somebodys(passage):
            # Pages of somebody are kept nowhere.
            add_never_cache_headers(response)
        return response

    def _answer(self, request: Passage) -> HttpResponseBase:
        if not request.actor.is_person:
            return self._respond(request)
        with acting(request.actor, place={"method": request.method or "", "path": request.path}):
            return self._respond(request)

    def _respond(self, request: Passage) -> HttpResponseBase:
        """Return the answer, or raise what the view raised, so that the transaction ends as it must."""
        response = self.get_response(request)
        if request.fault is not None and is_answered(request, request.fault):
            raise request.fault
        if request.fault is not None or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RollBack(response)
        for warning in quotas.take_warnings():
            # No page of this answer has shown it: the next one does.
            messages.warning(request, warning)
        return response

    def process_view(
        self, request: Passage, view: Any, arguments: tuple[Any, ...], names: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Ask what the page declares before the view runs."""
        page = declared(view)
        if page is None:
            raise ImproperlyConfigured(f"{request.path} has no declared permission (hufu.web.pages.page).")
        if page.signed_in and not request.actor.is_person:
            return to_sign_in(request)
        if page.signed_in and (response := self._gates_first(request)):
            return response
        if page.signed_in and (
            response := self._second_factor_first(request) or self._new_password_first(request)
        ):
            return response
        if (request.method or "") not in answered(page):
            return errors.not_allowed(request, answered(page))
        if page.limit and (wait := limits.exceeded(request, request.actor, page.limit)):
            return errors.too_many(request, seconds=wait.seconds)
        if page.permission and not page.of_record:
            try:
                guard.authorize(request.actor, page.permission)
            except Refusal as refusal:
                return self.process_exception(request, refusal)
        return None

    def _gates_first(self, request: Passage) -> HttpResponseBase | None:
        """Refuse whoever is behind a closed gate; where only a second factor is missing, serve what proves one."""
        try:
            gates.refuse_the_person()
        except SecondFactorNeeded as refusal:
            name = request.resolver_match.url_name if request.resolver_match else ""
            if name in required.OPEN:
                return None
            if required.has_none(request.actor):
                return required.to_enrolment(request)
            return self.process_exception(request, refusal)
        except GateClosed as refusal:
            return self.process_exception(request, refusal)
        return None

    def _second_factor_first(self, request: Passage) -> HttpResponseBase | None:
        """Lead whoever must prove a second factor to just that, on every page but those that serve it."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        if name in required.OPEN or not required.is_missing(request.actor):
            return None
        if required.has_none(request.actor):
            return required.to_enrolment(request)
        return self.process_exception(request, SecondFactorNeeded(None))

    def _new_password_first(self, request: Passage) -> HttpResponseBase | None:
        """Lead whoever must choose another password to just that; a second factor that is missing comes before it."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        if name == CHANGE_PASSWORD or not passwords.is_too_old(cast(User, request.user)):
            return None
        if required.is_missing(request.actor):
            return None
        target = reverse(CHANGE_PASSWORD)
        if request.headers.get("HX-Request"):
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": target})
        return HttpResponseRedirect(target)

    def process_exception(self, request: Passage, exception: Exception) -> HttpResponseBase | None:
        """Keep what the view raised; errors of ours get their page when the transaction has ended."""
        request.fault = exception
        return HttpResponse() if is_answered(request, exception) else None


def is_answered(request: Passage, fault: Exception) -> bool:
    """Say whether a fault has a page of its own: errors of ours, and what the database refused after the guard."""
    if isinstance(fault, HufuError):
        return True
    return request.actor.is_person and refuses(fault) and bool(guard.allowed_so_far())


def actor_of(request: HttpRequest) -> Actor:
    """Return who acts in this request, and from where. No parameter, header or body field can name them."""
    user = request.user
    if not user.is_authenticated:
        end_closed_session(request)
        return visitor(request)
    if why := register.check_in(request, user):
        end_session(request, user, why)
        return visitor(request)
    return Actor(user.pk, user.get_full_name(), context_of(request))


def end_closed_session(request: HttpRequest) -> None:
    """End a session that names an account which is not active: it stays ended when the account opens again."""
    if SESSION_KEY in request.session:
        request.session.flush()


def end_session(request: HttpRequest, user: User, why: str) -> None:
    """Sign somebody out whose session is over; where a limit ended it, they are told and the log says so."""
    if why != register.ENDED:
        register.leave(request)
        themselves = Actor(user.pk, user.get_full_name(), context_of(request))
        audit.record(themselves, "auth.session_ended", reason=why, data={"count": 1})
    request.session.flush()
    request.user = AnonymousUser()
    if why != register.ENDED:
        messages.info(
            request, _("Your session reached its limit. Sign in again; you come back to where you were.")
        )


def is_somebodys(request: Passage) -> bool:
    """Say whether an answer is for somebody who is signed in; asks no database that may be away."""
    actor: Actor | None = getattr(request, "actor", None)
    # Whoever has an actor has a user that was looked up; signing in replaces it.
    return actor is None or actor.is_person or request.user.is_authenticated


def visitor(request: HttpRequest) -> Actor:
    """Return the actor of a request in which nobody is signed in."""
    return Actor(ANONYMOUS.user_id, ANONYMOUS.name, context_of(request))


def context_of(request: HttpRequest) -> Context:
    """Return where a request comes from."""
    return Context(
        request_id=number_of(request),
        session=request.session.session_key or "",
        address=client.address_of(request),
        agent=request.META.get("HTTP_USER_AGENT", ""),
        channel="cli" if isinstance(request, TerminalRequest) else "web",
        second_factor_at=proven_at(request),
        trusted_device=device_cookie.is_trusted(request),
    )


def answered(page: Page) -> list[str]:
    """Return the methods that a page answers."""
    return [*page.methods, "HEAD"] if "GET" in page.methods else list(page.methods)


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send somebody who is not signed in to the sign-in page, and back here afterwards if they wanted to read."""
    target = resolve_url(settings.LOGIN_URL)
    if request.method == "GET":
        target = f"{target}?{urlencode({'next': page_of(request)})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def page_of(request: HttpRequest) -> str:
    """Return the address of the page that somebody looks at: a part of a page names the whole one."""
    shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    if request.headers.get("HX-Request") and shown.path:
        return shown._replace(scheme="", netloc="", fragment="").geturl()
    return request.get_full_path()


def error_page(request: HttpRequest, error: HufuError) -> HttpResponseBase:
    """Return the page that says what happened, why, and what to do next."""
    match error:
        case NotFound():
            return errors.not_found(request)
        case GateClosed():
            return errors.closed(request, message=str(error))
        case SecondFactorNeeded():
            # The forms that ask record failures as `context_of` says, so they come after this module.
            from hufu.web.second_factor import step_up

            return step_up.ask(request, str(error))
        case Denied(decision=decision) if decision is not None and decision.code in (
            Code.GATE_CLOSED,
            Code.QUOTA_EXHAUSTED,
        ):
            return errors.closed(request, message=str(error), framed=True)
        case Denied(decision=decision) if decision is not None and decision.code in CODE_OF.values():
            return errors.in_state(request, message=str(error))
        case Denied(decision=decision) if decision is not None and decision.code in (
            Code.PROHIBITED,
            Code.OUTSIDE_CEILING,
        ):
            return errors.whatever_roles_allow(request, message=str(error))
        case NotAsked():
            return errors.in_state(request, message=str(error))
        case Denied():
            return errors.denied(
                request,
                message=str(error),
                ask=links.from_denied(error),
                why=links.why_denied(error),
                back=links.back_from_denied(error),
            )
        case NothingToDecide():
            return errors.nothing_to_decide(request)
        case TooLate():
            return errors.too_late(request, message=str(error))
        case Conflict():
            return errors.conflict(request)
        case Unavailable():
            return errors.unavailable(request)
        case _:
            return errors.bad_request(request, message=str(error))
