"""Running the tests of a policy, under what stands in this transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, queries
from hufu.access.decision.snapshot import Snapshot
from hufu.access.policy_document import assertions
from hufu.core.actor import Actor
from hufu.core.transaction import in_place_of
from hufu.people.models import User


@dataclass(frozen=True)
class Result:
    """What became of one test: what it says, whether it holds, and what is so."""

    test: str
    passed: bool
    found: str


def run(tests: Sequence[Mapping[str, Any]]) -> list[Result]:
    """Return what becomes of the tests; inside `undone`, by somebody who may view roles. All gates are open."""
    if not tests:
        return []
    snapshot = queries.snapshot()
    return [_run(test, snapshot) for test in tests]


def words(test: Mapping[str, Any]) -> str:
    """Return a test as a line."""
    if "count" in test:
        bounds = " ".join(
            f"{bound} {test[bound]}" for bound in assertions.BOUNDS if test.get(bound) is not None
        )
        return f"{test['who']} · {test['count']} · {bounds}"
    record = f" · {test['record']}" if test.get("record") else ""
    expected = "yes" if test["expect"] else "no"
    because = f" ({test['because']})" if test.get("because") else ""
    return f"{test['who']} · {test['may']}{record} · {expected}{because}"


def _run(test: Mapping[str, Any], snapshot: Snapshot) -> Result:
    who = assertions.person(str(test["who"]))
    if who is None:
        return Result(words(test), False, _("There is nobody “%s”, or more than one.") % test["who"])
    return _counted(test, who) if "count" in test else _decided(test, who, snapshot)


def _counted(test: Mapping[str, Any], who: User) -> Result:
    actor = Actor(who.pk, who.name)
    with in_place_of(actor):
        number = guard.scope(actor, str(test["count"])).count()
    is_so = (
        number == test.get("is", number)
        and number >= test.get("at_least", number)
        and number <= test.get("at_most", number)
    )
    return Result(words(test), is_so, str(number))


def _decided(test: Mapping[str, Any], who: User, snapshot: Snapshot) -> Result:
    permission, about = str(test["may"]), None
    actor = Actor(who.pk, who.name)
    if test.get("record"):
        found = assertions.record_of(str(test["record"]))
        assert found is not None
        resource, number = found
        operator = Actor.operator()
        with in_place_of(operator):
            rows = guard.scope(operator, resource.permission("view")).filter(pk=number)
            row = guard.with_parent(resource, rows).first()
            if row is None:
                return Result(words(test), False, _("There is no such record."))
            about = queries.facts(resource, row)
        with in_place_of(actor), connection.cursor() as cursor:
            cursor.execute(f"SELECT hufu.covers_{resource.table}(%s, %s)", [permission, number])
            [in_database] = cursor.fetchone()
    else:
        with in_place_of(actor):
            in_database = guard.may(actor, permission)
    decision = queries.explain(snapshot, who.pk, permission, about)
    verdict = "yes" if decision.allowed else "no"
    # INVARIANT: the two halves agree; where they do not, no test passes.
    agree = decision.allowed == in_database
    is_so = (
        agree and decision.allowed == test["expect"] and test.get("because", decision.code) == decision.code
    )
    return Result(words(test), is_so, f"{verdict} ({decision.code})")
