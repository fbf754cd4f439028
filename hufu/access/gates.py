"""The gates of whoever acts: evaluated once when they enter, carried by the transaction, told in words that help.

Conditions of where and how bind people. Actors that the code declares (the operator, the set-up page) have no address,
no device and no second factor, and are behind no gate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from hufu.access import ceilings, quotas, training
from hufu.access.decision.gates import ClosedGate, Condition, Gate, closed
from hufu.access.models import GateUse, Quota, Term, TermGrant
from hufu.core import clock, wording
from hufu.core.actor import Actor
from hufu.core.errors import GateClosed, Refusal, SecondFactorNeeded
from hufu.core.transaction import Gates, current_unit

_SENSITIVITIES = "access.closed_sensitivities"


@dataclass(frozen=True)
class _Standing:
    gate: Gate
    binds_person: bool


def evaluate(actor: Actor) -> Gates:
    """Return the gates that are closed to the actor, and the refusal where they bind the person."""
    if (kept_out := ceilings.refusal(actor)) is not None:
        return Gates(refusal=kept_out)
    if not actor.is_person:
        return Gates()
    standing = list(_standing(actor.user_id))
    shut = closed(
        (each.gate for each in standing if each.gate.id > 0),
        actor.context,
        clock.now(),
        lambda: training.passed(actor.user_id),
    )
    shut |= {each.gate.id: quotas.used_up(each.gate) for each in standing if each.gate.id < 0}
    on_person = [shut[each.gate.id] for each in standing if each.binds_person and each.gate.id in shut]
    return Gates(tuple(sorted(shut)), _refusal(actor, on_person) if on_person else None, shut)


def refuse_the_person() -> None:
    """Raise the refusal of whoever can do nothing in this transaction, because a gate on them is closed."""
    unit = current_unit()
    if unit.gates.refusal is not None:
        raise unit.gates.refusal


def closing(permissions: Iterable[str]) -> list[ClosedGate]:
    """Return the closed gates on permissions that the one who acts holds, and on the roles by which they hold them."""
    unit = current_unit()
    shut: dict[int, ClosedGate] = unit.gates.details or {}
    if not shut:
        return []
    found: set[int] = set()
    wanted = set(permissions)
    gates_of = dict(Term.objects.filter(user_id=unit.actor.user_id).values_list("term", "gates"))
    held = TermGrant.objects.filter(user_id=unit.actor.user_id, permission__in=wanted)
    for permission, term in held.values_list("permission", "term"):
        found |= shut.keys() & set(gates_of[term])
        uses = GateUse.objects.filter(gate_id__in=shut, permission=permission)
        found |= set(uses.values_list("gate_id", flat=True))
        counted = Quota.objects.filter(counts=permission).values_list("id", flat=True)
        found |= shut.keys() & {-number for number in counted}
    return [shut[gate] for gate in sorted(found)]


def closed_sensitivities() -> frozenset[str]:
    """Return the sensitivities whose fields closed gates, or a ceiling, hide from the one who acts."""
    unit = current_unit()
    outside = ceilings.closed_sensitivities(unit.actor.ceiling)
    if not unit.gates.closed:
        return outside
    if _SENSITIVITIES not in unit.cache:
        uses = GateUse.objects.filter(gate_id__in=unit.gates.closed).exclude(sensitivity="")
        unit.cache[_SENSITIVITIES] = frozenset(uses.values_list("sensitivity", flat=True))
    found: frozenset[str] = unit.cache[_SENSITIVITIES]
    return found | outside


def only_second_factor(shut: Iterable[ClosedGate]) -> bool:
    """Say whether a fresh second factor is all that is missing."""
    return {reason for each in shut for reason in each.failed} == {Condition.SECOND_FACTOR}


def sentence(shut: ClosedGate) -> str:
    """Return what is closed and what to do, for the person; never the networks themselves."""
    if shut.failed == (Condition.QUOTA,):
        return quotas.sentence(shut)
    words = {"gate": shut.gate.name}
    said = [_SAID[reason]() for reason in shut.failed if reason is not Condition.TRAINING]
    if shut.courses:
        courses = _(", ").join(_("“%s”") % training.title(course) for course in shut.courses)
        said.append(
            _("It asks for training that you have not passed, or that no longer counts: %s.") % courses
        )
    if shut.opens_at is not None:
        opens = date_format(shut.opens_at, "DATETIME_FORMAT")
        zone = str(shut.opens_at.tzinfo)
        said.append(_("It opens again: %(opens)s (%(zone)s).") % {"opens": opens, "zone": zone})
    return wording.joined(_("The access limit “%(gate)s” is closed.") % words, *said)


_SAID = {
    Condition.NETWORKS: lambda: _(
        "You are outside the networks from which it is open, such as the office's."
    ),
    Condition.HOURS: lambda: _("It is outside the hours in which it is open."),
    Condition.TRUSTED_DEVICE: lambda: _("This browser is not one that you named a trusted device."),
    Condition.SECOND_FACTOR: lambda: _("It asks for your second factor, proven a short time ago."),
    Condition.ERROR: lambda: _("It could not be evaluated, and so it stays closed."),
}


def _standing(user_id: int) -> Iterable[_Standing]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, key, name, conditions::text, binds_person FROM hufu.gates_for(%s)", [user_id]
        )
        for number, key, name, conditions, binds_person in cursor.fetchall():
            yield _Standing(Gate(number, key, name, json.loads(conditions)), binds_person)


def _refusal(actor: Actor, shut: list[ClosedGate]) -> Refusal:
    said = wording.joined(*map(sentence, shut), _("If you need access now, ask your security administrator."))
    kind = SecondFactorNeeded if only_second_factor(shut) else GateClosed
    return kind(None, said, event=event_of(shut[0]))


def on_person(user_id: int) -> list[Gate]:
    """Return the gates behind which somebody cannot act at all when they are closed."""
    return [each.gate for each in _standing(user_id) if each.binds_person]


def event_of(shut: ClosedGate) -> dict[str, Any]:
    """Return the event of a refusal by a gate."""
    kind = "gate" if shut.gate.id > 0 else "quota"
    return {"type": "access.refused", "data": {kind: shut.gate.key}, "reason": kind}
