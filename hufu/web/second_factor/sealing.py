"""The keys of authenticator apps and the seeds of recovery codes, as they lie in the database.

    v1:<base64 of nonce and ciphertext>     AES-256-GCM under a key that HKDF derives from the secret key

The prefix says how a text was sealed, so that another way of keeping keys can stand beside this one.
"""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "v1:"
PURPOSE = b"hufu second factors v1"
NONCE_BYTES = 12
KEY_BYTES = 32


def seal(text: str) -> str:
    """Return the text as it is stored."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + _cipher().encrypt(nonce, text.encode(), PURPOSE)
    return PREFIX + base64.b64encode(sealed).decode()


def unseal(stored: str) -> str:
    """Return the text that was sealed. ValueError for what was not; InvalidTag for another key or a changed text."""
    if not stored.startswith(PREFIX):
        raise ValueError("This text was not sealed.")
    sealed = base64.b64decode(stored.removeprefix(PREFIX), validate=True)
    return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], PURPOSE).decode()


def _cipher() -> AESGCM:
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=PURPOSE).derive(settings.SECRET_KEY.encode())
    return AESGCM(derived)
