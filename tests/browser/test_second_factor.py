"""Second factors in Chromium: an app, a passkey, and proving one in place."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from playwright.sync_api import Page, expect

from hufu.config.urls import urlpatterns as addresses
from hufu.core.errors import SecondFactorNeeded
from hufu.people.models import User
from hufu.web.pages import page
from hufu.web.passage import Passage
from tests.browser.conftest import Open
from tests.company import Company

pytestmark = pytest.mark.browser
PASSWORD = "老虎-two-halves-7"
# How long a proof of these tests is fresh; None is for ever.
fresh: dict[str, timedelta] = {}

FORM = """{% extends "shell.html" %}{% block main %}<h1>Sealed</h1>
<form method="post">{% csrf_token %}
<label>Name <input name="name" value="{{ name }}"></label><button>Send</button></form>
<div id="part"></div>
<button id="more" hx-post="/sealed/" hx-include="[name=name],[name=csrfmiddlewaretoken]" hx-target="#part">Part</button>
<p id="said">{{ said }}</p>{% endblock %}"""


@page(signed_in=True, methods=("GET", "POST"))
def sealed(request: Passage) -> HttpResponse:
    """A page of the tests: what is sent to it needs a second factor that is fresh enough."""
    from django.template import engines

    said = ""
    if request.method == "POST":
        proven = request.actor.context.second_factor_at
        if proven is None or timezone.now() - proven > fresh.get("for", timedelta(days=1)):
            raise SecondFactorNeeded(None)
        said = f"kept: {request.POST['name']}"
    if request.headers.get("HX-Request"):
        return HttpResponse(f"<p>part {said}</p>")
    return HttpResponse(engines["django"].from_string(FORM).render({"said": said}, request))


urlpatterns = [*addresses, path("sealed/", sealed)]


@pytest.fixture(autouse=True)
def lin_has_a_password(company: Company, settings: LazySettings) -> None:
    settings.ROOT_URLCONF = __name__
    cache.clear()
    fresh.clear()
    user = User.objects.get(username="lin")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])


def code(secret: str, *, ahead: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def sign_in(page: Page) -> None:
    page.get_by_label("User name or email").fill("lin")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def password_again(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def no_barriers(page: Page) -> None:
    """Fail where axe finds something."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_lin_sets_up_an_app_and_proves_it_in_place_with_all_that_was_typed(open_as: Open) -> None:
    page = open_as("", "/accounts/login/?next=/accounts/security/")
    sign_in(page)
    no_barriers(page)
    page.get_by_role("link", name="Set up the app").click()
    password_again(page)
    picture = page.get_by_role("img", name=re.compile("QR code"))
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth > 50")
    no_barriers(page)
    secret = page.locator(".secret-key").inner_text()
    page.get_by_label("Code from the app").fill(code(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    first = page.locator(".recovery-codes li").first.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert first in download.value.path().read_text()

    other = open_as("", "/accounts/login/")
    sign_in(other)
    other.get_by_label("Code", exact=False).fill(code(secret, ahead=1))
    no_barriers(other)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text("Good day")

    fresh["for"] = timedelta(0)
    other.goto("/sealed/")
    other.get_by_label("Name").fill("上海机床")
    other.get_by_role("button", name="Send").click()
    expect(other.get_by_role("heading", name="Prove your second factor")).to_be_visible()
    no_barriers(other)
    other.locator("[autocomplete=one-time-code]").fill("000000")
    other.get_by_role("button", name="Confirm").click()
    expect(other.get_by_text("This code is not right")).to_be_visible()
    fresh["for"] = timedelta(minutes=5)
    other.locator("[autocomplete=one-time-code]").fill(first)
    other.get_by_role("button", name="Confirm").click()
    expect(other.locator("#said")).to_have_text("kept: 上海机床")
    assert other.url.endswith("/sealed/")


def test_a_passkey_is_added_signs_in_and_proves_in_place(open_as: Open) -> None:
    page = open_as("", "/accounts/login/?next=/accounts/security/passkeys/add/")
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page)
    password_again(page)
    page.get_by_label("Name of the passkey").fill("Notebook")
    no_barriers(page)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.goto("/accounts/security/")
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name of the passkey").fill("The old notebook")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The old notebook")).to_be_visible()
    no_barriers(page)

    page.goto("/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    sign_in(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Good day")

    fresh["for"] = timedelta(0)
    page.goto("/sealed/")
    page.get_by_label("Name").fill("上海机床")
    page.locator("#more").click()
    dialog = page.get_by_role("dialog", name="Prove your second factor")
    expect(dialog).to_be_visible()
    no_barriers(page)
    fresh["for"] = timedelta(minutes=5)
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("#part")).to_have_text("part kept: 上海机床")
    expect(dialog).to_have_count(0)
    expect(page.get_by_label("Name")).to_have_value("上海机床")

    page.goto("/accounts/security/")
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("link", name="Rename")).to_have_count(0)
