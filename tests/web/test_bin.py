"""The bin: the way back after a deletion, what lies there for whom, and the end."""

from __future__ import annotations

import re

import psycopg
import pytest
from django.test import Client

from tests.company import CUSTOMERS, Company
from tests.web.conftest import Visit
from tests.web.log import entries

QIMING = CUSTOMERS["qiming"][0]


def undo_of(page: str) -> tuple[str, str]:
    """Return the address and the version that the way back on a page names."""
    found = re.search(
        r'action="(/[a-z]+/\d+/restore)"><input[^>]*csrf[^>]*><input type="hidden" name="version" value="(\d+)">',
        page,
    )
    assert found is not None
    return found.group(1), found.group(2)


def delete(client: Client, address: str) -> str:
    """Delete a record and return the page after that."""
    answer = client.post(f"{address}delete", {"version": "1"}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_deletion_is_undone_from_the_page_after_it(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    client, number = visit("lin"), company.customer("qiming")
    page = delete(client, f"/customers/{number}/")
    assert "Customer deleted." in page
    assert QIMING not in page
    url, version = undo_of(page)
    restored = client.post(url, {"version": version}, follow=True)
    assert restored.redirect_chain == [(f"/customers/{number}/", 302)]
    assert "Customer restored." in restored.content.decode()
    assert [event.target for event in entries(owner_connection, "customer.restored")] == [
        ("customer", number)
    ]
    # The message was shown once; its way back leads nowhere any more.
    assert client.post(url, {"version": version}).status_code == 404


def test_after_deleting_a_contact_one_is_at_its_customer(company: Company, visit: Visit) -> None:
    client = visit("lin")
    answer = client.post(f"/contacts/{company.contact('gao')}/delete", {"version": "1"}, follow=True)
    assert answer.redirect_chain == [(f"/customers/{company.customer('qiming')}/contacts", 302)]
    assert "Contact deleted." in answer.content.decode()
    assert undo_of(answer.content.decode())[0] == f"/contacts/{company.contact('gao')}/restore"


def test_the_bin_shows_what_one_may_restore_and_counts_nothing_else(company: Company, visit: Visit) -> None:
    delete(visit("lin"), f"/customers/{company.customer('qiming')}/")
    for who, seen in {"lin": 2, "wang": 2, "tang": 0, "zhang": 0}.items():
        page = visit(who).get("/customers/bin/").content.decode()
        assert (QIMING in page) is (seen > 0), who
        assert f"{seen} that you may restore" in page, who
    found = visit("lin").get("/customers/bin/?q=shqm").content.decode()
    assert "1 that you may restore" in found
    assert visit("chen").get("/customers/bin/").status_code == 403


def test_only_those_who_may_purge_are_led_there(company: Company, visit: Visit) -> None:
    address = f"/customers/{company.binned['customer']}/purge"
    assert address in visit("wang").get("/customers/bin/").content.decode()
    assert address not in visit("lin").get("/customers/bin/").content.decode()


@pytest.mark.parametrize("typed", ["", "误建", "误建记录2", "上海启明精密机械有限公司"])
def test_nothing_is_purged_without_its_name(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, typed: str
) -> None:
    number = company.binned["customer"]
    form = {"version": "2", "reason": "清理", "confirmation": typed}
    answer = visit("wang").post(f"/customers/{number}/purge", form)
    assert answer.status_code == 200
    assert "field-problem" in answer.content.decode()
    assert owner_connection.execute("SELECT 1 FROM crm_customer WHERE id = %s", [number]).fetchone()


def test_what_is_purged_is_gone_and_the_log_keeps_why(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.binned["customer"]
    outdated = {"version": "1", "reason": "重复", "confirmation": "误建记录"}
    client = visit("wang")
    assert client.post(f"/customers/{number}/purge", outdated).status_code == 409
    done = client.post(f"/customers/{number}/purge", {**outdated, "version": "2"}, follow=True)
    assert done.redirect_chain == [("/customers/bin/", 302)]
    assert owner_connection.execute("SELECT 1 FROM crm_customer WHERE id = %s", [number]).fetchone() is None
    [event] = entries(owner_connection, "customer.purged")
    assert event.reason == "重复"
