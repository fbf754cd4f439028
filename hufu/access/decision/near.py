"""What would nearly have allowed it: gifts that ended or have not begun, rights that fall short, roles of others.

Asked for one decision at a time, when somebody wants to know why; a decision itself never waits for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain

from hufu.access.decision.decide import Code, Link, covers_need
from hufu.access.decision.delegation import DelegationFacts, past_and_to_come
from hufu.access.decision.pools import PoolFacts, pool_of
from hufu.access.decision.rules import RuleFacts, meets, of_type, reaching
from hufu.access.decision.scopes import Scope
from hufu.access.decision.snapshot import (
    Given,
    Path,
    PersonFacts,
    ShareFacts,
    Snapshot,
    admissions_for,
    grants_through,
    paths,
)
from hufu.access.decision.standing import in_scope
from hufu.access.decision.terms import Need, RecordFacts, Right, Share, decided_by, is_shared

MOST = 3
# The verb that takes a state back. What an approval task holds ends with the task.
RELEASED_BY = {Code.VOID: "void", Code.LOCKED: "lock"}


class Nearness(StrEnum):
    """How something misses the person, nearest first."""

    ENDED = "ended"
    NOT_BEGUN = "not_begun"
    WITHOUT_RIGHT = "without_right"
    WITHOUT_PERMISSION = "without_permission"
    FORBIDDEN = "forbidden"
    BY_THEMSELVES = "by_themselves"
    GIVEN_TO_OTHERS = "given_to_others"
    NOT_GIVEN = "not_given"


@dataclass(frozen=True)
class NearMiss:
    """A role (with the chain to the one that grants), an admission, a share, a rule or a pool that would help, and how
    it misses."""

    nearness: Nearness
    given: Given | None = None
    roles: tuple[int, ...] = ()
    scope: Scope = Scope.NOTHING
    share: ShareFacts | None = None
    rule: RuleFacts | None = None
    pool: PoolFacts | None = None
    delegation: DelegationFacts | None = None


def near_misses(
    snapshot: Snapshot, person_id: int, link: Link, record: RecordFacts | None
) -> tuple[NearMiss, ...]:
    """Return the nearest misses for a missing link, nearest first, at most a handful."""
    person = snapshot.people.get(person_id)
    if person is None:
        return ()
    about = decided_by(link.need, record) if link.need is not None and record is not None else record
    found: Iterator[NearMiss]
    # What closes a record closes it to whatever is lent, too.
    lent = _delegations(snapshot, person, link, about) if link.state is None else iter(())
    if link.code is Code.OUT_OF_SCOPE:
        found = chain(
            _shares(snapshot, person, link, about),
            _rules(snapshot, person, link, about),
            _grants(snapshot, person, link, about),
        )
    elif link.code is Code.IN_POOL:
        found = _pools(snapshot, person, link, about)
    elif link.code is Code.NO_GRANT:
        found = chain(
            _rules(snapshot, person, link, about),
            _pools(snapshot, person, link, about),
            _grants(snapshot, person, link, about),
        )
    elif link.code is Code.PROHIBITED:
        found = _closed_by_prohibition(snapshot, person, link)
    elif link.code is Code.NOT_ADMITTED and link.right is not None:
        found = chain(
            _shares(snapshot, person, link, about, across=True),
            _admissions(snapshot, person, link.right, about),
        )
    elif link.code in RELEASED_BY and about is not None:
        found = _releases(snapshot, person, link, about)
    else:
        return ()
    order = list(Nearness)
    ranked = sorted(
        chain(lent, found),
        key=lambda miss: (order.index(miss.nearness), by_distance(snapshot, person, miss.given)),
    )
    return tuple(ranked[:MOST])


def _grants(
    snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts | None
) -> Iterator[NearMiss]:
    """Yield each role that would help once: as it was given, else as others have it, else by itself."""
    need, permission = link.need, link.permission

    def helps(path: Path) -> bool:
        if record is None or need is None or need.right is None:
            return True
        return in_scope(snapshot, person, path.scope, need, record) is not Scope.NOTHING

    named: set[int | None] = set()
    within: set[int] = set()
    by_time = sorted(snapshot.assignments, key=lambda given: not snapshot.reaches(given, person))
    for assignment in by_time:
        nearness = nearness_of(snapshot, person, assignment)
        if nearness is None or assignment.role_id in named:
            continue
        for path in grants_through(snapshot, assignment, permission):
            if helps(path):
                named.add(assignment.role_id)
                within.update(path.roles)
                yield NearMiss(nearness, assignment, path.roles, path.scope)
                break
    for role in snapshot.roles.values():
        if role.id in within:
            continue
        alone = Given(0, role_id=role.id)
        for path in grants_through(snapshot, alone, permission):
            if helps(path) and len(path.roles) == 1:
                yield NearMiss(Nearness.NOT_GIVEN, None, path.roles, path.scope)
                break


def _closed_by_prohibition(snapshot: Snapshot, person: PersonFacts, link: Link) -> Iterator[NearMiss]:
    """Yield the ways by which the person would hold the permission if it were not forbidden."""
    for path in paths(replace(snapshot, prohibitions=()), person, link.permission):
        yield NearMiss(Nearness.FORBIDDEN, path.assignment, path.roles, path.scope)


def _delegations(
    snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts | None
) -> Iterator[NearMiss]:
    """Yield the delegations that would cover it, had they not ended, or begun already."""
    for lent in past_and_to_come(snapshot, person, link.permission):
        giver = snapshot.people.get(lent.delegator_id)
        if giver is not None and giver.active and covers_need(snapshot, lent, giver, link, record):
            ended = lent.ends_at <= snapshot.at
            yield NearMiss(Nearness.ENDED if ended else Nearness.NOT_BEGUN, delegation=lent)


def _shares(
    snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts | None, *, across: bool = False
) -> Iterator[NearMiss]:
    """Yield the shares that reach the person (with `across`, through the wall) and fall short: in time, or because they
    open view alone."""
    if record is None or link.need is None:
        return
    if (link.need.share_across if across else link.need.share) is Share.NONE:
        return
    for share in record.shares:
        # Of a task nothing falls short: it opens view while it is pending.
        if share.task or (across and share.across_by is None) or not snapshot.is_recipient(share, person):
            continue
        if not is_shared(link.need, share.opens):
            if share.given.in_force(snapshot.at):
                yield NearMiss(Nearness.WITHOUT_RIGHT, share.given, share=share)
        elif not share.given.in_force(snapshot.at):
            ended = share.given.ends_at is not None and share.given.ends_at <= snapshot.at
            yield NearMiss(Nearness.ENDED if ended else Nearness.NOT_BEGUN, share.given, share=share)


def _rules(
    snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts | None
) -> Iterator[NearMiss]:
    """Yield the rules that cover the record and fall short: in time, in what they open, or as the permission is
    missing; and those that share it with others."""
    need = link.need
    if record is None or need is None or need.share is Share.NONE:
        return
    for rule in of_type(snapshot, need):
        if not meets(snapshot, rule, record):
            continue
        share = reaching(snapshot, rule, person)
        given = share.given if share is not None else next(iter(rule.to), None)
        standing = rule.in_force(snapshot.at)
        if given is None:
            continue
        if share is None:
            if standing and is_shared(need, rule.opens):
                yield NearMiss(Nearness.GIVEN_TO_OTHERS, given, rule=rule)
        elif not is_shared(need, rule.opens):
            if standing:
                yield NearMiss(Nearness.WITHOUT_RIGHT, given, rule=rule)
        elif not standing:
            ended = rule.ends_at is not None and rule.ends_at <= snapshot.at
            yield NearMiss(Nearness.ENDED if ended else Nearness.NOT_BEGUN, given, rule=rule)
        elif link.code is Code.NO_GRANT:
            yield NearMiss(Nearness.WITHOUT_PERMISSION, given, rule=rule)


def _releases(snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts) -> Iterator[NearMiss]:
    """Yield by which role the person themselves may take the state back, or which roles would give that."""
    permission = released_by(link)
    need = Need(permission, Right.EDIT)
    if next(admissions_for(snapshot, person, record.partition_id, Right.EDIT), None) is not None:
        for path in paths(snapshot, person, permission):
            if in_scope(snapshot, person, path.scope, need, record):
                yield NearMiss(Nearness.BY_THEMSELVES, path.assignment, path.roles, path.scope)
                return
    yield from _grants(snapshot, person, replace(link, permission=permission, need=need), record)


def released_by(link: Link) -> str:
    """Return the permission that takes back the state which closes the record."""
    return f"{link.permission.rpartition('.')[0]}.{RELEASED_BY[link.code]}"


def _pools(
    snapshot: Snapshot, person: PersonFacts, link: Link, record: RecordFacts | None
) -> Iterator[NearMiss]:
    """Yield the members of the record's pool: the person where the permission is missing, else the others."""
    if record is None or link.need is None or not link.need.pooled:
        return
    pool = pool_of(snapshot, record)
    for given in pool.members if pool is not None else ():
        if not snapshot.reaches(given, person):
            if link.code is Code.IN_POOL:
                yield NearMiss(Nearness.GIVEN_TO_OTHERS, given, pool=pool)
        elif link.code is Code.NO_GRANT:
            yield NearMiss(Nearness.WITHOUT_PERMISSION, given, pool=pool)


def _admissions(
    snapshot: Snapshot, person: PersonFacts, right: Right, record: RecordFacts | None
) -> Iterator[NearMiss]:
    for admission in snapshot.admissions:
        if record is not None and admission.partition_id != record.partition_id:
            continue
        gives = right is Right.READ or right in admission.rights
        if snapshot.reaches(admission, person) and admission.in_force(snapshot.at):
            if not gives:
                yield NearMiss(Nearness.WITHOUT_RIGHT, admission)
            continue
        nearness = nearness_of(snapshot, person, admission)
        if gives and nearness is not None:
            yield NearMiss(nearness, admission)


def nearness_of(snapshot: Snapshot, person: PersonFacts, given: Given) -> Nearness | None:
    """Return how a gift misses the person; None where it does not, or is nobody's any more."""
    if not snapshot.reaches(given, person):
        return Nearness.GIVEN_TO_OTHERS if given.in_force(snapshot.at) else None
    if given.in_force(snapshot.at):
        return None
    ended = given.ends_at is not None and given.ends_at <= snapshot.at
    return Nearness.ENDED if ended else Nearness.NOT_BEGUN


def by_distance(snapshot: Snapshot, person: PersonFacts, given: Given | None) -> tuple[int, float]:
    """Order gifts of one nearness: levels of the person's own ladder, departments and the like, other levels, people.

    Of those that ended, the one that ended last comes first; of those to come, the first.
    """
    if given is None:
        return (4, 0)
    moment = given.ends_at or given.starts_at
    apart = abs((moment - snapshot.at).total_seconds()) if moment and snapshot.reaches(given, person) else 0.0
    if given.level_id is not None:
        asked = snapshot.levels[given.level_id]
        own = snapshot.levels[person.level_id] if person.level_id is not None else None
        same = own is not None and own.ladder_id == asked.ladder_id
        return (0, apart or abs(asked.rank - own.rank)) if own is not None and same else (2, apart)
    return (3, apart) if given.user_id is not None else (1, apart)
