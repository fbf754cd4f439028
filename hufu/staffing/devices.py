"""Deeds on the browsers in which people signed in: everybody their own, administrators those of others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
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


def trust_device(
    actor: Actor, device: Device | None, *, token: str, proven: Mapping[int, datetime]
) -> datetime:
    """Let the actor's own browser be a trusted one and return until when. From now on it shows `token`.

    Raise SecondFactorNeeded without a fresh proof, NotFound for a browser that nobody knows, Invalid for one that
    does not vouch (see `require_vouching`). The new token leaves behind whoever had a copy of the old one; everybody
    else who signs in with this browser stays known in it.
    """
    now = clock.now()
    if not _is_fresh(actor.context.second_factor_at):
        raise SecondFactorNeeded(None)
    if device is None or device.user_id != actor.user_id:
        raise NotFound(_none())
    require_vouching(actor, device, proven)
    until = now + devices.trust_limit()
    Device.objects.filter(hash=device.hash).update(hash=devices.hash_of(token))
    Device.objects.filter(pk=device.pk).update(trusted_until=until)
    _confirm(device)
    _record(actor, "device.trusted", device, {"until": until})
    return until


def confirm_device(
    actor: Actor, device_id: int, *, here: Device | None, proven: Mapping[int, datetime]
) -> None:
    """Say that a new browser is the actor's own, from `here`, which must vouch (see `require_vouching`)."""
    device = _one(device_id, actor.user_id)
    if device.confirmed_at is not None:
        return
    require_vouching(actor, here, proven)
    _confirm(device)
    _record(actor, "device.confirmed", device, {})


def vouches(actor: Actor, here: Device | None, proven: Mapping[int, datetime]) -> bool:
    """Say whether what the actor does in this browser is surely theirs, and not of whoever learned the password.

    `proven` has when this session proved which second factor. INVARIANT: one that was set up in a browser that did
    not vouch proves nobody, in no browser: the password alone was enough to set it up.
    """
    fresh = [number for number, at in proven.items() if _is_fresh(at)]
    return devices.may_confirm(here, actor.user_id) or _vouching(actor).filter(pk__in=fresh).exists()


def require_vouching(actor: Actor, here: Device | None, proven: Mapping[int, datetime]) -> None:
    """Raise SecondFactorNeeded where a fresh factor would make this browser vouch, Invalid where nothing would."""
    if vouches(actor, here, proven):
        return
    if _vouching(actor).exists():
        raise SecondFactorNeeded(None)
    raise Invalid(
        {
            "": [
                _(
                    "This browser is new itself, and nobody can say here which devices are yours. Do it in a browser"
                    " that you used before. If you have none any more, ask your system administrator to forget the old"
                    " device or to make you a link to choose a password."
                )
            ]
        }
    )


def end_trust(
    actor: Actor,
    device_id: int,
    *,
    user_id: int,
    here: Device | None = None,
    proven: Mapping[int, datetime] | None = None,
) -> None:
    """Let a browser of a person not be trusted any longer: access limits that ask for one close at the next click.

    One's own only from a browser that vouches (see `require_vouching`).
    Raise Denied for another's without role.manage, NotFound where there is no such browser or it is not trusted.
    """
    if actor.user_id != user_id:
        guard.authorize(actor, "role.manage")
    device = _one(device_id, user_id)
    if actor.user_id == user_id:
        require_vouching(actor, here, proven or {})
    if not devices.end_trust(Device.objects.filter(pk=device.pk)):
        raise NotFound(_none())
    _record(actor, "device.trust_ended", device, {"count": 1}, reason=_who(actor, user_id))


def forget_device(
    actor: Actor,
    device_id: int,
    *,
    user_id: int,
    here: Device | None = None,
    proven: Mapping[int, datetime] | None = None,
) -> int:
    """Forget a browser of a person, end what is open in it, and return how many sessions that were.

    One's own only from a browser that vouches (see `require_vouching`). Where an administrator forgets the last one
    that was confirmed, the person's next browser vouches for itself.

    Raise Denied for another's without user.manage, NotFound where there is no such browser.
    """
    if actor.user_id != user_id:
        guard.authorize(actor, "user.manage")
    device = _one(device_id, user_id)
    if actor.user_id == user_id:
        require_vouching(actor, here, proven or {})
    ended = devices.forget(Device.objects.filter(pk=device.pk))
    if actor.user_id != user_id:
        devices.start_anew(user_id)
    _record(actor, "device.forgotten", device, {"sessions": ended}, reason=_who(actor, user_id))
    return ended


def _one(device_id: int, user_id: int) -> Device:
    device = Device.objects.filter(pk=device_id, user_id=user_id).first()
    if device is None:
        raise NotFound(_none())
    return device


def _is_fresh(proven: datetime | None) -> bool:
    return proven is not None and timedelta(0) <= clock.now() - proven <= PROOF


def _vouching(actor: Actor) -> QuerySet[Authenticator]:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(
        user_id=actor.user_id, type__in=kinds, data__vouches=True
    )
    return factors


def _confirm(device: Device) -> None:
    """Note that a browser is its person's own, and so what was set up in it."""
    devices.confirm(device)
    for factor in Authenticator.objects.filter(user_id=device.user_id, data__device=device.pk):
        factor.data |= {"vouches": True, "device": None}
        factor.save(update_fields=["data"])


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
