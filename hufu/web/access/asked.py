"""What comes in with a question about rights: a day, a person, a permission, a record. It is checked, never trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.explain import as_of_sentence
from hufu.access.models import Change
from hufu.access.registry import Permission
from hufu.core.days import DAYS, end_of
from hufu.people.models import User
from hufu.web.numbers import LARGEST_ID, number
from hufu.web.passage import Passage
from hufu.web.people import directory
from hufu.web.records.pickers import Choice, person_choice

LONGEST = 100
OFFERED = 12


@dataclass(frozen=True)
class Day:
    """The day that a question is about. `moment` is its last one; None: the question is about now."""

    text: str = ""
    moment: datetime | None = None
    problem: str = ""


def day(request: Passage) -> Day:
    """Return the day that the address names. Today means now."""
    text = request.GET.get("on", "").strip()[:LONGEST]
    if not text:
        return Day()
    try:
        asked = date.fromisoformat(text)
        for check in DAYS:
            check(asked)
    except (ValueError, ValidationError):
        return Day(text, problem=_("“%s” is no day. Write it like 2026-03-01.") % text)
    if asked == localdate():
        return Day()
    return Day(asked.isoformat(), end_of(asked) - timedelta(seconds=1))


def past_words(asked: Day, change: Change | None) -> str:
    """Return the sentence of the banner over an answer about another day."""
    if asked.moment is None or change is None:
        return ""
    return as_of_sentence(asked.moment, change.number, change.version)


def permission(request: Passage) -> Permission | None:
    """Return the permission that the address names, if there is one of that name."""
    try:
        return registry.permission(request.GET.get("permission", ""))
    except KeyError:
        return None


def people() -> QuerySet[Any]:
    """Return everybody, as the pickers show them."""
    return User.objects.select_related("main_department").order_by("name_sort", "id")


def person(request: Passage, name: str) -> User | None:
    """Return whom the address names by number."""
    found: User | None = people().filter(pk=number(request.GET.get(name))).first()
    return found


def people_found(text: str, *, chosen: User | None = None) -> list[Choice]:
    """Return who is found by what was typed, whoever is chosen first."""
    first = [person_choice(chosen, chosen=True)] if chosen is not None else []
    if not text.strip():
        return first
    found = directory.narrowed(people(), text)[:OFFERED]
    return first + [person_choice(each) for each in found if chosen is None or each.pk != chosen.pk]


def record_number(request: Passage) -> int:
    """Return the number of the record that the address names; 0 where it names none."""
    return number(request.GET.get("number"), largest=LARGEST_ID)


def permissions_in_words(*, of_records: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return all permissions by what they are about, to choose from; `of_records`: those on existing records alone."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for declared in registry.permissions():
        if of_records and not registry.is_about_records(declared.name):
            continue
        resource = registry.type_of(declared.name)
        label = str(resource.label_plural) if resource else _("Functions of the system")
        groups.setdefault(label, []).append((declared.name, str(declared.label)))
    return list(groups.items())
