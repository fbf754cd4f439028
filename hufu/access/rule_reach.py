"""Half one of sharing rules: the rules that reach the actor, as a filter for lists and a check for points.

A point is checked by the record's own fields, a list by the matches that the database keeps: the two are derived apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Q, Subquery

from hufu.access.decision.conditions import Literal, field_holds
from hufu.access.decision.terms import Share
from hufu.access.models import RuleMatch
from hufu.access.registry import ResourceType
from hufu.access.rule_fields import rule_values
from hufu.core.transaction import current_unit

# Up to so many matches go into a query as numbers, with which the planner can use indices; more are met soon enough on
# the way through the newest records.
FEW = 2_000
_FEW = "access.rules.few"


@dataclass(frozen=True)
class RulePart:
    """One alternative of a rule that reaches the actor: its owners and departments (None: any), and fields."""

    number: int
    opens: Share
    owners: frozenset[int] | None
    departments: frozenset[int] | None
    fields: tuple[Literal, ...]

    def reaches(self, record: Any) -> bool:
        """Say whether the owner and the department of the record are among those of the alternative."""
        return (self.owners is None or record.owner_id in self.owners) and (
            self.departments is None or record.department_id in self.departments
        )

    def meets(self, values: Mapping[str, Any]) -> bool:
        """Say whether values of fields (rule_values) are what the alternative asks for."""
        return all(
            field_holds(atom, values[atom["field"]], values.get(f"{atom['field']}.currency")) is (not negated)
            for negated, atom in self.fields
        )


def opened(parts: Iterable[RulePart], resource: ResourceType, record: Any) -> Share:
    """Return the most that rules open of a record."""
    most = Share.NONE
    for part in parts:
        if part.opens > most and part.reaches(record):
            values = rule_values(resource, record, (atom["field"] for _negated, atom in part.fields))
            if part.meets(values):
                most = part.opens
    return most


def conditions(parts: Iterable[RulePart], share: Share, of: str) -> Iterator[Q]:
    """Yield the condition of each alternative that opens as much; `of` leads from the rows to the decided records."""
    wanted = [part for part in parts if part.opens >= share]
    few = _few_matches(part.number for part in wanted if part.fields)
    for part in wanted:
        condition = Q()
        if part.owners is not None:
            condition &= Q(**{f"{of}owner_id__in": sorted(part.owners)})
        if part.departments is not None:
            condition &= Q(**{f"{of}department_id__in": sorted(part.departments)})
        if part.fields:
            numbers = few[part.number]
            if numbers is not None:
                condition &= Q(**{f"{of}id__in": numbers})
            else:
                # One look into an index for each row that is met. As EXISTS or IN all matches would be read first.
                match = RuleMatch.objects.filter(part=part.number, record_id=OuterRef(f"{of}id"))
                condition &= Q(**{f"{of}id": Subquery(match.values("record_id")[:1])})
        yield condition


def _few_matches(parts: Iterable[int]) -> dict[int, list[int] | None]:
    """Return the matches of each part, None where there are more than FEW; read once per transaction."""
    known: dict[int, list[int] | None] = current_unit().cache.setdefault(_FEW, {})
    missing = [number for number in parts if number not in known]
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT part, ARRAY(SELECT record_id FROM access_rule_match m WHERE m.part = asked.part LIMIT %s)"
                " FROM unnest(%s::int[]) asked (part)",
                [FEW + 1, missing],
            )
            for number, records in cursor.fetchall():
                known[number] = records if len(records) <= FEW else None
    return known


def read_literals(literals: Any) -> tuple[Literal, ...]:
    """Return the literals about fields, from the database's form."""
    listed = json.loads(literals) if isinstance(literals, str) else literals
    return tuple((one["not"], one["atom"]) for one in listed if "field" in one["atom"])
