"""L11, bulk skips the object check: what is done to many records at once is decided record by record."""

from __future__ import annotations

import pytest

from hufu.access import guard
from hufu.core.errors import Conflict, Refusal
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.imports.edits import edit_many, lock_editable
from hufu.crm.resources import CUSTOMER


def notes(owner_connection, company):
    rows = owner_connection.execute("SELECT id, note FROM crm_customer").fetchall()
    name_of = {number: name for name, number in company.customers.items()}
    return {name_of[number] for number, note in rows if note == "成批" and number in name_of}


def test_of_all_customers_lin_and_wang_change_those_that_they_may_edit(company, owner_connection):
    for name, hers in (
        ("zhao", set()),
        ("lin", {"qiming", "yunhe"}),
        ("wang", {"qiming", "yunhe", "haitian", "nanfang"}),
    ):
        actor = company.actor(name)
        with acting(actor):
            locked = lock_editable(actor, CUSTOMER, company.customers.values())
            edit_many(actor, CUSTOMER, {number: (row, {"note": "成批"}) for number, row in locked.items()})
        assert notes(owner_connection, company) == hers
        owner_connection.execute("UPDATE crm_customer SET note = ''")


def test_a_record_slipped_in_among_others_stops_all_of_them(company, owner_connection):
    """Tang's customer stands among Lin's as an object that nobody locked for her: the database lets none through."""
    lin, li = company.actor("lin"), company.actor("li")
    foreign = company.customer("haitian")
    with acting(li):
        row = guard.get(li, "customer.view", foreign)
    with pytest.raises(Conflict), acting(lin):
        locked = lock_editable(lin, CUSTOMER, [company.customer("qiming"), foreign])
        assert set(locked) == {company.customer("qiming")}
        every = {
            **{number: (each, {"note": "成批"}) for number, each in locked.items()},
            foreign: (row, {"note": "成批"}),
        }
        edit_many(lin, CUSTOMER, every)
    assert notes(owner_connection, company) == set()


def test_records_entered_together_are_each_placed_where_the_one_who_enters_them_may(
    company, owner_connection
):
    lin = company.actor("lin")
    mine = actions.NewRecord(company.partitions["sh"], lin.user_id, {"name": "自己的", "stage": "won"})
    others = actions.NewRecord(
        company.partitions["sh"], company.people["tang"], {"name": "别人的", "stage": "won"}
    )
    elsewhere = actions.NewRecord(company.partitions["sz"], lin.user_id, {"name": "墙外的", "stage": "won"})
    for wrong in (others, elsewhere):
        with pytest.raises(Refusal), acting(lin):
            actions.create_many(lin, CUSTOMER, [mine, wrong])
    entered = owner_connection.execute("SELECT count(*) FROM crm_customer WHERE name = '自己的'").fetchone()[
        0
    ]
    assert entered == 0
