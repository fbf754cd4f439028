"""What the log could not take waits in the spool and is recovered once."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError

from hufu.audit import Event, Target, keys, refusals, spool
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Unavailable
from hufu.core.transaction import acting

OPERATOR = Actor.operator()
REFUSED = Event(
    "access.refused",
    Target("specimen", 1, 2),
    {"permission": "specimen.edit"},
    result="refused",
    reason="no_cover",
)


@pytest.fixture
def broken_log(monkeypatch):
    def fail(*_args, **_kwargs):
        raise OperationalError("the server is gone")

    monkeypatch.setattr(refusals, "record", fail)


def refuse(actor):
    with acting(actor):
        raise Denied(None, event={"type": "access.refused", "data": {"permission": "specimen.edit"}})


def test_a_refusal_that_cannot_be_recorded_is_spooled_and_the_request_fails(people, var, log, broken_log):
    with pytest.raises(OperationalError):
        refuse(people.chen)
    assert spool.pending() == 1
    assert log.rows() == []


def test_a_lost_key_spools_refusals_and_still_keeps_nothing_personal_in_the_clear(
    people, var, settings, tmp_path
):
    settings.HUFU_SECRETS = tmp_path / "nowhere"
    with pytest.raises(Unavailable):
        refuse(people.chen)
    assert json.loads(spool.spool_file().read_text())["sealed"] is None


def test_the_spool_is_readable_by_its_owner_only_and_holds_no_address(people, var):
    spool.write(people.chen, REFUSED, failure="OperationalError")
    assert spool.spool_file().stat().st_mode & 0o777 == 0o600
    text = spool.spool_file().read_text()
    for secret in ("203.0.113.7", "Mozilla", "the-session-key"):
        assert secret not in text


def test_what_waits_is_recovered_as_events_of_its_own_type(people, var, log):
    spool.write(people.chen, REFUSED, failure="OperationalError")
    assert spool.recover_spool(OPERATOR) == 1
    assert spool.pending() == 0
    (row,) = log.rows()
    assert (row.type, row.target_type, row.target_id) == ("log.recovered", "specimen", 1)
    said = row.said["data"]
    assert (said["type"], said["actor"], said["failure"], said["reason"]) == (
        "access.refused",
        1,
        "OperationalError",
        "no_cover",
    )
    about = keys.Subject("user", 1)
    with acting(people.chen):
        key = keys.subject_keys([about])[about]
    assert key.open(row.id, "entry", row.said["personal"]["entry"])["address"] == "203.0.113.7"


def test_recovering_twice_after_a_crash_records_once(people, var, log):
    spool.write(people.chen, REFUSED, failure="OperationalError")
    waiting = spool.spool_file().read_bytes()
    spool.recover_spool(OPERATOR)
    spool.spool_file().write_bytes(waiting)
    spool.recover_spool(OPERATOR)
    assert log.types() == ["log.recovered"]


def test_a_line_cut_off_by_a_crash_is_kept_as_it_is(people, var, log):
    spool.write(people.chen, REFUSED, failure="OperationalError")
    with spool.spool_file().open("ab") as file:
        file.write(b'{"id":"01a2\n')
    assert spool.recover_spool(OPERATOR) == 2
    assert {row.said["data"]["failure"] for row in log.rows()} == {"OperationalError", "unreadable line"}


def test_nothing_waits_where_nothing_failed(people, var, log):
    assert spool.pending() == 0
    assert spool.recover_spool(OPERATOR) == 0
    assert log.rows() == []


def test_a_line_that_the_log_cannot_take_goes_there_as_text_and_keeps_no_other_back(people, var, log):
    beyond = Event("access.refused", Target("specimen", 2**80), {"permission": "specimen.edit"})
    spool.write(people.chen, beyond, failure="DataError")
    spool.write(people.chen, REFUSED, failure="OperationalError")
    assert spool.recover_spool(OPERATOR) == 2
    assert spool.pending() == 0
    failures = {row.said["data"]["failure"] for row in log.rows()}
    assert failures == {"unreadable line", "OperationalError"}
