"""Signing in and out, and failing to, are events of the log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as allauth_signals
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from hufu import audit
from hufu.audit import Subject, Target
from hufu.core.actor import Actor
from hufu.people import devices, links, sessions
from hufu.people.models import Device, Session, User
from hufu.web.accounts import device_cookie, limits, register
from hufu.web.middleware import context_of, visitor
from hufu.web.second_factor.proof import METHOD

# How somebody signed in by the door of the demo.
DEMO = "demo"


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    """Record who came in, and how."""
    methods = [record["method"] for record in get_authentication_records(request, user)]
    method = next((method for method in reversed(methods) if method != METHOD), "password")
    new = register.enter(request, user, is_demo=method == DEMO)
    themselves = as_themselves(request, user)
    audit.record(themselves, "auth.signed_in", data={"method": method})
    if new is not None:
        audit.record(
            themselves,
            "device.new",
            target=Target("user", user.pk),
            subject=Subject("user", user.pk),
            data={"device": new.pk},
        )


@receiver(user_login_failed)
def sign_in_failed(request: HttpRequest | None, credentials: dict[str, Any], **_: Any) -> None:
    """Record the attempt, with the account it was aimed at where there is one."""
    if request is not None:
        reason = "too_many_failures" if limits.is_over(request) else "wrong_credentials"
        record_failure(request, limits.typed(credentials), reason=reason)


@receiver(user_logged_out)
def signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    """Record who left."""
    if user is not None:
        register.leave(request)
        audit.record(as_themselves(request, user), "auth.signed_out")


@receiver(allauth_signals.password_changed)
def password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    """Record that somebody chose another password."""
    audit.record(as_themselves(request, user), "auth.password_set", data={"method": "changed"})
    end_sessions(request, user, but=register.entry(request))
    here = device_cookie.here(request)
    end_trust(request, user, but=here.pk if here is not None else 0)


@receiver(allauth_signals.password_reset)
def password_set_by_link(request: HttpRequest, user: User, **_: Any) -> None:
    """Record that somebody chose a password through their link."""
    audit.record(as_themselves(request, user), "auth.password_set", data={"method": "link"})
    end_sessions(request, user)
    end_trust(request, user)
    forget_devices(request, user)
    links.void(user.pk)
    get_adapter(request).clear_failures(request, user)


def end_trust(request: HttpRequest, user: User, *, but: int = 0) -> None:
    """Let no browser be trusted that was so under the former password, but for the one in which it was changed."""
    if number := devices.end_trust(Device.objects.filter(user=user).exclude(pk=but)):
        audit.record(
            as_themselves(request, user),
            "device.trust_ended",
            target=Target("user", user.pk),
            subject=Subject("user", user.pk),
            reason="password_set",
            data={"count": number},
        )


def forget_devices(request: HttpRequest, user: User) -> None:
    """Forget all browsers: the first one in which the person signs in with the new password vouches for itself."""
    for device in Device.objects.filter(user=user).order_by("pk"):
        audit.record(
            as_themselves(request, user),
            "device.forgotten",
            target=Target("user", user.pk),
            subject=Subject("user", user.pk),
            reason="password_set",
            data={"device": device.pk, "sessions": 0},
        )
    devices.forget(Device.objects.filter(user=user))
    devices.start_anew(user.pk)


def end_sessions(request: HttpRequest, user: User, *, but: int = 0) -> None:
    """End what was opened with the former password, but for the session in which it was changed."""
    if number := sessions.end(Session.objects.filter(user=user).exclude(pk=but)):
        audit.record(
            as_themselves(request, user),
            "auth.session_ended",
            reason="password_set",
            data={"count": number},
        )


def record_failure(request: HttpRequest, login: str, *, reason: str = "wrong_credentials") -> None:
    """Record a failed sign-in in a transaction of its own: it stays whatever becomes of the request."""
    aimed_at = User.objects.filter(username=login).first() or User.objects.filter(email__iexact=login).first()
    audit.record(
        visitor(request),
        "auth.sign_in_failed",
        data={"method": "password"},
        personal={"login": login[:150]},
        target=Target("user", aimed_at.pk) if aimed_at and login else None,
        subject=Subject("user", aimed_at.pk) if aimed_at and login else None,
        result="failed",
        reason=reason,
    )


def as_themselves(request: HttpRequest, user: User) -> Actor:
    """Return the actor that a user is from this request on."""
    return Actor(user.pk, user.name, context_of(request))
