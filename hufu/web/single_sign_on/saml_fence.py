"""What an answer by SAML must be beyond what python3-saml checks: one shape, no choices, and bound to one request.

The library accepts more than one needs: any transform and algorithm that xmlsec knows but SHA-1, a destination that
only begins like ours, an answer without audience, expiry, recipient or the name of a request. All of it is asked for
here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from hufu.web.single_sign_on.arrivals import Failed

SECONDS_BETWEEN_CLOCKS = 60
SAML, PROTOCOL, SIGNATURE = (f"{{{space}}}" for space in (Names.NS_SAML, Names.NS_SAMLP, Names.NS_DS))
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
# INVARIANT: signatures that only the holder of a private key can make, over SHA-2; no SHA-1, no shared secret.
ALGORITHMS = {
    "CanonicalizationMethod": {EXCLUSIVE},
    "SignatureMethod": {f"{MORE}{key}-sha{bits}" for key in ("rsa", "ecdsa") for bits in (256, 384, 512)},
    "DigestMethod": {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        f"{MORE}sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    },
    # Neither XPath nor XSLT: what is signed is the element itself.
    "Transform": {"http://www.w3.org/2000/09/xmldsig#enveloped-signature", EXCLUSIVE},
}
SEVERAL = {"Transform"}


def status_of(document: Any) -> str:
    """Return the status of an answer, "" where it has none."""
    code = document.find(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    return "" if code is None else str(code.get("Value", ""))


def only_assertion(document: Any) -> Any:
    """Return the one assertion of an answer, a signed child of the answer itself; raise Failed for any other shape.

    Signature wrapping shows a verifier one element and a reader another. Here there is no other: a second assertion
    anywhere, a second element with the same ID, a signature elsewhere or of something else ends it.
    """
    if document.tag != f"{PROTOCOL}Response":
        raise Failed("wrong_answer")
    assertions = list(document.iter(f"{SAML}Assertion"))
    if len(assertions) != 1 or assertions[0].getparent() is not document:
        raise Failed("wrong_shape")
    [assertion] = assertions
    names = [
        value
        for element in document.iter()
        for key, value in element.attrib.items()
        if key.rpartition("}")[2].lower() == "id"
    ]
    if len(names) != len(set(names)):
        raise Failed("wrong_shape")
    signed = [signature.getparent() for signature in document.iter(f"{SIGNATURE}Signature")]
    if any(parent is not document and parent is not assertion for parent in signed):
        raise Failed("wrong_shape")
    if signed.count(assertion) != 1:
        raise Failed("wrong_signature")
    for parent in signed:
        for signature in parent.iterchildren(f"{SIGNATURE}Signature"):
            plain_signature(signature, str(parent.get("ID", "")))
    return assertion


def plain_signature(signature: Any, name: str) -> None:
    """Raise Failed where a signature is not one of its own parent, by algorithms that are known to be good."""
    references = list(signature.iter(f"{SIGNATURE}Reference"))
    if len(references) != 1 or not name or references[0].get("URI") != f"#{name}":
        raise Failed("wrong_shape")
    if any(True for _element in signature.iter(f"{SIGNATURE}Object")):
        raise Failed("wrong_shape")
    for what, known in ALGORITHMS.items():
        used = [element.get("Algorithm") for element in signature.iter(f"{SIGNATURE}{what}")]
        if not used or (len(used) > 1 and what not in SEVERAL) or not known.issuperset(used):
            raise Failed("wrong_signature")


def bound(document: Any, assertion: Any, *, request: str, issuer: str, audience: str, address: str) -> int:
    """Return until when a verified assertion would be good; raise Failed if it is not for us, now, and this request."""
    if [words(element) for element in assertion.iterchildren(f"{SAML}Issuer")] != [issuer]:
        raise Failed("wrong_issuer")
    if document.get("InResponseTo") != request:
        raise Failed("wrong_state")
    if document.get("Destination") != address:
        raise Failed("wrong_destination")
    confirmed_until = max(confirmations(assertion, request, address), default=0)
    if not confirmed_until:
        raise Failed("wrong_confirmation")
    return min(conditions(assertion, audience), confirmed_until)


def conditions(assertion: Any, audience: str) -> int:
    """Return when the conditions end; raise Failed where they do not hold, name others, or are not known."""
    [stated] = assertion.iterchildren(f"{SAML}Conditions")
    restrictions = list(stated.iterchildren(f"{SAML}AudienceRestriction"))
    named = [{words(one) for one in each.iterchildren(f"{SAML}Audience")} for each in restrictions]
    if not named or not all(audience in each for each in named):
        raise Failed("wrong_audience")
    if any(True for _element in stated.iterchildren(f"{SAML}Condition")):
        raise Failed("wrong_answer")
    if moment(stated, "NotBefore") > time.time() + SECONDS_BETWEEN_CLOCKS:
        raise Failed("too_early")
    ends = moment(stated, "NotOnOrAfter")
    if ends + SECONDS_BETWEEN_CLOCKS <= time.time():
        raise Failed("expired")
    return ends


def confirmations(assertion: Any, request: str, address: str) -> Iterator[int]:
    """Yield when each confirmation ends that whoever brings the answer to us, for this request, is its subject."""
    for each in assertion.iter(f"{SAML}SubjectConfirmation"):
        data = each.find(f"{SAML}SubjectConfirmationData")
        if each.get("Method") != Names.CM_BEARER or data is None:
            continue
        ends = moment(data, "NotOnOrAfter")
        if (data.get("InResponseTo"), data.get("Recipient")) == (request, address) and ends > time.time():
            yield ends


def moment(element: Any, name: str) -> int:
    """Return a time in seconds, 0 where there is none."""
    stated = element.get(name)
    try:
        return int(OneLogin_Saml2_Utils.parse_SAML_to_time(stated)) if stated else 0
    except (AttributeError, TypeError, ValueError):
        raise Failed("wrong_answer") from None


def words(element: Any) -> str:
    """Return the text of an element, exactly as it was signed."""
    return "".join(element.itertext())
