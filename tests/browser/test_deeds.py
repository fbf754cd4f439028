"""Deeds in Chromium, by named people: what they see, click and are told."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.company import CONTACTS, CUSTOMERS, Company

pytestmark = pytest.mark.browser


def deeds(page: Page) -> set[str]:
    """Return the deeds that a record's page offers."""
    return set(page.locator(".page-actions").locator("a, button:not(dialog button)").all_inner_texts())


def test_the_manager_edits_a_customer_of_the_reporting_line(company: Company, open_as: Open) -> None:
    page = open_as("wang", f"/customers/{company.customer('nanfang')}/")
    assert deeds(page) == {"Change owner", "Edit", "Lock", "Declare void"}
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Customer level").select_option("A strategic")
    page.get_by_label("Region").fill("广东 广州")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.locator(".page-titles").get_by_text("A strategic")).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text="广东 广州")).to_be_visible()


@pytest.mark.parametrize("who", ["zhao", "chen", "zhou"])
def test_whoever_only_reads_has_no_button(company: Company, open_as: Open, who: str) -> None:
    page = open_as(who, f"/customers/{company.customer('qiming')}/")
    expect(page.get_by_role("heading", name=CUSTOMERS["qiming"][0])).to_be_visible()
    assert deeds(page) == set()
    page.goto("/customers/")
    assert deeds(page) == set()


def test_the_owner_changes_by_picking_a_colleague(company: Company, open_as: Open) -> None:
    page = open_as("wang", f"/customers/{company.customer('qiming')}/")
    page.get_by_role("link", name="Change owner").click()
    page.get_by_role("searchbox", name="Find a colleague").fill("tangl")
    # What is found takes the place of what was offered before, a choice among that included.
    expect(page.get_by_role("radio", name=re.compile("李强"))).to_have_count(0)
    page.get_by_role("radio", name=re.compile("唐亮")).check()
    page.get_by_label("Reason").fill("林悦调岗")
    page.get_by_role("button", name="Change owner").click()
    expect(page.get_by_role("status")).to_contain_text("now belongs to 唐亮")
    expect(page.get_by_role("heading", name=CUSTOMERS["qiming"][0])).to_be_visible()


def test_an_opportunity_gets_its_customer_from_the_picker(company: Company, open_as: Open) -> None:
    page = open_as("lin", "/opportunities/new")
    page.get_by_label("Opportunity name").fill("启明二期")
    page.get_by_role("searchbox", name="Find a Customer").fill("qiming")
    expect(page.get_by_text("Nobody and nothing found")).to_be_visible()
    page.get_by_role("searchbox", name="Find a Customer").fill("shqm")
    page.get_by_role("radio", name=CUSTOMERS["qiming"][0]).check()
    page.get_by_label("Amount").fill("1,200.50")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name=CUSTOMERS["qiming"][0])).to_be_visible()
    expect(page.get_by_text("1,200.50")).to_be_visible()


def test_deleting_asks_first_and_the_careful_answer_has_the_focus(company: Company, open_as: Open) -> None:
    page = open_as("lin", f"/customers/{company.customer('qiming')}/")
    page.get_by_role("button", name="Delete").click()
    question = page.get_by_role("dialog")
    expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    page.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("Customer deleted.")
    expect(page.get_by_text(CUSTOMERS["qiming"][0])).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Customer restored.")
    expect(page.get_by_role("heading", name=CUSTOMERS["qiming"][0])).to_be_visible()


def test_what_was_typed_is_not_lost_without_a_question(company: Company, open_as: Open) -> None:
    page = open_as("lin", f"/customers/{company.customer('qiming')}/edit")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_label("Region").fill("浦东")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_label("Region")).to_have_value("浦东")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    assert asked == ["beforeunload"]


def test_two_people_at_once_lose_nothing(company: Company, open_as: Open) -> None:
    address = f"/customers/{company.customer('qiming')}/edit"
    mine, theirs = open_as("lin", address), open_as("wang", address)
    theirs.get_by_label("Region").fill("浦东")
    theirs.get_by_role("button", name="Save").click()
    expect(theirs.get_by_role("status")).to_contain_text("Saved.")
    mine.get_by_label("Region").fill("徐汇")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_role("alert")).to_contain_text("Region: 浦东")
    expect(mine.get_by_label("Region")).to_have_value("徐汇")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_text("徐汇", exact=True)).to_be_visible()


def test_the_audit_administrator_reads_the_log_and_sees_no_customer(company: Company, open_as: Open) -> None:
    open_as("lin", f"/customers/{company.customer('qiming')}/")
    page = open_as("wu", "/")
    expect(page.get_by_role("navigation", name="Main navigation").get_by_role("link")).to_have_text(
        ["Home", "My access", "Log"]
    )
    page.get_by_role("link", name="Log").first.click()
    page.get_by_label("What happened").select_option(label="Customer: viewed")
    page.get_by_label("Who").fill("林悦")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Customer: viewed").click()
    expect(page.get_by_text(f"Customer #{company.customer('qiming')}")).to_be_visible()
    expect(page.get_by_text(CUSTOMERS["qiming"][0])).to_have_count(0)


def test_a_session_that_ended_leads_to_sign_in_from_a_picker_too(company: Company, open_as: Open) -> None:
    page = open_as("wang", f"/customers/{company.customer('qiming')}/transfer")
    page.context.clear_cookies()
    page.get_by_role("searchbox", name="Find a colleague").fill("tang")
    expect(page.get_by_role("heading", name=re.compile("Hufu|虎符"))).to_be_visible()


def test_the_tabs_of_a_record_open_in_place_and_have_addresses_of_their_own(
    company: Company, open_as: Open
) -> None:
    address = f"/customers/{company.customer('qiming')}/"
    page = open_as("lin", address)
    tabs = page.get_by_role("navigation", name="About this record")
    expect(page.get_by_text("added the Customer")).to_be_visible()
    tabs.get_by_role("link", name=re.compile("Contacts")).click()
    expect(page.get_by_role("link", name=CONTACTS["gao"][0], exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(f"{address}contacts$"))
    page.get_by_role("button", name=f"Quick view {CONTACTS['gao'][0]}").click()
    expect(page.get_by_role("dialog", name=CONTACTS["gao"][0])).to_be_visible()
    page.keyboard.press("Escape")
    tabs.get_by_role("link", name="Who can see this").click()
    expect(page.get_by_role("heading", name="Owner of the record 1")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("link", name=CONTACTS["gao"][0], exact=True)).to_be_visible()


def test_a_colleague_is_found_and_taken_into_the_team(company: Company, open_as: Open) -> None:
    page = open_as("lin", f"/customers/{company.customer('qiming')}/team")
    page.get_by_role("searchbox", name="Find a colleague").fill("zhangw")
    page.get_by_role("radio", name=re.compile("张伟")).check()
    page.get_by_label("May", exact=True).select_option("May view and edit")
    page.get_by_label("Role in the team").fill("售前")
    page.get_by_role("button", name="Take into the team").click()
    expect(page.get_by_role("status")).to_contain_text("张伟 is in the team.")
    page.get_by_role("button", name="Take out 张伟").click()
    expect(page.get_by_role("status")).to_contain_text("Taken out of the team.")
