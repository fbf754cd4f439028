"""The pages of a copy of a person's data and of the person's erasure."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import psycopg

from tests.company import CONTACTS, Company
from tests.web.conftest import Visit
from tests.web.log import entries

NAME = CONTACTS["gao"][0]


def test_wang_makes_a_copy_that_no_cache_keeps_and_lin_is_not_offered_one(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    page = f"/contacts/{company.contact('gao')}/"
    wang, lin = visit("wang"), visit("lin")
    assert f"{page}copy" in wang.get(f"{page}consents").content.decode()
    assert f"{page}copy" not in lin.get(f"{page}consents").content.decode()
    assert lin.post(f"{page}copy", {"reason": "x"}).status_code == 403
    unsaid = wang.post(f"{page}copy", {"reason": ""})
    assert unsaid["Content-Type"].startswith("text/html")
    assert entries(owner_connection, "contact.disclosed") == []
    answer = wang.post(f"{page}copy", {"reason": "本人申请"})
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    content = archive.read("person.json")
    assert json.loads(content)["fields"]["name"] == NAME
    assert NAME in archive.read("person.html").decode()
    assert archive.read("SHA256SUMS").decode() == f"{hashlib.sha256(content).hexdigest()}  person.json\n"
    assert len(entries(owner_connection, "contact.disclosed")) == 1
    assert "made a copy of the data" in lin.get(page).content.decode()


def test_the_consequences_stand_first_and_the_name_must_be_typed(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number = company.contact("gao")
    page, wang = f"/contacts/{number}/erase", visit("wang")
    shown = wang.get(page).content.decode()
    assert "This goes" in shown
    assert "the key that opens them is destroyed" in shown
    assert "This stays" in shown
    assert visit("sun").get(page).status_code == 404
    assert visit("lin").get(page).status_code == 403
    form = {"version": "1", "reason": "本人要求", "confirmation": "别人"}
    assert "This is not its name." in wang.post(page, form).content.decode()
    assert wang.post(page, {**form, "confirmation": NAME, "version": "7"}).status_code == 409
    assert entries(owner_connection, "contact.erased") == []
    done = wang.post(page, {**form, "confirmation": NAME}, follow=True).content.decode()
    assert "The person is erased." in done
    assert NAME not in done
    assert f"Erased person {number}" in done
    assert len(entries(owner_connection, "contact.erased")) == 1
