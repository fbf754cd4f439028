"""Deeds on pools: authorize → change → record, in one transaction; reach is true again when they return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, reach, registry
from hufu.access.actions import Principal, next_number
from hufu.access.field_rules import can_be_ruled, must_be_readable
from hufu.access.models import PRINCIPALS, Partition
from hufu.access.pool_models import Pool, PoolHidden, PoolMember
from hufu.access.registry import Field, ResourceType
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid


@dataclass(frozen=True)
class PoolSays:
    """What a pool says: `partition` by its key, `hides` as TYPE.FIELD. Type and partition never change."""

    key: str
    name: str
    type: str
    partition: str
    members: tuple[Principal, ...] = ()
    hides: tuple[str, ...] = ()

    def words(self) -> dict[str, Any]:
        """Return what is compared, and told in the log: members as one text each, in order."""
        return {
            "name": self.name,
            "type": self.type,
            "partition": self.partition,
            "members": sorted(map(str, self.members)),
            "hides": sorted(self.hides),
        }

    def narrows(self, before: PoolSays) -> bool:
        """Say whether it differs from what stands by taking away alone: members that go, fields that are hidden."""
        was, now = before.words(), self.words()
        return (
            was["name"] == now["name"]
            and set(now["members"]) <= set(was["members"])
            and set(now["hides"]) >= set(was["hides"])
        )


def standing(row: Pool) -> PoolSays:
    """Return what a pool that stands says."""
    return PoolSays(
        row.key,
        row.name,
        row.type,
        row.partition.key,
        tuple(_principal(member) for member in _members(row)),
        tuple(f"{hidden.type}.{hidden.field}" for hidden in row.hidden.order_by("id")),
    )


def pooled_types() -> dict[str, ResourceType]:
    """Return the types whose records can lie in a pool, by name."""
    return {resource.name: resource for resource in registry.resource_types() if resource.pooled}


def hideable(resource: ResourceType) -> dict[str, Field]:
    """Return the fields that a pool of the type can hide, as TYPE.FIELD: its own, and those of types that follow it.

    What a record is called, what it belongs to, and what deeds alone set is read by whoever views it.
    """
    return {
        f"{each.name}.{declared.name}": declared
        for each in registry.resource_types()
        if each.independent is resource
        for declared in each.fields
        if can_be_ruled(declared) and not must_be_readable(each, declared)
    }


def problems_of(says: PoolSays) -> Iterator[tuple[str, str]]:
    """Yield (setting, what is wrong with it)."""
    types = pooled_types()
    if says.type not in types:
        yield "type", _("Records of this type lie in no pool. There are: %s.") % ", ".join(sorted(types))
        return
    known = hideable(types[says.type])
    for name in says.hides:
        if name not in known:
            yield "hides", _("“%s” is no field that a pool of this type can hide.") % name


def set_pool(actor: Actor, says: PoolSays) -> Pool:
    """Add a pool, or bring the one with this key to exactly this.

    Raise Invalid for one that cannot be, or another type or partition; Denied where somebody would make themselves a
    member, or show what is hidden in a pool of theirs.
    """
    publishing.authorize(actor)
    problems: dict[str, list[str]] = {}
    for name, problem in problems_of(says):
        problems.setdefault(name, []).append(problem)
    partition = Partition.objects.filter(key=says.partition).first()
    row = Pool.objects.select_related("partition").filter(key=says.key).first()
    before = standing(row) if row is not None else None
    if partition is None:
        problems["partition"] = [_("There is no partition “%s”.") % says.partition]
    elif before is not None and (before.type, before.partition) != (says.type, says.partition):
        problems["partition"] = [_("A pool keeps its type and its partition. Make another one.")]
    if problems:
        raise Invalid(problems)
    if before is not None and before.words() == says.words() and row is not None:
        return row
    _refuse_own(actor, before, says)
    if row is None:
        row = Pool(id=next_number(Pool), key=says.key, name=says.name, type=says.type, partition=partition)
        row.save(force_insert=True)
        record(actor, "pool.created", data={"key": says.key, **says.words()})
    else:
        assert before is not None
        if row.name != says.name:
            row.name = says.name
            row.save(update_fields=["name"])
        record(actor, "pool.changed", data={"key": says.key, "before": before.words(), "after": says.words()})
    _bring_members(row, says)
    _bring_hidden(row, says)
    reach.changed()
    return row


def _bring_members(row: Pool, says: PoolSays) -> None:
    """Take out and put in only what differs: where nothing but taking away is allowed, no row is written anew."""
    wanted = {str(principal): principal for principal in says.members}
    kept = set()
    for member in _members(row):
        if str(_principal(member)) in wanted:
            kept.add(str(_principal(member)))
        else:
            member.delete()
    PoolMember.objects.bulk_create(
        PoolMember(pool=row, **principal.columns()) for text, principal in wanted.items() if text not in kept
    )


def _bring_hidden(row: Pool, says: PoolSays) -> None:
    standing = {f"{hidden.type}.{hidden.field}": hidden for hidden in row.hidden.all()}
    for name, hidden in standing.items():
        if name not in says.hides:
            hidden.delete()
    for name in says.hides:
        if name not in standing:
            type_name, _dot, field = name.partition(".")
            PoolHidden.objects.create(pool=row, type=type_name, field=field)


def end_pool(actor: Actor, row: Pool) -> None:
    """Take a pool away; raise Invalid while anything lies in it, in the bin included."""
    publishing.authorize(actor)
    said = standing(row)
    _refuse_own(actor, said, None)
    try:
        with transaction.atomic():
            row.members.all().delete()
            row.hidden.all().delete()
            row.delete()
    except IntegrityError:
        raise Invalid(
            {
                "": [
                    _(
                        "Something lies in the pool “%s”, or in the bin from there: claim or transfer it first."
                    )
                    % row.name
                ]
            }
        ) from None
    record(actor, "pool.ended", data={"key": said.key, "before": said.words()})
    reach.changed()


def _refuse_own(actor: Actor, before: PoolSays | None, after: PoolSays | None) -> None:
    """Raise Denied where somebody becomes a member by their own deed, or shows what is hidden in a pool of theirs."""
    if publishing.is_on():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.my_principals()")
        mine = {row[0] for row in cursor.fetchall()}
    joins = set(map(str, after.members if after else ())) - set(map(str, before.members if before else ()))
    shows = set(before.hides if before else ()) - set(after.hides if after else ())
    if joins & mine or (shows and before is not None and mine & set(map(str, before.members))):
        raise guard.denied(actor, "role.manage")


def _members(row: Pool) -> Iterator[PoolMember]:
    yield from row.members.select_related(*PRINCIPALS, "level__ladder").order_by("id")


def _principal(member: PoolMember) -> Principal:
    return Principal(**{name: getattr(member, name) for name in (*PRINCIPALS, "below", "post")})
