"""`hufu count`: exactly what the person's own list holds, asked as that person."""

from __future__ import annotations

import pytest

from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.staffing import actions


def test_everybody_is_counted_what_they_see(hufu, company, customer):
    for name, number in (("li", 1), ("wang", 1), ("chen", 0), ("zhao", 0)):
        said = hufu("count", "customer.view", "--as", name, "--json")
        assert (said.code, said.out, said.err) == (0, f'{{"count": {number}}}\n', ""), name
    assert hufu("count", "customer.edit", "--as", "wang").out == "1\n"
    assert hufu("count", "customer.delete", "--as", "wang").out == "0\n"


def test_somebody_suspended_gets_0_and_a_note(hufu, company, customer):
    operator = Actor.operator()
    with acting(operator):
        actions.change_users(operator, {company["li"].id: {"status": "suspended"}})
    said = hufu("count", "customer.view", "--as", "li", "--json")
    assert (said.code, said.json) == (0, {"count": 0})
    assert "The account of 李一 is suspended or has left" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("customers.view", "--as", "li"), "Did you mean: customer.view"),
        (("audit.view", "--as", "zhao"), "nothing to count"),
        (("customer.create", "--as", "li"), "nothing to count"),
        (("customer.view", "--as", ""), "There is no account"),
        (("customer.view",), "--as"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_2_and_leaves_no_event(hufu, company, events, words, told):
    said = hufu("count", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert not events("access.asked")


def test_the_operator_asked_not_the_person(hufu, company, events, connect_as):
    hufu("count", "customer.view", "--as", "wang")
    (event,) = events("access.asked")
    assert event["data"] == {"question": "count", "permission": "customer.view", "record": None}
    owner = connect_as("hufu_owner")
    kind = owner.execute("SELECT kind FROM audit_subject WHERE pseudonym = %s", [event["actor"]]).fetchone()
    assert kind == ("system",)
    assert not events("customer.listed")
