"""The identity providers of the company, from the file that HUFU_SSO_FILE names; secrets stay in files or variables.

A wrong value ends the start with a sentence that says where it stands and what it must be.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings

from hufu.web.single_sign_on.entries import Entry, wrong
from hufu.web.single_sign_on.kinds import Provider
from hufu.web.single_sign_on.oidc_entry import oidc_provider
from hufu.web.single_sign_on.saml_entry import saml_provider


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
        provider = _provider(Entry(f"{path}, provider {number}", entry, path.parent))
        if provider.key in found:
            raise wrong(f"{path}: two providers have the key “{provider.key}”.")
        found[provider.key] = provider
    return found


def _provider(entry: Entry) -> Provider:
    match entry.entry.get("kind"):
        case "oidc":
            return oidc_provider(entry)
        case "saml":
            return saml_provider(entry)
        case _:
            raise entry.wrong("`kind` must be oidc or saml.")
