"""Reading the settings of a provider, with a sentence for everything that is wrong with one."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hufu.core.errors import Invalid

MATCHES = ("email", "external_id", "nothing")
COMMON = {"kind", "key", "label", "match", "create"}
# What subjects are bound under must fit its column.
LONGEST_IDENTITY = 200
LABELS = ("zh-hans", "en")


def wrong(sentence: str) -> Invalid:
    """Return the error that ends the start."""
    return Invalid({"HUFU_SSO_FILE": [f"HUFU_SSO_FILE: {sentence}"]})


class Entry:
    """One provider of the file."""

    def __init__(self, where: str, entry: Any, folder: Path) -> None:
        self.where, self.folder = where, folder
        if not isinstance(entry, dict):
            raise wrong(f"{where}: must be a list of settings, `kind: …` first.")
        self.entry: dict[str, Any] = entry

    def wrong(self, sentence: str) -> Invalid:
        """Return the error that says what is wrong here."""
        return wrong(f"{self.where}: {sentence}")

    def common(self, external_id: str) -> dict[str, Any]:
        """Return what every provider has; `external_id` is the setting that names where the external number stands."""
        key = self.text("key")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", key):
            raise self.wrong("`key` must be 1 to 31 of a–z, 0–9 and “-”.")
        label = self.entry.get("label")
        if not isinstance(label, dict) or set(label) != set(LABELS) or not all(map(is_text, label.values())):
            raise self.wrong(f"`label` must have a text for {LABELS[0]} and one for {LABELS[1]}.")
        match = self.entry.get("match", "nothing")
        if match not in MATCHES:
            raise self.wrong(f"`match` must be one of {', '.join(MATCHES)}.")
        return {
            "key": key,
            "labels": (label[LABELS[0]], label[LABELS[1]]),
            "match": match,
            "create": self.yes_or_no("create"),
            "external_id_claim": self.text(external_id, optional=match != "external_id"),
        }

    def known(self, keys: set[str]) -> None:
        """Refuse a setting that there is not."""
        if unknown := sorted(str(key) for key in self.entry if key not in keys):
            raise self.wrong(f"there is no setting `{unknown[0]}`.")

    def text(self, name: str, *, optional: bool = False) -> str:
        """Return a text, "" where it is optional and absent."""
        value = self.entry.get(name, "" if optional else None)
        if value == "" and optional:
            return ""
        if not is_text(value):
            raise self.wrong(f"`{name}` must be a text.")
        return str(value)

    def yes_or_no(self, name: str) -> bool:
        """Return a yes or no; no where it is absent."""
        value = self.entry.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(f"`{name}` must be true or false.")
        return value

    def address(self, name: str) -> str:
        """Return an address that is safe to send people to."""
        value = self.text(name)
        if not is_safe_address(value):
            raise self.wrong(f"`{name}` must be an address that begins with https://.")
        if len(value) > LONGEST_IDENTITY:
            raise self.wrong(f"`{name}` must have at most {LONGEST_IDENTITY} characters.")
        return value

    def file(self, name: str, *, optional: bool = False) -> Path | None:
        """Return the path of a file beside the file of providers that can be read."""
        value = self.text(name, optional=optional)
        if not value:
            return None
        path = self.folder / value
        if not os.access(path, os.R_OK) or not path.is_file():
            raise self.wrong(f"`{name}` names {path}, which cannot be read.")
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


def is_text(value: object) -> bool:
    """Say whether something is a text with more than spaces."""
    return isinstance(value, str) and bool(value.strip())


def is_word(value: object) -> bool:
    """Say whether something is a text of visible ASCII characters alone."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\x21-\x7e]+", value))
