"""As of another day: who could do what, and when that changed, from the past that facts, policy and records keep.

A moment leads to the number of the last change of facts and policy that was committed by then, and the number to
what stood; numbers decide, not times. Answers are about coverage, account included; gates keep no past and are not
evaluated. What the permissions, scopes and types mean is what they mean in this version of the program.

Every question needs `explain.any` and leaves an event. The database asks for that permission again: the past is
read through its definer functions alone. So is the present where a question names no moment: whoever explains rights
need not be one who may view records, or roles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from hufu.access import guard, queries, reach, record_history, states
from hufu.access.decision.decide import Code, Decision, Link
from hufu.access.decision.rules import holders, roles_named
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import RecordFacts
from hufu.access.models import SHARE_COLUMNS, TEAM_COLUMNS, Change
from hufu.access.registry import ResourceType, is_about_records, requirement, type_of
from hufu.access.registry import permissions as declared_permissions
from hufu.access.rule_fields import rule_values
from hufu.access.task_models import TASK_COLUMNS
from hufu.audit import Target, record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.days import moment_words
from hufu.core.errors import Invalid

PERMISSION = "explain.any"
NOT_EVALUATED = "not_evaluated"
# Change 0 is what stood before any change.
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PastRecord:
    """What coverage looks at in a record on another day, and the fields that a rule can name, by name.

    The values are for rules. Whoever may not view the record is never shown them.
    """

    facts: RecordFacts
    values: Mapping[str, Any]


@dataclass(frozen=True)
class PastDecision:
    """A decision of another day, with all that it was made of; `change` is the last one that had been made."""

    decision: Decision
    snapshot: Snapshot
    change: Change
    gates: str = NOT_EVALUATED


@dataclass(frozen=True)
class PastHolders:
    """Who could: the decisions that allowed, by the number of the person. `exists`: the record was there."""

    decisions: tuple[Decision, ...]
    snapshot: Snapshot
    change: Change
    exists: bool = True
    gates: str = NOT_EVALUATED


@dataclass(frozen=True)
class PastReach:
    """What the person reached: by permission, the numbers of the records."""

    records: Mapping[str, frozenset[int]]
    snapshot: Snapshot
    change: Change
    gates: str = NOT_EVALUATED


@dataclass(frozen=True)
class PastRights:
    """All that rights are derived from; `change` is the last one that had been made."""

    snapshot: Snapshot
    change: Change
    gates: str = NOT_EVALUATED


class How(StrEnum):
    BEGAN = "began"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True)
class Touch:
    """What one change did to one fact: `thing` is its kind (`user`, `assignment`, `customer`), `id` its number.

    `before` and `after` hold what differs; of a record only whose it is, where, and whether it lies in the bin,
    while `fields` names everything that differs. `by` is None where nobody is known.
    """

    change: int
    at: datetime
    by: int | None
    thing: str
    id: int
    how: How
    fields: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


def change_at(actor: Actor, moment: datetime) -> Change:
    """Return the last change at or before the moment; number 0 before there was any.

    Raise Invalid for a moment that is to come, or lies before the past that is known. It says nothing about
    anybody's rights and leaves no event.
    """
    guard.authorize(actor, PERMISSION)
    if moment.tzinfo is None:
        raise ValueError("a moment has a time zone")
    if moment > clock.now():
        raise Invalid({"at": [_("%s is still to come: nobody knows yet.") % moment_words(moment)]})
    found = Change.objects.filter(at__lte=moment).order_by("-number").first()
    if found is not None:
        return found
    first = Change.objects.filter(number=0).first()
    if first is not None:
        raise Invalid(
            {
                "at": [
                    _("The past is known from %(first)s on; %(asked)s lies before that.")
                    % {"first": moment_words(first.at), "asked": moment_words(moment)}
                ]
            }
        )
    return _nothing()


def rights_at(
    actor: Actor, people: Iterable[int], moment: datetime | None, *, question: str = "rights", about: str = ""
) -> PastRights:
    """Return what the rights of these people were derived from then; None: now. Each is asked about by an event.

    `about` is the permission that the question is narrowed to.
    """
    change, at = _when(actor, moment)
    for person_id in people:
        _asked(actor, question, Target("user", person_id), about or None, at=moment)
    return PastRights(_stood(change, at, moment), change)


def snapshot_at(actor: Actor, number: int) -> Snapshot:
    """Return all facts and policy as the change of this number left them; raise Invalid for an unknown number."""
    guard.authorize(actor, PERMISSION)
    change = Change.objects.filter(number=number).first()
    if change is None:
        if number != 0:
            raise Invalid({"change": [_("There is no change number %s.") % number]})
        change = _nothing()
    _asked(actor, "snapshot", None, at=change.at)
    return _snapshot(change, change.at)


def record_facts_at(
    actor: Actor, resource: ResourceType, record_id: int, moment: datetime
) -> PastRecord | None:
    """Return what the record was then, or None where it was not yet there, or no longer."""
    change = change_at(actor, moment)
    _asked(actor, "record", Target(resource.name, record_id), at=moment)
    return _record(resource, record_id, change, moment)


def decide_at(
    actor: Actor, person_id: int, permission: str, record_id: int | None, moment: datetime | None
) -> PastDecision:
    """Return whether the person could use the permission then (None: now): on that record, or without one at all.

    A record that was not there yet, or no longer, is Code.NO_RECORD; an unknown permission is a KeyError.
    """
    change, at = _when(actor, moment)
    resource = _about_records(permission) if record_id is not None else None
    about = f"{resource.name}:{record_id}" if resource is not None else None
    _asked(actor, "explain", Target("user", person_id), permission, about=about, at=moment)
    past = _stood(change, at, moment)
    if resource is None or record_id is None:
        return PastDecision(queries.explain(past, person_id, permission, None), past, change)
    found = _record(resource, record_id, change, at)
    if found is None and person_id in past.people:
        missing = (Link(Code.NO_RECORD, permission),)
        decision = Decision(False, permission, person_id, Code.NO_RECORD, missing=missing)
    else:
        decision = queries.explain(past, person_id, permission, found.facts if found else None)
    return PastDecision(decision, past, change)


def who_could_at(
    actor: Actor, permission: str, record_id: int | None, moment: datetime | None
) -> PastHolders:
    """Return everybody who could use the permission then (None: now): on that record, or without one at all."""
    change, at = _when(actor, moment)
    resource = _about_records(permission) if record_id is not None else None
    target = Target(resource.name, record_id) if resource is not None and record_id is not None else None
    _asked(actor, "who", target, permission, at=moment)
    past = _snapshot(change, at)
    facts = None
    if resource is not None and record_id is not None:
        found = _record(resource, record_id, change, at)
        if found is None:
            return PastHolders((), past, change, exists=False)
        facts = found.facts
    few = narrowed(past, permission, facts)
    decisions = (queries.explain(few, person, permission, facts) for person in sorted(past.people))
    return PastHolders(tuple(decision for decision in decisions if decision.allowed), past, change)


def reached_at(
    actor: Actor,
    person_id: int,
    permissions: Iterable[str] | None,
    moment: datetime,
    *,
    question: str = "count",
) -> PastReach:
    """Return on which records the person could use each of the permissions on existing records then.

    None asks for all that they held then. It reads every record of their types as it was: seconds for some ten
    thousand records.
    """
    change = change_at(actor, moment)
    wanted = None if permissions is None else tuple(permissions)
    only = wanted[0] if wanted is not None and len(wanted) == 1 else None
    _asked(actor, question, Target("user", person_id), only, at=moment)
    past = _snapshot(change, moment)
    if wanted is None:
        wanted = tuple(
            declared.name
            for declared in declared_permissions()
            if is_about_records(declared.name)
            and person_id in past.people
            and queries.explain(past, person_id, declared.name, None).allowed
        )
    resources = {permission: _about_records(permission) for permission in wanted}
    then = _AllThen(change, moment)
    facts = {
        resource.name: {number: _facts(resource, row, then) for number, row in then.rows(resource).items()}
        for resource in resources.values()
    }
    reached = {}
    for permission, resource in resources.items():
        few = _narrowed_to(past, {need.permission for need in requirement(permission).needs})
        reached[permission] = frozenset(
            number
            for number, about in facts[resource.name].items()
            if about is not None and queries.explain(few, person_id, permission, about).allowed
        )
    return PastReach(reached, past, change)


def narrowed(snapshot: Snapshot, permission: str, record: RecordFacts | None) -> Snapshot:
    """Return the snapshot without the gifts that cannot matter to any decision on this permission.

    Decisions stay the same; asking them of everybody takes a fraction of the time.
    """
    wanted = {permission}
    partitions = None
    if record is not None:
        wanted |= {need.permission for need in requirement(permission).needs}
        partitions = {record.partition_id} | ({record.parent.partition_id} if record.parent else set())
    return _narrowed_to(snapshot, wanted, partitions)


def _narrowed_to(snapshot: Snapshot, wanted: set[str], partitions: set[int] | None = None) -> Snapshot:
    above: dict[int, list[int]] = {}
    for role in snapshot.roles.values():
        for inherited in role.inherits:
            above.setdefault(inherited, []).append(role.id)
    waiting = [role.id for role in snapshot.roles.values() if any(name in wanted for name, _s in role.grants)]
    granting: set[int] = set()
    while waiting:
        role_id = waiting.pop()
        if role_id not in granting:
            granting.add(role_id)
            waiting.extend(above.get(role_id, ()))
    return replace(
        snapshot,
        role_holders={role: holders(snapshot, role) for role in roles_named(snapshot.rules)},
        assignments=tuple(
            given
            for given in snapshot.assignments
            if given.role_id in granting and given.in_force(snapshot.at)
        ),
        admissions=tuple(
            given
            for given in snapshot.admissions
            if given.in_force(snapshot.at) and (partitions is None or given.partition_id in partitions)
        ),
    )


def _about_records(permission: str) -> ResourceType:
    resource = type_of(permission)
    if resource is None or not is_about_records(permission):
        raise ValueError(f"{permission} is not about existing records")
    return resource


def changes_of_person(actor: Actor, person_id: int) -> tuple[Touch, ...]:
    """Return what touched a person: their own facts, and whatever was given to or hung on them by name."""
    return _changes_of(actor, "user", "people_user", person_id)


def changes_of_role(actor: Actor, role_id: int) -> tuple[Touch, ...]:
    """Return what touched a role: itself, its grants, what it inherits, to whom it was given."""
    return _changes_of(actor, "role", "access_role", role_id)


def changes_of_record(actor: Actor, resource: ResourceType, record_id: int) -> tuple[Touch, ...]:
    """Return what touched a record in its owner, department, partition, team, shares, place or a field for rules.

    `change` is the last change of facts and policy that stood by then.
    """
    guard.authorize(actor, PERMISSION)
    _asked(actor, "changes", Target(resource.name, record_id))
    shown = set(record_history.COVERED_BY)
    rows = _past(f"{resource.table}_of", "id", record_id)
    found = [*_touches(resource.name, record_history.kept_columns(resource), rows, shown)]
    team = [
        row for row in _past("access_team_member_of", "record_id", record_id) if row.type == resource.name
    ]
    found += _touches("team_member", TEAM_COLUMNS, team, set(TEAM_COLUMNS))
    shares = [row for row in _past("access_share_of", "record_id", record_id) if row.type == resource.name]
    found += _touches("share", SHARE_COLUMNS, shares, set(SHARE_COLUMNS))
    tasks = [row for row in _past("access_task_of", "record_id", record_id) if row.type == resource.name]
    found += _touches("task", TASK_COLUMNS, tasks, set(TASK_COLUMNS))
    return tuple(sorted(found, key=lambda touch: (touch.change, touch.at)))


def _changes_of(actor: Actor, kind: str, own_table: str, number: int) -> tuple[Touch, ...]:
    guard.authorize(actor, PERMISSION)
    _asked(actor, "changes", Target(kind, number))
    found: list[Touch] = []
    for table, columns in queries.KEPT_COLUMNS.items():
        which = "id" if table == own_table else f"{kind}_id" if f"{kind}_id" in columns else None
        if which is not None:
            # What did not outlast its own transaction never stood.
            rows = [r for r in _past(f"{table}_of", which, number) if r.from_change != r.to_change]
            found.extend(_touches(table.partition("_")[2], columns, rows, set(columns)))
    made = {change.number: change for change in Change.objects.filter(number__in={t.change for t in found})}
    known = (
        replace(touch, at=made[touch.change].at, by=made[touch.change].actor)
        if touch.change in made
        else touch
        for touch in found
    )
    return tuple(sorted(known, key=lambda touch: touch.change))


def _touches(
    thing: str, columns: Iterable[str], rows: Iterable[SimpleNamespace], shown: set[str]
) -> Iterable[Touch]:
    """Yield what happened between the versions of each fact; `rows` are ordered by number and time."""
    columns = tuple(columns)
    previous: SimpleNamespace | None = None
    for row in rows:
        if previous is not None and previous.id == row.id and previous.to_change == row.from_change:
            names = tuple(name for name in columns if getattr(previous, name) != getattr(row, name))
            yield Touch(
                row.from_change,
                row.valid_from,
                previous.ended_by,
                thing,
                row.id,
                How.CHANGED,
                names,
                {name: getattr(previous, name) for name in names if name in shown},
                {name: getattr(row, name) for name in names if name in shown},
            )
        else:
            if previous is not None and previous.to_change is not None:
                yield _ended(thing, columns, previous, shown)
            said = {name: getattr(row, name) for name in columns if name in shown}
            yield Touch(row.from_change, row.valid_from, None, thing, row.id, How.BEGAN, columns, after=said)
        previous = row
    if previous is not None and previous.to_change is not None:
        yield _ended(thing, columns, previous, shown)


def _ended(thing: str, columns: tuple[str, ...], row: SimpleNamespace, shown: set[str]) -> Touch:
    said = {name: getattr(row, name) for name in columns if name in shown}
    return Touch(row.to_change, row.valid_to, row.ended_by, thing, row.id, How.ENDED, columns, before=said)


def _snapshot(change: Change, moment: datetime) -> Snapshot:
    def rows(model: type[Model]) -> list[SimpleNamespace]:
        return _past(f"{model._meta.db_table}_at", change.number)

    return queries.build_snapshot(moment, rows)


def _when(actor: Actor, moment: datetime | None) -> tuple[Change, datetime]:
    """Return the last change by then, and the moment; now, where none is named."""
    if moment is not None:
        return change_at(actor, moment), moment
    guard.authorize(actor, PERMISSION)
    return Change.objects.order_by("-number").first() or _nothing(), clock.now()


def _stood(change: Change, at: datetime, moment: datetime | None) -> Snapshot:
    """Return what stood then; of the present also what waits for release, which keeps no past."""
    found = _snapshot(change, at)
    return found if moment is not None else replace(found, pending=queries.pending_facts())


class _Then:
    """What records, teams and shares were at a moment, after a change: asked for one record at a time."""

    def __init__(self, change: Change, moment: datetime) -> None:
        self._when = (change.number, moment)

    def row(self, resource: ResourceType, record_id: int) -> SimpleNamespace | None:
        return next(iter(_past(f"{resource.table}_at", record_id, *self._when)), None)

    def of_record(self, table: str, resource: ResourceType, record_id: int) -> Iterable[SimpleNamespace]:
        """Return the rows of a table (of teams, of shares) that are about the record."""
        return _past(f"{table}_at", resource.name, record_id, *self._when)


class _AllThen(_Then):
    """The same, with each table read whole the first time that it is asked: for questions about every record."""

    def __init__(self, change: Change, moment: datetime) -> None:
        super().__init__(change, moment)
        self._rows: dict[str, dict[int, SimpleNamespace]] = {}
        self._about: dict[str, dict[tuple[str, int], list[SimpleNamespace]]] = {}

    def rows(self, resource: ResourceType) -> dict[int, SimpleNamespace]:
        """Return the records of a type, by number."""
        if resource.name not in self._rows:
            found = _past(f"{resource.table}_all_at", *self._when)
            self._rows[resource.name] = {row.id: row for row in found}
        return self._rows[resource.name]

    def row(self, resource: ResourceType, record_id: int) -> SimpleNamespace | None:
        return self.rows(resource).get(record_id)

    def of_record(self, table: str, resource: ResourceType, record_id: int) -> Iterable[SimpleNamespace]:
        if table not in self._about:
            about: dict[tuple[str, int], list[SimpleNamespace]] = {}
            for row in _past(f"{table}_all_at", *self._when):
                about.setdefault((row.type, row.record_id), []).append(row)
            self._about[table] = about
        return self._about[table].get((resource.name, record_id), [])


def _record(resource: ResourceType, record_id: int, change: Change, moment: datetime) -> PastRecord | None:
    then = _Then(change, moment)
    found = then.row(resource, record_id)
    facts = _facts(resource, found, then) if found is not None else None
    if facts is None:
        return None
    values = {
        declared.name: getattr(found, declared.column)
        for declared in record_history.nameable_fields(resource)
    }
    return PastRecord(facts, values)


def _facts(resource: ResourceType, row: SimpleNamespace, then: _Then) -> RecordFacts | None:
    """Return what decisions looked at, with the whole team and all shares; None below a parent that was not there."""
    deleted = row.deleted_at is not None
    parent_type = resource.parent_type
    if parent_type is None:
        members = then.of_record("access_team_member", resource, row.id)
        return RecordFacts(
            row.partition_id,
            row.owner_id,
            row.department_id,
            deleted,
            team={member.user_id: reach.SHARE_OF[member.access] for member in members},
            shares=(
                *map(queries.share_facts, then.of_record("access_share", resource, row.id)),
                *map(queries.task_facts, then.of_record("access_task", resource, row.id)),
            ),
            values=rule_values(resource, row),
            states=states.facts(resource, row),
            pool_id=row.pool_id if resource.pooled else None,
        )
    parent_id = getattr(row, resource.by_name[resource.parent].column)
    above = then.row(parent_type, parent_id)
    parent = _facts(parent_type, above, then) if above is not None else None
    if parent is None:
        return None
    return RecordFacts(row.partition_id, deleted=deleted, states=states.facts(resource, row), parent=parent)


def _past(function: str, *values: Any) -> list[SimpleNamespace]:
    """Return the rows that one of the functions of the past gives. A name that they lack is an error, never None."""
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM hufu.{function}({marks})", values)
        names = [column.name for column in cursor.description]
        return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _nothing() -> Change:
    return Change(number=0, at=BEFORE_ALL, actor=None, version=0)


def _asked(
    actor: Actor,
    question: str,
    target: Target | None,
    permission: str | None = None,
    *,
    about: str | None = None,
    at: datetime | None = None,
) -> None:
    """Leave in the log who asked what, about whom and which moment; the answer is not kept."""
    said = {"question": question, "permission": permission, "record": about, "at": at}
    record(
        actor,
        "access.asked",
        target=target,
        data={name: value for name, value in said.items() if value is not None},
    )
