"""The security administrator finds out why somebody cannot, and who could, without reading documents."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils.timezone import localdate
from playwright.sync_api import expect

from hufu.core import clock
from tests.browser.conftest import Open
from tests.company import Company

pytestmark = pytest.mark.browser


def test_he_finds_out_why_chen_cannot_edit_from_the_menu(unharmed: Company, open_as: Open) -> None:
    page = open_as("he", "/")
    page.get_by_role("link", name="Answers").click()
    page.get_by_role("searchbox", name="Person: Find a colleague").fill("chen")
    page.get_by_role("radio", name="陈静").check()
    page.get_by_label("May they…").select_option("customer.edit")
    page.get_by_role("textbox", name="Record").fill(str(unharmed.customer("qiming")))
    page.get_by_role("button", name="Find out").click()
    expect(page.get_by_role("heading", name="No: 陈静 may not: Edit customers.")).to_be_visible()
    expect(page.get_by_text("No role of 陈静 grants “Edit customers”.")).to_be_visible()
    page.get_by_role("link", name="All rights of 陈静").click()
    page.get_by_role("link", name="Edit customers: None").click()
    expect(page.locator("#source")).to_contain_text("No role of 陈静 grants it.")
    page.get_by_role("link", name="View customers: Everything").click()
    expect(page.locator("#source")).to_contain_text("holds role “客服代表”")


def test_who_could_see_a_customer_last_month(
    company: Company, open_as: Open, owner_connection: psycopg.Connection
) -> None:
    past = clock.now() - timedelta(days=40)
    owner_connection.execute("UPDATE access_change SET at = %s", [past])
    owner_connection.execute("ALTER TABLE crm_customer DISABLE TRIGGER USER")
    owner_connection.execute("UPDATE crm_customer SET valid_from = %s", [past])
    owner_connection.execute("ALTER TABLE crm_customer ENABLE TRIGGER USER")
    day = (localdate() - timedelta(days=30)).isoformat()
    page = open_as("he", "/access/why/")
    page.get_by_role("link", name="Who can see it").click()
    page.get_by_label("Number of the record").fill(str(company.customer("qiming")))
    page.get_by_label("As of").fill(day)
    page.get_by_role("button", name="Find out").click()
    expect(page.get_by_text(f"As of {day}, not as of today.")).to_be_visible()
    expect(page.get_by_text("7 people could")).to_be_visible()
    page.get_by_role("link", name="唐亮").click()
    expect(page.get_by_role("heading", name="Yes: 唐亮 may: View customers.")).to_be_visible()


def test_a_refused_deed_leads_to_its_reason_and_to_a_request(unharmed: Company, open_as: Open) -> None:
    page = open_as("zhao", f"/customers/{unharmed.customer('qiming')}/edit")
    page.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("heading", name="No: 赵敏 may not: Edit customers.")).to_be_visible()
    page.get_by_role("link", name="Ask for: Edit customers").click()
    expect(page.get_by_role("heading", name="Ask for access")).to_be_visible()
