"""What a deed on a person did, told by what stood before and stands afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from django.db import transaction

from hufu.access import reach
from hufu.access.pending_models import PendingChange
from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.people.models import Group, Position, User
from hufu.staffing.actions.handover import Handed
from hufu.staffing.holdings import ROLE, Gift, HeldPost, Holdings


class Unchanged(Enum):
    """The one value that says: this stays as it is. None means: nobody, nothing."""

    UNCHANGED = ""


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True)
class Outcome:
    """What a deed did to a person: all that stood before and stands afterwards, and the records that went elsewhere.

    `handed` went to a new owner, `taken` to the person's new department.
    """

    user: User
    before: Holdings
    after: Holdings
    handed: tuple[Handed, ...] = ()
    taken: tuple[Handed, ...] = ()
    reports_to: User | None = None
    # What of it waits for release.
    waiting: tuple[PendingChange, ...] = ()

    @property
    def ended_gifts(self) -> tuple[Gift, ...]:
        return tuple(gift for gift in self.before.gifts if gift not in self.after.gifts)

    @property
    def ended_groups(self) -> tuple[Group, ...]:
        return tuple(group for group in self.before.groups if group not in self.after.groups)

    @property
    def ended_positions(self) -> tuple[Position, ...]:
        return tuple(position for position in self.before.positions if position not in self.after.positions)

    @property
    def ended_posts(self) -> tuple[HeldPost, ...]:
        return tuple(post for post in self.before.posts if post not in self.after.posts)

    @property
    def ended_teams(self) -> int:
        return sum(amount.number for amount in self.before.teams) - sum(
            amount.number for amount in self.after.teams
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was handed over, taken along or ended."""
        return not (
            self.handed
            or self.taken
            or self.ended_gifts
            or self.ended_groups
            or self.ended_positions
            or self.ended_posts
            or self.ended_teams
            or self.handed_reports
            or self.waiting
        )

    @property
    def handed_reports(self) -> tuple[User, ...]:
        return tuple(report for report in self.before.reports if report not in self.after.reports)


def waiting_for(user_id: int) -> tuple[PendingChange, ...]:
    """Return what waits for release of somebody."""
    return tuple(
        PendingChange.objects.select_related("user", "department").filter(user_id=user_id).order_by("id")
    )


def rehearse(deed: Callable[[], Outcome]) -> Outcome:
    """Return what the deed would do, or raise what it would raise; nothing of it stays, no event either."""
    with transaction.atomic():
        outcome = deed()
        transaction.set_rollback(True)
    reach.changed()
    reach.shares_changed()
    return outcome


def facts_changed(before: Holdings, after: Holdings) -> list[str]:
    """Return the names of the facts of a person that differ."""
    names = ("department", "other_departments", "manager", "level", "title")
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def record_outcome(
    actor: Actor, type_name: str, outcome: Outcome, reason: str, more: Mapping[str, Any]
) -> None:
    """Record the one event that sums up; each fact, gift and record has its own."""
    ended = outcome.ended_gifts
    record(
        actor,
        type_name,
        target=Target("user", outcome.user.id),
        subject=Subject("user", outcome.user.id),
        reason=reason,
        data={
            **more,
            "records": sum(handed.number for handed in (*outcome.handed, *outcome.taken)),
            "successors": sorted({handed.owner.id for handed in outcome.handed}),
            "roles": [gift.key for gift in ended if gift.kind == ROLE],
            "partitions": [gift.key for gift in ended if gift.kind != ROLE],
            "groups": [group.key for group in outcome.ended_groups],
            "positions": [position.key for position in outcome.ended_positions],
            "posts": [f"{held.department.code}.{held.post}" for held in outcome.ended_posts],
            "teams": outcome.ended_teams,
            "reports": len(outcome.handed_reports),
            "reports_to": outcome.reports_to.id if outcome.reports_to else None,
        },
    )
