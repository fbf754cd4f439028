"""Whether anybody who may change the policy can still sign in, and the way back where nobody can."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext as _

from hufu.access import gates, guard, queries, reach, training
from hufu.access.decision.gates import Conditions, Gate, WrongCondition, read
from hufu.access.decision.openings import can_open
from hufu.access.models import Gate as GateRow
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import OPERATOR_ID, Actor
from hufu.core.errors import Invalid
from hufu.people.models import Device


def require_a_way_in() -> None:
    """Raise Invalid where access limits keep everybody who may change the policy from ever signing in."""
    holders = queries.holders(queries.snapshot(), "policy.apply")
    trusted = dict(
        Device.objects.filter(user_id__in=holders)
        .values_list("user_id")
        .annotate(Max("trusted_until"))
        .values_list("user_id", "trusted_until__max")
    )
    in_the_way: dict[int, str] = {}
    for user_id in holders:
        standing = gates.on_person(user_id)
        conditions = _read(standing)
        if conditions is not None and can_open(
            conditions,
            clock.now(),
            trusted_until=trusted.get(user_id),
            passed=training.passed(user_id) if any(one.training for one in conditions) else (),
        ):
            return
        in_the_way |= {gate.id: gate.name for gate in standing}
    if in_the_way:
        raise Invalid(
            {
                "gates": [
                    _(
                        "With %(gates)s nobody who may change the policy could ever sign in again: its networks hold "
                        "no address that they share, its hours never come, or it asks for a trusted device or for "
                        "training and none of these people has it. Correct the access limit. If it is meant so, say "
                        "--allow-lock-out."
                    )
                    % {"gates": _(", ").join(_("“%s”") % name for name in in_the_way.values())}
                ]
            }
        )


def lift_gate(actor: Actor, key: str, *, reason: str) -> None:
    """Let an access limit close nobody's sign-in any longer; what it binds besides (roles, permissions) stays bound.

    For the operator alone, when nobody gets in. Raise Denied for anybody else, Invalid where there is no such limit,
    where it binds no sign-in and no people, and without a reason.
    """
    if actor.user_id != OPERATOR_ID:
        raise guard.denied(actor, "role.manage")
    gate = GateRow.objects.filter(key=key).first()
    if gate is None:
        raise Invalid({"key": [_("There is no access limit “%s”. `hufu policy export` lists them.") % key]})
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the log keeps it.")]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.lift_gate(%s)", [gate.id])
        [lifted] = cursor.fetchone()
    if not lifted:
        raise Invalid({"key": [_("“%s” keeps nobody from signing in.") % gate.name]})
    record(actor, "gate.lifted", data={"key": key}, reason=reason.strip())
    reach.changed()


def _read(standing: Iterable[Gate]) -> list[Conditions] | None:
    """Return the conditions of gates; None where one cannot be read: it stays closed."""
    try:
        return [read(gate.conditions) for gate in standing]
    except WrongCondition:
        return None
