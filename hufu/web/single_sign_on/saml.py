"""Signing in by SAML 2.0: the request to the provider, and every check of what it answers.

python3-saml makes the request and checks schema, status, signature, issuer, audience, times and confirmation of an
answer. What it takes for optional, or compares loosely, is asked for in `saml_fence.py`. The accounts pages of allauth
stand on the same library, but bind people and open sessions in their own way, so they are not used.

Nothing of an answer is believed for what it says of itself: the request that it must fit is in the visitor's session,
the certificates and the issuer are in the file of providers, the addresses are ours.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse
from lxml import etree
from onelogin.saml2.authn_request import OneLogin_Saml2_Authn_Request
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from hufu.web.single_sign_on import saml_fence
from hufu.web.single_sign_on.arrivals import Arrival, Failed, mail, text
from hufu.web.single_sign_on.kinds import SamlProvider

LONGEST_ANSWER = 256 * 1024
Wrong = OneLogin_Saml2_ValidationError
REASONS = {
    Wrong.STATUS_CODE_IS_NOT_SUCCESS: "refused_by_provider",
    Wrong.WRONG_INRESPONSETO: "wrong_state",
    Wrong.ASSERTION_TOO_EARLY: "too_early",
    Wrong.ASSERTION_EXPIRED: "expired",
    Wrong.SESSION_EXPIRED: "expired",
    Wrong.WRONG_DESTINATION: "wrong_destination",
    Wrong.EMPTY_DESTINATION: "wrong_destination",
    Wrong.WRONG_AUDIENCE: "wrong_audience",
    Wrong.ISSUER_MULTIPLE_IN_RESPONSE: "wrong_issuer",
    Wrong.ISSUER_NOT_FOUND_IN_ASSERTION: "wrong_issuer",
    Wrong.WRONG_ISSUER: "wrong_issuer",
    Wrong.WRONG_SUBJECTCONFIRMATION: "wrong_confirmation",
    Wrong.NO_SIGNED_ASSERTION: "wrong_signature",
    Wrong.NO_SIGNATURE_FOUND: "wrong_signature",
    Wrong.INVALID_SIGNATURE: "wrong_signature",
    Wrong.DEPRECATED_SIGNATURE_METHOD: "wrong_signature",
    Wrong.DEPRECATED_DIGEST_METHOD: "wrong_signature",
}


@dataclass(frozen=True)
class Own:
    """What we are to a provider: our name, and the address that answers are posted to."""

    entity_id: str
    answers: str


@dataclass(frozen=True)
class Checked:
    """Whom an answer is about, and the name of its assertion with the moment until which it would be good."""

    arrival: Arrival
    assertion: str
    good_until: int


def own_of(provider: SamlProvider) -> Own:
    """Return what we are to a provider: below HUFU_ORIGIN, whatever host the request named."""
    origin = str(settings.HUFU_ORIGIN)
    name = provider.own_entity_id or origin + reverse("sso_metadata", args=[provider.key])
    return Own(name, origin + reverse("sso_answer", args=[provider.key]))


def settings_of(provider: SamlProvider, own: Own) -> OneLogin_Saml2_Settings:
    """Return what python3-saml asks of an answer of this provider."""
    form = Names.NAMEID_UNSPECIFIED if provider.subject_attribute else Names.NAMEID_PERSISTENT
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": own.entity_id,
                "assertionConsumerService": {"url": own.answers, "binding": Names.BINDING_HTTP_POST},
                "NameIDFormat": form,
            },
            "idp": {
                "entityId": provider.entity_id,
                "singleSignOnService": {
                    "url": provider.sign_in_address,
                    "binding": Names.BINDING_HTTP_REDIRECT,
                },
                "x509certMulti": {"signing": list(provider.certificates)},
            },
            "security": {
                "wantAssertionsSigned": True,
                "rejectDeprecatedAlgorithm": True,
                "wantNameId": not provider.subject_attribute,
                "wantAttributeStatement": False,
                # How people prove who they are is the provider's choice: passkeys are not PasswordProtectedTransport.
                "requestedAuthnContext": False,
                # Our description of ourselves does not go out of date.
                "metadataValidUntil": "",
                "metadataCacheDuration": "",
            },
        }
    )


def metadata(provider: SamlProvider, own: Own) -> bytes:
    """Return how we describe ourselves to a provider."""
    described = settings_of(provider, own).get_sp_metadata()
    return described if isinstance(described, bytes) else str(described).encode()


def request_for(provider: SamlProvider, own: Own) -> tuple[str, str]:
    """Return the name of a new request and the address that the visitor is sent to with it."""
    request = OneLogin_Saml2_Authn_Request(settings_of(provider, own))
    joined = "&" if urlsplit(provider.sign_in_address).query else "?"
    query = urlencode({"SAMLRequest": request.get_request()})
    return str(request.get_id()), f"{provider.sign_in_address}{joined}{query}"


class Answer:
    """What was posted to us as the answer of a provider; nothing of it is believed until `checked` has returned."""

    def __init__(self, provider: SamlProvider, own: Own, encoded: str) -> None:
        self._provider, self._own = provider, own
        if not 0 < len(encoded) <= LONGEST_ANSWER:
            raise Failed("wrong_answer")
        try:
            text_of_answer = base64.b64decode(encoded)
            self._response = OneLogin_Saml2_Response(
                settings_of(provider, own), base64.b64encode(text_of_answer)
            )
        except (binascii.Error, ValueError, etree.LxmlError, OneLogin_Saml2_Error, Wrong):
            # An encrypted assertion ends here too: we publish no key for one.
            raise Failed("wrong_answer") from None

    @property
    def request(self) -> str:
        """Return the name of the request that this claims to answer; raise Failed where it claims none."""
        named = str(self._response.get_in_response_to() or "")
        if not named:
            raise Failed("unsolicited")
        return named

    def checked(self, request: str) -> Checked:
        """Return whom the answer to a request of ours is about; raise Failed where anything is not as it must be."""
        document = self._response.document
        if saml_fence.status_of(document) != Names.STATUS_SUCCESS:
            raise Failed("refused_by_provider")
        # INVARIANT (wrapping): before any signature is looked at there is one assertion in the whole answer, and
        # what is verified and what is read are both that one.
        assertion = saml_fence.only_assertion(document)
        self._verify(request)
        good_until = saml_fence.bound(
            document,
            assertion,
            request=request,
            issuer=self._provider.entity_id,
            audience=self._own.entity_id,
            address=self._own.answers,
        )
        return Checked(self._arrival(), str(assertion.get("ID")), good_until)

    def _verify(self, request: str) -> None:
        parts = urlsplit(self._own.answers)
        where = {
            "https": "on" if parts.scheme == "https" else "off",
            "http_host": parts.netloc,
            "script_name": parts.path,
        }
        try:
            self._response.is_valid(where, request_id=request, raise_exceptions=True)
        except Wrong as wrong:
            raise Failed(REASONS.get(wrong.code, "wrong_answer")) from None
        except Exception:
            # The library raises what it likes about what it cannot read; whatever it is, nobody is signed in.
            raise Failed("wrong_answer") from None

    def _arrival(self) -> Arrival:
        try:
            named, attributes = self._response.get_nameid_data(), self._response.get_attributes()
        except Wrong:
            raise Failed("wrong_answer") from None
        provider = self._provider

        def said(attribute: str, longest: int) -> str:
            values = attributes.get(attribute, []) if attribute else []
            return text(values[0], longest) if len(values) == 1 else ""

        return Arrival(
            subject=said(provider.subject_attribute, 1000) if provider.subject_attribute else lasting(named),
            email=mail(said(provider.email_attribute, 254)),
            external_id=said(provider.external_id_claim, 120),
            name=said(provider.name_attribute, 120),
            login=said(provider.login_attribute, 254),
        )


def lasting(named: dict[str, Any]) -> str:
    """Return a NameID that means the same person for ever, "" for every other: a mail address may be given anew."""
    return text(named.get("Value"), 1000) if named.get("Format") == Names.NAMEID_PERSISTENT else ""
