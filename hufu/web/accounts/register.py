"""The register of open sign-ins, kept at every request: who came in, who is still here, whose time is over."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from hufu.core import clock
from hufu.people import devices, sessions
from hufu.people.models import Device, Session, User
from hufu.web import client
from hufu.web.accounts import device_cookie

# In the session: the number of its row in the register.
ENTRY = "hufu_session"
# In the session: the browser that it was opened in, while that is told to be a new one.
NEW_DEVICE = "hufu_new_device"
# Not in the register: it was ended elsewhere.
ENDED = "ended"
# "Last seen" is written at most this often.
PRECISION = timedelta(minutes=1)
AGENT_LENGTH = Session._meta.get_field("agent").max_length


def enter(request: HttpRequest, user: User, *, is_demo: bool = False) -> Device | None:
    """List the session that somebody just signed in with; forget those of theirs whose time is over.

    Return the browser if it is a new one. By the door of the demo anybody comes in: there it is new to nobody.
    """
    standing = sessions.open_sessions(user.pk).values("pk")
    sessions.end(Session.objects.filter(user_id=user.pk).exclude(pk__in=standing))
    device, is_new = _recognize(request, user, is_demo=is_demo)
    if request.session.session_key is None:
        request.session.create()
    assert request.session.session_key is not None
    row = Session.objects.create(
        user=user,
        key=request.session.session_key,
        agent=device.agent,
        address=device.address,
        device=device,
        signed_in_at=device.last_seen_at,
        last_seen_at=device.last_seen_at,
    )
    request.session[ENTRY] = row.pk
    device_cookie.set_here(request, device)
    if not is_new:
        return None
    if not is_demo:
        request.session[NEW_DEVICE] = device.pk
    return device


def _recognize(request: HttpRequest, user: User, *, is_demo: bool) -> tuple[Device, bool]:
    """Return the browser that somebody signs in with, and whether they never did before."""
    devices.forget(Device.objects.filter(user=user).exclude(pk__in=devices.of(user.pk).values("pk")))
    now = clock.now()
    seen = {
        "agent": request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:AGENT_LENGTH],
        "address": client.address_of(request),
        "last_seen_at": now,
    }
    token = device_cookie.token_of(request) or device_cookie.new_token()
    device_cookie.give(request, token)
    device, is_new = Device.objects.update_or_create(
        user=user,
        hash=devices.hash_of(token),
        defaults=seen,
        create_defaults={**seen, "first_seen_at": now, "confirmed_at": now if is_demo else None},
    )
    return device, is_new


def entry(request: HttpRequest) -> int:
    """Return the number under which the session of a request stands in the register; 0 for none."""
    return int(request.session.get(ENTRY, 0))


def check_in(request: HttpRequest, user: User) -> str:
    """Return why the session of a request is over, or nothing where it stands; then it was seen now.

    What is not ENDED is the limit that it passed.
    """
    row = Session.objects.select_related("device").filter(pk=entry(request), user=user).first()
    if row is None:
        return ENDED
    device_cookie.set_here(request, row.device)
    now = clock.now()
    if limit := sessions.exceeded(row, now):
        return limit
    seen = {"key": request.session.session_key, "address": client.address_of(request)}
    if now - row.last_seen_at >= PRECISION or any(
        getattr(row, name) != value for name, value in seen.items()
    ):
        Session.objects.filter(pk=row.pk).update(last_seen_at=now, **seen)
        if row.device is not None:
            Device.objects.filter(pk=row.device.pk).update(last_seen_at=now, address=seen["address"])
    return ""


def ended_here(request: HttpRequest) -> bool:
    """Say whether the session of a request was ended by what the request did, and forget it where it was."""
    if Session.objects.filter(pk=entry(request)).exists():
        return False
    request.session.flush()
    return True


def leave(request: HttpRequest) -> None:
    """Take the session of a request out of the register."""
    Session.objects.filter(pk=entry(request)).delete()
