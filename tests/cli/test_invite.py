"""`hufu invite`: a link that sets a password once, and leaves nothing of itself behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from allauth.account.forms import UserTokenForm
from django.conf import settings

from hufu.people.models import User


def parts(link: str) -> dict[str, str]:
    """Return number and key of a link, as the page reads them."""
    uid, _dash, key = urlsplit(link).path.rstrip("/").rpartition("/")[2].partition("-")
    return {"uidb36": uid, "key": key}


def test_the_link_is_printed_alone_and_its_page_takes_it(hufu, people, client):
    said = hufu("invite", "li")
    assert said.code == 0
    (link,) = said.out.splitlines()
    assert link.startswith(settings.HUFU_ORIGIN + "/accounts/password/")
    assert "For 李一 alone" in said.err
    form = UserTokenForm(data=parts(link))
    assert form.is_valid()
    assert form.reset_user.username == "li"
    page = client.get(urlsplit(link).path, follow=True)
    assert page.status_code == 200


def test_it_says_where_the_link_leads_unless_it_was_told(hufu, people, monkeypatch):
    monkeypatch.delenv("HUFU_ORIGIN", raising=False)
    assert f"Links lead to {settings.HUFU_ORIGIN}." in hufu("invite", "li").err
    monkeypatch.setenv("HUFU_ORIGIN", settings.HUFU_ORIGIN)
    assert "HUFU_ORIGIN" not in hufu("invite", "li").err


def test_the_link_works_once(hufu, people, client):
    link = hufu("invite", "li").out.strip()
    form = client.get(urlsplit(link).path, follow=True)
    chosen = {"password1": "Kranich-und-Kiefer", "password2": "Kranich-und-Kiefer"}
    assert client.post(form.request["PATH_INFO"], chosen).status_code == 302
    assert User.objects.get(username="li").check_password("Kranich-und-Kiefer")
    assert not UserTokenForm(data=parts(link)).is_valid()


def test_the_link_is_valid_for_three_days(hufu, people):
    said = hufu("invite", "wang@example.com", "--json").json
    assert settings.PASSWORD_RESET_TIMEOUT == 3 * 24 * 60 * 60
    until = datetime.fromisoformat(said["valid_until"])
    assert abs(until - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)
    assert said["username"] == "wang"


def test_that_there_is_a_link_is_in_the_log_and_the_link_is_not(hufu, people, events):
    link = hufu("invite", "li").out.strip()
    (event,) = events("user.invited")
    assert event["target"] == {"type": "user", "id": people["li"].id}
    assert parts(link)["key"] not in json.dumps(event)


@pytest.mark.parametrize(("who", "code"), [("sun", 1), ("nobody", 2)])
def test_nobody_who_is_gone_or_unknown_is_invited(hufu, people, events, who, code):
    said = hufu("invite", who)
    assert (said.code, said.out) == (code, "")
    assert said.err
    assert not events("user.invited")
