"""The field rules of a role, and the deed that sets them: authorize → change → record, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import publishing, reach, registry
from hufu.access.actions import refuse_own_role
from hufu.access.decision.field_access import FieldAccess
from hufu.access.models import FieldRule, Role
from hufu.access.registry import Field, Kind, ResourceType
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid


@dataclass(frozen=True)
class Rule:
    """What a role says of a field: for records that are one's own, for others', and whether it may be exported."""

    mine: FieldAccess
    others: FieldAccess
    export: bool = True

    def words(self) -> str | dict[str, Any]:
        """Return it as the policy document does: one word where that says all."""
        if self.mine is self.others and self.export:
            return str(self.mine)
        told: dict[str, Any] = {"mine": str(self.mine), "others": str(self.others)}
        return told if self.export else {**told, "export": False}


# By type and field.
Rules = Mapping[tuple[str, str], Rule]


def can_be_ruled(declared: Field) -> bool:
    """Say whether a rule can be about the field. What deeds alone set says whose a record is, where and since when."""
    return not declared.system


def must_be_readable(resource: ResourceType, declared: Field) -> bool:
    """Say whether whoever views a record reads the field anyway: what it is called, and what it belongs to."""
    return declared.name == resource.title or declared.kind is Kind.REFERENCE


def problem_of(type_name: str, field_name: str, rule: Rule) -> str:
    """Return what is wrong with a rule, or nothing."""
    try:
        resource = registry.resource_type(type_name)
    except KeyError:
        return _("There is no type “%s”.") % type_name
    declared = resource.by_name.get(field_name)
    words = {"type": type_name, "field": field_name}
    if declared is None:
        return _("“%(type)s” has no field “%(field)s”.") % words
    if not can_be_ruled(declared):
        return _("“%(field)s” takes no rule: it says whose the record is, where or since when.") % words
    if must_be_readable(resource, declared) and not rule.others.is_readable:
        return (
            _("“%(field)s” is read by whoever views the record: a rule can only say read_only or editable.")
            % words
        )
    if rule.mine.level < rule.others.level:
        return _("“mine” must open at least as much as “others”.")
    return ""


def rules_of(role: Role) -> dict[tuple[str, str], Rule]:
    """Return the rules of a role."""
    return {
        (row.type, row.field): Rule(FieldAccess(row.mine), FieldAccess(row.others), row.export)
        for row in sorted(role.field_rules.all(), key=lambda row: row.pk)
    }


def set_field_rules(actor: Actor, role: Role, rules: Rules) -> bool:
    """Bring the field rules of a role to exactly these; return whether anything changed.

    Raise Invalid for a rule that cannot be. Nobody changes the field rules of a role that they hold: to end one may
    open as much as to make one.
    """
    publishing.authorize(actor)
    problems = {
        f"{type_name}.{name}": [problem]
        for (type_name, name), rule in rules.items()
        if (problem := problem_of(type_name, name, rule))
    }
    if problems:
        raise Invalid(problems)
    standing = rules_of(role)
    if standing == dict(rules):
        return False
    refuse_own_role(actor, role)
    gone = {about: rule for about, rule in standing.items() if rules.get(about) != rule}
    new = {about: rule for about, rule in rules.items() if standing.get(about) != rule}
    for type_name, name in gone:
        role.field_rules.filter(type=type_name, field=name).delete()
    FieldRule.objects.bulk_create(
        FieldRule(
            role=role, type=type_name, field=name, mine=rule.mine, others=rule.others, export=rule.export
        )
        for (type_name, name), rule in new.items()
    )
    record(
        actor,
        "role.changed",
        data={"key": role.key, "before": {"fields": _told(gone)}, "after": {"fields": _told(new)}},
    )
    reach.changed()
    return True


def _told(rules: Rules) -> dict[str, Any]:
    return {f"{type_name}.{name}": rule.words() for (type_name, name), rule in rules.items()}
