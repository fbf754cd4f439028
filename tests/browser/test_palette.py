"""Palette and shortcuts in Chromium: whoever knows the keyboard needs nothing else."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.company import CUSTOMERS, OPPORTUNITIES, Company

pytestmark = pytest.mark.browser


def box(page: Page) -> Locator:
    """Return the box of the palette."""
    return page.get_by_role("combobox", name="Search and go")


def pointed_at(page: Page) -> Locator:
    """Return the option that the box points at."""
    return page.locator("[role=option][aria-selected=true]")


def test_what_is_typed_finds_records_and_enter_opens_the_first(company: Company, open_as: Open) -> None:
    page = open_as("lin", "/")
    page.keyboard.press("Control+k")
    expect(box(page)).to_be_focused()
    page.keyboard.type("shqm")
    expect(pointed_at(page)).to_contain_text(CUSTOMERS["qiming"][0])
    expect(page.get_by_role("option", name=CUSTOMERS["haitian"][0])).to_have_count(0)
    identity = pointed_at(page).get_attribute("id") or ""
    expect(box(page)).to_have_attribute("aria-activedescendant", identity)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=CUSTOMERS["qiming"][0])).to_be_visible()


def test_enter_waits_for_the_answer_to_the_last_letter(open_as: Open) -> None:
    page = open_as("lin", "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("qmsk")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=OPPORTUNITIES["machines"][0])).to_be_visible()


def test_the_arrows_go_round_and_escape_gives_the_focus_back(open_as: Open) -> None:
    page = open_as("lin", "/customers/")
    opener = page.get_by_role("button", name=re.compile("^Search Customers"))
    opener.focus()
    page.keyboard.press("Enter")
    expect(pointed_at(page)).to_have_text(re.compile("Home"))
    page.keyboard.press("ArrowUp")
    expect(pointed_at(page)).to_have_text(re.compile("Sign out"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(pointed_at(page)).to_have_text(re.compile("My access"))
    expect(box(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(box(page)).to_be_hidden()
    expect(opener).to_be_focused()


def test_pages_and_deeds_are_found_by_their_words(open_as: Open) -> None:
    page = open_as("lin", "/")
    page.keyboard.press("/")
    page.keyboard.type("new opp")
    expect(pointed_at(page)).to_have_text(re.compile("New Opportunity"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/opportunities/new$"))
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("dark")
    expect(pointed_at(page)).to_have_text(re.compile("dark"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_on_a_phone_the_palette_fills_the_screen_and_a_touch_chooses(open_as: Open) -> None:
    page = open_as("wang", "/", phone=True)
    page.get_by_role("button", name=re.compile("^Search Customers")).click()
    box(page).fill("nbht")
    page.get_by_role("option", name=CUSTOMERS["haitian"][0]).click()
    expect(page.get_by_role("heading", name=CUSTOMERS["haitian"][0])).to_be_visible()


def test_g_and_a_letter_go_to_a_page_and_the_question_mark_says_which(open_as: Open) -> None:
    page = open_as("lin", "/")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Opportunities")
    expect(keys).not_to_contain_text("Log")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Opportunities", exact=True)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Customers", exact=True)).to_be_visible()


def test_the_slash_goes_to_the_search_of_a_list_and_letters_in_it_stay_letters(open_as: Open) -> None:
    page = open_as("lin", "/customers/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search this list")
    expect(search).to_be_focused()
    page.keyboard.type("n/?gc")
    expect(search).to_have_value("n/?gc")
    page.keyboard.press("Escape")
    expect(search).not_to_be_focused()
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/customers/new$"))


def test_rows_are_walked_looked_at_and_opened_by_keys(company: Company, open_as: Open) -> None:
    page = open_as("wang", "/customers/?sort=name")
    names = page.locator(".cell-title a").all_inner_texts()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name=names[1])
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(page.locator("tr[data-row]").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name=names[0])).to_be_visible()
