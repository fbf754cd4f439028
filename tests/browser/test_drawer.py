"""The drawer and the arrangement of lists in Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.company import CUSTOMERS, Company

pytestmark = pytest.mark.browser
QIMING = CUSTOMERS["qiming"][0]


def look(page: Page, name: str) -> None:
    """Open the drawer of a customer."""
    page.get_by_role("button", name=f"Quick view {CUSTOMERS[name][0]}").click()
    expect(page.get_by_role("dialog", name=CUSTOMERS[name][0])).to_be_visible()


def test_a_look_beside_the_list_gives_the_focus_back_and_stays_after_a_reload(
    company: Company, open_as: Open
) -> None:
    page = open_as("lin", "/customers/?sort=name")
    look(page, "qiming")
    expect(page).to_have_url(re.compile(r"/customers/\?sort=name#open-"))
    page.reload()
    drawer = page.get_by_role("dialog", name=QIMING)
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.get_by_role("button", name=f"Quick view {QIMING}")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/customers/\?sort=name$"))
    look(page, "yunhe")
    page.mouse.click(100, 400)
    expect(page.get_by_role("dialog")).to_have_count(0)
    look(page, "qiming")
    page.get_by_role("link", name="Open the page").click()
    expect(page).to_have_url(re.compile(rf"/customers/{company.customer('qiming')}/$"))


def test_a_stage_changed_in_the_drawer_stands_in_the_row_at_once(company: Company, open_as: Open) -> None:
    page = open_as("lin", "/customers/")
    row = page.get_by_role("row", name=re.compile(QIMING))
    expect(row).to_contain_text("Following up")
    look(page, "qiming")
    page.get_by_role("combobox", name="Stage").select_option("Won")
    page.get_by_role("button", name="Change stage").click()
    expect(page.get_by_role("status").filter(has_text="Stage changed.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(row).to_contain_text("Won")
    row.get_by_role("button", name=re.compile("Quick view")).click()
    expect(page.get_by_role("dialog", name=QIMING)).to_contain_text("Won")


def test_a_conflict_is_told_in_the_drawer(company: Company, open_as: Open) -> None:
    mine, theirs = open_as("lin", "/customers/"), open_as("wang", "/customers/")
    look(mine, "qiming")
    look(theirs, "qiming")
    theirs.get_by_role("combobox", name="Stage").select_option("Lost")
    theirs.get_by_role("button", name="Change stage").click()
    expect(theirs.get_by_text("Stage changed.")).to_be_visible()
    mine.get_by_role("combobox", name="Stage").select_option("Won")
    mine.get_by_role("button", name="Change stage").click()
    expect(mine.get_by_role("alert")).to_contain_text("Nothing was overwritten")
    expect(mine.get_by_role("combobox", name="Stage")).to_have_value("lost")
    mine.get_by_role("combobox", name="Stage").select_option("Won")
    mine.get_by_role("button", name="Change stage").click()
    expect(mine.get_by_text("Stage changed.")).to_be_visible()


def test_a_record_that_was_taken_away_meanwhile_is_told_on_the_page(company: Company, open_as: Open) -> None:
    page, other = open_as("tang", "/customers/"), open_as("lin", "/customers/")
    look(other, "qiming")
    other.get_by_role("button", name="Delete").click()
    other.get_by_role("dialog").last.get_by_role("button", name="Delete").click()
    expect(other.get_by_role("status")).to_contain_text("Customer deleted.")
    page.get_by_role("button", name=f"Quick view {QIMING}").click()
    expect(page.get_by_role("heading", name=re.compile("There is no such page"))).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_columns_and_density_are_kept_by_this_browser(open_as: Open) -> None:
    page = open_as("wang", "/customers/")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("radio", name="Compact").check()
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    page.get_by_role("checkbox", name="Industry").uncheck()
    page.get_by_role("checkbox", name="Region").check()
    page.locator(".columns-panel").get_by_role("button", name="Show").click()
    expect(page.get_by_role("columnheader", name="Region")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Industry")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="As usual").click()
    expect(page.get_by_role("columnheader", name="Industry")).to_be_visible()


def test_on_a_phone_a_card_calls_and_leads_on_and_its_buttons_are_large(
    company: Company, open_as: Open
) -> None:
    page = open_as("lin", "/customers/", phone=True)
    card = page.get_by_role("row", name=re.compile(QIMING))
    call = card.get_by_role("link", name=re.compile("Call"))
    expect(call).to_have_attribute("href", "tel:13800006621")
    for button in (call, card.get_by_role("link", name=re.compile("Follow up")), card.get_by_role("button")):
        size = button.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    theirs = page.get_by_role("row", name=re.compile(CUSTOMERS["haitian"][0]))
    expect(theirs.get_by_role("link", name=re.compile("Call"))).to_have_count(0)
    card.get_by_role("link", name=re.compile("Follow up")).click()
    expect(page).to_have_url(re.compile(rf"/customers/{company.customer('qiming')}/$"))
