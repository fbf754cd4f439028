"""Facts and policy as plain values, and what follows from them, with every step kept: why, and why not.

This is the explanation's own derivation, apart from the reach in the database: the two are compared by the
differential test. It costs a walk over the policy, so it is asked on demand, never per row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from hufu.access.decision.break_glass import GlassRule, GlassUse
from hufu.access.decision.delegation import DelegationFacts
from hufu.access.decision.pools import PoolFacts
from hufu.access.decision.rules import RuleFacts
from hufu.access.decision.scopes import NAMES, Scope, named
from hufu.access.decision.terms import Need, RecordFacts, Right, Share, is_let_across, is_shared

T = TypeVar("T")


def names_permission(forbidden: str, permission: str) -> bool:
    """Say whether a prohibition (`customer.edit`, or `customer.*` for all of a type) names the permission."""
    return forbidden == permission or (forbidden.endswith(".*") and permission.startswith(forbidden[:-1]))


@dataclass(frozen=True)
class PersonFacts:
    id: int
    name: str
    active: bool
    main_department_id: int | None
    other_department_ids: frozenset[int]
    manager_id: int | None
    level_id: int | None
    group_ids: frozenset[int] = frozenset()
    position_ids: frozenset[int] = frozenset()
    # (department, post) that the person holds.
    posts: frozenset[tuple[int, str]] = frozenset()

    def __hash__(self) -> int:
        return self.id


@dataclass(frozen=True)
class DepartmentFacts:
    id: int
    name: str
    parent_id: int | None


@dataclass(frozen=True)
class LevelFacts:
    id: int
    name: str
    ladder_id: int
    rank: int
    includes: tuple[int, ...] = ()


@dataclass(frozen=True)
class RoleFacts:
    id: int
    name: str
    inherits: tuple[int, ...]
    grants: tuple[tuple[str, str], ...]
    key: str = ""


@dataclass(frozen=True)
class Given:
    """A role or an admission given to a principal, or (`permission`) something forbidden to one, with its term."""

    id: int
    user_id: int | None = None
    group_id: int | None = None
    department_id: int | None = None
    below: bool = False
    post: str = ""
    position_id: int | None = None
    level_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    role_id: int | None = None
    partition_id: int | None = None
    rights: frozenset[Right] = frozenset()
    permission: str = ""

    def __hash__(self) -> int:
        return self.id

    def in_force(self, at: datetime) -> bool:
        return (self.starts_at is None or self.starts_at <= at) and (
            self.ends_at is None or self.ends_at > at
        )


@dataclass(frozen=True)
class ShareFacts:
    """A record shared by hand. `superiors`: also with those above a recipient; its giver gains nothing by it.

    `along`: the record that this one belongs to was shared, and took it along. `request`: it was asked for, by number.
    `task`: it is what a pending approval task of this kind opens to whoever has it. `across_by`: who let it reach its
    recipient through the wall.
    """

    given: Given
    opens: Share
    given_by: int
    superiors: bool = False
    along: bool = False
    request: int | None = None
    task: str = ""
    across_by: int | None = None


@dataclass(frozen=True)
class PendingFacts:
    """A fact of a person that waits for release: what they would come to or (`leaves`) be taken out of, since when, and
    who asked for it."""

    id: int
    user_id: int
    field: str
    value: int | None
    since: datetime
    asked_by: int
    leaves: bool = False


@dataclass(frozen=True)
class DutyFacts:
    """Roles of which nobody holds more than `most` together."""

    id: int
    name: str
    roles: frozenset[int]
    most: int = 1


@dataclass(frozen=True)
class GateUse:
    """What a gate binds: signing in, a permission, the fields of a sensitivity, the paths through a role, or whomever
    `to` names."""

    gate_id: int
    sign_in: bool = False
    permission: str = ""
    role_id: int | None = None
    to: Given | None = None
    sensitivity: str = ""


@dataclass(frozen=True)
class FieldRule:
    """What a role says of a field: an access for records that are one's own, one for others', and for export."""

    role_id: int
    type: str
    field: str
    mine: str
    others: str
    export: bool


@dataclass(frozen=True)
class QuotaFacts:
    """How often a permission may be used in an hour and a day by whomever `to` names, or by everybody."""

    id: int
    name: str
    permission: str
    per_hour: int | None = None
    per_day: int | None = None
    zone: str = ""
    to: Given | None = None


@dataclass(frozen=True)
class Snapshot:
    """Everything that rights are derived from, at one moment."""

    at: datetime
    people: Mapping[int, PersonFacts]
    departments: Mapping[int, DepartmentFacts]
    levels: Mapping[int, LevelFacts]
    roles: Mapping[int, RoleFacts]
    assignments: tuple[Given, ...]
    admissions: tuple[Given, ...]
    partition_names: Mapping[int, str] = field(default_factory=dict)
    group_names: Mapping[int, str] = field(default_factory=dict)
    position_names: Mapping[int, str] = field(default_factory=dict)
    # Permissions that base access widens to everything, for those who hold them at any scope.
    opened: frozenset[str] = frozenset()
    gate_names: Mapping[int, str] = field(default_factory=dict)
    gate_uses: tuple[GateUse, ...] = ()
    quotas: tuple[QuotaFacts, ...] = ()
    duties: Mapping[int, DutyFacts] = field(default_factory=dict)
    pending: tuple[PendingFacts, ...] = ()
    rules: Mapping[int, RuleFacts] = field(default_factory=dict)
    # Who holds a role, where that is told apart from the assignments; others are derived from these.
    role_holders: Mapping[int, frozenset[int]] = field(default_factory=dict)
    prohibitions: tuple[Given, ...] = ()
    delegations: tuple[DelegationFacts, ...] = ()
    field_rules: tuple[FieldRule, ...] = ()
    pools: Mapping[int, PoolFacts] = field(default_factory=dict)
    glass_rules: Mapping[int, GlassRule] = field(default_factory=dict)
    glass_uses: tuple[GlassUse, ...] = ()
    _found: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what `find` finds, looking once for each key: a snapshot never changes."""
        try:
            found: T = self._found[key]
        except KeyError:
            found = self._found[key] = find()
        return found

    def given_to(self, person: PersonFacts, what: Literal["assignments", "admissions"]) -> tuple[Given, ...]:
        """Return the assignments or admissions that reach the person and are in force, in their order."""

        def find() -> tuple[Given, ...]:
            index = self.once(what, lambda: GiftIndex(getattr(self, what)))
            return tuple(
                given
                for given in index.perhaps_to(self, person)
                if given.in_force(self.at) and self.reaches(given, person)
            )

        return self.once((what, person), find)

    def gates_on_person(self, person: PersonFacts, closed: frozenset[int]) -> tuple[int, ...]:
        """Return the closed gates on signing in, or on a principal that the person is of, by number."""
        if not closed:
            return ()
        return tuple(
            sorted(
                use.gate_id
                for use in self.gate_uses
                if use.gate_id in closed
                and (use.sign_in or (use.to is not None and self.reaches(use.to, person)))
            )
        )

    def gates_on_permission(
        self, permission: str, person: PersonFacts, closed: frozenset[int]
    ) -> tuple[int, ...]:
        """Return the closed gates on a permission, by number; the person's quotas that are used up by negative ones."""
        gates = {use.gate_id for use in self.gate_uses if use.permission == permission}
        quotas = {-quota.id for quota in self.quotas_on(permission, person)}
        return tuple(sorted(closed & (gates | quotas)))

    def quotas_on(self, permission: str, person: PersonFacts) -> tuple[QuotaFacts, ...]:
        """Return the quotas on a permission that bind the person."""
        return tuple(
            quota
            for quota in self.quotas
            if quota.permission == permission and (quota.to is None or self.reaches(quota.to, person))
        )

    def prohibitions_on(self, permission: str, person: PersonFacts) -> tuple[Given, ...]:
        """Return what forbids the permission to the person. A level is exactly that level here."""
        return tuple(
            given
            for given in self.prohibitions
            if names_permission(given.permission, permission)
            and given.in_force(self.at)
            and (self.reaches(given, person) if given.level_id is None else given.level_id == person.level_id)
        )

    def quota(self, number: int) -> QuotaFacts:
        return next(quota for quota in self.quotas if quota.id == number)

    def gate_name(self, number: int) -> str:
        """Return the name of a gate, or under its negative number of a quota; nothing where it is not known."""
        if number > 0:
            return self.gate_names.get(number, "")
        return next((quota.name for quota in self.quotas if quota.id == -number), "")

    def above(self, department_id: int | None) -> tuple[int, ...]:
        """Return the department and those above it, nearest first."""
        return self.once(("above", department_id), lambda: tuple(self._walk_up(department_id)))

    def _walk_up(self, department_id: int | None) -> Iterator[int]:
        while department_id is not None:
            yield department_id
            department_id = self.departments[department_id].parent_id

    def line_above(self, person_id: int | None) -> Iterator[int]:
        """Yield those who stand above a person in the reporting line, nearest first."""
        person = self.people.get(person_id) if person_id is not None else None
        while person is not None and person.manager_id is not None:
            yield person.manager_id
            person = self.people.get(person.manager_id)

    def line_of(self, person_id: int) -> tuple[int, ...]:
        """Return those who stand above a person in the reporting line, nearest first, walked once."""
        return self.once(("line", person_id), lambda: tuple(self.line_above(person_id)))

    def departments_of(self, person: PersonFacts) -> frozenset[int]:
        main = frozenset() if person.main_department_id is None else frozenset({person.main_department_id})
        return main | person.other_department_ids

    def levels_held(self, level_id: int | None) -> frozenset[int]:
        """Return the level, the lower ones of its ladder, and what any of these includes."""
        if level_id is None:
            return frozenset()
        return self.once(("held", level_id), lambda: frozenset(self._walk_levels(level_id)))

    def _walk_levels(self, level_id: int) -> set[int]:
        waiting = [level_id]
        held: set[int] = set()
        while waiting:
            level = self.levels[waiting.pop()]
            if level.id not in held:
                held.add(level.id)
                waiting += level.includes
                waiting += [
                    other.id
                    for other in self.levels.values()
                    if other.ladder_id == level.ladder_id and other.rank < level.rank
                ]
        return held

    def reaches(self, given: Given, person: PersonFacts) -> bool:
        """Say whether something given to a principal is given to the person."""
        if given.user_id is not None:
            return given.user_id == person.id
        if given.group_id is not None:
            return given.group_id in person.group_ids
        if given.position_id is not None:
            return given.position_id in person.position_ids
        if given.level_id is not None:
            return given.level_id in self.levels_held(person.level_id)
        return any(
            given.department_id in (self.above(place) if given.below else (place,))
            for place in self.places(given, person)
        )

    def is_recipient(self, share: ShareFacts, person: PersonFacts) -> bool:
        """Say whether a share reaches the person, whenever it is in force."""
        return person.id != share.given_by and (
            self.reaches(share.given, person)
            or (share.superiors and person.id in self.superiors_of(share.given))
        )

    def superiors_of(self, given: Given) -> frozenset[int]:
        """Return who stands above somebody that a gift reaches."""
        return self.once(
            ("superiors", given),
            lambda: frozenset(
                boss
                for person in self.people.values()
                if self.reaches(given, person)
                for boss in self.line_above(person.id)
            ),
        )

    def share_for(
        self, person: PersonFacts, need: Need, record: RecordFacts, *, across: bool = False
    ) -> ShareFacts | None:
        """Return a share in force that covers the need for the person; with `across`, also through the wall."""
        for share in record.shares:
            if (
                (is_let_across(need, share.opens) if across else is_shared(need, share.opens))
                and (share.across_by is not None or not across)
                and share.given.in_force(self.at)
                and self.is_recipient(share, person)
            ):
                return share
        return None

    def places(self, given: Given, person: PersonFacts) -> frozenset[int]:
        """Return where the person is what a gift to a department asks for: member, head or assistant."""
        if not given.post:
            return self.departments_of(person)
        return frozenset(department for department, post in person.posts if post == given.post)


class GiftIndex:
    """Gifts by whom they name, so that nobody walks over those of five thousand people to find those of one."""

    def __init__(self, gifts: Sequence[Given]) -> None:
        self._gifts = gifts
        self._named: dict[tuple[str, int], list[int]] = {}
        for place, given in enumerate(gifts):
            for kind in ("user", "group", "position", "level", "department"):
                if (number := getattr(given, f"{kind}_id")) is not None:
                    self._named.setdefault((kind, number), []).append(place)

    def perhaps_to(self, snapshot: Snapshot, person: PersonFacts) -> Iterator[Given]:
        """Yield the gifts that may reach the person, in their order: all that name what they are, or stand below."""
        departments = snapshot.departments_of(person) | {department for department, _post in person.posts}
        names = {
            ("user", person.id),
            *(("group", number) for number in person.group_ids),
            *(("position", number) for number in person.position_ids),
            *(("level", number) for number in snapshot.levels_held(person.level_id)),
            *(("department", above) for place in departments for above in snapshot.above(place)),
        }
        places = {place for name in names for place in self._named.get(name, ())}
        return (self._gifts[place] for place in sorted(places))


@dataclass(frozen=True)
class Path:
    """How a grant comes to a person: principal → role → … → role that grants → scope."""

    assignment: Given
    roles: tuple[int, ...]
    permission: str
    scope: Scope


def paths(
    snapshot: Snapshot, person: PersonFacts, permission: str, closed: frozenset[int] = frozenset()
) -> tuple[Path, ...]:
    """Return every way by which the person holds the permission, at any scope, past the gates that are closed.

    What is forbidden is held by no way. A snapshot finds the ways of a person once.
    """

    def find() -> tuple[Path, ...]:
        if snapshot.prohibitions_on(permission, person):
            return ()
        return tuple(
            path
            for assignment in snapshot.given_to(person, "assignments")
            for path in grants_through(snapshot, assignment, permission, closed)
        )

    return snapshot.once(("paths", person, permission, closed), find)


def gates_on_roles(
    snapshot: Snapshot, person: PersonFacts, permission: str, closed: frozenset[int]
) -> tuple[int, ...]:
    """Return the closed gates that stand on some path by which the person holds the permission."""
    on_roles = {
        use.gate_id: use for use in snapshot.gate_uses if use.role_id is not None and use.gate_id in closed
    }
    if not on_roles:
        return ()
    every = {path.roles for path in paths(snapshot, person, permission)}
    still = {path.roles for path in paths(snapshot, person, permission, closed)}
    shut = {role for roles in every - still for role in roles}
    return tuple(
        sorted({use.gate_id for use in snapshot.gate_uses if use.gate_id in closed and use.role_id in shut})
    )


def grants_through(
    snapshot: Snapshot, assignment: Given, permission: str, closed: frozenset[int] = frozenset()
) -> Iterator[Path]:
    """Yield every way by which the assigned role grants the permission, itself or by inheriting."""
    for chain in roles_through(snapshot, assignment, closed):
        for granted, scope in snapshot.roles[chain[-1]].grants:
            if granted == permission and scope in NAMES:
                yield Path(assignment, chain, permission, named(scope))


def roles_through(
    snapshot: Snapshot, assignment: Given, closed: frozenset[int] = frozenset()
) -> Iterator[tuple[int, ...]]:
    """Yield the assigned role and each that it inherits, once, as the chain of roles that leads there."""
    assert assignment.role_id is not None
    waiting: list[tuple[int, ...]] = [(assignment.role_id,)]
    # A role behind a closed gate is as if it were not there: neither itself nor what it inherits.
    seen: set[int] = {
        use.role_id for use in snapshot.gate_uses if use.role_id is not None and use.gate_id in closed
    }
    while waiting:
        chain = waiting.pop(0)
        if chain[-1] in seen:
            continue
        seen.add(chain[-1])
        yield chain
        waiting.extend((*chain, inherited) for inherited in snapshot.roles[chain[-1]].inherits)


def admissions_for(
    snapshot: Snapshot, person: PersonFacts, partition_id: int | None, right: Right
) -> Iterator[Given]:
    """Yield the admissions that give the person the right in the partition, or in any where None is named."""
    for admission in snapshot.given_to(person, "admissions"):
        if (partition_id is None or admission.partition_id == partition_id) and (
            right is Right.READ or right in admission.rights
        ):
            yield admission
