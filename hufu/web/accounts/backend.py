"""Who may sign in: an active account with a usable password."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.http import HttpRequest

from hufu.core.text import is_storable
from hufu.people.models import User
from hufu.web.accounts import limits


class PasswordBackend(AuthenticationBackend):
    """Signs in by user name or email. A closed account fails like a wrong password."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Return who signs in with these credentials, or None.

        INVARIANT: exactly one password is hashed, whether there is such an account, a closed one, one without a
        password, one with too many failures, or none: the time that the answer takes tells nobody which.
        """
        password = credentials.get("password")
        if not password:
            return None
        user = None if limits.is_over(request) else candidate(limits.typed(credentials))
        if user is None:
            make_password(password)
            return None
        # Where the account has no usable password, this hashes in vain by itself.
        is_right = user.check_password(password)
        return user if is_right and self.user_can_authenticate(user) else None


def candidate(login: str) -> User | None:
    """Return the one account that is meant: of this user name, else the only one of this mail address."""
    if not login or not is_storable(login):
        return None
    found = list(User.objects.filter(Q(username=login) | Q(email__iexact=login)))
    by_name = [user for user in found if user.username == login]
    return by_name[0] if by_name else found[0] if len(found) == 1 else None
