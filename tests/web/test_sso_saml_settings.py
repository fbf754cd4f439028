"""The settings of identity providers by SAML: what is read, and a sentence for everything that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings

from hufu.core.errors import Invalid
from hufu.web.single_sign_on.providers import providers
from tests.web.saml_provider import Key

PROVIDER = "https://id.example.com/saml"
METADATA = """<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{name}">
<md:IDPSSODescriptor {more} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
{keys}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:{binding}" Location="{address}"/>
</md:IDPSSODescriptor></md:EntityDescriptor>"""
KEY = """<md:KeyDescriptor use="{use}"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"""
BY_HAND = {
    "metadata_file": None,
    "entity_id": PROVIDER,
    "sign_in_address": "https://id.example.com/sso",
    "certificate_file": "good.pem",
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Key]:
    folder = tmp_path_factory.mktemp("keys")
    return {"good": Key(folder, "good"), "next": Key(folder, "next"), "weak": Key(folder, "weak", 1024)}


def described(key: Key, use: str = "signing") -> str:
    return KEY.format(use=use, certificate="".join(key.certificate.decode().splitlines()[1:-1]))


@pytest.fixture
def read(settings: LazySettings, tmp_path: Path, keys: dict[str, Key]) -> Any:
    """Return a function that writes metadata and the file of providers, and reads it."""
    for name, key in keys.items():
        (tmp_path / f"{name}.pem").write_bytes(key.certificate)
    (tmp_path / "both.pem").write_bytes(keys["good"].certificate + keys["next"].certificate)

    def write(changes: dict[str, Any], metadata: dict[str, str]) -> Any:
        said = {
            "name": PROVIDER,
            "more": "",
            "keys": described(keys["good"]) + described(keys["next"]) + described(keys["weak"], "encryption"),
            "binding": "HTTP-Redirect",
            "address": "https://id.example.com/sso",
            **metadata,
        }
        (tmp_path / "provider.xml").write_text(metadata.get("whole", METADATA).format(**said))
        entry = {
            "kind": "saml",
            "key": "office",
            "label": {"zh-hans": "公司账号", "en": "the company account"},
            "metadata_file": "provider.xml",
            **changes,
        }
        path = tmp_path / "providers.yaml"
        path.write_text(yaml.safe_dump({"providers": [{k: v for k, v in entry.items() if v is not None}]}))
        settings.HUFU_SSO_FILE = str(path)
        return providers()["office"]

    return write


def test_a_provider_is_described_by_its_metadata_or_by_hand(read: Any, keys: dict[str, Key]) -> None:
    """Both certificates count while a provider changes its key; one for encryption signs nothing."""
    by_metadata = read({}, {})
    both = tuple(keys[name].certificate.decode() for name in ("good", "next"))
    assert by_metadata.certificates == both
    assert by_metadata.entity_id == PROVIDER
    assert by_metadata.sign_in_address == "https://id.example.com/sso"
    assert (by_metadata.match, by_metadata.create) == ("nothing", False)


def test_a_provider_is_described_by_hand(read: Any, keys: dict[str, Key]) -> None:
    by_hand = read({**BY_HAND, "certificate_file": "both.pem", "subject_attribute": "uid"}, {})
    assert by_hand.certificates == tuple(keys[name].certificate.decode() for name in ("good", "next"))
    assert by_hand.identity == f"saml:uid:{PROVIDER}"


@pytest.mark.parametrize(
    ("changes", "metadata", "said"),
    [
        ({"metadata_file": None}, {}, "`metadata_file` must be a text"),
        ({"metadata_file": "absent.xml"}, {}, "cannot be read"),
        ({"metadata_file": "good.pem"}, {}, "is not the metadata of a SAML provider"),
        ({}, {"whole": "<!DOCTYPE a [<!ENTITY b '']><a/>"}, "is not the metadata of a SAML provider"),
        ({}, {"whole": "<a/>"}, "it describes 0"),
        ({}, {"whole": "<a>" + METADATA + METADATA + "</a>"}, "it describes 2"),
        ({}, {"more": 'WantAuthnRequestsSigned="true"'}, "wants signed requests"),
        ({}, {"binding": "HTTP-POST"}, "a SingleSignOnService with the binding HTTP-Redirect"),
        ({}, {"address": "http://id.example.com/sso"}, "begins with https://"),
        ({}, {"keys": ""}, "has no certificate for signatures"),
        ({}, {"keys": KEY.format(use="signing", certificate="AAAA")}, "a certificate that cannot be read"),
        ({}, {"name": "https://id.example.com/" + "a" * 200}, "at most 200 visible characters"),
        ({}, {"name": ""}, "at most 200 visible characters"),
        ({"entity_id": PROVIDER}, {}, "leave out `entity_id`"),
        ({**BY_HAND, "entity_id": None}, {}, "`entity_id` must be a text"),
        ({**BY_HAND, "sign_in_address": "http://id.example.com"}, {}, "`sign_in_address` must be an address"),
        ({**BY_HAND, "certificate_file": None}, {}, "`certificate_file` must be a text"),
        ({**BY_HAND, "certificate_file": "provider.xml"}, {}, "holds no certificates (PEM)"),
        ({**BY_HAND, "certificate_file": "weak.pem"}, {}, "too weak: RSA of 2048 bits"),
        ({"match": "email"}, {}, "`email_attribute` must be a text"),
        ({"match": "email", "email_attribute": "mail"}, {}, "needs `emails_verified: true`"),
        ({"emails_verified": True}, {}, "the other way round"),
        ({"match": "external_id"}, {}, "`external_id_attribute` must be a text"),
        ({"own_entity_id": "two words"}, {}, "`own_entity_id` must be"),
        ({"subject_attribute": 7}, {}, "`subject_attribute` must be a text"),
        ({"issuer": PROVIDER}, {}, "there is no setting `issuer`"),
    ],
)
def test_a_wrong_value_is_said_in_a_sentence(
    read: Any, changes: dict[str, Any], metadata: dict[str, str], said: str
) -> None:
    with pytest.raises(Invalid) as raised:
        read(changes, metadata)
    assert str(raised.value).startswith("HUFU_SSO_FILE: ")
    assert said in str(raised.value)
