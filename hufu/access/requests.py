"""Asking for access, and what is decided about it.

Asking looks at nothing but what was typed and what the person asked for themselves before: absent and forbidden
records, and those of other partitions, are stored and answered alike. Whoever decides does the deed in their own name
(hufu.crm.actions.requests for records, `grant_role` here): to be an approver gives no right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import actions, guard, quotas, registry
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.access.request_models import AccessRequest, RequestDecision
from hufu.audit import Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.days import moment_words
from hufu.core.errors import Invalid, NothingToDecide
from hufu.core.text import is_storable

ASKING = "access.request"
registry.declare_counted(ASKING, gettext_lazy("Ask for access"))

LONGEST_REASON = 500
LONGEST_NUMBER = 40
# What is given on request ends; so late at most.
LONGEST = timedelta(days=92)
# The same as hufu.request_lapses().
LAPSES = timedelta(days=30)
MOST_A_DAY = 20


class State(StrEnum):
    """How a request stands for whoever asked. What was left without an answer waits until it lapses."""

    WAITING = "waiting"
    GRANTED = "granted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Mine:
    """A request of the actor's and the answer that they may know of."""

    request: AccessRequest
    decision: RequestDecision | None

    @property
    def state(self) -> State:
        if self.decision is not None:
            return State.GRANTED if self.decision.granted else State.REJECTED
        if self.request.withdrawn_at is not None:
            return State.WITHDRAWN
        return State.LAPSED if self.request.asked_at + LAPSES <= clock.now() else State.WAITING


def ask_for_record(
    actor: Actor, type_name: str, number: str, *, access: str, until: datetime, reason: str
) -> AccessRequest:
    """Ask to view (or also edit) a record, by whatever number was typed. INVARIANT: no record is looked at."""
    registry.resource_type(type_name)
    if not (number.isascii() and number.isdigit() and 0 < len(number) <= LONGEST_NUMBER):
        raise Invalid({"": [_("This is no number of a record.")]})
    problems = _problems(reason, until)
    if access not in AccessRequest.Access.values:
        problems["access"] = [_("Choose whether you want to view or also edit.")]
    found = int(number) if int(number) <= guard.LARGEST_NUMBER else None
    return _ask(
        actor,
        problems,
        Target(type_name, found) if found is not None else None,
        {"access": access},
        type=type_name,
        number=number.lstrip("0") or "0",
        record_id=found,
        access=access,
        until=until,
        reason=reason,
    )


def one_at_a_time(actor: Actor) -> None:
    """Let the actor ask for one thing after another: what waits already, and how much was asked today, is looked at in
    turn until the transaction ends. INVARIANT: it depends on nobody but who asks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7253, %s)", [actor.user_id])


def prepare_asking(
    actor: Actor, *, access: str, until: datetime, reason: str, since: datetime | None
) -> None:
    """Raise Invalid for what cannot be asked, or is asked `since` then, and count the asking."""
    problems = _problems(reason, until)
    if access not in AccessRequest.Access.values:
        problems["access"] = [_("Choose whether you want to view or also edit.")]
    if not problems and since is not None:
        problems[""] = [_waits(since)]
    _count(actor, problems)


def ask_for_permission(actor: Actor, permission: str, *, until: datetime, reason: str) -> AccessRequest:
    """Ask for a role that grants a permission; raise KeyError for an unknown one."""
    name = registry.permission(permission).name
    return _ask(
        actor,
        _problems(reason, until),
        None,
        {"permission": name},
        permission=name,
        until=until,
        reason=reason,
    )


def withdraw(actor: Actor, number: int) -> bool:
    """Take back what one asked for; return whether it was there, one's own and undecided."""
    rows = AccessRequest.objects.filter(pk=number, user_id=actor.user_id, withdrawn_at=None)
    if not rows.filter(decision__isnull=True).update(withdrawn_at=clock.now()):
        return False
    record(actor, "access.request_withdrawn", data={"request": number})
    return True


def mine(actor: Actor, *, most: int = 50) -> list[Mine]:
    """Return what the actor asked for, the newest first: what they typed, and the answer."""
    rows = AccessRequest.objects.filter(user_id=actor.user_id).order_by("-asked_at", "-id")[:most]
    answers = {
        each.request_id: each
        for each in RequestDecision.objects.filter(request__in=[row.pk for row in rows]).select_related(
            "decided_by"
        )
    }
    return [Mine(row, answers.get(row.pk)) for row in rows]


def waiting(actor: Actor, *, most: int = 50) -> list[AccessRequest]:
    """Return the requests that the actor may decide, the oldest first: the database tells which."""
    rows = _undecided(actor).select_related("user", "user__main_department")
    return _with_records(list(rows.order_by("asked_at", "id")[:most]))


def how_many_wait(actor: Actor) -> int:
    """Return how many requests the actor may decide."""
    return _undecided(actor).count()


def _undecided(actor: Actor) -> QuerySet[AccessRequest]:
    rows = AccessRequest.objects.filter(
        withdrawn_at=None, decision__isnull=True, asked_at__gt=clock.now() - LAPSES
    )
    return rows.exclude(user_id=actor.user_id)


def to_decide(actor: Actor, number: int) -> AccessRequest:
    """Return a request that the actor may decide; raise NothingToDecide where they may not, or no more."""
    found = (
        AccessRequest.objects.filter(pk=number, withdrawn_at=None, decision__isnull=True)
        .select_related("user")
        .first()
    )
    if found is None or not _asked("SELECT hufu.may_decide(%s, NULL)", number):
        raise NothingToDecide
    return _with_records([found])[0]


def roles_for(actor: Actor, request: AccessRequest) -> list[Role]:
    """Return the roles that grant what was asked for and that the actor may give for it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role_id FROM hufu.roles_granting(%s) g (role_id) WHERE hufu.decides(%s, '', NULL, %s, role_id)",
            [request.permission, request.user_id, request.permission],
        )
        numbers = [row[0] for row in cursor.fetchall()]
    return list(Role.objects.filter(pk__in=numbers).order_by("name", "id"))


def stands_in_for_asker(request: AccessRequest) -> bool:
    """Say whether the actor stands in for whoever asked: a role of theirs would come to the actor, too."""
    return _asked("SELECT %s IN (SELECT hufu.my_delegators())", request.user_id)


def grant_role(actor: Actor, number: int, *, role: Role, ends_at: datetime, reason: str) -> None:
    """Answer a request for a permission by giving a role that grants it, until a moment, in the actor's own name."""
    request = to_decide(actor, number)
    check_answer(ends_at, reason)
    if request.permission and stands_in_for_asker(request):
        raise Invalid({"role": [would_come_back(request)]})
    if not request.permission or role not in roles_for(actor, request):
        raise Invalid({"role": [_("Choose a role that you may give and that grants it.")]})
    given = actions.assign_role(
        actor, role, to=Principal(user=request.user), reason=words_of(request, reason), ends_at=ends_at
    )
    decided(
        actor, request, ends_at=ends_at, reason=reason, role_id=role.pk, assignment_id=given.pk, granted=True
    )


def reject(actor: Actor, number: int, *, reason: str, tell: bool = True) -> None:
    """Refuse a request. Whoever asked is told, with the reason; or (`tell` off) nothing, as where nobody answers."""
    request = to_decide(actor, number)
    if not reason.strip() and tell:
        raise Invalid({"reason": [_("Say why.")]})
    _check_text(reason)
    decided(actor, request, granted=False, told=tell, reason=reason)


def check_answer(ends_at: datetime | None, reason: str) -> None:
    """Raise Invalid unless what is given ends, and soon enough."""
    if ends_at is None or ends_at <= clock.now():
        raise Invalid({"ends_at": [_("Name a day that is to come.")]})
    if ends_at > clock.now() + LONGEST + timedelta(days=1):
        raise Invalid({"ends_at": [_("At most %s days.") % LONGEST.days]})
    _check_text(reason)


def words_of(request: AccessRequest, reason: str) -> str:
    """Return the reason with which something is given: the answer's, else the request's."""
    return reason.strip() or request.reason


def decided(actor: Actor, request: AccessRequest, *, granted: bool, told: bool = True, **said: Any) -> None:
    """Keep what was decided; raise NothingToDecide where somebody else was quicker: then nothing of it is done."""
    try:
        with transaction.atomic():
            RequestDecision(
                request=request,
                granted=granted,
                told=told,
                decided_by_id=actor.user_id,
                decided_at=clock.now(),
                **said,
            ).save(force_insert=True)
    except IntegrityError as error:
        raise NothingToDecide from error
    record(
        actor,
        "access.request_granted" if granted else "access.request_rejected",
        target=Target(request.type, request.record_id) if request.record_id is not None else None,
        data={
            "request": request.pk,
            "member": request.user_id,
            "permission": request.permission or None,
            "ends_at": said.get("ends_at"),
            "told": told,
        },
        reason=said.get("reason", ""),
    )


def by_share(shares: Sequence[int]) -> dict[int, int]:
    """Return by which requests shares were given, as far as the actor may know: share → request, by number."""
    if not shares:
        return {}
    rows = RequestDecision.objects.filter(share_id__in=list(shares))
    return {row.share_id: row.request_id for row in rows if row.share_id is not None}


def open_since(actor: Actor, **what: Any) -> datetime | None:
    """Return when the actor asked for just this, if it waits for an answer as far as they may know.

    INVARIANT: it looks at what they typed themselves. What somebody put aside without an answer waits like any other.
    """
    rows = AccessRequest.objects.filter(
        user_id=actor.user_id,
        withdrawn_at=None,
        decision__isnull=True,
        asked_at__gt=clock.now() - LAPSES,
        **what,
    )
    return rows.order_by("-asked_at").values_list("asked_at", flat=True).first()


def _ask(
    actor: Actor, problems: dict[str, list[str]], target: Target | None, said: dict[str, Any], **row: Any
) -> AccessRequest:
    one_at_a_time(actor)
    same = {name: row.get(name, "") for name in ("type", "number", "access", "permission")}
    if not problems and (since := open_since(actor, **same)):
        problems[""] = [_waits(since)]
    _count(actor, problems)
    made = AccessRequest(user_id=actor.user_id, asked_at=clock.now(), **row)
    made.save(force_insert=True)
    record(
        actor,
        "access.requested",
        target=target,
        data={"request": made.pk, "until": made.until, **said},
        reason=made.reason,
    )
    return made


def would_come_back(request: AccessRequest) -> str:
    """Return why whoever stands in for the asker gives them no role, and what helps."""
    return _(
        "You stand in for %(person)s: a role that you give them comes to you, too. End the delegation first, under My "
        "delegations, or leave it to somebody else; to reject the request is up to you."
    ) % {"person": request.user.name}


def _waits(since: datetime) -> str:
    return _(
        "You asked for this already: %s. It still waits for an answer; it stands under Access requests."
    ) % moment_words(since)


def _count(actor: Actor, problems: dict[str, list[str]]) -> None:
    """Raise Invalid for these problems, or where the actor asked too often today; else count one more."""
    own = AccessRequest.objects.filter(user_id=actor.user_id)
    if not problems and own.filter(asked_at__gt=clock.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        problems[""] = [_("You have asked for access %s times today. Ask again tomorrow.") % MOST_A_DAY]
    if problems:
        raise Invalid(problems)
    quotas.consume(actor, ASKING)


def _problems(reason: str, until: datetime) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if not reason.strip():
        problems["reason"] = [_("Say why.")]
    elif not is_storable(reason):
        problems["reason"] = [_("This text cannot be stored. Type it anew.")]
    elif len(reason) > LONGEST_REASON:
        problems["reason"] = [_("Too long: at most %s characters.") % LONGEST_REASON]
    if until <= clock.now():
        problems["until"] = [_("Name a day that is to come.")]
    elif until > clock.now() + LONGEST + timedelta(days=1):
        problems["until"] = [_("At most %s days.") % LONGEST.days]
    return problems


def _check_text(reason: str) -> None:
    if not is_storable(reason) or len(reason) > LONGEST_REASON:
        raise Invalid({"reason": [_("Too long: at most %s characters.") % LONGEST_REASON]})


def _with_records(rows: list[AccessRequest]) -> list[AccessRequest]:
    """Put the number of the record into requests that the actor may decide: the database tells nobody else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, record_id FROM hufu.asked_numbers(%s::bigint[])", [[row.pk for row in rows]]
        )
        numbers = dict(cursor.fetchall())
    for row in rows:
        row.record_id = numbers.get(row.pk)
    return rows


def _asked(sql: str, value: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, [value])
        return bool(cursor.fetchone()[0])
