"""The secrets of links with which somebody chooses a password."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class LinkTokens(PasswordResetTokenGenerator):
    """A link works until it is used, until its time is over, and until there is a newer one of the same person
    or the account is closed."""

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int | datetime) -> str:
        return f"{super()._make_hash_value(user, timestamp)}|{user.link_number}"  # type: ignore[arg-type,attr-defined]
