"""The forms that ask for a code. A code opens once, and every failure is an event."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from hufu.people.models import User
from hufu.web.second_factor.sealing import seal, unseal
from hufu.web.second_factor.signals import record_failure

CONTROL = {"autocomplete": "one-time-code", "autofocus": True, "maxlength": 20, "placeholder": ""}


class CodeForm(AuthenticateForm):
    """Asks for the code of the app or a recovery code, to finish signing in."""

    step = "sign_in"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")
        self.fields["code"].widget.attrs.update(CONTROL)
        self.fields["code"].help_text = _(
            "The six digits that your app shows now, or one of your recovery codes."
        )

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()
            if self.authenticator.type == Authenticator.Type.TOTP:
                use_up(self.user, code)
        except ValidationError as error:
            fail(self.user, self.step, error)
            raise
        return code


class CodeAgainForm(CodeForm, ReauthenticateForm):
    """Asks somebody who is signed in for a code."""

    step = "step_up"

    def save(self) -> None:
        ReauthenticateForm.save(self)


class PasskeyForm(AuthenticateWebAuthnForm):
    """Asks a passkey, to finish signing in."""

    step = "sign_in"

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()
        except ValidationError as error:
            fail(self.user, self.step, error)
            raise


class PasskeyAgainForm(PasskeyForm):
    """Asks a passkey of somebody who is signed in."""

    step = "step_up"
    reauthenticated = True


class NewPasskeyForm(AddWebAuthnForm):
    """Takes a new passkey and its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_passkey(self)


class RenamePasskeyForm(EditWebAuthnForm):
    """Takes another name for a passkey."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_passkey(self)


class AppForm(ActivateTOTPForm):
    """Asks for the first code of a new authenticator app. Until it is right, its key is sealed in the session."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.user = kwargs.pop("user")
        forms.Form.__init__(self, *args, **kwargs)
        session = context.request.session
        if not self.is_bound or SECRET_SESSION_KEY not in session:
            session[SECRET_SESSION_KEY] = seal(generate_totp_secret())
        self.secret = unseal(session[SECRET_SESSION_KEY])
        self.fields["code"].label = _("Code from the app")
        self.fields["code"].widget.attrs.update(CONTROL | {"inputmode": "numeric"})

    def clean_code(self) -> str:
        code: str = super().clean_code()
        use_up(self.user, code)
        return code


def name_passkey(form: forms.Form) -> None:
    """Label the field of a passkey's name and say how long one may be."""
    form.fields["name"] = forms.CharField(
        label=_("Name of the passkey"), max_length=60, help_text=_("So that you know which one it is.")
    )


def fail(user: User, step: str, error: ValidationError) -> None:
    """Record that a factor was not proved."""
    is_limit = error.code == "too_many_login_attempts"
    record_failure(context.request, user, step=step, reason="too_many_failures" if is_limit else "wrong_code")


def use_up(user: User, code: str) -> None:
    """Take a right code of an app out of use for as long as it would be right; ValidationError where it was used."""
    lifetime = (2 * app_settings.TOTP_TOLERANCE + 1) * app_settings.TOTP_PERIOD
    if not cache.add(f"hufu.second-factor.used:{user.pk}:{normalize_user_code(code)}", True, lifetime):
        raise get_adapter().validation_error("incorrect_code")
