"""Giving and taking back in Chromium: what it does stands there before it is done."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import expect

from hufu.access import actions as access
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.core.transaction import acting
from hufu.staffing import actions as staffing
from tests.browser.conftest import Open
from tests.browser.test_pages import findings, overflow
from tests.company import Company

pytestmark = pytest.mark.browser


def test_a_role_is_given_from_a_persons_page_and_undone(company: Company, open_as: Open) -> None:
    page = open_as("he", f"/people/{company.people['qian']}/")
    page.get_by_role("link", name="Give a role").click()
    page.get_by_label("Role", exact=False).first.select_option(label="客服代表 · High risk")
    expect(page.get_by_text("It adds rights for 1 person")).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.get_by_label("Reason").fill("帮忙两周")
    page.get_by_role("button", name="Give", exact=True).click()
    expect(page.get_by_text("“客服代表” is given to 钱多.")).to_be_visible()
    expect(page.get_by_role("cell", name="帮忙两周")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: “客服代表” is taken back from 钱多.")).to_be_visible()


def test_who_loses_what_stands_there_before_a_role_is_taken_back(company: Company, open_as: Open) -> None:
    page = open_as("he", "/roles/given/?q=chen")
    page.get_by_role("link", name="End 客服代表 for 陈静").click()
    expect(page.get_by_text("1 person is affected")).to_be_visible()
    expect(page.get_by_role("cell", name="Customers: 4 → 0 (−4)")).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.get_by_label("Reason").fill("调岗")
    page.get_by_role("button", name="Take it back now").click()
    expect(page.get_by_text("“客服代表” is taken back from 陈静.")).to_be_visible()


def test_a_position_change_that_adds_rights_waits_and_is_released(
    company: Company, open_as: Open, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("DELETE FROM access_approved_move")
    he, feng = company.actor("he"), company.actor("feng")
    with acting(he):
        seller = staffing.create_position(he, key="seller", name="销售岗")
        access.assign_role(he, Role.objects.get(key="rep"), to=Principal(position=seller), reason="x")
    with acting(feng):
        assert staffing.add_holders(feng, seller, [company.people["qian"]]) == 0
    page = open_as("he", "/pending/")
    assert (findings(page), overflow(page)) == ([], 0)
    page.get_by_role("checkbox", name="Choose: 钱多: Position → 销售岗").check()
    page.get_by_role("button", name="Review the chosen ones…").click()
    expect(page.get_by_text("It adds rights for 1 person")).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("1 change is released.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing waits for release")).to_be_visible()
