"""The section `quotas`: how often a permission may be used in an hour and in a day."""

from __future__ import annotations

from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import quota_actions, registry
from hufu.access.models import PRINCIPALS, Quota
from hufu.access.policy_document.draft import Draft, Problems, Section, again
from hufu.access.policy_document.principals import export_principal, read_principal
from hufu.access.quota_actions import Limits
from hufu.core.actor import Actor

KEYS = ("key", "name", "counts", "per_hour", "per_day", "zone", "warn_at", "to")
MOST = 2**31 - 1
WARN_AT = 80


def _plan_quotas(draft: Draft, entries: Any) -> None:
    """Plan to bring each quota that the document names to exactly what it says; others stay.

    Without `to` it binds everybody, without limits nobody. `zone` says when a day begins: the company's, unless named.
    """
    standing = {quota.key: quota for quota in _standing()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("quotas", entries):
        if not draft.problems.check_keys(place, entry, KEYS, ("key", "name", "counts")):
            continue
        key = str(entry["key"])
        if again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        limits = _limits(place, entry, draft.problems)
        if len(draft.problems.found) > before:
            continue
        quota = standing.get(key)
        if quota is not None and quota_actions.limits_of(quota) == limits:
            continue
        deed = partial(_set, key, limits)
        draft.add(place, f"quota:{key}", deed, creates=quota is None, narrows=quota is None)


def _set(key: str, limits: Limits, actor: Actor) -> None:
    quota_actions.set_quota(actor, key=key, limits=limits)


def _standing() -> Any:
    return Quota.objects.select_related(*PRINCIPALS, "level__ladder").order_by("id")


def _limits(place: str, entry: Any, problems: Problems) -> Limits:
    counts = str(entry["counts"])
    if not registry.is_counted(counts):
        known = counts in {permission.name for permission in registry.permissions()}
        said = _("Uses of “%s” are not counted.") if known else _("There is no permission “%s”.")
        problems.add(f"{place}.counts", said % counts)
    zone = str(entry.get("zone") or settings.TIME_ZONE)
    if not _is_zone(zone):
        problems.add(f"{place}.zone", _("Name a time zone such as Asia/Shanghai."))
    return Limits(
        str(entry["name"]),
        counts,
        _number(f"{place}.per_hour", entry.get("per_hour"), 0, MOST, problems),
        _number(f"{place}.per_day", entry.get("per_day"), 0, MOST, problems),
        zone,
        _number(f"{place}.warn_at", entry.get("warn_at", WARN_AT), 1, 100, problems) or WARN_AT,
        read_principal(f"{place}.to", entry["to"], problems) if entry.get("to") is not None else None,
    )


def _number(place: str, value: Any, least: int, most: int, problems: Problems) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        problems.add(
            place, _("Write a whole number from %(least)s to %(most)s.") % {"least": least, "most": most}
        )
        return None
    return value


def _is_zone(name: str) -> bool:
    """Say whether Python and the database both know the zone: both count by it."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_timezone_names WHERE name = %s)", [name])
        known: bool = cursor.fetchone()[0]
    return known


def _export() -> list[dict[str, Any]]:
    return [_export_quota(quota) for quota in _standing()]


def _export_quota(quota: Quota) -> dict[str, Any]:
    limits = quota_actions.limits_of(quota)
    counted = {name: getattr(limits, name) for name in ("per_hour", "per_day")}
    return {
        "key": quota.key,
        "name": limits.name,
        "counts": limits.counts,
        **{name: value for name, value in counted.items() if value is not None},
        "zone": limits.zone,
        "warn_at": limits.warn_at,
        **({"to": export_principal(limits.to)} if limits.to else {}),
    }


def _remove(draft: Draft, place: str, entry: Any) -> None:
    quota = _standing().filter(key=str(entry)).first()
    if quota is None:
        draft.problems.add(place, _("There is no quota “%s”.") % entry)
        return
    deed = partial(quota_actions.remove_quota, quota=quota)
    draft.add(place, f"quota:{quota.key}", deed, creates=False, removes=True)


SECTION = Section("quotas", _plan_quotas, _export, _remove)
