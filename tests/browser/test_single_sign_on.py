"""Single sign-on by SAML in Chromium: the provider is another site, so its post to us carries no cookie of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Request, expect

from tests.browser.conftest import Open
from tests.web.saml_provider import MAIL, IdentityProvider, identity_provider, needs_xmlsec

pytestmark = [pytest.mark.browser, needs_xmlsec]


@pytest.fixture
def provider(site: str, settings: LazySettings, tmp_path: Path) -> Iterator[IdentityProvider]:
    """A provider that knows the site, and the site it."""
    cache.clear()
    with identity_provider(tmp_path) as running:
        (tmp_path / "provider.xml").write_text(running.metadata())
        entry = {
            "kind": "saml",
            "key": "office",
            "label": {"zh-hans": "公司账号", "en": "the company account"},
            "metadata_file": "provider.xml",
            "match": "email",
            "email_attribute": MAIL,
            "emails_verified": True,
        }
        (tmp_path / "providers.yaml").write_text(yaml.safe_dump({"providers": [entry]}))
        settings.HUFU_SSO_FILE, settings.HUFU_ORIGIN = str(tmp_path / "providers.yaml"), site
        running.trust(Client(SERVER_NAME="localhost").get("/accounts/sso/office/metadata/").content.decode())
        yield running


def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(
    site: str, provider: IdentityProvider, open_as: Open
) -> None:
    page = open_as("", "/customers/")
    posts: dict[str, bool] = {}

    def note(request: Request) -> None:
        if request.method == "POST":
            posts[request.url] = "hufu=" in request.all_headers().get("cookie", "")

    page.on("requestfinished", note)
    page.get_by_role("link", name="Sign in with the company account").click()
    page.wait_for_url(f"{site}/customers/")
    expect(page.get_by_role("heading", name="Customers", level=1)).to_be_visible()
    # Without the second step the session would not be there.
    assert posts == {
        f"{site}/accounts/sso/office/answer/": False,
        f"{site}/accounts/sso/office/arrive/": True,
    }


def test_without_scripts_a_button_goes_on(site: str, provider: IdentityProvider, open_as: Open) -> None:
    page = open_as("", "/accounts/login/")
    page.route("**/build/app.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.get_by_role("link", name="Sign in with the company account").click()
    page.wait_for_url(f"{site}/accounts/sso/office/answer/")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site}/")
    expect(page.get_by_role("navigation").first).to_be_visible()
