"""Deeds on sharing rules and territories, and what a condition covers: authorize → change → record, in one transaction.

Whom a rule reaches and which records it covers is true again when a deed returns, in the same transaction: a new
condition on fields looks at every record of its type, and whoever changes such records meanwhile waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, reach, registry
from hufu.access.actions import Principal, next_number
from hufu.access.decision.conditions import Untranslatable
from hufu.access.models import PRINCIPALS, Role, RuleRecipient, SharingRule, TeamMember
from hufu.access.rule_fields import Named, check
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Department, Level


@dataclass(frozen=True)
class Rule:
    """What a sharing rule or a territory says. `condition` as it is kept (decision.conditions); a territory can do
    without. `parent` is the key of the territory above."""

    key: str
    name: str
    type: str
    condition: Mapping[str, Any] | None
    to: tuple[Principal, ...] = ()
    access: str = TeamMember.Access.READ.value
    superiors: bool = False
    territory: bool = False
    parent: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def kind(self) -> str:
        return "territory" if self.territory else "sharing_rule"

    def values(self) -> dict[str, Any]:
        """Return what is kept in the rule's own row, but for its key and place."""
        return {
            name: getattr(self, name)
            for name in ("name", "type", "condition", "access", "superiors", "starts_at", "ends_at")
        }

    def words(self) -> list[str]:
        """Return one text for each recipient, for comparing and for the log."""
        return sorted(map(str, self.to))


@dataclass(frozen=True)
class Coverage:
    """How many records a condition covers, those in the bin aside, in all partitions; `newest` for the command line."""

    amount: int
    newest: tuple[int, ...]


def standing(row: SharingRule) -> Rule:
    """Return what a rule that stands says."""
    return Rule(
        row.key,
        row.name,
        row.type,
        row.condition,
        tuple(
            Principal(**{name: getattr(to, name) for name in (*PRINCIPALS, "below", "post")})
            for to in row.recipients.select_related(*PRINCIPALS, "level__ladder").order_by("id")
        ),
        row.access,
        row.superiors,
        row.territory,
        row.parent.key if row.parent else None,
        row.starts_at,
        row.ends_at,
    )


def differs(before: Rule, after: Rule) -> bool:
    """Say whether two rules share differently, or are called differently; the order of recipients does not count."""
    return (
        before.values() != after.values() or before.parent != after.parent or before.words() != after.words()
    )


def set_rule(actor: Actor, rule: Rule) -> SharingRule:
    """Bring a rule or territory to exactly this, or add it. Nobody makes or changes one that reaches themselves.

    Raise Invalid for what cannot be translated exactly, and for a place in the tree that is none.
    """
    publishing.authorize(actor)
    _check(rule)
    parent = SharingRule.objects.filter(key=rule.parent, territory=True).first() if rule.parent else None
    if rule.parent and (parent is None or not rule.territory or parent.type != rule.type):
        raise Invalid({"parent": [_("“%s” is no territory of this type.") % rule.parent]})
    row = SharingRule.objects.filter(key=rule.key, territory=rule.territory).first()
    if row is not None and parent is not None and parent.id in _with_those_below(row):
        raise Invalid({"parent": [_("A territory cannot stand below itself.")]})
    _refuse_own(actor, row, rule, parent)
    after = _logged(rule)
    if row is None:
        row = SharingRule(id=next_number(SharingRule), key=rule.key, territory=rule.territory, parent=parent)
        for name, value in rule.values().items():
            setattr(row, name, value)
        row.save(force_insert=True)
        record(actor, "rule.created", data={"key": rule.key, "kind": rule.kind, **after})
    else:
        before = standing(row)
        if not differs(before, rule):
            return row
        # The old recipients go first: whoever comes in is looked at by the database with what the rule says then.
        row.recipients.all().delete()
        for name, value in rule.values().items():
            setattr(row, name, value)
        row.parent = parent
        row.save()
        record(
            actor,
            "rule.changed",
            data={"key": rule.key, "kind": rule.kind, "before": _logged(before), "after": after},
        )
    RuleRecipient.objects.bulk_create(RuleRecipient(rule=row, **to.columns()) for to in rule.to)
    reach.changed()
    return row


def end_rule(actor: Actor, row: SharingRule, *, reason: str) -> None:
    """Take a rule or territory away; it shares nothing from the very next request."""
    publishing.authorize(actor)
    if row.below.exists():
        raise Invalid({"": [_("Other territories stand below “%s”: end these first.") % row.name]})
    data = {"key": row.key, "kind": standing(row).kind, "before": _logged(standing(row))}
    row.recipients.all().delete()
    row.delete()
    record(actor, "rule.ended", data=data, reason=reason)
    reach.changed()


def coverage(actor: Actor, type_name: str, condition: Mapping[str, Any], *, most: int = 10_000) -> Coverage:
    """Return how many records meet a condition, for whoever manages or explains rights. The question is an event."""
    if not guard.may(actor, "explain.any"):
        guard.authorize(actor, "role.manage")
    record(actor, "access.asked", data={"question": "coverage", "record": type_name})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT amount, newest FROM hufu.try_condition(%s, %s, %s)",
            [type_name, json.dumps(condition), most],
        )
        amount, newest = cursor.fetchone()
    return Coverage(amount, tuple(newest or ()))


def samples(actor: Actor, type_name: str, records: Sequence[int], *, most: int = 5) -> list[str]:
    """Return the titles of those of the records that the actor may view, the newest first."""
    resource = registry.resource_type(type_name)
    rows = guard.scope(actor, resource.permission("view")).filter(pk__in=records)
    return [
        f"{type_name}:{row.pk} {getattr(row, resource.title)}"
        for row in rows.order_by(F("updated_at").desc(), "-pk")[:most]
    ]


def there_are() -> Named:
    """Return which departments, roles and levels there are."""
    return Named(
        dict.fromkeys(Department.objects.values_list("id", flat=True)),
        dict.fromkeys(Role.objects.values_list("id", flat=True)),
        dict.fromkeys(Level.objects.values_list("id", flat=True)),
    )


def _check(rule: Rule) -> None:
    known = {resource.name for resource in registry.resource_types() if not resource.parent}
    if rule.type not in known:
        raise Invalid({"type": [_("Rules share records of: %s.") % ", ".join(sorted(known))]})
    if rule.access not in TeamMember.Access.values:
        raise Invalid({"access": [_("A rule opens records to view, or to view and edit.")]})
    if rule.condition is None and not rule.territory:
        raise Invalid({"condition": [_("A sharing rule without a condition would share everything.")]})
    if rule.condition is not None:
        try:
            check(rule.type, rule.condition, there_are())
        except Untranslatable as wrong:
            place = f"condition.{wrong.place}" if wrong.place else "condition"
            raise Invalid({place: [_("This condition cannot be translated exactly.")]}) from wrong


def _refuse_own(actor: Actor, row: SharingRule | None, rule: Rule, parent: SharingRule | None) -> None:
    """Raise Denied where the rule reaches the actor, before or afterwards: it would be giving to themselves.

    Where a change set is published, two people have looked at it.
    """
    if publishing.is_on():
        return
    above = parent.id if parent else None
    asked: list[tuple[bool, int | None, str | None]] = [(rule.superiors, above, None)]
    asked += [(rule.superiors, above, str(to)) for to in rule.to]
    if row is not None:
        asked.append((row.superiors, row.parent_id, None))
    with connection.cursor() as cursor:
        for superiors, place, principal in asked:
            cursor.execute(
                "SELECT hufu.gives_me_by_rule(%s, %s, %s, %s)",
                [row.id if row else None, place, superiors, principal],
            )
            if cursor.fetchone()[0]:
                raise guard.denied(actor, "role.manage")


def _with_those_below(row: SharingRule) -> set[int]:
    found, waiting = set[int](), [row.id]
    while waiting:
        number = waiting.pop()
        found.add(number)
        waiting += SharingRule.objects.filter(parent_id=number).values_list("id", flat=True)
    return found


def _logged(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "type": rule.type,
        "access": rule.access,
        "condition": rule.condition,
        "superiors": rule.superiors,
        "parent": rule.parent,
        "starts_at": rule.starts_at,
        "ends_at": rule.ends_at,
        "to": rule.words(),
    }
