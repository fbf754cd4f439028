"""Ending open sign-ins: everybody their own, whoever manages people also those of others."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.core.errors import NotFound
from hufu.people import sessions
from hufu.people.models import Session


def end_session(actor: Actor, session_id: int, *, user_id: int) -> int:
    """End one session of a person and return 1; raise NotFound where there is none, or it may not be ended."""
    return _end(actor, Session.objects.filter(pk=session_id), user_id)


def end_sessions(actor: Actor, *, user_id: int, but: int = 0) -> int:
    """End all sessions of a person, but for one; return how many they were."""
    return _end(actor, Session.objects.exclude(pk=but), user_id, may_be_none=True)


def _end(actor: Actor, chosen: QuerySet[Session], user_id: int, *, may_be_none: bool = False) -> int:
    is_own = actor.user_id == user_id
    if not is_own:
        guard.authorize(actor, "user.manage")
    number = sessions.end(chosen.filter(user_id=user_id))
    if not number and not may_be_none:
        raise NotFound(_("There is no such session any more."))
    if number:
        record(
            actor,
            "auth.session_ended",
            target=Target("user", user_id),
            subject=Subject("user", user_id),
            reason="by_themselves" if is_own else "by_administrator",
            data={"count": number},
        )
    return number
