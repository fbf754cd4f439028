"""Which second factors somebody has, and when this session proved one."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.db.models import QuerySet
from django.http import HttpRequest

METHOD = "mfa"
# A recovery code stands in for a factor; it is none.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def factors(user_id: int) -> QuerySet[Authenticator]:
    """Return somebody's second factors."""
    return Authenticator.objects.filter(user_id=user_id, type__in=FACTORS)


def proofs(request: HttpRequest) -> dict[int, datetime]:
    """Return which second factors this session proved, by number, and when last."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    records = get_authentication_records(request, user)
    return {
        record["id"]: datetime.fromtimestamp(record["at"], UTC)
        for record in sorted(records, key=lambda record: float(record["at"]))
        if record.get("method") == METHOD and "id" in record
    }


def proven_at(request: HttpRequest) -> datetime | None:
    """Return when this session last proved a second factor, or None.

    INVARIANT: a proof ends with the factor. Whose factors were all removed, or who has only such as were set up
    after the proof, proved nothing.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    records = get_authentication_records(request, user)
    moments = [record["at"] for record in records if record.get("method") == METHOD]
    if not moments:
        return None
    proven = datetime.fromtimestamp(max(moments), UTC)
    stands = factors(user.pk).filter(created_at__lte=proven).exists()
    return proven if stands else None
