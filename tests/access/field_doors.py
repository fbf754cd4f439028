"""Every way in which the product decides about fields, asked one by one: guard, conditions of lists, explanation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hufu.access import explain_fields, guard, registry
from hufu.access.decision.field_access import decide_field
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts
from hufu.core.actor import Actor
from tests.access import field_reference
from tests.access.world import World


def differences(
    world: World,
    now: datetime,
    actor: Actor,
    snapshots: dict[str, Snapshot],
    type_name: str,
    unread: dict[int, Any],
    facts: dict[int, RecordFacts],
) -> list[str]:
    """Return what differs about the fields of the records that somebody lists; `unread` are these as objects, `facts`
    as the explanation looks at them."""
    listed = set(unread)
    resource, person = registry.resource_type(type_name), actor.user_id
    closed = frozenset(world["gates"]) - frozenset(world["open"][person])
    found: list[str] = []
    rows = guard.scope(actor, f"{type_name}.view")
    guarded = {number: guard.fields(actor, resource, unread[number]) for number in listed}
    for name in field_reference.RULED[type_name]:
        about = explain_fields.asked_about(resource, resource.by_name[name])
        readable = guard.readable(actor, resource, resource.by_name[name])
        read = set() if readable is None else set(rows.filter(readable).values_list("pk", flat=True))
        expected_read = set()
        for number in sorted(listed):
            record = world["records"][type_name][number]
            expected = field_reference.access(world, now, person, type_name, name, record)
            if expected in ("read_only", "editable"):
                expected_read.add(number)
            answers = {
                "guard": guarded[number][name],
                **{
                    door: decide_field(snapshot, person, about, record=facts[number], closed=closed).access
                    for door, snapshot in snapshots.items()
                },
            }
            found += [
                f"{type_name} {number}, field {name}, person {person}: reference {expected}, {door} {answer}"
                for door, answer in answers.items()
                if answer != expected
            ]
        if read != expected_read:
            found.append(
                f"{type_name}, field {name}, person {person}: readable on {sorted(expected_read)} by the reference,"
                f" on {sorted(read)} by the condition of lists"
            )
    return found
