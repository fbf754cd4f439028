"""Half one: the actor's reach, read once per transaction, as a filter for lists and a check for points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import IntegrityError, connection, transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONArray

from hufu.access import registry, rule_reach, states
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import (
    Coverage,
    Need,
    RecordFacts,
    Right,
    Share,
    Term,
    by_holder,
    is_let_across,
    is_shared,
    opens,
)
from hufu.access.models import GateUse, Quota, TeamMember, TermGrant
from hufu.access.models import Term as TermRow
from hufu.access.registry import ResourceType
from hufu.access.rule_reach import RulePart
from hufu.core.actor import Actor, Ceiling
from hufu.core.prepared import prepared
from hufu.core.transaction import Unit, current_unit

SHARE_OF = {TeamMember.Access.READ.value: Share.READ, TeamMember.Access.EDIT.value: Share.EDIT}

# What else was derived from reach, to be forgotten with it (hufu.access.fields, hufu.access.pool_fields).
FIELD_RULES = "access.field_rules"
POOL_FIELDS = "access.pool_fields"

_CACHE = "access.terms"
_COVERAGE = "access.coverage"
_SHARES = "access.shares"
_EDITED = "access.edited_in_teams"
_TEAM, _BY_HAND, _ACROSS, _RULE, _POOL = "team", "by_hand", "across", "rule", "pool"
_DEFERRED = "access.deferred"


def terms(actor: Actor) -> tuple[Term, ...]:
    """Return the actor's open terms of reach, without what closed gates close: their terms, and permissions.

    The database gives each actor their own reach alone.

    Raise RuntimeError when `actor` is not who acts in this transaction: rights are never asked for others here.
    """
    cache = _unit_of(actor).cache
    if _CACHE not in cache:
        cache[_CACHE] = _load(actor)
    loaded: tuple[Term, ...] = cache[_CACHE]
    return loaded


def _unit_of(actor: Actor) -> Unit:
    unit = current_unit()
    if unit.actor.user_id != actor.user_id:
        raise RuntimeError("The actor is not the one of this transaction.")
    return unit


def coverage(actor: Actor, permission: str) -> Coverage:
    """Return what the actor's terms cover of what the permission asks of a record, made once per transaction."""
    known: dict[str, Coverage] = _unit_of(actor).cache.setdefault(_COVERAGE, {})
    made = known.get(permission)
    if made is None:
        made = known[permission] = Coverage(terms(actor), registry.requirement(permission))
    return made


def changed() -> None:
    """Make reach true now, after facts or policy changed in this transaction; inside `one_change`, at its end.

    Raise Invalid, in words, where somebody would hold what nobody may hold together (hufu.access.duties).
    """
    unit = current_unit()
    if unit.cache.get(_DEFERRED):
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT hufu.settle_reach()")
    except IntegrityError as error:
        from hufu.access import duties

        refused = duties.refusal(error)
        if refused is None:
            raise
        raise refused from error
    finally:
        forget()


def forget() -> None:
    """Forget the rights that were read in this transaction: whoever asks next reads what holds by then."""
    cache = current_unit().cache
    for name in (_CACHE, _COVERAGE, _SHARES, _EDITED, FIELD_RULES, POOL_FIELDS):
        cache.pop(name, None)


def shut_terms(actor: Actor) -> frozenset[int]:
    """Return the numbers of the actor's terms that closed gates close."""
    behind = frozenset(current_unit().gates.closed)
    if not behind:
        return frozenset()
    rows = TermRow.objects.filter(user_id=actor.user_id).values_list("term", "gates")
    return frozenset(term for term, gates in rows if behind.intersection(gates))


def teams(actor: Actor, resource: ResourceType) -> dict[int, Share]:
    """Return the records of an independent type in whose team the actor is, and what that opens."""
    return _shared(actor, resource).team


def edited_in_teams(actor: Actor, resource: ResourceType) -> list[int]:
    """Return the records of an independent type that the actor edits as one of their team, read once."""
    known: dict[str, list[int]] = _unit_of(actor).cache.setdefault(_EDITED, {})
    if resource.name not in known:
        rows = TeamMember.objects.filter(
            user_id=actor.user_id, type=resource.name, access=TeamMember.Access.EDIT
        )
        known[resource.name] = list(rows.values_list("record_id", flat=True))
    return known[resource.name]


def shares(actor: Actor, resource: ResourceType) -> dict[int, Share]:
    """Return the records of an independent type that were shared with the actor by hand, and what that opens."""
    return _shared(actor, resource).by_hand


def crossings(actor: Actor, resource: ResourceType) -> dict[int, Share]:
    """Return the records of an independent type to which a share lets the actor through the wall, and what it opens."""
    return _shared(actor, resource).across


def rules(actor: Actor, resource: ResourceType) -> tuple[RulePart, ...]:
    """Return the alternatives of the rules and territories that reach the actor now."""
    return _shared(actor, resource).rules


def pools(actor: Actor, resource: ResourceType) -> frozenset[int]:
    """Return the pools of a type of which the actor is a member."""
    return _shared(actor, resource).pools


@dataclass
class _Shared:
    """What was shared with the actor: of `records`, or where that is None of all there are."""

    records: frozenset[int] | None = None
    team: dict[int, Share] = field(default_factory=dict)
    by_hand: dict[int, Share] = field(default_factory=dict)
    across: dict[int, Share] = field(default_factory=dict)
    rules: tuple[RulePart, ...] = ()
    pools: frozenset[int] = frozenset()


class _RowFacts(RecordFacts):
    """What coverage looks at in a row, as far as it concerns the actor, read when a decision comes to it.

    INVARIANT: what is not read of the row is what a record without it has, as RecordFacts declares it.
    """

    _row: Any
    _actor: int
    _given: _Shared
    _ceiling: Ceiling | None
    _resource: ResourceType

    def __init__(
        self, actor: int, given: _Shared, ceiling: Ceiling | None, resource: ResourceType, row: Any
    ) -> None:
        # The facts are frozen: to set each past that takes longer than the decision.
        self.__dict__.update(
            _row=row,
            _actor=actor,
            _given=given,
            _ceiling=ceiling,
            _resource=resource,
            partition_id=row.partition_id,
            owner_id=row.owner_id,
            deleted=row.deleted_at is not None,
            states=states.facts(resource, row),
        )

    @property
    def department_id(self) -> int | None:
        department: int | None = self._row.department_id
        return department

    @property
    def pool_id(self) -> int | None:
        return self._row.pool_id if self._resource.pooled else None

    @property
    def pool_members(self) -> frozenset[int]:
        return frozenset({self._actor}) if self.pool_id in self._given.pools else frozenset()

    @property
    def team(self) -> Mapping[int, Share]:
        return _theirs(self._actor, self._given.team.get(self._row.pk))

    @property
    def across(self) -> Mapping[int, Share]:
        within = self._ceiling.partitions if self._ceiling is not None else None
        if within is not None and self.partition_id not in within:
            return {}
        return _theirs(self._actor, self._given.across.get(self._row.pk))

    @cached_property
    def shared(self) -> Mapping[int, Share]:
        by_hand = self._given.by_hand.get(self._row.pk, Share.NONE)
        return _theirs(
            self._actor, max(by_hand, rule_reach.opened(self._given.rules, self._resource, self._row))
        )


def _theirs(actor: int, share: Share | None) -> Mapping[int, Share]:
    return {actor: share} if share else {}


def look_at(actor: Actor, resource: ResourceType, records: Iterable[int]) -> None:
    """Read of all that was shared with the actor only what concerns these records, before each is decided."""
    known = _unit_of(actor).cache.setdefault(_SHARES, {})
    if resource.name not in known:
        known[resource.name] = _read_shared(actor, resource, frozenset(records))


def _shared(actor: Actor, resource: ResourceType, record: Any = None) -> _Shared:
    """Return teams, shares, rules and pools, read once per transaction; of one record what was read of it is enough."""
    return _shared_in(_unit_of(actor), resource, record)


def _shared_in(unit: Unit, resource: ResourceType, record: Any) -> _Shared:
    known: dict[str, _Shared] = unit.cache.setdefault(_SHARES, {})
    found = known.get(resource.name)
    if found is None or (found.records is not None and (record is None or record.pk not in found.records)):
        found = known[resource.name] = _read_shared(unit.actor, resource, None)
    return found


def _read_shared(actor: Actor, resource: ResourceType, records: frozenset[int] | None) -> _Shared:
    found = _Shared(records)
    asked = None if records is None else sorted(records)
    with prepared(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s, record_id, access, NULL::bytea, NULL::bytea, NULL::jsonb FROM access_team_member"
            " WHERE user_id = %s AND type = %s AND (%s::bigint[] IS NULL OR record_id = ANY (%s::bigint[]))"
            " UNION ALL SELECT %s, record_id, access, NULL, NULL, NULL FROM hufu.my_shares(%s, %s::bigint[])"
            " UNION ALL SELECT %s, record_id, access, NULL, NULL, NULL FROM hufu.my_crossings(%s)"
            " UNION ALL SELECT %s, part, access, owners, departments, literals FROM hufu.my_rules(%s)"
            " UNION ALL SELECT %s, pool, '', NULL, NULL, NULL FROM hufu.my_pools(%s) pool",
            [
                *(_TEAM, actor.user_id, resource.name, asked, asked, _BY_HAND, resource.name, asked),
                *(_ACROSS, resource.name, _RULE, resource.name, _POOL, resource.name),
            ],
        )
        for way, number, access, owners, departments, literals in cursor.fetchall():
            if way == _POOL:
                found.pools |= {number}
            elif way == _RULE:
                found.rules += (
                    RulePart(
                        number,
                        SHARE_OF[access],
                        numbers(owners) if owners is not None else None,
                        numbers(departments) if departments is not None else None,
                        rule_reach.read_literals(literals),
                    ),
                )
            else:
                of_way = {_TEAM: found.team, _BY_HAND: found.by_hand, _ACROSS: found.across}[way]
                of_way[number] = max(SHARE_OF[access], of_way.get(number, Share.NONE))
    return found


def shares_changed() -> None:
    """Forget the teams, shares and rules that were read in this transaction, after one was changed in it."""
    for name in (_SHARES, _EDITED):
        current_unit().cache.pop(name, None)


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
    behind = frozenset(current_unit().gates.closed)
    ceiling = current_unit().actor.ceiling
    grants = TermGrant.objects.filter(user_id=actor.user_id)
    if behind:
        closed = GateUse.objects.filter(gate_id__in=behind).exclude(permission="").values("permission")
        used_up = Quota.objects.filter(id__in=[-number for number in behind if number < 0]).values("counts")
        grants = grants.exclude(permission__in=closed).exclude(permission__in=used_up)
    if ceiling is not None and ceiling.permissions is not None:
        grants = grants.filter(permission__in=ceiling.permissions)
    of_term = grants.filter(term=OuterRef("term")).values(each=JSONArray("permission", "scopes"))
    return tuple(
        Term(
            holder_id=row.holder_id,
            delegated=row.holder_id != actor.user_id,
            partitions={
                Right.READ: _within(ceiling, row.read_partitions),
                Right.CREATE: _within(ceiling, row.create_partitions),
                Right.EDIT: _within(ceiling, row.edit_partitions),
                Right.DELETE: _within(ceiling, row.delete_partitions),
            },
            owners=numbers(row.owners),
            reports=numbers(row.reports),
            departments=numbers(row.departments),
            departments_below=numbers(row.departments_below),
            scopes={permission: Scope(scopes) for permission, scopes in row.granted or ()},
        )
        for row in TermRow.objects.filter(user_id=actor.user_id)
        .annotate(granted=ArraySubquery(of_term))
        .order_by("term")
        if not behind.intersection(row.gates)
    )


def _within(ceiling: Ceiling | None, bits: bytes | memoryview) -> frozenset[int]:
    """Return the partitions in a bitmap that a ceiling leaves."""
    found = numbers(bits)
    return found if ceiling is None or ceiling.partitions is None else found & ceiling.partitions


def numbers(bits: bytes | memoryview) -> frozenset[int]:
    """Return the numbers in a bitmap, as hufu.bit() reads it: bit n is bit n mod 8 of byte n div 8."""
    return frozenset(
        index * 8 + bit
        for index, byte in enumerate(bytes(bits))
        if byte
        for bit in range(8)
        if byte >> bit & 1
    )


def covered(actor: Actor, resource: ResourceType, needs: Iterable[Need]) -> Q | None:
    """Return the condition for records of which one holder's terms cover all that is needed, or None where none do."""
    result: Q | None = None
    for held in by_holder(terms(actor)).values():
        condition: Q | None = Q()
        for need in needs:
            part = _covered(actor, held, resource, need)
            condition = None if part is None or condition is None else condition & part
        if condition is not None:
            result = condition if result is None else result | condition
    return result


def _covered(actor: Actor, held: Iterable[Term], resource: ResourceType, need: Need) -> Q | None:
    result: Q | None = None
    for term in held:
        condition = _covered_by(actor, term, resource, need)
        if condition is not None:
            result = condition if result is None else result | condition
    if result is None:
        return None
    of = f"{resource.parent}__" if need.of_parent else ""
    return result & states.is_open(need.closed_in, of)


def _covered_by(actor: Actor, term: Term, resource: ResourceType, need: Need) -> Q | None:
    scopes = term.scope_of(need.permission)
    if not scopes:
        return None
    if need.right is None:
        return Q()
    of = f"{resource.parent}__" if need.of_parent else ""
    inside = _inside(actor, term, scopes, resource, need, of)
    across = _across(actor, resource, need, of) if not term.delegated else None
    return inside | across if inside is not None and across is not None else inside or across


def _across(actor: Actor, resource: ResourceType, need: Need, of: str) -> Q | None:
    """Return the condition for the records to which a share lets the actor through the wall, within their ceiling."""
    let = crossings(actor, resource.independent)
    numbers_let = sorted(number for number, share in let.items() if is_let_across(need, share))
    if not numbers_let:
        return None
    condition = Q(**{f"{of}id__in": numbers_let})
    ceiling = current_unit().actor.ceiling
    if ceiling is not None and ceiling.partitions is not None:
        condition &= Q(**{f"{of}partition_id__in": sorted(ceiling.partitions)})
    return condition


def _inside(actor: Actor, term: Term, scopes: Scope, resource: ResourceType, need: Need, of: str) -> Q | None:
    """Return the condition for the records that the term covers inside the partitions that are open to it."""
    assert need.right is not None
    partitions = term.partitions[need.right]
    if not partitions:
        return None
    within = Q(**{f"{of}partition_id__in": sorted(partitions)})
    if Scope.EVERYTHING in scopes:
        return within
    owners = {term.holder_id}
    if Scope.SUBORDINATES in scopes:
        owners |= term.owners
    if Scope.DIRECT_REPORTS in scopes:
        owners |= term.reports
    whose = Q(**{f"{of}owner_id__in": sorted(owners)})
    departments: frozenset[int] = frozenset()
    if Scope.DEPARTMENT in scopes:
        departments |= term.departments
    if Scope.DEPARTMENT_AND_BELOW in scopes:
        departments |= term.departments_below
    if departments:
        whose |= Q(**{f"{of}department_id__in": sorted(departments), f"{of}owner_id__isnull": False})
    if term.delegated:
        return within & whose
    # Numbers, not a sub-query: beside one, the planner cannot use the indices of owner and department.
    shared = {
        number for number, share in teams(actor, resource.independent).items() if opens(scopes, need, share)
    }
    shared |= {
        number for number, share in shares(actor, resource.independent).items() if is_shared(need, share)
    }
    if shared:
        whose |= Q(**{f"{of}id__in": sorted(shared)})
    if need.share is not Share.NONE:
        for by_rule in rule_reach.conditions(rules(actor, resource.independent), need.share, of):
            whose |= by_rule
    if need.pooled and (mine := pools(actor, resource.independent)):
        whose |= Q(**{f"{of}pool_id__in": sorted(mine)})
    return within & whose


def facts(actor: Actor, resource: ResourceType, record: Any) -> RecordFacts:
    """Return what coverage looks at in a record, with the actor's own membership in its team and what is shared."""
    if not resource.parent:
        unit = _unit_of(actor)
        given = _shared_in(unit, resource, record)
        return _RowFacts(actor.user_id, given, unit.actor.ceiling, resource, record)
    return RecordFacts(
        record.partition_id,
        deleted=record.deleted_at is not None,
        states=states.facts(resource, record),
        parent=facts(actor, resource.independent, getattr(record, resource.parent)),
    )
