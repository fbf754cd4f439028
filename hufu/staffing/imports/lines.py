"""What people and departments have in common: each may stand below another one, and rows come in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from django.utils.translation import gettext as _

from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.imports import Draft, ImportRefused, Names, Plan, Report, Unfit

T = TypeVar("T")


def either(rows: Iterable[tuple[int, str, str]]) -> tuple[Names, Names]:
    """Return names by code and by name, of rows of number, code and name."""
    rows = list(rows)
    return Names((code, number) for number, code, _name in rows), Names(
        (name, number) for number, _code, name in rows
    )


def find(names: tuple[Names, Names], text: str) -> int:
    """Return the number of what has this code, or else this name; raise Unfit."""
    code, name = names
    return (code if text in code else name).find(text)


def circle(number: int, above: Mapping[int, int | None], sound: set[int]) -> list[int]:
    """Return the circle in which `number` stands, from it to itself, or nothing; `sound` learns who is in none."""
    path: list[int] = []
    passed: set[int] = set()
    at: int | None = number
    while at is not None and at not in sound and at not in passed:
        path.append(at)
        passed.add(at)
        at = above.get(at)
    if at is not None and at in passed:
        return [*path, number] if at == number else []
    sound.update(path)
    return []


def unfit_above(unfit: Unfit, text: str, refused: Mapping[str, int]) -> str:
    """Return why something cannot stand below what `text` names: it was refused itself, or is not there."""
    if text in refused:
        return _("Row %(row)s, which is about “%(name)s”, was refused itself.") % {
            "row": refused[text],
            "name": text,
        }
    return str(unfit)


def finish(actor: Actor, plan: Plan, event: str) -> Report:
    """Record what was done and return the report; raise ImportRefused where nothing may stay."""
    report = plan.report
    data = report.event_data()
    if not report.stored:
        raise ImportRefused(
            report,
            _("Nothing was imported: %s rows were refused.") % report.refused_rows,
            event={"type": event, "data": data, "result": "refused", "reason": "rows_refused"},
        )
    record(actor, event, data=data)
    return report


def refused_among(plan: Plan, drafts: Iterable[Draft], by: str) -> dict[str, int]:
    """Return the rows of the drafts that were refused, by what the file calls what they are about."""
    numbers = plan.report.refused_numbers
    return {text: draft.row for draft in drafts if draft.row in numbers and (text := draft.texts.get(by, ""))}
