"""Break-glass: somebody whom the policy names opens records to themselves at once, for minutes, with a reason.

It needs no permission and is no secret: an event of its own, a notice on every page of those who give roles or audit,
and a review by somebody else. What is open is a term of reach of its own, never put together with what they hold.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from hufu.access import guard, reach, reasons
from hufu.access.break_glass_models import BreakGlass, BreakGlassReview, BreakGlassUse
from hufu.access.registry import ResourceType
from hufu.audit import Subject, Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Invalid
from hufu.core.text import is_storable
from hufu.core.transaction import unit_cache

LONGEST_REASON = reasons.LONGEST
# The same as hufu.holder_of_glass().
_HOLDERS = -1_000_000
_NOTED = "access.glass_noted"


def rules_for(actor: Actor) -> list[BreakGlass]:
    """Return what the actor may open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.my_break_glass()")
        mine = [row[0] for row in cursor.fetchall()]
    return list(BreakGlass.objects.filter(pk__in=mine).order_by("id"))


def break_glass(actor: Actor, key: str, *, minutes: int, reason: str) -> BreakGlassUse:
    """Open to the actor what a rule names, for so many minutes. Raise Denied where it is not theirs to use."""
    rule = next((each for each in rules_for(actor) if each.key == key), None)
    if rule is None:
        raise guard.denied(actor, "role.assign")
    problems: dict[str, list[str]] = {}
    if not 1 <= minutes <= rule.minutes:
        problems["minutes"] = [_("At most %s minutes.") % rule.minutes]
    if not reason.strip():
        problems["reason"] = [_("Say why.")]
    elif not is_storable(reason) or len(reason) > LONGEST_REASON:
        problems["reason"] = [_("Too long: at most %s characters.") % LONGEST_REASON]
    now = clock.now()
    if BreakGlassUse.objects.filter(user_id=actor.user_id, rule_id=rule.id, ends_at__gt=now).exists():
        problems[""] = [_("“%s” is open already.") % rule.name]
    if problems:
        raise Invalid(problems)
    made = BreakGlassUse(
        user_id=actor.user_id,
        rule_id=rule.id,
        starts_at=now,
        ends_at=now + timedelta(minutes=minutes),
        reason=reason.strip(),
    )
    made.save(force_insert=True)
    record(
        actor,
        "security.glass_broken",
        target=Target("user", actor.user_id),
        subject=Subject("user", actor.user_id),
        data={"use": made.pk, "rule": rule.key, "ends_at": made.ends_at},
        reason=made.reason,
    )
    reach.changed()
    return made


def end(actor: Actor, number: int) -> bool:
    """End what is open before its time: by whoever opened it, and by those who give roles or audit.

    Return whether there was anything to end: not where it is not open (any more), or is unknown to the actor.
    """
    row = BreakGlassUse.objects.filter(pk=number, ends_at__gt=clock.now()).first()
    if row is None:
        return False
    if row.user_id != actor.user_id and not guard.may(actor, "audit.view"):
        guard.authorize(actor, "role.assign")
    # Later than its beginning, and not later than now.
    row.ends_at = max(clock.now(), row.starts_at + timedelta(microseconds=1))
    row.save(update_fields=["ends_at"])
    record(
        actor,
        "security.glass_ended",
        target=Target("user", row.user_id),
        subject=Subject("user", row.user_id),
        data={"use": row.pk},
    )
    reach.changed()
    return True


def mine(actor: Actor) -> list[BreakGlassUse]:
    """Return what is open to the actor now."""
    rows = BreakGlassUse.objects.filter(user_id=actor.user_id, ends_at__gt=clock.now())
    return list(rows.order_by("ends_at", "id"))


def unreviewed() -> list[BreakGlassUse]:
    """Return what nobody reviewed yet, oldest first, as far as the actor may know of it."""
    rows = BreakGlassUse.objects.filter(review__isnull=True).select_related("user")
    return list(rows.order_by("id"))


def watches(actor: Actor) -> bool:
    """Say whether the actor is told of every use, ends it and reviews it."""
    return actor.is_person and (guard.may(actor, "role.assign") or guard.may(actor, "audit.view"))


def standing(actor: Actor) -> list[BreakGlassUse]:
    """Return what those who give roles or audit must be told of until it is reviewed; nothing to anybody else."""
    return [use for use in unreviewed() if use.user_id != actor.user_id] if watches(actor) else []


def review(actor: Actor, number: int, *, finding: str) -> None:
    """Say what one found when one looked at a use that has ended. Never for whoever opened it."""
    if not guard.may(actor, "audit.view"):
        guard.authorize(actor, "role.assign")
    row = BreakGlassUse.objects.filter(pk=number, review__isnull=True).first()
    if row is None:
        raise Invalid({"": [_("Nothing is to be reviewed under the number %s.") % number]})
    if not actor.is_person or row.user_id == actor.user_id:
        raise guard.denied(actor, "role.assign")
    if row.ends_at > clock.now():
        raise Invalid({"": [_("It is still open: end it first, or wait.")]})
    if not finding.strip():
        raise Invalid({"finding": [_("Say what you found: the log keeps it.")]})
    reasons.check(finding, field="finding")
    try:
        with transaction.atomic():
            BreakGlassReview(
                use=row, reviewed_by_id=actor.user_id, reviewed_at=clock.now(), finding=finding.strip()
            ).save(force_insert=True)
    except IntegrityError as error:
        raise Conflict from error
    record(
        actor,
        "security.glass_reviewed",
        target=Target("user", row.user_id),
        subject=Subject("user", row.user_id),
        data={"use": row.pk},
        reason=finding.strip(),
    )


def is_open(actor: Actor) -> bool:
    """Say whether something is open to the actor by break-glass, from the reach that was read anyway."""
    return actor.is_person and any(term.holder_id < _HOLDERS for term in reach.terms(actor))


def note(actor: Actor, holder: int, permission: str, resource: ResourceType, row: Model) -> bool:
    """Say in the log that a record was reached by break-glass, once in a transaction; return whether it was."""
    if holder >= _HOLDERS:
        return False
    noted: set[tuple[str, str, int]] = unit_cache().setdefault(_NOTED, set())
    what = (permission, resource.name, row.pk)
    if what not in noted:
        noted.add(what)
        record(
            actor,
            "security.glass_used",
            target=Target(resource.name, row.pk, getattr(row, "partition_id", None)),
            data={"use": _HOLDERS - holder, "permission": permission},
        )
    return True
