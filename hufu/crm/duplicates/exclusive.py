"""Exclusive fields: a value that another record of the partition has is refused, and the refusal is a duplicate check.

It counts and is recorded at the end of the transaction, whatever becomes of the rest: what was learnt was learnt. Where
no check is left nobody writes such a value at all, taken or not; otherwise forms would answer what the check does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from hufu.access import guard, quotas
from hufu.access.registry import Field, ResourceType
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import at_last, unit_cache
from hufu.crm.duplicates import checks

_TOLD = "crm.exclusive_told"


def must_be_open(actor: Actor, resource: ResourceType, written: Iterable[Mapping[str, Any]]) -> None:
    """Raise Invalid where exclusive values are to be written and no duplicate check is left, whatever they are."""
    listed = list(written)
    for declared in resource.exclusive_fields():
        if not any(values.get(declared.name) for values in listed):
            continue
        try:
            quotas.must_be_left(actor, resource.permission("check_duplicate"), _told() + 1)
        except Denied as denied:
            wait = _("Until then “%s” cannot be filled in; leave it as it was.") % declared.label
            raise Invalid({declared.name: [f"{denied} {wait}"]}) from None


@contextmanager
def refusing(
    actor: Actor,
    resource: ResourceType,
    values: Mapping[str, Any],
    *,
    partition_id: int,
    record_id: int | None = None,
) -> Iterator[None]:
    """Let the body write a record with these values; raise Invalid where one that is exclusive is taken there.

    Every other error of the database passes.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        declared = taken_field(resource, error)
        if declared is None or not values.get(declared.name):
            raise
        raise refusal(
            actor, resource, declared, values[declared.name], partition_id=partition_id, record_id=record_id
        ) from None


def taken_field(resource: ResourceType, error: IntegrityError) -> Field | None:
    """Return the exclusive field whose value was taken, if it was that."""
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    return next(
        (
            declared
            for declared in resource.exclusive_fields()
            if constraint == f"{resource.table}_{declared.name}_exclusive"
        ),
        None,
    )


def of_record(resource: ResourceType, row: Any) -> dict[str, Any]:
    """Return the exclusive values of a record."""
    return {declared.name: getattr(row, declared.column) for declared in resource.exclusive_fields()}


def refusal(
    actor: Actor,
    resource: ResourceType,
    declared: Field,
    value: Any,
    *,
    partition_id: int,
    record_id: int | None = None,
) -> Invalid:
    """Return why a taken value is refused, as far as the actor may know. It counts, unless they view the other one."""
    twin = checks.visible_twin(actor, resource, declared, value, partition_id, record_id)
    if twin is not None:
        said = _("“%(title)s” (number %(number)s) has the same “%(field)s”.") % {
            "title": getattr(twin, resource.title),
            "number": twin.pk,
            "field": declared.label,
        }
        return Invalid({declared.name: [said]})
    with transaction.atomic():
        answer = _ask(resource, declared, value, partition_id, _told() + 1)
        transaction.set_rollback(True)
    refuses = [row for row in checks.rows_of(answer) if row[-1]]
    quotas.settle(actor, resource.permission("check_duplicate"), refuses)
    unit_cache()[_TOLD] = _told() + 1
    at_last(partial(_count, actor, resource, declared, value, partition_id))
    taken = _("Another record of this partition has the same “%(field)s”; you may not view it.") % {
        "field": declared.label
    }
    if not guard.may(actor, resource.permission("check_duplicate")):
        return Invalid({declared.name: [wording.joined(taken, _("Ask whoever looks after duplicates."))]})
    facts = [
        _("%(label)s: %(value)s.") % {"label": label, "value": text}
        for one in answer["found"]
        for label, text in checks.facts_in_words(resource, one["told"])
    ]
    further = _("This counts as a duplicate check; the page “Duplicate check” has it, and how to dispute it.")
    return Invalid({declared.name: [" ".join([taken, *facts, further])]})


def _told() -> int:
    """Return how many refusals of this transaction are counted at its end."""
    told: int = unit_cache().get(_TOLD, 0)
    return told


def _ask(resource: ResourceType, declared: Field, value: Any, partition_id: int, uses: int) -> dict[str, Any]:
    return checks.call("taken", resource, declared.name, value, partition_id, uses)


def _count(actor: Actor, resource: ResourceType, declared: Field, value: Any, partition_id: int) -> None:
    answer = _ask(resource, declared, value, partition_id, 1)
    quotas.settle(actor, resource.permission("check_duplicate"), checks.rows_of(answer))
    hits = [one["hit"] for one in answer["found"]]
    checks.note(actor, resource, [declared.name], str(value), len(hits), hits, refused=True)
