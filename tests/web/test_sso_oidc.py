"""Single sign-on by OpenID Connect: there and back with a real provider, and every answer that must be refused.

The provider is oidc-provider-mock, started for the run. What it would never say is said by a token that the test
signs in its stead: the provider's own key is its key too, and every such token differs from a good one in one thing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import psycopg
import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.web.single_sign_on import oidc
from hufu.web.single_sign_on.providers import providers
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import Entry, entries
from tests.web.test_second_factor import PASSWORD, code, enrol, enter

START, CALLBACK = "/accounts/sso/office/", "/accounts/sso/office/callback/"
CLIENT, SECRET = "hufu", "the secret of the client"


def person(subject: str, claims: dict[str, Any]) -> oidc_provider_mock.User:
    return oidc_provider_mock.User(sub=subject, claims=claims)


PEOPLE = (
    person("s-lin", {"email": "LIN@hufu.example", "email_verified": True, "name": "林悦"}),
    person("s-false", {"email": "lin@hufu.example", "email_verified": False}),
    person("s-zheng", {"email": "zheng@hufu.example", "email_verified": True}),
    person(
        "s-new",
        {
            "email": "mei@hufu.example",
            "email_verified": True,
            "name": "梅兰",
            "preferred_username": "lin@hufu.example",
        },
    ),
    person("s-number", {"employee": "E-7"}),
)
Configure = Callable[..., None]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that listens on this machine."""
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def configure(company: Company, settings: LazySettings, tmp_path: Path, issuer: str) -> Configure:
    """Return a function that writes the file of providers, with one provider."""
    (tmp_path / "secret").write_text(SECRET + "\n")

    def write(**changes: Any) -> None:
        entry = {
            "kind": "oidc",
            "key": "office",
            "label": {"zh-hans": "公司账号", "en": "the company account"},
            "issuer": issuer,
            "client_id": CLIENT,
            "client_secret_file": "secret",
            "match": "email",
            "create": True,
            **changes,
        }
        digest = hashlib.sha256(json.dumps(entry).encode()).hexdigest()[:8]
        path = tmp_path / f"{digest}.yaml"
        path.write_text(json.dumps({"providers": [entry]}))
        settings.HUFU_SSO_FILE = str(path)

    cache.clear()
    oidc._kept.clear()
    return write


@pytest.fixture
def configured(configure: Configure) -> None:
    configure()


def go(client: Client, target: str = "") -> str:
    """Start signing in; return the provider's address that one is sent to."""
    response = client.get(START, {"next": target} if target else {})
    assert response.status_code == 302
    return response["Location"]


def at_provider(address: str, who: str) -> dict[str, str]:
    """Sign in at the provider; return the query that it sends one back with."""
    answer = requests.post(address, data={"sub": who}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["Location"])
    assert parts.path == CALLBACK
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def arrive(client: Client, who: str, target: str = "") -> str:
    """Go to the provider and back; return where one is then, or "refused"."""
    response = client.get(CALLBACK, at_provider(go(client, target), who))
    if response.status_code == 403:
        assert "Signing in did not work" in response.content.decode()
        return "refused"
    assert response.status_code == 302
    return response["Location"]


def last_failure(connection: psycopg.Connection) -> Entry:
    return entries(connection, "auth.sign_in_failed")[-1]


def test_the_sign_in_page_leads_to_the_provider_and_back_to_the_page_one_wanted(
    configured: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    page = visitor.get("/accounts/login/", {"next": "/customers/?q=a&b=c"}).content.decode()
    assert "Sign in with the company account" in page
    assert f'href="{START}?next=%2Fcustomers%2F%3Fq%3Da%26b%3Dc"' in page
    assert arrive(visitor, "s-lin", "/customers/?q=a&b=c") == "/customers/?q=a&b=c"
    assert visitor.get("/customers/").status_code == 200
    [event] = entries(owner_connection, "auth.signed_in")
    assert (event.result, event.data) == ("done", {"method": "sso:office"})
    [bound] = entries(owner_connection, "auth.sso_bound")
    lin = User.objects.get(username="lin")
    assert (bound.data, bound.target) == ({"provider": "office", "match": "email"}, ("user", lin.pk))
    # The second time nobody is bound any more.
    assert arrive(Client(), "s-lin") == "/"
    assert len(entries(owner_connection, "auth.sso_bound")) == 1


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:0"]
)
def test_signing_in_never_leads_to_another_site(configured: None, visitor: Client, target: str) -> None:
    assert arrive(visitor, "s-lin", target) == "/"


def test_the_request_carries_state_nonce_and_a_challenge_and_no_secret(
    configured: None, visitor: Client
) -> None:
    first, second = (parse_qs(urlsplit(go(visitor)).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    assert first["redirect_uri"] == [f"http://localhost:8000{CALLBACK}"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]
    assert SECRET not in json.dumps(first)


def test_somebody_unknown_gets_an_account_without_any_right(
    configured: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    assert arrive(visitor, "s-new") == "/"
    new = User.objects.get(name="梅兰")
    assert (new.username, new.email, new.status) == ("lin-2", "mei@hufu.example", "active")
    assert (new.main_department_id, new.level_id, new.external_id) == (None, None, None)
    assert not new.has_usable_password()
    home = visitor.get("/").content.decode()
    assert "You may not see anything yet" in home
    assert visitor.get("/customers/").status_code == 403
    rights = owner_connection.execute(
        "SELECT (SELECT count(*) FROM access_assignment WHERE user_id = %(id)s),"
        " (SELECT count(*) FROM access_term_grant WHERE user_id = %(id)s)",
        {"id": new.pk},
    ).fetchone()
    assert rights == (0, 0)
    assert [event.target for event in entries(owner_connection, "user.created")][-1] == ("user", new.pk)


def test_where_unknown_people_get_no_account_they_are_refused(
    configure: Configure, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    configure(create=False)
    before = User.objects.count()
    assert arrive(visitor, "s-new") == "refused"
    assert User.objects.count() == before
    assert last_failure(owner_connection).reason == "unknown_person"


def test_an_address_that_nobody_verified_opens_no_account_that_stood_before(
    configured: None, visitor: Client
) -> None:
    assert arrive(visitor, "s-false") == "/"
    lin = User.objects.get(username="lin")
    assert not SocialAccount.objects.filter(user=lin).exists()
    new = SocialAccount.objects.get(uid="s-false").user
    assert new.email == ""
    assert visitor.get("/customers/").status_code == 403


def test_an_address_of_two_accounts_opens_neither(
    configured: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("UPDATE people_user SET email = 'lin@hufu.example' WHERE username = 'tang'")
    assert arrive(visitor, "s-lin") == "refused"
    assert last_failure(owner_connection).reason == "several_accounts"


def test_an_account_that_is_bound_takes_no_second_subject(
    configured: None, visitor: Client, owner_connection: psycopg.Connection, issuer: str
) -> None:
    lin = User.objects.get(username="lin")
    SocialAccount.objects.create(provider=issuer, uid="s-before", user=lin)
    assert arrive(visitor, "s-lin") == "refused"
    assert last_failure(owner_connection).reason == "bound_to_another_subject"


def test_the_external_number_finds_the_account_where_that_is_configured(
    configure: Configure, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("UPDATE people_user SET external_id = 'E-7' WHERE username = 'lin'")
    configure(match="external_id", external_id_claim="employee", create=False)
    assert arrive(visitor, "s-number") == "/"
    assert visitor.get("/customers/").status_code == 200


def test_a_suspended_person_is_refused_in_the_same_words_bound_or_not(
    configured: None, owner_connection: psycopg.Connection, visitor: Client, issuer: str
) -> None:
    zheng = User.objects.get(username="zheng")
    said = []
    for _ in range(2):
        response = visitor.get(CALLBACK, at_provider(go(visitor), "s-zheng"))
        said.append(response.content)
        failure = last_failure(owner_connection)
        assert (failure.reason, failure.target) == ("account_not_active", ("user", zheng.pk))
        SocialAccount.objects.get_or_create(provider=issuer, uid="s-zheng", user=zheng)
    go(visitor)
    other = visitor.get(CALLBACK, {"state": "nothing", "code": "x"})
    assert (response.status_code, other.status_code) == (403, 403)
    assert other.content == said[0] == said[1]
    assert visitor.get("/customers/").status_code == 302


def test_whoever_has_a_second_factor_is_asked_for_it(configured: None, visitor: Client) -> None:
    lin = User.objects.get(username="lin")
    lin.set_password(PASSWORD)
    lin.save(update_fields=["password"])
    key, _recovery = enrol(enter("lin"))
    asked = arrive(visitor, "s-lin", "/customers/")
    assert asked == "/accounts/second-factor/"
    assert visitor.get("/customers/").status_code == 302
    response = visitor.post(asked, {"code": code(key, ahead=1)})
    assert (response.status_code, response["Location"]) == (302, "/customers/")
    assert visitor.get("/customers/").status_code == 200


def test_an_answer_signs_in_once_and_only_the_session_that_asked(
    configured: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    answer = at_provider(go(visitor), "s-lin")
    thief = Client()
    assert thief.get(CALLBACK, answer).status_code == 403
    go(thief)
    assert thief.get(CALLBACK, answer).status_code == 403
    assert last_failure(owner_connection).reason == "wrong_state"
    before = visitor.cookies["hufu"].value
    kept = dict(visitor.session)
    assert visitor.get(CALLBACK, answer).status_code == 302
    assert visitor.cookies["hufu"].value != before
    visitor.post("/accounts/logout/")
    assert visitor.get(CALLBACK, answer).status_code == 403
    # Even a session as it was before the first answer does not take it again.
    late = Client()
    late.get("/accounts/login/")
    go(late)
    session = late.session
    session.update(kept)
    session.save()
    assert late.get(CALLBACK, answer).status_code == 403
    assert last_failure(owner_connection).reason == "replayed"


def test_an_answer_that_comes_too_late_or_says_no_is_refused(
    configured: None, visitor: Client, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = parse_qs(urlsplit(go(visitor)).query)["state"][0]
    assert visitor.get(CALLBACK, {"state": state, "error": "access_denied"}).status_code == 403
    assert last_failure(owner_connection).reason == "refused_by_provider"
    answer = at_provider(go(visitor), "s-lin")
    assert visitor.get(CALLBACK, {**answer, "iss": "https://other.example"}).status_code == 403
    assert last_failure(owner_connection).reason == "wrong_issuer"
    answer = at_provider(go(visitor), "s-lin")
    session = visitor.session
    session["hufu_sso"] = [{**kept, "at": kept["at"] - 601} for kept in session["hufu_sso"]]
    session.save()
    assert visitor.get(CALLBACK, answer).status_code == 403
    assert last_failure(owner_connection).reason == "expired"


def test_a_provider_that_does_not_answer_is_a_failure_like_others(
    configure: Configure, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    configure(issuer="http://127.0.0.1:9")
    assert visitor.get(START).status_code == 403
    assert last_failure(owner_connection).reason == "provider_not_answering"


KEY, OTHER = RSAKey.generate_key(2048, {"kid": "k"}), RSAKey.generate_key(2048, {"kid": "k"})
CURVE = ECKey.generate_key("P-256", {"kid": "k"})


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."
    )


def signed(claims: dict[str, Any], key: Any = KEY, alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg, "kid": "k"}, claims, key, algorithms=[alg])


def with_public_key_as_secret(claims: dict[str, Any]) -> str:
    """By hand: no library signs so any more."""
    parts = ({"alg": "HS256", "kid": "k"}, claims)
    said = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts)
    digest = hmac.digest(KEY.as_pem(private=False), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def tampered(claims: dict[str, Any]) -> str:
    head, _body, signature = signed(claims).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "s-zheng"}).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(
    ("changes", "make", "reason"),
    [
        ({}, signed, ""),
        ({}, unsigned, "wrong_signature"),
        ({}, with_public_key_as_secret, "wrong_signature"),
        ({}, lambda claims: signed(claims, OTHER), "wrong_signature"),
        ({}, lambda claims: signed(claims, CURVE, "ES256"), "wrong_signature"),
        ({}, tampered, "wrong_signature"),
        ({}, lambda claims: "no token", "wrong_token"),
        ({"exp": int(time.time()) - 3600}, signed, "expired"),
        ({"iat": int(time.time()) + 3600}, signed, "wrong_token"),
        ({"exp": None}, signed, "wrong_token"),
        ({"aud": "another client"}, signed, "wrong_audience"),
        ({"aud": [CLIENT, "another client"]}, signed, "wrong_audience"),
        ({"azp": "another client"}, signed, "wrong_audience"),
        ({"iss": "https://other.example"}, signed, "wrong_issuer"),
        ({"nonce": "another"}, signed, "wrong_nonce"),
        ({"nonce": None}, signed, "wrong_nonce"),
        ({"sub": None}, signed, "wrong_token"),
    ],
)
def test_a_token_is_refused_for_whatever_is_wrong_with_it(
    configured: None,
    visitor: Client,
    owner_connection: psycopg.Connection,
    issuer: str,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    make: Callable[[dict[str, Any]], str],
    reason: str,
) -> None:
    """The first of them is a good one, so that nothing but the change refuses the others."""
    query = parse_qs(urlsplit(go(visitor)).query)
    now = int(time.time())
    good = {"iss": issuer, "sub": "s-lin", "aud": CLIENT, "exp": now + 300, "iat": now}
    good |= {"nonce": query["nonce"][0], "email": "lin@hufu.example", "email_verified": True}
    claims = {name: value for name, value in (good | changes).items() if value is not None}
    asked = oidc.ask

    def answered(method: str, address: str, **request: Any) -> dict[str, Any]:
        if address.endswith("/jwks"):
            return {"keys": [{**KEY.as_dict(private=False), "alg": "RS256", "use": "sig"}]}
        return {"id_token": make(claims)} if method == "POST" else asked(method, address, **request)

    monkeypatch.setattr(oidc, "ask", answered)
    response = visitor.get(CALLBACK, {"state": query["state"][0], "code": "c"})
    assert response.status_code == (403 if reason else 302)
    failures = entries(owner_connection, "auth.sign_in_failed")
    assert [failure.reason for failure in failures] == ([reason] if reason else [])
    assert (visitor.get("/customers/").status_code == 200) == (not reason)


def test_whoever_is_signed_in_stays_who_they_are(configured: None, visit: Visit, visitor: Client) -> None:
    answer = at_provider(go(visitor), "s-lin")
    tang = visit("tang")
    assert tang.get(START)["Location"] == "/"
    assert tang.get(CALLBACK, answer)["Location"] == "/"
    assert tang.session["_auth_user_id"] == str(User.objects.get(username="tang").pk)


def test_no_secret_is_in_the_database_or_the_description_of_a_provider(
    configured: None, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    arrive(visitor, "s-lin")
    assert SECRET not in repr(providers())
    assert owner_connection.execute("SELECT count(*) FROM socialaccount_socialtoken").fetchone() == (0,)
    assert owner_connection.execute("SELECT extra_data FROM socialaccount_socialaccount").fetchall() == [
        ({},)
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "ldap"}, "`kind` must be oidc or saml"),
        ({"key": "Big Office"}, "`key` must be"),
        ({"label": {"en": "one"}}, "`label` must have"),
        ({"issuer": "http://idp.example"}, "`issuer` must be an address that begins with https://"),
        ({"issuer": "https://" + "a" * 200}, "at most 200"),
        ({"client_id": 7}, "`client_id` must be a text"),
        ({"client_secret_file": "absent"}, "cannot be read"),
        ({"client_secret_env": "HUFU_TEST_X"}, "not both"),
        ({"client_secret_file": "", "client_secret_env": "HUFU_TEST_X"}, "HUFU_TEST_X, which is not set"),
        ({"match": "name"}, "`match` must be one of"),
        ({"match": "external_id"}, "`external_id_claim` must be a text"),
        ({"create": "yes"}, "`create` must be true or false"),
        ({"scopes": ["email"]}, "`scopes` must be"),
        ({"client_secret": SECRET}, "there is no setting `client_secret`"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(
    configure: Configure, changes: dict[str, Any], said: str
) -> None:
    configure(**changes)
    with pytest.raises(Invalid) as raised:
        providers()
    assert str(raised.value).startswith("HUFU_SSO_FILE: ")
    assert said in str(raised.value)
    assert SECRET not in str(raised.value)
