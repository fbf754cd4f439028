"""Take pictures of the pages for people to look at: Chinese and English, light and dark, desktop and phone.

    python tools/screenshots.py --url http://localhost:8000 --out /some/folder [--only list]

The site must run in demo mode (`make demo`). Pictures are for the eye; no test compares them.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
TALLEST = 1400
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
LANGUAGES = ("zh-hans", "en")
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """A page as somebody sees it. `open` is clicked first."""

    name: str
    who: str
    path: str
    open: str = ""


SHOTS = (
    Shot("sign-in", "", "/accounts/login/"),
    Shot("home-manager", "manager", "/"),
    Shot("home-system", "system", "/"),
    Shot("customers", "manager", "/customers/"),
    Shot(
        "customers-filter", "manager", "/customers/?stage=following&customer_level=A", ".filters .menu button"
    ),
    Shot("customers-empty", "manager", "/customers/?q=zzzz"),
    Shot("customer", "manager", "/customers/{first}/"),
    Shot("customer-service", "service", "/customers/{first}/"),
    Shot("customer-delete", "director", "/customers/{first}/", "[x-data=ask] button"),
    Shot("customer-edit", "manager", "/customers/{first}/edit"),
    Shot("customer-transfer", "manager", "/customers/{first}/transfer"),
    Shot("customer-new", "director", "/customers/new"),
    Shot("opportunities", "president", "/opportunities/"),
    Shot("opportunity-edit", "manager", "/opportunities/{first}/edit"),
    Shot("log", "auditor", "/log/"),
    Shot("log-entry", "auditor", "/log/{entry}"),
    Shot("people", "system", "/people/"),
    Shot("person", "system", "/people/{person}/"),
    Shot("departments", "system", "/people/departments/"),
    Shot("roles", "security", "/roles/"),
    Shot("roles-given", "security", "/roles/given/"),
    Shot("denied", "finance", "/opportunities/"),
    Shot("absent", "manager", "/customers/999999999/"),
    Shot("menu", "manager", "/customers/", ".top-nav"),
)


def main() -> int:
    """Take every picture, or those whose name begins with --only."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://localhost:8000", help="where the demo runs")
    parser.add_argument("--out", type=Path, help="where the pictures go (default: a new folder)")
    parser.add_argument("--only", default="", help="only pictures whose name begins so")
    parser.add_argument("--variants", default="", help="only these, such as zh-hans/light/desktop")
    args = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("No Chromium here. Install it (Debian and Ubuntu: apt-get install chromium) and try again.")
    folder = args.out or Path(tempfile.mkdtemp(prefix="hufu-screenshots-"))
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for path in take(browser, args.url, folder, args.only, args.variants):
            print(path)
        browser.close()
    return 0


def take(browser: Browser, url: str, folder: Path, only: str, variants: str) -> Iterator[Path]:
    """Yield the pictures as they are taken."""
    people = posts(browser, url)
    shots = [shot for shot in SHOTS if shot.name.startswith(only)]
    for who in sorted({shot.who for shot in shots}):
        state = None
        if who:
            with browser.new_context() as context:
                sign_in(context.new_page(), url, people[who])
                state = context.storage_state()
        for language, theme, size in product(LANGUAGES, THEMES, SIZES):
            if not f"{language}/{theme}/{size}".startswith(variants):
                continue
            width, height = SIZES[size]
            with browser.new_context(
                storage_state=state,
                viewport={"width": width, "height": height},
                locale={"zh-hans": "zh-CN"}.get(language, language),
                reduced_motion="reduce",
            ) as context:
                prefer(context, url, language, theme)
                for shot in shots:
                    if shot.who == who:
                        yield picture(
                            context, url, shot, folder / f"{shot.name}.{language}.{theme}.{size}.png"
                        )


def posts(browser: Browser, url: str) -> dict[str, str]:
    """Return the user names of the demo people by what they are, in the order in which the page lists them."""
    names = (
        *("sales", "trainee", "manager", "director", "service"),
        *("finance", "president", "system", "security", "auditor"),
    )
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/accounts/login/")
        found = page.locator(".demo-person").evaluate_all("buttons => buttons.map(button => button.value)")
    return dict(zip(names, found, strict=True))


def sign_in(page: Page, url: str, username: str) -> None:
    """Sign in as one of the demo people."""
    page.goto(f"{url}/accounts/login/")
    page.locator(f".demo-person[value='{username}']").click()
    page.wait_for_load_state()


def prefer(context: BrowserContext, url: str, language: str, theme: str) -> None:
    """Choose language and theme the way the menu does."""
    context.add_cookies(
        [
            {"name": "django_language", "value": language, "url": url},
            {"name": "hufu_theme", "value": theme, "url": url},
        ]
    )


def picture(context: BrowserContext, url: str, shot: Shot, target: Path) -> Path:
    """Take one picture."""
    page = context.new_page()
    path = shot.path
    if "{" in path:
        page.goto(f"{url}{path.partition('{')[0]}")
        first = page.locator(".cell-title a").first.get_attribute("href") or ""
        path = first + path.partition("}")[2].removeprefix("/")
    page.goto(f"{url}{path}")
    if shot.open and page.locator(shot.open).first.is_visible():
        page.locator(shot.open).first.click()
    page.wait_for_load_state("networkidle")
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.evaluate("window.innerWidth")
    page.set_viewport_size({"width": width, "height": min(max(height, 844), TALLEST)})
    page.screenshot(path=target)
    page.close()
    return target


if __name__ == "__main__":
    sys.exit(main())
