"""Resetting somebody's second factors: for whoever lost their device and their recovery codes too."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.people import devices, sessions
from hufu.people.models import Device, Session, User

LONGEST_REASON = 500


def reset_second_factors(actor: Actor, user_id: int, *, reason: str) -> int:
    """Remove all second factors and recovery codes of a person; return how many there were.

    All sessions of the person end, and no device of theirs stays trusted: a factor that may be in other hands had
    opened them.

    Raises Denied without user.manage and for oneself, NotFound where there is no such person, Invalid without a reason
    or where nothing stands to be reset.
    """
    guard.authorize(actor, "user.manage")
    if actor.user_id == user_id:
        raise guard.denied(actor, "user.manage")
    person = User.objects.select_for_update().filter(pk=user_id).first()
    if person is None:
        raise NotFound(_("There is no such page, or you may not view it."))
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [_("Say why, in at most %s characters.") % LONGEST_REASON]})
    standing = list(Authenticator.objects.filter(user_id=user_id))
    if not standing:
        raise Invalid({"": [_("%s has no second factor.") % person.name]})
    record(
        actor,
        "auth.second_factor_reset",
        target=Target("user", user_id),
        subject=Subject("user", user_id),
        data={"count": len(standing)},
        reason=reason.strip(),
    )
    ended = sessions.end(Session.objects.filter(user_id=user_id))
    untrusted = devices.end_trust(Device.objects.filter(user_id=user_id))
    for name, number in (("auth.session_ended", ended), ("device.trust_ended", untrusted)):
        if number:
            record(
                actor,
                name,
                target=Target("user", user_id),
                subject=Subject("user", user_id),
                reason="second_factor_reset",
                data={"count": number},
            )
    for each in standing:
        each.delete()
    return len(standing)
