"""What `hufu doctor` says about administration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from hufu.access import break_glass, company, drift_sql, duties, emergency, queries, reporting
from hufu.access.decision.rules import holders
from hufu.access.decision.snapshot import Given
from hufu.access.models import GIVEN_TO, Mode
from hufu.access.policy_file import current_version
from hufu.access.request_models import Approver
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.health import Finding
from hufu.core.postgres import inspection
from hufu.core.transaction import acting
from hufu.people.models import User

# What is compared by `--deep`, and what is wrong where it differs.
KEPT_TWICE = {
    drift_sql.CELLS: "counted records",
    drift_sql.TASKS: "pending tasks of records",
    drift_sql.RULES: "what sharing rules match",
    drift_sql.SHARED: "shared records in the order of lists",
}
NAMED = 3

NOTES = {
    Mode.STANDARD: (
        "standard mode: one person may be system and security administrator; does not conform to MLPS (等保) level 3"
    ),
    Mode.THREE: "three-administrator mode: three people, none of whom sees business data",
}


def check_duties() -> Iterator[Finding]:
    """Say whose exceptions from a separation of duties are borne no longer."""
    with acting(Actor.operator()):
        late = duties.overdue(clock.now())
    problem = "; ".join(f"{key}: {', '.join(people)}" for key, people in late)
    yield Finding(
        "separation of duties",
        f"exceptions are past their day: {problem}" if problem else "",
        "Take one of the roles from these people, or publish the duty with a later day.",
    )


def check_emergencies() -> Iterator[Finding]:
    """Say which emergency appointments nobody reviewed."""
    with acting(Actor.operator()):
        waiting = [
            f"{row.pk} ({row.user.username}, {row.appointed_at:%Y-%m-%d})" for row in emergency.unreviewed()
        ]
    yield Finding(
        "emergency appointments",
        f"not reviewed: {', '.join(waiting)}" if waiting else "",
        "Another security or an audit administrator reviews it: `hufu emergency --review N --sign-in NAME`.",
    )


def check_glass() -> Iterator[Finding]:
    """Say which uses of break-glass nobody reviewed."""
    with acting(Actor.operator()):
        waiting = [
            f"{row.pk} ({row.user.username}, {row.starts_at:%Y-%m-%d})" for row in break_glass.unreviewed()
        ]
    yield Finding(
        "break-glass",
        f"not reviewed: {', '.join(waiting)}" if waiting else "",
        "Somebody else who gives roles or audits reviews it on the page Break-glass.",
    )


def check_approvers() -> Iterator[Finding]:
    """Say where nobody but the author of a change set could approve it: it waits 24 hours, unseen by others."""
    with acting(Actor.operator()):
        approvers = queries.holders(queries.snapshot(), "policy.approve") if current_version() else ()
        stands = current_version() > 0
    problem = (
        f"{len(approvers)} active people may approve change sets" if stands and len(approvers) < 2 else ""
    )
    yield Finding(
        "second approver",
        problem,
        "Give policy.approve to two people. Until then what widens waits 24 hours, and nobody else looks at it.",
    )


def check_partition_owners() -> Iterator[Finding]:
    """Say which partitions have owners by the policy and none who is active: nobody lets shares across their walls."""
    with acting(Actor.operator()):
        snapshot = queries.snapshot()
        active = [person for person in snapshot.people.values() if person.active]
        owned: dict[str, bool] = {}
        for row in Approver.objects.filter(type="", role=None).select_related("partition"):
            assert row.partition is not None
            if row.by_role_id is not None:
                of_role = holders(snapshot, row.by_role_id)
                found = any(person.id in of_role for person in active)
            else:
                given = Given(row.pk, **{name: getattr(row, name) for name in GIVEN_TO})
                found = any(snapshot.reaches(given, person) for person in active)
            owned[row.partition.key] = owned.get(row.partition.key, False) or found
    orphaned = sorted(key for key, found in owned.items() if not found)
    yield Finding(
        "owners of partitions",
        f"no active owner: {', '.join(orphaned)}" if orphaned else "",
        "Name another one under approvals: in the policy file; else nobody decides on shares across the wall.",
    )


def check_administrators() -> Iterator[Finding]:
    """Say in which mode the company is administered. Either may be chosen: none is a fault."""
    if company.never_set_up():
        note = "nobody yet: run `hufu setup`, or open the site and enter the code that `hufu serve` prints"
    else:
        with acting(Actor.operator()):
            note = NOTES[company.mode()]
    yield Finding("administrators", note=note)


def check_reporting() -> Iterator[Finding]:
    """Check the logins for reporting: those that were opened, and no others; nobody's who has left."""
    operator = Actor.operator()
    with acting(operator):
        opened = reporting.logins(operator)
        names = dict(
            User.objects.filter(pk__in=[each.user_id for each in opened]).values_list("id", "username")
        )
    yield from inspection.check_logins(
        connection.connection, {each.name: names[each.user_id] for each in opened}
    )
    why = {"inactive": "not active", "ended": "over", "permission": f"{reporting.PERMISSION} is missing"}
    over = [f"{names[each.user_id]} ({why[each.problem]})" for each in opened if each.problem in why]
    yield Finding(
        "reporting logins are of use",
        f"they read nothing: {', '.join(over)}" if over else "",
        "Close each with `hufu reporting close USER`, or give its person what is missing.",
    )


def check_drift(*, repair: bool) -> Iterator[Finding]:
    """Compare what the database keeps twice with what it was made from, over all records; set it right if asked to."""
    with acting(Actor.operator()), connection.cursor() as cursor:
        found = _drift(cursor)
        if repair and found:
            cursor.execute("SELECT hufu.mend_drift()")
            left = _drift(cursor)
        else:
            left = found
    for kind, name in KEPT_TWICE.items():
        said = [f"{of_type} ({place}): {amount:+}" for each, of_type, place, amount in left if each == kind]
        mended = sum(each == kind for each, *_place in found) - len(said)
        more = [f"and {len(said) - NAMED} more"] if len(said) > NAMED else []
        yield Finding(
            name,
            "; ".join([*said[:NAMED], *more]),
            "Set it right with `hufu doctor --deep --repair`, and tell us: nothing that is done should lead to this.",
            note=f"{mended} differences, set right" if mended else "",
        )


def _drift(cursor: Any) -> list[tuple[str, str, str, int]]:
    cursor.execute("SELECT kind, type, place, amount FROM hufu.drift()")
    return list(cursor.fetchall())
