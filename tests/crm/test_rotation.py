"""New keys while the site works: no error, nothing unreadable, and the rows look as if nothing had happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from django.db import connections

from hufu.access import guard
from hufu.audit import keys as log_keys
from hufu.core import vault
from hufu.core.postgres import roles
from hufu.core.vault import data_keys, rotation
from hufu.crm import actions, queries
from hufu.crm.actions import NewRecord
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER
from tests.crm.acts import by
from tests.web.log import entries

PHONE = "13800006621"


@pytest.fixture
def secrets(settings, tmp_path):
    """A secrets folder of the test's own, with the keys of the run."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    for name in (vault.MASTER_KEY, log_keys.FILE_NAME):
        (folder / name).write_bytes((settings.HUFU_SECRETS / name).read_bytes())
    settings.HUFU_SECRETS = folder
    yield folder
    forget()


def forget():
    vault.forget_master_keys()
    data_keys.forget_opened()
    log_keys._read_key_ring.cache_clear()


@pytest.fixture
def hufu(postgres, company, secrets):
    """A function that runs a command as a process of its own, on this test's database."""
    database = connections.settings["default"]["NAME"]
    values = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO")},
        "DATABASE_URL": postgres.url(roles.APP, database),
        "HUFU_OWNER_URL": postgres.url(roles.OWNER, database),
        "HUFU_SECRETS": str(secrets),
        "HUFU_VAR": str(secrets.parent),
        "LANG": "C",
    }
    values.pop("HUFU_TEST_SERVER_URL", None)

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "hufu.cli.main", *words], env=values, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def searched(company, text):
    with by(company, "lin") as lin:
        return {row.pk for row in queries.list_records(lin, CUSTOMER, ListQuery(search=text)).records}


def rows(owner):
    return owner.execute(
        "SELECT id, lock_version, updated_at, updated_by_id, valid_from FROM crm_customer ORDER BY id"
    ).fetchall()


def test_keys_are_rotated_while_people_write(company, hufu, owner_connection):
    """林悦 adds, edits and reads customers all along. Nobody sees an error, and every number stays what it was."""
    qiming = company.customer("qiming")
    before = rows(owner_connection)
    wanted, errors, stop = {}, [], threading.Event()

    def write():
        number = 0
        try:
            while not stop.is_set():
                number += 1
                phone = f"139{number:08d}"
                with by(company, "lin") as lin:
                    added = actions.create_record(
                        lin,
                        CUSTOMER,
                        NewRecord(
                            company.partitions["sh"],
                            lin.user_id,
                            {"name": f"客户{number}", "stage": "new", "phone": phone},
                        ),
                    )
                with by(company, "lin") as lin:
                    if number % 2:
                        phone = f"137{number:08d}"
                        actions.edit_record(lin, CUSTOMER, added, {"phone": phone}, version=1)
                wanted[added] = phone
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    def read():
        try:
            while not stop.is_set():
                with by(company, "lin") as lin:
                    queries.list_records(lin, CUSTOMER, ListQuery(limit=200))
                time.sleep(0.02)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=each) for each in (write, read)]
    for thread in threads:
        thread.start()
    try:
        for _round in range(2):
            hufu("keys", "rotate")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert wanted
    said = json.loads(hufu("keys", "status", "--json"))
    assert {(each["purpose"], each["version"], each["state"]) for each in said["data_keys"]} == {
        ("field", 3, "active"),
        ("index", 3, "active"),
    }
    assert set(said["values"]) == {"3"}
    standing = {row[0] for row in before}
    assert [row for row in rows(owner_connection) if row[0] in standing] == before
    with by(company, "lin") as lin:
        found = dict(guard.scope(lin, "customer.view").filter(pk__in=wanted).values_list("pk", "phone"))
        assert found == wanted
        assert guard.get(lin, "customer.view", qiming).phone == PHONE
    assert searched(company, PHONE) == {qiming}
    last = max(wanted)
    assert searched(company, wanted[last]) == {last}
    assert [entry.data["version"] for entry in entries(owner_connection, "keys.rotated")] == [2, 3]


def test_a_rotation_that_was_interrupted_goes_on_and_both_keys_open_meanwhile(
    company, on_company_as_owner, hufu, owner_connection
):
    qiming = company.customer("qiming")
    with on_company_as_owner():
        assert rotation.begin() == 2
        assert rotation.begin() == 2
        assert not rotation.retire(2)
    assert searched(company, PHONE) == {qiming}
    with by(company, "lin") as lin:
        assert guard.get(lin, "customer.view", qiming).phone == PHONE
    hufu("keys", "rotate")
    assert searched(company, PHONE) == {qiming}
    stored = owner_connection.execute(
        "SELECT purpose, version, state, wrapped IS NULL FROM hufu.data_key ORDER BY 1, 2"
    ).fetchall()
    assert stored == [
        (purpose, version, state, state == "retired")
        for purpose in ("field", "index")
        for version, state in ((1, "retired"), (2, "active"))
    ]


def test_an_old_key_stays_while_somebody_seals(company, on_company_as_owner, connect_as):
    with connect_as(roles.APP) as app, on_company_as_owner():
        version = rotation.begin()
        list(rotation.reseal(version))
        with app.transaction():
            app.execute("SELECT hufu.sealing_version('field')")
            assert not rotation.retire(version)
        assert rotation.retire(version)


def test_a_new_master_key_wraps_the_data_keys_and_the_keys_of_the_log(
    company, hufu, secrets, owner_connection
):
    said = hufu("keys", "rotate", "--master")
    assert "version 2" in said
    assert len((secrets / "master-key.2").read_bytes()) == 32
    assert owner_connection.execute("SELECT DISTINCT master_version FROM hufu.data_key").fetchall() == [(2,)]
    assert owner_connection.execute(
        "SELECT DISTINCT key_version FROM audit_subject WHERE wrapped_key IS NOT NULL"
    ).fetchall() == [(2,)]
    # This process has read version 1 only, as a site that runs on: it finds the new one by itself.
    data_keys.forget_opened()
    assert searched(company, PHONE) == {company.customer("qiming")}
    assert entries(owner_connection, "keys.rotated")[-1].data["master_version"] == 2
    forget()
    log_keys_of_everybody = owner_connection.execute(
        "SELECT pseudonym, wrapped_key, key_version FROM audit_subject WHERE wrapped_key IS NOT NULL"
    ).fetchall()
    for pseudonym, wrapped, version in log_keys_of_everybody:
        assert len(log_keys.key_ring().unwrap(wrapped, version, pseudonym)) == 32
