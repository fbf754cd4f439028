"""Setting up second factors, signing in with them, and proving again who one is."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account_views
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_post_parameters

from hufu.web.pages import page
from hufu.web.second_factor.proof import METHOD

FORM = ("GET", "POST")
hides_codes = sensitive_post_parameters("code", "password", "credential")


class ActivateAppView(totp_views.ActivateTOTPView):
    """Setting up an authenticator app. The first right code proves the factor for this session too."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        made = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        record_authentication(
            self.request, self.request.user, METHOD, id=made.pk, type=made.type, reauthenticated=True
        )
        return response


class BackView:
    """Leads back to the page that asked who one is; it never sends a form again by itself."""

    request: Any

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session.pop(STATE_SESSION_KEY, None)
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        return response


class PasswordAgainView(BackView, account_views.ReauthenticateView):
    """Asks for the password again: where there is no second factor yet."""


class CodeAgainView(BackView, base_views.ReauthenticateView):
    """Asks for a code again."""


security = page(signed_in=True)(base_views.IndexView.as_view())
authenticate = page(public=True, methods=FORM)(hides_codes(base_views.AuthenticateView.as_view()))
activate_app = page(signed_in=True, methods=FORM)(hides_codes(ActivateAppView.as_view()))
remove_app = page(signed_in=True, methods=FORM)(totp_views.DeactivateTOTPView.as_view())
show_recovery_codes = page(signed_in=True)(recovery_views.ViewRecoveryCodesView.as_view())
make_recovery_codes = page(signed_in=True, methods=FORM)(recovery_views.GenerateRecoveryCodesView.as_view())
password_again = page(signed_in=True, methods=FORM)(hides_codes(PasswordAgainView.as_view()))
code_again = page(signed_in=True, methods=FORM)(hides_codes(CodeAgainView.as_view()))
