"""Password profiles: two sets of rules. A site keeps one of them (HUFU_PASSWORD_PROFILE) and never mixes them.

`asvs` after OWASP ASVS: long, not common, no rules of composition, no change by the calendar. `mlps3` after level 3 of
the Chinese multi-level protection scheme: several kinds of characters, another password every 90 days.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from hufu.core import clock
from hufu.people.models import ChosenPassword, User

ASVS = "asvs"
MLPS3 = "mlps3"
MOST_DAYS = 90
REMEMBERED = 5


class CharacterKindsValidator:
    """Refuses passwords of fewer than `least` kinds: small and capital letters, digits, everything else."""

    def __init__(self, least: int) -> None:
        self.least = least

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for too few kinds of characters."""
        if len({_kind(character) for character in password}) < self.least:
            raise ValidationError(self.get_help_text(), code="password_too_few_kinds")

    def get_help_text(self) -> str:
        return _(
            "Use characters of at least %s of these kinds: small letters, capital letters, digits, other characters."
        ) % (self.least)


class FormerPasswordsValidator:
    """Refuses the passwords that somebody chose last."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for one of the last passwords, the present one among them."""
        if user is None or user.pk is None:
            return
        chosen = ChosenPassword.objects.filter(user=user).order_by("-chosen_at", "-id")[:REMEMBERED]
        hashes = {user.password, *chosen.values_list("hash", flat=True)}
        if any(check_password(password, each) for each in hashes):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def get_help_text(self) -> str:
        return _("It must not be one of your last %(count)s passwords.") % {"count": REMEMBERED}


def remember(user: User) -> None:
    """Note that somebody chose the password that the account has now, where the profile asks for it."""
    if settings.HUFU_PASSWORD_PROFILE != MLPS3:
        return
    ChosenPassword.objects.create(user=user, hash=user.password, chosen_at=clock.now())
    kept = ChosenPassword.objects.filter(user=user).order_by("-chosen_at", "-id")[:REMEMBERED]
    ChosenPassword.objects.filter(user=user).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()


def is_too_old(user: User) -> bool:
    """Say whether the profile wants another password now; one of which nobody knows since when it stands counts too."""
    if settings.HUFU_PASSWORD_PROFILE != MLPS3 or not user.has_usable_password():
        return False
    since = clock.now() - timedelta(days=MOST_DAYS)
    return not ChosenPassword.objects.filter(user=user, hash=user.password, chosen_at__gt=since).exists()


def _kind(character: str) -> str:
    for kind, holds in (("small", str.islower), ("capital", str.isupper), ("digit", str.isdecimal)):
        if holds(character):
            return kind
    return "other"
