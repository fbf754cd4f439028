"""Password profiles, waiting after failures."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from django.conf import LazySettings
from django.contrib.auth.password_validation import validate_password
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from hufu.people.models import ChosenPassword, User
from tests.company import Company
from tests.web.conftest import PASSWORD
from tests.web.test_sign_in import link_for, sign_in

CHANGE = "/accounts/password/change/"


@pytest.fixture
def lin(company: Company) -> User:
    """林悦, with a password; nobody failed before."""
    user = User.objects.get(username="lin")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    cache.clear()
    return user


def keep(settings: LazySettings, profile: str) -> None:
    """Have the site keep a profile."""
    settings.HUFU_PASSWORD_PROFILE = profile
    settings.AUTH_PASSWORD_VALIDATORS = settings.PASSWORD_PROFILES[profile]


def refusals(password: str, user: User | None = None) -> set[str | None]:
    """Return why a password is refused."""
    try:
        validate_password(password, user)
    except ValidationError as wrong:
        return {each.code for each in wrong.error_list}
    return set()


@pytest.mark.parametrize(
    ("password", "by_asvs", "by_mlps3"),
    [
        ("quiet horses graze here", set(), {"password_too_few_kinds"}),
        ("山高月小水落石出风清江阔", set(), {"password_too_few_kinds"}),
        ("Kran1ch!", {"password_too_short"}, set()),
        ("Kran1ch", {"password_too_short"}, {"password_too_short"}),
        ("KRANICH7", {"password_too_short"}, {"password_too_few_kinds"}),
        ("Kranich7", {"password_too_short"}, set()),
        ("Password1", {"password_too_short", "password_too_common"}, {"password_too_common"}),
        ("qwertyuiop123", {"password_too_common"}, {"password_too_common", "password_too_few_kinds"}),
    ],
)
def test_each_profile_keeps_its_own_rules(
    settings: LazySettings, password: str, by_asvs: set[str], by_mlps3: set[str]
) -> None:
    keep(settings, "asvs")
    assert refusals(password) == by_asvs
    keep(settings, "mlps3")
    assert refusals(password) == by_mlps3


def test_a_profile_that_there_is_not_lets_nothing_start() -> None:
    program = "from hufu.config import settings as s; print(s.HUFU_PASSWORD_PROFILE)"
    said = {}
    for value in ("", "asvs", "mlps3", "both"):
        said[value] = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "HUFU_PASSWORD_PROFILE": value},
            capture_output=True,
            text=True,
            check=False,
        )
    assert [said[value].stdout.strip() for value in said] == ["asvs", "asvs", "mlps3", ""]
    assert "HUFU_PASSWORD_PROFILE" in said["both"].stderr.splitlines()[-1]


def change(client: Client, old: str, new: str) -> int:
    """Send the form of changing the password; 302 where it was changed."""
    return client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new}).status_code


def numbered(number: int) -> str:
    return f"Kranich-und-Kiefer-{number}"


def test_by_mlps3_none_of_the_last_five_passwords_comes_again(
    lin: User, visitor: Client, settings: LazySettings
) -> None:
    keep(settings, "mlps3")
    # The form's own limit would make the test wait.
    settings.ACCOUNT_RATE_LIMITS = False
    assert sign_in(visitor, "lin", PASSWORD) == "in"
    present = PASSWORD
    for number in range(6):
        assert change(visitor, present, present) == 200
        assert change(visitor, present, numbered(number)) == 302
        present = numbered(number)
    assert [change(visitor, present, numbered(number)) for number in (1, 4, 5)] == [200, 200, 200]
    assert change(visitor, present, numbered(0)) == 302
    assert ChosenPassword.objects.filter(user=lin).count() == 5


def test_by_mlps3_a_password_of_90_days_is_changed_before_anything_else(
    lin: User, visitor: Client, settings: LazySettings, owner_connection: psycopg.Connection
) -> None:
    keep(settings, "mlps3")
    assert sign_in(visitor, "lin", PASSWORD) == "in"
    # Nobody knows since when this one stands.
    assert visitor.get("/customers/")["Location"] == CHANGE
    assert "older than 90 days" in visitor.get(CHANGE).content.decode()
    assert change(visitor, PASSWORD, numbered(0)) == 302
    assert visitor.get("/customers/").status_code == 200
    age = "UPDATE people_chosen_password SET chosen_at = chosen_at - %s"
    owner_connection.execute(age, [timedelta(days=89)])
    assert visitor.get("/customers/").status_code == 200
    owner_connection.execute(age, [timedelta(days=1)])
    assert visitor.get("/customers/")["Location"] == CHANGE
    assert visitor.post("/accounts/sessions/end-others/")["Location"] == CHANGE
    assert visitor.get("/customers/", headers={"HX-Request": "true"})["HX-Redirect"] == CHANGE
    assert visitor.post("/accounts/logout/").status_code == 302


def test_by_mlps3_a_link_sets_a_new_password_and_whoever_has_none_changes_none(
    lin: User, visitor: Client, visit, settings: LazySettings
) -> None:
    keep(settings, "mlps3")
    assert visit("wang").get("/customers/").status_code == 200
    form = visitor.get(link_for("lin"), follow=True).request["PATH_INFO"]
    assert visitor.post(form, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 200
    assert visitor.post(form, {"password1": numbered(0), "password2": numbered(0)}).status_code == 302
    assert sign_in(visitor, "lin", numbered(0)) == "in"
    assert visitor.get("/customers/").status_code == 200


def test_by_asvs_no_password_grows_too_old_and_none_is_remembered(lin: User, visitor: Client) -> None:
    assert sign_in(visitor, "lin", PASSWORD) == "in"
    assert visitor.get("/customers/").status_code == 200
    assert change(visitor, PASSWORD, numbered(0)) == 302
    assert ChosenPassword.objects.count() == 0


def test_waiting_tells_nobody_whether_there_is_such_an_account(
    lin: User, owner_connection: psycopg.Connection
) -> None:
    said = {}
    for number, name in enumerate(("lin", "nobody")):
        visitor = Client(headers={"accept-language": "en"}, REMOTE_ADDR=f"192.0.2.{number}")
        said[name] = [sign_in(visitor, name, "wrong-password") for _attempt in range(7)]
    assert said["lin"] == said["nobody"]
    assert "Wait" in said["lin"][-1]
    assert "Wait" not in said["lin"][0]
    # Every process reads the same count.
    assert owner_connection.execute("SELECT count(*) > 0 FROM hufu_cache").fetchone() == (True,)
    elsewhere = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.99")
    assert "Wait" in sign_in(elsewhere, "lin", PASSWORD)


def test_one_address_that_tries_many_accounts_waits_and_no_other_does(lin: User) -> None:
    stranger = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.7")
    said = [sign_in(stranger, f"nobody{number}", "wrong-password") for number in range(11)]
    assert ["Wait" in each for each in said] == [False] * 10 + [True]
    assert "Wait" in sign_in(stranger, "lin", PASSWORD)
    elsewhere = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.8")
    assert sign_in(elsewhere, "lin", PASSWORD) == "in"
