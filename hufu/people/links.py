"""The secrets of links with which somebody chooses a password."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import F

from hufu.people.models import User


class LinkTokens(PasswordResetTokenGenerator):
    """A link works until it is used, until its time is over, and until there is a newer one of the same person
    or the account is closed.

    INVARIANT: a password voids none. Whoever has the old password and signs in with it, or changes it, stops nobody who
    was given a link because of that.
    """

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int | datetime) -> str:
        return f"{user.pk}|{timestamp}|{user.link_number}"  # type: ignore[attr-defined]


def void(user_id: int) -> None:
    """Let no link work any longer that somebody has: one was used."""
    User.objects.filter(pk=user_id).update(link_number=F("link_number") + 1)
