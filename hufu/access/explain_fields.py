"""What somebody may do with one field of a record, and why, in words. No value of the field is among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import registry
from hufu.access.decision.decide import Code, Decision
from hufu.access.decision.decide import decide as decide_record
from hufu.access.decision.field_access import (
    AboutField,
    FieldAccess,
    FieldCode,
    FieldDecision,
    decide_field,
)
from hufu.access.decision.field_near import RuleMiss, field_misses
from hufu.access.decision.near import Nearness
from hufu.access.decision.snapshot import Snapshot
from hufu.access.decision.terms import Requirement
from hufu.access.explain import (
    given_structure,
    principal_words,
    role_chain,
    role_structure,
)
from hufu.access.models import FieldRule
from hufu.access.registry import Field, ResourceType, Sensitivity
from hufu.core.days import end_words, moment_words

SENSITIVITY_LABELS: dict[str, str | Promise] = {
    Sensitivity.PUBLIC: gettext_lazy("public"),
    Sensitivity.INTERNAL: gettext_lazy("internal"),
    Sensitivity.PERSONAL: gettext_lazy("personal"),
    Sensitivity.CONFIDENTIAL: gettext_lazy("confidential"),
}
CODES = {
    FieldAccess.HIDDEN: Code.FIELD_HIDDEN,
    FieldAccess.MASKED: Code.FIELD_MASKED,
    FieldAccess.READ_ONLY: Code.FIELD_READ_ONLY,
    FieldAccess.EDITABLE: Code.COVERED,
}


def asked_about(resource: ResourceType, declared: Field) -> AboutField:
    """Return what a decision looks at in a field."""
    return AboutField(resource.name, declared.name, str(declared.sensitivity), declared.system)


def decide(
    snapshot: Snapshot,
    decision: Decision,
    resource: ResourceType,
    declared: Field,
    closed: frozenset[int] = frozenset(),
) -> FieldDecision:
    """Return what the person may do with a field of a record that the decision allows them to view or edit."""
    assert decision.record is not None
    about = asked_about(resource, declared)
    of_field = decide_field(snapshot, decision.person_id, about, record=decision.record, closed=closed)
    if declared.exclusive and _is_across(snapshot, decision, resource, closed):
        return _across(of_field, registry.permission(decision.permission).verb)
    return of_field


def _across(of_field: FieldDecision, verb: str) -> FieldDecision:
    """Return what is left of an exclusive field where the wall keeps it, as guard.fields_to_write says."""
    if of_field.access is FieldAccess.EDITABLE:
        left = FieldAccess.READ_ONLY
    elif of_field.access is FieldAccess.MASKED and verb == "edit":
        left = FieldAccess.HIDDEN
    else:
        return of_field
    return replace(of_field, access=left, code=FieldCode.WALL, rule=None, given=None, roles=())


def _is_across(
    snapshot: Snapshot, decision: Decision, resource: ResourceType, closed: frozenset[int]
) -> bool:
    """Say whether the person views or edits the record by a share across the wall alone."""

    def may(name: str, needed: Requirement) -> bool:
        right = registry.permission(name).right
        return decide_record(
            snapshot, decision.person_id, name, right, needed, decision.record, closed
        ).allowed

    view, edit = (resource.permission(verb) for verb in ("view", "edit"))
    if not may(view, registry.inside(view)):
        return True
    return may(edit, registry.requirement(edit)) and not may(edit, registry.inside(edit))


def allows(decision: FieldDecision, verb: str) -> bool:
    """Say whether the field may be read (`view`), or written (`edit`): a masked one is replaced without being read."""
    if verb == "edit":
        return decision.access in (FieldAccess.EDITABLE, FieldAccess.MASKED)
    return decision.access.is_readable


def sentences(snapshot: Snapshot, decision: FieldDecision) -> Iterator[str]:
    """Yield what may be done with the field, one sentence each: first the verdict, then why, then what would help."""
    about, person = decision.about, snapshot.people.get(decision.person_id)
    declared = registry.resource_type(about.type).by_name[about.name]
    words = {
        "person": person.name if person else str(decision.person_id),
        "field": declared.label,
        "mark": SENSITIVITY_LABELS[about.sensitivity],
        "access": FieldRule.Access(decision.access).label,
    }
    yield {
        FieldAccess.HIDDEN: _("“%(field)s” of this record is hidden from %(person)s."),
        FieldAccess.MASKED: _(
            "“%(field)s” of this record is masked for %(person)s; it can be replaced without being read."
        ),
        FieldAccess.READ_ONLY: _("%(person)s reads “%(field)s” of this record and cannot change it."),
        FieldAccess.EDITABLE: _(
            "%(person)s reads “%(field)s” of this record, and changes it where they may edit the record."
        ),
    }[decision.access] % words
    yield from _reason(snapshot, decision, words)
    for miss in field_misses(snapshot, decision):
        yield _miss_sentence(snapshot, miss)
    for gate in _gates_on(snapshot, decision):
        yield (
            _("This holds while the access limit “%(gate)s” is open; it is not evaluated here.")
            % {"gate": snapshot.gate_names[gate]}
        )


def _reason(snapshot: Snapshot, decision: FieldDecision, words: dict[str, Any]) -> Iterator[str]:
    if decision.code is FieldCode.SYSTEM:
        yield _("It says whose the record is, where or since when: whoever views the record reads it.")
        return
    if decision.code is FieldCode.GATE_CLOSED:
        for gate in decision.gates:
            yield (
                _("The access limit “%(gate)s” on fields marked “%(mark)s” is closed.")
                % {**words, "gate": snapshot.gate_names[gate]}
            )
        return
    if decision.code is FieldCode.WALL:
        yield (
            _(
                "The wall keeps it: it is exclusive, and %(person)s reaches the record by a share across the wall. "
                "Whether another record has the same is for those whom the partition admits."
            )
            % words
        )
        return
    if decision.pool is not None:
        yield (
            _("The pool “%(pool)s” hides it until somebody claims the record.") % {"pool": decision.pool.name}
        )
        return
    if decision.mine:
        yield (
            _(
                "The record counts as %(person)s's own: they are its owner, or in its team with a right to edit."
            )
            % words
        )
    else:
        yield _("The record is not %(person)s's own.") % words
    if decision.rule is None or decision.given is None:
        yield (
            _("No field rule of theirs is about it: it is marked “%(mark)s”, and so it is: %(access)s.")
            % words
        )
        return
    words |= {
        "roles": role_chain(snapshot, decision.roles),
        "principal": principal_words(snapshot, decision.given),
    }
    yield (
        _(
            "A field rule of role %(roles)s, given to %(principal)s, says: %(access)s. No rule of theirs opens more."
        )
        % words
    )


def _miss_sentence(snapshot: Snapshot, miss: RuleMiss) -> str:
    words = {
        "roles": role_chain(snapshot, miss.roles),
        "access": FieldRule.Access(miss.access).label,
        "principal": principal_words(snapshot, miss.given),
        "until": end_words(miss.given.ends_at) if miss.given.ends_at else "",
        "from": moment_words(miss.given.starts_at) if miss.given.starts_at else "",
    }
    return {
        Nearness.ENDED: _(
            "A field rule of role %(roles)s would say: %(access)s; the role was given to %(principal)s and ended: "
            "%(until)s."
        ),
        Nearness.NOT_BEGUN: _(
            "A field rule of role %(roles)s will say: %(access)s; the role is given to %(principal)s and begins: "
            "%(from)s."
        ),
        Nearness.GIVEN_TO_OTHERS: _(
            "A field rule of role %(roles)s would say: %(access)s; the role is given to %(principal)s."
        ),
    }[miss.nearness] % words


def _gates_on(snapshot: Snapshot, decision: FieldDecision) -> list[int]:
    """Return the gates on which it depends, by number: on the sensitivity, and on the roles of the rule's path."""
    if decision.code not in (FieldCode.RULE, FieldCode.SENSITIVITY):
        return []
    return sorted(
        {
            use.gate_id
            for use in snapshot.gate_uses
            if use.sensitivity == decision.about.sensitivity or use.role_id in decision.roles
        }
    )


def structure(snapshot: Snapshot, decision: FieldDecision) -> dict[str, Any]:
    """Return the decision about a field for programs."""
    rule = decision.rule
    return {
        "field": decision.about.name,
        "access": str(decision.access),
        "because": str(decision.code),
        "mine": decision.mine,
        "sensitivity": decision.about.sensitivity,
        "rule": {"mine": rule.mine, "others": rule.others, "export": rule.export} if rule else None,
        "roles": [role_structure(snapshot, role) for role in decision.roles],
        "given": given_structure(snapshot, decision.given) if decision.given else None,
        "pool": decision.pool.key if decision.pool else None,
        "gates": [snapshot.gate_names[gate] for gate in decision.gates or _gates_on(snapshot, decision)],
    }
