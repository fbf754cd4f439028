"""The settings of a SAML identity provider: its own description of itself, or what is needed of it one by one."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from hufu.web.single_sign_on.entries import COMMON, LONGEST_IDENTITY, Entry, is_safe_address, is_word
from hufu.web.single_sign_on.kinds import SamlProvider, saml_identity

DESCRIBED_BY_HAND = ("entity_id", "sign_in_address", "certificate_file")
ATTRIBUTES = ("subject_attribute", "email_attribute", "name_attribute", "login_attribute")
KEYS = COMMON | {
    *("metadata_file", *DESCRIBED_BY_HAND, *ATTRIBUTES),
    *("own_entity_id", "external_id_attribute", "emails_verified"),
}
SMALLEST_RSA_KEY = 2048

Description = tuple[str, str, list[x509.Certificate]]


def saml_provider(entry: Entry) -> SamlProvider:
    """Return the provider that an entry describes; raise Invalid with a sentence where something is wrong."""
    entry.known(KEYS)
    common = entry.common("external_id_attribute")
    subject = entry.text("subject_attribute", optional=True)
    entity_id, address, certificates = description(entry)
    identity = saml_identity(entity_id, subject)
    if not is_word(entity_id) or len(identity) > LONGEST_IDENTITY:
        raise entry.wrong(
            f"`entity_id` and `subject_attribute` must together have at most {LONGEST_IDENTITY} visible characters."
        )
    own = entry.text("own_entity_id", optional=True)
    if own and not is_word(own):
        raise entry.wrong("`own_entity_id` must be an address or name without spaces.")
    return SamlProvider(
        **common,
        entity_id=entity_id,
        sign_in_address=address,
        certificates=tuple(strong(entry, certificate) for certificate in certificates),
        own_entity_id=own,
        subject_attribute=subject,
        email_attribute=verified_emails(entry),
        name_attribute=entry.text("name_attribute", optional=True),
        login_attribute=entry.text("login_attribute", optional=True),
    )


def verified_emails(entry: Entry) -> str:
    """Return the attribute with mail addresses that the provider has verified: SAML has no word for that itself."""
    attribute = entry.text("email_attribute", optional=entry.entry.get("match") != "email")
    if bool(attribute) != entry.yes_or_no("emails_verified"):
        raise entry.wrong(
            "`email_attribute` needs `emails_verified: true`, which says that nobody at the provider chooses"
            " their own mail address; and the other way round."
        )
    return attribute


def description(entry: Entry) -> Description:
    """Return the provider's entity id, where people sign in, and the certificates of its signatures."""
    by_hand = [name for name in DESCRIBED_BY_HAND if name in entry.entry]
    path = entry.file("metadata_file", optional=bool(by_hand))
    if path is None:
        file = entry.file("certificate_file")
        return entry.text("entity_id"), entry.address("sign_in_address"), from_pem(entry, file)
    if by_hand:
        raise entry.wrong(f"`metadata_file` says it all: leave out `{by_hand[0]}`.")
    return from_metadata(entry, path)


def from_metadata(entry: Entry, path: Path) -> Description:
    """Return what a provider's metadata say: one provider, signing in by redirect, with certificates."""
    text = path.read_bytes()
    try:
        root = OneLogin_Saml2_XML.to_etree(text)
        known = OneLogin_Saml2_IdPMetadataParser.parse(text).get("idp", {})
    except (etree.LxmlError, ValueError):
        raise entry.wrong(f"{path} is not the metadata of a SAML provider.") from None
    described = OneLogin_Saml2_XML.query(root, "//md:IDPSSODescriptor")
    if len(described) != 1:
        raise entry.wrong(f"{path} must describe one identity provider; it describes {len(described)}.")
    if described[0].get("WantAuthnRequestsSigned") in ("true", "1"):
        raise entry.wrong(f"{path}: the provider wants signed requests, which Hufu CRM does not send.")
    address = known.get("singleSignOnService", {}).get("url", "")
    if not is_safe_address(address):
        raise entry.wrong(
            f"{path} must have a SingleSignOnService with the binding HTTP-Redirect and an address that begins"
            " with https://."
        )
    listed = OneLogin_Saml2_XML.query(
        described[0], "./md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate"
    )
    if not listed:
        raise entry.wrong(f"{path} has no certificate for signatures.")
    try:
        certificates = [x509.load_der_x509_certificate(base64.b64decode(node.text or "")) for node in listed]
    except ValueError:
        raise entry.wrong(f"{path} has a certificate that cannot be read.") from None
    return str(known.get("entityId", "")), address, certificates


def from_pem(entry: Entry, path: Path | None) -> list[x509.Certificate]:
    """Return the certificates of a file; several, while a provider changes its key."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes() if path else b"")
    except ValueError:
        raise entry.wrong(f"`certificate_file` names {path}, which holds no certificates (PEM).") from None


def strong(entry: Entry, certificate: x509.Certificate) -> str:
    """Return a certificate as PEM if its key is long enough; how long a certificate itself is valid does not count."""
    key = certificate.public_key()
    if not (
        (isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA_KEY)
        or isinstance(key, EllipticCurvePublicKey)
    ):
        raise entry.wrong(
            f"a certificate of the provider has a key that is too weak: RSA of {SMALLEST_RSA_KEY} bits or more,"
            " or an elliptic curve."
        )
    return certificate.public_bytes(Encoding.PEM).decode()
