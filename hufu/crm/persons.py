"""What people may ask of whoever keeps data about them: a copy of it, and its erasure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, registry
from hufu.access.deeds import HEAD, REFUSED, TOUCHED
from hufu.access.record_history import COVERED_BY, kept_columns
from hufu.access.registry import Field, Kind, ResourceType
from hufu.audit import EventType, declare, record, shown
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict
from hufu.core.text import sound
from hufu.crm import consents, queries, timeline
from hufu.crm.actions.common import call, target
from hufu.people.models import User

ERASED_NAME = "已删除的联系人 / Erased person "
# What stays of a row when the person is erased: where it belongs, and when.
STRUCTURE = frozenset(
    {"id", "partition_id", "created_at", "created_by_id", "updated_at", "updated_by_id", "lock_version"}
    | {"deleted_at", "deleted_by_id"}
)
NAMES = ("name", "name_sort", "name_initials")

declare(
    EventType(
        "contact.disclosed",
        gettext_lazy("Contact: copy of the data given"),
        shown("digest", "fields", "withheld", "consents", "events"),
    ),
    EventType("contact.erased", gettext_lazy("Contact: person erased"), shown("fields", "consents")),
)


@dataclass(frozen=True)
class Copy:
    """A copy of what is held about a person: the data, its bytes as JSON, and the SHA-256 of these."""

    data: dict[str, Any]
    content: bytes
    digest: str


def disclose(actor: Actor, resource: ResourceType, record_id: int, *, reason: str) -> Copy:
    """Return a copy of all that is held about a person and that the actor may read; the rest is named in it.

    It holds the fields, the consents, and who changed what and when as the timeline tells it. What a field rule keeps
    from being exported is withheld.
    """
    current = guard.use(actor, resource.permission("disclose"), record_id)
    access = guard.exported(actor, resource, current)
    withheld = [declared for declared in resource.fields if access[declared.name] not in timeline.READABLE]
    read = [declared for declared in resource.fields if declared not in withheld]
    given = consents.consents(actor, resource, record_id)
    history = list(_history(actor, resource, record_id))
    data = {
        "type": resource.name,
        "number": record_id,
        "made_at": clock.now().isoformat(),
        "fields": {declared.name: _value(actor, declared, current) for declared in read},
        "withheld": [declared.name for declared in withheld],
        "consents": [
            {
                "purpose": each.purpose,
                "basis": each.basis,
                "source": each.source,
                "given_on": str(each.given_on),
                "evidence": each.evidence,
                "withdrawn_at": each.withdrawn_at.isoformat() if each.withdrawn_at else None,
                "withdrawn_reason": each.withdrawn_reason,
            }
            for each in given
        ],
        "history": history,
    }
    content = json.dumps(data, ensure_ascii=False, indent=2).encode()
    digest = hashlib.sha256(content).hexdigest()
    record(
        actor,
        f"{resource.name}.disclosed",
        target=target(resource, current),
        data={
            "digest": digest,
            "fields": [declared.name for declared in read],
            "withheld": [declared.name for declared in withheld],
            "consents": len(given),
            "events": len(history),
        },
        reason=reason,
    )
    return Copy(data, content, digest)


def _value(actor: Actor, declared: Field, current: Any) -> Any:
    value = getattr(current, declared.column)
    if declared.kind is Kind.REFERENCE and declared.reference is not None and value is not None:
        titles = queries.visible_titles(actor, registry.resource_type(declared.reference), [value])
        return titles.get(value)
    return value if isinstance(value, (str, int, type(None))) else str(value)


def _history(actor: Actor, resource: ResourceType, record_id: int) -> Iterator[dict[str, Any]]:
    """Yield who did what to the record and when, newest first: field names, no values of the past."""
    cursor = ""
    while True:
        told = timeline.timeline(actor, resource, record_id, cursor=cursor, limit=200)
        people = dict(
            User.objects.filter(pk__in={each.actor_id for each in told.entries}).values_list("pk", "name")
        )
        for each in told.entries:
            yield {
                "at": each.at.isoformat(),
                "event": f"{each.target.type}.{each.verb}",
                "by": people.get(each.actor_id, ""),
                "fields": [change.field.name for change in each.changes],
            }
        cursor = told.next_cursor
        if not cursor:
            return


@dataclass(frozen=True)
class Consequences:
    """What erasing a person would do: the fields that are emptied, and how many consents go."""

    fields: tuple[Field, ...]
    consents: int


def consequences(actor: Actor, resource: ResourceType, current: Any) -> Consequences:
    """Return what erasing would do to a record that the actor may erase."""
    filled = tuple(
        declared
        for declared in resource.editable_fields()
        if getattr(current, declared.column) not in ("", None)
    )
    return Consequences(filled, len(consents.consents(actor, resource, current.pk)))


def erase(actor: Actor, resource: ResourceType, record_id: int, *, version: int, reason: str) -> None:
    """Erase a person: every value, the consents, and the key of what the log keeps of them. Nothing brings it back.

    The row stays under a number, so that what belongs to the customer still adds up.
    """
    current = guard.use(actor, resource.permission("erase"), record_id)
    going = consequences(actor, resource, current)
    if not call(f"hufu.erase_{resource.table}", record_id, version):
        raise Conflict(
            _("Somebody else changed this record meanwhile. Look at it again before you erase it.")
        )
    record(
        actor,
        f"{resource.name}.erased",
        target=target(resource, current),
        data={"fields": [declared.name for declared in going.fields], "consents": going.consents},
        reason=reason,
    )


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of the erasure of each type that is about people."""
    for resource in registry.resource_types():
        if resource.is_person:
            yield f"crm.erase.{resource.name}", _erase(resource)


def _erase(resource: ResourceType) -> str:
    table, parent = resource.table, resource.by_name[resource.parent].column
    sort, initials = sound(ERASED_NAME)
    emptied = "".join(
        f", {column.column} = {'NULL' if column.null else repr('')}"
        for column in resource.model_class._meta.concrete_fields
        if column.column not in STRUCTURE | {parent, *NAMES}
    )
    past = ", ".join(
        f"{column} = ''" for column in kept_columns(resource) if column not in (*COVERED_BY, parent)
    )
    return f"""
-- A person is erased: every value of the row and of its past, the consents, and the key under which the log keeps
-- values of this person. The log's bytes stay as they are.
CREATE OR REPLACE FUNCTION hufu.erase_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {HEAD} AS $$
BEGIN
    IF NOT hufu.covers_{table}('{resource.permission("erase")}', record) THEN
        {REFUSED};
    END IF;
    UPDATE {table} r SET name = '{ERASED_NAME}' || r.id, name_sort = '{sort}' || r.id, name_initials = '{initials}',
           {TOUCHED}{emptied}
    WHERE r.id = record AND r.lock_version = version;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE {table}_history h SET {past} WHERE h.id = record;
    DELETE FROM crm_consent c WHERE c.contact_id = record;
    UPDATE audit_subject s SET wrapped_key = NULL
    WHERE s.kind = '{resource.name}' AND s.ref = record AND s.wrapped_key IS NOT NULL;
    RETURN true;
END $$;
"""
