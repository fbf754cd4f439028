"""Deeds on quotas: authorize → change → record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, reach, registry
from hufu.access.actions import Principal, next_number
from hufu.access.models import PRINCIPALS, Quota
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid


@dataclass(frozen=True)
class Limits:
    """What a quota counts and allows, and whom it binds: a principal, or (None) everybody."""

    name: str
    counts: str
    per_hour: int | None
    per_day: int | None
    zone: str
    warn_at: int
    to: Principal | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values of the row."""
        said = {
            name: getattr(self, name) for name in ("name", "counts", "per_hour", "per_day", "zone", "warn_at")
        }
        return said | (self.to or Principal()).columns()

    def words(self) -> dict[str, Any]:
        """Return it for the log."""
        said = {name: getattr(self, name) for name in ("per_hour", "per_day", "zone", "warn_at")}
        return {**said, "to": str(self.to) if self.to else None}


def limits_of(quota: Quota) -> Limits:
    """Return what stands."""
    named = any(getattr(quota, f"{kind}_id") is not None for kind in PRINCIPALS)
    to = (
        Principal(**{name: getattr(quota, name) for name in (*PRINCIPALS, "below", "post")})
        if named
        else None
    )
    return Limits(quota.name, quota.counts, quota.per_hour, quota.per_day, quota.zone, quota.warn_at, to)


def set_quota(actor: Actor, *, key: str, limits: Limits) -> Quota:
    """Bring a quota to exactly this, or add it; what is used stays.

    Nobody changes one that binds them as a principal.
    """
    publishing.authorize(actor)
    if not registry.is_counted(limits.counts):
        raise Invalid({"counts": [_("Uses of “%s” are not counted.") % limits.counts]})
    quota = Quota.objects.select_related(*PRINCIPALS, "level__ladder").filter(key=key).first()
    if quota is None:
        quota = Quota(id=next_number(Quota), key=key, **limits.columns())
        quota.save(force_insert=True)
        said = {"key": key, "name": limits.name, "counts": limits.counts, "limits": limits.words()}
        record(actor, "quota.created", data=said)
    else:
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.quota_binds_me(%s)", [quota.id])
            if cursor.fetchone()[0] and not publishing.is_on():
                raise guard.denied(actor, "role.manage")
        before = limits_of(quota)
        columns = limits.columns()
        for name, value in columns.items():
            setattr(quota, name, value)
        quota.save(update_fields=list(columns))
        said_of = [{"name": one.name, "counts": one.counts, **one.words()} for one in (before, limits)]
        record(actor, "quota.changed", data={"key": key, "before": said_of[0], "after": said_of[1]})
    reach.changed()
    return quota


def remove_quota(actor: Actor, quota: Quota) -> None:
    """Let uses be counted no longer."""
    publishing.authorize(actor)
    before = limits_of(quota)
    key = quota.key
    quota.delete()
    record(
        actor,
        "quota.removed",
        data={"key": key, "before": {"name": before.name, "counts": before.counts, **before.words()}},
    )
    reach.changed()
