"""The bin: what is deleted disappears, is restored as it was, or goes for good, by those who may."""

from __future__ import annotations

import pytest

from hufu.access import guard
from hufu.core.errors import Conflict, Denied, NotFound
from hufu.crm import actions, queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last, may


def in_bin(company, name, resource=CUSTOMER, search=""):
    with by(company, name) as actor:
        return {
            row.pk
            for row in queries.list_records(actor, resource, ListQuery(bin=True, search=search)).records
        }


def test_lin_deletes_a_customer_and_its_contact_is_gone_with_it_and_both_come_back(company, owner_connection):
    qiming, gao = company.customer("qiming"), company.contact("gao")
    with by(company, "lin") as lin:
        actions.delete_record(lin, CUSTOMER, qiming, version=1)
    assert not may(company, "lin", "customer.view", CUSTOMER, qiming)
    assert not may(company, "lin", "contact.view", CONTACT, gao)
    assert qiming in in_bin(company, "lin")
    # A contact whose customer lies in the bin is in nobody's bin: it comes back with the customer.
    assert gao not in in_bin(company, "lin", CONTACT)
    with by(company, "lin") as lin:
        actions.restore_record(lin, CUSTOMER, qiming, version=2)
    assert may(company, "lin", "customer.edit", CUSTOMER, qiming)
    assert may(company, "lin", "contact.view", CONTACT, gao)
    assert last(owner_connection, "customer.restored").target == ("customer", qiming)


def test_the_bin_shows_everybody_what_they_may_restore(company):
    binned = company.binned["customer"]
    for name, sees in (("lin", True), ("wang", True), ("tang", False), ("li", True), ("chen", False)):
        if name == "chen":
            with by(company, name) as actor:
                assert guard.scope(actor, "customer.restore").count() == 0
            continue
        assert (binned in in_bin(company, name)) is sees, name


def test_the_bin_is_searched_by_any_part_of_a_name(company):
    binned = company.binned["customer"]
    assert in_bin(company, "lin", search="建记") == {binned}
    assert in_bin(company, "lin", search="记录 误建") == {binned}
    assert in_bin(company, "lin", search="建误") == set()
    assert in_bin(company, "tang", search="误建") == set()


def test_who_views_but_may_not_restore_finds_nothing_in_the_bin(company):
    """唐亮 viewed it before it was deleted; now it looks absent to him."""
    for name in ("tang", "zhao", "chen", "sun", "qian", "he"):
        with pytest.raises(NotFound), by(company, name) as actor:
            actions.restore_record(actor, CUSTOMER, company.binned["customer"], version=2)


def test_what_is_not_in_the_bin_is_neither_restored_nor_purged(company):
    for deed in (
        lambda a: actions.restore_record(a, CUSTOMER, company.customer("qiming"), version=1),
        lambda a: actions.purge_record(a, CUSTOMER, company.customer("qiming"), version=1, reason="x"),
    ):
        with pytest.raises(NotFound), by(company, "wang") as wang:
            deed(wang)


def test_wang_purges_a_customer_with_its_contacts_and_its_opportunity_stays_without_it(
    company, owner_connection
):
    qiming = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.add_member(lin, CUSTOMER, qiming, who=company.people["zhang"], access="read")
        actions.delete_record(lin, CUSTOMER, qiming, version=1)
    with by(company, "wang") as wang:
        actions.purge_record(wang, CUSTOMER, qiming, version=2, reason="测试数据")
    counted = owner_connection.execute(
        "SELECT (SELECT count(*) FROM crm_customer WHERE id = %(n)s),"
        " (SELECT count(*) FROM crm_contact WHERE customer_id = %(n)s),"
        " (SELECT count(*) FROM access_team_member WHERE record_id = %(n)s AND type = 'customer')",
        {"n": qiming},
    ).fetchone()
    assert counted == (0, 0, 0)
    with by(company, "lin") as lin:
        machines = guard.get(lin, "opportunity.view", company.opportunity("machines"))
        assert machines.customer_id is None
    event = last(owner_connection, "customer.purged")
    assert event.reason == "测试数据"
    assert event.data == {"children": {"contact": 2, "opportunity": 1}}


def test_lin_may_restore_and_not_purge(company):
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.purge_record(lin, OPPORTUNITY, company.binned["opportunity"], version=2, reason="x")


def test_a_restore_of_another_version_is_a_conflict(company):
    with pytest.raises(Conflict), by(company, "lin") as lin:
        actions.restore_record(lin, CUSTOMER, company.binned["customer"], version=1)


def test_the_database_shows_the_bin_to_nobody_else(company, connect_as):
    app = connect_as("hufu_app")
    for name, rows in (("lin", 1), ("tang", 0), ("zhao", 0), ("chen", 0), ("qian", 0)):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[name]])
            for table in ("crm_customer", "crm_opportunity", "crm_contact"):
                found = app.execute(f"SELECT count(*) FROM {table} WHERE deleted_at IS NOT NULL").fetchone()
                assert found == (rows,), (name, table)
