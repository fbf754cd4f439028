"""An identity provider by SAML that listens on this machine: pysaml2, with its signatures by the program xmlsec1.

It speaks to the site as providers do: it reads the description that the site publishes, gets the request in the
address, and answers with a page whose form the browser posts. What it would never say is said by `forged`: the text
of its own answer, changed, and signed with its own key.
"""

from __future__ import annotations

import base64
import copy
import re
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

# tools/check.py knows these skipped tests by this beginning.
XMLSEC_SKIP = (
    "xmlsec1: no such program on this machine; as root, `make test` installs it (apt-get install xmlsec1)"
)
needs_xmlsec = pytest.mark.skipif(not shutil.which("xmlsec1"), reason=XMLSEC_SKIP)

SAML, PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{urn:oasis:names:tc:SAML:2.0:protocol}"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
MAIL, NAME, LOGIN = (
    "urn:oid:0.9.2342.19200300.100.1.3",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "urn:oid:0.9.2342.19200300.100.1.1",
)
NUMBER = "urn:oid:2.16.840.1.113730.3.1.3"
# What the provider knows of people, by the subject that it calls them.
PEOPLE: dict[str, dict[str, list[str]]] = {
    "s-lin": {
        "mail": ["LIN@hufu.example"],
        "displayName": ["林悦"],
        "uid": ["lin"],
        "employeeNumber": ["E-7"],
    },
    "s-zheng": {"mail": ["zheng@hufu.example"]},
    "s-new": {"mail": ["mei@hufu.example"], "displayName": ["梅兰"], "uid": ["lin@hufu.example"]},
    "s-two": {"mail": ["lin@hufu.example", "tang@hufu.example"], "employeeNumber": ["E-7", "E-8"]},
    "s-zheng.evil": {"displayName": ["somebody else"]},
}
Change = Callable[[Any], Any]


class Key:
    """A key with its certificate, in files and in memory."""

    def __init__(self, folder: Path, name: str, bits: int = 2048) -> None:
        key = rsa.generate_private_key(65537, bits)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        # Long over: whose signature counts is what the file of providers says, not what a certificate says of itself.
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=800))
            .not_valid_after(now - timedelta(days=400))
            .sign(key, hashes.SHA256())
        )
        self.private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        self.certificate = certificate.public_bytes(Encoding.PEM)
        self.key_file, self.certificate_file = folder / f"{name}.key", folder / f"{name}.pem"
        self.key_file.write_bytes(self.private)
        self.certificate_file.write_bytes(self.certificate)


class IdentityProvider:
    """The provider; `trust` makes it know the site by the site's own description."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address, self.entity_id = address, f"{address}/metadata"
        self.key, self.other = Key(folder, "provider"), Key(folder, "other")
        self.who = "s-lin"
        self._server: Any = None

    def configuration(self, site: str = "") -> Any:
        from saml2 import BINDING_HTTP_REDIRECT
        from saml2.config import IdPConfig

        return IdPConfig().load(
            {
                "entityid": self.entity_id,
                "xmlsec_binary": shutil.which("xmlsec1"),
                "key_file": str(self.key.key_file),
                "cert_file": str(self.key.certificate_file),
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [(f"{self.address}/sso", BINDING_HTTP_REDIRECT)]
                        },
                        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                    }
                },
                "metadata": {"inline": [site]} if site else {},
            }
        )

    def metadata(self) -> str:
        """Return how the provider describes itself."""
        from saml2.metadata import entity_descriptor

        return str(entity_descriptor(self.configuration()))

    def trust(self, site: str) -> None:
        """Know the site from now on by its description."""
        from saml2.server import Server

        self._server = Server(config=self.configuration(site))

    def answer(
        self, address: str, who: str, *, sign: bool = True, whole: bool = False, form: str = PERSISTENT
    ) -> Any:
        """Return what the provider says to the request in an address, (XML, where it is posted)."""
        from saml2 import BINDING_HTTP_REDIRECT
        from saml2.authn_context import PASSWORDPROTECTEDTRANSPORT
        from saml2.saml import NameID
        from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

        [request] = parse_qs(urlsplit(address).query)["SAMLRequest"]
        asked = self._server.parse_authn_request(request, BINDING_HTTP_REDIRECT)
        wanted = self._server.response_args(asked.message)
        wanted.pop("name_id_policy")
        wanted.pop("binding")
        said = self._server.create_authn_response(
            PEOPLE[who],
            name_id=NameID(format=form, text=who),
            authn={"class_ref": PASSWORDPROTECTEDTRANSPORT, "authn_auth": self.entity_id},
            sign_assertion=sign,
            sign_response=whole,
            sign_alg=SIG_RSA_SHA256,
            digest_alg=DIGEST_SHA256,
            **wanted,
        )
        return str(said), wanted["destination"]

    def forged(self, address: str, who: str, change: Change, **how: Any) -> str:
        """Return the provider's answer after a change, signed by its key as ever; for a form."""
        document = etree.fromstring(self.answer(address, who, sign=False)[0].encode())
        kept = change(document)
        document = document if kept is None else kept
        self.sign(document.find(f"{SAML}Assertion"), **how)
        return encoded(document)

    def sign(
        self,
        element: Any,
        key: Key | None = None,
        *,
        algorithm: Any = xmlsec.Transform.RSA_SHA256,
        digest: Any = xmlsec.Transform.SHA256,
    ) -> None:
        """Sign an element, and put the certificate beside the signature as providers do."""
        key = key or self.key
        signature = xmlsec.template.create(element, xmlsec.Transform.EXCL_C14N, algorithm, ns="ds")
        element.find(f"{SAML}Issuer").addnext(signature)
        reference = xmlsec.template.add_reference(signature, digest, uri=f"#{element.get('ID')}")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(key.private, xmlsec.KeyFormat.PEM)
        context.key.load_cert_from_memory(key.certificate, xmlsec.KeyFormat.CERT_PEM)
        xmlsec.tree.add_ids(element, ["ID"])
        context.sign(signature)


def encoded(document: Any) -> str:
    """Return an answer as a form carries it."""
    text = document if isinstance(document, bytes) else etree.tostring(document)
    return base64.b64encode(text).decode()


def decoded(form: str) -> Any:
    """Return the answer that a form carries."""
    return etree.fromstring(base64.b64decode(form))


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Return where the only form of a page posts, and what."""
    [target] = re.findall(r'<form[^>]* action="([^"]+)"', page)
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return unescape(target), {name: unescape(value) for name, value in fields}


class _Pages(BaseHTTPRequestHandler):
    """The provider's only page: whoever comes is `who`, and their browser posts the answer."""

    provider: IdentityProvider

    def do_GET(self) -> None:
        said, target = self.provider.answer(self.path, self.provider.who)
        page = (
            f'<!doctype html><form method="post" action="{escape(target)}">'
            f'<input type="hidden" name="SAMLResponse" value="{encoded(said.encode())}">'
            '<input type="hidden" name="RelayState" value="https://evil.example/">'
            "</form><script>document.forms[0].submit()</script>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def identity_provider(folder: Path) -> Iterator[IdentityProvider]:
    """A provider that listens while the body runs: at a bare address, another site than localhost."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    provider = IdentityProvider(folder, f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("Pages", (_Pages,), {"provider": provider})
    thread = threading.Thread(target=socketserver.BaseServer.serve_forever, args=(server, 0.05), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


# Signature wrapping: every way shows one assertion to who verifies and another to who reads.


def wrapped(document: Any, subject: str) -> tuple[Any, Any]:
    """Return the signed assertion of an answer, and one that says the same of somebody else."""
    [good] = document.iter(f"{SAML}Assertion")
    evil = copy.deepcopy(good)
    evil.find(f"{SAML}Subject/{SAML}NameID").text = subject
    for value in evil.iter(f"{SAML}AttributeValue"):
        value.text = f"{subject.removeprefix('s-')}@hufu.example"
    return good, evil


def evil_first(document: Any, subject: str) -> None:
    """An assertion without a signature before the signed one."""
    good, evil = wrapped(document, subject)
    evil.set("ID", "evil")
    evil.remove(evil.find(f"{SIGNATURE}Signature"))
    good.addprevious(evil)


def evil_same_id(document: Any, subject: str) -> None:
    """Two assertions of the same ID."""
    good, evil = wrapped(document, subject)
    good.addprevious(evil)


def good_in_the_signature(document: Any, subject: str) -> None:
    """The signed assertion inside an Object of the signature of the evil one."""
    good, evil = wrapped(document, subject)
    evil.set("ID", "evil")
    good.addprevious(evil)
    holder = etree.SubElement(evil.find(f"{SIGNATURE}Signature"), f"{SIGNATURE}Object")
    good.remove(good.find(f"{SIGNATURE}Signature"))
    holder.append(good)


def good_in_the_extensions(document: Any, subject: str) -> None:
    """The signed assertion in the extensions of the answer, the evil one in its place with its signature."""
    good, evil = wrapped(document, subject)
    good.addprevious(evil)
    extensions = etree.Element(f"{PROTOCOL}Extensions")
    document.find(f"{SAML}Issuer").addnext(extensions)
    extensions.append(good)


def good_in_the_advice(document: Any, subject: str) -> None:
    """The signed assertion as advice within the evil one."""
    good, evil = wrapped(document, subject)
    evil.set("ID", "evil")
    evil.remove(evil.find(f"{SIGNATURE}Signature"))
    good.addprevious(evil)
    advice = etree.Element(f"{SAML}Advice")
    evil.find(f"{SAML}Conditions").addnext(advice)
    advice.append(good)


WRAPPINGS = (evil_first, evil_same_id, good_in_the_signature, good_in_the_extensions, good_in_the_advice)
