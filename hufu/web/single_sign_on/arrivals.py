"""Who it is that arrives from an identity provider: a bound account, one that is found, a new one, or nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass

from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.http import HttpRequest

from hufu import audit
from hufu.audit import Subject, Target
from hufu.core.actor import Actor
from hufu.core.text import is_storable, is_visible
from hufu.core.transaction import acting
from hufu.people.models import Status, User
from hufu.staffing.actions import Person, create_users
from hufu.web.middleware import context_of, visitor
from hufu.web.single_sign_on.kinds import Provider


class Failed(Exception):
    """Signing in failed; the reason is for the log, the visitor is told the same words whatever it is."""

    def __init__(self, reason: str, user: User | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.user = user


@dataclass(frozen=True)
class Arrival:
    """What a provider has proven about somebody. `email` is one that the provider says it verified, or ""."""

    subject: str
    email: str = ""
    external_id: str = ""
    name: str = ""
    login: str = ""


def account_of(request: HttpRequest, provider: Provider, arrival: Arrival) -> User:
    """Return the active account that somebody signs in to; raise Failed where there is none.

    INVARIANT: a subject that was bound is that account and no other. An unbound one is bound to an account that
    stood before only by a verified address or by the external number, as the provider's `match` says, and never to
    one that another subject of this provider is bound to.
    """
    if not (0 < len(arrival.subject) <= SUBJECT_LENGTH and is_storable(arrival.subject)):
        raise Failed("no_subject")
    bound = (
        SocialAccount.objects.filter(provider=provider.identity, uid=arrival.subject)
        .select_related("user")
        .first()
    )
    if bound:
        return active(bound.user)
    try:
        with acting(Actor.single_sign_on(context_of(request))) as unit:
            found = matched(provider, arrival)
            if found is None and not provider.create:
                raise Failed("unknown_person")
            user = active(found) if found else created(unit.actor, provider, arrival)
            if SocialAccount.objects.filter(provider=provider.identity, user=user).exists():
                raise Failed("bound_to_another_subject", user)
            SocialAccount.objects.create(provider=provider.identity, uid=arrival.subject, user=user)
            audit.record(
                unit.actor,
                "auth.sso_bound",
                target=Target("user", user.pk),
                subject=Subject("user", user.pk),
                data={"provider": provider.key, "match": provider.match if found else "created"},
            )
            return user
    except IntegrityError:
        # The same person arrived twice at once.
        raise Failed("at_the_same_time") from None


SUBJECT_LENGTH = 191


def active(user: User) -> User:
    """Return the account if it is active; raise Failed for suspended people and those who left."""
    if user.status != Status.ACTIVE:
        raise Failed("account_not_active", user)
    return user


def matched(provider: Provider, arrival: Arrival) -> User | None:
    """Return the account that the provider's `match` means, None where there is none; raise Failed for several."""
    if provider.match == "email" and arrival.email:
        found = list(User.objects.filter(email__iexact=arrival.email)[:2])
    elif provider.match == "external_id" and arrival.external_id:
        found = list(User.objects.filter(external_id=arrival.external_id))
    else:
        return None
    if len(found) > 1:
        raise Failed("several_accounts")
    return found[0] if found else None


def created(actor: Actor, provider: Provider, arrival: Arrival) -> User:
    """Make an active account with no department, role or right."""
    taken = User.objects.filter
    email = arrival.email if not taken(email__iexact=arrival.email).exists() else ""
    number = arrival.external_id if not taken(external_id=arrival.external_id).exists() else ""
    name = arrival.name.strip()[:120]
    username = free_username(arrival.login)
    person = Person(
        username=username,
        name=name if is_storable(name) and is_visible(name) else username,
        email=email,
        external_id=number or None,
    )
    (user,) = create_users(actor, [person])
    return user


def free_username(wish: str) -> str:
    """Return a user name like the wish that nobody has: without “@”, so that it is no other's mail address."""
    base = re.sub(r"[^a-z0-9._-]", "", wish.partition("@")[0].lower())[:100] or "sso"
    names = set(User.objects.filter(username__startswith=base).values_list("username", flat=True))
    numbers = (f"{base}-{number}" for number in range(2, len(names) + 3))
    return next(name for name in (base, *numbers) if name not in names)


def mail(text: object) -> str:
    """Return a mail address as it is kept, "" where it is none."""
    address = text.strip() if isinstance(text, str) else ""
    try:
        validate_email(address)
    except ValidationError:
        return ""
    return address if len(address) <= 254 and is_storable(address) else ""


def text(value: object, longest: int) -> str:
    """Return what a provider says as text, "" where it is none that can be kept whole."""
    found = value.strip() if isinstance(value, str) else ""
    return found if len(found) <= longest and is_storable(found) else ""


def record_failure(request: HttpRequest, method: str, failed: Failed) -> None:
    """Record a failed sign-in, with the account it was aimed at where there is one."""
    user = failed.user
    audit.record(
        visitor(request),
        "auth.sign_in_failed",
        data={"method": method},
        target=Target("user", user.pk) if user else None,
        subject=Subject("user", user.pk) if user else None,
        result="failed",
        reason=failed.reason,
    )
