"""Setting up, removing, proving and failing to prove a second factor are events of the log."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_used
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from hufu import audit
from hufu.audit import Subject, Target
from hufu.core.transaction import current_actor
from hufu.people import devices
from hufu.people.models import Device, User
from hufu.web.accounts.signals import as_themselves
from hufu.web.middleware import visitor
from hufu.web.second_factor.proof import factors


@receiver(post_save, sender=Authenticator)
def enrolled(instance: Authenticator, created: bool, **_: Any) -> None:
    """Record a new factor in the transaction that makes it."""
    if created:
        record_change("auth.second_factor_enrolled", instance)


@receiver(post_delete, sender=Authenticator)
def removed(instance: Authenticator, **_: Any) -> None:
    """Record the end of a factor in the transaction that removes it; without any, no browser stays trusted."""
    record_change("auth.second_factor_removed", instance)
    if not factors(instance.user_id).exists():
        devices.end_trust(Device.objects.filter(user_id=instance.user_id))


@receiver(authenticator_used)
def used(
    request: HttpRequest, user: User, authenticator: Authenticator, reauthenticated: bool, **_: Any
) -> None:
    """Record that a factor was proved, or a recovery code used instead of one."""
    data: dict[str, Any] = {"step": "step_up" if reauthenticated else "sign_in"}
    name = "auth.second_factor_used"
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        name = "auth.recovery_used"
        # What was handed over is as it was before the code.
        data["left"] = len(Authenticator.objects.get(pk=authenticator.pk).wrap().get_unused_codes())
    else:
        data["kind"] = str(authenticator.type)
    audit.record(as_themselves(request, user), name, data=data)


def record_failure(request: HttpRequest, user: User, *, step: str, reason: str) -> None:
    """Record that somebody did not prove their factor. Whoever signs in is nobody yet."""
    audit.record(
        as_themselves(request, user) if request.user.is_authenticated else visitor(request),
        "auth.second_factor_failed",
        data={"step": step},
        target=Target("user", user.pk),
        subject=Subject("user", user.pk),
        result="failed",
        reason=reason,
    )


def record_change(name: str, authenticator: Authenticator) -> None:
    """Record what somebody did with a factor. RuntimeError outside a transaction of somebody."""
    actor = current_actor()
    if actor is None:
        raise RuntimeError("A second factor is set up or removed by somebody.")
    audit.record(
        actor,
        name,
        target=Target("user", authenticator.user_id),
        subject=Subject("user", authenticator.user_id),
        data={"kind": str(authenticator.type)},
    )
