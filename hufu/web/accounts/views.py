"""Signing in and out, and choosing a password."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from allauth.account import views as allauth_views
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from hufu.access import company
from hufu.core.errors import Unavailable
from hufu.people import passwords
from hufu.people.models import Status, User
from hufu.web.accounts import demo
from hufu.web.accounts.forms import SignInForm
from hufu.web.accounts.signals import DEMO
from hufu.web.pages import page
from hufu.web.single_sign_on.providers import providers


class SignInView(allauth_views.LoginView):
    """Signing in with a password; in demo mode also as one of the demo company's people.

    Where nobody set the company up yet, there is nobody to be, and the set-up page comes first.
    """

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # While the database is away nobody can sign in either, but the page stands.
        with suppress(Unavailable):
            if company.never_set_up():
                return HttpResponseRedirect(reverse("setup"))
        return super().get(request, *args, **kwargs)

    def get_form_class(self) -> type[SignInForm]:
        return SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "people": demo.offered(self.request),
            "providers": list(providers().values()),
        }


class ChangePasswordView(allauth_views.PasswordChangeView):
    """Choosing another password while signed in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send away whoever signs in without a password."""
        if not (request.user.is_authenticated and request.user.has_usable_password()):
            messages.info(
                request, _("You have no password to change. Ask your system administrator for a link.")
            )
            return HttpResponseRedirect(reverse("home"))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "must": passwords.is_too_old(self.request.user),
            "days": passwords.MOST_DAYS,
        }

    def get_default_success_url(self) -> str:
        return reverse("home")


class SetPasswordView(allauth_views.PasswordResetFromKeyView):
    """Choosing a password through a link that works once."""

    success_url = reverse_lazy("account_login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password and write its event in one transaction: the visitor has none yet."""
        with transaction.atomic():
            return super().form_valid(form)


sign_in = page(public=True, methods=("GET", "POST"))(SignInView.as_view())
sign_out = page(public=True, methods=("GET", "POST"))(allauth_views.LogoutView.as_view())
change_password = page(signed_in=True, methods=("GET", "POST"))(ChangePasswordView.as_view())
set_password = page(public=True, methods=("GET", "POST"))(SetPasswordView.as_view())


@page(public=True, methods=("POST",))
@sensitive_post_parameters()
def sign_in_as(request: HttpRequest) -> HttpResponse:
    """Sign in as one of the demo company's people, without a password; with the second factor of whoever has one."""
    username = request.POST.get("username", "")
    if username not in {person.username for person in demo.offered(request)}:
        raise Http404
    if request.user.is_authenticated:
        messages.info(request, _("You are signed in already. Sign out first to be somebody else."))
        return HttpResponseRedirect(reverse("home"))
    person = User.objects.filter(username=username, status=Status.ACTIVE).first()
    if person is None:
        raise Http404
    record_authentication(request, person, DEMO)
    return perform_login(request, Login(user=person, redirect_url=reverse("home")))
