"""The pages of lists: their columns, what a row leads to, and how many queries they take."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from tests.company import Company
from tests.web.conftest import Visit


def headings(page: str) -> list[str]:
    """Return the headings of the columns."""
    found = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", heading)).strip() for heading in found]


def row_of(page: str, number: int) -> str:
    """Return the row of a record."""
    found = re.search(rf'<tr role="row" id="row-{number}".*?</tr>', page, re.DOTALL)
    assert found is not None
    return found.group()


def queries_of(client: Client, address: str) -> int:
    """Return how many queries a page takes when it is opened again."""
    assert client.get(address).status_code == 200
    with CaptureQueriesContext(
        connection,
    ) as taken:
        assert client.get(address).status_code == 200
    return len(taken)


@pytest.mark.parametrize(
    "address", ["/customers/", "/opportunities/", "/palette/?q=s", "/", "/people/", "/roles/given/"]
)
def test_a_page_takes_as_many_queries_for_five_records_as_for_fifty(
    company: Company, visit: Visit, address: str
) -> None:
    who = {"/people/": "feng", "/roles/given/": "he"}.get(address, "li")
    client = visit(who)
    client.get(address)
    few = queries_of(client, address)
    wang = company.actor("wang")
    with acting(wang):
        customers = crm.create_many(
            wang,
            CUSTOMER,
            [
                crm.NewRecord(
                    company.partitions["sh"],
                    company.people[owner],
                    {"name": f"上海新客户{number}", "stage": "new", "phone": "13500001234"},
                )
                for number in range(30)
                for owner in ("lin", "tang")
            ],
        )
        crm.create_many(
            wang,
            OPPORTUNITY,
            [
                crm.NewRecord(
                    company.partitions["sh"],
                    company.people["lin"],
                    {
                        "name": f"商机{number}",
                        "stage": "proposal",
                        "customer": number,
                        "expected_close": localdate() + timedelta(days=3),
                    },
                )
                for number in customers
            ],
        )
    assert queries_of(client, address) == few


def test_what_a_list_can_be_narrowed_to_is_asked_for_when_the_panel_opens(
    company: Company, visit: Visit
) -> None:
    east = company.departments["east"]
    address = f"?department={east}&stage=following&q=上海&sort=name"
    client = visit("wang")
    shown = client.get(f"/customers/{address}").content.decode()
    assert "Department: 华东" in shown
    # A company may have hundreds of departments: of these the list names those that are chosen.
    assert "华南" not in shown
    panel = client.get(f"/customers/filters{address}").content.decode()
    assert f'<option value="{east}" selected>' in panel
    assert "华南" in panel
    assert 'value="following" checked' in panel
    assert '<input type="hidden" name="q" value="上海">' in panel
    assert '<input type="hidden" name="sort" value="name">' in panel


def test_columns_are_those_that_this_browser_chose_and_unknown_names_are_none(
    company: Company, visit: Visit
) -> None:
    client = visit("lin")
    assert headings(client.get("/customers/").content.decode()) == [
        *("Customer name", "Customer level", "Stage", "Phone", "Industry", "Owner", "Next step", "Updated"),
        "Actions",
    ]
    client.cookies["hufu_columns_customer"] = "partition.region.password.name.owner__password.note"
    assert headings(client.get("/customers/").content.decode()) == [
        "Customer name",
        "Region",
        "Partition",
        "Actions",
    ]
    client.cookies["hufu_columns_customer"] = "nonsense.."
    assert len(headings(client.get("/customers/").content.decode())) == 9


def test_a_chosen_column_shows_nothing_that_the_person_may_not_read(company: Company, visit: Visit) -> None:
    client = visit("lin")
    client.cookies["hufu_columns_customer"] = "phone"
    page = client.get("/customers/").content.decode()
    assert "138 0000 6621" in row_of(page, company.customer("qiming"))
    assert "139****1111" in row_of(page, company.customer("haitian"))
    assert "13900001111" not in page


def test_a_row_calls_only_a_number_that_may_be_read(company: Company, visit: Visit) -> None:
    page = visit("lin").get("/customers/").content.decode()
    assert 'href="tel:13800006621"' in row_of(page, company.customer("qiming"))
    for name in ("yunhe", "haitian"):
        assert "tel:" not in row_of(page, company.customer(name)), "there is none, or it is masked"
    assert "tel:" not in visit("chen").get("/customers/").content.decode()


def test_a_row_offers_editing_to_those_who_may_and_a_look_to_everybody(
    company: Company, visit: Visit
) -> None:
    mine, theirs = company.customer("qiming"), company.customer("haitian")
    page = visit("lin").get("/customers/").content.decode()
    assert f'href="/customers/{mine}/edit"' in row_of(page, mine)
    assert "/edit" not in row_of(page, theirs)
    assert "Follow up" not in row_of(page, theirs)
    for number in (mine, theirs):
        assert f'hx-get="/customers/{number}/drawer"' in row_of(page, number)


def test_the_next_step_is_of_an_open_opportunity_that_the_person_may_view(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number, deal = company.customer("qiming"), company.opportunity("machines")
    plan = "UPDATE crm_opportunity SET expected_close = %s, stage = %s WHERE id = %s"
    owner_connection.execute(plan, [localdate() + timedelta(days=9), "proposal", deal])
    for who, sees in {"lin": True, "wang": True, "chen": True, "zhou": False}.items():
        page = visit(who).get("/customers/").content.decode()
        assert ("启明数控机床项目" in row_of(page, number)) is sees, who
    owner_connection.execute(plan, [localdate() - timedelta(days=1), "proposal", deal])
    assert "is-overdue" in row_of(visit("lin").get("/customers/").content.decode(), number)
    owner_connection.execute(plan, [localdate(), "won", deal])
    assert "启明数控机床项目" not in visit("lin").get("/customers/").content.decode()
