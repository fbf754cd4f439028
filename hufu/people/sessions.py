"""Open sign-ins: which there are, and their end."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as StoredSession
from django.db import transaction
from django.db.models import QuerySet

from hufu.core import clock
from hufu.people.models import Session


def idle_limit() -> timedelta:
    """Return how long a session may lie idle."""
    return timedelta(minutes=settings.HUFU_SESSION_IDLE_MINUTES)


def absolute_limit() -> timedelta:
    """Return how long a session lasts, however busy it is."""
    return timedelta(hours=settings.HUFU_SESSION_HOURS)


def open_sessions(user_id: int) -> QuerySet[Session]:
    """Return somebody's sessions that are within both limits, the last used first."""
    return open_everywhere().filter(user_id=user_id).order_by("-last_seen_at", "-id")


def open_everywhere() -> QuerySet[Session]:
    """Return everybody's sessions that are within both limits."""
    now = clock.now()
    return Session.objects.filter(
        last_seen_at__gt=now - idle_limit(), signed_in_at__gt=now - absolute_limit()
    )


def exceeded(session: Session, now: datetime) -> str:
    """Return which limit a session has passed: `idle`, `too_old`, or nothing."""
    if now - session.signed_in_at >= absolute_limit():
        return "too_old"
    return "idle" if now - session.last_seen_at >= idle_limit() else ""


def end(sessions: QuerySet[Session]) -> int:
    """End sessions, in the register and in Django's table; return how many they were."""
    with transaction.atomic():
        keys = list(sessions.values_list("key", flat=True))
        StoredSession.objects.filter(session_key__in=keys).delete()
        Session.objects.filter(key__in=keys).delete()
    return len(keys)
