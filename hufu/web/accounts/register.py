"""The register of open sign-ins, kept at every request: who came in, who is still here, whose time is over."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest

from hufu.core import clock
from hufu.people import sessions
from hufu.people.models import Session, User
from hufu.web import client

# In the session: the number of its row in the register.
ENTRY = "hufu_session"
# Not in the register: it was ended elsewhere.
ENDED = "ended"
# "Last seen" is written at most this often.
PRECISION = timedelta(minutes=1)
AGENT_LENGTH = Session._meta.get_field("agent").max_length


def enter(request: HttpRequest, user: User) -> None:
    """List the session that somebody just signed in with; forget those of theirs whose time is over."""
    standing = sessions.open_sessions(user.pk).values("pk")
    sessions.end(Session.objects.filter(user_id=user.pk).exclude(pk__in=standing))
    if request.session.session_key is None:
        request.session.create()
    assert request.session.session_key is not None
    now = clock.now()
    row = Session.objects.create(
        user=user,
        key=request.session.session_key,
        agent=request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:AGENT_LENGTH],
        address=client.address_of(request),
        signed_in_at=now,
        last_seen_at=now,
    )
    request.session[ENTRY] = row.pk


def entry(request: HttpRequest) -> int:
    """Return the number under which the session of a request stands in the register; 0 for none."""
    return int(request.session.get(ENTRY, 0))


def check_in(request: HttpRequest, user: User) -> str:
    """Return why the session of a request is over, or nothing where it stands; then it was seen now.

    What is not ENDED is the limit that it passed.
    """
    row = Session.objects.filter(pk=entry(request), user=user).first()
    if row is None:
        return ENDED
    now = clock.now()
    if limit := sessions.exceeded(row, now):
        return limit
    seen = {"key": request.session.session_key, "address": client.address_of(request)}
    if now - row.last_seen_at >= PRECISION or any(
        getattr(row, name) != value for name, value in seen.items()
    ):
        Session.objects.filter(pk=row.pk).update(last_seen_at=now, **seen)
    return ""


def leave(request: HttpRequest) -> None:
    """Take the session of a request out of the register."""
    Session.objects.filter(pk=entry(request)).delete()
