"""L24, pooled connection: the identity of one request never survives into the next one on the same connection."""

from __future__ import annotations

import re

import pytest
from django.db import DataError, connection, transaction

from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Denied, Invalid
from hufu.core.transaction import acting, current_actor, current_unit
from hufu.crm import actions
from hufu.crm.resources import CUSTOMER

TABLES = ("crm_customer", "crm_opportunity", "access_term", "access_role")


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def assert_nobody_acts():
    assert current_actor() is None
    with pytest.raises(RuntimeError):
        current_unit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.actor()")
        assert cursor.fetchone() == (None,)
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), table


def in_the_end(company, end):
    """Let 李强 act, and end in some way."""
    li = company.actor("li")
    with acting(li):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM crm_customer WHERE deleted_at IS NULL")
            assert cursor.fetchone() == (5,)
        if end == "refusal":
            actions.create_record(li, CUSTOMER, actions.NewRecord(99, 99, {"name": "x", "stage": "new"}))
        if end == "invalid":
            raise Invalid({"": ["x"]})
        if end == "conflict":
            raise Conflict("x")
        if end == "accident":
            raise ZeroDivisionError
        if end == "error of the database":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1/0")
        if end == "rollback asked for":
            transaction.set_rollback(True)


ENDS = {
    "well": None,
    "refusal": Denied,
    "invalid": Invalid,
    "conflict": Conflict,
    "accident": ZeroDivisionError,
    "error of the database": DataError,
    "rollback asked for": None,
}


def live_through(company, end):
    """Let 李强 act to that end, and see that it was the one."""
    if ENDS[end] is None:
        in_the_end(company, end)
    else:
        with pytest.raises(ENDS[end]):
            in_the_end(company, end)


@pytest.mark.parametrize("end", ENDS)
def test_whatever_the_end_nobody_acts_afterwards_on_the_same_connection(company, end):
    assert_nobody_acts()
    before = backend()
    live_through(company, end)
    assert_nobody_acts()
    assert backend() == before, "the connection is the same one"


@pytest.mark.parametrize("end", ENDS)
def test_the_next_one_to_act_sees_their_own(company, end):
    live_through(company, end)
    for name, seen in (("sun", 1), ("qian", 0), ("zheng", 0), ("lin", 3)):
        with acting(company.actor(name)), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM crm_customer WHERE deleted_at IS NULL")
            assert cursor.fetchone() == (seen,)


def test_a_transaction_has_one_actor(company):
    with acting(company.actor("qian")):
        with pytest.raises(RuntimeError), acting(company.actor("li")):
            pass
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.actor()")
            assert cursor.fetchone() == (company.people["qian"],)


def test_nobody_acts_after_somebody_whose_account_is_closed(company):
    with acting(company.actor("li")):
        pass
    with acting(company.actor("zheng")), connection.cursor() as cursor:
        cursor.execute("SELECT hufu.actor()")
        assert cursor.fetchone() == (None,)
    with acting(Actor(0, "")), connection.cursor() as cursor:
        cursor.execute("SELECT hufu.actor()")
        assert cursor.fetchone() == (None,)


def shown(answer):
    return len(set(re.findall(r"/customers/(\d+)/", answer.content.decode())))


def test_requests_of_many_people_on_one_connection_keep_apart(company, sign_in):
    clients = {name: sign_in(name) for name in ("li", "sun", "lin", "qian", "zhang", "wu")}
    seen = {"li": 5, "sun": 1, "lin": 3, "qian": 0, "zhang": 1, "wu": 0}
    before = backend()
    for _round in range(3):
        for name, client in clients.items():
            assert shown(client.get("/customers/")) == seen[name]
            assert_nobody_acts()
    assert backend() == before


@pytest.mark.parametrize(
    ("method", "path", "form", "status"),
    [
        ("get", "/customers/", {}, 200),
        ("get", "/customers/987654/", {}, 404),
        ("get", "/log/", {}, 403),
        ("get", "/customers/", {"phone": "1"}, 400),
        ("post", "/customers/{pengcheng}/edit", {"version": "7", "name": "x", "stage": "new"}, 409),
        ("post", "/customers/new", {"name": ""}, 200),
        ("get", "/no/such/page", {}, 404),
    ],
)
def test_an_answer_of_every_kind_leaves_nobody_behind(company, sign_in, method, path, form, status):
    client, visitor, sun = sign_in("li"), sign_in(None), sign_in("sun")
    path = path.format(pengcheng=company.customer("pengcheng"))
    if status == 409:
        client = sun
    before = backend()
    assert getattr(client, method)(path, form).status_code == status
    assert_nobody_acts()
    assert visitor.get("/customers/").status_code == 302
    assert_nobody_acts()
    assert shown(sun.get("/customers/")) == 1
    assert backend() == before


def test_an_accident_in_a_view_leaves_nobody_behind(company, sign_in, monkeypatch):
    from hufu.crm import queries

    client, sun = sign_in("li"), sign_in("sun")

    def accident(*_arguments, **_named):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(queries, "record", accident)
        assert client.get("/customers/").status_code == 500
    assert_nobody_acts()
    assert shown(sun.get("/customers/")) == 1


def test_signing_out_and_in_again_as_somebody_else_changes_what_is_shown(company, sign_in):
    from hufu.people.models import User
    from tests.leaks.conftest import BACKEND

    client = sign_in("li")
    assert shown(client.get("/customers/")) == 5
    client.post("/accounts/logout/")
    assert client.get("/customers/").status_code == 302
    client.force_login(User.objects.get(pk=company.people["sun"]), backend=BACKEND)
    assert shown(client.get("/customers/")) == 1
