"""Setting up second factors, signing in with them, and proving again who one is."""

from __future__ import annotations

from typing import Any, cast

from allauth.account import views as account_views
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.internal.stagekit import unstash_login
from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as webauthn_views
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters

from hufu.people.models import User
from hufu.staffing import devices
from hufu.web.accounts import device_cookie, pending
from hufu.web.accounts.adapter import WRONG
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.second_factor.proof import METHOD, factors, proofs
from hufu.web.second_factor.questions import question
from hufu.web.second_factor.required import BACK, has_none, is_missing
from hufu.web.second_factor.signals import record_change

FORM = ("GET", "POST")
hides_codes = sensitive_post_parameters("code", "password", "credential")


class AuthenticateView(base_views.AuthenticateView):
    """The second half of signing in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask nothing, and use up no code, where the first half does not stand any longer."""
        if not request.user.is_authenticated and (begun := unstash_login(request, peek=True)):
            user = cast(User, begun.user)
            if not pending.stands(request, user):
                return pending.refuse(request, user, str(WRONG))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kinds = set(factors(self.stage.login.user.pk).values_list("type", flat=True))
        return {**super().get_context_data(**kwargs), "has_passkey": Authenticator.Type.WEBAUTHN in kinds}


class SecurityView(base_views.IndexView):
    """My security: which factors there are, and whether one must be set up first."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        actor = cast(Passage, self.request).actor
        return {**super().get_context_data(**kwargs), "must": is_missing(actor) and has_none(actor)}


class ActivateAppView(totp_views.ActivateTOTPView):
    """Setting up an authenticator app."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_proof(self.request, Authenticator.Type.TOTP)
        return response


class AddPasskeyView(webauthn_views.AddWebAuthnView):
    """Setting up a passkey."""

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_proof(self.request, Authenticator.Type.WEBAUTHN)
        return response


class RenamePasskeyView(webauthn_views.EditWebAuthnView):
    """Giving a passkey another name."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_change("auth.second_factor_renamed", form.instance)
        return response


class RemovePasskeyView(webauthn_views.RemoveWebAuthnView):
    """Removing a passkey."""

    success_url = reverse_lazy("mfa_index")


class RecoveryCodesView(recovery_views.ViewRecoveryCodesView):
    """The recovery codes, once; from here the way leads back to what asked for a second factor."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "back": self.request.session.pop(BACK, "")}


class PasswordAgainView(account_views.ReauthenticateView):
    """Asks for the password again, where there is no second factor yet; then leads back to what asked for it."""

    def form_valid(self, form: Any) -> HttpResponse:
        # No form is sent again by itself.
        self.request.session.pop(STATE_SESSION_KEY, None)
        return super().form_valid(form)


def record_proof(request: HttpRequest, kind: Authenticator.Type) -> None:
    """Have the factor that was just set up count as proved: its first answer was right.

    Where the browser does not vouch, the factor proves nobody to be the person, and the others are told of it.
    """
    made = Authenticator.objects.filter(user_id=request.user.pk, type=kind).latest("created_at")
    here = device_cookie.here(request)
    vouches = devices.vouches(cast(Passage, request).actor, here, proofs(request))
    # In the factor itself: whether it proves its person, and the browser that tells of it where it does not.
    made.data |= {"vouches": vouches, "device": None if vouches or here is None else here.pk}
    made.save(update_fields=["data"])
    record_authentication(request, request.user, METHOD, id=made.pk, type=made.type, reauthenticated=True)


@page(signed_in=True, methods=FORM)
@hides_codes
def prove_again(request: Passage) -> HttpResponse:
    """Ask for a second factor before something that concerns the sign-in, and lead back to it."""
    way = request.POST.get("next") or request.GET.get("next") or ""
    back = way if url_has_allowed_host_and_scheme(way, allowed_hosts=None) else reverse("mfa_index")
    asked = question(cast(User, request.user), data=request.POST)
    if asked is None:
        return HttpResponseRedirect(reverse("mfa_index"))
    if asked.is_answered():
        request.session.pop(STATE_SESSION_KEY, None)
        return HttpResponseRedirect(back)
    return render(request, "second_factor/prove_again.html", {"asked": asked, "back": back})


security = page(signed_in=True)(SecurityView.as_view())
authenticate = page(public=True, methods=FORM)(hides_codes(AuthenticateView.as_view()))
activate_app = page(signed_in=True, methods=FORM)(hides_codes(ActivateAppView.as_view()))
remove_app = page(signed_in=True, methods=FORM)(totp_views.DeactivateTOTPView.as_view())
add_passkey = page(signed_in=True, methods=FORM)(hides_codes(AddPasskeyView.as_view()))
rename_passkey = page(signed_in=True, methods=FORM)(RenamePasskeyView.as_view())
remove_passkey = page(signed_in=True, methods=FORM)(RemovePasskeyView.as_view())
show_recovery_codes = page(signed_in=True)(RecoveryCodesView.as_view())
make_recovery_codes = page(signed_in=True, methods=FORM)(recovery_views.GenerateRecoveryCodesView.as_view())
password_again = page(signed_in=True, methods=FORM)(hides_codes(PasswordAgainView.as_view()))
