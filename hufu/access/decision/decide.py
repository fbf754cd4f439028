"""A decision is a value: the verdict, the path that decided it, or the missing links, nearest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from hufu.access.decision.break_glass import GlassUse, glass_part, opened
from hufu.access.decision.delegation import DelegationFacts, lent_part, lent_through, standing_in, unshared
from hufu.access.decision.pending import ways_out
from hufu.access.decision.pools import PoolShare, pool_of
from hufu.access.decision.rules import RuleFacts, RuleShare, of_type, reaching
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import (
    Given,
    Path,
    PendingFacts,
    PersonFacts,
    ShareFacts,
    Snapshot,
    admissions_for,
    gates_on_roles,
    paths,
)
from hufu.access.decision.standing import NOTHING, Because, Standing
from hufu.access.decision.states import State, StateFacts
from hufu.access.decision.terms import Need, RecordFacts, Requirement, Right, Share, decided_by, shutting
from hufu.core.actor import Ceiling


class Code(StrEnum):
    """What decided, for programs; sentences for people stand in hufu.access.explain."""

    COVERED = "covered"
    HELD = "held"
    UNKNOWN_PERSON = "unknown_person"
    ACCOUNT_CLOSED = "account_closed"
    PROHIBITED = "prohibited"
    OUTSIDE_CEILING = "outside_ceiling"
    GATE_CLOSED = "gate_closed"
    QUOTA_EXHAUSTED = "quota_exhausted"
    PENDING_RELEASE = "pending_release"
    DUTY_CONFLICT = "duty_conflict"
    NO_GRANT = "no_grant"
    NOT_ADMITTED = "not_admitted"
    OUT_OF_SCOPE = "out_of_scope"
    IN_POOL = "in_pool"
    RULE_BROKEN = "rule_broken"
    NO_VIEW = "no_view"
    NO_PARENT = "no_parent"
    RECORD_DELETED = "record_deleted"
    NOT_DELETED = "not_deleted"
    NOT_IN_POOL = "not_in_pool"
    NO_RECORD = "no_record"
    FIELD_HIDDEN = "field_hidden"
    FIELD_MASKED = "field_masked"
    FIELD_READ_ONLY = "field_read_only"
    VOID = "void"
    LOCKED = "locked"
    TASK_PENDING = "task_pending"


# What a state that closes a record is called among the codes.
CODE_OF = {State.VOID: Code.VOID, State.LOCKED: Code.LOCKED, State.PENDING: Code.TASK_PENDING}


# What is said of what is lent, or open by break-glass, where nothing else is in the way: a closed gate, or the
# state of the record.
_IN_THE_WAY = {Code.GATE_CLOSED, *CODE_OF.values()}


@dataclass(frozen=True)
class Link:
    """A link of the chain that is missing: which permission asks for what. `by` is the prohibition in the way,
    `ceiling` the name of what leaves it out, `glass` what would be open by break-glass but for a closed gate.
    """

    code: Code
    permission: str
    right: Right | None = None
    scope: Scope = Scope.NOTHING
    need: Need | None = None
    gate: int | None = None
    pending: tuple[PendingFacts, ...] = ()
    rule: RuleFacts | None = None
    by: Given | None = None
    ceiling: str = ""
    state: StateFacts | None = None
    glass: GlassUse | None = None


@dataclass(frozen=True)
class Cover:
    """A link of the chain that holds: the grant's path, the admission, and why the record is in the scope.

    `opened`: the grant reaches everything through the type's base access. `shared`: the record reaches the person
    as a member of its related team. `share`: it was shared with them by hand. `rule`: a rule or territory shares it.
    `pool`: they are a member of the pool in which it lies. Without an admission, the `share` reaches through the wall.
    `delegation`: all of this holds for another person, for whom they stand in. `glass`: they opened it by break-glass.
    """

    path: Path
    admission: Given | None = None
    because: Scope = Scope.NOTHING
    opened: bool = False
    shared: bool = False
    share: ShareFacts | None = None
    rule: RuleShare | None = None
    pool: PoolShare | None = None
    of_parent: bool = False
    delegation: DelegationFacts | None = None
    glass: GlassUse | None = None


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
    right: Right | None,
    requirement: Requirement | None = None,
    record: RecordFacts | None = None,
    closed: frozenset[int] = frozenset(),
    ceiling: Ceiling | None = None,
) -> Decision:
    """Decide for one person, with the whole reason; of what is denied, first the change that waits and would open it.

    See `_decided`.
    """
    decision = _decided(snapshot, person_id, permission, right, requirement, record, closed, ceiling)
    if decision.allowed or not snapshot.pending:
        return decision
    for released, then in ways_out(snapshot, person_id):
        if _decided(then, person_id, permission, right, requirement, record, closed, ceiling).allowed:
            link = Link(Code.PENDING_RELEASE, permission, pending=released)
            return replace(decision, code=link.code, missing=(link, *decision.missing))
    return decision


def _decided(
    snapshot: Snapshot,
    person_id: int,
    permission: str,
    right: Right | None,
    requirement: Requirement | None,
    record: RecordFacts | None,
    closed: frozenset[int],
    ceiling: Ceiling | None,
) -> Decision:
    """Decide by the facts that stand.

    `right` is the partition right of the permission. With a `record`, the question is whether all of the
    `requirement` is covered for it. Without one it is whether the permission is held at any scope; to create, some
    partition must be open for that, too. `closed` are the gates to be taken as closed, by number, `ceiling` what the
    person's token or agent is held under.
    What the person does not hold as their own, they may hold by the delegation of one other person, or by break-glass.
    """
    own = _decide_alone(snapshot, person_id, permission, right, requirement, record, closed, ceiling)
    person = snapshot.people.get(person_id)
    if own.allowed or person is None or not person.active:
        return own
    lent, broken = instead(snapshot, person)
    if not (lent or broken) or snapshot.gates_on_person(person, closed):
        return own
    asked = {need.permission for need in requirement.needs} if requirement else {permission}
    if any(
        snapshot.gates_on_permission(each, person, closed) or snapshot.prohibitions_on(each, person)
        for each in asked
    ):
        return own
    alone = unshared(record)
    behind: tuple[Link, ...] = ()
    for delegator, delegations, part in lent:
        theirs = _decide_alone(part, delegator, permission, right, requirement, alone, closed, ceiling)
        if theirs.allowed:
            covers = tuple(
                replace(cover, delegation=lent_through(delegations, cover.path.permission))
                for cover in theirs.covers
            )
            return replace(theirs, person_id=person_id, covers=covers, record=record)
        behind = behind or _in_the_way(theirs)
    for use, part in broken:
        opened_so = _decide_alone(part, person_id, permission, right, requirement, alone, closed, ceiling)
        if opened_so.allowed:
            covers = tuple(replace(cover, glass=use) for cover in opened_so.covers)
            return replace(opened_so, covers=covers, record=record)
        behind = behind or tuple(
            replace(link, glass=use) if link.code is Code.GATE_CLOSED else link
            for link in _in_the_way(opened_so)
        )
    by_glass = any(link.glass for link in behind)
    if behind and (by_glass or own.code not in _IN_THE_WAY):
        # What is open by break-glass needs none of what the person does not hold.
        left = () if by_glass else tuple(link for link in own.missing if link not in behind)
        return replace(own, code=behind[0].code, missing=(*behind, *left))
    return own


_Lent = tuple[int, tuple[DelegationFacts, ...], Snapshot]


def instead(snapshot: Snapshot, person: PersonFacts) -> tuple[list[_Lent], list[tuple[GlassUse, Snapshot]]]:
    """Return by whose delegations the person acts, and what they opened by break-glass, each with what it leaves."""

    def find() -> tuple[list[_Lent], list[tuple[GlassUse, Snapshot]]]:
        lent = [
            (delegator, lent, lent_part(snapshot, frozenset().union(*(each.permissions for each in lent))))
            for delegator, lent in standing_in(snapshot, person).items()
        ]
        return lent, [(use, glass_part(snapshot, person, rule)) for use, rule in opened(snapshot, person)]

    return snapshot.once(("instead", person), find)


def _in_the_way(denied: Decision) -> tuple[Link, ...]:
    """Return what is in the way of a decision where nothing else is missing."""
    if {link.code for link in denied.missing} <= {*_IN_THE_WAY, Code.NO_VIEW, Code.NO_PARENT}:
        return tuple(link for link in denied.missing if link.code in _IN_THE_WAY)
    return ()


def _decide_alone(
    snapshot: Snapshot,
    person_id: int,
    permission: str,
    right: Right | None,
    requirement: Requirement | None,
    record: RecordFacts | None,
    closed: frozenset[int],
    ceiling: Ceiling | None,
) -> Decision:
    """Decide by what a person holds as their own."""

    def deny(*missing: Link) -> Decision:
        return Decision(False, permission, person_id, missing[0].code, missing=missing, record=record)

    person = snapshot.people.get(person_id)
    if person is None:
        return deny(Link(Code.UNKNOWN_PERSON, permission))
    if not person.active:
        return deny(Link(Code.ACCOUNT_CLOSED, permission))
    if shut := snapshot.gates_on_person(person, closed):
        return deny(*(Link(Code.GATE_CLOSED, permission, gate=gate) for gate in shut))
    if record is None or requirement is None:
        if ceiling is not None and not _leaves(ceiling, permission):
            return deny(Link(Code.OUTSIDE_CEILING, permission, ceiling=ceiling.name))
        if forbidden := snapshot.prohibitions_on(permission, person):
            return deny(*(Link(Code.PROHIBITED, permission, by=given) for given in forbidden))
        if shut := snapshot.gates_on_permission(permission, person, closed):
            return deny(*(Link(code_of(gate), permission, gate=gate) for gate in shut))
        held = next(iter(paths(snapshot, person, permission, closed)), None)
        if held is None:
            shut = gates_on_roles(snapshot, person, permission, closed)
            return deny(*_missing_path(permission, shut))
        if right is not Right.CREATE:
            return Decision(True, permission, person_id, Code.HELD, covers=(Cover(held),))
        places = tuple(_places(snapshot, person, held, ceiling))
        if not places:
            return deny(Link(Code.NOT_ADMITTED, permission, right=Right.CREATE))
        return Decision(True, permission, person_id, Code.HELD, covers=places)
    if not requirement.is_about(record):
        wrong = Code.NOT_DELETED if requirement.of_bin and not record.deleted else Code.RECORD_DELETED
        if requirement.of_pool and not record.deleted:
            wrong = Code.NOT_IN_POOL
        return deny(Link(wrong, permission))

    covers: list[Cover] = []
    links: list[Link] = []
    for need in requirement.needs:
        about = decided_by(need, record)
        cover, missing = _cover(snapshot, person, need, about, closed, ceiling)
        if about.states:
            missing += tuple(
                Link(CODE_OF[each.state], need.permission, need=need, state=each)
                for each in shutting(need, about)
            )
        if cover is not None and not missing:
            covers.append(cover)
            continue
        if need.of_parent:
            links.append(Link(Code.NO_PARENT, need.permission, need=need))
        elif need.permission != permission:
            links.append(Link(Code.NO_VIEW, need.permission, need=need))
        links.extend(missing)
    if links:
        return deny(*links)
    return Decision(True, permission, person_id, Code.COVERED, covers=tuple(covers), record=record)


def covers_need(
    snapshot: Snapshot, lent: DelegationFacts, giver: PersonFacts, link: Link, record: RecordFacts | None
) -> bool:
    """Say whether what is lent covers what a link misses, whenever it is in force. Gates are not asked."""
    part = lent_part(snapshot, lent.permissions)
    about = unshared(record)
    if link.need is not None and about is not None:
        return _cover(part, giver, link.need, about, frozenset(), None)[0] is not None
    return bool(paths(part, giver, link.permission))


def code_of(gate: int) -> Code:
    """Return what is closed under this number: a gate, or under a negative one a quota."""
    return Code.GATE_CLOSED if gate > 0 else Code.QUOTA_EXHAUSTED


def _missing_path(permission: str, behind: tuple[int, ...], need: Need | None = None) -> tuple[Link, ...]:
    """Return what is missing where no path is open: the closed gates on such as there are, or a grant."""
    if behind:
        return tuple(Link(Code.GATE_CLOSED, permission, need=need, gate=gate) for gate in behind)
    return (Link(Code.NO_GRANT, permission, need=need),)


def _leaves(ceiling: Ceiling, permission: str) -> bool:
    return ceiling.permissions is None or permission in ceiling.permissions


def _reaches(ceiling: Ceiling | None, partition_id: int | None) -> bool:
    return ceiling is None or ceiling.partitions is None or partition_id in ceiling.partitions


def _places(snapshot: Snapshot, person: PersonFacts, held: Path, ceiling: Ceiling | None) -> Iterator[Cover]:
    """Yield the partitions in which the person may create, each with the first admission that opens it."""
    seen: set[int | None] = set()
    for admission in admissions_for(snapshot, person, None, Right.CREATE):
        if admission.partition_id not in seen and _reaches(ceiling, admission.partition_id):
            seen.add(admission.partition_id)
            yield Cover(held, admission)


def _cover(
    snapshot: Snapshot,
    person: PersonFacts,
    need: Need,
    record: RecordFacts,
    closed: frozenset[int],
    ceiling: Ceiling | None,
) -> tuple[Cover | None, tuple[Link, ...]]:
    """Return the cover of a record for one need, or what is missing for it."""
    shut, standing = snapshot.once(
        ("standing", person, need, closed, ceiling),
        lambda: (_shut(snapshot, person, need, closed, ceiling), Standing(snapshot, person, need, closed)),
    )
    if shut:
        return None, shut
    if need.right is None:
        if standing.held:
            return Cover(standing.held[0]), ()
        return None, _missing_path(need.permission, standing.behind, need)
    because = standing.mask.holds(record)
    admission = standing.admissions.get(record.partition_id)
    across = snapshot.share_for(person, need, record, across=True) if admission is None else None
    # All that what is missing depends on.
    kind = (
        because is NOTHING,
        admission is None and across is None,
        pool_of(snapshot, record) is not None,
        None if _reaches(ceiling, record.partition_id) else ceiling,
    )
    missing: tuple[Link, ...] | None = standing.missing.get(kind)
    if missing is None:
        missing = standing.missing[kind] = tuple(_missing(snapshot, person, need, standing, *kind))
    if missing:
        return None, missing
    if across is not None:
        return Cover(standing.held[0], because=Scope.SHARED, share=across, of_parent=need.of_parent), ()
    if because.share or because.rule or because.pool:
        return _cover_by(standing, need, because, admission), ()
    place = because.scope, record.partition_id
    cover: Cover | None = standing.covers.get(place)
    if cover is None:
        cover = standing.covers[place] = _cover_by(standing, need, because, admission)
    return cover, ()


def _shut(
    snapshot: Snapshot, person: PersonFacts, need: Need, closed: frozenset[int], ceiling: Ceiling | None
) -> tuple[Link, ...]:
    """Return what closes a need to the person whatever the record is."""
    if ceiling is not None and not _leaves(ceiling, need.permission):
        return (Link(Code.OUTSIDE_CEILING, need.permission, need=need, ceiling=ceiling.name),)
    if forbidden := snapshot.prohibitions_on(need.permission, person):
        return tuple(Link(Code.PROHIBITED, need.permission, need=need, by=given) for given in forbidden)
    gates = snapshot.gates_on_permission(need.permission, person, closed)
    return tuple(Link(code_of(gate), need.permission, need=need, gate=gate) for gate in gates)


def _missing(
    snapshot: Snapshot,
    person: PersonFacts,
    need: Need,
    standing: Standing,
    unheld: bool,
    walled: bool,
    pooled: bool,
    outside: Ceiling | None,
) -> list[Link]:
    """Return what is missing for a record that no scope holds (`unheld`), to whose partition nothing admits (`walled`),
    that lies in a pool (`pooled`) or in a partition that the ceiling leaves out (`outside`)."""
    missing: list[Link] = []
    if not standing.held:
        missing += _missing_path(need.permission, standing.behind, need)
    elif unheld:
        missing.append(Link(Code.OUT_OF_SCOPE, need.permission, scope=standing.scopes, need=need))
        if pooled:
            missing.append(Link(Code.IN_POOL, need.permission, need=need))
        missing += (Link(Code.GATE_CLOSED, need.permission, need=need, gate=gate) for gate in standing.behind)
        missing += (
            Link(Code.RULE_BROKEN, need.permission, need=need, rule=rule)
            for rule in _broken_rules(snapshot, person, need)
        )
    if outside is not None:
        link = Link(Code.OUTSIDE_CEILING, need.permission, right=need.right, need=need, ceiling=outside.name)
        missing.append(link)
    if walled:
        # Of somebody who holds the permission the wall is in the way; of somebody else the permission comes first.
        wall = Link(Code.NOT_ADMITTED, need.permission, right=need.right, need=need)
        missing.insert(0 if standing.held else len(missing), wall)
    return missing


def _cover_by(standing: Standing, need: Need, because: Because, admission: Given | None) -> Cover:
    scope = because.scope
    return Cover(
        next((path for path in standing.held if scope in path.scope), standing.held[0]),
        admission,
        scope,
        opened=scope is Scope.EVERYTHING and scope not in standing.granted,
        shared=scope is Scope.TEAM and scope not in standing.granted,
        share=because.share,
        rule=because.rule,
        pool=because.pool,
        of_parent=need.of_parent,
    )


def _broken_rules(snapshot: Snapshot, person: PersonFacts, need: Need) -> Iterator[RuleFacts]:
    """Yield the rules that would share with the person, and share nothing because of an error in them."""
    if need.share is not Share.NONE:
        for rule in of_type(snapshot, need):
            if rule.broken and rule.in_force(snapshot.at) and reaching(snapshot, rule, person):
                yield rule
