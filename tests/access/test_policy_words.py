"""What changes is told in the reader's words, and whom it concerns by name: break-glass and pools, too."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.utils import translation

from hufu.access import change_sets
from hufu.access.change_sets.differences import differences
from hufu.access.code_words import CODES
from hufu.access.decision.decide import Code
from hufu.access.models import ChangeSet
from hufu.access.policy_words import PolicyWords, verdict
from hufu.cli import policy_words as in_commands
from hufu.core.transaction import acting
from hufu.web.policy import presenters
from tests.company import Company, company, company_database, publish
from tests.web.conftest import Visit, visit
from tests.web.test_records import text

__all__ = ["company", "company_database", "visit"]

GLASS = {"key": "night", "name": "夜间应急", "role": "rep", "types": ["customer", "contact"], "minutes": 30}
POOL = {
    "key": "sh-pool",
    "name": "上海公海",
    "type": "customer",
    "partition": "sh",
    "members": {"department": "sales", "below": True},
    "hides": ["customer.phone"],
}


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


def rehearsed(company: Company, document: dict[str, Any]) -> change_sets.Rehearsal:
    with acting(company.actor("he")) as unit:
        return change_sets.rehearse(unit.actor, document)


def test_a_break_glass_rule_names_who_could_open_what_by_it(company: Company) -> None:
    found = rehearsed(company, {"format": 1, "break_glass": [GLASS]})
    by_name = {person.name: person for person in found.people}
    assert {"林悦", "唐亮", "张伟", "王芳"} <= set(by_name)
    assert not {"周涛", "冯刚", "何明", "吴洁", "钱多"} & set(by_name)
    with acting(company.actor("he")):
        assert list(in_commands.person_lines(by_name["张伟"])) == [
            "Break-glass “night”: — → Customers, Contacts · every partition of theirs · View · 30 minutes"
        ]
    publish(company, {"format": 1, "break_glass": [GLASS]})
    wider = {**GLASS, "minutes": 45, "access": "edit", "partitions": ["sh"]}
    found = rehearsed(company, {"format": 1, "break_glass": [wider]})
    [zhang] = [person for person in found.people if person.name == "张伟"]
    with acting(company.actor("he")):
        assert list(in_commands.person_lines(zhang)) == [
            "Break-glass “夜间应急”: Customers, Contacts · every partition of theirs · View · 30 minutes → "
            "Customers, Contacts · 上海公司 · View and edit · 45 minutes"
        ]
        assert sorted(in_commands.differences(found.differences)) == sorted(
            [
                "changed  Break-glass: 夜间应急",
                "    Minutes at most: 30 → 45",
                "    Partitions: every partition of theirs → 上海公司",
                "    Opens: View → View and edit",
            ]
        )
    gone = rehearsed(company, {"format": 1, "removes": {"break_glass": ["night"]}})
    assert "张伟" in {person.name for person in gone.people}


def test_what_a_pool_hides_names_those_who_look_into_it(company: Company) -> None:
    publish(company, {"format": 1, "pools": [POOL]})
    changed = {**POOL, "hides": ["customer.phone", "contact.phone"]}
    found = rehearsed(company, {"format": 1, "pools": [changed]})
    names = {person.name: person for person in found.people}
    # Members who view customers, and who views everything in the partition; 孙海 looks only into 深圳.
    assert {"林悦", "张伟", "陈静"} <= set(names)
    assert not {"孙海", "钱多", "冯刚", "吴洁"} & set(names)
    with acting(company.actor("he")):
        assert list(in_commands.person_lines(names["张伟"])) == [
            "Pool “上海公海” hides from them: Contact · Phone"
        ]
        assert list(in_commands.differences(found.differences)) == [
            "changed  Pool: 上海公海",
            "    Hidden until claimed: Customer · Phone → Customer · Phone, Contact · Phone",
        ]


def test_the_page_shows_neither_keys_nor_words_of_the_document(company: Company, visit: Visit) -> None:
    publish(company, {"format": 1, "break_glass": [GLASS], "pools": [POOL]})
    document = {
        "format": 1,
        "break_glass": [{**GLASS, "minutes": 45}],
        "pools": [
            {**POOL, "members": [{"user": "zhang"}, {"level": "sales.rep"}], "hides": ["contact.phone"]}
        ],
    }
    with acting(company.actor("he")) as unit:
        number = change_sets.submit(unit.actor, document, title="x").number
    page = text(visit("he"), f"/policy/{number}/")
    for said in (
        "夜间应急",
        "Minutes at most: 30 → 45",
        "上海公海",
        "Hidden until claimed: Customer · Phone → Contact · Phone",
        "level “销售代表” and those above it",
        "Break-glass “夜间应急”: ",
    ):
        assert said in page
    for raw in ("customer.phone", "sales.rep", "minutes:", "hides:", "sh-pool", "{&quot;"):
        assert raw not in page


@pytest.mark.parametrize(
    ("section", "entry", "said"),
    [
        (
            "roles",
            {"fields": {"contact": {"phone": {"mine": "editable", "others": "masked", "export": False}}}},
            [
                ("Contact · Phone · own records", "Editable"),
                ("Contact · Phone · others' records", "Masked"),
                ("Contact · Phone · Export", "no"),
            ],
        ),
        (
            "roles",
            {"inherits": ["service"], "administrator": "audit"},
            [("Inherits", "客服代表"), ("Administrator", "Audit administrator")],
        ),
        (
            "roles",
            {"grants": {"customer.view": ["own", "team"]}},
            [("View customers", "own, where one is in the team")],
        ),
        (
            "prohibitions",
            {
                "permission": "customer.*",
                "to": {"department": "east", "post": "head"},
                "ends": "2026-12-01T00:00:00+08:00",
            },
            [
                ("Permission", "everything about Customers"),
                ("To", "the head of department “华东”"),
                ("Until", "30 November 2026, that day included"),
            ],
        ),
        (
            "sharing_rules",
            {
                "condition": {
                    "all": [
                        {"owner_department": "sales", "below": True},
                        {"not": {"owner_level": "sales.rep"}},
                        {"field": "stage", "is": ["new", "won"]},
                    ]
                }
            },
            [
                (
                    "Condition",
                    "all of: the owner's department is “销售部” and those below; not: the owner's level is “销售代表”; "
                    "Stage is To be contacted, Won",
                )
            ],
        ),
        (
            "gates",
            {"binds": {"sensitivities": ["personal"], "roles": ["rep"]}},
            [("Binds · Sensitivities", "personal"), ("Binds · Roles", "销售代表")],
        ),
        ("roles", {"description": "x", "inherits": ["gone"]}, [("Description", "x"), ("Inherits", "gone")]),
    ],
)
def test_an_entry_is_told_in_words(
    company: Company, section: str, entry: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    [found] = differences({"roles": []}, {"roles": [{"key": "x", **entry}]})
    with acting(company.actor("he")):
        _name, parts = PolicyWords().difference(replace(found, section=section))
    assert all(before == "—" for _label, before, _after in parts)
    shown = [(label, after) for label, _before, after in parts]
    assert shown == said


def test_a_prohibition_with_an_end_names_it_in_words(company: Company) -> None:
    with acting(company.actor("he")):
        said = PolicyWords().entry("prohibitions", "customer.edit → lin → 2026-12-19T16:00:00+00:00")
    assert said.startswith("Edit customers → 林悦 → ")
    assert "2026-12-19T16:00" not in said
    assert "2026" in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "chen · customer.view · customer:1 · no (out_of_scope)",
            "陈静 · View customers · Customer, number 1 · no (outside of what the roles grant)",
        ),
        ("lin · customer.edit · yes", "林悦 · Edit customers · yes"),
        ("lin · customer.view · at_least 1", "林悦 · View customers · At least 1"),
        ("gone · customer.view · is 3", "gone · View customers · = 3"),
    ],
)
def test_a_test_is_told_in_words(company: Company, line: str, said: str) -> None:
    with acting(company.actor("he")):
        assert PolicyWords().test(line) == said


def test_every_code_has_words_and_what_a_test_found_is_told_in_them() -> None:
    assert set(CODES) == set(Code)
    found = [
        "no (record_deleted)",
        "yes (covered)",
        "yes",
        "3",
        "no (gone_since)",
        "There is no such record.",
    ]
    assert list(map(verdict, found)) == [
        "no (the record is in the bin)",
        "yes (the record is reached)",
        *("yes", "3", "no (gone_since)", "There is no such record."),
    ]


def test_a_change_set_of_an_earlier_release_is_shown_still(company: Company) -> None:
    """What was kept before people were named for break-glass has no word of it."""
    kept = {
        "differences": [],
        "tests": [],
        "people": [{"user_id": company.people["lin"], "permissions": {}, "partitions": {}, "records": {}}],
    }
    with acting(company.actor("he")):
        shown = presenters.outcome(ChangeSet(outcome=json.dumps(kept)))
    assert [person.name for person in shown.people] == ["林悦"]


def test_an_owner_of_a_partition_is_told_with_the_partition_not_with_a_department_called_alike(
    company: Company,
) -> None:
    with acting(company.actor("he")):
        names = PolicyWords()
        names._departments = {"sh": "虎啸上海有限公司"}
        partition = names.value("partition", "sh")
        assert partition != "虎啸上海有限公司"
        assert names.entry("approvals", "sh → named").partition(" → ")[0] == partition
