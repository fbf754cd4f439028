"""Files of records: under the record's rule, sealed on the disk, gone for good when they are removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from hufu.core import vault
from hufu.core.errors import Denied, NotFound, Unavailable
from hufu.core.vault import rotation
from hufu.crm import actions, attachments
from hufu.crm.models import Attachment
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last

PHONE = b"13800006621"
TEXT = b"Call Gao: " + PHONE


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.HUFU_ATTACHMENTS = tmp_path / "attachments"
    return settings.HUFU_ATTACHMENTS


def attach(company, name, content=TEXT):
    with by(company, name) as actor:
        return attachments.attach(
            actor, CUSTOMER, company.customer("qiming"), name="电话.txt", content=content
        )


def read(company, name, number, customer="qiming"):
    with by(company, name) as actor:
        return attachments.opened(actor, CUSTOMER, company.customer(customer), number)[1]


def files():
    return [path for path in Path(settings.HUFU_ATTACHMENTS).rglob("*") if path.is_file()]


def test_who_may_edit_adds_a_file_and_who_may_view_opens_it(company, owner_connection):
    number = attach(company, "lin")
    assert read(company, "lin", number) == read(company, "chen", number) == TEXT
    event = last(owner_connection, "customer.attachment_opened")
    assert event.target == ("customer", company.customer("qiming"))
    assert PHONE.decode() not in str(event)
    with pytest.raises(Denied):
        attach(company, "chen")
    for stranger in ("zhang", "qian"):
        with pytest.raises((NotFound, Denied)):
            read(company, stranger, number)
        with by(company, stranger) as actor:
            assert attachments.attachments(actor, CUSTOMER, company.customer("qiming")) == []
    # The refused one left nothing on the disk.
    assert len(files()) == 1


def test_a_file_opens_under_its_own_record_only(company):
    number = attach(company, "lin")
    with pytest.raises(NotFound):
        with by(company, "lin") as actor:
            attachments.opened(actor, OPPORTUNITY, company.opportunities["machines"], number)
    with pytest.raises((NotFound, Denied)):
        read(company, "lin", number, "yunhe")


def test_what_lies_on_the_disk_says_nothing_and_is_nobody_elses(company):
    attach(company, "lin")
    (path,) = files()
    assert PHONE not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert path.parent.parent.stat().st_mode & 0o077 == 0


def test_a_changed_exchanged_or_lost_file_is_not_opened(company):
    first, second = attach(company, "lin", b"first"), attach(company, "lin", b"other")
    with by(company, "lin"):
        one, two = (attachments._path(Attachment.objects.get(pk=number).file) for number in (first, second))
    kept = one.read_bytes()
    one.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(Unavailable):
        read(company, "lin", first)
    one.write_bytes(two.read_bytes())
    with pytest.raises(Unavailable):
        read(company, "lin", first)
    one.unlink()
    with pytest.raises(Unavailable):
        read(company, "lin", first)


def test_a_removed_file_is_gone_from_the_disk_and_so_is_its_key(company, owner_connection):
    number = attach(company, "lin")
    with pytest.raises(Denied):
        with by(company, "chen") as actor:
            attachments.remove(actor, CUSTOMER, company.customer("qiming"), number)
    with by(company, "lin") as actor:
        attachments.remove(actor, CUSTOMER, company.customer("qiming"), number)
    assert files() == []
    assert owner_connection.execute("SELECT key FROM crm_attachment WHERE id = %s", [number]).fetchone() == (
        b"",
    )
    with pytest.raises(NotFound):
        read(company, "lin", number)
    with pytest.raises(NotFound):
        with by(company, "lin") as actor:
            attachments.remove(actor, CUSTOMER, company.customer("qiming"), number)


def test_a_refused_deed_keeps_the_file(company):
    number = attach(company, "lin")
    with pytest.raises(ZeroDivisionError):
        with by(company, "lin") as actor:
            attachments.remove(actor, CUSTOMER, company.customer("qiming"), number)
            raise ZeroDivisionError
    assert read(company, "lin", number) == TEXT


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("chen", "UPDATE crm_attachment SET key = '', removed_at = now(), removed_by = hufu.actor()"),
        ("lin", "UPDATE crm_attachment SET removed_at = now(), removed_by = hufu.actor()"),
        ("lin", "UPDATE crm_attachment SET record_id = 2"),
        ("lin", "DELETE FROM crm_attachment"),
    ],
)
def test_the_database_refuses_what_the_deeds_do(company, name, statement):
    attach(company, "lin")
    with by(company, name), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        if cursor.rowcount == 0:
            raise DatabaseError("the row policy shows no row to change")


def test_the_database_shows_files_to_whom_the_record_is_open(company):
    attach(company, "lin")
    for name, shown in (("lin", 1), ("chen", 1), ("zhang", 0), ("qian", 0)):
        with by(company, name):
            assert Attachment.objects.count() == shown, name


def test_files_go_with_their_record_for_good_and_the_sweep_takes_their_bytes(
    company, on_company_as_owner, owner_connection
):
    with by(company, "lin") as actor:
        made = actions.create_record(
            actor,
            CUSTOMER,
            actions.NewRecord(
                company.partitions["sh"], company.people["lin"], {"name": "短命公司", "stage": "new"}
            ),
        )
        attachments.attach(actor, CUSTOMER, made, name="a.txt", content=TEXT)
    kept = attach(company, "lin")
    owner_connection.execute("DELETE FROM crm_customer WHERE id = %s", [made])
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_attachment WHERE record_id = %s", [made]
    ).fetchone() == (0,)
    with on_company_as_owner():
        assert attachments.sweep() == 0
        long_ago = time.time() - attachments.SETTLED_SECONDS - 60
        for path in files():
            os.utime(path, (long_ago, long_ago))
        assert attachments.sweep() == 1
    assert read(company, "lin", kept) == TEXT


def test_a_full_disk_leaves_neither_file_nor_row(company, monkeypatch):
    def full(*_arguments):
        yield b"HUFUS1"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vault, "seal_stream", full)
    with pytest.raises(Unavailable):
        attach(company, "lin")
    assert files() == []
    with by(company, "lin"):
        assert not Attachment.objects.exists()


def test_the_keys_of_files_take_part_in_a_rotation():
    assert "crm_attachment" in {table.name for table in rotation.sealed_tables()}
