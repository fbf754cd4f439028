"""The pages in Chromium: nothing for axe to find, nothing on the console, no sideways scrolling on a phone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.company import CUSTOMERS, Company

pytestmark = pytest.mark.browser

PAGES = (
    ("", "/accounts/login/"),
    ("lin", "/"),
    ("qian", "/"),
    ("feng", "/"),
    ("wang", "/customers/?stage=following&q=a"),
    ("wang", "/customers/"),
    ("lin", "/customers/{qiming}/"),
    ("wang", "/customers/{qiming}/"),
    ("wang", "/customers/{qiming}/edit"),
    ("wang", "/customers/{qiming}/transfer"),
    ("wang", "/customers/{qiming}/contacts"),
    ("wang", "/customers/{qiming}/opportunities"),
    ("wang", "/customers/{qiming}/team"),
    ("wang", "/customers/{qiming}/who"),
    ("he", "/customers/{qiming}/who"),
    ("li", "/customers/{qiming}/move"),
    ("lin", "/customers/bin/"),
    ("zhang", "/opportunities/bin/"),
    ("wang", "/customers/{binned}/purge"),
    ("lin", "/contacts/"),
    ("lin", "/contacts/{qiming}/"),
    ("lin", "/contacts/new?customer={qiming}"),
    ("lin", "/contacts/{qiming}/edit"),
    ("li", "/customers/new"),
    ("li", "/opportunities/"),
    ("lin", "/opportunities/{qiming}/edit"),
    ("wu", "/log/"),
    ("wu", "/log/?person=nobody"),
    ("feng", "/people/"),
    ("feng", "/people/departments/"),
    ("feng", "/people/2/"),
    ("he", "/people/{person.lin}/rights/?permission=customer.view"),
    ("wang", "/people/{person.lin}/rights/"),
    ("he", "/access/why/?person={person.lin}&permission=customer.edit&number={qiming}"),
    ("he", "/access/why/?person={person.chen}&permission=customer.edit&number={qiming}"),
    ("he", "/access/who/?permission=customer.view&number={qiming}"),
    ("he", "/access/compare/?one={person.lin}&other={person.chen}"),
    ("wang", "/access/mine/"),
    ("he", "/roles/"),
    ("he", "/roles/given/"),
    ("he", "/roles/give/?role=2&to=5"),
    ("he", "/roles/given/9/until/"),
    ("he", "/people/6/"),
    ("he", "/pending/"),
    ("he", "/roles/1/"),
    ("he", "/roles/3/fields/"),
    ("he", "/roles/1/members/"),
    ("he", "/roles/1/history/"),
    ("he", "/roles/new/?copy=rep"),
    ("he", "/roles/compare/?one=rep&other=manager"),
    ("he", "/policy/"),
    ("he", "/policy/draft/"),
    ("he", "/policy/versions/1/"),
    ("he", "/posture/"),
    ("he", "/posture/endless/"),
    ("zhou", "/opportunities/"),
    ("lin", "/customers/987654321/"),
)


def findings(page: Page) -> list[str]:
    """Return what axe finds on a page."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for rule in violations
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("who", "path"), PAGES)
def test_axe_finds_nothing(unharmed: Company, open_as: Open, who: str, path: str, theme: str) -> None:
    address = path.format(
        **unharmed.customers, binned=unharmed.binned["customer"], person=SimpleNamespace(**unharmed.people)
    )
    dark = theme == "dark"
    page = open_as(who, address, theme=theme, language="zh-hans" if dark else "en", phone=dark)
    assert findings(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{overflow} px wider than the phone"


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(
    ("theme", "phone"), [("light", False), ("dark", True)], ids=["light-desktop", "dark-phone"]
)
def test_axe_finds_nothing_in_what_opens(unharmed: Company, open_as: Open, theme: str, phone: bool) -> None:
    page = open_as("lin", "/customers/", theme=theme, phone=phone)
    for name in ("Filter", "Columns", "Appearance and language", "Account of 林悦"):
        if not page.get_by_role("button", name=name).is_visible():
            continue
        page.get_by_role("button", name=name).click()
        if name == "Filter":
            expect(page.get_by_role("button", name="Show")).to_be_visible()
        assert findings(page) == [], name
        page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Quick view {CUSTOMERS['qiming'][0]}").click()
    expect(page.get_by_role("dialog", name=CUSTOMERS["qiming"][0])).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.get_by_role("button", name="Delete").click()
    assert (findings(page), overflow(page)) == ([], 0)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for text in ("", "shqm", "zzzz"):
        page.keyboard.press("Control+k")
        page.keyboard.type(text)
        expect(page.locator(f"#palette-list[data-text='{text}']")).to_be_attached()
        assert (findings(page), overflow(page)) == ([], 0), text
        page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert (findings(page), overflow(page)) == ([], 0)
    page.goto(f"/customers/{unharmed.customer('qiming')}/")
    page.get_by_role("button", name="Delete").click()
    assert findings(page) == []


def test_theme_and_language_change_at_once_and_stay(open_as: Open) -> None:
    page = open_as("lin", "/customers/")
    html = page.locator("html")
    page.get_by_role("button", name="Appearance and language").click()
    page.get_by_role("button", name="Dark").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Appearance and language").click()
    page.get_by_role("button", name="As the device").click()
    expect(html).not_to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 27, 31)"
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="客户", exact=True)).to_be_visible()


def test_on_a_phone_the_navigation_slides_in_and_escape_closes_it(open_as: Open) -> None:
    page = open_as("lin", "/customers/", phone=True)
    link = page.get_by_role("link", name="Opportunities")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open the navigation").click()
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.get_by_role("button", name="Open the navigation").click()
    link.click()
    expect(page.get_by_role("heading", name="Opportunities", exact=True)).to_be_visible()


def test_filters_are_chosen_in_the_panel_and_taken_away_as_chips(open_as: Open) -> None:
    page = open_as("wang", "/customers/")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("checkbox", name="Following up").check()
    page.get_by_role("searchbox", name="Find a colleague").fill("tang")
    page.get_by_role("radio", name="唐亮").check()
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("1 match (that you may view)")).to_be_visible()
    expect(page.get_by_role("link", name=CUSTOMERS["haitian"][0], exact=True)).to_be_visible()
    page.get_by_role("link", name="Owner: 唐亮").click()
    expect(page.get_by_text("4 match (that you may view)")).to_be_visible()


def test_a_click_on_a_heading_sorts(open_as: Open) -> None:
    page = open_as("wang", "/customers/")
    page.get_by_role("columnheader", name="Customer name").get_by_role("link").click()
    heading = page.get_by_role("columnheader", name="Customer name")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    upwards = page.locator(".cell-title a").all_inner_texts()
    heading.get_by_role("link").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert page.locator(".cell-title a").all_inner_texts() == upwards[::-1]


def test_somebody_signs_in_works_and_signs_out(company: Company, open_as: Open) -> None:
    from hufu.people.models import User

    user = User.objects.get(username="lin")
    user.set_password("老虎-two-halves-7")
    user.save(update_fields=["password"])
    page = open_as("", f"/customers/{company.customer('qiming')}/")
    page.get_by_label("User name or email").fill("lin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    page.get_by_label("Password").fill("老虎-two-halves-7")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=CUSTOMERS["qiming"][0])).to_be_visible()
    page.get_by_role("button", name="Account of 林悦").click()
    page.get_by_role("link", name="Change password").click()
    assert findings(page) == []
    page.get_by_role("button", name="Account of 林悦").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Hufu CRM")).to_be_visible()
