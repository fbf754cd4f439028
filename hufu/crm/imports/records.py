"""Customers and opportunities from drafts: resolved set by set, created or edited through the deeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from hufu.access import guard, quotas
from hufu.access.fields import FieldAccess
from hufu.access.registry import Field, Kind, ResourceType, resource_type
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.imports import Draft, ImportRefused, Plan, Report, Shape, Unfit
from hufu.crm import values
from hufu.crm.actions import NewRecord, create_many
from hufu.crm.actions.common import changed
from hufu.crm.imports.apart import apart
from hufu.crm.imports.edits import edit_many, lock_editable
from hufu.crm.imports.places import (
    DEPARTMENT_OF_OWNER,
    OWNER_BY,
    PARTITION_OF_OWNER,
    Places,
    cannot_decide,
)

BATCH = 2000
FACTS = ("owner", "partition", "department", "external_id")
REFERENCE_BY = ("external_id", "name")

Advance = Callable[[], None]


def shape(resource: ResourceType) -> Shape:
    """Return what a map may say for records of this type."""
    editable = resource.editable_fields()
    references = {declared.name: REFERENCE_BY for declared in editable if declared.kind is Kind.REFERENCE}
    return Shape(
        type=str(resource.name) + "s" if not resource.name.endswith("y") else f"{resource.name[:-1]}ies",
        fields=(*(declared.name for declared in editable), *FACTS),
        required=(*(declared.name for declared in editable if declared.required), "owner", "partition"),
        identities=("external_id", *(declared.name for declared in editable if _can_identify(declared))),
        by={"owner": OWNER_BY, **references},
        rules={"partition": (PARTITION_OF_OWNER,), "department": (DEPARTMENT_OF_OWNER,)},
    )


def import_records(
    actor: Actor, resource: ResourceType, plan: Plan, *, advance: Advance = lambda: None
) -> Report:
    """Create what is new, edit what differs, and return the report; raise ImportRefused where any row is refused.

    Where the plan skips errors, rows that are refused leave nothing, and the others are stored.

    Runs inside `acting(actor)`, whose transaction the refusal rolls back. Owner, department and partition of a
    record that stands already are not changed: that is a transfer. `advance` is called after each batch.
    """
    guard.authorize(actor, resource.permission("import"))
    importing = _Import(actor, resource, plan)
    for batch in _batches(plan.drafts()):
        quotas.consume(actor, resource.permission("import"), len(batch))
        importing.take(batch)
        advance()
    report = plan.report
    event, data = f"{resource.name}.imported", report.event_data()
    if not report.stored:
        raise ImportRefused(
            report,
            _("Nothing was imported: %s rows were refused.") % report.refused_rows,
            event={"type": event, "data": data, "result": "refused", "reason": "rows_refused"},
        )
    record(actor, event, data=data)
    return report


def _batches(drafts: Iterator[Draft]) -> Iterator[list[Draft]]:
    """Yield the drafts in batches; those of one row stay together."""
    batch: list[Draft] = []
    for draft in drafts:
        if len(batch) >= BATCH and draft.row != batch[-1].row:
            yield batch
            batch = []
        batch.append(draft)
    if batch:
        yield batch


def _can_identify(declared: Field) -> bool:
    return declared.kind in (Kind.TEXT, Kind.CODE) and declared.search is not None


@dataclass(slots=True)
class _Item:
    """A draft on its way to a record. `fits` is False as soon as something refuses it."""

    draft: Draft
    fits: bool = True
    owner: int = 0
    partition: int = 0
    department: int | None = None
    external_id: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> int:
        """A digest of what the row says of the record."""
        facts = (self.owner, self.department, self.external_id)
        return hash((facts, tuple(sorted(self.values.items(), key=lambda pair: pair[0]))))

    @property
    def identity(self) -> tuple[int, str]:
        name = self.draft.record.identity
        return self.partition, (self.external_id or "") if name == "external_id" else str(
            self.values.get(name)
        )


class _Import:
    """One run of an import."""

    def __init__(self, actor: Actor, resource: ResourceType, plan: Plan) -> None:
        self.actor = actor
        self.resource = resource
        self.plan = plan
        self.report = plan.report
        self.places = Places(actor, resource)
        # By identity: the first row that is for the record, and a digest of what it says.
        self.seen: dict[tuple[str, int, str], tuple[int, int]] = {}
        self._fresh: list[tuple[str, int, str]] = []
        self._refused_before = 0
        # By exclusive value: the first row that has it, a digest of what it says, and its partition.
        self._codes: dict[tuple[str, str], tuple[int, int, int]] = {}
        self._parsed: dict[tuple[str, str], Any] = {}
        named = {name for each in plan.map.records for name in each.fields} - set(FACTS)
        access = guard.fields(actor, resource, None)
        closed = [name for name in named if access[name] not in (FieldAccess.EDITABLE, FieldAccess.MASKED)]
        # What finds records that stand must be readable: who finds one by a value has read it.
        closed += [
            each.identity
            for each in plan.map.records
            if guard.readable(actor, resource, resource.by_name[each.identity]) is None
        ]
        if closed:
            raise guard.denied(actor, resource.permission("create"))

    def take(self, drafts: Sequence[Draft]) -> None:
        """Bring in one batch. Once something was refused nothing is written any more, only checked.

        Where errors are skipped, the batch is undone instead and brought in without the rows that were refused.
        """
        if not self.report.skip_errors:
            self._take(drafts)
            return
        while drafts := [draft for draft in drafts if draft.row not in self.report.refused_numbers]:
            mark = self.report.mark()
            self._refused_before = mark.refusals
            self._fresh.clear()
            with transaction.atomic():
                self._take(drafts)
                if not self._is_refusing:
                    return
                transaction.set_rollback(True)
            self.report.rewind(mark)
            for identity in self._fresh:
                del self.seen[identity]

    @property
    def _is_refusing(self) -> bool:
        """Whether something was refused, so that nothing is to be written."""
        return len(self.report.refused) > self._refused_before

    def _take(self, drafts: Sequence[Draft]) -> None:
        items = [self._convert(draft) for draft in drafts]
        self.places.learn(item.owner for item in items if item.owner)
        for item in items:
            if item.owner:
                self._place(item)
        for declared in self.resource.editable_fields():
            if declared.kind is Kind.REFERENCE:
                self._refer(declared, [item for item in items if item.fits])
        for item in items:
            self._look_for_double(item)
        fresh = [item for item in items if item.fits and self._is_first(item)]
        standing = self._standing(fresh)
        new: list[_Item] = []
        edits: list[tuple[_Item, Any, dict[str, Any]]] = []
        for item in fresh:
            found = standing.get((item.draft.record.identity, *item.identity), [])
            if len(found) > 1:
                self._refuse(
                    item,
                    item.draft.record.identity,
                    _("Several records are called so: numbers %s. Use an external number.")
                    % ", ".join(str(row.pk) for row in found),
                )
            elif found:
                closed = self._closed(item, found[0])
                differing = {} if closed else self._differing(item, found[0])
                if closed:
                    self._refuse(
                        item, closed, _("You may not change this field of the record that stands already.")
                    )
                elif differing:
                    edits.append((item, found[0], differing))
                else:
                    self.report.unchanged += 1
            elif why := self.places.why_not(item.owner, item.partition):
                self._refuse(item, "owner", why)
            else:
                new.append(item)
        self._create(new)
        self._edit(edits)

    # From texts to values.

    def _convert(self, draft: Draft) -> _Item:
        item = _Item(draft)
        fields = draft.record.fields
        for name, text in draft.texts.items():
            spec = fields[name]
            if not text and spec.rule is None and spec.constant is None:
                self.report.left_empty[name] += 1
            try:
                if name == "owner":
                    if not text:
                        raise Unfit(_("Every record has an owner, and this row names none."))
                    item.owner = self.places.owner(text, spec.by)
                elif name == "partition":
                    item.partition = self.places.partition(text) if text else 0
                elif name == "department":
                    item.department = self.places.department(text) if text else None
                elif name == "external_id":
                    item.external_id = self._parse(name, text) or None
                elif self.resource.by_name[name].kind is not Kind.REFERENCE:
                    item.values[name] = self._parse(name, text)
                    if remark := values.remark(self.resource.by_name[name], text, item.values[name]):
                        self.plan.notice(draft, name, remark)
            except Unfit as unfit:
                self._unfit(item, name, str(unfit))
        for name in (draft.record.identity, *(each.name for each in self.resource.fields if each.required)):
            value = item.external_id if name == "external_id" else item.values.get(name)
            if value in (None, "") and not draft.texts.get(name):
                self._refuse(item, name, _("“%s” must not be empty.") % self.resource.by_name[name].label)
        return item

    def _parse(self, name: str, text: str) -> Any:
        declared = self.resource.by_name[name]
        if declared.kind not in (Kind.CHOICE, Kind.DATE):
            return self._parse_anew(declared, text)
        # Few values, many rows.
        if (name, text) not in self._parsed:
            self._parsed[(name, text)] = self._parse_anew(declared, text)
        return self._parsed[(name, text)]

    def _parse_anew(self, declared: Field, text: str) -> Any:
        try:
            return values.parse(declared, text)
        except Invalid as invalid:
            raise Unfit(" ".join(str(message) for message in invalid.problems[""])) from None

    def _unfit(self, item: _Item, name: str, reason: str) -> None:
        """Refuse the row for a value that does not fit, or leave the value out where the map lets it."""
        spec = item.draft.record.fields[name]
        declared = self.resource.by_name[name]
        if name in ("owner", "partition") or declared.required or name == item.draft.record.identity:
            self._refuse(item, name, reason)
            return
        self.plan.unfit(item.draft, name, reason)
        if spec.unknown == "refuse":
            item.fits = False
        elif name not in FACTS:
            item.values[name] = None if declared.kind in _WITHOUT else ""

    def _refuse(self, item: _Item, name: str, reason: str) -> None:
        self.plan.refuse(item.draft, name, reason)
        item.fits = False

    def _place(self, item: _Item) -> None:
        spec = item.draft.record.fields["partition"]
        if spec.rule == PARTITION_OF_OWNER:
            item.partition = self.places.partition_of(item.owner) or item.partition
        if item.partition == 0 and item.fits:
            reason = (
                str(cannot_decide(item.draft.texts["owner"]))
                if spec.rule
                else _("Every record lives in a partition, and this row names none.")
            )
            self._refuse(item, "partition", reason)

    def _refer(self, declared: Field, items: Iterable[_Item]) -> None:
        """Set a reference of all items by external number or name, within the record's partition."""
        groups: dict[str, list[_Item]] = defaultdict(list)
        for item in items:
            text = item.draft.texts.get(declared.name)
            if text is None:
                continue
            item.values[declared.name] = None
            if text:
                groups[item.draft.record.fields[declared.name].by].append(item)
        assert declared.reference is not None
        target = resource_type(declared.reference)
        for by, named in groups.items():
            texts = {item.draft.texts[declared.name] for item in named}
            rows = guard.scope(self.actor, target.permission("view")).filter(
                **{f"{by}__in": texts}, partition_id__in={item.partition for item in named}
            )
            found: dict[tuple[int, str], list[int]] = defaultdict(list)
            for partition, text, number in rows.values_list("partition_id", by, "pk"):
                found[(partition, text)].append(number)
            for item in named:
                text = item.draft.texts[declared.name]
                numbers = found.get((item.partition, text), [])
                if len(numbers) == 1:
                    item.values[declared.name] = numbers[0]
                    continue
                what = {"label": declared.label, "text": text, "count": len(numbers)}
                self._unfit(
                    item,
                    declared.name,
                    _("%(count)s of “%(label)s” are called “%(text)s” in the record's partition.") % what
                    if numbers
                    else _("There is no “%(label)s” called “%(text)s” in the record's partition.") % what,
                )

    # What stands already.

    def _is_first(self, item: _Item) -> bool:
        """Say whether the row is the first for its record; a later one says the same, or is refused."""
        identity = (item.draft.record.identity, *item.identity)
        said = item.said
        if identity not in self.seen:
            self.seen[identity] = (item.draft.row, said)
            self._fresh.append(identity)
            return True
        row, before = self.seen[identity]
        if before == said:
            self.report.repeated += 1
        else:
            self._refuse(
                item,
                item.draft.record.identity,
                _("Row %s is for the same record and says something else.") % row,
            )
        return False

    def _look_for_double(self, item: _Item) -> None:
        """Refuse an exclusive value that another row has for the same partition, unless it only repeats that one.

        For another partition it is another record, and only worth a note.
        """
        for declared in self.resource.exclusive_fields():
            value = item.values.get(declared.name)
            if not value or not item.fits:
                continue
            row, said, partition = self._codes.setdefault(
                (declared.name, str(value)), (item.draft.row, item.said, item.partition)
            )
            if row == item.draft.row or said == item.said or declared.name == item.draft.record.identity:
                continue
            words = {"row": row, "field": declared.label}
            if partition == item.partition:
                self._refuse(item, declared.name, _("Row %(row)s has the same “%(field)s”.") % words)
            else:
                self.plan.notice(
                    item.draft, declared.name, _("Row %(row)s has the same “%(field)s”.") % words
                )

    def _standing(self, items: Sequence[_Item]) -> dict[tuple[str, int, str], list[Any]]:
        """Return the records that stand already, by what they are known by."""
        found: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
        for name in {item.draft.record.identity for item in items}:
            texts = {item.identity[1] for item in items if item.draft.record.identity == name}
            readable = guard.readable(self.actor, self.resource, self.resource.by_name[name])
            if readable is None:
                continue
            rows = guard.scope(self.actor, self.resource.permission("view")).filter(
                readable, **{f"{name}__in": texts}, partition_id__in={item.partition for item in items}
            )
            for row in rows:
                found[(name, row.partition_id, getattr(row, name))].append(row)
        return found

    def _closed(self, item: _Item, row: Any) -> str:
        """Return a field that the row names and that may not be changed on the record, or nothing.

        One that is readable may stand there as it is; of a hidden one nothing is told by comparing.
        """
        access = guard.fields_to_write(self.actor, self.resource, row)
        for name, value in item.values.items():
            if access[name] is FieldAccess.HIDDEN or (
                access[name] is FieldAccess.READ_ONLY
                and getattr(row, self.resource.by_name[name].column) != value
            ):
                return name
        return ""

    def _differing(self, item: _Item, row: Any) -> dict[str, Any]:
        """Return the values that differ from those of a standing record, and note the facts that stay."""
        if item.owner != row.owner_id:
            self.report.kept["owner"] += 1
        if item.department is not None and item.department != row.department_id:
            self.report.kept["department"] += 1
        if item.external_id is not None and item.external_id != row.external_id:
            self.report.kept["external_id"] += 1
        return changed(self.actor, self.resource, row, item.values)

    # Writing.

    def _create(self, items: Sequence[_Item]) -> None:
        self.report.created += len(items)
        if not items or self._is_refusing:
            return
        taken = list(apart(items, self._write_new))
        for item, error in taken:
            if isinstance(error, Invalid):
                self._refuse_taken(item, error)
                continue
            self._refuse(
                item,
                "external_id",
                _(
                    "This external number belongs to a record that you may not see, or that lies in the bin. Bring"
                    " that one back, or give this one another number."
                ),
            )
        self.report.created -= len(taken)

    def _write_new(self, items: Sequence[_Item]) -> None:
        create_many(
            self.actor,
            self.resource,
            [
                NewRecord(item.partition, item.owner, item.values, item.department, item.external_id)
                for item in items
            ],
        )

    def _refuse_taken(self, item: _Item, invalid: Invalid) -> None:
        """Refuse a row whose exclusive value another record has, as the deed says it."""
        for name, messages in invalid.problems.items():
            self._refuse(item, name, " ".join(str(message) for message in messages))

    def _edit(self, edits: Sequence[tuple[_Item, Any, dict[str, Any]]]) -> None:
        self.report.updated += len(edits)
        if not edits:
            return
        locked = lock_editable(self.actor, self.resource, [row.pk for _item, row, _values in edits])
        for item, row, _values in edits:
            if row.pk not in locked:
                self._refuse(item, item.draft.record.identity, _("You may not edit this record."))
                self.report.updated -= 1
            elif locked[row.pk].lock_version != row.lock_version:
                self._refuse(
                    item,
                    item.draft.record.identity,
                    _("Somebody else changed this record meanwhile. Import again."),
                )
                self.report.updated -= 1
        if self._is_refusing:
            return

        def write(some: Sequence[tuple[_Item, Any, dict[str, Any]]]) -> None:
            edit_many(
                self.actor,
                self.resource,
                {row.pk: (locked[row.pk], differing) for _item, row, differing in some},
            )

        for (item, _row, _values), error in apart(edits, write):
            if not isinstance(error, Invalid):
                raise error
            self._refuse_taken(item, error)
            self.report.updated -= 1


_WITHOUT = {Kind.INTEGER, Kind.MONEY, Kind.DATE, Kind.REFERENCE}
