"""Sealed fields: nothing readable in the table, plain text for whoever reads them, found by whoever reads them."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from hufu.access import guard, registry
from hufu.access.fields import masked
from hufu.access.registry import Field, Kind, Search
from hufu.core import vault
from hufu.core.errors import Invalid
from hufu.crm import actions, blind, queries, values
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER
from tests.crm.acts import by
from tests.sealed import opened

PHONE = "13800006621"
IDENTITY = "11010519491231002X"
MIGRATION = import_module("hufu.crm.migrations.0004_sealed_fields")


def found(company, name, resource, text):
    with by(company, name) as actor:
        listed = {row.pk for row in queries.list_records(actor, resource, ListQuery(search=text)).records}
        assert listed == {row.pk for row in queries.find(actor, resource, text)}
        assert len(listed) == queries.count_records(actor, resource, ListQuery(search=text))
        return listed


def test_every_marked_field_lies_sealed_and_names_and_amounts_do_not():
    sealed = {
        f"{resource.name}.{declared.name}"
        for resource in registry.resource_types()
        for declared in resource.fields
        if declared.is_encrypted
    }
    assert sealed == {
        "customer.phone",
        *(f"contact.{name}" for name in ("phone", "email", "wechat", "id_number", "address")),
    }
    for resource in registry.resource_types():
        for declared in resource.fields:
            column = resource.model_class._meta.get_field(declared.name)
            assert declared.is_encrypted == (column.db_type(connection) == "bytea"), declared.name


def test_the_table_says_nothing_and_python_reads_text(company, owner_connection):
    qiming = company.customer("qiming")
    (raw,) = owner_connection.execute("SELECT phone FROM crm_customer WHERE id = %s", [qiming]).fetchone()
    assert PHONE.encode() not in raw
    assert opened(raw, "crm_customer.phone") == PHONE
    with by(company, "lin") as lin:
        assert guard.get(lin, "customer.view", qiming).phone == PHONE
    whole = owner_connection.execute("SELECT string_agg(c::text, '') FROM crm_customer c").fetchone()[0]
    assert PHONE not in whole


def test_the_same_number_again_is_no_change_and_another_one_moves_the_index(company):
    qiming = company.customer("qiming")
    with by(company, "lin") as lin:
        same = actions.edit_record(lin, CUSTOMER, qiming, {"phone": PHONE}, version=1)
        assert same.lock_version == 1
        other = actions.edit_record(lin, CUSTOMER, qiming, {"phone": "021-5555 1234"}, version=1)
        assert (other.lock_version, other.phone) == (2, "021-5555 1234")
    assert found(company, "lin", CUSTOMER, PHONE) == set()
    assert found(company, "lin", CUSTOMER, "+86 21 5555 1234") == {qiming}
    with by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, qiming, {"phone": ""}, version=2)
    assert found(company, "lin", CUSTOMER, "1234") == set()


@pytest.mark.parametrize("text", [PHONE, "+86 138 0000 6621", "138-0000-6621", "008613800006621", "6621"])
def test_the_owner_finds_by_phone_and_whoever_sees_it_masked_does_not(company, text):
    """林悦 owns 上海启明. 唐亮, 王芳 and 陈静 view it with the phone masked: a guess must tell them nothing."""
    qiming = company.customer("qiming")
    assert found(company, "lin", CUSTOMER, text) == {qiming}
    for name in ("tang", "wang", "chen", "zhou", "zhao", "li"):
        assert qiming not in found(company, name, CUSTOMER, text), name
        with by(company, name) as actor:
            assert guard.get(actor, "customer.view", qiming).pk == qiming


def test_an_editor_of_the_team_finds_by_phone_and_a_reader_does_not(company):
    qiming = company.customer("qiming")
    for access, expected in (("read", set()), ("edit", {qiming})):
        with by(company, "lin") as lin:
            actions.add_member(lin, CUSTOMER, qiming, who=company.people["zhang"], access=access)
        assert found(company, "zhang", CUSTOMER, PHONE) == expected


def test_a_contact_is_found_by_phone_and_identity_number_by_whoever_reads_them(company):
    with by(company, "lin") as lin:
        gao = company.contact("gao")
        current = guard.get(lin, "contact.view", gao)
        written = {
            "id_number": IDENTITY,
            "phone": "13900001234",
            "address": "上海市幸福路 1 号",
            "email": "g@x.example",
        }
        after = actions.edit_record(lin, CONTACT, gao, written, version=current.lock_version)
        assert {name: getattr(after, name) for name in written} == written
    for text in (IDENTITY, IDENTITY.lower(), "1234", "139 0000 1234"):
        assert found(company, "lin", CONTACT, text) == {gao}, text
        assert found(company, "tang", CONTACT, text) == set(), text
        assert found(company, "wang", CONTACT, text) == set(), text
    assert found(company, "lin", CONTACT, "g@x.example") == set()
    with by(company, "tang") as tang:
        assert guard.get(tang, "contact.view", gao).pk == gao


def test_an_identity_number_is_checked_and_no_message_repeats_it():
    declared = CONTACT.by_name["id_number"]
    assert values.parse(declared, " 110105 19491231 002x ") == IDENTITY
    for wrong in ("110105194912310021", "123", "11010519491331002X"):
        with pytest.raises(Invalid) as refused:
            values.parse(declared, wrong)
        assert wrong not in str(refused.value)
    assert masked(declared, IDENTITY) == "1****************X"
    assert masked(CONTACT.by_name["address"], "上海市幸福路 1 号") == "上***"


def test_indexes_of_two_columns_cannot_be_compared(company):
    with by(company, "lin"):
        of_customer = blind.index_columns(CUSTOMER, {"phone": PHONE})
        of_contact = blind.index_columns(CONTACT, {"phone": PHONE})
    assert of_customer.keys() == of_contact.keys() == {"phone_index", "phone_last_index"}
    assert not set(of_customer.values()) & set(of_contact.values())


def test_no_condition_looks_into_a_sealed_field_and_none_may_be_declared_so(db):
    for lookup in ("phone", "phone__starts_with", "phone__in"):
        with pytest.raises(TypeError, match="sealed"):
            CUSTOMER.model_class._base_manager.filter(**{lookup: PHONE})
    for wrong in ({"sort": "x"}, {"filterable": True}, {"search": Search.PREFIX}):
        with pytest.raises(ValueError, match="encrypted"):
            Field("x", "X", Kind.PHONE, **wrong)


def test_the_migration_seals_what_stood_readable_and_overwrites_it(company, on_company_as_owner):
    """What a database of before holds: readable columns beside the new ones."""
    qiming, gao = company.customer("qiming"), company.contact("gao")
    with on_company_as_owner(), transaction.atomic(), connection.cursor() as cursor:
        # Rows that change twice in one transaction leave events to constraints that wait, and ALTER TABLE none waiting.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name, columns in MIGRATION.SEALED.items():
            for column in columns:
                cursor.execute(f"ALTER TABLE crm_{name} ADD {column}_clear text NOT NULL DEFAULT ''")
                cursor.execute(
                    f"UPDATE crm_{name} SET {column} = '', {column}_clear = %s", [f"1380000{column}"]
                )
        cursor.execute("UPDATE crm_customer SET phone_index = NULL, phone_clear = %s", [PHONE])
        MIGRATION.seal(None, SimpleNamespace(connection=connection))
        cursor.execute("SELECT phone, phone_clear, phone_index FROM crm_customer WHERE id = %s", [qiming])
        phone, clear, index = cursor.fetchone()
        assert (opened(bytes(phone), "crm_customer.phone"), clear) == (PHONE, "")
        assert bytes(index) == vault.blind_index(
            vault.INDEX, blind.said(CUSTOMER, "phone_index", blind.e164(PHONE))
        )
        cursor.execute("SELECT email, email_clear, wechat FROM crm_contact WHERE id = %s", [gao])
        email, clear, wechat = cursor.fetchone()
        assert (opened(bytes(email), "crm_contact.email"), clear) == ("1380000email", "")
        assert opened(bytes(wechat), "crm_contact.wechat") == "1380000wechat"
        for name, columns in MIGRATION.SEALED.items():
            for column in columns:
                cursor.execute(f"ALTER TABLE crm_{name} DROP {column}_clear")
