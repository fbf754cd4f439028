"""What a record looks like: values in words, filtered by what this person may see of each field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from hufu.access import guard, registry
from hufu.access.fields import FieldAccess, masked
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core import money
from hufu.core.actor import Actor
from hufu.crm import queries

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

    @property
    def is_number(self) -> bool:
        return self.field.kind is Kind.MONEY

    @property
    def is_blank(self) -> bool:
        return not self.text and self.shape == "text"


@dataclass(frozen=True)
class Row:
    """One record of a list."""

    id: int
    url: str
    cells: list[Cell]


class Presenter:
    """Turns records of one type into cells for one person."""

    def __init__(
        self, actor: Actor, resource: ResourceType, records: Sequence[Any], *, short: bool = False
    ) -> None:
        self.short = short
        self.actor = actor
        self.resource = resource
        self.records = records
        self.titles = {
            declared.name: self._titles(declared)
            for declared in resource.fields
            if declared.kind is Kind.REFERENCE
        }

    def rows(self, fields: Iterable[Field]) -> list[Row]:
        """Return the rows of a list with these columns."""
        columns = list(fields)
        return [
            Row(record.pk, record_url(self.resource, record.pk), self.cells(record, columns))
            for record in self.records
        ]

    def cells(self, record: Any, fields: Iterable[Field]) -> list[Cell]:
        """Return the cells of one record; a hidden field has none, a masked one its mask."""
        access = guard.fields(self.actor, self.resource, record)
        return [self._cell(record, declared, access[declared.name]) for declared in fields]

    def _titles(self, declared: Field) -> dict[int, str]:
        ids = {getattr(record, declared.column) for record in self.records} - {None}
        assert declared.reference is not None
        other = registry.resource_type(declared.reference)
        if not ids or not guard.may(self.actor, other.permission("view")):
            return {}
        return queries.visible_titles(self.actor, other, sorted(ids))

    def _cell(self, record: Any, declared: Field, access: FieldAccess) -> Cell:
        if access is FieldAccess.HIDDEN:
            return Cell(declared, shape="hidden")
        value = getattr(record, declared.column)
        if value in (None, ""):
            return Cell(declared)
        if access is FieldAccess.MASKED:
            return Cell(declared, masked(declared, value), "masked")
        if declared.name == self.resource.title:
            return Cell(declared, str(value), "title", record_url(self.resource, record.pk))
        return self._open(record, declared, value)

    def _open(self, record: Any, declared: Field, value: Any) -> Cell:
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
                return Cell(declared, getattr(record, declared.name).name, "person", number=value)
            case Kind.DEPARTMENT | Kind.PARTITION:
                return Cell(declared, getattr(record, declared.name).name)
            case Kind.MONEY:
                currency = getattr(record, declared.currency) if declared.currency else ""
                return Cell(declared, money.display(value, currency))
            case Kind.DATE:
                return Cell(declared, date_format(value, "Y-m-d"))
            case Kind.TIMESTAMP:
                return Cell(declared, moment(value, short=self.short))
            case Kind.PHONE:
                return Cell(
                    declared,
                    str(value),
                    "link",
                    f"tel:{''.join(c for c in str(value) if c in '+0123456789')}",
                )
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


def record_url(resource: ResourceType, record_id: int) -> str:
    """Return the address of a record's page."""
    return reverse(f"{resource.name}_record", args=[record_id])
