"""Links with which somebody sets their own password, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.staffing.actions import renew_link


@dataclass(frozen=True)
class Invitation:
    """A link that works once, until a moment. It is a secret: it is shown, and kept nowhere."""

    link: str
    valid_until: datetime

    def until(self) -> str:
        """Return the moment in the company's time, as a terminal shows it in any language."""
        return localtime(self.valid_until).strftime("%Y-%m-%d %H:%M")


def invite(actor: Actor, user: User, *, reason: str = "") -> Invitation:
    """Return a link for the person and record that there is one; earlier ones that were not used are void.

    Password and sessions stay until it is used; then all sessions end. Raise Invalid for an account that is closed
    and for an administrator of another kind, Denied without user.manage and for oneself.
    """
    if not user.is_active:
        raise Invalid(
            {
                "user": [
                    _("The account of %s is suspended or has left. Make it active first, then invite again.")
                    % user.name
                ]
            }
        )
    renew_link(actor, user, reason=reason)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    return Invitation(
        settings.HUFU_ORIGIN + path, clock.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    )
