"""An event is written in the deed's own transaction, and it is final."""

from __future__ import annotations

import threading

import psycopg
import pytest
from django.db import Error, connection, transaction

from hufu.audit import Event, Subject, Target, canonical, changes, keys, record, record_many
from hufu.audit.events import UndeclaredEvent
from hufu.core.actor import ANONYMOUS, Actor
from hufu.core.errors import Denied
from hufu.core.postgres import roles
from hufu.core.transaction import acting
from tests.audit.conftest import HERE

SPECIMEN = Target("specimen", 12, 3)


def test_an_event_says_who_did_what_to_which_record_and_why(people, log):
    with acting(people.chen):
        event_id = record(people.chen, "specimen.viewed", target=SPECIMEN, reason="visit")
    (row,) = log.rows()
    assert (row.id, row.type, row.target_type, row.target_id, row.partition_id) == (
        event_id,
        "specimen.viewed",
        "specimen",
        12,
        3,
    )
    assert (row.result, row.request_id, row.said["reason"], row.said["v"]) == (
        "done",
        "request-1",
        "visit",
        1,
    )
    assert canonical.timestamp(row.at) == row.said["at"]


def test_the_stored_bytes_are_canonical_and_the_leaf_is_their_hash(people, log):
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    (row,) = log.rows()
    assert canonical.to_bytes(row.said) == bytes(row.body)
    assert canonical.leaf_hash(bytes(row.body)) == bytes(row.leaf)


def test_the_actor_appears_under_one_pseudonym(people, log):
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    first, second = log.rows()
    assert first.actor == second.actor == keys.UUID(first.said["actor"])
    assert "陈" not in first.text


def test_personal_values_address_and_session_never_stand_in_the_log_in_the_clear(people, log):
    with acting(people.chen):
        record(
            people.chen,
            "specimen.changed",
            target=SPECIMEN,
            **changes(
                {"name": "甲", "phone": "13800138000"},
                {"name": "乙", "phone": "13900139000"},
                sealed={"phone"},
            ),
        )
    (row,) = log.rows()
    for secret in ("13800138000", "13900139000", "203.0.113.7", "Mozilla", "the-session-key"):
        assert secret not in row.text
    assert row.said["data"]["changes"] == {"name": {"before": "甲", "after": "乙"}}
    assert list(row.said["personal"]["changes"]) == ["phone"]


def test_personal_values_open_with_the_key_of_the_record_they_are_about(people, log):
    with acting(people.chen):
        record(
            people.chen,
            "specimen.created",
            target=SPECIMEN,
            **changes(None, {"phone": "138"}, sealed={"phone"}),
        )
    (row,) = log.rows()
    about = Subject("specimen", 12)
    with acting(people.chen):
        key = keys.subject_keys([about])[about]
    assert key.open(row.id, "changes.phone", row.said["personal"]["changes"]["phone"]) == {"after": "138"}


def test_erasing_a_key_makes_the_values_unreadable_and_leaves_the_hash_valid(people, log, owner):
    about = Subject("specimen", 12)
    with acting(people.chen):
        record(
            people.chen,
            "specimen.created",
            target=SPECIMEN,
            **changes(None, {"phone": "138"}, sealed={"phone"}),
        )
    before = log.rows()[0]
    owner.execute("UPDATE audit_subject SET wrapped_key = NULL WHERE kind = 'specimen' AND ref = 12")
    with acting(people.chen):
        key = keys.subject_keys([about])[about]
        record(
            people.chen,
            "specimen.changed",
            target=SPECIMEN,
            **changes({"phone": "138"}, {"phone": "139"}, sealed={"phone"}),
        )
    after, later = log.rows()
    assert key.open(after.id, "changes.phone", after.said["personal"]["changes"]["phone"]) is None
    assert canonical.leaf_hash(bytes(after.body)) == bytes(after.leaf) == bytes(before.leaf)
    assert later.said["personal"]["changes"]["phone"]["c"] is None


def test_a_failed_sign_in_of_nobody_keeps_address_and_name_under_the_key_of_the_day(people, log, owner):
    nobody = Actor(0, "", HERE)
    with acting(ANONYMOUS):
        record(
            nobody, "auth.sign_in_failed", personal={"login": "wang.fang"}, result="failed", reason="unknown"
        )
    (row,) = log.rows()
    assert row.actor is None
    assert "wang.fang" not in row.text
    assert "203.0.113.7" not in row.text
    assert owner.execute("SELECT kind FROM audit_subject").fetchall() == [("anonymous",)]


def test_a_failed_sign_in_at_an_account_goes_with_the_key_of_that_account(people, log, owner):
    with acting(ANONYMOUS):
        record(
            Actor(0, "", HERE),
            "auth.sign_in_failed",
            target=Target("user", 1),
            subject=Subject("user", 1),
            personal={"login": "user1"},
            result="failed",
        )
    assert owner.execute("SELECT kind, ref FROM audit_subject").fetchall() == [("user", 1)]


def fail_after_recording(actor, error):
    record(actor, "specimen.viewed", target=SPECIMEN)
    raise error


def test_a_refused_deed_leaves_its_event_and_nothing_else(people, log):
    refusal = Denied(None, event={"type": "access.refused", "data": {"permission": "specimen.edit"}})
    with pytest.raises(Denied), acting(people.chen):
        fail_after_recording(people.chen, refusal)
    (row,) = log.rows()
    assert (row.type, row.result) == ("access.refused", "refused")


def test_an_account_that_was_closed_is_refused_in_its_own_name(people, log, owner):
    with acting(people.zheng):
        record(people.zheng, "access.refused", data={"permission": "specimen.view"}, result="refused")
    (row,) = log.rows()
    assert row.actor == owner.execute("SELECT pseudonym FROM audit_subject WHERE ref = 3").fetchone()[0]


def test_a_deed_that_fails_leaves_no_event(people, log):
    with pytest.raises(ZeroDivisionError), acting(people.chen):
        fail_after_recording(people.chen, ZeroDivisionError())
    assert log.rows() == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"type": "specimen.teleported"}, UndeclaredEvent),
        ({"type": "specimen.viewed", "data": {"phone": "138"}}, UndeclaredEvent),
        ({"type": "specimen.changed", "data": {"changes": {"password": "x"}}}, ValueError),
    ],
)
def test_when_recording_fails_the_deed_cannot_be_saved_by_hiding_the_error(people, log, wrong, error):
    with acting(people.chen):
        with transaction.atomic():
            record(people.chen, "specimen.viewed", target=SPECIMEN)
            with pytest.raises(error):
                record(people.chen, **wrong)
    assert log.rows() == []


def test_nobody_writes_in_the_name_of_somebody_else(people, log):
    with pytest.raises(Error, match="row-level security"):
        with acting(people.chen):
            record(people.wu, "specimen.viewed", target=SPECIMEN)
    with pytest.raises(Error, match="row-level security"):
        with acting(people.chen):
            record(ANONYMOUS, "auth.signed_out")
    assert log.rows() == []


def test_a_system_actor_has_a_pseudonym_too(people, log, owner):
    operator = Actor.operator()
    with acting(operator):
        record(operator, "system.started", data={"version": "1"})
    (row,) = log.rows()
    assert owner.execute(
        "SELECT kind, ref FROM audit_subject WHERE pseudonym = %s", [row.actor]
    ).fetchone() == (
        "system",
        -1,
    )


def test_hostile_text_stays_inside_its_value(people, log):
    texts = ['\n{"type":"x"}\r\n', "\x00", "\ud800", "'; DROP TABLE audit_event; --", "\u202e"]
    for text in texts:
        with acting(people.chen):
            record(people.chen, "access.refused", data={"path": text}, reason=text, result="refused")
    for row, text in zip(log.rows(), texts, strict=True):
        assert row.said["data"]["path"] == row.said["reason"] == canonical.to_json(text)
        assert "\n" not in row.text


def test_many_events_take_few_statements(people, log, django_assert_max_num_queries):
    with acting(people.chen):
        with django_assert_max_num_queries(4):
            written = record_many(
                people.chen,
                (
                    Event(
                        "specimen.created",
                        Target("specimen", n, 1),
                        **changes(None, {"phone": str(n)}, sealed={"phone"}),
                    )
                    for n in range(1, 501)
                ),
            )
    assert written == len(log.rows()) == 500


def test_two_transactions_that_need_the_same_new_keys_agree(people, owner):
    wanted = [Subject("specimen", number) for number in range(200)]
    found, errors = [], []

    def work(order):
        try:
            with acting(people.chen):
                found.append(keys.subject_keys(order))
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (wanted, wanted[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert found[0] == found[1]


# What the roles of the database may do with the log.


def test_the_application_can_only_add_to_the_log(people, log):
    with acting(people.wu):
        record(people.wu, "specimen.viewed", target=SPECIMEN)
    before = log.rows()[0].text
    for statement in (
        "UPDATE audit_event SET result = 'done'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event (body, leaf) VALUES ('{}', '')",
        "UPDATE audit_subject SET wrapped_key = NULL",
        "DELETE FROM audit_subject",
        "TRUNCATE audit_subject",
        "ALTER TABLE audit_event DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "DROP TABLE audit_event",
    ):
        with pytest.raises(Error, match=r"permission denied|must be owner"):
            with acting(people.wu), connection.cursor() as cursor:
                cursor.execute(statement)
    assert [row.text for row in log.rows()] == [before]


def test_the_owner_of_the_tables_does_not_change_the_log_by_mistake(people, log, owner):
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    before = log.rows()[0].text
    for statement in (
        "UPDATE audit_event SET result = 'done'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "DELETE FROM audit_subject",
        "TRUNCATE audit_subject",
        "UPDATE audit_subject SET pseudonym = gen_random_uuid()",
        "UPDATE audit_subject SET ref = 99",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is refused"):
            owner.execute(statement)
    assert [row.text for row in log.rows()] == [before]


def test_an_erased_key_cannot_come_back(people, owner):
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    owner.execute("UPDATE audit_subject SET wrapped_key = NULL")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stays erased"):
        owner.execute(r"UPDATE audit_subject SET wrapped_key = '\x00'")


def test_the_sealer_reads_every_event_and_changes_none(people, connect_as):
    sealer = connect_as(roles.SEALER)
    with acting(people.chen):
        record(people.chen, "specimen.viewed", target=SPECIMEN)
    assert sealer.execute("SELECT count(*) FROM audit_event").fetchone() == (1,)
    for statement in (
        "DELETE FROM audit_event",
        "UPDATE audit_event SET result = 'done'",
        "SELECT * FROM audit_subject",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            sealer.execute(statement)


def test_the_columns_are_what_the_body_says_whatever_else_is_given(people, log, owner):
    body = canonical.to_bytes(
        {
            "id": "01a20ab8-1cff-7018-8787-af78b773c86a",
            "at": "2025-01-02T03:04:05.000006Z",
            "type": "specimen.viewed",
            "actor": None,
            "target": {"type": "specimen", "id": 5},
            "partition": 2,
            "result": "done",
            "request": "r",
        }
    )
    owner.execute(
        "INSERT INTO audit_event (id, at, type, result, request_id, leaf, body) "
        "VALUES (gen_random_uuid(), now(), 'forged.type', 'failed', 'x', '', %s)",
        [body],
    )
    (row,) = log.rows()
    assert (row.type, row.result, row.target_id, row.partition_id) == ("specimen.viewed", "done", 5, 2)
    assert bytes(row.leaf) == canonical.leaf_hash(body)
