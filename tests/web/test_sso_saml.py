"""Single sign-on by SAML: there and back with a real provider, and every answer that must be refused.

What comes from the provider's page arrives without our cookie, as browsers do it: the first step of every way back is
made by a client that has none (`handed_on`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import requests
import xmlsec
import yaml
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from lxml import etree

from hufu.people.models import User
from hufu.web.single_sign_on.providers import providers
from tests.company import Company, database_of_module, unharmed
from tests.web.conftest import Visit
from tests.web.log import Entry, entries
from tests.web.saml_provider import (
    LOGIN,
    MAIL,
    NAME,
    NUMBER,
    PROTOCOL,
    SAML,
    SIGNATURE,
    TRANSIENT,
    WRAPPINGS,
    IdentityProvider,
    decoded,
    encoded,
    form_of,
    identity_provider,
    needs_xmlsec,
)

__all__ = ["database_of_module", "unharmed"]

pytestmark = needs_xmlsec
START, METADATA = "/accounts/sso/office/", "/accounts/sso/office/metadata/"
ANSWER, ARRIVE = "/accounts/sso/office/answer/", "/accounts/sso/office/arrive/"
OURS = "http://localhost:8000"
Configure = Callable[..., None]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with identity_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


def configuring(settings: LazySettings, folder: Path, provider: IdentityProvider) -> Configure:
    """Return a function that writes the file of providers, and tells the provider of the site."""
    (folder / "provider.xml").write_text(provider.metadata())
    written: list[str] = []

    def write(**changes: Any) -> None:
        entry = {
            "kind": "saml",
            "key": "office",
            "label": {"zh-hans": "公司账号", "en": "the company account"},
            "metadata_file": "provider.xml",
            "email_attribute": MAIL,
            "emails_verified": True,
            "name_attribute": NAME,
            "login_attribute": LOGIN,
            "match": "email",
            "create": True,
            **changes,
        }
        written.append("")
        path = folder / f"{len(written)}.yaml"
        stated = {name: value for name, value in entry.items() if value is not None}
        path.write_text(yaml.safe_dump({"providers": [stated]}))
        settings.HUFU_SSO_FILE = str(path)
        provider.trust(Client().get(METADATA).content.decode())

    return write


@pytest.fixture
def configure(
    company: Company, settings: LazySettings, tmp_path: Path, provider: IdentityProvider
) -> Configure:
    cache.clear()
    return configuring(settings, tmp_path, provider)


@pytest.fixture
def configured(configure: Configure) -> None:
    configure()


@pytest.fixture
def stranger(unharmed: Company, settings: LazySettings, tmp_path: Path, provider: IdentityProvider) -> Client:
    """A visitor who will be refused, in a database that these tests share."""
    configuring(settings, tmp_path, provider)()
    return Client(headers={"accept-language": "en"})


def go(client: Client, target: str = "") -> str:
    """Start signing in; return the provider's address that one is sent to."""
    response = client.get(START, {"next": target} if target else {})
    assert response.status_code == 302
    return response["Location"]


def handed_on(answer: str) -> dict[str, str]:
    """Post an answer as the provider's page makes a browser do it; return the form that our page posts then."""
    response = Client(enforce_csrf_checks=True).post(
        ANSWER, {"SAMLResponse": answer, "RelayState": "https://evil.example/"}
    )
    assert (response.status_code, response.cookies) == (200, {})
    target, fields = form_of(response.content.decode())
    assert target == ARRIVE
    return fields


def bring(client: Client, answer: str) -> str:
    """Bring an answer; return where one is then, or "refused"."""
    response = client.post(ARRIVE, handed_on(answer))
    if response.status_code == 403:
        assert "Signing in did not work" in response.content.decode()
        return "refused"
    assert response.status_code == 302
    return response["Location"]


def arrive(client: Client, provider: IdentityProvider, who: str, target: str = "", **how: Any) -> str:
    """Go to the provider and back; return where one is then, or "refused"."""
    return bring(client, encoded(provider.answer(go(client, target), who, **how)[0].encode()))


def last_failure(connection: psycopg.Connection) -> Entry:
    return entries(connection, "auth.sign_in_failed")[-1]


def test_the_sign_in_page_leads_to_the_provider_and_back_to_the_page_one_wanted(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    page = visitor.get("/accounts/login/", {"next": "/customers/?q=a&b=c"}).content.decode()
    assert f'href="{START}?next=%2Fcustomers%2F%3Fq%3Da%26b%3Dc"' in page
    provider.who = "s-lin"
    answered = requests.get(go(visitor, "/customers/?q=a&b=c"), timeout=10).text
    target, fields = form_of(answered)
    # The page that the provider wants to send one to is not looked at.
    assert (target, fields["RelayState"]) == (OURS + ANSWER, "https://evil.example/")
    before = visitor.cookies["hufu"].value
    assert bring(visitor, fields["SAMLResponse"]) == "/customers/?q=a&b=c"
    assert visitor.cookies["hufu"].value != before
    assert visitor.get("/customers/").status_code == 200
    [event] = entries(owner_connection, "auth.signed_in")
    assert (event.result, event.data) == ("done", {"method": "sso:office"})
    [bound] = entries(owner_connection, "auth.sso_bound")
    lin = User.objects.get(username="lin")
    assert (bound.data, bound.target) == ({"provider": "office", "match": "email"}, ("user", lin.pk))
    # The second time nobody is bound any more; the whole answer may be signed, too.
    assert arrive(Client(), provider, "s-lin", "https://evil.example/", whole=True) == "/"
    assert len(entries(owner_connection, "auth.sso_bound")) == 1
    assert SocialAccount.objects.get().provider == f"saml:name-id:{provider.entity_id}"


def test_the_site_describes_itself_and_asks_for_signed_assertions(
    configure: Configure, visitor: Client
) -> None:
    configure(own_entity_id="urn:hufu:crm")
    response = visitor.get(METADATA)
    assert response["Content-Type"] == "application/samlmetadata+xml"
    described = etree.fromstring(response.content)
    [service] = described.iter("{*}AssertionConsumerService")
    [role] = described.iter("{*}SPSSODescriptor")
    assert described.get("entityID") == "urn:hufu:crm"
    assert (service.get("Location"), service.get("Binding")[-9:]) == (OURS + ANSWER, "HTTP-POST")
    assert (role.get("WantAssertionsSigned"), described.get("validUntil")) == ("true", None)
    first, second = (parse_qs(urlsplit(go(visitor)).query) for _ in range(2))
    assert list(first) == ["SAMLRequest"]
    assert first != second


def test_somebody_unknown_gets_an_account_without_any_right(
    configured: None, provider: IdentityProvider, visitor: Client
) -> None:
    assert arrive(visitor, provider, "s-new") == "/"
    new = User.objects.get(name="梅兰")
    assert (new.username, new.email, new.main_department_id) == ("lin-2", "mei@hufu.example", None)
    assert "You may not see anything yet" in visitor.get("/").content.decode()
    assert visitor.get("/customers/").status_code == 403


def test_a_mail_address_that_nobody_verified_is_no_address(
    configure: Configure, provider: IdentityProvider, visitor: Client
) -> None:
    configure(match="nothing", email_attribute=None, emails_verified=None)
    assert arrive(visitor, provider, "s-lin") == "/"
    new = SocialAccount.objects.get(uid="s-lin").user
    assert (new.username, new.email) == ("lin-2", "")
    assert visitor.get("/customers/").status_code == 403


def test_the_external_number_finds_the_account_and_an_attribute_of_two_values_is_none(
    configure: Configure,
    provider: IdentityProvider,
    visitor: Client,
    owner_connection: psycopg.Connection,
) -> None:
    owner_connection.execute("UPDATE people_user SET external_id = 'E-7' WHERE username = 'lin'")
    configure(match="external_id", external_id_attribute=NUMBER, create=False)
    assert arrive(Client(headers={"accept-language": "en"}), provider, "s-two") == "refused"
    assert last_failure(owner_connection).reason == "unknown_person"
    assert arrive(visitor, provider, "s-lin") == "/"
    assert visitor.get("/customers/").status_code == 200


def test_the_person_is_named_by_a_lasting_name_or_by_the_attribute_that_is_configured(
    configure: Configure,
    provider: IdentityProvider,
    visitor: Client,
    owner_connection: psycopg.Connection,
) -> None:
    configure()
    assert arrive(visitor, provider, "s-lin", form=TRANSIENT) == "refused"
    assert last_failure(owner_connection).reason == "no_subject"
    configure(subject_attribute=NUMBER)
    assert arrive(visitor, provider, "s-zheng", form=TRANSIENT) == "refused"
    assert last_failure(owner_connection).reason == "no_subject"
    assert arrive(visitor, provider, "s-lin", form=TRANSIENT) == "/"
    bound = SocialAccount.objects.get()
    assert (bound.provider, bound.uid) == (f"saml:{NUMBER}:{provider.entity_id}", "E-7")


def test_the_same_name_at_another_provider_is_somebody_else(
    configure: Configure, provider: IdentityProvider, visitor: Client
) -> None:
    """Keycloak, for one, calls itself the same by both protocols, and names people differently."""
    configure(match="nothing", create=False)
    tang = User.objects.get(username="tang")
    for other in (provider.entity_id, "saml:name-id:https://other.example", f"saml:uid:{provider.entity_id}"):
        SocialAccount.objects.create(provider=other, uid="s-lin", user=tang)
    assert arrive(visitor, provider, "s-lin") == "refused"


def test_a_suspended_person_is_refused_in_the_same_words(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    assert arrive(visitor, provider, "s-zheng") == "refused"
    failure = last_failure(owner_connection)
    zheng = User.objects.get(username="zheng")
    assert (failure.reason, failure.target) == ("account_not_active", ("user", zheng.pk))


def test_an_answer_signs_in_once_and_only_the_session_that_asked(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    answer = encoded(provider.answer(go(visitor), "s-lin")[0].encode())
    thief = Client(headers={"accept-language": "en"})
    assert bring(thief, answer) == "refused"
    go(thief)
    assert bring(thief, answer) == "refused"
    assert last_failure(owner_connection).reason == "wrong_state"
    kept = dict(visitor.session)
    assert bring(visitor, answer) == "/"
    visitor.post("/accounts/logout/")
    assert bring(visitor, answer) == "refused"
    # Even a session as it was before the first answer does not take it again, in any process.
    late = Client(headers={"accept-language": "en"})
    go(late)
    session = late.session
    session.update(kept)
    session.save()
    assert bring(late, answer) == "refused"
    assert last_failure(owner_connection).reason == "replayed"


def test_an_assertion_that_was_seen_is_refused_for_another_request_too(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    def named(document: Any) -> None:
        document.find(f"{SAML}Assertion").set("ID", "always-the-same")

    assert bring(visitor, provider.forged(go(visitor), "s-lin", named)) == "/"
    other = Client(headers={"accept-language": "en"})
    assert bring(other, provider.forged(go(other), "s-lin", named)) == "refused"
    assert last_failure(owner_connection).reason == "replayed"


def test_a_provider_that_begins_by_itself_is_refused(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    def unasked(document: Any) -> None:
        for element in document.iter():
            element.attrib.pop("InResponseTo", None)

    address = go(visitor)
    assert bring(visitor, provider.forged(address, "s-lin", unasked)) == "refused"
    assert last_failure(owner_connection).reason == "unsolicited"
    # A request of an attacker's own session, or none that ever was: the victim's session knows neither.
    for request in ("ONELOGIN_0", go(Client())):
        forged = provider.forged(address, "s-lin", lambda document, named=request: answering(document, named))
        assert bring(visitor, forged) == "refused"
        assert last_failure(owner_connection).reason == "wrong_state"


def answering(document: Any, request: str) -> None:
    for element in document.iter():
        if "InResponseTo" in element.attrib:
            element.set("InResponseTo", request)


def test_an_answer_that_comes_too_late_or_says_no_is_refused(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    answer = encoded(provider.answer(go(visitor), "s-lin")[0].encode())
    session = visitor.session
    session["hufu_sso"] = [{**kept, "at": kept["at"] - 601} for kept in session["hufu_sso"]]
    session.save()
    assert bring(visitor, answer) == "refused"
    assert last_failure(owner_connection).reason == "expired"
    no = decoded(encoded(provider.answer(go(visitor), "s-lin")[0].encode()))
    code = no.find(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
    assert bring(visitor, encoded(no)) == "refused"
    assert last_failure(owner_connection).reason == "refused_by_provider"


def at(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def setting(path: str, name: str, value: str | None) -> Callable[[Any], None]:
    """Return a change of an attribute of the elements at a path; None takes it away."""

    def change(document: Any) -> None:
        elements = [document] if path == "." else document.findall(path)
        assert elements
        for element in elements:
            if value is None:
                del element.attrib[name]
            else:
                element.set(name, value)

    return change


def saying(path: str, value: str) -> Callable[[Any], None]:
    """Return a change of the text of the elements at a path."""

    def change(document: Any) -> None:
        for element in document.findall(path):
            element.text = value

    return change


def without(path: str) -> Callable[[Any], None]:
    """Return a change that takes an element away."""

    def change(document: Any) -> None:
        element = document.find(path)
        element.getparent().remove(element)

    return change


CONDITIONS = f"{SAML}Assertion/{SAML}Conditions"
CONFIRMED = f"{SAML}Assertion/{SAML}Subject/{SAML}SubjectConfirmation/{SAML}SubjectConfirmationData"
AUDIENCE = f"{CONDITIONS}/{SAML}AudienceRestriction"
SHA1, HMAC = xmlsec.Transform.RSA_SHA1, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
FORGED: dict[str, tuple[Callable[[Any], Any], dict[str, Any], str]] = {
    "expired": (setting(CONDITIONS, "NotOnOrAfter", at(-2)), {}, "expired"),
    "expired long ago": (setting(CONDITIONS, "NotOnOrAfter", at(-60)), {}, "expired"),
    "without an end": (setting(CONDITIONS, "NotOnOrAfter", None), {}, "expired"),
    "not yet": (setting(CONDITIONS, "NotBefore", at(300)), {}, "too_early"),
    "for another audience": (
        saying(f"{AUDIENCE}/{SAML}Audience", "https://other.example"),
        {},
        "wrong_audience",
    ),
    "for no audience": (without(AUDIENCE), {}, "wrong_audience"),
    "by another issuer": (saying(f".//{SAML}Issuer", "https://other.example"), {}, "wrong_issuer"),
    "by nobody": (saying(f"{SAML}Assertion/{SAML}Issuer", ""), {}, "wrong_issuer"),
    "to another address": (setting(".", "Destination", "https://other.example/"), {}, "wrong_destination"),
    "to an address that begins like ours": (
        setting(".", "Destination", OURS + ANSWER + "x"),
        {},
        "wrong_destination",
    ),
    "to no address": (setting(".", "Destination", None), {}, "wrong_destination"),
    "confirmed for another address": (
        setting(CONFIRMED, "Recipient", OURS + ANSWER + "x"),
        {},
        "wrong_confirmation",
    ),
    "confirmed for no address": (setting(CONFIRMED, "Recipient", None), {}, "wrong_confirmation"),
    "confirmed for no request": (setting(CONFIRMED, "InResponseTo", None), {}, "wrong_confirmation"),
    "confirmed for another request": (setting(CONFIRMED, "InResponseTo", "x"), {}, "wrong_confirmation"),
    "confirmed until a while ago": (setting(CONFIRMED, "NotOnOrAfter", at(-2)), {}, "wrong_confirmation"),
    "confirmed without an end": (setting(CONFIRMED, "NotOnOrAfter", None), {}, "wrong_confirmation"),
    "signed with SHA-1": (lambda document: None, {"algorithm": SHA1}, "wrong_signature"),
    "digested with SHA-1": (lambda document: None, {"digest": xmlsec.Transform.SHA1}, "wrong_signature"),
}


def refused(client: Client, connection: psycopg.Connection, answer: str, reason: str) -> None:
    """Assert that an answer signs nobody in, for one reason and no other."""
    before = len(entries(connection, "auth.sign_in_failed"))
    assert bring(client, answer) == "refused"
    failures = entries(connection, "auth.sign_in_failed")
    assert [failure.reason for failure in failures[before:]] == [reason]
    assert client.get("/customers/").status_code == 302
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("what", FORGED)
def test_an_answer_is_refused_for_whatever_is_wrong_with_it(
    stranger: Client, provider: IdentityProvider, owner_connection: psycopg.Connection, what: str
) -> None:
    """Each is signed by the provider's key, and differs in one thing from one that signs in."""
    change, how, reason = FORGED[what]
    refused(stranger, owner_connection, provider.forged(go(stranger), "s-lin", change, **how), reason)


def test_an_answer_that_the_test_signs_signs_in_when_nothing_is_wrong_with_it(
    configured: None, provider: IdentityProvider, visitor: Client
) -> None:
    assert bring(visitor, provider.forged(go(visitor), "s-lin", lambda document: None)) == "/"
    assert visitor.get("/customers/").status_code == 200


def unsigned(provider: IdentityProvider, document: Any) -> None:
    assertion = document.find(f"{SAML}Assertion")
    assertion.remove(assertion.find(f"{SIGNATURE}Signature"))


def changed(provider: IdentityProvider, document: Any) -> None:
    document.find(f".//{SAML}NameID").text = "s-zheng"


def signed_by_another(provider: IdentityProvider, document: Any) -> None:
    """By a key whose certificate stands beside the signature, as everybody can make one."""
    unsigned(provider, document)
    provider.sign(document.find(f"{SAML}Assertion"), provider.other)


def signed_as_a_whole_alone(provider: IdentityProvider, document: Any) -> None:
    unsigned(provider, document)
    provider.sign(document)


def with_the_certificate_as_a_secret(provider: IdentityProvider, document: Any) -> None:
    document.find(f".//{SIGNATURE}SignatureMethod").set("Algorithm", HMAC)


def with_a_program_in_the_signature(provider: IdentityProvider, document: Any) -> None:
    transforms = document.find(f".//{SIGNATURE}Transforms")
    transforms[0].set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")


def of_nothing(provider: IdentityProvider, document: Any) -> None:
    document.find(f".//{SIGNATURE}Reference").set("URI", "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (unsigned, "wrong_signature"),
        (changed, "wrong_signature"),
        (signed_by_another, "wrong_signature"),
        (signed_as_a_whole_alone, "wrong_signature"),
        (with_the_certificate_as_a_secret, "wrong_signature"),
        (with_a_program_in_the_signature, "wrong_signature"),
        (of_nothing, "wrong_shape"),
    ],
)
def test_an_answer_that_the_configured_certificate_did_not_sign_is_refused(
    stranger: Client,
    provider: IdentityProvider,
    owner_connection: psycopg.Connection,
    change: Callable[[IdentityProvider, Any], None],
    reason: str,
) -> None:
    document = etree.fromstring(provider.answer(go(stranger), "s-lin")[0].encode())
    change(provider, document)
    refused(stranger, owner_connection, encoded(document), reason)


@pytest.mark.parametrize("wrap", WRAPPINGS)
@pytest.mark.parametrize("whole", [False, True])
def test_a_wrapped_signature_signs_nobody_in(
    stranger: Client,
    provider: IdentityProvider,
    owner_connection: psycopg.Connection,
    wrap: Callable[[Any, str], None],
    whole: bool,
) -> None:
    """梅兰 has a good answer about herself, and makes one of it that seems to be about 林悦."""
    document = etree.fromstring(provider.answer(go(stranger), "s-new", whole=whole)[0].encode())
    wrap(document, "s-lin")
    refused(stranger, owner_connection, encoded(document), "wrong_shape")


def test_a_comment_does_not_cut_a_name_in_two(
    configured: None, provider: IdentityProvider, visitor: Client
) -> None:
    """A comment changes no signature; what stands before it is not the whole name."""
    text = provider.answer(go(visitor), "s-zheng.evil")[0].encode()
    assert b">s-zheng.evil<" in text
    assert bring(visitor, encoded(text.replace(b">s-zheng.evil<", b">s-zheng<!-- -->.evil<"))) == "/"
    assert SocialAccount.objects.get().uid == "s-zheng.evil"


def test_what_is_no_answer_at_all_is_refused_and_nothing_breaks(
    configured: None, provider: IdentityProvider, visitor: Client, owner_connection: psycopg.Connection
) -> None:
    address = go(visitor)
    good = provider.answer(address, "s-lin")[0].encode()
    entity = b'<!DOCTYPE r [<!ENTITY e "x">]><Response>&e;</Response>'
    hidden = b"<a:EncryptedAssertion xmlns:a='urn:oasis:names:tc:SAML:2.0:assertion'/>"
    encrypted = good.partition(b"<ns1:Assertion")[0] + hidden + b"</ns0:Response>"
    for said in (b"", b"no XML", entity, b"<a/>" * 2, b"<a>" * 400, encrypted):
        response = visitor.post(ARRIVE, {"SAMLResponse": base64.b64encode(said).decode()})
        assert response.status_code == 403
        assert last_failure(owner_connection).reason == "wrong_answer"
    for client in (Client(), visitor):
        for form in ({}, {"SAMLResponse": "a" * (256 * 1024 + 1)}):
            assert client.post(ANSWER, form).status_code == 403
    response = Client().post(ANSWER, {"SAMLResponse": '"><script>alert(1)</script>'})
    assert b"<script>alert" not in response.content
    # The first step signs nobody in and takes no request, whatever comes with it.
    assert visitor.post(ANSWER, {"SAMLResponse": encoded(good)}).status_code == 200
    assert visitor.get("/customers/").status_code == 302
    assert bring(visitor, encoded(good)) == "/"


def test_whoever_is_signed_in_stays_who_they_are_and_pages_of_the_other_protocol_are_not_there(
    configured: None, provider: IdentityProvider, visit: Visit, visitor: Client
) -> None:
    answer = encoded(provider.answer(go(visitor), "s-lin")[0].encode())
    tang = visit("tang")
    assert tang.get(START)["Location"] == "/"
    assert bring(tang, answer) == "/"
    assert tang.session["_auth_user_id"] == str(User.objects.get(username="tang").pk)
    assert visitor.get("/accounts/sso/office/callback/").status_code == 404
    assert visitor.get(ANSWER).status_code == 405
    assert list(providers()) == ["office"]
