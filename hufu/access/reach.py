"""Half one: the actor's reach, read once per transaction, as a filter for lists and a check for points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Q

from hufu.access import registry
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import RecordFacts, Right, Term
from hufu.access.models import Term as TermRow
from hufu.access.models import TermGrant
from hufu.core.actor import Actor
from hufu.core.transaction import current_unit

_CACHE = "access.terms"
_DEFERRED = "access.deferred"


def terms(actor: Actor) -> tuple[Term, ...]:
    """Return the actor's terms of reach. The database gives each actor their own reach alone.

    Raise RuntimeError when `actor` is not who acts in this transaction: rights are never asked for others here.
    """
    unit = current_unit()
    if unit.actor.user_id != actor.user_id:
        raise RuntimeError("The actor is not the one of this transaction.")
    if _CACHE not in unit.cache:
        unit.cache[_CACHE] = _load(actor)
    loaded: tuple[Term, ...] = unit.cache[_CACHE]
    return loaded


def changed() -> None:
    """Make reach true now, after facts or policy changed in this transaction; inside `one_change`, at its end."""
    unit = current_unit()
    if unit.cache.get(_DEFERRED):
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.settle_reach()")
    unit.cache.pop(_CACHE, None)


@contextmanager
def one_change() -> Iterator[None]:
    """Take many changes of facts and policy as one: the body is judged by the reach of its beginning."""
    unit = current_unit()
    terms(unit.actor)
    unit.cache[_DEFERRED] = True
    try:
        yield
    finally:
        del unit.cache[_DEFERRED]
    changed()


def _load(actor: Actor) -> tuple[Term, ...]:
    scopes: dict[int, dict[str, Scope]] = {}
    for row in TermGrant.objects.filter(user_id=actor.user_id):
        scopes.setdefault(row.term, {})[row.permission] = Scope(row.scopes)
    return tuple(
        Term(
            holder_id=actor.user_id,
            partitions={
                Right.READ: numbers(row.read_partitions),
                Right.CREATE: numbers(row.create_partitions),
                Right.EDIT: numbers(row.edit_partitions),
                Right.DELETE: numbers(row.delete_partitions),
            },
            owners=numbers(row.owners),
            departments=numbers(row.departments),
            departments_below=numbers(row.departments_below),
            scopes=scopes.get(row.term, {}),
        )
        for row in TermRow.objects.filter(user_id=actor.user_id).order_by("term")
    )


def numbers(bits: bytes | memoryview) -> frozenset[int]:
    """Return the numbers in a bitmap, as hufu.bit() reads it: bit n is bit n mod 8 of byte n div 8."""
    return frozenset(
        index * 8 + bit
        for index, byte in enumerate(bytes(bits))
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )


def covered(terms: tuple[Term, ...], permission: str) -> Q | None:
    """Return the condition for records that some term covers, or None where no record is."""
    right = registry.permission(permission).right
    if right is None:
        raise ValueError(f"{permission} is not about records")
    result: Q | None = None
    for term in terms:
        condition = _covered_by(term, permission, right)
        if condition is not None:
            result = condition if result is None else result | condition
    return result


def _covered_by(term: Term, permission: str, right: Right) -> Q | None:
    scopes = term.scope_of(permission)
    partitions = term.partitions[right]
    if not scopes or not partitions:
        return None
    within = Q(partition_id__in=sorted(partitions))
    if Scope.EVERYTHING in scopes:
        return within
    whose = Q(owner_id=term.holder_id)
    if Scope.SUBORDINATES in scopes:
        whose = Q(owner_id__in=sorted(term.owners | {term.holder_id}))
    departments: frozenset[int] = frozenset()
    if Scope.DEPARTMENT in scopes:
        departments |= term.departments
    if Scope.DEPARTMENT_AND_BELOW in scopes:
        departments |= term.departments_below
    if departments:
        whose |= Q(department_id__in=sorted(departments), owner_id__isnull=False)
    return within & whose


def facts(record: Any) -> RecordFacts:
    """Return what coverage looks at in a record."""
    return RecordFacts(
        record.partition_id, record.owner_id, record.department_id, record.deleted_at is not None
    )
