"""Reading the log: holders of audit.view see events and never the values of business fields (L19)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import translation

from hufu.audit import Target, changes, queries, record
from hufu.audit.queries import LogFilter
from hufu.core import clock
from hufu.core.errors import Invalid, NotFound
from hufu.core.transaction import acting


@pytest.fixture
def filled(people):
    """陈 changed one specimen and viewed four; 吴 was refused once."""
    with acting(people.chen):
        record(
            people.chen,
            "specimen.changed",
            target=Target("specimen", 1, 1),
            **changes(
                {"stage": "new", "phone": "13800138000"}, {"stage": "won", "phone": "139"}, sealed={"phone"}
            ),
        )
        for number in range(2, 6):
            record(people.chen, "specimen.viewed", target=Target("specimen", number, 1))
    with acting(people.wu):
        record(
            people.wu,
            "access.refused",
            target=Target("specimen", 1, 1),
            data={"permission": "specimen.edit", "path": "/specimens/1/edit"},
            result="refused",
            reason="no_cover",
        )
    return people


def seen(actor, filters=LogFilter(), **paging):  # noqa: B008  (it is frozen)
    with acting(actor):
        return queries.events(actor, filters=filters, **paging)


def test_the_audit_administrator_sees_the_newest_events_first(filled):
    entries = seen(filled.wu).entries
    assert [entry.type for entry in entries] == [
        "access.refused",
        *["specimen.viewed"] * 4,
        "specimen.changed",
    ]
    assert [entry.actor_id for entry in entries] == [2, 1, 1, 1, 1, 1]


def test_whoever_does_not_hold_audit_view_sees_nothing(filled, log):
    assert seen(filled.chen).entries == ()
    with pytest.raises(NotFound), acting(filled.chen):
        queries.entry(filled.chen, log.rows()[0].id)


def test_field_names_are_shown_and_values_are_not(filled):
    entry = seen(filled.wu).entries[-1]
    assert entry.changed == ("phone", "stage")
    for value in ("13800138000", "139", "new", "won", "203.0.113.7"):
        assert value not in repr(asdict(entry) | {"id": "", "at": ""})


def test_facts_of_the_deed_are_shown(filled):
    refused = seen(filled.wu).entries[0]
    assert refused.details == {"permission": "specimen.edit", "path": "/specimens/1/edit"}
    assert (refused.result, refused.reason, refused.target) == (
        "refused",
        "no_cover",
        Target("specimen", 1, 1),
    )


def test_pages_follow_each_other_without_gap_or_repetition(filled):
    found, cursor = [], None
    filters = LogFilter(
        until=clock.now() + timedelta(seconds=1), types=["specimen.viewed", "specimen.changed"]
    )
    while True:
        page = seen(filled.wu, filters, cursor=cursor, limit=2)
        found += [entry.target.id for entry in page.entries]
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert found == [5, 4, 3, 2, 1]


def test_each_filter_finds_what_it_names(filled):
    for filters, count in (
        (LogFilter(types=["specimen.viewed"]), 4),
        (LogFilter(actor_user_id=1), 5),
        (LogFilter(actor_user_id=99), 0),
        (LogFilter(target=Target("specimen", 1)), 2),
        (LogFilter(result="refused"), 1),
        (LogFilter(since=clock.now() + timedelta(days=1)), 0),
        (LogFilter(until=clock.now() - timedelta(days=1)), 0),
    ):
        assert len(seen(filled.wu, filters).entries) == count, filters


def test_reading_the_log_is_recorded_with_what_was_asked(filled, log):
    seen(filled.wu, LogFilter(types=["specimen.viewed"], actor_user_id=1))
    last = log.rows()[-1]
    assert last.type == "log.viewed"
    assert last.said["data"] == {"filter": {"types": ["specimen.viewed"], "actor": 1}, "count": 4}


def test_reading_one_event_is_recorded_too(filled, log):
    wanted = log.rows()[0].id
    with acting(filled.wu):
        assert queries.entry(filled.wu, wanted).type == "specimen.changed"
    assert log.rows()[-1].said["data"] == {"event": str(wanted), "count": 1}


def test_an_absent_event_is_not_found(filled):
    with pytest.raises(NotFound), acting(filled.wu):
        queries.entry(filled.wu, uuid4())


def test_a_damaged_page_address_says_what_to_do(filled):
    for cursor in ("x", "☃", "MjAyNQ==", "bm90IGEgdXVpZCAx"):
        with pytest.raises(Invalid, match="first page"), translation.override("en"):
            seen(filled.wu, cursor=cursor)


def test_the_log_outlives_the_code_that_wrote_it(filled, monkeypatch):
    monkeypatch.setattr(queries.registry, "find", lambda name: None)
    assert seen(filled.wu).entries[0].label == "access.refused"


def test_one_entry_tells_from_which_address_and_browser_it_came_and_a_list_does_not(filled):
    newest = seen(filled.wu).entries[0]
    assert not newest.origin
    with acting(filled.wu):
        entry = queries.entry(filled.wu, newest.id)
    assert entry.origin["address"] == filled.wu.context.address
    assert entry.origin["agent"] == filled.wu.context.agent
