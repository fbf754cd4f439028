"""How many failures one account may have, by whichever of its names somebody tries.

Two counts stand side by side: allauth's, of what was typed, which says openly that one has to wait; and this one, of
the account behind it.

INVARIANT: this one is never told. Who is over it hears what a wrong password hears, with the right password too, and
that takes as long: else the failures of a user name would show up at the mail address of the same person, and so tell
that there is such an account. Names of nobody are counted in the same way.
"""

from __future__ import annotations

from typing import Any

from allauth.core.internal import ratelimit
from django.http import HttpRequest

from hufu.people.models import User

ACTION = "account_failed"
RATES = {ACTION: "5/300s/key"}
_OVER = "hufu_over_account_limit"


def typed(credentials: dict[str, Any]) -> str:
    """Return what somebody typed as their name."""
    return str(credentials.get("username") or credentials.get("email") or "")


def consume(request: HttpRequest, login: str, account: User | None) -> ratelimit.RateLimitUsage | None:
    """Count an attempt at the account that a name stands for; None where there were too many: the request is marked."""
    key = f"account:{account.pk}" if account is not None else f"name:{login.lower()}"
    used = ratelimit.consume(request, app="hufu", action=ACTION, config=RATES, key=key)
    if used is None:
        setattr(request, _OVER, True)
    return used


def clear(request: HttpRequest, account: User) -> None:
    """Forget the attempts at an account."""
    ratelimit.clear(request, app="hufu", action=ACTION, config=RATES, key=f"account:{account.pk}")


def is_over(request: HttpRequest | None) -> bool:
    """Say whether a request comes after too many failures of its account."""
    return bool(getattr(request, _OVER, False))
