"""The matrix of a role with the mouse and with the keyboard alone, and the way of a change from a cell to a version."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from hufu.access.models import Role
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from tests.browser.conftest import Open
from tests.browser.test_pages import findings, overflow
from tests.company import Company, approver

pytestmark = pytest.mark.browser
# Whom a draft concerns is counted while one reads: on a busy machine that takes its time.
COUNTING = 30_000


def address(key: str) -> str:
    """Return the address of a role."""
    with acting(Actor.operator()):
        return f"/roles/{Role.objects.get(key=key).pk}/"


def cell(page: Page, name: str) -> Locator:
    return page.get_by_role("gridcell", name=name, exact=True)


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Your draft")


def test_with_the_mouse_a_cell_a_row_and_a_column_change(company: Company, open_as: Open) -> None:
    page = open_as("he", address("empty"))
    cell(page, "Customer · View: None").click()
    menu = page.get_by_role("menu", name="Scopes")
    assert menu.get_by_role("menuitemradio").all_inner_texts() == [
        *("None", "Own", "Direct reports", "Subordinates", "Department", "Department and below", "Everything")
    ]
    assert findings(page) == []
    menu.get_by_role("menuitemradio", name="Department", exact=True).click()
    expect(cell(page, "Customer · View: own department · changed in the draft, before: None")).to_be_focused()
    expect(bar(page)).to_contain_text("1 change in your draft")

    page.get_by_role("rowheader", name="Opportunity").click()
    page.get_by_role("menuitemradio", name="Own", exact=True).click()
    asked = page.get_by_role("dialog", name="Change several cells?")
    expect(asked).to_contain_text("Cells of “Opportunity” that become “Own”:")
    assert findings(page) == []
    asked.get_by_role("button", name="Change").click()
    expect(cell(page, "Opportunity · Edit: own · changed in the draft, before: None")).to_be_visible()

    page.get_by_role("columnheader", name="View", exact=True).click()
    page.get_by_role("menuitemradio", name="None", exact=True).click()
    expect(asked).to_contain_text("Cells of “View” that become “None”: 2.")
    asked.get_by_role("button", name="Keep it").click()
    expect(cell(page, "Opportunity · View: own · changed in the draft, before: None")).to_be_visible()

    page.get_by_role("switch", name="Check for duplicates of customers: None").click()
    expect(page.get_by_role("switch", name="Check for duplicates of customers: Allowed")).to_be_checked()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog", name="Discard your draft?").get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Your draft is discarded.")).to_be_visible()
    expect(bar(page)).to_have_count(0)


def test_with_the_keyboard_alone_cells_are_reached_opened_and_changed(
    company: Company, open_as: Open
) -> None:
    page = open_as("he", address("empty"))
    page.get_by_role("searchbox", name="Find an object").focus()
    page.keyboard.press("Tab")
    expect(cell(page, "Customer · Base access: Private")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "Customer · View: None")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="None", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(cell(page, "Customer · View: own · changed in the draft, before: None")).to_be_focused()
    page.keyboard.press("Space")
    changed = "Customer · View: own and direct reports' · changed in the draft, before: None"
    expect(cell(page, changed)).to_be_focused()
    page.keyboard.press("0")
    expect(cell(page, "Customer · View: None")).to_be_focused()
    expect(bar(page)).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu", name="Scopes")).to_be_hidden()
    expect(cell(page, "Customer · View: None")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("columnheader", name="View", exact=True)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    expect(page.get_by_role("rowheader", name="Customer")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(cell(page, "Customer · Edit: own · changed in the draft, before: None")).to_be_visible()


def test_the_search_hides_rows_as_one_types(unharmed: Company, open_as: Open) -> None:
    page = open_as("he", address("rep"))
    page.get_by_role("searchbox", name="Find an object").fill("oppo")
    expect(page.get_by_role("rowheader", name="Opportunity")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Customer")).to_be_hidden()
    page.get_by_role("searchbox", name="Find an object").fill("zzz")
    expect(page.get_by_text("No object is called so.")).to_be_visible()


def test_from_a_cell_to_a_version_and_back(company: Company, open_as: Open) -> None:
    approver(company)
    refused, opens = "You may not do this", "Opportunities"
    zhou = open_as("zhou", "/opportunities/")
    expect(zhou.get_by_role("heading", name=refused)).to_be_visible()

    he = open_as("he", address("finance"))
    cell(he, "Opportunity · View: None").click()
    he.get_by_role("menuitemradio", name="Everything", exact=True).click()
    bar(he).get_by_role("link", name="Review and submit").click()
    expect(he.get_by_role("heading", name="Whom it concerns")).to_be_visible()
    expect(he.get_by_text("周涛")).to_be_visible(timeout=COUNTING)
    expect(he.get_by_text("Opportunities: 0 → 4 (+4)")).to_be_visible()
    assert (findings(he), overflow(he)) == ([], 0)
    he.get_by_label("What is it for?").fill("财务看商机")
    he.get_by_role("button", name="Submit", exact=True).click()
    expect(he.get_by_role("heading", name="财务看商机")).to_be_visible()
    expect(he.get_by_role("button", name="Approve and publish")).to_have_count(0)
    zhou.reload()
    expect(zhou.get_by_role("heading", name=refused)).to_be_visible()

    qian = open_as("qian", "/policy/")
    qian.get_by_role("link", name="财务看商机").click()
    assert (findings(qian), overflow(qian)) == ([], 0)
    qian.get_by_role("button", name="Approve and publish").click()
    expect(qian.get_by_text("Version 2 of the policy is published.")).to_be_visible()
    zhou.reload()
    expect(zhou.get_by_role("heading", name=opens, exact=True)).to_be_visible()

    he.goto("/policy/versions/1/")
    he.get_by_label("Reason").fill("试点结束")
    he.get_by_role("button", name="Return to it").click()
    he.get_by_role("dialog").get_by_role("button", name="Return to it").click()
    expect(he.get_by_text("It only takes away: version 3 of the policy is published.")).to_be_visible()
    zhou.reload()
    expect(zhou.get_by_role("heading", name=refused)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_while_there_is_a_draft(company: Company, open_as: Open, theme: str) -> None:
    page = open_as("he", address("manager"), theme=theme, phone=theme == "dark")
    cell(page, "Customer · Void: own and subordinates'").click()
    page.get_by_role("menuitemradio", name="None", exact=True).click()
    expect(bar(page)).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.goto("/policy/draft/")
    expect(page.locator("#impact table").first).to_be_visible(timeout=COUNTING)
    assert (findings(page), overflow(page)) == ([], 0)
