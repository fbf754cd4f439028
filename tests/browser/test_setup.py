"""Setting a new company up in Chromium, by the keyboard alone, and what axe says of each step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, served
from tests.browser.test_pages import findings
from tests.web.setup import setup_code

pytestmark = pytest.mark.browser

PASSWORD = "老虎-two-halves-7"


@pytest.fixture
def new_site(committed: str, settings: LazySettings) -> Iterator[str]:
    """The address of a site that nobody set up yet."""
    settings.ALLOWED_HOSTS = ["localhost"]
    with served() as url:
        settings.HUFU_ORIGIN = url
        yield url
    setup_code().withdraw()


def is_good(page: Page) -> None:
    """Nothing for axe to find, and no sideways scrolling."""
    assert findings(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{overflow} px wider than the window"


def type_into(page: Page, *values: str) -> None:
    """Type into the field that has the focus, and into those that follow."""
    for number, value in enumerate(values):
        if number:
            page.keyboard.press("Tab")
        page.keyboard.insert_text(value)


@pytest.mark.parametrize(
    ("language", "theme", "size"), [("en", "light", DESKTOP), ("zh-hans", "dark", PHONE)]
)
def test_a_company_is_set_up_by_the_keyboard_alone(
    new_site: str, browser: Browser, language: str, theme: str, size: dict[str, int]
) -> None:
    context = browser.new_context(base_url=new_site, viewport=size, reduced_motion="reduce", locale="en-GB")
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=new_site)
    cookies = {"django_language": language, "hufu_theme": theme}
    context.add_cookies([{"name": name, "value": value, "url": new_site} for name, value in cookies.items()])
    page = context.new_page()
    complaints: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            complaints.append(text)

    page.on("console", lambda message: note(message.type, message.text))
    page.on("pageerror", lambda error: note("error", str(error)))

    page.goto("/")
    expect(page).to_have_url(f"{new_site}/setup/")
    is_good(page)
    type_into(page, "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".field-problem")).to_be_visible()
    is_good(page)
    page.locator("[name=code]").fill(setup_code().issue())
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{new_site}/setup/company/")
    is_good(page)
    type_into(page, "虎啸集团")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert page.locator("[name=mode]:checked").get_attribute("value") == "three"
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{new_site}/setup/people/")
    is_good(page)
    type_into(page, "卫东", "wei", "wei@example.com", "安宁", "wei", "", "何青", "he", "")
    page.keyboard.press("Enter")
    expect(page.locator("[role=alert]")).to_be_visible()
    is_good(page)
    page.locator("[name=security_username]").fill("an")
    page.keyboard.press("Enter")

    expect(page.locator(".setup-links li")).to_have_count(3)
    is_good(page)
    first = page.locator(".setup-link").first
    first.locator("button").focus()
    page.keyboard.press("Enter")
    expect(first.locator("button span").nth(1)).to_be_visible()
    link = first.locator("input").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.goto(link)
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=password2]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{new_site}/accounts/login/")
    page.locator("[name=login]").fill("wei")
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{new_site}/")
    assert complaints == []
    assert page.goto("/setup/").status == 404  # type: ignore[union-attr]
    context.close()
