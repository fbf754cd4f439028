"""The log says facts in the reader's words: names instead of keys, local time instead of UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from hufu.audit import Target
from hufu.audit.events import all_types
from hufu.audit.queries import LogEntry
from hufu.core.transaction import acting
from hufu.web.log import words
from hufu.web.log.facts import FactWords, field_label
from tests.company import Company

EMPTY: dict[str, Any] = {
    "id": UUID(int=0),
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "label": "x",
    "actor_id": 1,
    "on_behalf_id": None,
    "result": "done",
    "channel": "web",
    "reason": "",
    "changed": [],
    "origin": {},
    "recorded_at": None,
    "request_id": None,
}


def entry(type_name: str, target: Target | None = None, **details: Any) -> LogEntry:
    known = {name: value for name, value in EMPTY.items() if name in LogEntry.__dataclass_fields__}
    return LogEntry(**known, type=type_name, target=target, details=details)


def test_every_fact_that_is_shown_has_a_name() -> None:
    nameless = {
        f"{kind.name}: {fact.name}"
        for kind in all_types()
        for fact in kind.declared
        if fact.shown and fact.name not in words.FACTS and (kind.name, fact.name) not in words.OF_TYPE
    }
    assert nameless == set()


@pytest.mark.parametrize(
    ("type_name", "details", "said"),
    [
        (
            "delegation.given",
            {"ends_at": "2026-11-30T16:00:00.000000Z"},
            "30 November 2026, that day included",
        ),
        ("auth.signed_in", {"method": "demo"}, "One click in the demo"),
        ("auth.sign_in_failed", {"method": "password"}, "Password"),
        ("delegation.given", {"starts_at": "2026-11-30T16:00:00.000000Z"}, "1 December 2026, 00:00"),
        ("access.requested", {"until": "2026-11-30T17:30:00.000000Z"}, "1 December 2026, 01:30"),
        ("role.assigned", {"role": "rep"}, "销售代表"),
        (
            "role.assigned",
            {"principal": "department:{east}.head+"},
            "the heads of department “华东” and those below",
        ),
        ("prohibition.made", {"principal": "user:{lin}"}, "the person 林悦"),
        ("prohibition.made", {"permission": "customer.*"}, "everything about Customers"),
        ("partition.admitted", {"partition": "sh"}, "上海公司"),
        ("partition.admitted", {"rights": ["read", "edit"]}, "read, edit"),
        ("customer.moved", {"to_partition": "{sh}"}, "上海公司"),
        ("pool.created", {"hides": ["customer.phone"]}, "Customer · Phone"),
        ("base_access.changed", {"before": "private"}, "Private"),
        ("base_access.changed", {"type": "customer"}, "Customers"),
        (
            "duplicate_check.configured",
            {"type": "customer", "after": ["owner", "department"]},
            "Owner, Department",
        ),
        ("change.pending", {"field": "level"}, "Level"),
        ("change.pending", {"field": "level", "value": "{rep}"}, "销售代表"),
        ("change.pending", {"asked_by": "{feng}"}, "冯刚"),
        ("change.pending", {"leaves": True}, "yes"),
        ("group.member_joined", {"group": "gone"}, "gone"),
        ("customer.revealed", {"field": "phone"}, "Phone"),
        ("company.set_up", {"mode": "three"}, "Three-administrator mode"),
        ("administration.delegated", {"within": "east"}, "华东"),
        ("user.left", {"posts": ["east.head"]}, "the head of department “华东”"),
        ("policy.submitted", {"risk": "high"}, "High risk"),
        ("access.asked", {"question": "who_can"}, "Who may?"),
    ],
)
def test_a_fact_is_told_in_words(
    company: Company, type_name: str, details: dict[str, Any], said: str
) -> None:
    numbers = {**company.people, **company.departments, **company.levels, "sh": company.partitions["sh"]}

    def filled(value: Any) -> Any:
        if not isinstance(value, str) or "{" not in value:
            return value
        text = value.format(**numbers)
        return int(text) if text.isdecimal() else text

    details = {name: filled(value) for name, value in details.items()}
    target = Target("customer", 1) if type_name.startswith("customer.") else None
    with acting(company.actor("wu")), translation.override("en"):
        shown = FactWords().text(entry(type_name, target, **details), next(reversed(details)))
    assert shown == said


def test_a_changed_fact_of_a_person_has_the_name_that_pages_give_it() -> None:
    changed = entry("user.changed", Target("user", 1))
    with translation.override("en"):
        assert [str(field_label(changed, name)) for name in ("main_department_id", "level_id", "status")] == [
            "Department",
            "Level",
            "Status",
        ]
