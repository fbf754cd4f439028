"""The one interface of a cipher: authenticated, with a nonce of 12 bytes. Another one is one more entry of CIPHERS."""

from __future__ import annotations

from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16
# Every key that is kept has 32 bytes; a cipher with shorter ones takes the first of them.
KEY_BYTES = 32


class WrongKey(Exception):
    """The text was not encrypted with this key and these associated bytes, or was changed since."""


class Cipher(Protocol):
    """Encryption with authentication. `number` stands before every text, and is never given to another cipher."""

    number: int

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        """Return ciphertext and tag."""

    def decrypt(self, key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes:
        """Return the plain bytes; raise WrongKey unless everything fits."""


class Aes256Gcm:
    """AES-256-GCM."""

    number = 1

    def encrypt(self, key: bytes, nonce: bytes, plain: bytes, associated: bytes) -> bytes:
        return AESGCM(key).encrypt(nonce, plain, associated)

    def decrypt(self, key: bytes, nonce: bytes, text: bytes, associated: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(nonce, text, associated)
        except InvalidTag:
            raise WrongKey from None


AES_256_GCM = Aes256Gcm()
CIPHERS: dict[int, Cipher] = {AES_256_GCM.number: AES_256_GCM}
