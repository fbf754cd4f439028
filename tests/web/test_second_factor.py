"""Second factors: setting them up, signing in with them, losing the device."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.exceptions import InvalidTag
from django.conf import LazySettings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from hufu.config.urls import urlpatterns as site
from hufu.core.errors import SecondFactorNeeded
from hufu.people.links import LinkTokens
from hufu.people.models import Device, Session, User
from hufu.web.pages import page
from hufu.web.passage import Passage
from hufu.web.second_factor.forms import CodeForm
from hufu.web.second_factor.sealing import PREFIX, seal, unseal
from tests.company import Company
from tests.web.conftest import PASSWORD, Visit
from tests.web.log import entries

LOGIN = "/accounts/login/"
CODE = "/accounts/second-factor/"
SECURITY = "/accounts/security/"
APP = "/accounts/security/app/"
RECOVERY = "/accounts/security/recovery-codes/"


@pytest.fixture(autouse=True)
def fresh(company: Company) -> None:
    """林悦 and two administrators have passwords; nobody failed before."""
    for name in ("lin", "feng", "wu"):
        user = User.objects.get(username=name)
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    cache.clear()


def code(secret: str, *, ahead: int = 0) -> str:
    """Return what the app shows now, or some half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + ahead))


def enter(name: str) -> Client:
    """Return somebody's client after the right password."""
    client = Client(headers={"accept-language": "en"})
    assert client.post(LOGIN, {"login": name, "password": PASSWORD}).status_code == 302
    return client


def enrol(client: Client) -> tuple[str, list[str]]:
    """Set up an app for whoever signed in with a password; return its key and the recovery codes."""
    asked = client.get(APP)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert client.post(asked["Location"], {"password": PASSWORD, "next": APP})["Location"] == APP
    [secret] = re.findall(r'class="secret-key">(\w+)<', client.get(APP).content.decode())
    made = client.post(APP, {"code": code(secret)})
    assert made["Location"] == RECOVERY
    return secret, re.findall(r"<li><code>(\d{8})</code>", client.get(RECOVERY).content.decode())


def proof_of(client: Client) -> datetime | None:
    """Return what the next request of this client knows of a second factor."""
    answer = client.get(SECURITY)
    moment: datetime | None = answer.wsgi_request.actor.context.second_factor_at  # type: ignore[attr-defined]
    return moment


def test_lin_sets_up_an_app_and_signs_in_with_its_code(owner_connection: psycopg.Connection) -> None:
    secret, codes = enrol(enter("lin"))
    assert len(codes) == 10
    client = enter("lin")
    assert client.get("/customers/").status_code == 302
    assert "second factor" in client.get(CODE).content.decode()
    wrong = client.post(CODE, {"code": "000000"})
    assert wrong.status_code == 200
    assert "This code is not right" in wrong.content.decode()
    assert client.get("/customers/").status_code == 302
    assert client.post(CODE, {"code": code(secret, ahead=1)}).status_code == 302
    assert client.get("/customers/").status_code == 200
    enrolled = entries(owner_connection, "auth.second_factor_enrolled")
    assert sorted(event.data["kind"] for event in enrolled) == ["recovery_codes", "totp"]
    [failed] = entries(owner_connection, "auth.second_factor_failed")
    assert (failed.result, failed.reason, failed.data) == ("failed", "wrong_code", {"step": "sign_in"})
    [used] = entries(owner_connection, "auth.second_factor_used")
    assert used.data == {"step": "sign_in", "kind": "totp"}
    assert entries(owner_connection, "auth.signed_in")[-1].data == {"method": "password"}


def test_the_session_knows_when_a_second_factor_was_proven_and_forgets_it_with_the_factor() -> None:
    client = enter("lin")
    assert proof_of(client) is None
    enrol(client)
    assert proof_of(client) is not None
    assert client.post(APP + "remove/").status_code == 302
    assert proof_of(client) is None


def half_done(name: str = "lin") -> tuple[Client, str]:
    """Return the client of somebody who gave the password and not yet the code, and the code."""
    secret, _codes = enrol(enter(name))
    client = enter(name)
    assert "second factor" in client.get(CODE).content.decode()
    return client, code(secret, ahead=1)


def assert_nobody_came_in(client: Client, number: str, user: int) -> None:
    devices = Device.objects.count()
    sessions = set(Session.objects.filter(user_id=user).values_list("pk", flat=True))
    refused = client.post(CODE, {"code": number})
    assert refused["Location"] == LOGIN
    assert "This name and password do not match" in client.get(LOGIN).content.decode()
    assert client.get("/customers/").status_code == 302
    # Neither does trying again, nor the page of the code.
    assert client.get(CODE)["Location"] == LOGIN
    assert Device.objects.count() == devices
    assert set(Session.objects.filter(user_id=user).values_list("pk", flat=True)) <= sessions


def test_lin_who_was_suspended_between_password_and_code_does_not_come_in_nor_after_opening_again(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    lin = company.people["lin"]
    client, number = half_done()
    other = enter("lin")
    feng = visit("feng")
    assert feng.post(f"/people/{lin}/suspend/", {"reason": "电脑失窃"}).status_code == 302
    assert_nobody_came_in(client, number, lin)
    assert entries(owner_connection, "auth.sign_in_failed")[-1].target == ("user", lin)
    # The database itself lets nobody in, whatever a program forgets to ask.
    with pytest.raises(IntegrityError, match="not active"), transaction.atomic():
        now = timezone.now()
        Session.objects.create(user_id=lin, key="x" * 32, signed_in_at=now, last_seen_at=now)
    assert feng.post(f"/people/{lin}/reactivate/", {"reason": "找到了"}).status_code == 302
    assert User.objects.get(pk=lin).is_active
    assert_nobody_came_in(other, number, lin)
    # The code was not used up: whoever begins anew comes in.
    assert enter("lin").post(CODE, {"code": number})["Location"] != LOGIN


def test_a_sign_in_that_stops_at_the_last_moment_leaves_no_session_and_no_device(
    company: Company, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = company.people["lin"]
    client, number = half_done()
    used = CodeForm.save

    def suspended_meanwhile(form: CodeForm) -> None:
        used(form)
        owner_connection.execute("UPDATE people_user SET status = 'suspended' WHERE id = %s", [lin])

    monkeypatch.setattr(CodeForm, "save", suspended_meanwhile)
    assert_nobody_came_in(client, number, lin)


def test_another_password_ends_a_sign_in_that_began_with_the_former_one(
    company: Company, visitor: Client
) -> None:
    lin = company.people["lin"]
    client, number = half_done()
    user = User.objects.get(pk=lin)
    link = visitor.get(f"/accounts/password/link/{user_pk_to_url_str(user)}-{LinkTokens().make_token(user)}/")
    chosen = {"password1": "another-tiger-of-8", "password2": "another-tiger-of-8"}
    assert visitor.post(link["Location"], chosen).status_code == 302
    assert User.objects.get(pk=lin).check_password("another-tiger-of-8")
    assert_nobody_came_in(client, number, lin)


def test_a_code_opens_once(owner_connection: psycopg.Connection) -> None:
    secret, _codes = enrol(enter("lin"))
    now = code(secret, ahead=1)
    assert enter("lin").post(CODE, {"code": now}).status_code == 302
    assert enter("lin").post(CODE, {"code": now}).status_code == 200


def test_a_recovery_code_signs_in_once(owner_connection: psycopg.Connection) -> None:
    _secret, codes = enrol(enter("lin"))
    assert enter("lin").post(CODE, {"code": codes[3]}).status_code == 302
    assert enter("lin").post(CODE, {"code": codes[3]}).status_code == 200
    assert enter("lin").post(CODE, {"code": codes[4]}).status_code == 302
    assert [event.data["left"] for event in entries(owner_connection, "auth.recovery_used")] == [9, 8]


def test_recovery_codes_are_shown_once_and_new_ones_end_the_old() -> None:
    client = enter("lin")
    _secret, old = enrol(client)
    again = client.get(RECOVERY).content.decode()
    assert "not shown again" in again
    assert not any(one in again for one in old)
    assert client.post(RECOVERY + "new/")["Location"] == RECOVERY
    new = re.findall(r"<li><code>(\d{8})</code>", client.get(RECOVERY).content.decode())
    assert enter("lin").post(CODE, {"code": old[0]}).status_code == 200
    assert enter("lin").post(CODE, {"code": new[0]}).status_code == 302


def test_after_several_wrong_codes_one_has_to_wait_even_with_the_right_one(
    owner_connection: psycopg.Connection,
) -> None:
    secret, _codes = enrol(enter("lin"))
    for _attempt in range(5):
        enter("lin").post(CODE, {"code": "000000"})
    refused = enter("lin").post(CODE, {"code": code(secret, ahead=1)})
    assert "Too many failed attempts" in refused.content.decode()
    assert entries(owner_connection, "auth.second_factor_failed")[-1].reason == "too_many_failures"


def test_removing_the_app_asks_again_who_one_is(owner_connection: psycopg.Connection) -> None:
    secret, codes = enrol(enter("lin"))
    client = enter("lin")
    client.post(CODE, {"code": code(secret, ahead=1)})
    asked = client.post(APP + "remove/")
    # The password alone removes no second factor.
    assert asked["Location"].startswith("/accounts/security/code/")
    assert client.get("/accounts/reauthenticate/")["Location"].startswith("/accounts/security/code/")
    assert client.post(asked["Location"], {"code": "000000"}).status_code == 200
    assert entries(owner_connection, "auth.second_factor_removed") == []
    assert client.post(asked["Location"], {"code": codes[0]})["Location"] == APP + "remove/"
    assert client.post(APP + "remove/").status_code == 302
    removed = entries(owner_connection, "auth.second_factor_removed")
    assert sorted(event.data["kind"] for event in removed) == ["recovery_codes", "totp"]
    assert enter("lin").get("/customers/").status_code == 200


def test_no_secret_lies_in_the_database_in_the_clear(owner_connection: psycopg.Connection) -> None:
    client = enter("lin")
    secret, codes = enrol(client)
    [(app,)] = owner_connection.execute("SELECT data FROM mfa_authenticator WHERE type = 'totp'")
    [(recovery,)] = owner_connection.execute(
        "SELECT data FROM mfa_authenticator WHERE type = 'recovery_codes'"
    )
    assert app["secret"].startswith(PREFIX)
    assert unseal(app["secret"]) == secret
    assert recovery["seed"].startswith(PREFIX)
    log = owner_connection.execute("SELECT convert_from(body, 'UTF8') FROM audit_event").fetchall()
    assert not any(word in body for (body,) in log for word in (secret, *codes))


def test_the_key_of_an_app_that_is_being_set_up_is_sealed_in_the_session() -> None:
    client = enter("feng")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    [secret] = re.findall(r'class="secret-key">(\w+)<', client.get(APP).content.decode())
    assert secret not in str(dict(client.session.items()))


def test_what_was_sealed_opens_with_its_own_key_only(settings: LazySettings) -> None:
    stored = seal("虎符")
    assert unseal(stored) == "虎符"
    assert seal("虎符") != stored
    with pytest.raises(ValueError, match="not sealed"):
        unseal("虎符")
    settings.SECRET_KEY = "another-key"
    with pytest.raises(InvalidTag):
        unseal(stored)


def test_one_click_of_the_demo_asks_whoever_has_a_second_factor(
    visit: Visit, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [type("P", (), {"username": name}) for name in ("lin", "tang")]
    monkeypatch.setattr("hufu.web.accounts.demo.offered", lambda request: people)
    secret, _codes = enrol(enter("lin"))
    client = Client()
    assert client.post("/accounts/demo/", {"username": "tang"})["Location"] == "/"
    assert client.get("/customers/").status_code == 200
    other = Client()
    assert other.post("/accounts/demo/", {"username": "lin"})["Location"] == CODE
    assert other.get("/customers/").status_code == 302
    assert other.post(CODE, {"code": code(secret, ahead=1)})["Location"] == "/"
    assert other.get("/customers/").status_code == 200


def test_whoever_has_no_password_sets_up_an_app_at_once(visit: Visit) -> None:
    client = visit("tang")
    [secret] = re.findall(r'class="secret-key">(\w+)<', client.get(APP).content.decode())
    assert client.post(APP, {"code": "000000"}).status_code == 200
    assert client.post(APP, {"code": code(secret)})["Location"] == RECOVERY
    assert "1 code" not in client.get(SECURITY).content.decode()


def test_the_forms_ask_for_their_token(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    for each in (CODE, APP, APP + "remove/", RECOVERY + "new/", "/accounts/reauthenticate/"):
        assert client.post(each, {"code": "000000"}).status_code == 403


# A page of the tests that needs a second factor of the last five minutes, and says what it was sent.


@page(signed_in=True, methods=("GET", "POST"))
def sealed(request: Passage) -> HttpResponse:
    proven = request.actor.context.second_factor_at
    if proven is None or proven < timezone.now() - timedelta(minutes=5):
        raise SecondFactorNeeded(None, "Only with a fresh proof.")
    sent = [
        (name, values) for name, values in request.POST.lists() if not name.startswith(("step_up", "csrf"))
    ]
    return JsonResponse({"method": request.method, "query": request.GET.dict(), "sent": sent})


urlpatterns = [*site, path("sealed/", sealed)]
SEALED = "/sealed/?why=test"
STEP_UP = "/accounts/step-up/"


@pytest.fixture
def with_sealed_page(settings: LazySettings) -> None:
    settings.ROOT_URLCONF = __name__


def stale(client: Client) -> None:
    """Let everything that this client proved be an hour ago."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= 3600
    session.save()
    Authenticator.objects.update(created_at=timezone.now() - timedelta(days=1))


def carried(answer: Any) -> list[tuple[str, str]]:
    """Return the fields that a page carries, as a browser would send them."""
    content = answer.content.decode()
    form = content[content.index('action="/accounts/step-up/"') :]
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    texts = re.findall(r'<textarea name="([^"]+)" hidden>\n?(.*?)</textarea>', form, re.DOTALL)
    return [(unescape(name), unescape(value)) for name, value in (*hidden, *texts)]


def send(client: Client, path: str, fields: list[tuple[str, str]], **extra: Any) -> Any:
    """Send a form with repeated fields."""
    form = "application/x-www-form-urlencoded"
    return client.post(path, urlencode(fields), content_type=form, **extra)


def test_what_was_typed_goes_on_after_the_proof(with_sealed_page: None) -> None:
    client = enter("lin")
    secret, _codes = enrol(client)
    stale(client)
    typed = [("name", "上海\n机床"), ("tag", "a"), ("tag", '<b>"c"'), ("code", "their own"), ("empty", "")]
    asked = send(client, SEALED, typed)
    assert asked.status_code == 403
    assert "Only with a fresh proof." in asked.content.decode()
    fields = carried(asked)
    wrong = send(client, STEP_UP, [*fields, ("step_up-code", "000000")])
    assert wrong.status_code == 403
    assert "This code is not right" in wrong.content.decode()
    assert carried(wrong)[1:] == fields[1:]
    assert fields[0][0] == "csrfmiddlewaretoken"
    right = send(client, STEP_UP, [*fields, ("step_up-code", code(secret, ahead=1))])
    assert (right.status_code, right["Location"]) == (307, SEALED)
    done = send(client, right["Location"], fields).json()
    assert done == {
        "method": "POST",
        "query": {"why": "test"},
        "sent": [
            ["name", ["上海\n机床"]],
            ["tag", ["a", '<b>"c"']],
            ["code", ["their own"]],
            ["empty", [""]],
        ],
    }


def test_a_page_that_was_to_be_read_is_read_after_the_proof(with_sealed_page: None) -> None:
    client = enter("lin")
    secret, _codes = enrol(client)
    assert client.get(SEALED).status_code == 200
    stale(client)
    fields = carried(client.get(SEALED))
    answer = send(client, STEP_UP, [*fields, ("step_up-code", code(secret, ahead=1))])
    assert (answer.status_code, answer["Location"]) == (302, SEALED)
    assert client.get(SEALED).json()["query"] == {"why": "test"}


def test_files_are_not_carried_and_the_page_says_so(with_sealed_page: None) -> None:
    client = enter("lin")
    secret, _codes = enrol(client)
    stale(client)
    asked = client.post(SEALED, {"name": "x", "file": SimpleUploadedFile("a.csv", b"1,2")})
    assert "cannot be kept here" in asked.content.decode()
    answer = send(client, STEP_UP, [*carried(asked), ("step_up-code", code(secret, ahead=1))])
    assert (answer.status_code, answer["Location"]) == (302, SEALED)


def test_a_part_of_a_page_asks_in_a_dialog_and_leaves_the_page_as_it_is(with_sealed_page: None) -> None:
    client = enter("lin")
    secret, _codes = enrol(client)
    stale(client)
    asked = client.post(SEALED, {"name": "x"}, headers={"HX-Request": "true"})
    assert (asked.status_code, asked["HX-Retarget"]) == (200, "#step-up")
    assert "<dialog" in asked.content.decode()
    wrong = client.post(STEP_UP, {"step_up-code": "000000"}, headers={"HX-Request": "true"})
    assert "This code is not right" in wrong.content.decode()
    right = client.post(STEP_UP, {"step_up-code": code(secret, ahead=1)}, headers={"HX-Request": "true"})
    assert (right.status_code, right["HX-Trigger"]) == (204, "step-up-proven")


def test_whoever_has_no_second_factor_sets_one_up_and_comes_back(with_sealed_page: None) -> None:
    client = enter("lin")
    asked = client.get(SEALED)
    assert asked.status_code == 403
    assert f'href="{SECURITY}"' in asked.content.decode()
    # Without one there is no way past: going on leads to the same question.
    assert send(client, STEP_UP, carried(asked))["Location"] == SEALED
    assert client.get(SEALED).status_code == 403
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    [secret] = re.findall(r'class="secret-key">(\w+)<', client.get(APP).content.decode())
    client.post(APP, {"code": code(secret)})
    assert f'href="{SEALED}"' in client.get(RECOVERY).content.decode()
    assert client.get(SEALED).status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "", "x"]
)
def test_the_proof_leads_to_no_other_site(target: str) -> None:
    client = enter("lin")
    answer = client.post(STEP_UP, {"step_up-path": target, "step_up-method": "POST"})
    assert (answer.status_code, answer["Location"]) == (307, "/")


def test_the_proof_forges_nothing(with_sealed_page: None) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="lin"), backend="hufu.web.accounts.backend.PasswordBackend")
    assert client.post(STEP_UP, {"step_up-path": "/sealed/", "step_up-method": "POST"}).status_code == 403
    assert client.post("/sealed/", {"name": "x"}).status_code == 403


def test_a_refused_deed_leaves_the_event_of_the_wrong_proof_only(
    with_sealed_page: None, owner_connection: psycopg.Connection
) -> None:
    client = enter("lin")
    enrol(client)
    stale(client)
    send(client, STEP_UP, [*carried(client.get(SEALED)), ("step_up-code", "000000")])
    [failed] = entries(owner_connection, "auth.second_factor_failed")
    assert failed.data == {"step": "step_up"}


@pytest.fixture
def required(settings: LazySettings) -> None:
    """Administrators must have a second factor, as everywhere outside demo mode."""
    settings.HUFU_SECOND_FACTOR = settings.SECOND_FACTOR_REQUIRED


def test_an_administrator_sets_up_a_second_factor_before_anything_else(
    required: None, owner_connection: psycopg.Connection
) -> None:
    client = enter("feng")
    for each in ("/", "/people/", "/people/1/"):
        assert client.get(each)["Location"] == SECURITY, each
    assert client.post("/people/1/second-factors/reset/", {"reason": "x"})["Location"] == SECURITY
    assert client.get("/people/", headers={"HX-Request": "true"})["HX-Redirect"] == SECURITY
    assert client.get("/people/")["Location"] == SECURITY
    assert "You administer this system" in client.get(SECURITY).content.decode()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    [secret] = re.findall(r'class="secret-key">(\w+)<', client.get(APP).content.decode())
    client.post(APP, {"code": code(secret)})
    assert 'href="/people/"' in client.get(RECOVERY).content.decode()
    assert client.get("/people/").status_code == 200
    assert "You administer" not in client.get(SECURITY).content.decode()


def test_whoever_administers_nothing_needs_none(required: None) -> None:
    assert enter("lin").get("/customers/").status_code == 200


def test_where_it_is_optional_administrators_need_none() -> None:
    assert enter("feng").get("/people/").status_code == 200


def test_a_session_of_an_administrator_that_proved_nothing_is_asked(required: None, visit: Visit) -> None:
    secret, _codes = enrol(enter("feng"))
    # However this session came to be, it went past the code.
    client = visit("feng")
    asked = client.get("/people/")
    assert asked.status_code == 403
    right = send(client, STEP_UP, [*carried(asked), ("step_up-code", code(secret, ahead=1))])
    assert right["Location"] == "/people/"
    assert client.get("/people/").status_code == 200


def test_an_administrator_resets_the_second_factors_of_whoever_lost_all(
    visit: Visit, company: Company, owner_connection: psycopg.Connection
) -> None:
    person = f"/people/{company.people['lin']}/"
    reset = f"{person}second-factors/reset/"
    feng = visit("feng")
    assert "second-factors/reset" not in feng.get(person).content.decode()
    lin = enter("lin")
    enrol(lin)
    assert reset in feng.get(person).content.decode()
    # Without a reason nothing happens, nor by colleagues, nor for oneself.
    assert feng.post(reset, {"reason": " "}).status_code == 302
    assert visit("wang").post(reset, {"reason": "x"}).status_code == 403
    assert enter("lin").get("/customers/").status_code == 302
    assert entries(owner_connection, "auth.second_factor_reset") == []
    assert feng.post(reset, {"reason": "telephone stolen, seen in person"})["Location"] == person
    [event] = entries(owner_connection, "auth.second_factor_reset")
    assert (event.reason, event.data) == ("telephone stolen, seen in person", {"count": 2})
    assert event.target == ("user", company.people["lin"])
    assert len(entries(owner_connection, "auth.second_factor_removed")) == 2
    assert proof_of(lin) is None
    assert enter("lin").get("/customers/").status_code == 200
    assert "has no second factor" in feng.post(reset, {"reason": "again"}, follow=True).content.decode()


def test_nobody_resets_their_own_second_factors(
    visit: Visit, company: Company, owner_connection: psycopg.Connection
) -> None:
    enrol(enter("feng"))
    own = f"/people/{company.people['feng']}/"
    feng = visit("feng")
    assert "second-factors/reset" not in feng.get(own).content.decode()
    assert feng.post(f"{own}second-factors/reset/", {"reason": "x"}).status_code == 403
    assert entries(owner_connection, "auth.second_factor_removed") == []
    assert feng.post("/people/999999/second-factors/reset/", {"reason": "x"}).status_code == 404


def test_whoever_was_reset_and_administers_sets_one_up_again(
    required: None, visit: Visit, company: Company, owner_connection: psycopg.Connection
) -> None:
    wu = enter("wu")
    enrol(wu)
    assert wu.get("/log/").status_code == 200
    feng = enter("feng")
    enrol(feng)
    feng.post(f"/people/{company.people['wu']}/second-factors/reset/", {"reason": "lost"})
    assert wu.get("/log/")["Location"].startswith(LOGIN)
    wu = enter("wu")
    assert wu.get("/log/")["Location"] == SECURITY
