"""What a way to a provider and back is recognised by: kept in the visitor's session, and taken once."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest

from hufu.web.single_sign_on.arrivals import Failed

ATTEMPTS = "hufu_sso"
MOST_ATTEMPTS = 5
SECONDS_TO_RETURN = 600


def keep(request: HttpRequest, key: str, state: str, what: dict[str, str]) -> None:
    """Keep an attempt in the session, with the page that the visitor wants; the oldest of many give way."""
    attempts: list[dict[str, Any]] = request.session.get(ATTEMPTS, [])
    new = {**what, "state": state, "key": key, "at": time.time(), "next": request.GET.get("next", "")[:2000]}
    request.session[ATTEMPTS] = [*attempts, new][-MOST_ATTEMPTS:]


def taken(request: HttpRequest, key: str, state: str) -> dict[str, Any]:
    """Return the attempt of this session that an answer belongs to, once; raise Failed for every other answer."""
    attempts: list[dict[str, Any]] = request.session.get(ATTEMPTS, [])
    found = next((kept for kept in attempts if state and kept["state"] == state and kept["key"] == key), None)
    if found is None:
        raise Failed("wrong_state")
    request.session[ATTEMPTS] = [kept for kept in attempts if kept is not found]
    # Sessions are read and written whole: of two answers at once, the shared cache lets one through.
    once("state", state, SECONDS_TO_RETURN)
    if time.time() - found["at"] > SECONDS_TO_RETURN:
        raise Failed("expired")
    return found


def once(what: str, name: str, seconds: int) -> None:
    """Raise Failed when something was seen before, in any process."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    if not cache.add(f"sso:{what}:{digest}", 1, timeout=seconds):
        raise Failed("replayed")
