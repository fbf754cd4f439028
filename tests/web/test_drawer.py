"""The drawer: the main facts of a record beside a list, and its stage changed there."""

from __future__ import annotations

import psycopg
import pytest

from tests.company import CUSTOMERS, Company
from tests.sealed import opened
from tests.web.conftest import Visit
from tests.web.log import entries

FRAGMENT = {"HX-Request": "true"}


def test_a_look_beside_the_list_shows_what_the_page_shows_and_is_a_view(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    for who, phone in {"lin": "138 0000 6621", "tang": "138****6621"}.items():
        part = visit(who).get(f"/customers/{number}/drawer", headers=FRAGMENT).content.decode()
        assert "<html" not in part
        assert CUSTOMERS["qiming"][0] in part
        assert phone in part
    assert [event.target for event in entries(owner_connection, "customer.viewed")] == [
        ("customer", number)
    ] * 2


def test_only_those_who_may_edit_get_the_stage_to_choose(company: Company, visit: Visit) -> None:
    address = f"/customers/{company.customer('qiming')}/drawer"
    for who, may in {"lin": True, "wang": True, "tang": False, "chen": False, "zhou": False}.items():
        assert ('name="stage"' in visit(who).get(address).content.decode()) is may, who


def test_the_stage_changes_by_the_deed_of_the_form_and_the_row_with_it(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    answer = visit("lin").post(
        f"/customers/{number}/stage", {"stage": "won", "version": "1"}, headers=FRAGMENT
    )
    part = answer.content.decode()
    assert answer.status_code == 200
    assert "Stage changed." in part
    assert f'id="row-{number}"' in part
    assert 'hx-swap-oob="true"' in part
    [event] = entries(owner_connection, "customer.changed")
    assert event.data["changes"] == {"stage": {"before": "following", "after": "won"}}


def test_a_conflict_is_told_in_the_drawer_and_nothing_is_overwritten(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    address = f"/customers/{number}/stage"
    assert visit("wang").post(address, {"stage": "lost", "version": "1"}).status_code == 302
    answer = visit("lin").post(address, {"stage": "won", "version": "1"}, headers=FRAGMENT)
    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#drawer-body"
    part = answer.content.decode()
    assert "Somebody else changed this record" in part
    assert 'name="version" value="2"' in part
    stored = owner_connection.execute("SELECT stage FROM crm_customer WHERE id = %s", [number]).fetchone()
    assert stored == ("lost",)


@pytest.mark.parametrize("stage", ["", "nonsense", "prospecting", "\0"])
def test_a_stage_that_is_none_is_told_in_the_drawer(company: Company, visit: Visit, stage: str) -> None:
    answer = visit("lin").post(
        f"/customers/{company.customer('qiming')}/stage", {"stage": stage, "version": "1"}, headers=FRAGMENT
    )
    assert answer.status_code == 400
    assert answer["HX-Retarget"] == "#drawer-body"
    assert 'role="alert"' in answer.content.decode()


def test_no_other_field_is_changed_by_way_of_the_stage(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    form = {
        "stage": "won",
        "version": "1",
        "name": "改名",
        "owner": str(company.people["tang"]),
        "phone": "1",
    }
    assert visit("lin").post(f"/customers/{number}/stage", form, headers=FRAGMENT).status_code == 200
    row = owner_connection.execute(
        "SELECT name, owner_id, phone FROM crm_customer WHERE id = %s", [number]
    ).fetchone()
    assert row is not None
    assert row[:2] == (CUSTOMERS["qiming"][0], company.people["lin"])
    assert opened(row[2], "crm_customer.phone") == "13800006621"
