"""A right that is taken away between the check of a deed and its writing is refused like one that was never there.

何明's part is a connection of its own, which commits in the moment before the deed's first writing statement is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from hufu.access import actions as access
from hufu.access import guard
from hufu.access.models import Assignment
from hufu.core.errors import Denied, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.imports.edits import edit_many
from hufu.crm.resources import CUSTOMER
from tests.company import Company, unpublish
from tests.web.conftest import Visit
from tests.web.log import entries

WITHOUT_ROLE = "DELETE FROM access_assignment WHERE level_id IS NOT NULL"
WITHOUT_EDIT = "DELETE FROM access_grant WHERE permission = 'customer.edit'"
# Form, statement that writes, and what she is told where she lost her role, or this one permission alone.
DEEDS = {
    "edit": ({"name": "改名", "stage": "won", "version": "1"}, 'UPDATE "crm_customer"', 404),
    "transfer": ({"to": "{tang}", "reason": "x", "version": "1"}, "SELECT hufu.transfer_crm_customer", 404),
    "delete": ({"version": "1"}, "SELECT hufu.bin_crm_customer", 404),
    "create": ({"name": "新客户", "stage": "won"}, 'INSERT INTO "crm_customer"', 403),
}

DONE = ("customer.created", "customer.changed", "customer.deleted", "customer.transferred")


@contextmanager
def just_before(statement: str, meanwhile: Callable[[], object]) -> Iterator[list[str]]:
    """Do something on another connection before the first statement that begins so; the value says that it came."""
    came: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(statement) and not came:
            came.append(sql)
            meanwhile()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield came


def send(client: Client, company: Company, deed: str) -> Any:
    form, _statement, _status = DEEDS[deed]
    sent = {name: value.format(tang=company.people["tang"]) for name, value in form.items()}
    number = company.customer("qiming")
    return client.post("/customers/new" if deed == "create" else f"/customers/{number}/{deed}", sent)


def customers(owner: psycopg.Connection) -> list[Any]:
    return owner.execute("SELECT to_jsonb(c) FROM crm_customer c ORDER BY id").fetchall()


@pytest.mark.parametrize("deed", DEEDS)
def test_lin_who_loses_her_role_between_check_and_deed_is_refused(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, deed: str
) -> None:
    _form, statement, status = DEEDS[deed]
    before, lin = customers(owner_connection), visit("lin")
    done = entries(owner_connection, *DONE)
    with just_before(statement, lambda: owner_connection.execute(WITHOUT_ROLE)) as came:
        answer = send(lin, company, deed)
    assert came
    assert answer.status_code == status
    assert customers(owner_connection) == before
    [refused] = entries(owner_connection, "access.refused")
    number = company.customer("qiming")
    assert refused.result == "refused"
    assert refused.data["permission"] == f"customer.{deed}"
    assert refused.data["method"] == "POST"
    assert refused.data["path"].endswith("new" if deed == "create" else deed)
    assert refused.target == (None if deed == "create" else ("customer", number))
    assert entries(owner_connection, *DONE) == done
    # It is what she is told from now on.
    assert send(lin, company, deed).status_code == status


@pytest.mark.parametrize("deed", DEEDS)
def test_who_loses_this_permission_alone_is_told_so(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, deed: str
) -> None:
    unpublish(owner_connection)
    _form, statement, _status = DEEDS[deed]
    taken = f"DELETE FROM access_grant WHERE permission = 'customer.{deed}'"
    with just_before(statement, lambda: owner_connection.execute(taken)) as came:
        answer = send(visit("lin"), company, deed)
    assert came
    assert answer.status_code == 403
    assert b"You may not do this" in answer.content
    [refused] = entries(owner_connection, "access.refused")
    assert (refused.data["permission"], refused.reason) == (f"customer.{deed}", "no_grant")


def test_who_creates_in_a_partition_that_is_closed_meanwhile_is_refused(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    closed = "DELETE FROM access_admission WHERE partition_id = %s AND department_id IS NOT NULL"
    with just_before(
        'INSERT INTO "crm_customer"',
        lambda: owner_connection.execute(closed, [company.partitions["sh"]]),
    ) as came:
        answer = send(visit("lin"), company, "create")
    assert came
    assert answer.status_code == 403
    [refused] = entries(owner_connection, "access.refused")
    assert refused.data["permission"] == "customer.create"


@pytest.mark.parametrize(("taken", "refusal"), [(WITHOUT_ROLE, NotFound), (WITHOUT_EDIT, Denied)])
def test_an_import_is_refused_like_a_page(
    company: Company, owner_connection: psycopg.Connection, taken: str, refusal: type[Exception]
) -> None:
    unpublish(owner_connection)
    number, lin = company.customer("qiming"), company.actor("lin")
    before = customers(owner_connection)
    with (
        just_before("UPDATE crm_customer AS r", lambda: owner_connection.execute(taken)) as came,
        pytest.raises(refusal),
        acting(lin),
    ):
        row = guard.get(lin, "customer.edit", number)
        edit_many(lin, CUSTOMER, {number: (row, {"name": "改名"})})
    assert came
    assert customers(owner_connection) == before
    [refused] = entries(owner_connection, "access.refused")
    assert refused.data == {"permission": "customer.edit"}


def test_a_deed_outside_of_pages_is_refused_in_the_same_words(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    number, lin = company.customer("qiming"), company.actor("lin")
    with (
        just_before("SELECT hufu.join_crm", lambda: owner_connection.execute(WITHOUT_ROLE)),
        pytest.raises(NotFound, match="may not view it"),
        acting(lin),
    ):
        actions.add_member(lin, CUSTOMER, number, who=company.people["zhang"], access="read")
    assert len(entries(owner_connection, "access.refused")) == 1


def test_he_who_gives_roles_no_longer_takes_none_back(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    he = company.actor("he")
    lose = "DELETE FROM access_assignment WHERE user_id = %s"
    with (
        just_before(
            'DELETE FROM "access_assignment"',
            lambda: owner_connection.execute(lose, [company.people["he"]]),
        ) as came,
        pytest.raises(Denied),
        acting(he),
    ):
        access.end_assignment(he, Assignment.objects.filter(level__isnull=False).first(), reason="x")
    assert came
    assert entries(owner_connection, "role.unassigned") == []
    assert owner_connection.execute(
        "SELECT count(*) > 0 FROM access_assignment WHERE level_id IS NOT NULL"
    ).fetchone() == (True,)


def test_what_was_never_granted_to_the_application_stays_a_failure(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("REVOKE UPDATE ON crm_customer FROM hufu_app")
    lin = visit("lin")
    lin.raise_request_exception = False
    assert send(lin, company, "edit").status_code == 500
    assert entries(owner_connection, "access.refused") == []


def test_a_conflict_stays_one_where_no_right_was_lost(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    changed = "UPDATE crm_customer SET lock_version = 2 WHERE id = %s"
    with just_before(
        'UPDATE "crm_customer"',
        lambda: owner_connection.execute(changed, [company.customer("qiming")]),
    ) as came:
        answer = send(visit("lin"), company, "edit")
    assert came
    assert answer.status_code == 409
    assert entries(owner_connection, "access.refused") == []
