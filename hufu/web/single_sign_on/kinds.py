"""What an identity provider is to us: by OpenID Connect, or by SAML."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import get_language


@dataclass(frozen=True)
class Provider(ABC):
    """What every provider has.

    Who arrives is the account that their subject was bound to; else, by `match`, the one with their verified mail
    address or external number. Somebody unknown gets an account without any right where `create` says so.
    """

    key: str
    labels: tuple[str, str]
    match: str
    create: bool
    external_id_claim: str

    @property
    def label(self) -> str:
        """Return what stands on the button, in the visitor's language."""
        return self.labels[0 if (get_language() or "").startswith("zh") else 1]

    @property
    def method(self) -> str:
        """Return how the log names signing in here."""
        return f"sso:{self.key}"

    @property
    @abstractmethod
    def identity(self) -> str:
        """Return what subjects are bound under: the provider itself, so that a key may be used again."""


@dataclass(frozen=True)
class OidcProvider(Provider):
    """An OpenID provider. Its secret is not among what is printed."""

    issuer: str
    client_id: str
    secret_file: Path | None
    secret_variable: str
    scopes: tuple[str, ...]

    @property
    def identity(self) -> str:
        return self.issuer

    def secret(self) -> str:
        """Return the client secret, "" where there is none."""
        if self.secret_file:
            return self.secret_file.read_text(encoding="utf-8").strip()
        return os.environ.get(self.secret_variable, "") if self.secret_variable else ""


@dataclass(frozen=True)
class SamlProvider(Provider):
    """A SAML identity provider. `certificates` (PEM) alone say whose signature counts; none is fetched or believed."""

    entity_id: str
    sign_in_address: str
    certificates: tuple[str, ...]
    own_entity_id: str
    subject_attribute: str
    email_attribute: str
    name_attribute: str
    login_attribute: str

    @property
    def identity(self) -> str:
        # What another attribute says is another subject; and Keycloak calls itself the same by both protocols.
        return saml_identity(self.entity_id, self.subject_attribute)


def saml_identity(entity_id: str, subject_attribute: str) -> str:
    """Return what the subjects of a SAML provider are bound under."""
    return f"saml:{subject_attribute or 'name-id'}:{entity_id}"
