"""L07, client-chosen scope: no parameter, header or body field widens anything or names who acts."""

from __future__ import annotations

import json
import re

import pytest


def shown(answer):
    return set(re.findall(r"/customers/(\d+)/", answer.content.decode()))


def forged(company):
    """What somebody might send to be taken for 李强, or to be given his partition."""
    boss = str(company.people["li"])
    return {
        **{"user_id": boss, "user": boss, "actor": boss, "actor_id": boss, "as": "li", "impersonate": "li"},
        **{"on_behalf": boss, "scope": "everything", "tenant": "2", "admin": "1", "role": "executive"},
    }


HEADERS = {
    **{"X-User-Id": "1", "X-User": "li", "X-Actor": "1", "Remote-User": "li", "X-Remote-User": "li"},
    **{"X-Forwarded-User": "li", "X-Partition": "2", "X-Tenant": "2", "X-Scope": "everything"},
    **{
        "X-Original-URL": "/log/",
        "X-Rewrite-URL": "/log/",
        "X-HTTP-Method-Override": "GET",
        "Authorization": "Basic bGk6",
    },
}


def test_a_header_changes_nothing(unharmed, sign_in):
    plain, with_headers = (
        sign_in("lin").get("/customers/"),
        sign_in("lin").get("/customers/", headers=HEADERS),
    )
    assert shown(plain) == shown(with_headers)
    assert len(shown(plain)) == 3
    assert sign_in("lin").get("/log/", headers=HEADERS).status_code == 403
    assert sign_in(None).get("/customers/", headers=HEADERS).status_code == 302


def test_a_parameter_is_a_filter_or_is_refused(unharmed, sign_in):
    for name, value in forged(unharmed).items():
        answer = sign_in("lin").get("/customers/", {name: value})
        assert answer.status_code == 400, name


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("owner", ["1", "10"]),
        ("partition", ["1", "2"]),
        ("department", ["1", "2", "7", "8"]),
    ],
)
def test_a_filter_by_owner_partition_or_department_only_narrows(unharmed, sign_in, name, values):
    own = shown(sign_in("lin").get("/customers/"))
    answer = sign_in("lin").get("/customers/", {name: values})
    assert answer.status_code == 200
    assert shown(answer) <= own


def test_a_cookie_names_nobody(unharmed, sign_in):
    client = sign_in("lin")
    for name in ("user_id", "user", "partition", "actor"):
        client.cookies[name] = str(unharmed.people["li"])
    assert len(shown(client.get("/customers/"))) == 3


BODY = {"name": "新客户", "stage": "new"}


def created(owner, answer):
    number = int(re.search(r"/(\d+)/$", answer["Location"]).group(1))
    return owner.execute(
        "SELECT owner_id, partition_id, department_id, created_by_id, deleted_at, lock_version, external_id"
        " FROM crm_customer WHERE id = %s",
        [number],
    ).fetchone()


def test_what_a_form_says_of_the_record_itself_is_not_taken(company, sign_in, owner_connection):
    """林悦 creates for herself in her partition; fields that deeds alone set are not read from the request."""
    body = {
        **BODY,
        **forged(company),
        **{"id": "1", "owner_id": "1", "partition_id": "2", "department": "8", "department_id": "8"},
        **{
            "created_by_id": "1",
            "created_by": "1",
            "lock_version": "9",
            "deleted_at": "2026-01-01",
            "external_id": "X",
        },
    }
    row = created(owner_connection, sign_in("lin").post("/customers/new", body))
    lin = company.people["lin"]
    assert row == (lin, company.partitions["sh"], company.departments["east"], lin, None, 1, None)


@pytest.mark.parametrize("owner", ["tang", "li", "sun", "zheng"])
def test_lin_creates_for_nobody_else_whoever_the_form_names(unharmed, sign_in, owner_connection, owner):
    count = "SELECT count(*) FROM crm_customer"
    before = owner_connection.execute(count).fetchone()
    answer = sign_in("lin").post("/customers/new", {**BODY, "owner": str(unharmed.people[owner])})
    # It says what is in the way: not a role, of which she has one.
    assert "for yourself, not for this owner" in answer.content.decode()
    assert "None of your roles" not in answer.content.decode()
    assert answer.status_code == 403
    assert owner_connection.execute(count).fetchone() == before


@pytest.mark.parametrize("owner", ["999999", "0", "-1", "x", "9" * 30])
def test_an_owner_that_is_nobody_is_not_an_open_door(company, sign_in, owner_connection, owner):
    answer = sign_in("lin").post("/customers/new", {**BODY, "owner": owner})
    assert answer.status_code in (302, 200, 400, 403)
    if answer.status_code == 302:
        assert created(owner_connection, answer)[0] == company.people["lin"]


@pytest.mark.parametrize("partition", ["2", "999", "0", "x", "9" * 30])
def test_a_partition_that_the_form_names_is_checked(company, sign_in, owner_connection, partition):
    count = "SELECT count(*) FROM crm_customer"
    before = owner_connection.execute(count).fetchone()
    assert sign_in("lin").post("/customers/new", {**BODY, "partition": partition}).status_code == 403
    assert owner_connection.execute(count).fetchone() == before
    own = str(company.partitions["sh"])
    assert sign_in("lin").post("/customers/new", {**BODY, "partition": own}).status_code == 302
    assert sign_in("sun").post("/customers/new", {**BODY, "partition": "2"}).status_code == 302


def test_editing_moves_nothing_whatever_the_form_says(company, sign_in, owner_connection):
    number = company.customer("qiming")
    columns = "id, owner_id, partition_id, department_id, created_by_id, deleted_at"
    fixed = f"SELECT {columns} FROM crm_customer WHERE id = %s"
    before = owner_connection.execute(fixed, [number]).fetchone()
    body = {
        **forged(company),
        **{"name": "改名", "stage": "won", "version": "1", "id": "2", "record_id": "2", "pk": "2"},
        **{"owner": "1", "owner_id": "1", "partition": "2", "partition_id": "2", "department": "8"},
        **{"deleted_at": "2026-01-01", "created_by_id": "1"},
    }
    assert sign_in("lin").post(f"/customers/{number}/edit", body).status_code == 302
    assert owner_connection.execute(fixed, [number]).fetchone() == before
    name, version = owner_connection.execute(
        "SELECT name, lock_version FROM crm_customer WHERE id = %s", [number]
    ).fetchone()
    assert (name, version) == ("改名", 2)


def test_the_log_names_who_is_signed_in_whatever_the_request_says(company, sign_in, owner_connection):
    number = company.customer("qiming")
    sign_in("lin").get(f"/customers/{number}/", forged(company), headers=HEADERS)
    (body, ref) = owner_connection.execute(
        "SELECT e.body, s.ref FROM audit_event e JOIN audit_subject s ON s.pseudonym = e.actor"
        " WHERE e.type = 'customer.viewed' ORDER BY e.at DESC LIMIT 1"
    ).fetchone()
    assert ref == company.people["lin"]
    assert json.loads(bytes(body))["on_behalf"] is None


@pytest.mark.parametrize("partition", ["2", "999", "x", "-1", "9" * 30])
def test_the_picker_of_owners_tells_nothing_of_a_partition_out_of_reach(unharmed, sign_in, partition):
    answer = sign_in("lin").get("/customers/owners", {"partition": partition})
    assert answer.status_code == 404
    assert "孙海" not in answer.content.decode()
    assert "孙海" in sign_in("li").get("/customers/owners", {"partition": "2"}).content.decode()


@pytest.mark.parametrize(
    "params",
    [
        {"q": "\0"},
        {"q": "%00"},
        {"cursor": "x"},
        {"cursor": "WyJ1cGRhdGVkX2F0IixmYWxzZSxudWxsLDFd"},
        {"cursor": "WyJuYW1lIixmYWxzZSwiXHUwMDAwIiwxXQ", "sort": "name"},
        {"owner": "9" * 30},
        {"owner": "-1"},
        {"partition": "9" * 30},
    ],
    ids=str,
)
def test_hostile_parameters_of_a_list_are_no_accident(unharmed, sign_in, params):
    answer = sign_in("lin").get("/customers/", params)
    assert answer.status_code in (200, 400)
    assert shown(answer) <= shown(sign_in("lin").get("/customers/"))


@pytest.mark.parametrize("path", ["/customers/pick", "/opportunities/pick", "/customers/owners", "/people/"])
@pytest.mark.parametrize("text", ["\0", "\ud800", "%", "9" * 200])
def test_hostile_texts_in_pickers_are_no_accident(unharmed, sign_in, path, text):
    name = "feng" if path == "/people/" else "lin"
    assert sign_in(name).get(path, {"q": text.encode("utf-8", "surrogatepass")}).status_code == 200


@pytest.mark.parametrize("field", ["name", "note", "phone", "region"])
@pytest.mark.parametrize(
    "text", ["a\0b", "\u202e反", "=1+1", "<script>x</script>", "'; DROP TABLE crm_customer --"]
)
def test_hostile_texts_in_forms_are_stored_as_text_or_refused(sign_in, owner_connection, field, text):
    answer = sign_in("lin").post("/customers/new", {**BODY, field: text})
    assert answer.status_code in (200, 302)
    if answer.status_code == 302:
        number = int(re.search(r"/(\d+)/$", answer["Location"]).group(1))
        stored = owner_connection.execute(
            f"SELECT {field} FROM crm_customer WHERE id = %s", [number]
        ).fetchone()[0]
        assert stored == text.replace("\0", "")
        page = sign_in("lin").get(f"/customers/{number}/").content.decode()
        assert "<script>x" not in page
