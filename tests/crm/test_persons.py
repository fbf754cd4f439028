"""A copy of a person's data, and the person's erasure: after it no value is anywhere in the database."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from hufu.core.errors import Conflict, Denied, NotFound
from hufu.crm import actions, consents, persons, queries
from hufu.crm.resources import CONTACT
from tests.company import CONTACTS
from tests.crm.acts import by, last
from tests.web.log import entries

NAME, _CUSTOMER, PHONE = CONTACTS["gao"]
VALUES = {
    "title": "设备科长甲",
    "email": "gao-secret@example.cn",
    "wechat": "wx_gao_77",
    "note": "喜欢登山的人",
}
EVIDENCE = "签字表格柒号"


@pytest.fixture
def gao(company):
    """高工 with a value in every field, a changed one, and a consent with evidence."""
    number = company.contact("gao")
    with by(company, "lin") as lin:
        actions.edit_record(lin, CONTACT, number, {**VALUES, "decision_role": "decides"}, version=1)
        actions.edit_record(lin, CONTACT, number, {"decision_role": "pays"}, version=2)
        consents.give(
            lin,
            CONTACT,
            number,
            purpose="marketing_mail",
            basis="consent",
            source="form",
            given_on=date(2026, 3, 1),
            evidence=EVIDENCE,
        )
    return number


def places_of(owner_connection, text):
    """Return the columns of the whole database, texts and bytes, that hold a text."""
    columns = owner_connection.execute(
        "SELECT c.table_schema, c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE t.table_type = 'BASE TABLE' AND c.table_schema IN ('public', 'hufu') AND c.data_type IN"
        " ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY')"
    ).fetchall()
    assert len(columns) > 100
    found = []
    for schema, table, column, kind in columns:
        asked, value = (f'"{column}"::text', text)
        if kind == "bytea":
            asked, value = f'"{column}"', text.encode()
        (held,) = owner_connection.execute(
            f'SELECT count(*) FROM "{schema}"."{table}" WHERE position(%s in {asked}) > 0', [value]
        ).fetchone()
        if held:
            found.append((table, column))
    return found


def test_after_the_erasure_the_values_are_nowhere_and_the_log_keeps_its_bytes(company, owner_connection, gao):
    sought = (NAME, PHONE, EVIDENCE, *VALUES.values())
    for value in (NAME, EVIDENCE, VALUES["title"]):
        assert places_of(owner_connection, value), "the search finds what is there"
    before = owner_connection.execute("SELECT id, body, leaf FROM audit_event ORDER BY id").fetchall()
    with by(company, "wang") as wang:
        persons.erase(wang, CONTACT, gao, version=3, reason="本人要求")
    for value in sought:
        assert places_of(owner_connection, value) == [], value
    history = owner_connection.execute(
        "SELECT DISTINCT decision_role FROM crm_contact_history WHERE id = %s", [gao]
    ).fetchall()
    assert history == [("",)]
    after = owner_connection.execute("SELECT id, body, leaf FROM audit_event ORDER BY id").fetchall()
    assert [row for row in after if row[0] in {row[0] for row in before}] == before
    assert all(bytes(leaf) == hashlib.sha256(b"\0" + bytes(body)).digest() for _id, body, leaf in after)
    assert owner_connection.execute(
        "SELECT wrapped_key FROM audit_subject WHERE kind = 'contact' AND ref = %s", [gao]
    ).fetchone() == (None,)
    event = last(owner_connection, "contact.erased")
    assert (event.reason, event.data["consents"]) == ("本人要求", 1)
    assert set(event.data["fields"]) == {"name", "phone", "decision_role", *VALUES}
    assert event.personal == {}
    with by(company, "lin") as lin:
        left = queries.get_record(lin, CONTACT, gao)
    assert left.name == f"已删除的联系人 / Erased person {gao}"
    assert left.customer_id == company.customer("qiming")


def test_an_erased_key_stays_erased_and_other_people_keep_theirs(company, owner_connection, gao):
    with by(company, "wang") as wang:
        persons.erase(wang, CONTACT, gao, version=3, reason="本人要求")
    with by(company, "lin") as lin:
        actions.edit_record(lin, CONTACT, gao, {"title": "再来"}, version=4)
    changed = last(owner_connection, "contact.changed")
    assert changed.personal["changes"]["title"]["c"] is None
    keys = owner_connection.execute(
        "SELECT ref FROM audit_subject WHERE kind = 'contact' AND wrapped_key IS NULL"
    ).fetchall()
    assert keys == [(gao,)]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("lin", Denied),
        ("chen", Denied),
        ("sun", NotFound),
        ("zhou", NotFound),
        ("he", NotFound),
        ("wu", NotFound),
    ],
)
def test_whoever_may_not_neither_copies_nor_erases(company, owner_connection, gao, name, error):
    before = owner_connection.execute("SELECT * FROM crm_contact ORDER BY id").fetchall()
    for deed in (
        lambda actor: persons.disclose(actor, CONTACT, gao, reason="x"),
        lambda actor: persons.erase(actor, CONTACT, gao, version=3, reason="x"),
    ):
        with pytest.raises(error), by(company, name) as actor:
            deed(actor)
    with pytest.raises(DatabaseError), by(company, name), transaction.atomic():
        connection.cursor().execute("SELECT hufu.erase_crm_contact(%s, 3)", [gao])
    with pytest.raises(DatabaseError), by(company, name), transaction.atomic():
        connection.cursor().execute("UPDATE audit_subject SET wrapped_key = NULL")
    assert owner_connection.execute("SELECT * FROM crm_contact ORDER BY id").fetchall() == before
    assert owner_connection.execute("SELECT count(*) FROM crm_consent").fetchone() == (1,)
    assert owner_connection.execute(
        "SELECT count(*) FROM audit_subject WHERE wrapped_key IS NULL"
    ).fetchone() == (0,)


def test_who_decided_on_an_older_version_erases_nothing(company, owner_connection, gao):
    with pytest.raises(Conflict), by(company, "wang") as wang:
        persons.erase(wang, CONTACT, gao, version=2, reason="x")
    assert places_of(owner_connection, VALUES["title"]) == [("crm_contact", "title")]
    assert entries(owner_connection, "contact.erased") == []


def test_a_copy_holds_what_its_maker_may_read_and_names_the_rest(company, owner_connection, gao):
    with by(company, "wang") as wang:
        copy = persons.disclose(wang, CONTACT, gao, reason="本人申请查阅")
    said = json.loads(copy.content)
    assert said["fields"]["name"] == NAME
    assert said["fields"]["note"] == VALUES["note"]
    # 王芳 manages 林悦's customers; the personal fields of these are masked for her.
    assert set(said["withheld"]) >= {"phone", "email", "wechat"}
    assert PHONE not in copy.content.decode()
    assert said["consents"][0]["evidence"] == EVIDENCE
    assert {each["event"] for each in said["history"]} == {
        "contact.created",
        "contact.changed",
        "contact.consent_given",
    }
    assert said["history"][0]["by"] == "林悦"
    event = last(owner_connection, "contact.disclosed")
    assert (event.reason, event.data["digest"]) == ("本人申请查阅", hashlib.sha256(copy.content).hexdigest())
    assert event.personal == {}
    assert event.data["withheld"] == said["withheld"]
