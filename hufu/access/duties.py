"""Separation of duties: sets of roles that nobody may hold together, and what the database refuses, in words.

The database looks at every way by which a role can arrive, whenever reach is made true (sql/duties.sql); here its
refusals become sentences that name the roles and the ways.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, queries, reach
from hufu.access.actions import next_number
from hufu.access.decision.snapshot import Given, Snapshot
from hufu.access.duty_models import Duty, DutyException, DutyRole
from hufu.access.explain import principal_words
from hufu.access.models import Role
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.days import moment_words
from hufu.core.errors import Invalid
from hufu.people.models import Post, User


@dataclass(frozen=True)
class Tolerated:
    """What stands against a duty when it is published is known, and borne until a day."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Conflict:
    """Somebody who holds roles that exclude each other, and a way to each; `duty` is None for the administrators."""

    user_id: int
    roles: tuple[int, ...]
    ways: tuple[Mapping[str, Any], ...]
    duty_id: int | None = None
    sees_business: bool = False


def set_duty(
    actor: Actor,
    *,
    key: str,
    name: str,
    roles: Sequence[Role],
    most: int = 1,
    tolerated: Tolerated | None = None,
) -> Duty:
    """Bring a duty to exactly this, or add it. Nobody changes a duty that binds them.

    What stands against it is refused with the list of people, or, where it is `tolerated`, kept as their exception.
    Nobody excuses themselves.
    """
    publishing.authorize(actor)
    wanted = {role.id: role for role in roles}
    if most < 1 or len(wanted) <= most:
        raise Invalid(
            {"roles": [_("A duty names at least two roles, and more than may be held together of them.")]}
        )
    duty = Duty.objects.filter(key=key).first()
    after = {"name": name, "roles": sorted(role.key for role in roles), "most": most}
    if duty is None:
        duty = Duty(id=next_number(Duty), key=key, name=name, most=most)
        _tolerate(duty, tolerated)
        duty.save(force_insert=True)
        record(actor, "duty.created", data={"key": key, **after})
    else:
        if _binds(duty.id) and not publishing.is_on():
            raise guard.denied(actor, "role.manage")
        before = {"name": duty.name, "roles": sorted(roles_of(duty)), "most": duty.most}
        duty.name, duty.most = name, most
        _tolerate(duty, tolerated)
        duty.save(update_fields=["name", "most", "tolerated_until", "tolerated_reason"])
        duty.duty_roles.exclude(role_id__in=wanted).delete()
        record(actor, "duty.changed", data={"key": key, "before": before, "after": after})
    standing = set(duty.duty_roles.values_list("role_id", flat=True))
    DutyRole.objects.bulk_create(DutyRole(duty=duty, role_id=role) for role in wanted if role not in standing)
    _keep_exceptions(actor, duty, tolerated)
    reach.changed()
    return duty


def end_duty(actor: Actor, duty: Duty) -> None:
    """Let roles be held together again. Nobody ends a duty that binds them."""
    publishing.authorize(actor)
    if _binds(duty.id) and not publishing.is_on():
        raise guard.denied(actor, "role.manage")
    before = {"name": duty.name, "roles": sorted(roles_of(duty)), "most": duty.most}
    duty.exceptions.all().delete()
    duty.duty_roles.all().delete()
    duty.delete()
    record(actor, "duty.ended", data={"key": duty.key, "before": before})
    reach.changed()


def roles_of(duty: Duty) -> list[str]:
    """Return the roles of a duty, by key."""
    return list(duty.duty_roles.order_by("id").values_list("role__key", flat=True))


def conflicts() -> tuple[Conflict, ...]:
    """Return who holds roles together that a duty forbids, exceptions too, for whoever may view or manage roles."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT duty_id, user_id, roles, ways FROM hufu.known_duty_conflicts()")
        return tuple(
            Conflict(
                user_id, tuple(roles), tuple(json.loads(ways) if isinstance(ways, str) else ways), duty_id
            )
            for duty_id, user_id, roles, ways in cursor.fetchall()
        )


def refusal(error: IntegrityError) -> Invalid | None:
    """Return in words what the database refused when it made reach true; None where it was something else."""
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    if name == "last_security":
        return Invalid(
            {
                "": [
                    _(
                        "Nobody would be left who may give roles without an end to it: the last security "
                        "administrator cannot go. Let somebody else be one first."
                    )
                ]
            }
        )
    if diagnosis is None or name not in ("duties", "administrators"):
        return None
    found = json.loads(diagnosis.message_detail or "[]")
    snapshot = queries.snapshot()
    return Invalid(
        {
            str(name): [
                sentence(
                    snapshot,
                    Conflict(
                        entry["user_id"],
                        tuple(way["role"] for way in entry["ways"]),
                        tuple(entry["ways"]),
                        entry.get("duty_id"),
                        bool(entry.get("sees")),
                    ),
                )
                for entry in found
            ]
        }
    )


def sentence(snapshot: Snapshot, conflict: Conflict) -> str:
    """Return who would hold which roles by which ways, and what forbids it."""
    held = _(" and ").join(_way_words(snapshot, conflict.user_id, way) for way in conflict.ways)
    words = {"person": snapshot.people[conflict.user_id].name, "held": held}
    if conflict.sees_business:
        return (
            _(
                "%(person)s would hold %(held)s: in three-administrator mode no administrator sees business data. "
                "Nothing was changed."
            )
            % words
        )
    if conflict.duty_id is None:
        return (
            _(
                "%(person)s would hold %(held)s: these administrators are different people. Nothing was changed."
            )
            % words
        )
    duty = snapshot.duties[conflict.duty_id]
    words |= {"duty": duty.name, "most": str(duty.most)}
    if duty.most > 1:
        return (
            _(
                "%(person)s would hold %(held)s: by the separation of duties “%(duty)s” nobody holds more than "
                "%(most)s of these roles together. Nothing was changed."
            )
            % words
        )
    return (
        _(
            "%(person)s would hold %(held)s: by the separation of duties “%(duty)s” nobody holds both. "
            "Nothing was changed."
        )
        % words
    )


def _way_words(snapshot: Snapshot, user_id: int, way: Mapping[str, Any]) -> str:
    kind, _colon, number = str(way["to"]).partition(":")
    if kind == "lent":
        to = _("in the stead of %s, by delegation") % snapshot.people[int(number)].name
    else:
        given = given_of(way["to"])
        to = (
            _("given to them by name")
            if given.user_id == user_id
            else _("given to %s") % principal_words(snapshot, given)
        )
    chain = " → ".join(f"“{snapshot.roles[role].name}”" for role in way["chain"])
    starts = parse_datetime(way["starts"]) if way.get("starts") else None
    if starts is not None and starts > snapshot.at:
        return _("%(roles)s (%(to)s, from %(from)s)") % {
            "roles": chain,
            "to": to,
            "from": moment_words(starts),
        }
    return _("%(roles)s (%(to)s)") % {"roles": chain, "to": to}


def given_of(principal: str) -> Given:
    """Return what a principal's one text names (see hufu.principal), as something that is given to it."""
    kind, _colon, rest = principal.partition(":")
    if kind != "department":
        named: dict[str, Any] = {f"{kind}_id": int(rest)}
        return Given(0, **named)
    below = rest.endswith("+")
    number, _dot, post = rest.removesuffix("+").partition(".")
    return Given(0, department_id=int(number), below=below, post=Post(post) if post else "")


def _tolerate(duty: Duty, tolerated: Tolerated | None) -> None:
    duty.tolerated_until = tolerated.until if tolerated else None
    duty.tolerated_reason = tolerated.reason if tolerated else ""


def _keep_exceptions(actor: Actor, duty: Duty, tolerated: Tolerated | None) -> None:
    """Keep who stands against the duty now as exceptions where that is tolerated; none otherwise."""
    wanted: Collection[Conflict] = (
        [each for each in conflicts() if each.duty_id == duty.id] if tolerated else ()
    )
    if any(each.user_id == actor.user_id for each in wanted):
        raise Invalid({"tolerate": [_("Nobody excuses themselves from a separation of duties.")]})
    duty.exceptions.all().delete()
    DutyException.objects.bulk_create(
        DutyException(duty=duty, user_id=each.user_id, roles=list(each.roles)) for each in wanted
    )
    if wanted:
        record(
            actor,
            "duty.tolerated",
            data={
                "key": duty.key,
                "people": sorted(each.user_id for each in wanted),
                "until": duty.tolerated_until,
            },
            reason=duty.tolerated_reason,
        )


def overdue(now: datetime) -> list[tuple[str, list[str]]]:
    """Return the duties whose exceptions are borne no longer, with the people concerned, by user name."""
    return [
        (
            duty.key,
            list(
                User.objects.filter(id__in=duty.exceptions.values("user_id"))
                .order_by("id")
                .values_list("username", flat=True)
            ),
        )
        for duty in Duty.objects.filter(tolerated_until__lte=now).order_by("id")
        if duty.exceptions.exists()
    ]


def _binds(duty_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.duty_binds_me(%s)", [duty_id])
        return bool(cursor.fetchone()[0])
