"""The browsers in which people sign in: a new one is told of, one may be trusted, any may be forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from hufu.core import clock
from hufu.people import devices
from hufu.people.models import Device, Session, User
from tests.company import Company, unpublish
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries
from tests.web.test_gates import stand
from tests.web.test_second_factor import APP, CODE, code, enrol
from tests.web.test_sessions import CHROME, is_in

LOGIN = "/accounts/login/"
PAGE = "/accounts/sessions/"
TRUST = "/accounts/devices/trust/"
NEW = "): Chrome on Windows, address 127.0.0.1."


@pytest.fixture(autouse=True)
def fresh(company: Company) -> None:
    """林悦 and 唐亮 have passwords; nobody failed before."""
    for name in ("lin", "tang"):
        user = User.objects.get(username=name)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    cache.clear()


def browser() -> Client:
    """Return a browser in which nobody signed in yet."""
    return Client(headers={"accept-language": "en", "user-agent": CHROME})


def sign_in(client: Client, name: str = "lin") -> Client:
    assert client.post(LOGIN, {"login": name, "password": PASSWORD}).status_code == 302
    return client


def sign_out(client: Client) -> Client:
    client.post("/accounts/logout/")
    return client


def shown(client: Client, path: str = PAGE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def of(company: Company, name: str = "lin") -> Any:
    return Device.objects.filter(user_id=company.people[name]).order_by("pk")


def trusting(client: Client) -> Client:
    """Set up an app in this browser and trust the browser."""
    enrol(client)
    assert client.post(TRUST)["Location"] == PAGE
    return client


def test_a_new_browser_is_an_event_and_told_until_somebody_says_it_was_them(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    desk = sign_in(browser())
    assert "You signed in from a device that is new here: Chrome on Windows." in shown(desk, "/")
    [first] = of(company)
    desk.post(f"/accounts/devices/{first.pk}/confirm/", {"next": "https://evil.example/"})
    assert "device-notice" not in shown(desk)
    thief = sign_in(browser())
    [_first, second] = of(company)
    assert NEW in shown(desk, "/customers/")
    assert NEW in shown(desk), "it stays until somebody answers"
    # A browser that is new itself says of none that it is known, not of itself either.
    for device in (first, second):
        thief.post(f"/accounts/devices/{device.pk}/confirm/")
    assert of(company).get(pk=second.pk).confirmed_at is None
    assert NEW in shown(desk)
    assert desk.post(f"/accounts/devices/{second.pk}/forget/").status_code == 302
    assert not is_in(thief)
    assert is_in(desk)
    assert "device-notice" not in shown(desk)
    assert [event.data["device"] for event in entries(owner_connection, "device.new")] == [
        first.pk,
        second.pk,
    ]
    [forgotten] = entries(owner_connection, "device.forgotten")
    assert (forgotten.data, forgotten.reason) == ({"device": second.pk, "sessions": 1}, "by_themselves")


def test_a_browser_is_known_again_and_to_a_colleague_it_is_new(company: Company) -> None:
    desk = sign_in(browser())
    [device] = of(company)
    desk.post(f"/accounts/devices/{device.pk}/confirm/")
    sign_in(sign_out(desk))
    assert "device-notice" not in shown(desk)
    assert of(company).count() == 1
    sign_in(sign_out(desk), "tang")
    assert "that is new here" in shown(desk)
    assert of(company, "tang").get().hash == device.hash


def test_the_cookie_is_for_no_script_and_no_other_site_and_holds_no_word_of_the_database(
    company: Company,
) -> None:
    desk = sign_in(browser())
    cookie = desk.cookies[settings.DEVICE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"], cookie["path"]) == (
        True,
        "Lax",
        "",
        "/",
    )
    assert of(company).get().hash not in cookie.value
    # A word that this site did not sign names no device.
    forged = browser()
    forged.cookies[settings.DEVICE_COOKIE_NAME] = cookie.value.partition(":")[0] + ":1abcde:forged"
    sign_in(forged)
    assert of(company).count() == 2
    program = "from hufu.config import settings as s; print(s.DEVICE_COOKIE_NAME, s.HUFU_TRUSTED_DEVICE_DAYS)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HUFU_ORIGIN": "https://crm.example.com", "HUFU_TRUSTED_DEVICE_DAYS": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["__Host-hufu-device", "7"]


def test_trust_takes_a_fresh_second_factor_and_a_copy_of_the_old_cookie_has_none(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    desk = sign_in(browser())
    asked = desk.post(TRUST)
    assert asked.status_code == 403
    assert "You have no second factor yet" in asked.content.decode()
    assert of(company).get().trusted_until is None
    before = desk.cookies[settings.DEVICE_COOKIE_NAME].value
    trusting(desk)
    [device] = of(company)
    assert timedelta(days=29) < device.trusted_until - clock.now() < timedelta(days=31)
    assert device.confirmed_at is not None
    assert desk.cookies[settings.DEVICE_COOKIE_NAME].value != before
    assert desk.get("/").wsgi_request.actor.context.trusted_device is True  # type: ignore[attr-defined]
    copy = browser()
    copy.cookies[settings.SESSION_COOKIE_NAME] = desk.cookies[settings.SESSION_COOKIE_NAME].value
    copy.cookies[settings.DEVICE_COOKIE_NAME] = before
    assert copy.get("/").wsgi_request.actor.context.trusted_device is False  # type: ignore[attr-defined]
    [event] = entries(owner_connection, "device.trusted")
    assert event.data["device"] == device.pk


def test_a_limit_that_asks_for_a_trusted_device_opens_in_one_and_closes_at_the_next_click(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    unpublish(owner_connection)
    stand(company, {"trusted_device": True}, {"roles": ["rep"]})
    desk = sign_in(browser())
    assert desk.get("/customers/new").status_code == 403
    trusting(desk)
    assert desk.get("/customers/new").status_code == 200
    [device] = of(company)
    he, feng, page = visit("he"), visit("feng"), f"/people/{company.people['lin']}/"
    assert "devices-title" in shown(he, page)
    assert feng.post(f"{page}devices/{device.pk}/trust/end/").status_code == 403
    assert he.post(f"{page}devices/{device.pk}/forget/").status_code == 403
    assert he.post(f"/people/{company.people['tang']}/devices/{device.pk}/trust/end/").status_code == 404
    assert he.post(f"{page}devices/{device.pk}/trust/end/").status_code == 302
    assert desk.get("/customers/new").status_code == 403
    assert desk.get("/").status_code == 200, "the session stands"
    assert feng.post(f"{page}devices/{device.pk}/forget/").status_code == 302
    assert not is_in(desk)
    assert [event.reason for event in entries(owner_connection, "device.trust_ended")] == ["by_administrator"]


def test_a_limit_on_signing_in_lets_the_trusted_browser_in_and_no_other(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    desk = sign_in(browser())
    secret, _codes = enrol(desk)
    desk.post(TRUST)
    unpublish(owner_connection)
    stand(company, {"trusted_device": True}, {"principals": [{"user": "lin"}]})
    sign_out(desk)
    asked = desk.post(LOGIN, {"login": "lin", "password": PASSWORD})
    assert asked["Location"] == CODE
    assert desk.post(CODE, {"code": code(secret, ahead=1)}).status_code == 302
    assert is_in(desk)
    elsewhere = browser().post(LOGIN, {"login": "lin", "password": PASSWORD})
    assert elsewhere.status_code == 403
    assert "not one that you named a trusted device" in elsewhere.content.decode()
    of(company).update(trusted_until=clock.now())
    assert desk.get("/customers/").status_code == 403, "its time is over"


@pytest.mark.parametrize("deed", ["suspended", "reset", "last factor removed"])
def test_no_device_stays_trusted_past_a_suspension_a_reset_or_the_last_factor(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, deed: str
) -> None:
    desk = trusting(sign_in(browser()))
    page = f"/people/{company.people['lin']}/"
    if deed == "suspended":
        visit("feng").post(f"{page}suspend/", {"reason": "x"})
    elif deed == "reset":
        visit("feng").post(f"{page}second-factors/reset/", {"reason": "x"})
        [ended] = entries(owner_connection, "auth.session_ended")
        assert (ended.reason, ended.data) == ("second_factor_reset", {"count": 1})
    else:
        desk.post(APP + "remove/")
    assert of(company).get().trusted_until is None
    assert is_in(desk) is (deed == "last factor removed")


def test_who_forgets_the_device_or_ends_the_session_in_use_comes_to_the_sign_in_page(
    company: Company,
) -> None:
    for deed in ("devices/{}/forget", "sessions/{}/end"):
        desk = sign_in(browser())
        here = Session.objects.filter(user_id=company.people["lin"]).latest("pk")
        number = here.device_id if "devices" in deed else here.pk
        answer = desk.post(f"/accounts/{deed.format(number)}/")
        assert (answer.status_code, answer["Location"]) == (302, LOGIN)
        assert desk.get(LOGIN).status_code == 200
        assert not is_in(desk)


def test_one_forgets_no_colleagues_device_and_an_old_one_is_forgotten_by_itself(company: Company) -> None:
    desk, tang = sign_in(browser()), sign_in(browser(), "tang")
    [device] = of(company, "tang")
    for deed in ("forget", "confirm", "trust/end"):
        assert desk.post(f"/accounts/devices/{device.pk}/{deed}/").status_code == 404
    assert is_in(tang)
    of(company).update(last_seen_at=clock.now() - devices.KEPT)
    sign_in(browser())
    assert of(company).count() == 1
    assert Session.objects.filter(user_id=company.people["lin"]).count() == 1


HELPS = "ask your system administrator to forget the old device"


def confirm(client: Client, device: Device, **more: Any) -> str:
    """Press "It was me" where scripts run; return what then stands above the page."""
    answer = client.post(f"/accounts/devices/{device.pk}/confirm/", {"next": "/"}, **more)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_who_has_lins_password_alone_forgets_no_browser_of_hers_and_never_vouches_for_their_own(
    company: Company, visit: Visit
) -> None:
    desk = sign_in(browser())
    [first] = of(company)
    in_place = {"headers": {"hx-request": "true"}}
    assert "device-notice" not in confirm(desk, first, **in_place)
    thief, other = sign_in(browser()), sign_in(browser())
    _first, second, _third = of(company)
    for deed in ("forget", "trust/end"):
        thief.post(f"/accounts/devices/{first.pk}/{deed}/")
        assert HELPS in shown(thief)
    assert is_in(desk)
    # Nor does the notice go away because the thief forgets their own browser.
    thief.post(f"/accounts/devices/{second.pk}/forget/")
    assert "and 1 more new device<" in shown(desk)
    assert "and 1 more new device" not in confirm(desk, of(company)[2], **in_place)
    # That a browser was confirmed once stays, when 林悦 forgets all that were.
    for device in (of(company)[2], first):
        desk.post(f"/accounts/devices/{device.pk}/forget/")
    assert not is_in(other)
    assert HELPS in confirm(thief, second, **in_place)
    lost = sign_in(browser())
    assert "Somebody signed in to your account from a new device" in shown(lost), (
        "told without a way to confirm"
    )
    assert 'hx-post="/accounts/devices/' in shown(lost)
    assert not of(company).filter(confirmed_at__isnull=False).exists()
    # Until an administrator forgets the old device.
    page = f"/people/{company.people['lin']}/"
    visit("feng").post(f"{page}devices/{second.pk}/forget/")
    confirm(lost, of(company).latest("pk"), **in_place)
    assert of(company).latest("pk").confirmed_at is not None


def test_a_second_factor_set_up_with_the_password_alone_proves_nobody_and_is_told_to_lin(
    company: Company,
) -> None:
    desk = sign_in(browser())
    [first] = of(company)
    desk.post(f"/accounts/devices/{first.pk}/confirm/")
    thief = sign_in(browser())
    secret, _codes = enrol(thief)
    thief.post(TRUST)
    assert HELPS in shown(thief)
    [_first, second] = of(company)
    assert (second.confirmed_at, second.trusted_until) == (None, None)
    assert "A second factor was set up there." in shown(desk, "/customers/")
    # A factor older than a browser proves no more in that one.
    again = sign_in(browser())
    assert again.post(CODE, {"code": code(secret, ahead=1)}).status_code == 302
    again.post(TRUST)
    third = of(company).latest("pk")
    again.post(f"/accounts/devices/{third.pk}/confirm/")
    again.post(f"/accounts/devices/{first.pk}/forget/")
    assert not of(company).exclude(pk=first.pk).filter(confirmed_at__isnull=False).exists()
    assert is_in(desk)
    # Where 林悦 herself says that the browser was hers, what was set up in it is hers too.
    desk.post(f"/accounts/devices/{second.pk}/confirm/")
    again.post(f"/accounts/devices/{third.pk}/confirm/")
    assert of(company).get(pk=third.pk).confirmed_at is not None


def test_lin_who_lost_her_browser_vouches_for_the_new_one_with_the_second_factor_she_had(
    company: Company,
) -> None:
    secret, _codes = enrol(desk := sign_in(browser()))
    desk.post(TRUST)
    new = sign_in(browser())
    new.post(CODE, {"code": code(secret, ahead=1)})
    Device.objects.filter(pk=of(company)[0].pk).delete()
    [device] = of(company)
    new.post(f"/accounts/devices/{device.pk}/confirm/")
    assert of(company).get().confirmed_at is not None
