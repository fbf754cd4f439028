"""How well rights are kept: what should be looked at, how much of it there is, and one number from 0 to 100.

The number is a plain sum. Each finding has a weight; it costs all of its weight where there is as much of it as `full`
says, less where there is less, and nothing where there is none. The weights come to a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hufu.access import break_glass, company, duties, emergency, guard, queries, registry, requests
from hufu.access.giving import RoleFacts, facts_of
from hufu.access.models import (
    Administrator,
    Admission,
    Assignment,
    ChangeSet,
    GateUse,
    Grant,
    Role,
)
from hufu.access.pending_models import PendingChange
from hufu.access.policy_file import current_version
from hufu.access.queries import PRINCIPAL_NAMES
from hufu.access.registry import Risk
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.people.models import Status, User

DORMANT = timedelta(days=90)
SOON = timedelta(days=14)
# Verbs that reach far where they are given on everything.
WIDE = ("edit", "delete", "purge", "export", "transfer", "share", "move_partition")


@dataclass(frozen=True)
class Item:
    """One thing to look at. What it is about says what can be done: a person, a row that was given, a role, a thing."""

    about: object
    note: str | Promise = ""


@dataclass(frozen=True)
class Kind:
    """A kind of finding: its weight, and how many cost all of it (a share of the active people, at least `full`)."""

    key: str
    label: str | Promise
    help: str | Promise
    weight: int
    full: int
    share: float = 0.0


KINDS: tuple[Kind, ...] = (
    Kind(
        "conflicts",
        _("Conflicts of duty"),
        _("Somebody holds roles that nobody should hold together; known exceptions count, too."),
        15,
        1,
    ),
    Kind(
        "administrators",
        _("Administrators are not apart"),
        _("In three-administrator mode system, security and audit administrator are three people."),
        15,
        1,
    ),
    Kind(
        "approvers",
        _("A second approver is missing"),
        _("With fewer than two people who may approve change sets nobody else looks at what one widens."),
        10,
        1,
    ),
    Kind(
        "reviews",
        _("Emergencies that nobody reviewed"),
        _("An appointment on the server or a break-glass that waits for somebody else to look at it."),
        10,
        1,
    ),
    Kind(
        "endless",
        _("High-risk roles without an end"),
        _("Given by name or to a group, a department, a post or a position, with no day on which it ends."),
        10,
        5,
        0.05,
    ),
    Kind(
        "wide",
        _("Grants on everything"),
        _("A role that edits, deletes, exports, transfers or shares every record of a type."),
        10,
        20,
    ),
    Kind(
        "dormant",
        _("Dormant accounts"),
        _("Active accounts that nobody signed in to for 90 days, or ever."),
        5,
        5,
        0.1,
    ),
    Kind(
        "expiring",
        _("Rights that end within 14 days"),
        _("Roles and admissions: let them end, or give them for longer before somebody stands still."),
        5,
        20,
    ),
    Kind("pending", _("Changes that wait for release"), _("They add rights once they are released."), 5, 20),
    Kind("requests", _("Access requests that wait for you"), _("Somebody waits for an answer."), 5, 20),
    Kind("change_sets", _("Change sets that wait"), _("Somebody submitted a change of the policy."), 5, 5),
    Kind(
        "gates",
        _("No access limit on signing in"),
        _("No network, hour, device or second factor is asked for at the door."),
        5,
        1,
    ),
)


@dataclass(frozen=True)
class Finding:
    """How much of a kind there is, and what that costs. `full`: as many cost the whole weight."""

    kind: Kind
    count: int
    full: int

    @property
    def points(self) -> int:
        """What it costs; of what there is at all, a point at least."""
        if not self.count:
            return 0
        return max(1, round(self.kind.weight * min(1.0, self.count / self.full)))


@dataclass(frozen=True)
class Posture:
    """All findings, and what is left of a hundred."""

    findings: tuple[Finding, ...]
    administrators: Mapping[str, Sequence[User]]
    conforms: bool
    people: int

    @property
    def score(self) -> int:
        return 100 - sum(finding.points for finding in self.findings)


class Looking:
    """Counts and lists what should be looked at, for whoever may view roles."""

    def __init__(self, actor: Actor) -> None:
        guard.authorize(actor, "role.view")
        self.actor = actor
        self._now = clock.now()

    def posture(self) -> Posture:
        """Return everything, in a fixed number of statements."""
        people = User.objects.filter(status=Status.ACTIVE).count()
        found = []
        for kind in KINDS:
            full = max(kind.full, round(kind.share * people))
            found.append(Finding(kind, self.count(kind.key), full))
        return Posture(tuple(found), self._by_kind, company.mode().conforms, people)

    def count(self, key: str) -> int:
        """Return how much of a kind there is."""
        rows = self._all[key]()
        return rows.count() if isinstance(rows, QuerySet) else len(rows)

    def items(self, key: str, start: int, amount: int) -> list[Item]:
        """Return some of a kind, in their order."""
        rows = self._all[key]()
        return [
            row if isinstance(row, Item) else self._item(key, row) for row in rows[start : start + amount]
        ]

    @cached_property
    def _all(self) -> dict[str, Callable[[], QuerySet[Any] | Sequence[object]]]:
        return {
            "conflicts": lambda: self._conflicts,
            "administrators": lambda: self._clashes,
            "approvers": lambda: self._approvers,
            "reviews": self._reviews,
            "endless": self._endless,
            "wide": lambda: self._wide,
            "dormant": self._dormant,
            "expiring": lambda: self._expiring,
            "pending": lambda: self._pending,
            "requests": lambda: self._requests,
            "change_sets": lambda: self._change_sets,
            "gates": self._gates,
        }

    def _item(self, key: str, row: object) -> Item:
        if key == "dormant" and isinstance(row, User):
            return Item(row, _("never signed in") if row.last_login is None else "")
        return Item(row)

    def _dormant(self) -> QuerySet[User]:
        quiet = Q(last_login=None) | Q(last_login__lt=self._now - DORMANT)
        people = User.objects.select_related("main_department").filter(quiet, status=Status.ACTIVE)
        return people.order_by("last_login", "name_sort", "id")

    @cached_property
    def _facts(self) -> dict[int, RoleFacts]:
        return facts_of(list(Role.objects.all()))

    def _endless(self) -> QuerySet[Assignment]:
        risky = [number for number, facts in self._facts.items() if facts.risk is Risk.HIGH]
        rows = Assignment.objects.select_related("role", *PRINCIPAL_NAMES)
        # What levels hold is a definition, and holds until it is changed.
        return rows.filter(ends_at=None, level=None, role_id__in=risky).order_by("role__name", "id")

    @cached_property
    def _expiring(self) -> list[Item]:
        soon = {"ends_at__gt": self._now, "ends_at__lte": self._now + SOON}
        roles = Assignment.objects.select_related("role", *PRINCIPAL_NAMES).filter(**soon)
        doors = Admission.objects.select_related("partition", *PRINCIPAL_NAMES).filter(**soon)
        return [
            Item(row)
            for row in sorted(chain(roles, doors), key=lambda row: (row.ends_at or self._now, row.pk))
        ]

    @cached_property
    def _wide(self) -> list[Item]:
        rows = Grant.objects.select_related("role").filter(scope="everything").order_by("role__name", "id")
        of_records = {
            each.name: each for each in registry.permissions() if registry.type_of(each.name) is not None
        }
        found: dict[int, list[str]] = {}
        roles = {}
        for row in rows:
            declared = of_records.get(row.permission)
            if (
                declared is not None
                and row.permission.rpartition(".")[2] in WIDE
                and len(declared.scopes) > 1
            ):
                roles[row.role_id] = row.role
                found.setdefault(row.role_id, []).append(str(declared.label))
        return [Item(roles[number], _joined(labels)) for number, labels in found.items()]

    @cached_property
    def _conflicts(self) -> list[Item]:
        found = duties.conflicts()
        people = User.objects.in_bulk([each.user_id for each in found])
        roles = Role.objects.in_bulk([role for each in found for role in each.roles])
        return [
            Item(people[each.user_id], " + ".join(roles[role].name for role in each.roles if role in roles))
            for each in found
            if each.user_id in people
        ]

    @cached_property
    def _by_kind(self) -> dict[str, list[User]]:
        """Return the active people who were given a role that makes an administrator, by name."""
        makes = {role.pk: role.administrator for role in Role.objects.exclude(administrator="")}
        rows = Assignment.objects.select_related("user").filter(
            Q(ends_at=None) | Q(ends_at__gt=self._now), role_id__in=list(makes), user__status=Status.ACTIVE
        )
        found: dict[str, dict[int, User]] = {kind: {} for kind in Administrator.values if kind}
        for row in rows:
            assert row.user is not None
            found[makes[row.role_id]][row.user.pk] = row.user
        return {kind: list(people.values()) for kind, people in found.items()}

    @cached_property
    def _clashes(self) -> list[Item]:
        if not company.mode().conforms:
            return [Item(None, _("Standard mode: it does not conform to MLPS (等保) level 3."))]
        held: dict[int, list[str]] = {}
        people = {}
        for kind, of_kind in self._by_kind.items():
            for user in of_kind:
                people[user.pk] = user
                held.setdefault(user.pk, []).append(str(Administrator(kind).label))
        return [Item(people[number], " + ".join(kinds)) for number, kinds in held.items() if len(kinds) > 1]

    @cached_property
    def _approvers(self) -> list[Item]:
        if not current_version():
            return []
        if len(self._hold("policy.approve")) >= 2:
            return []
        return [Item(None, _("Fewer than two active people may approve change sets."))]

    def _hold(self, permission: str) -> set[int]:
        """Return the active people who come to hold a permission by a role that was given to them or to a group, a
        department, a post, a position or a level of theirs."""
        roles = [number for number, facts in self._facts.items() if permission in facts.permissions]
        rows = Assignment.objects.filter(
            Q(starts_at=None) | Q(starts_at__lte=self._now),
            Q(ends_at=None) | Q(ends_at__gt=self._now),
            role_id__in=roles,
        )
        named = set(rows.filter(user__status=Status.ACTIVE).values_list("user_id", flat=True))
        if len(named) >= 2 or not rows.filter(user=None).exists():
            return {number for number in named if number is not None}
        return set(queries.holders(queries.snapshot(), permission))

    def _reviews(self) -> list[Item]:
        appointed = [Item(row.user, row.reason) for row in emergency.unreviewed()]
        return [*appointed, *(Item(row.user, row.reason) for row in break_glass.unreviewed())]

    @cached_property
    def _pending(self) -> QuerySet[PendingChange]:
        return PendingChange.objects.order_by("asked_at", "id")

    @cached_property
    def _requests(self) -> Sequence[object]:
        return requests.waiting(self.actor)

    @cached_property
    def _change_sets(self) -> QuerySet[ChangeSet]:
        return ChangeSet.objects.filter(state=ChangeSet.State.SUBMITTED).order_by("number")

    def _gates(self) -> list[Item]:
        if GateUse.objects.filter(sign_in=True).exists():
            return []
        return [Item(None, _("No access limit binds signing in."))]


def _joined(words: Sequence[str]) -> str:
    return gettext(", ").join(words)
