"""The cookie by which a browser is known again, and what a request knows of its browser.

The cookie holds a random token and nothing about anybody; it is signed, and the database keeps the token's hash. It
proves nobody's identity: with it alone nobody signs in.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from hufu.core import clock
from hufu.people import devices
from hufu.people.models import Device

SALT = "hufu.device"
TOKEN_BYTES = 32
_HERE = "hufu_device"
_TO_HAND_OUT = "hufu_device_token"


def new_token() -> str:
    """Return a token that nobody has."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_of(request: HttpRequest) -> str:
    """Return the token that a browser shows; nothing where it shows none, or one that this site did not sign."""
    return str(
        request.get_signed_cookie(
            settings.DEVICE_COOKIE_NAME,
            default="",
            salt=SALT,
            max_age=int(devices.KEPT.total_seconds()),
        )
    )


def give(request: HttpRequest, token: str) -> None:
    """Have the answer to this request hand the token to the browser."""
    setattr(request, _TO_HAND_OUT, token)


def hand_out(request: HttpRequest, response: HttpResponseBase) -> None:
    """Put the token that the browser is to keep into the answer. Called when what was done is committed."""
    if token := getattr(request, _TO_HAND_OUT, ""):
        response.set_signed_cookie(
            settings.DEVICE_COOKIE_NAME,
            token,
            salt=SALT,
            max_age=int(devices.KEPT.total_seconds()),
            secure=settings.HTTPS,
            httponly=True,
            samesite="Lax",
        )


def set_here(request: HttpRequest, device: Device | None) -> None:
    """Note in which browser the session of a request was opened."""
    setattr(request, _HERE, device)


def here(request: HttpRequest) -> Device | None:
    """Return the browser in which the session of a request was opened, where it is known."""
    device: Device | None = getattr(request, _HERE, None)
    return device


def is_trusted(request: HttpRequest) -> bool:
    """Say whether the session of a request was opened in a trusted browser, and is still there."""
    device = here(request)
    return device is not None and devices.is_trusted(device, token_of(request), clock.now())


def would_be_trusted(request: HttpRequest, user_id: int) -> bool:
    """Say whether this browser is a trusted one of somebody who is about to sign in."""
    token = token_of(request)
    return devices.is_trusted(devices.known(user_id, token), token, clock.now())
