"""The related team, transfer with its choices, and the move to another partition, as pages."""

from __future__ import annotations

import psycopg
import pytest

from hufu.access import principals
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.resources import CUSTOMER
from tests.company import CUSTOMERS, Company
from tests.web.conftest import Visit
from tests.web.log import entries

QIMING = CUSTOMERS["qiming"][0]


def members(connection: psycopg.Connection, number: int) -> dict[int, str]:
    """Return the team of a customer."""
    return dict(
        connection.execute(
            "SELECT user_id, access FROM access_team_member WHERE type = 'customer' AND record_id = %s",
            [number],
        ).fetchall()
    )


def test_a_colleague_joins_sees_the_record_changes_and_leaves(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number, zhang = company.customer("qiming"), company.people["zhang"]
    page, lin = f"/customers/{number}/team", visit("lin")
    assert visit("zhang").get(page).status_code == 404
    joined = lin.post(
        f"{page}/add", {"who": str(zhang), "access": "read", "role": "售前"}, follow=True
    ).content.decode()
    assert "张伟 is in the team." in joined
    assert "售前" in joined
    seen = visit("zhang").get(page).content.decode()
    assert QIMING in seen
    assert "Leave the team" in seen
    assert "Take into the team" not in seen
    lin.post(f"{page}/add", {"who": str(zhang), "access": "edit"})
    assert members(owner_connection, number) == {zhang: "edit"}
    left = visit("zhang").post(f"{page}/remove", {"who": str(zhang)}, follow=True)
    assert left.redirect_chain == [("/customers/", 302)]
    assert visit("zhang").get(page).status_code == 404
    assert members(owner_connection, number) == {}


def test_lin_is_told_where_there_was_nobody_in_the_team_and_no_share(company: Company, visit: Visit) -> None:
    lin, zhang = visit("lin"), str(company.people["zhang"])
    customer, other = (f"/customers/{company.customer(name)}" for name in ("qiming", "haitian"))
    for form in ({"who": zhang}, {"who": "987654"}, {"who": str(company.people["lin"])}):
        said = lin.post(f"{customer}/team/remove", form, follow=True).content.decode()
        assert "There was nothing to end." in said
        assert "Taken out" not in said
        assert "You left" not in said
    with acting(company.actor("lin")) as unit:
        share = actions.share_record(
            unit.actor,
            CUSTOMER,
            company.customer("qiming"),
            to=principals.read(f"user:{zhang}"),
            access="read",
            reason="x",
        )
    # A share of another record, and one that is not there; the same answer.
    said = lin.post(f"{customer}/share/end", {"share": "987654"}, follow=True).content.decode()
    assert "There was nothing to end." in said
    for _ in range(2):
        ended = lin.post(f"{other}/share/end", {"share": str(share)}, follow=True)
        assert "has ended" not in ended.content.decode()
    for expected in ("The share has ended.", "There was nothing to end."):
        assert (
            expected in lin.post(f"{customer}/share/end", {"share": str(share)}, follow=True).content.decode()
        )


@pytest.mark.parametrize(
    ("who", "access", "said"),
    [
        ("sun", "read", "not admitted"),
        ("zheng", "read", "closed"),
        ("chen", "edit", "not with the right to edit"),
        ("lin", "read", "Nobody gives rights to themselves."),
        ("tang", "own", "Choose whether they may view or also edit."),
        ("nobody", "read", "Choose a colleague."),
    ],
)
def test_who_cannot_join_is_told_in_the_form(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, who: str, access: str, said: str
) -> None:
    number = company.customer("qiming")
    form = {"who": str(company.people.get(who, "")), "access": access, "role": "售前"}
    answer = visit("lin").post(f"/customers/{number}/team/add", form)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert said in page
    assert 'value="售前"' in page
    assert members(owner_connection, number) == {}


@pytest.mark.parametrize("former", ["", "read", "edit"])
@pytest.mark.parametrize("keeps", [True, False])
def test_a_transfer_keeps_what_is_chosen(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, former: str, keeps: bool
) -> None:
    number = company.customer("qiming")
    form = {"to": str(company.people["zhang"]), "reason": "调岗", "version": "1"}
    form |= {"former_owner": former, "keep_department": "1" if keeps else ""}
    assert visit("wang").post(f"/customers/{number}/transfer", form).status_code == 302
    stored = owner_connection.execute(
        "SELECT owner_id, department_id FROM crm_customer WHERE id = %s", [number]
    ).fetchone()
    department = company.departments["east" if keeps else "south"]
    assert stored == (company.people["zhang"], department)
    assert members(owner_connection, number) == ({company.people["lin"]: former} if former else {})


def test_a_choice_that_is_none_is_told_and_nothing_is_transferred(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.customer("qiming")
    form = {"to": str(company.people["zhang"]), "reason": "调岗", "version": "1", "former_owner": "own"}
    answer = visit("wang").post(f"/customers/{number}/transfer", form)
    assert answer.status_code == 200
    assert "field-problem" in answer.content.decode()
    assert entries(owner_connection, "customer.transferred") == []


def test_a_move_names_an_owner_who_is_admitted_there(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number, client = company.customer("qiming"), visit("li")
    address = f"/customers/{number}/move"
    form = {"partition": str(company.partitions["sz"]), "reason": "划转", "version": "1", "owner": ""}
    refused = client.post(address, form)
    assert refused.status_code == 200
    assert "Choose an owner who is active and admitted to that partition" in refused.content.decode()
    for wrong in (str(company.partitions["sh"]), "99", ""):
        assert "field-problem" in client.post(address, {**form, "partition": wrong}).content.decode()
    assert (
        client.post(address, {**form, "owner": str(company.people["sun"]), "version": "7"}).status_code == 409
    )
    moved = client.post(address, {**form, "owner": str(company.people["sun"])}, follow=True)
    assert "was moved" in moved.content.decode()
    assert owner_connection.execute(
        "SELECT partition_id, owner_id FROM crm_customer WHERE id = %s", [number]
    ).fetchone() == (company.partitions["sz"], company.people["sun"])
    assert visit("lin").get(f"/customers/{number}/").status_code == 404
    assert QIMING in visit("sun").get(f"/customers/{number}/").content.decode()


def test_a_new_contact_follows_the_customer_whose_page_one_came_from(company: Company, visit: Visit) -> None:
    number, client = company.customer("qiming"), visit("lin")
    tab = f"/customers/{number}/contacts"
    assert f"/contacts/new?customer={number}" in client.get(tab).content.decode()
    answer = client.post(f"/contacts/new?customer={number}", {"name": "钱经理"}, follow=True)
    assert answer.redirect_chain == [(tab, 302)]
    assert "钱经理" in answer.content.decode()
    assert "contacts/new" not in visit("tang").get(tab).content.decode()
    for who, status in {"tang": 403, "zhang": 404}.items():
        assert visit(who).get(f"/contacts/new?customer={number}").status_code == status


def test_a_new_opportunity_begins_with_the_customer_that_the_address_names_if_it_may_be_viewed(
    company: Company, visit: Visit
) -> None:
    named = f"/opportunities/new?customer={company.customer('qiming')}"
    assert QIMING in visit("lin").get(named).content.decode()
    for address in (named, "/opportunities/new?customer=987654", "/opportunities/new?customer=x"):
        page = visit("zhang").get(address).content.decode()
        assert QIMING not in page
        assert "Keep what is there" not in page
