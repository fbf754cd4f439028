"""Who may sign in: an active account with a usable password."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.base_user import AbstractBaseUser


class PasswordBackend(AuthenticationBackend):
    """Signs in by user name or email. A closed account fails like a wrong password."""

    @classmethod
    def _stash_user(cls, user: AbstractBaseUser | None) -> AbstractBaseUser | None:
        """Forget whose password was right although the account is closed: nobody is told that it exists."""
        return None
