"""The settings of an OpenID provider."""

from __future__ import annotations

import os

from hufu.web.single_sign_on.entries import COMMON, Entry, is_word
from hufu.web.single_sign_on.kinds import OidcProvider

KEYS = COMMON | {
    *("external_id_claim", "issuer", "client_id", "client_secret_file", "client_secret_env", "scopes"),
}


def oidc_provider(entry: Entry) -> OidcProvider:
    """Return the provider that an entry describes; raise Invalid with a sentence where something is wrong."""
    entry.known(KEYS)
    scopes = entry.entry.get("scopes", ["openid", "profile", "email"])
    if not isinstance(scopes, list) or "openid" not in scopes or not all(map(is_word, scopes)):
        raise entry.wrong("`scopes` must be a list of words with `openid` among them.")
    variable = entry.text("client_secret_env", optional=True)
    if variable and entry.entry.get("client_secret_file"):
        raise entry.wrong("name `client_secret_file` or `client_secret_env`, not both.")
    if variable and not os.environ.get(variable):
        raise entry.wrong(f"`client_secret_env` names {variable}, which is not set.")
    return OidcProvider(
        **entry.common("external_id_claim"),
        issuer=entry.address("issuer"),
        client_id=entry.text("client_id"),
        secret_file=entry.file("client_secret_file", optional=True),
        secret_variable=variable,
        scopes=tuple(scopes),
    )
