"""Rules that propose what should go: they find records, and never touch one.

A rule says after how many days (`RETENTION` in the settings, 0 for never) something is proposed, and for which deed:
erasing a person, putting a customer into the bin, deleting for good what lies there. It finds only what the actor may
do that deed with; the deed asks again, as it does everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard
from hufu.access.registry import ResourceType
from hufu.audit import EventType, Subject, Target, declare, kept, record, shown
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import NotFound
from hufu.crm import actions
from hufu.crm.models import Attachment, Consent
from hufu.crm.persons import ERASED_NAME
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY

SHOWN = 100
NO_GROUND, IDLE, BINNED = "contacts", "customers", "bin"
# Of these a rule proposes records that still stand, to be put into the bin.
IDLE_TYPES = frozenset({"customer"})

declare(
    EventType(
        "retention.listed",
        gettext_lazy("Proposals of a retention rule read"),
        (*shown("rule", "days", "count"), *kept("ids")),
    ),
    EventType(
        "retention.followed",
        gettext_lazy("Proposal of a retention rule followed"),
        (*shown("rule", "days", "count"), *kept("ids")),
    ),
)


@dataclass(frozen=True)
class Rule:
    """What is proposed of a type: after how many days, for the deed `verb`."""

    key: str
    resource: ResourceType
    verb: str
    days: int

    @property
    def reason(self) -> str:
        """Return why the rule proposes a record, as it is shown and as it stands in the log with the deed."""
        if self.key == NO_GROUND:
            return _("For more than %s days no consent or other ground stands.") % self.days
        if self.key == IDLE:
            return _("For more than %s days nothing was done with it.") % self.days
        return _("It has been in the bin for more than %s days.") % self.days


@dataclass(frozen=True)
class Proposals:
    """What a rule proposes to somebody: records, longest due first, each with `since`; and whether there are more."""

    rule: Rule
    records: tuple[Any, ...]
    more: bool


def rules(resource: ResourceType) -> list[Rule]:
    """Return the rules about a type that are on."""
    wanted = [(BINNED, "purge")]
    if resource.is_person:
        wanted.insert(0, (NO_GROUND, "erase"))
    if resource.name in IDLE_TYPES:
        wanted.insert(0, (IDLE, "delete"))
    found = [Rule(key, resource, verb, settings.RETENTION[key]) for key, verb in wanted]
    return [rule for rule in found if rule.days]


def seen_by(resource: ResourceType) -> str:
    """Return the verb of the permission that opens the page of a type's proposals."""
    return "erase" if resource.is_person else "purge"


def proposals(actor: Actor, resource: ResourceType) -> list[Proposals]:
    """Return what the rules about a type propose to somebody; each list is an event. One query and one event a rule.

    A rule whose deed the actor does not hold proposes nothing to them.
    """
    return [
        _proposed(actor, rule) for rule in rules(resource) if guard.may(actor, resource.permission(rule.verb))
    ]


def _proposed(actor: Actor, rule: Rule) -> Proposals:
    found = list(_rows(actor, rule).order_by("since", "pk")[: SHOWN + 1])
    records = tuple(found[:SHOWN])
    _tell(actor, "retention.listed", rule, [each.pk for each in records])
    return Proposals(rule, records, len(found) > SHOWN)


def put_into_bin(actor: Actor, rule: Rule, ids: Sequence[int]) -> int:
    """Put records that a rule proposes into the bin, all or none, and return how many.

    What is not proposed any more is left alone: somebody worked with it meanwhile.
    """
    if rule.verb != "delete":
        raise NotFound(_("There is no such page, or you may not view it."))
    guard.authorize(actor, rule.resource.permission("delete"))
    found = list(_rows(actor, rule).filter(pk__in=set(ids[:SHOWN])).order_by("pk"))
    for each in found:
        actions.delete_record(actor, rule.resource, each.pk, version=each.lock_version)
    if found:
        _tell(actor, "retention.followed", rule, [each.pk for each in found])
    return len(found)


def followed(actor: Actor, rule: Rule, current: Any) -> None:
    """Record that a deed on one record followed a rule."""
    _tell(
        actor,
        "retention.followed",
        rule,
        [current.pk],
        target=Target(rule.resource.name, current.pk, current.partition_id),
    )


def proposing(actor: Actor, resource: ResourceType, key: str, verb: str, record_id: int) -> Rule | None:
    """Return the rule that proposes this deed with this record to the actor, or None."""
    for rule in rules(resource):
        if (rule.key, rule.verb) == (key, verb) and _rows(actor, rule).filter(pk=record_id).exists():
            return rule
    return None


def _tell(actor: Actor, event: str, rule: Rule, ids: list[int], target: Target | None = None) -> None:
    record(
        actor,
        event,
        target=target,
        subject=Subject("user" if actor.is_person else "system", actor.user_id),
        data={"rule": f"{rule.resource.name}.{rule.key}", "days": rule.days, "count": len(ids), "ids": ids},
    )


def _rows(actor: Actor, rule: Rule) -> QuerySet[Any]:
    rows = guard.scope(actor, rule.resource.permission(rule.verb))
    due = clock.now() - timedelta(days=rule.days)
    match rule.key:
        case "contacts":
            return _without_ground(rows, due)
        case "customers":
            return _idle(actor, rows, due)
        case _:
            return rows.filter(deleted_at__lt=due).annotate(since=F("deleted_at"))


def _without_ground(rows: QuerySet[Any], due: datetime) -> QuerySet[Any]:
    """Narrow contacts to persons for whom no ground stands, nor stood since that moment."""
    consents = Consent.objects.filter(contact_id=OuterRef("pk"))
    standing = consents.filter(Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gte=due))
    last = consents.order_by("-withdrawn_at").values("withdrawn_at")[:1]
    return (
        rows.filter(created_at__lt=due)
        .exclude(name__startswith=ERASED_NAME)
        .filter(~Exists(standing))
        .annotate(since=Coalesce(Subquery(last), F("created_at")))
    )


def _idle(actor: Actor, rows: QuerySet[Any], due: datetime) -> QuerySet[Any]:
    """Narrow customers to those with which nothing was done since that moment, as far as the actor sees it."""
    idle = rows.filter(updated_at__lt=due).annotate(since=F("updated_at"))
    for resource in (OPPORTUNITY, CONTACT):
        seen = guard.scope(actor, resource.permission("view"))
        idle = idle.filter(~Exists(seen.filter(customer_id=OuterRef("pk"), updated_at__gte=due)))
    files = Attachment.objects.filter(type=CUSTOMER.name, record_id=OuterRef("pk"), added_at__gte=due)
    return idle.filter(~Exists(files))
