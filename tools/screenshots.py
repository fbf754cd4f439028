"""Take pictures of the pages for people to look at: Chinese and English, light and dark, desktop and phone.

    python tools/screenshots.py --url http://localhost:8000 --out /some/folder [--only list]

The site must run in demo mode (`make demo`). Pictures are for the eye; no test compares them. Beside them stand
`index.html` and, for each variant, one picture of all (`all.….png`), so that a person sees everything at once.
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
    """A page as somebody sees it.

    `steps` come first, each a verb and its object: `click SELECTOR`, `press KEY`, `type TEXT`, `wait SELECTOR`.
    A click on what is not visible is left out: the button of the phone's menu is not there on the desktop.
    """

    name: str
    who: str
    path: str
    steps: tuple[str, ...] = ()


SHOTS = (
    Shot("sign-in", "", "/accounts/login/"),
    Shot("home-manager", "manager", "/"),
    Shot("home-system", "system", "/"),
    Shot("customers", "manager", "/customers/"),
    Shot(
        "customers-filter",
        "manager",
        "/customers/?stage=following&customer_level=A",
        ("click .filters .menu button",),
    ),
    Shot("customers-columns", "manager", "/customers/", ("click .menu-columns button",)),
    Shot("customers-empty", "manager", "/customers/?q=zzzz"),
    Shot("customers-drawer", "manager", "/customers/", ("click [data-drawer]", "wait #drawer[open]")),
    Shot("palette", "manager", "/customers/", ("press Control+k", "wait .palette-option")),
    Shot(
        "palette-search",
        "manager",
        "/customers/",
        ("press Control+k", "type sh", "wait #palette-list[data-text=sh]"),
    ),
    Shot("palette-none", "manager", "/", ("press Control+k", "type zzzz", "wait .palette-none")),
    Shot("keys", "manager", "/customers/", ("press ?", "wait #keys[open]")),
    Shot("customer", "manager", "/customers/{first}/"),
    Shot("customer-contacts", "manager", "/customers/{first}/contacts"),
    Shot("customer-opportunities", "manager", "/customers/{first}/opportunities"),
    Shot("customer-files", "manager", "/customers/{first}/files"),
    Shot("customer-team", "manager", "/customers/{first}/team"),
    Shot("customer-who", "manager", "/customers/{first}/who"),
    Shot("who-security", "security", "/customers/1/who"),
    Shot("customer-service", "service", "/customers/{first}/"),
    Shot("customer-delete", "director", "/customers/{first}/", ("click [x-data=ask] button",)),
    Shot("customer-edit", "manager", "/customers/{first}/edit"),
    Shot("customer-transfer", "manager", "/customers/{first}/transfer"),
    Shot("customer-move", "president", "/customers/{first}/move"),
    Shot("customers-bin", "director", "/customers/bin/"),
    Shot("customers-check", "manager", "/customers/check"),
    Shot("customers-duplicates", "crm-administrator", "/customers/duplicates/"),
    Shot("customer-lock", "director", "/customers/{first}/lock"),
    Shot("customer-void", "director", "/customers/{first}/void"),
    Shot("customer-release", "manager", "/customers/{first}/release"),
    Shot("customer-share", "manager", "/customers/{first}/share"),
    Shot("contacts", "manager", "/contacts/"),
    Shot("contact", "manager", "/contacts/{first}/"),
    Shot("contact-consents", "manager", "/contacts/{first}/consents"),
    Shot("contact-erase", "crm-administrator", "/contacts/{first}/erase"),
    Shot("customer-new", "director", "/customers/new"),
    Shot("opportunities", "president", "/opportunities/"),
    Shot("opportunity-drawer", "manager", "/opportunities/", ("click [data-drawer]", "wait #drawer[open]")),
    Shot("opportunity", "manager", "/opportunities/{first}/"),
    Shot("opportunity-edit", "manager", "/opportunities/{first}/edit"),
    Shot("log", "auditor", "/log/"),
    Shot("log-entry", "auditor", "/log/{entry}"),
    Shot("log-assigned", "auditor", "/log/?type=role.assigned"),
    Shot("people", "system", "/people/"),
    Shot("person", "system", "/people/{person}/"),
    Shot("person-suspend", "system", "/people/{person}/suspend/"),
    Shot("security", "manager", "/accounts/security/"),
    Shot("security-app", "manager", "/accounts/security/app/"),
    Shot("sessions", "manager", "/accounts/sessions/"),
    Shot("departments", "system", "/people/departments/"),
    Shot("roles", "security", "/roles/"),
    Shot("roles-given", "security", "/roles/given/"),
    Shot("requests", "manager", "/requests/"),
    Shot("request-record", "manager", "/customers/999999999/ask"),
    Shot("break-glass", "security", "/break-glass/"),
    Shot("delegations", "manager", "/accounts/delegations/"),
    Shot("policy", "security", "/policy/"),
    Shot("preferences", "manager", "/customers/", ("click .top .menu button",)),
    Shot("sign-out", "manager", "/accounts/logout/"),
    Shot("denied", "finance", "/opportunities/"),
    Shot("absent", "manager", "/customers/999999999/"),
    Shot("menu", "manager", "/customers/", ("click .top-nav",)),
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
        taken = list(take(browser, args.url, folder, args.only, args.variants))
        write_index(folder, taken)
        for variant in dict.fromkeys(variant for _shot, variant in taken):
            write_sheet(browser, folder, [shot for shot, of in taken if of == variant], variant)
        print(f"{len(taken)} pictures; all at once: {folder / 'index.html'}")
        browser.close()
    return 0


def take(browser: Browser, url: str, folder: Path, only: str, variants: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the variant of each picture as it is taken."""
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
                        variant = f"{language}.{theme}.{size}"
                        picture(context, url, shot, folder / f"{shot.name}.{variant}.png")
                        yield shot.name, variant


def posts(browser: Browser, url: str) -> dict[str, str]:
    """Return the user names of the demo people by what they are, in the order in which the page lists them."""
    names = (
        *("sales", "trainee", "manager", "director", "service"),
        *(
            "finance",
            "marketing",
            "crm-administrator",
            "president",
            "system",
            "security",
            "approver",
            "auditor",
        ),
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


def picture(context: BrowserContext, url: str, shot: Shot, target: Path) -> None:
    """Take one picture."""
    page = context.new_page()
    path = shot.path
    if "{" in path:
        page.goto(f"{url}{path.partition('{')[0]}")
        first = page.locator(".cell-title a").first.get_attribute("href") or ""
        path = first + path.partition("}")[2].removeprefix("/")
    page.goto(f"{url}{path}")
    for step in shot.steps:
        take_step(page, step)
    page.wait_for_load_state("networkidle")
    if page.locator("dialog[open]").count() == 0:
        height = page.evaluate("document.documentElement.scrollHeight")
        width = page.evaluate("window.innerWidth")
        page.set_viewport_size({"width": width, "height": min(max(height, 844), TALLEST)})
    page.screenshot(path=target)
    page.close()


def take_step(page: Page, step: str) -> None:
    """Do one of the steps that lead to a picture."""
    verb, _space, rest = step.partition(" ")
    match verb:
        case "click":
            if page.locator(rest).first.is_visible():
                page.locator(rest).first.click()
        case "press":
            page.keyboard.press(rest)
        case "type":
            page.keyboard.type(rest)
        case "wait":
            page.locator(rest).first.wait_for()
        case _:
            raise ValueError(step)


def write_index(folder: Path, taken: list[tuple[str, str]]) -> None:
    """Write a page with every picture, one row per page of the site."""
    rows = []
    for name in dict.fromkeys(shot for shot, _variant in taken):
        cells = "".join(
            f'<figure><a href="{name}.{variant}.png"><img loading="lazy" src="{name}.{variant}.png" alt=""></a>'
            f"<figcaption>{variant}</figcaption></figure>"
            for shot, variant in taken
            if shot == name
        )
        rows.append(f"<h2>{name}</h2><div>{cells}</div>")
    (folder / "index.html").write_text(SHEET.format(title="Screenshots", rows="".join(rows)), "utf-8")


def write_sheet(browser: Browser, folder: Path, names: list[str], variant: str) -> None:
    """Write one picture with all pages of a variant."""
    cells = "".join(
        f'<figure><img src="{name}.{variant}.png" alt=""><figcaption>{name}</figcaption></figure>'
        for name in names
    )
    page_file = folder / f"all.{variant}.html"
    page_file.write_text(SHEET.format(title=variant, rows=f"<div>{cells}</div>"), "utf-8")
    with browser.new_context(viewport={"width": 1900, "height": 300}) as context:
        page = context.new_page()
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=folder / f"all.{variant}.png", full_page=True)
    page_file.unlink()


SHEET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px system-ui, sans-serif; margin: 16px; background: #888; }}
div {{ display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start; }}
figure {{ margin: 0; background: #fff; padding: 4px; }}
img {{ display: block; max-width: 440px; max-height: 420px; }}
h2 {{ margin: 20px 0 6px; }}
</style>{rows}</html>
"""


if __name__ == "__main__":
    sys.exit(main())
