"""The identity providers of the company, from the file that HUFU_SSO_FILE names; secrets stay in files or variables.

A wrong value ends the start with a sentence that says where it stands and what it must be.
"""

from __future__ import annotations

import ipaddress
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from django.conf import settings
from django.utils.translation import get_language

from hufu.core.errors import Invalid

MATCHES = ("email", "external_id", "nothing")
COMMON = {"kind", "key", "label", "match", "create", "external_id_claim"}
OIDC_KEYS = COMMON | {"issuer", "client_id", "client_secret_file", "client_secret_env", "scopes"}
LONGEST_IDENTITY = 200
LABELS = ("zh-hans", "en")


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


def providers() -> Mapping[str, Provider]:
    """Return the configured providers by key, in the order of the file; none where no file is named."""
    return _load(Path(settings.HUFU_SSO_FILE)) if settings.HUFU_SSO_FILE else {}


@lru_cache(maxsize=8)
def _load(path: Path) -> Mapping[str, Provider]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(f"{path} cannot be read ({error.__class__.__name__}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        raise wrong(f"{path} is not YAML{line}.") from None
    entries = document.get("providers") if isinstance(document, dict) else None
    if not isinstance(document, dict) or set(document) != {"providers"} or not isinstance(entries, list):
        raise wrong(f"{path} must hold `providers:` with a list, and nothing else.")
    found: dict[str, Provider] = {}
    for number, entry in enumerate(entries, start=1):
        provider = _Entry(f"{path}, provider {number}", entry, path.parent).provider()
        if provider.key in found:
            raise wrong(f"{path}: two providers have the key “{provider.key}”.")
        found[provider.key] = provider
    return found


def wrong(sentence: str) -> Invalid:
    """Return the error that ends the start."""
    return Invalid({"HUFU_SSO_FILE": [f"HUFU_SSO_FILE: {sentence}"]})


class _Entry:
    """One provider of the file, read with a sentence for everything that is wrong."""

    def __init__(self, where: str, entry: Any, folder: Path) -> None:
        self.where, self.folder = where, folder
        if not isinstance(entry, dict):
            raise wrong(f"{where}: must be a list of settings, `kind: …` first.")
        self.entry: dict[str, Any] = entry

    def provider(self) -> Provider:
        kind = self.entry.get("kind")
        if kind == "oidc":
            self.known(OIDC_KEYS)
            return self.oidc()
        raise wrong(f"{self.where}: `kind` must be oidc.")

    def oidc(self) -> OidcProvider:
        scopes = self.entry.get("scopes", ["openid", "profile", "email"])
        if not isinstance(scopes, list) or "openid" not in scopes or not all(map(_is_word, scopes)):
            raise wrong(f"{self.where}: `scopes` must be a list of words with `openid` among them.")
        variable = self.text("client_secret_env", optional=True)
        if variable and self.entry.get("client_secret_file"):
            raise wrong(f"{self.where}: name `client_secret_file` or `client_secret_env`, not both.")
        if variable and not os.environ.get(variable):
            raise wrong(f"{self.where}: `client_secret_env` names {variable}, which is not set.")
        return OidcProvider(
            **self.common(),
            issuer=self.address("issuer"),
            client_id=self.text("client_id"),
            secret_file=self.file("client_secret_file", optional=True),
            secret_variable=variable,
            scopes=tuple(scopes),
        )

    def common(self) -> dict[str, Any]:
        key = self.text("key")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", key):
            raise wrong(f"{self.where}: `key` must be 1 to 31 of a–z, 0–9 and “-”.")
        label = self.entry.get("label")
        if not isinstance(label, dict) or set(label) != set(LABELS) or not all(map(_is_text, label.values())):
            raise wrong(f"{self.where}: `label` must have a text for {LABELS[0]} and one for {LABELS[1]}.")
        match = self.entry.get("match", "nothing")
        if match not in MATCHES:
            raise wrong(f"{self.where}: `match` must be one of {', '.join(MATCHES)}.")
        create = self.entry.get("create", False)
        if not isinstance(create, bool):
            raise wrong(f"{self.where}: `create` must be true or false.")
        claim = self.text("external_id_claim", optional=match != "external_id")
        return {
            "key": key,
            "labels": (label[LABELS[0]], label[LABELS[1]]),
            "match": match,
            "create": create,
            "external_id_claim": claim,
        }

    def known(self, keys: set[str]) -> None:
        if unknown := sorted(str(key) for key in self.entry if key not in keys):
            raise wrong(f"{self.where}: there is no setting `{unknown[0]}`.")

    def text(self, name: str, *, optional: bool = False) -> str:
        value = self.entry.get(name, "" if optional else None)
        if value == "" and optional:
            return ""
        if not _is_text(value):
            raise wrong(f"{self.where}: `{name}` must be a text.")
        return str(value)

    def address(self, name: str) -> str:
        value = self.text(name)
        if not is_safe_address(value):
            raise wrong(f"{self.where}: `{name}` must be an address that begins with https://.")
        if len(value) > LONGEST_IDENTITY:
            raise wrong(f"{self.where}: `{name}` must have at most {LONGEST_IDENTITY} characters.")
        return value

    def file(self, name: str, *, optional: bool = False) -> Path | None:
        value = self.text(name, optional=optional)
        if not value:
            return None
        path = self.folder / value
        if not os.access(path, os.R_OK) or not path.is_file():
            raise wrong(f"{self.where}: `{name}` names {path}, which cannot be read.")
        return path


def is_safe_address(text: object) -> bool:
    """Say whether an address is of https, or of this very machine, and carries no password."""
    try:
        parts = urlsplit(str(text))
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\x21-\x7e]+", value))
