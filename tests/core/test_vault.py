"""The vault: what is sealed opens with its own key, in its own place, and nowhere else."""

from __future__ import annotations

import io
import os
import sys
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.db import connection

from hufu.cli.migration import require_keys
from hufu.core import vault
from hufu.core.errors import Unavailable
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.vault import cipher as ciphers
from hufu.core.vault import master, values
from hufu.core.vault.streams import CHUNK, MAGIC, SALT_BYTES

pytestmark = pytest.mark.usefixtures("in_english")

PHONE = b"138 0013 8000"
PLACE = b"crm_customer.phone"
KEY = bytes(range(32))
HEADER = len(MAGIC) + 1 + SALT_BYTES
PART = CHUNK + ciphers.TAG_BYTES


@pytest.fixture(autouse=True)
def _read_anew():
    master.forget_master_keys()
    yield
    master.forget_master_keys()


def test_a_value_opens_in_its_place_and_nowhere_else(db):
    sealed = vault.seal(vault.FIELD, PHONE, PLACE)
    assert PHONE not in sealed
    assert vault.unseal(vault.FIELD, sealed, PLACE) == PHONE
    assert vault.seal(vault.FIELD, PHONE, PLACE) != sealed
    assert vault.version_of(sealed) == 1
    for wrong in (
        lambda: vault.unseal(vault.FIELD, sealed, b"crm_contact.phone"),
        lambda: vault.unseal(vault.INDEX, sealed, PLACE),
        lambda: vault.unseal(vault.FIELD, sealed[:-1] + bytes([sealed[-1] ^ 1]), PLACE),
        lambda: vault.unseal(vault.FIELD, sealed[:10], PLACE),
        lambda: vault.unseal(vault.FIELD, b"", PLACE),
    ):
        with pytest.raises(vault.Unreadable):
            wrong()


def test_a_blind_index_is_the_same_for_the_same_value_and_has_a_key_of_its_own(db):
    index = vault.blind_index(vault.INDEX, b"+8613800138000")
    assert len(index) == 16
    assert index == vault.blind_index(vault.INDEX, b"+8613800138000")
    assert index != vault.blind_index(vault.INDEX, b"+8613800138001")
    assert index != vault.blind_index(vault.FIELD, b"+8613800138000")
    assert vault.blind_indexes(vault.INDEX, b"+8613800138000") == [index]


def test_the_application_reads_wrapped_keys_and_changes_none(db, connect_as):
    with connect_as("hufu_app") as app:
        for statement in ("UPDATE hufu.data_key SET state = 'old'", "DELETE FROM hufu.data_key"):
            with pytest.raises(Exception, match="permission denied"):
                app.execute(statement)


def test_another_master_key_is_refused_with_what_to_do(db, monkeypatch):
    monkeypatch.setenv("HUFU_MASTER_KEY", b64encode(KEY).decode())
    values.data_keys.forget_opened()
    with pytest.raises(Unavailable, match="HUFU_MASTER_KEY is not the master key"):
        vault.seal(vault.FIELD, PHONE, PLACE)
    with pytest.raises(Unavailable):
        vault.check()
    values.data_keys.forget_opened()


def test_a_lost_master_key_is_not_replaced(db, settings, tmp_path):
    settings.HUFU_SECRETS = tmp_path / "secrets"
    with pytest.raises(Unavailable, match="Restore the secrets folder"):
        require_keys(SecretFolder(settings.HUFU_SECRETS))
    assert not (settings.HUFU_SECRETS / "master-key").exists()


def test_the_master_key_of_a_new_database_is_made(db, settings, tmp_path):
    settings.HUFU_SECRETS = tmp_path / "secrets"
    vault.require_master_key(SecretFolder(settings.HUFU_SECRETS), is_new=True)
    assert len((settings.HUFU_SECRETS / "master-key").read_bytes()) == 32
    (settings.HUFU_SECRETS / "master-key.2").write_bytes(KEY)
    master.forget_master_keys()
    assert vault.master_keys().version == 2
    (settings.HUFU_SECRETS / "master-key.2").write_bytes(KEY[1:])
    master.forget_master_keys()
    with pytest.raises(Unavailable, match="damaged"):
        vault.master_keys()


def test_the_environment_or_a_command_says_the_master_key(monkeypatch, tmp_path):
    said = ",".join(b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    monkeypatch.setenv("HUFU_MASTER_KEY", said)
    assert vault.master_keys().keys == {1: b"\1" * 32, 2: b"\2" * 32}
    (tmp_path / "key").write_text(b64encode(KEY).decode() + "\n")
    monkeypatch.setenv("HUFU_MASTER_KEY_COMMAND", f"cat {tmp_path / 'key'}")
    assert vault.master_keys().keys == {1: KEY}
    monkeypatch.setenv("HUFU_MASTER_KEY_COMMAND", f"{sys.executable} -c 'exit(3)'")
    with pytest.raises(Unavailable, match="exit code 3"):
        vault.master_keys()
    monkeypatch.delenv("HUFU_MASTER_KEY_COMMAND")
    monkeypatch.setenv("HUFU_MASTER_KEY", "nearly a key")
    with pytest.raises(Unavailable, match="base64 of 32 bytes") as refused:
        vault.master_keys()
    assert "nearly" not in str(refused.value)


class Sm4Gcm:
    number = 2

    def encrypt(self, key, nonce, plain, associated):
        sealing = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(associated)
        return sealing.update(plain) + sealing.finalize() + sealing.tag

    def decrypt(self, key, nonce, text, associated):
        tag = text[-16:]
        opening = Cipher(algorithms.SM4(key[:16]), modes.GCM(nonce, tag)).decryptor()
        opening.authenticate_additional_data(associated)
        return opening.update(text[:-16]) + opening.finalize()


def test_another_cipher_can_be_put_in_beside_the_old_one(db, monkeypatch):
    before = vault.seal(vault.FIELD, PHONE, PLACE)
    monkeypatch.setitem(vault.CIPHERS, 2, Sm4Gcm())
    monkeypatch.setattr(values, "AES_256_GCM", Sm4Gcm())
    after = vault.seal(vault.FIELD, PHONE, PLACE)
    assert (before[0], after[0]) == (1, 2)
    assert vault.unseal(vault.FIELD, before, PLACE) == vault.unseal(vault.FIELD, after, PLACE) == PHONE


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_stream_of_any_length_comes_back(size):
    plain = os.urandom(size)
    sealed = b"".join(vault.seal_stream(KEY, io.BytesIO(plain), b"backup"))
    assert b"".join(vault.unseal_stream(KEY, io.BytesIO(sealed), b"backup")) == plain


@pytest.mark.parametrize(
    "harm",
    [
        lambda sealed: sealed[: HEADER + PART],
        lambda sealed: sealed[: HEADER + PART + 100],
        lambda sealed: sealed[:HEADER],
        lambda sealed: sealed[:20],
        lambda sealed: b"",
        lambda sealed: sealed + b"more",
        lambda sealed: sealed + sealed[HEADER : HEADER + PART],
        lambda sealed: sealed[:HEADER] + sealed[HEADER + PART :],
        lambda sealed: (
            sealed[:HEADER]
            + sealed[HEADER + PART : HEADER + 2 * PART]
            + sealed[HEADER : HEADER + PART]
            + sealed[HEADER + 2 * PART :]
        ),
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[:10] + bytes([sealed[10] ^ 1]) + sealed[11:],
    ],
)
def test_a_stream_that_was_cut_reordered_or_changed_is_refused(harm):
    sealed = b"".join(vault.seal_stream(KEY, io.BytesIO(os.urandom(3 * CHUNK))))
    with pytest.raises(vault.Damaged):
        list(vault.unseal_stream(KEY, io.BytesIO(harm(sealed))))
    with pytest.raises(vault.Damaged):
        list(vault.unseal_stream(KEY[::-1], io.BytesIO(sealed)))
    with pytest.raises(vault.Damaged):
        list(vault.unseal_stream(KEY, io.BytesIO(sealed), b"another backup"))


def test_keys_stand_wrapped_in_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT purpose, version, state FROM hufu.data_key ORDER BY 1")
        assert cursor.fetchall() == [("field", 1, "active"), ("index", 1, "active")]
