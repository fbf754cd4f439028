"""Step-up in place: a request that lacks only a fresh second factor is asked for one, then answered as it was.

    the view or deed raises SecondFactorNeeded
    → a page that asks for the factor, and carries method, path and fields of the request as hidden inputs
    → the answer comes to /accounts/step-up/, which sends the browser on to the path, fields and all (307)

INVARIANT: nothing is kept on the server and nothing is answered here: the request passes every check again, the
token of its form too. Requests of htmx get a dialog; the page below it, with all that was typed, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from hufu.core.transaction import acting, current_actor
from hufu.people.models import User
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.second_factor.questions import Question, question
from hufu.web.second_factor.required import BACK

PREFIX = "step_up"
TOKEN = "csrfmiddlewaretoken"
MARK = "Hufu-Step-Up"
PROVEN = "step-up-proven"


@dataclass
class Original:
    """The request that is to be answered, as it is carried: the fields in their order, and none of its files."""

    method: str
    path: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    has_files: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> Original:
        """Return what a request asked."""
        if request.method != "POST":
            return cls("GET", request.get_full_path())
        return cls("POST", request.get_full_path(), list(_fields(request.POST)), bool(request.FILES))

    @classmethod
    def carried_by(cls, form: QueryDict) -> Original:
        """Return what the page carried. A path of another site becomes the first page."""
        path = form.get(f"{PREFIX}-path", "")
        if not path.startswith("/") or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
            path = reverse("home")
        method = "POST" if form.get(f"{PREFIX}-method") == "POST" else "GET"
        return cls(method, path, list(_fields(form)), form.get(f"{PREFIX}-files") == "1")


def ask(request: HttpRequest, message: str = "") -> HttpResponse:
    """Answer a request that lacks a fresh second factor."""
    passage = cast(Passage, request)
    with acting(passage.actor):
        return _ask(passage, Original.of(request), question(_person(request), prefix=PREFIX), message)


@page(signed_in=True, methods=("POST",))
@sensitive_post_parameters()
def step_up(request: Passage) -> HttpResponse:
    """Take the answer. Where it is right, or a factor was set up meanwhile, the request goes on its way."""
    original = Original.carried_by(request.POST)
    asked = question(_person(request), data=request.POST, prefix=PREFIX)
    if asked is not None and asked.posted is not None and not asked.is_answered():
        return _ask(request, original, asked)
    if is_htmx(request):
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": PROVEN})
    onward = HttpResponseRedirect(original.path)
    if original.method == "POST" and not original.has_files:
        onward.status_code = HTTPStatus.TEMPORARY_REDIRECT
    return onward


def is_htmx(request: HttpRequest) -> bool:
    """Say whether the answer goes into a part of the page."""
    return request.headers.get("HX-Request") == "true"


def _ask(request: Passage, original: Original, asked: Question | None, message: str = "") -> HttpResponse:
    assert current_actor() is not None
    if asked is None and original.method == "GET" and not is_htmx(request):
        request.session[BACK] = original.path
    context: dict[str, Any] = {"original": original, "asked": asked, "message": message, "prefix": PREFIX}
    if not is_htmx(request):
        content = render_to_string("second_factor/step_up.html", context, request)
        return HttpResponse(content, status=HTTPStatus.FORBIDDEN)
    content = render_to_string("second_factor/dialog.html", context, request)
    headers = {MARK: "1", "HX-Retarget": "#step-up", "HX-Reswap": "innerHTML", "HX-Reselect": "dialog"}
    return HttpResponse(content, headers=headers)


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)


def _fields(form: QueryDict) -> Iterator[tuple[str, str]]:
    for name, values in form.lists():
        if name != TOKEN and not name.startswith(f"{PREFIX}-"):
            yield from ((name, str(value)) for value in values)
