"""Deeds on the browsers in which people signed in: everybody their own, administrators those of others."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.audit import Subject, Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound, SecondFactorNeeded
from hufu.people import devices
from hufu.people.models import Device

# How old a proof of a second factor may be that makes a browser a trusted one.
PROOF = timedelta(minutes=10)


def trust_device(actor: Actor, device: Device | None, *, token: str) -> datetime:
    """Let the actor's own browser be a trusted one and return until when. From now on it shows `token`.

    Raise SecondFactorNeeded without a fresh proof, NotFound for a browser that nobody knows. The new token leaves
    behind whoever had a copy of the old one; everybody else who signs in with this browser stays known in it.
    """
    proven, now = actor.context.second_factor_at, clock.now()
    if proven is None or not timedelta(0) <= now - proven <= PROOF:
        raise SecondFactorNeeded(None)
    if device is None or device.user_id != actor.user_id:
        raise NotFound(_none())
    until = now + devices.trust_limit()
    Device.objects.filter(hash=device.hash).update(hash=devices.hash_of(token))
    Device.objects.filter(pk=device.pk).update(trusted_until=until, confirmed_at=now)
    _record(actor, "device.trusted", device, {"until": until})
    return until


def confirm_device(actor: Actor, device_id: int, *, here: Device | None) -> None:
    """Say that a new browser is the actor's own; Invalid where that cannot be said from `here`."""
    device = _one(device_id, actor.user_id)
    if device.confirmed_at is not None:
        return
    if not devices.may_confirm(here, actor.user_id):
        raise Invalid({"": [_("Say so in a browser that you used before: this one is new itself.")]})
    Device.objects.filter(pk=device.pk).update(confirmed_at=clock.now())
    _record(actor, "device.confirmed", device, {})


def end_trust(actor: Actor, device_id: int, *, user_id: int) -> None:
    """Let a browser of a person not be trusted any longer: access limits that ask for one close at the next click.

    Raise Denied for another's without role.manage, NotFound where there is no such browser or it is not trusted.
    """
    if actor.user_id != user_id:
        guard.authorize(actor, "role.manage")
    device = _one(device_id, user_id)
    if not devices.end_trust(Device.objects.filter(pk=device.pk)):
        raise NotFound(_none())
    _record(actor, "device.trust_ended", device, {"count": 1}, reason=_who(actor, user_id))


def forget_device(actor: Actor, device_id: int, *, user_id: int) -> int:
    """Forget a browser of a person, end what is open in it, and return how many sessions that were.

    Raise Denied for another's without user.manage, NotFound where there is no such browser.
    """
    if actor.user_id != user_id:
        guard.authorize(actor, "user.manage")
    device = _one(device_id, user_id)
    ended = devices.forget(Device.objects.filter(pk=device.pk))
    _record(actor, "device.forgotten", device, {"sessions": ended}, reason=_who(actor, user_id))
    return ended


def _one(device_id: int, user_id: int) -> Device:
    device = Device.objects.filter(pk=device_id, user_id=user_id).first()
    if device is None:
        raise NotFound(_none())
    return device


def _none() -> str:
    return _("There is no such device any more.")


def _who(actor: Actor, user_id: int) -> str:
    return "by_themselves" if actor.user_id == user_id else "by_administrator"


def _record(actor: Actor, name: str, device: Device, data: dict[str, object], *, reason: str = "") -> None:
    record(
        actor,
        name,
        target=Target("user", device.user_id),
        subject=Subject("user", device.user_id),
        reason=reason,
        data={"device": device.pk, **data},
    )
