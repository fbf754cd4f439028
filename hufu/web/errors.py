"""The error pages. Absent and forbidden answer with the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hufu.core.actor import ANONYMOUS, Actor
from hufu.core.transaction import acting, current_actor
from hufu.web.request_ids import number_of
from hufu.web.requests import links
from hufu.web.toasts import Toast

A_FEW_MINUTES = 120


@dataclass(frozen=True)
class Fault:
    """What happened, why, and what to do next. `number` is what a person tells whoever looks for the reason, `ask` the
    address at which they can ask for what was refused, `why` that of the whole reason, `back` the record's own."""

    status: HTTPStatus
    title: str
    text: str
    retry: bool = False
    number: str = ""
    ask: str = ""
    why: str = ""
    back: str = ""


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.NOT_FOUND,
            _("There is no such page, or you may not view it"),
            _(
                "Check the address. If a colleague sent it to you, ask them, or the owner of the record, "
                "to give you access."
            ),
            ask=links.from_absent(request),
        ),
    )


def denied(
    request: HttpRequest,
    exception: Exception | None = None,
    *,
    message: str = "",
    ask: str = "",
    why: str = "",
    back: str = "",
) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.FORBIDDEN,
            message or _("You may not do this"),
            _(
                "None of your roles allows it here. The attempt is in the log. If you need it for your work, "
                "ask your security administrator and name this page."
            ),
            ask=ask,
            why=why,
            back=back,
        ),
    )


def whatever_roles_allow(request: HttpRequest, *, message: str) -> HttpResponse:
    """Return the page of what is forbidden to somebody, or is not what their token is made for."""
    return _page(
        request,
        Fault(
            HTTPStatus.FORBIDDEN,
            message,
            _(
                "This holds whatever your roles allow. The attempt is in the log. If you need it for your work, "
                "ask your security administrator and name this page."
            ),
        ),
    )


def in_state(request: HttpRequest, *, message: str) -> HttpResponse:
    """Return the page of what is refused for another reason than a missing role; `message` says which, such as the
    state of a record, which closes it to everybody."""
    return _page(request, Fault(HTTPStatus.FORBIDDEN, _("You may not do this"), message))


def closed(request: HttpRequest, *, message: str, framed: bool = False) -> HttpResponse:
    """Return the page of an access limit that is closed right now; `message` says what to do."""
    return _page(
        request,
        Fault(HTTPStatus.FORBIDDEN, _("This is closed to you right now"), message, retry=True),
        framed=framed,
    )


def bad_request(
    request: HttpRequest, exception: Exception | None = None, *, message: str = ""
) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.BAD_REQUEST,
            _("This request cannot be understood"),
            message or _("Go back, reload the page and try again."),
        ),
    )


def not_allowed(request: HttpRequest, methods: list[str]) -> HttpResponse:
    """Return the page for an address that answers, but not when it is opened like this; it names what it answers."""
    response = _page(
        request,
        Fault(
            HTTPStatus.METHOD_NOT_ALLOWED,
            _("This address cannot be opened like this"),
            _("It only takes what a button of another page sends. Go back and use the button there."),
        ),
    )
    response.headers["Allow"] = ", ".join(methods)
    return response


def conflict(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.CONFLICT,
            _("Somebody else changed this in the meantime"),
            _("Nothing was overwritten. Go back, reload the record and make your change again."),
        ),
    )


def nothing_to_decide(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.CONFLICT,
            _("There is nothing to decide here"),
            _("No request under this number waits for your decision."),
        ),
    )


def too_late(request: HttpRequest, *, message: str) -> HttpResponse:
    """Return the page of something that is done already; `message` says how it stands now."""
    return _page(
        request,
        Fault(HTTPStatus.CONFLICT, message, _("Nothing was changed. Go back and reload the page.")),
    )


def too_many(request: HttpRequest, exception: Exception | None = None, *, seconds: int = 0) -> HttpResponse:
    """Return the page of a limit; with the `seconds` to wait where they are known, and as a toast in a page."""
    if not seconds:
        fault = Fault(
            HTTPStatus.TOO_MANY_REQUESTS,
            _("Too many attempts"),
            _("Wait a few minutes, then try again."),
            retry=True,
        )
        response = _page(request, fault)
        response.headers["Retry-After"] = str(A_FEW_MINUTES)
        return response
    fault = Fault(
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Too many requests in a short time"),
        ngettext(
            "Wait %(seconds)d second, then try again. Nothing was changed.",
            "Wait %(seconds)d seconds, then try again. Nothing was changed.",
            seconds,
        )
        % {"seconds": seconds},
        retry=True,
    )
    response = _toast(fault) if request.headers.get("HX-Request") == "true" else _page(request, fault)
    response.headers["Retry-After"] = str(seconds)
    return response


def _toast(fault: Fault) -> HttpResponse:
    """Return an error that a part of a page met as a toast beside that part, which stays as it is."""
    toast = Toast(f"{fault.title}. {fault.text}", "red", "alert-circle", stays=False)
    return HttpResponse(
        render_to_string("parts/toast.html", {"toast": toast, "without_forms": True}),
        status=fault.status,
        headers={"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", "HX-Reselect": ".toast-note"},
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.FORBIDDEN,
            _("This form is no longer valid"),
            _(
                "You may have signed in or out in another window. Go back, reload the page and send the form again."
            ),
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            _("Something went wrong on our side"),
            _(
                "Nothing was changed. Try again; if it happens again, tell your system administrator the number below."
            ),
            retry=True,
            number=number_of(request),
        ),
        framed=False,
    )


def unavailable(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        Fault(
            HTTPStatus.SERVICE_UNAVAILABLE,
            _("Hufu CRM is not available right now"),
            _("Nothing was changed. Try again in a moment."),
            retry=True,
            number=number_of(request),
        ),
        framed=False,
    )


def _page(request: HttpRequest, fault: Fault, *, framed: bool = True) -> HttpResponse:
    """Render a page; with the menu only where it can be asked who is there."""
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    context: dict[str, Any] = {"fault": fault, "without_forms": True}
    if not framed or not actor.is_person:
        context["bare"] = True
        content = render_to_string("fault.html", context, request)
    elif current_actor() is not None:
        content = render_to_string("fault.html", context, request)
    else:
        with acting(actor):
            content = render_to_string("fault.html", context, request)
    return HttpResponse(content, status=fault.status)
