"""The browsers in which somebody signed in: known again by a token, trusted for a time, forgotten."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from hufu.core import clock
from hufu.people import sessions
from hufu.people.models import Device, Session, User

# A browser that nobody signed in with for so long is new when it comes back.
KEPT = timedelta(days=180)


def trust_limit() -> timedelta:
    """Return how long a browser stays trusted."""
    return timedelta(days=settings.HUFU_TRUSTED_DEVICE_DAYS)


def hash_of(token: str) -> str:
    """Return what is kept of a token. It is random and long: nobody finds it from its hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def known(user_id: int, token: str) -> Device | None:
    """Return the browser of this token, if this person signed in with it before."""
    if not token:
        return None
    since = clock.now() - KEPT
    return Device.objects.filter(user_id=user_id, hash=hash_of(token), last_seen_at__gt=since).first()


def is_trusted(device: Device | None, token: str, now: datetime) -> bool:
    """Say whether a browser is trusted that shows this token; no browser, another token and no time left are not."""
    return (
        device is not None
        and bool(token)
        and device.hash == hash_of(token)
        and device.trusted_until is not None
        and now < device.trusted_until
    )


def of(user_id: int) -> QuerySet[Device]:
    """Return somebody's browsers, the last used first."""
    return Device.objects.filter(user_id=user_id, last_seen_at__gt=clock.now() - KEPT).order_by(
        "-last_seen_at", "-id"
    )


def may_confirm(here: Device | None, user_id: int) -> bool:
    """Say whether a browser vouches for somebody: confirms and forgets browsers, makes itself a trusted one.

    INVARIANT: a browser vouches for none, itself included, unless it was confirmed before, or none ever was, forgotten
    ones included. So who comes in with a stolen password cannot take the notice away from the person.
    """
    return (here is not None and here.confirmed_at is not None) or not (
        User.objects.filter(pk=user_id, device_confirmed_at__isnull=False).exists()
        or Device.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()
    )


def confirm(device: Device) -> None:
    """Note that a browser is its person's own, and for good that one was."""
    now = clock.now()
    Device.objects.filter(pk=device.pk, confirmed_at__isnull=True).update(confirmed_at=now)
    User.objects.filter(pk=device.user_id, device_confirmed_at__isnull=True).update(device_confirmed_at=now)


def start_anew(user_id: int) -> None:
    """Let the next browser of somebody vouch for itself, as the first one did, where none is confirmed any more."""
    if not Device.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists():
        User.objects.filter(pk=user_id, device_confirmed_at__isnull=False).update(device_confirmed_at=None)


def end_trust(devices: QuerySet[Device]) -> int:
    """Let browsers not be trusted any longer; return how many were."""
    return devices.filter(trusted_until__gt=clock.now()).update(trusted_until=None)


def forget(devices: QuerySet[Device]) -> int:
    """Forget browsers and end what is open in them; return how many sessions that were."""
    with transaction.atomic():
        numbers = list(devices.values_list("pk", flat=True))
        ended = sessions.end(Session.objects.filter(device_id__in=numbers))
        Device.objects.filter(pk__in=numbers).delete()
    return ended
