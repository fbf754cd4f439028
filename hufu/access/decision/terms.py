"""Terms of reach, and coverage: whether a term covers a record. The same rule stands in SQL (access/policies.py)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hufu.access.decision.scopes import Scope


class Right(StrEnum):
    """What an admission gives in a partition; each of the last three implies read."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True)
class RecordFacts:
    """What coverage looks at. A `deleted` record is covered by nothing, one without owner by `everything` alone."""

    partition_id: int
    owner_id: int | None
    department_id: int | None
    deleted: bool = False


@dataclass(frozen=True)
class Term:
    """One term of somebody's reach: where, whose, which departments, and the scopes per permission."""

    holder_id: int
    partitions: Mapping[Right, frozenset[int]]
    owners: frozenset[int]
    departments: frozenset[int]
    departments_below: frozenset[int]
    scopes: Mapping[str, Scope]

    def scope_of(self, permission: str) -> Scope:
        return self.scopes.get(permission, Scope.NOTHING)


def covering_scope(term: Term, permission: str, right: Right, record: RecordFacts) -> Scope:
    """Return the narrowest scope of `permission` by which the term covers the record, or NOTHING."""
    scopes = term.scope_of(permission)
    if not scopes or record.deleted:
        return Scope.NOTHING
    if record.partition_id not in term.partitions[right]:
        return Scope.NOTHING
    if record.owner_id is None:
        return Scope.EVERYTHING & scopes
    if record.owner_id == term.holder_id:
        return Scope.OWN
    if Scope.SUBORDINATES in scopes and record.owner_id in term.owners:
        return Scope.SUBORDINATES
    if Scope.DEPARTMENT in scopes and record.department_id in term.departments:
        return Scope.DEPARTMENT
    if Scope.DEPARTMENT_AND_BELOW in scopes and record.department_id in term.departments_below:
        return Scope.DEPARTMENT_AND_BELOW
    if Scope.EVERYTHING in scopes:
        return Scope.EVERYTHING
    return Scope.NOTHING


def covers(terms: Iterable[Term], permission: str, right: Right, record: RecordFacts) -> bool:
    """Say whether some term covers the record for the permission. No cover → deny."""
    return any(covering_scope(term, permission, right, record) for term in terms)
