"""A decision is a value: the verdict, the path that decided it, or the missing links, nearest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import Given, Path, PersonFacts, Snapshot, admissions_for, in_scope, paths
from hufu.access.decision.terms import RecordFacts, Right


class Code(StrEnum):
    """What decided, for programs; sentences for people stand in hufu.access.explain."""

    COVERED = "covered"
    HELD = "held"
    UNKNOWN_PERSON = "unknown_person"
    ACCOUNT_CLOSED = "account_closed"
    NO_GRANT = "no_grant"
    NOT_ADMITTED = "not_admitted"
    OUT_OF_SCOPE = "out_of_scope"
    NO_VIEW = "no_view"
    RECORD_DELETED = "record_deleted"
    NO_RECORD = "no_record"


@dataclass(frozen=True)
class Link:
    """A link of the chain that is missing: which permission asks for what."""

    code: Code
    permission: str
    right: Right | None = None
    scope: Scope = Scope.NOTHING


@dataclass(frozen=True)
class Cover:
    """A link of the chain that holds: the grant's path, the admission, and why the record is in the scope."""

    path: Path
    admission: Given | None = None
    because: Scope = Scope.NOTHING


@dataclass(frozen=True)
class Decision:
    """Whether `person_id` may use the permission, and why. `record` is what was asked about, if anything."""

    allowed: bool
    permission: str
    person_id: int
    code: Code
    covers: tuple[Cover, ...] = ()
    missing: tuple[Link, ...] = ()
    record: RecordFacts | None = None


def decide(
    snapshot: Snapshot,
    person_id: int,
    permission: str,
    rights: Mapping[str, Right | None],
    record: RecordFacts | None,
    view: str | None,
) -> Decision:
    """Decide for one person, with the whole reason.

    `rights` maps each permission to the partition right it needs; `view` is the permission to see the record
    at all, which every permission on an existing record also needs. Without a `record` the question is
    whether the permission is held at any scope; to create, some partition must be open for that, too.
    """

    def deny(*missing: Link) -> Decision:
        return Decision(False, permission, person_id, missing[0].code, missing=missing, record=record)

    person = snapshot.people.get(person_id)
    if person is None:
        return deny(Link(Code.UNKNOWN_PERSON, permission))
    if not person.active:
        return deny(Link(Code.ACCOUNT_CLOSED, permission))
    if record is not None and record.deleted:
        return deny(Link(Code.RECORD_DELETED, permission))
    if record is None:
        held = next(paths(snapshot, person, permission), None)
        if held is None:
            return deny(Link(Code.NO_GRANT, permission))
        if rights[permission] is not Right.CREATE:
            return Decision(True, permission, person_id, Code.HELD, covers=(Cover(held),))
        places = tuple(_places(snapshot, person, held))
        if not places:
            return deny(Link(Code.NOT_ADMITTED, permission, right=Right.CREATE))
        return Decision(True, permission, person_id, Code.HELD, covers=places)

    covers: list[Cover] = []
    links: list[Link] = []
    needed = [permission] if view in (None, permission) else [str(view), permission]
    for name in needed:
        cover, missing = _cover(snapshot, person, name, rights[name], record)
        if cover is not None:
            covers.append(cover)
            continue
        if name != permission:
            links.append(Link(Code.NO_VIEW, name))
        links.extend(missing)
    if links:
        return deny(*links)
    return Decision(True, permission, person_id, Code.COVERED, covers=tuple(covers), record=record)


def _places(snapshot: Snapshot, person: PersonFacts, held: Path) -> Iterator[Cover]:
    """Yield the partitions in which the person may create, each with the first admission that opens it."""
    seen: set[int | None] = set()
    for admission in admissions_for(snapshot, person, None, Right.CREATE):
        if admission.partition_id not in seen:
            seen.add(admission.partition_id)
            yield Cover(held, admission)


def _cover(
    snapshot: Snapshot, person: PersonFacts, permission: str, right: Right | None, record: RecordFacts
) -> tuple[Cover | None, tuple[Link, ...]]:
    """Return the cover of a record for one permission, or what is missing for it."""
    held = list(paths(snapshot, person, permission))
    missing: list[Link] = []
    united = Scope.NOTHING
    for path in held:
        united |= path.scope
    if not held:
        missing.append(Link(Code.NO_GRANT, permission))
    elif not in_scope(snapshot, person, united, record):
        missing.append(Link(Code.OUT_OF_SCOPE, permission, scope=united))
    admission = None
    if right is not None:
        admission = next(admissions_for(snapshot, person, record.partition_id, right), None)
        if admission is None:
            missing.append(Link(Code.NOT_ADMITTED, permission, right=right))
    if missing:
        return None, tuple(missing)
    because = in_scope(snapshot, person, united, record)
    by = next(path for path in held if because in path.scope)
    return Cover(by, admission, because), ()
