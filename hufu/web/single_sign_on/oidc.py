"""The authorization code flow of OpenID Connect, with PKCE and nonce, and every check of the ID token.

allauth 65 verifies neither the token's signature in this flow nor sends a nonce, so the protocol is here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import requests
from urllib3.exceptions import HTTPError

from hufu.web.single_sign_on.arrivals import Arrival, Failed, mail, text
from hufu.web.single_sign_on.entries import is_safe_address
from hufu.web.single_sign_on.kinds import OidcProvider

# Signatures that only the holder of a private key can make; neither `none` nor a shared secret is one.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
SECONDS_TO_ANSWER = 10
SECONDS_BETWEEN_CLOCKS = 60
SECONDS_KEPT = 600
SECONDS_BETWEEN_KEY_FETCHES = 30
LONGEST_ANSWER = 512 * 1024


@dataclass(frozen=True)
class Attempt:
    """What one way to the provider and back is recognised by; kept in the visitor's session alone."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


def address_of_provider(provider: OidcProvider, attempt: Attempt, callback: str) -> str:
    """Return where the visitor is sent; raise Failed where the provider does not answer."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
    endpoint = str(metadata(provider)["authorization_endpoint"])
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": callback,
        "scope": " ".join(provider.scopes),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def arrival(provider: OidcProvider, attempt: Attempt, callback: str, answer: Mapping[str, str]) -> Arrival:
    """Return whom the provider's answer is about; raise Failed where anything of it is not as it must be."""
    if answer.get("error") or not answer.get("code"):
        raise Failed("refused_by_provider")
    # RFC 9207: a provider that names itself in its answer must be the one that was asked.
    if "iss" in answer and answer["iss"] != provider.issuer:
        raise Failed("wrong_issuer")
    claims = verified(provider, attempt, token_for(provider, attempt, callback, answer["code"]))
    email = claims.get("email") if claims.get("email_verified") is True else ""
    return Arrival(
        subject=text(claims["sub"], 1000),
        email=mail(email),
        external_id=text(claims.get(provider.external_id_claim), 120) if provider.external_id_claim else "",
        name=text(claims.get("name"), 120),
        login=text(claims.get("preferred_username") or claims.get("email"), 254),
    )


def token_for(provider: OidcProvider, attempt: Attempt, callback: str, code: str) -> str:
    """Return the ID token that the provider gives for the code."""
    known = metadata(provider)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback,
        "code_verifier": attempt.verifier,
    }
    secret = provider.secret()
    basic = None
    if secret and "client_secret_basic" in known.get(
        "token_endpoint_auth_methods_supported", ["client_secret_basic"]
    ):
        basic = (quote(provider.client_id, safe=""), quote(secret, safe=""))
    else:
        form["client_id"] = provider.client_id
        if secret:
            form["client_secret"] = secret
    given = ask("POST", str(known["token_endpoint"]), data=form, auth=basic).get("id_token")
    if not isinstance(given, str):
        raise Failed("no_token")
    return given


def verified(provider: OidcProvider, attempt: Attempt, token: str) -> dict[str, Any]:
    """Return the claims of a token that this provider signed for us, for this attempt, and that has not expired."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise Failed("wrong_signature")
        key = signing_key(provider, header)
        if key.algorithm_name != header["alg"]:
            raise Failed("wrong_signature")
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=SECONDS_BETWEEN_CLOCKS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError:
        raise Failed("expired") from None
    except jwt.InvalidAudienceError:
        raise Failed("wrong_audience") from None
    except jwt.InvalidIssuerError:
        raise Failed("wrong_issuer") from None
    except jwt.InvalidSignatureError:
        raise Failed("wrong_signature") from None
    except (jwt.PyJWTError, ValueError):
        raise Failed("wrong_token") from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
        raise Failed("wrong_audience")
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
        raise Failed("wrong_nonce")
    return claims


def metadata(provider: OidcProvider) -> dict[str, Any]:
    """Return what the provider says of itself; it must be of the issuer that is configured, over https."""
    known = _kept.get(provider.issuer, "metadata", SECONDS_KEPT)
    if known is None:
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        known = ask("GET", address)
        if known.get("issuer") != provider.issuer:
            raise Failed("wrong_issuer")
        if not all(
            is_safe_address(known.get(name))
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        ):
            raise Failed("provider_not_answering")
        _kept.put(provider.issuer, "metadata", known)
    return known


def signing_key(provider: OidcProvider, header: Mapping[str, Any]) -> jwt.PyJWK:
    """Return the provider's key that a token names; keys that are new are fetched, though not at every call."""
    for seconds in (SECONDS_KEPT, SECONDS_BETWEEN_KEY_FETCHES):
        published = _kept.get(provider.issuer, "keys", seconds)
        if published is None:
            published = ask("GET", str(metadata(provider)["jwks_uri"]))
            _kept.put(provider.issuer, "keys", published)
        keys = [key for key in jwt.PyJWKSet.from_dict(published).keys if key.public_key_use in (None, "sig")]
        named = [key for key in keys if key.key_id == header["kid"]] if "kid" in header else keys
        if len(named) == 1:
            return named[0]
    raise Failed("wrong_signature")


def ask(method: str, address: str, **request: Any) -> dict[str, Any]:
    """Return the provider's answer, a JSON object; raise Failed for everything else."""
    try:
        with requests.request(
            method,
            address,
            timeout=SECONDS_TO_ANSWER,
            allow_redirects=False,
            stream=True,
            headers={"Accept": "application/json"},
            **request,
        ) as response:
            body = response.raw.read(LONGEST_ANSWER + 1, decode_content=True)
            if response.status_code != requests.codes.ok or len(body) > LONGEST_ANSWER:
                raise Failed("provider_not_answering")
            answer = json.loads(body)
    # What breaks off while the body is read is an error of urllib3.
    except (OSError, ValueError, HTTPError):
        raise Failed("provider_not_answering") from None
    if not isinstance(answer, dict):
        raise Failed("provider_not_answering")
    return answer


class _Kept:
    """What this process knows of the providers, with the moment when it asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}

    def get(self, issuer: str, what: str, seconds: float) -> dict[str, Any] | None:
        with self._lock:
            moment, known = self._known.get((issuer, what), (0.0, {}))
        return known if known and time.monotonic() - moment < seconds else None

    def put(self, issuer: str, what: str, known: dict[str, Any]) -> None:
        with self._lock:
            self._known[issuer, what] = (time.monotonic(), known)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()


_kept = _Kept()
