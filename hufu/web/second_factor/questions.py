"""Asking somebody who is signed in to prove a second factor: by a code, or by a passkey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.http import QueryDict

from hufu.people.models import User
from hufu.web.second_factor.forms import CodeAgainForm, PasskeyAgainForm
from hufu.web.second_factor.proof import factors


@dataclass
class Question:
    """What is asked of a person who has at least one second factor. `posted` is the form that was answered."""

    user: User
    code: CodeAgainForm
    passkey: PasskeyAgainForm | None
    posted: CodeAgainForm | PasskeyAgainForm | None = None

    def is_answered(self) -> bool:
        """Say whether the answer is right. A right one is recorded in the session and in the log."""
        if self.posted is None or not self.posted.is_valid():
            return False
        self.posted.save()
        return True

    def options(self) -> dict[str, Any]:
        """Return what the browser asks the passkey. INVARIANT: of one session, only the newest question counts."""
        return begin_authentication(self.user)


def question(user: User, *, data: QueryDict | None = None, prefix: str | None = None) -> Question | None:
    """Return what to ask, or None for whoever has no second factor. `data` is what a form sent."""
    kinds = set(factors(user.pk).values_list("type", flat=True))
    if not kinds:
        return None
    before = f"{prefix}-" if prefix else ""
    code_data = data if data and f"{before}code" in data else None
    passkey_data = data if data and data.get(f"{before}credential") else None
    code = CodeAgainForm(code_data, user=user, prefix=prefix)
    passkey = None
    if Authenticator.Type.WEBAUTHN in kinds:
        passkey = PasskeyAgainForm(passkey_data, user=user, prefix=prefix)
    posted = passkey if passkey is not None and passkey.is_bound else code if code.is_bound else None
    return Question(user, code, passkey, posted)
