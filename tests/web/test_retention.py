"""Retention rules propose: who may do what they propose sees it with the reason, decides, and the log tells."""

from __future__ import annotations

from datetime import date

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hufu.core.transaction import acting
from hufu.crm import consents
from hufu.crm.resources import CONTACT
from tests.company import CONTACTS, CUSTOMERS, Company
from tests.web.conftest import Visit
from tests.web.log import entries

PAGE = {"contact": "/contacts/proposed/", "customer": "/customers/proposed/"}


@pytest.fixture
def aged(company: Company, owner_connection: psycopg.Connection) -> Company:
    """A company in which nothing happened for four years, and whose bin is as old."""
    for table in ("crm_customer", "crm_opportunity", "crm_contact"):
        owner_connection.execute(
            f"UPDATE {table} SET created_at = created_at - interval '1500 days',"
            " updated_at = updated_at - interval '1500 days', deleted_at = deleted_at - interval '1500 days'"
        )
    return company


def test_persons_without_a_ground_are_proposed_to_whoever_may_erase_them(
    aged: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    gao, he = aged.contact("gao"), aged.contact("he")
    lin = aged.actor("lin")
    with acting(lin):
        given = consents.give(
            lin, CONTACT, gao, purpose="service", basis="consent", source="form", given_on=date(2020, 1, 1)
        )
    wang = visit("wang")
    page = wang.get(PAGE["contact"]).content.decode()
    assert "For more than 365 days no consent or other ground stands." in page
    assert CONTACTS["gao"][0] not in page, "a consent stands"
    assert CONTACTS["he"][0] in page
    # Withdrawn just now, it counts from now on; withdrawn long ago, it counts.
    with acting(lin):
        consents.withdraw(lin, CONTACT, gao, given)
    assert CONTACTS["gao"][0] not in wang.get(PAGE["contact"]).content.decode()
    owner_connection.execute("UPDATE crm_consent SET withdrawn_at = withdrawn_at - interval '400 days'")
    assert CONTACTS["gao"][0] in wang.get(PAGE["contact"]).content.decode()
    # Whoever may not decide sees no list, and nobody sees what is not theirs.
    assert visit("lin").get(PAGE["contact"]).status_code == 403
    assert CONTACTS["ma"][0] not in page
    # The rule leads to the deed, which asks for the name and a reason as always.
    address = f"/contacts/{he}/erase?retention=contacts"
    assert address in page
    assert "no consent or other ground stands.</textarea>" in wang.get(address).content.decode()
    form = {"version": "1", "reason": "到期", "confirmation": CONTACTS["he"][0]}
    assert wang.post(address, form)["Location"] == PAGE["contact"]
    [erased] = entries(owner_connection, "contact.erased")
    assert (erased.reason, erased.target) == ("到期", ("contact", he))
    [followed] = entries(owner_connection, "retention.followed")
    assert (followed.target, followed.data["rule"], followed.data["days"]) == (
        ("contact", he),
        "contact.contacts",
        365,
    )
    assert f"/contacts/{he}/" not in wang.get(PAGE["contact"]).content.decode()
    # A rule that does not propose a record has no part in its erasure.
    assert "<textarea" in wang.get(f"/contacts/{gao}/erase?retention=bin").content.decode()
    assert "ground stands" not in wang.get(f"/contacts/{gao}/erase?retention=bin").content.decode()


def test_idle_customers_go_into_the_bin_by_choice_and_only_those_that_still_are(
    aged: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    wang = visit("wang")
    qiming, nanfang = aged.customer("qiming"), aged.customer("nanfang")
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = %s WHERE id = ANY (%s)", [aged.people["wang"], [qiming, nanfang]]
    )
    page = wang.get(PAGE["customer"]).content.decode()
    assert "For more than 1096 days nothing was done with it." in page
    assert all(f'value="{number}"' in page for number in (qiming, nanfang))
    # She may delete her own alone; those of others are not proposed to her, and cannot be sent by hand.
    others = aged.customer("pengcheng")
    assert f'value="{others}"' not in page
    # Somebody works with one of them meanwhile.
    owner_connection.execute("UPDATE crm_opportunity SET updated_at = now() WHERE customer_id = %s", [qiming])
    answer = wang.post(
        PAGE["customer"], {"record": [qiming, nanfang, others, "x"]}, follow=True
    ).content.decode()
    assert "1 record is in the bin now." in answer
    assert "What is not proposed any more was left where it is." in answer
    stands = owner_connection.execute("SELECT id FROM crm_customer WHERE deleted_at IS NULL").fetchall()
    assert {(qiming,), (others,)} <= set(stands)
    assert (nanfang,) not in stands
    assert [event.target for event in entries(owner_connection, "customer.deleted")][-1] == (
        "customer",
        nanfang,
    )
    [followed] = entries(owner_connection, "retention.followed")
    assert (followed.data["rule"], followed.data["ids"]) == ("customer.customers", [nanfang])
    assert visit("lin").post(PAGE["customer"], {"record": [qiming]}).status_code == 403


def test_the_bin_is_proposed_after_its_days_and_a_rule_can_be_off(
    aged: Company, visit: Visit, owner_connection: psycopg.Connection, settings: LazySettings
) -> None:
    wang, binned = visit("wang"), aged.binned["customer"]
    page = wang.get(PAGE["customer"]).content.decode()
    assert "It has been in the bin for more than 90 days." in page
    address = f"/customers/{binned}/purge?retention=bin"
    assert address in page
    version = owner_connection.execute(
        "SELECT lock_version FROM crm_customer WHERE id = %s", [binned]
    ).fetchone()
    assert version is not None
    form = {"version": str(version[0]), "reason": "到期", "confirmation": "误建记录"}
    assert wang.post(address, form)["Location"] == PAGE["customer"]
    assert [event.data["rule"] for event in entries(owner_connection, "retention.followed")] == [
        "customer.bin"
    ]
    assert PAGE["customer"] in wang.get("/customers/").content.decode()
    settings.RETENTION = {"contacts": 0, "customers": 0, "bin": 0}
    assert "No rule proposes anything" in wang.get(PAGE["customer"]).content.decode()
    assert PAGE["customer"] not in wang.get("/customers/").content.decode()


def test_more_proposals_are_no_more_queries(
    aged: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    wang = visit("wang")
    wang.get(PAGE["contact"])
    with CaptureQueriesContext(connection) as many:
        wang.get(PAGE["contact"])
    owner_connection.execute("UPDATE crm_contact SET created_at = now() WHERE id <> %s", [aged.contact("he")])
    with CaptureQueriesContext(connection) as few:
        assert CUSTOMERS["qiming"][0] not in wang.get(PAGE["contact"]).content.decode()
    assert len(many) == len(few)
