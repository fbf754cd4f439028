"""Letting single shares across the wall: what waits for whoever owns a partition, what was asked for, the
answers, and what reaches somebody by them.

Asking shares a record, which is a deed on records (hufu.crm.actions.crossings). Who owns a partition says the policy
(`approvals`), else whoever may admit people does; the database asks it again, of every answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import connection, models
from django.utils.translation import gettext as _

from hufu.access import reach
from hufu.access.admission_request_models import AdmissionRequest
from hufu.access.models import RecordShare
from hufu.access.requests import LAPSES, LONGEST_REASON
from hufu.audit import Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NothingToDecide
from hufu.core.text import is_storable

# A share across the wall lasts at most so long; the day that was named is one of them (hufu.longest_crossing).
LONGEST = timedelta(days=92)


class State(StrEnum):
    """How a request stands. `OPEN`: the share reaches its recipient now."""

    WAITING = "waiting"
    OPEN = "open"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    OVER = "over"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Asked:
    """A request and how it stands."""

    request: AdmissionRequest

    @property
    def state(self) -> State:
        asked, now = self.request, clock.now()
        if asked.granted is False:
            return State.REJECTED
        if asked.granted:
            return State.OVER if asked.ended_at is not None or asked.ends_at <= now else State.OPEN
        if asked.ended_at is not None:
            return State.WITHDRAWN
        return State.LAPSED if min(asked.asked_at + LAPSES, asked.ends_at) <= now else State.WAITING


def waiting(actor: Actor, *, most: int = 50) -> list[AdmissionRequest]:
    """Return the requests that the actor may decide, the oldest first; none whose record lies in the bin."""
    return list(_with_names(_undecided().order_by("asked_at", "id"))[:most])


def how_many_wait() -> int:
    """Return how many requests the actor may decide."""
    return _undecided().count()


def _undecided() -> models.QuerySet[AdmissionRequest]:
    """Return the requests that the actor may decide: the database tells which."""
    now = clock.now()
    decides = models.Func(
        models.F("id"), function="hufu.decides_crossing", output_field=models.BooleanField()
    )
    rows = AdmissionRequest.objects.filter(
        granted=None, ended_at=None, asked_at__gt=now - LAPSES, ends_at__gt=now
    )
    return rows.annotate(decides=decides).filter(decides=True)


def let_across(actor: Actor, *, most: int = 50) -> list[AdmissionRequest]:
    """Return what reaches across the wall now and the actor may end, as they own the partition."""
    owns = models.Func(
        models.F("partition_id"), function="hufu.owns_partition", output_field=models.BooleanField()
    )
    rows = AdmissionRequest.objects.filter(granted=True, ended_at=None, ends_at__gt=clock.now())
    rows = rows.annotate(owns=owns).filter(owns=True)
    return list(_with_names(rows.order_by("ends_at", "id"))[:most])


def to_me(actor: Actor) -> models.QuerySet[RecordShare]:
    """Return the shares that reach the actor across a wall now, as the row policy gives them: of what they may view."""
    rows = RecordShare.objects.filter(user_id=actor.user_id, across_by__isnull=False)
    return rows.filter(ends_at__gt=clock.now()).order_by("ends_at", "id")


def mine(actor: Actor, *, most: int = 50) -> list[Asked]:
    """Return what the actor asked for others, the newest first."""
    rows = AdmissionRequest.objects.filter(asked_by_id=actor.user_id).order_by("-asked_at", "-id")
    return [Asked(row) for row in _with_names(rows)[:most]]


def to_decide(actor: Actor, number: int) -> AdmissionRequest:
    """Return a request that the actor may decide; raise NothingToDecide where they may not, or no more."""
    found = _with_names(_undecided()).filter(pk=number).first()
    if found is None:
        raise NothingToDecide
    return found


def answer(actor: Actor, number: int, *, yes: bool, reason: str) -> None:
    """Let the share of a request across the wall, or refuse it: then it goes away. A refusal says why.

    Raise NothingToDecide where the actor may not decide it, or somebody did meanwhile.
    """
    asked = to_decide(actor, number)
    if not yes and not reason.strip():
        raise Invalid({"reason": [_("Say why.")]})
    if not is_storable(reason) or len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [_("Too long: at most %s characters.") % LONGEST_REASON]})
    if not _call("hufu.answer_admission(%s, %s, %s)", number, yes, reason.strip()):
        raise NothingToDecide
    reach.shares_changed()
    record(
        actor,
        "admission.let_across" if yes else "admission.kept_out",
        target=Target(asked.type, asked.record_id, asked.partition_id),
        data={
            **{"request": asked.pk, "share": asked.share_id, "member": asked.user_id},
            **{"access": asked.access, "ends_at": asked.ends_at},
        },
        reason=reason.strip(),
    )


def end(actor: Actor, number: int) -> bool:
    """End the share of a request, or take it back before it was let across: by whoever asked, or owns the partition.

    Return whether there was anything to end.
    """
    asked = AdmissionRequest.objects.filter(pk=number, ended_at=None).first()
    if asked is None or not (asked.asked_by_id == actor.user_id or _owns(asked)):
        return False
    if not _call("hufu.end_admission_request(%s)", number):
        return False
    reach.shares_changed()
    was_let = AdmissionRequest.objects.filter(pk=number, granted=True).exists()
    record(
        actor,
        "admission.ended" if was_let else "admission.withdrawn",
        target=Target(asked.type, asked.record_id, asked.partition_id),
        data={"request": asked.pk, "share": asked.share_id, "member": asked.user_id},
    )
    return True


def _with_names(rows: models.QuerySet[AdmissionRequest]) -> models.QuerySet[AdmissionRequest]:
    return rows.select_related("partition", "user", "user__main_department", "asked_by", "decided_by")


def _owns(row: AdmissionRequest) -> bool:
    return _call("hufu.owns_partition(%s)", row.partition_id)


def _call(function: str, *arguments: int | bool | str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}", list(arguments))
        return bool(cursor.fetchone()[0])
