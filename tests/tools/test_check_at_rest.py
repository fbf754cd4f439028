"""tools/check_at_rest.py finds a value in every form that it promises, and no other."""

from __future__ import annotations

import base64

import pytest

from tools.check_at_rest import search

WANTED = {
    "contact.phone": {"+8615412345678"},
    "contact.email": {"jing.he@lanchuan.example"},
    "x": {"15499999999"},
}


@pytest.mark.parametrize(
    "planted",
    [
        b"INSERT +8615412345678 x",
        b"154 1234 5678".replace(b" ", b""),
        "15412345678".encode("utf-16-le"),
        "15412345678".encode("utf-16-be"),
        b"\\x" + b"15412345678".hex().encode(),
        b"15412345678".hex().upper().encode(),
        *(base64.b64encode(b"_" * shift + b'{"phone": "15412345678"}') for shift in range(3)),
    ],
)
def test_a_planted_number_is_found(tmp_path, planted):
    (tmp_path / "dump").write_bytes(b"-- dump\n" + planted + b"\n")
    assert search([tmp_path / "dump"], WANTED) == {"contact.phone": 1, "contact.email": 0, "x": 0}


def test_what_stands_in_a_ciphertext_by_chance_is_no_find(tmp_path):
    (tmp_path / "dump").write_bytes(b"\\x01a15412345678ff\n")
    assert not any(search([tmp_path / "dump"], WANTED).values())
