"""What a record looks like: values in words, filtered by what this person may see of each field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hufu.access import guard, registry
from hufu.access.fields import FieldAccess, masked
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core import money
from hufu.core.actor import Actor
from hufu.crm import queries, reveals
from hufu.crm.next_steps import NextStep, next_steps
from hufu.web.records.columns import NEXT_STEP

TONES: Mapping[str, Mapping[str, str]] = {
    "stage": {
        "new": "amber",
        "following": "blue",
        "won": "green",
        "lost": "red",
        "prospecting": "grey",
        "engaging": "teal",
        "proposal": "blue",
        "negotiation": "purple",
    },
    "customer_level": {"A": "purple", "B": "blue", "C": "grey", "D": "grey"},
}
DOTTED = {"stage"}


@dataclass(frozen=True)
class Cell:
    """One value of one record, ready to be shown. `shape` chooses its markup."""

    field: Field
    text: str = ""
    shape: str = "text"
    url: str = ""
    tone: str = ""
    number: int = 0
    note: str = ""

    @property
    def is_number(self) -> bool:
        return self.field.kind is Kind.MONEY

    @property
    def is_blank(self) -> bool:
        return not self.text and self.shape == "text"


@dataclass(frozen=True)
class Row:
    """One record of a list. With `deeds` it can be looked at beside the list, called, edited."""

    id: int
    url: str
    cells: list[Cell]
    deeds: RowDeeds | None = None


@dataclass(frozen=True)
class RowDeeds:
    """What a row leads to. `call` is empty where there is no number that this person may read."""

    type: str
    title: str
    drawer: str
    call: str = ""
    edit: str = ""


class Presenter:
    """Turns records of one type into cells for one person."""

    def __init__(
        self, actor: Actor, resource: ResourceType, records: Sequence[Any], *, short: bool = False
    ) -> None:
        self.short = short
        self.actor = actor
        self.resource = resource
        self.records = records
        self.next_steps: Mapping[int, NextStep] = {}
        self.titles = {
            declared.name: self._titles(declared)
            for declared in resource.fields
            if declared.kind is Kind.REFERENCE
        }

    def rows(self, fields: Iterable[Field], *, deeds: bool = False) -> list[Row]:
        """Return the rows of a list with these columns."""
        columns = list(fields)
        if NEXT_STEP in columns:
            self.next_steps = next_steps(self.actor, self.resource, self.records)
        return [
            Row(
                record.pk,
                record_url(self.resource, record.pk),
                self.cells(record, columns),
                self._deeds(record) if deeds else None,
            )
            for record in self.records
        ]

    def cells(self, record: Any, fields: Iterable[Field]) -> list[Cell]:
        """Return the cells of one record; a hidden field has none, a masked one its mask."""
        access = guard.fields(self.actor, self.resource, record)
        readable = {name for name, each in access.items() if each.is_readable}
        return [
            self._next_step(record)
            if declared is NEXT_STEP
            else self._cell(record, declared, access[declared.name], readable)
            for declared in fields
        ]

    def _deeds(self, record: Any) -> RowDeeds:
        name = self.resource.name
        phones = [declared for declared in self.resource.fields if declared.kind is Kind.PHONE]
        calls = [cell.url for cell in self.cells(record, phones) if cell.shape == "link"]
        may_edit = guard.may(self.actor, self.resource.permission("edit"), record)
        return RowDeeds(
            name,
            str(getattr(record, self.resource.title)),
            reverse(f"{name}_drawer", args=[record.pk]),
            call=next(iter(calls), ""),
            edit=reverse(f"{name}_edit", args=[record.pk]) if may_edit else "",
        )

    def _next_step(self, record: Any) -> Cell:
        step = self.next_steps.get(record.pk)
        if step is None:
            return Cell(NEXT_STEP)
        day = date_format(step.on, "m-d" if step.on.year == localtime().year else "Y-m-d")
        return Cell(NEXT_STEP, day, "step", tone="red" if step.is_overdue else "", note=step.what)

    def _titles(self, declared: Field) -> dict[int, str]:
        ids = {getattr(record, declared.column) for record in self.records} - {None}
        assert declared.reference is not None
        other = registry.resource_type(declared.reference)
        if not ids or not guard.may(self.actor, other.permission("view")):
            return {}
        return queries.visible_titles(self.actor, other, sorted(ids))

    def _cell(self, record: Any, declared: Field, access: FieldAccess, readable: set[str]) -> Cell:
        if access is FieldAccess.HIDDEN:
            return Cell(declared, shape="hidden")
        value = getattr(record, declared.column)
        if value is None and declared.name == "owner" and self.resource.pooled:
            return Cell(declared, _("Pool: %s") % record.pool.name, "tag", tone="teal")
        if value in (None, ""):
            return Cell(declared)
        if access is FieldAccess.MASKED:
            return Cell(declared, masked(declared, value), "masked", self._reveal_url(record, declared))
        if declared.name == self.resource.title:
            return Cell(declared, str(value), "title", record_url(self.resource, record.pk))
        return self._open(record, declared, value, readable)

    def _reveal_url(self, record: Any, declared: Field) -> str:
        """Return where this person is shown the value, with a reason; rows of lists have no such button."""
        if self.short or not reveals.may_reveal(self.actor, self.resource, record):
            return ""
        return f"{reverse(f'{self.resource.name}_reveal', args=[record.pk])}?field={declared.name}"

    def _open(self, record: Any, declared: Field, value: Any, readable: set[str]) -> Cell:
        match declared.kind:
            case Kind.CHOICE:
                tone = TONES.get(declared.name, {}).get(value, "grey")
                shape = "dot" if declared.name in DOTTED else "tag" if declared.name in TONES else "text"
                return Cell(declared, str(declared.choice_label(value)), shape, tone=tone)
            case Kind.REFERENCE:
                title = self.titles[declared.name].get(value)
                if title is None:
                    return Cell(declared, shape="hidden")
                assert declared.reference is not None
                return Cell(
                    declared, title, "link", record_url(registry.resource_type(declared.reference), value)
                )
            case Kind.USER:
                note = record.department.name if self.short and declared.name == "owner" else ""
                return Cell(declared, getattr(record, declared.name).name, "person", number=value, note=note)
            case Kind.DEPARTMENT | Kind.PARTITION:
                return Cell(declared, getattr(record, declared.name).name)
            case Kind.MONEY:
                currency = getattr(record, declared.currency) if declared.currency in readable else ""
                return Cell(declared, money.display(value, currency))
            case Kind.DATE:
                return Cell(declared, date_format(value, "Y-m-d"))
            case Kind.TIMESTAMP:
                return Cell(declared, moment(value, short=self.short))
            case Kind.PHONE:
                number = "".join(character for character in str(value) if character in "+0123456789")
                return Cell(declared, spoken(str(value)), "link", f"tel:{number}")
            case Kind.EMAIL:
                return Cell(declared, str(value), "link", f"mailto:{value}")
            case Kind.URL:
                address = value if "://" in value else f"https://{value}"
                return Cell(declared, str(value), "outside", address)
            case Kind.LONG_TEXT:
                return Cell(declared, str(value), "prose")
            case _:
                return Cell(declared, str(value))


def moment(at: datetime, *, short: bool) -> str:
    """Return a moment in this company's time; `short` leaves out the year while it is this year."""
    local = localtime(at)
    return date_format(local, "m-d H:i" if short and local.year == localtime().year else "Y-m-d H:i")


def spoken(phone: str) -> str:
    """Return a phone number the way people of this country say theirs; others stay as they are."""
    national = phone.removeprefix("+86").strip()
    if len(national) == 11 and national.isdigit() and national.startswith("1"):
        return f"{national[:3]} {national[3:7]} {national[7:]}"
    return phone


def record_url(resource: ResourceType, record_id: int) -> str:
    """Return the address of a record's page."""
    return reverse(f"{resource.name}_record", args=[record_id])
