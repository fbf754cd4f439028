"""Setting a new company up in the browser: the code, the company, the administrators, their links.

INVARIANT: from the moment that anything was entered here, by whomever, these pages are not there, for anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from hufu import audit
from hufu.access.company import AlreadySetUp, never_set_up
from hufu.access.models import Mode
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.setup_code import SetupCode, Verdict
from hufu.core.transaction import acting
from hufu.staffing import administrators
from hufu.staffing.invitations import invite
from hufu.web.middleware import context_of, visitor
from hufu.web.pages import page
from hufu.web.setup.forms import CodeForm, CompanyForm, PeopleForm

# What the session of whoever sets the company up holds.
OPENED, COMPANY = "setup_opened", "setup_company"
YEAR = 365 * 24 * 60 * 60

View = Callable[[HttpRequest], HttpResponseBase]


def before_set_up(view: View) -> View:
    """Answer only while nobody set the company up; then as if there were no such page.

    That is looked at before the form's own protection, so that its answer tells nothing either.
    """
    protected = csrf_protect(never_cache(view))

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if not never_set_up():
            raise Http404
        return protected(request)

    return guarded


@page(public=True, methods=("GET", "POST"))
@before_set_up
@sensitive_post_parameters()
def code(request: HttpRequest) -> HttpResponseBase:
    """Ask for the code, and remember in the session that it was right."""
    if request.method == "GET" and is_open(request):
        return HttpResponseRedirect(reverse("setup_company"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = setup_code().attempt(form.cleaned_data["code"])
        if found is Verdict.RIGHT:
            request.session.cycle_key()
            request.session[OPENED] = setup_code().fingerprint()
            log(request, "setup.opened")
            return HttpResponseRedirect(reverse("setup_company"))
        if found is Verdict.WRONG:
            log(request, "setup.refused", result="failed", reason="wrong_code")
            form.add_error("code", _("This is not the code. Look at the terminal where “hufu serve” runs."))
        else:
            form.add_error(
                "code",
                _(
                    "There is no valid code, perhaps after too many wrong attempts. Restart “hufu serve” on the "
                    "server: it prints a new one. Or run “hufu setup” there."
                ),
            )
    return show(request, "setup/code.html", 1, form=form)


@page(public=True, methods=("GET", "POST"))
@before_set_up
def company(request: HttpRequest) -> HttpResponseBase:
    """Ask for language, name and mode."""
    if not is_open(request):
        return HttpResponseRedirect(reverse("setup"))
    known = request.session.get(COMPANY) or {"mode": Mode.STANDARD.value}
    form = CompanyForm(request.POST or None, initial={**known, "language": get_language()})
    if request.method == "POST" and form.is_valid():
        request.session[COMPANY] = {name: form.cleaned_data[name] for name in ("name", "mode")}
        response = HttpResponseRedirect(reverse("setup_people"))
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            form.cleaned_data["language"],
            max_age=YEAR,
            secure=bool(settings.LANGUAGE_COOKIE_SECURE),
            samesite="Lax",
        )
        return response
    return show(request, "setup/company.html", 2, form=form)


@page(public=True, methods=("GET", "POST"))
@before_set_up
def people(request: HttpRequest) -> HttpResponseBase:
    """Ask for the administrators, set the company up, and show their links this once."""
    if not is_open(request):
        return HttpResponseRedirect(reverse("setup"))
    if COMPANY not in request.session:
        return HttpResponseRedirect(reverse("setup_company"))
    chosen = request.session[COMPANY]
    mode = Mode(chosen["mode"])
    form = PeopleForm(request.POST or None, mode=mode)
    if request.method == "POST" and form.is_valid():
        actor = Actor.setup(context_of(request))
        try:
            with acting(actor):
                appointed = administrators.appoint(
                    actor, form.posts(), mode=mode, company_name=chosen["name"]
                )
                invited = [(one, invite(actor, one.user)) for one in appointed]
        except AlreadySetUp:
            raise Http404 from None
        except Invalid as invalid:
            form.refuse(invalid)
        else:
            setup_code().withdraw()
            request.session.flush()
            return show(request, "setup/done.html", 4, invited=invited, mode=mode)
    return show(request, "setup/people.html", 3, form=form, groups=form.groups(), mode=mode)


def is_open(request: HttpRequest) -> bool:
    """Say whether this session entered the code that is valid now."""
    opened = request.session.get(OPENED)
    return opened is not None and opened == setup_code().fingerprint()


def setup_code() -> SetupCode:
    """Return the code of this installation."""
    return SetupCode(SecretFolder(settings.HUFU_SECRETS))


def show(request: HttpRequest, template: str, step: int, **context: Any) -> HttpResponse:
    """Render a step."""
    names = (_("Code"), _("Company"), _("Administrators"), _("Links"))
    steps = [(name, number == step, number < step) for number, name in enumerate(names, start=1)]
    return render(request, template, {"steps": steps, "spacious": step > 2, **context})


def log(request: HttpRequest, event: str, **more: Any) -> None:
    """Record what a visitor did here."""
    with transaction.atomic():
        audit.record(visitor(request), event, **more)
