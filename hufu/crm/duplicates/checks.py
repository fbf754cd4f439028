"""The duplicate check: an exact name, code or phone, answered with the configured facts alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, quotas, requests
from hufu.access.models import Partition
from hufu.access.registry import Field, Kind, ResourceType, resource_type, resource_types
from hufu.audit import EventType, declare, record, sealed, shown
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, NotFound
from hufu.core.text import is_storable
from hufu.crm import blind, resources  # noqa: F401  (the types that events are declared for)
from hufu.people.models import Department, User

LONGEST = 500
# Codes have 18 characters, old registration numbers 15.
CODE_LENGTHS = (15, 18)

declare(
    *(
        event
        for resource in resource_types()
        if resource.has("check_duplicate")
        for event in (
            EventType(
                f"{resource.name}.duplicate_checked",
                format_lazy(gettext_lazy("{thing}: checked for duplicates"), thing=resource.label),
                (*shown("fields", "found", "hits", "refused"), *sealed("value")),
                "personal",
            ),
            EventType(
                f"{resource.name}.duplicate_disputed",
                format_lazy(
                    gettext_lazy("{thing}: what a duplicate check found is disputed"), thing=resource.label
                ),
                shown("dispute", "hit"),
            ),
            # Until requests could be without a number; what stands in the log stays readable.
            EventType(
                f"{resource.name}.duplicate_named",
                format_lazy(
                    gettext_lazy("{thing}: number of a duplicate told, to ask to join"), thing=resource.label
                ),
                shown("hit"),
            ),
            EventType(
                f"{resource.name}.duplicate_decided",
                format_lazy(gettext_lazy("{thing}: duplicate looked at"), thing=resource.label),
                shown("pair", "state"),
            ),
            EventType(
                f"{resource.name}.dispute_answered",
                format_lazy(gettext_lazy("{thing}: dispute answered"), thing=resource.label),
                shown("dispute", "outcome"),
            ),
        )
    )
)


@dataclass(frozen=True)
class Found:
    """A record that a check found: by which fields, and what is told of it.

    `record` is its number where the actor may view it and reads these fields there, else None. `hit` names it
    otherwise: nobody but the one who asked can use it.
    """

    hit: int
    fields: tuple[str, ...]
    told: Mapping[str, Any]
    record: int | None = None
    at: datetime | None = None
    disputed: bool = False


def check(actor: Actor, resource: ResourceType, text: str) -> list[Found]:
    """Return the records whose name, code or phone is exactly this, in all partitions where the actor holds the check.

    It counts, whatever it finds. Raise Invalid for a text that cannot be asked for, Denied where no use is left.
    """
    permission = resource.permission("check_duplicate")
    guard.authorize(actor, permission)
    asked = asked_for(resource, text)
    if not asked:
        raise Invalid({"text": [_("Enter the whole name, code or phone.")]})
    answer = call("check_duplicate", resource, json.dumps(asked), 1)
    quotas.settle(actor, permission, rows_of(answer))
    found = read(actor, resource, answer["found"], asked)
    note(actor, resource, sorted(asked), text.strip(), len(found), [one.hit for one in found])
    return found


def my_hits(actor: Actor, resource: ResourceType, most: int = 20) -> list[Found]:
    """Return what the actor's own checks found lately, as it was told then; the newest first.

    A record that the actor may view by now, and reads there what found it, is named, and stands once. Any other stands
    once for the fields that found it: two checks do not tell that they found one record.
    """
    guard.authorize(actor, resource.permission("check_duplicate"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, fields, told, found_at, disputed, record FROM hufu.my_duplicate_hits(%s) WHERE type = %s",
            [most, resource.name],
        )
        rows = cursor.fetchall()
    names = {name for _id, fields, *_rest in rows for name in fields}
    legible = _legible_in(actor, resource, names, [row[-1] for row in rows if row[-1] is not None])
    found, named = [], set()
    for number, fields, told, at, disputed, viewed in rows:
        shown = viewed if viewed is not None and all(viewed in legible[name] for name in fields) else None
        if shown is None or shown not in named:
            found.append(Found(number, tuple(fields), _mapping(told), shown, at, disputed))
            named.add(shown)
    return found


def dispute(actor: Actor, resource: ResourceType, hit: int, *, reason: str) -> int:
    """Say that what a check of one's own found is wrong or one's own; the steward looks into it. Return its number.

    Raise Invalid without a reason, NotFound where there is no such hit of the actor's, or it is disputed already.
    """
    guard.authorize(actor, resource.permission("check_duplicate"))
    if not reason.strip() or len(reason) > LONGEST or not is_storable(reason):
        raise Invalid({"reason": [_("Say why, in at most %s characters.") % LONGEST]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.dispute_duplicate(%s, %s)", [hit, reason.strip()])
        [number] = cursor.fetchone()
    if number is None:
        raise _no_such_hit(resource)
    record(
        actor,
        f"{resource.name}.duplicate_disputed",
        data={"dispute": number, "hit": hit},
        reason=reason.strip(),
    )
    answer: int = number
    return answer


@dataclass(frozen=True)
class Disputed:
    """What somebody disputed: by which fields it was found, why, and what the steward answered, if they did."""

    id: int
    type: str
    fields: tuple[str, ...]
    reason: str
    raised_at: datetime
    outcome: str
    answer: str
    closed_at: datetime | None
    closed_by: int | None


def my_disputes(actor: Actor, most: int = 20) -> list[Disputed]:
    """Return what the actor disputed, the newest first. It takes no permission: these are their own words."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, type, fields, reason, raised_at, outcome, answer, closed_at, closed_by"
            " FROM hufu.my_disputes(%s)",
            [most],
        )
        return [
            Disputed(number, kind, tuple(fields), *rest) for number, kind, fields, *rest in cursor.fetchall()
        ]


def to_join(actor: Actor, resource: ResourceType, hit: int) -> tuple[str, ...]:
    """Return by which fields a check of one's own found what one wants to join; raise NotFound where there is none."""
    return _hit(actor, resource, hit)[0]


def ask_to_join(
    actor: Actor, resource: ResourceType, hit: int, *, access: str, until: datetime, reason: str
) -> int:
    """Ask for access to what a check of one's own found, without learning which record it is; return the request.

    The same is not asked twice while it waits; what another check found by other fields counts as another thing, so
    that nobody learns that they are one.
    """
    requests.one_at_a_time(actor)
    _fields, since = _hit(actor, resource, hit)
    requests.prepare_asking(actor, access=access, until=until, reason=reason, since=since)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hufu.ask_to_join(%s, %s, %s, %s, %s)", [hit, resource.name, access, until, reason]
        )
        number: int = cursor.fetchone()[0]
    record(
        actor,
        "access.requested",
        data={"request": number, "until": until, "access": access, "hit": hit},
        reason=reason,
    )
    return number


def joined(actor: Actor) -> dict[int, tuple[ResourceType, int]]:
    """Return which records the requests to join that were granted to the actor opened: request → type and number.

    Only where the actor views the record by now: whoever granted it opened just this one to them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT request, type, record FROM hufu.my_joined()")
        return {request: (resource_type(kind), number) for request, kind, number in cursor.fetchall()}


def _hit(actor: Actor, resource: ResourceType, hit: int) -> tuple[tuple[str, ...], datetime | None]:
    """Return by which fields a hit of the actor's was found, and since when they ask to join it."""
    guard.authorize(actor, resource.permission("check_duplicate"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT fields, since FROM hufu.hit_to_join(%s, %s)", [hit, resource.name])
        found = cursor.fetchone()
    if found is None:
        raise _no_such_hit(resource)
    return tuple(found[0]), found[1]


def _no_such_hit(resource: ResourceType) -> NotFound:
    return NotFound(
        _("There is no such result of yours, or you have disputed it already."),
        event={
            "type": "access.refused",
            "target": None,
            "data": {"permission": resource.permission("check_duplicate")},
            "reason": "not_found",
        },
    )


def asked_for(resource: ResourceType, text: str) -> dict[str, Any]:
    """Return by field what is looked for: the text itself, or the blind indexes of an encrypted value."""
    said = text.strip()
    if not said or len(said) > LONGEST or not is_storable(said):
        return {}
    asked: dict[str, Any] = {}
    for declared in resource.checkable_fields():
        if declared.is_encrypted:
            if indexes := blind.whole(resource, declared, said):
                asked[declared.name] = [index.hex() for index in indexes]
        elif declared.kind is not Kind.CODE or _may_be_a_code(said):
            asked[declared.name] = said
    for other, declared in resource.checked_along():
        if indexes := blind.whole(other, declared, said):
            asked[f"{other.name}.{declared.name}"] = [index.hex() for index in indexes]
    return asked


def _may_be_a_code(text: str) -> bool:
    return len("".join(text.split()).replace("-", "")) in CODE_LENGTHS


def call(function: str, resource: ResourceType, *arguments: Any) -> dict[str, Any]:
    """Return what a function of the type answers; it counts the use and looks nothing up where none is left."""
    places = ", ".join(
        ["%s::jsonb", *["%s"] * (len(arguments) - 1)] if function != "taken" else ["%s"] * len(arguments)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT hufu.{function}_{resource.table}({places})", list(arguments))
        return _mapping(cursor.fetchone()[0])


def rows_of(answer: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Return how quotas were counted, as hufu.consume_quota gives it."""
    return [
        (
            *(row[name] for name in ("id", "key", "name", "zone", "span", "most", "used")),
            parse_datetime(row["opens_at"]),
            row["refuses"],
        )
        for row in answer["quotas"]
    ]


def read(
    actor: Actor, resource: ResourceType, said: Sequence[Mapping[str, Any]], asked: Mapping[str, Any]
) -> list[Found]:
    """Return what was found; the number of a record only where the actor reads there what found it."""
    numbers = [one["record"] for one in said if one["record"] is not None]
    legible = _legible_in(actor, resource, asked, numbers)
    return [
        Found(
            one["hit"],
            tuple(one["fields"]),
            one["told"],
            one["record"]
            if one["record"] is not None and all(one["record"] in legible[name] for name in one["fields"])
            else None,
        )
        for one in said
    ]


def _legible_in(
    actor: Actor, resource: ResourceType, names: Iterable[str], numbers: Sequence[int]
) -> dict[str, set[int]]:
    """Return by field in which of these records the actor reads it; of what follows a record, there.

    Whether a field of a following type is read goes by the record that it belongs to: of all that follow, or of none.
    """
    found = {}
    for name in names if numbers else ():
        of, declared = resource.checked(name)
        column = "pk" if of is resource else of.by_name[of.parent].column
        rows = _legible(actor, of, declared).filter(**{f"{column}__in": numbers})
        found[name] = set(rows.values_list(column, flat=True))
    return found


def _legible(actor: Actor, resource: ResourceType, declared: Field) -> Any:
    condition = guard.readable(actor, resource, declared)
    rows = guard.scope(actor, resource.permission("view"))
    return rows.none() if condition is None else rows.filter(condition)


def visible_twin(
    actor: Actor,
    resource: ResourceType,
    declared: Field,
    value: Any,
    partition_id: int,
    record_id: int | None,
) -> Any:
    """Return a record of the partition that has the value, where the actor may view it and reads that; else None."""
    rows = _legible(actor, resource, declared).filter(
        Q(**{declared.column: value}), partition_id=partition_id
    )
    return rows.exclude(pk=record_id).order_by("pk").first()


def note(
    actor: Actor,
    resource: ResourceType,
    fields: Sequence[str],
    value: str,
    found: int,
    hits: Sequence[int],
    *,
    refused: bool = False,
) -> None:
    """Record a check: what was asked for as ciphertext, under the key of who asked."""
    record(
        actor,
        f"{resource.name}.duplicate_checked",
        data={"fields": list(fields), "found": found, "hits": list(hits), "refused": refused},
        personal={"value": value},
    )


def fields_in_words(resource: ResourceType, names: Iterable[str]) -> str:
    """Return by what something was found, in words."""
    said = []
    for name in names:
        of, declared = resource.checked(name)
        words = {"thing": of.label, "field": declared.label}
        said.append(str(declared.label) if of is resource else _("%(field)s (%(thing)s)") % words)
    return _(", ").join(said)


def facts_in_words(resource: ResourceType, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is told of a record, as (label, text) in the order of the type's fields."""
    return [
        (str(declared.label), _in_words(declared, told[declared.name]))
        for declared in resource.fields
        if declared.name in told
    ]


def _in_words(declared: Field, value: Any) -> str:
    if value in (None, ""):
        return "—"
    match declared.kind:
        case Kind.USER:
            return User.objects.filter(pk=value).values_list("name", flat=True).first() or "—"
        case Kind.DEPARTMENT:
            return Department.objects.filter(pk=value).values_list("name", flat=True).first() or "—"
        case Kind.PARTITION:
            return Partition.objects.filter(pk=value).values_list("name", flat=True).first() or "—"
        case Kind.TIMESTAMP:
            at = parse_datetime(str(value))
            return date_format(localtime(at), "DATE_FORMAT") if at else "—"
        case _:
            return str(declared.choice_label(str(value)))


def _mapping(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found
