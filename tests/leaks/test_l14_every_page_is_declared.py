"""L14, remote call without a check: every page is listed with its permission; an unlisted one fails the suite."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import localdate

from hufu.access import registry
from hufu.core.transaction import acting
from hufu.crm import attachments
from hufu.web.pages import routes
from tests.leaks.permission_table import TABLE, VISITOR
from tests.pools import a_pool, a_pooled_customer

KINDS = {"signed in", "public"}


def test_every_page_declares_what_it_needs():
    assert [route.pattern for route in routes() if route.page is None] == []


def test_every_page_and_method_is_in_the_table_and_nothing_else_is():
    declared = {
        (route.name, method, route.page.needs)
        for route in routes()
        if route.page is not None
        for method in route.page.methods
    }
    assert {(row.name, row.method, row.needs) for row in TABLE} == declared


def test_every_permission_of_the_table_is_declared():
    for row in TABLE:
        assert row.needs in KINDS or registry.permission(row.needs)


RECORDS = {"customer": "qiming", "opportunity": "machines", "contact": "gao"}
NUMBERS = {"customer": "customers", "opportunity": "opportunities", "contact": "contacts"}
# The pages of a type that are not about one record.
OF_TYPE = {
    *("list", "filters", "new", "pick", "owners", "bin", "retention"),
    *("check", "dispute", "duplicates", "duplicate_decide", "dispute_answer"),
}


def form_of(name, company):
    """Return what the form of a page sends."""
    of_deed = {
        "transfer": {"to": str(company.people["tang"])},
        "move": {"partition": str(company.partitions["sz"]), "owner": str(company.people["li"])},
        "add": {"who": str(company.people["tang"]), "access": "read"},
        "share": {"who": str(company.people["tang"]), "access": "read"},
        "remove": {"who": str(company.people["tang"])},
        "restore": {"version": "2"},
        "ask": {"access": "read", "until": str(localdate() + timedelta(days=7))},
        "erase": {"confirmation": "高工"},
        "check": {"text": "没有这样的公司"},
        "decide": {"state": "merge"},
        "answer": {"answer": "x", "outcome": "kept"},
        "give": {"purpose": "contract", "basis": "contract", "source": "form", "given_on": "2026-01-31"},
        "purge": {"version": "2", "confirmation": "误建联系人" if "contact" in name else "误建记录"},
    }
    usual = {"version": "1", "name": "新记录", "stage": "won", "reason": "x"}
    return usual | of_deed.get(name.rpartition("_")[2], {})


def a_consent(owner_connection, contact):
    """Return a standing consent of a contact, made where there is none."""
    return owner_connection.execute(
        "INSERT INTO crm_consent (contact_id, purpose, basis, source, given_on, evidence, recorded_at, recorded_by,"
        " withdrawn_reason) VALUES (%s, 'service', 'consent', 'form', '2026-01-31', '', now(), 1, '') RETURNING id",
        [contact],
    ).fetchone()[0]


def a_change_set(owner_connection, number=1, author=-1):
    """Return a change set that the operator or somebody submitted and that waits, made where there is none."""
    document = json.dumps({"format": 1, "partitions": [{"key": "x", "name": "x"}]})
    owner_connection.execute(
        "INSERT INTO access_change_set (number, title, reason, author, base_version, document, narrows, risk, outcome,"
        " submitted_at) VALUES (%s, 'x', '', %s, 1, %s, false, 'low', '', now()) ON CONFLICT DO NOTHING",
        [number, author, document],
    )
    return number


def a_draft(owner_connection, author):
    """See to it that somebody has a working draft."""
    document = {
        "format": 1,
        "base_access": {"customer": "public_read"},
        "roles": [{"key": "drafted", "name": "x", "grants": {}}],
    }
    owner_connection.execute(
        "INSERT INTO access_draft (author_id, base_version, document, changes, changed_at)"
        " VALUES (%s, 1, %s, 1, now()) ON CONFLICT DO NOTHING",
        [author, json.dumps(document)],
    )


def a_share(owner_connection, company, kind, record_id):
    """Return a share of a record with 唐, which nobody of the table gave."""
    return owner_connection.execute(
        "INSERT INTO access_share (type, record_id, user_id, access, reason, given_by)"
        " VALUES (%s, %s, %s, 'read', '', -1) RETURNING id",
        [kind, record_id, company.people["tang"]],
    ).fetchone()[0]


def a_file(company, kind, record_id):
    """Return a file of a record, added by 林悦."""
    actor = company.actor("lin")
    with acting(actor):
        resource = registry.resource_type(kind)
        return attachments.attach(actor, resource, record_id, name="报价.txt", content="十万元".encode())


@pytest.fixture
def address(request):
    """Return a function that gives the address and the form of a row."""
    company = request.getfixturevalue("unharmed" if "unharmed" in request.fixturenames else "company")
    owner_connection = request.getfixturevalue("owner_connection")

    def of(row):
        name = row.name
        kind, _underscore, page = name.partition("_")
        if kind in RECORDS:
            number = getattr(company, NUMBERS[kind])[RECORDS[kind]]
            if page in ("restore", "purge"):
                number = company.binned[kind]
            below = f"?customer={company.customer('qiming')}" if name == "contact_new" else ""
            if page == "reveal":
                below = "?field=phone"
            form = form_of(name, company)
            if page == "release":
                form["pool"] = str(a_pool(owner_connection, company))
            if page == "claim":
                number = a_pooled_customer(owner_connection, company)
            if page == "consent_withdraw":
                form["consent"] = str(a_consent(owner_connection, number))
            if page == "share_end":
                form["share"] = str(a_share(owner_connection, company, kind, number))
            if page == "file_add":
                form["file"] = SimpleUploadedFile("合同.txt", "两份".encode())
            if page == "file_open":
                below = f"?file={a_file(company, kind, number)}"
            if page == "file_remove":
                form["file"] = str(a_file(company, kind, number))
            return reverse(name, args=[] if page in OF_TYPE else [number]) + below, form
        if name in ("mfa_edit_webauthn", "mfa_remove_webauthn"):
            return reverse(name, args=[1]), {}
        if kind == "person":
            further = (
                [0]
                if name in ("person_session_end", "person_device_forget", "person_device_trust_end")
                else []
            )
            return reverse(name, args=[company.people["lin"], *further]), {"reason": "x"}
        if name == "request_permission":
            return reverse(name, args=["customer.view"]), form_of("customer_ask", company)
        if name in (
            "break_glass_end",
            "break_glass_review",
            "request_answer",
            "request_withdraw",
            "request_crossing",
            "request_crossing_end",
            "my_delegation_end",
            "pending_beforehand",
            "my_session_end",
            "my_device_trust_end",
            "my_device_confirm",
            "my_device_forget",
        ):
            return reverse(name, args=[0]), {}
        if name == "posture_finding":
            return reverse(name, args=["dormant"]), {}
        if name.startswith("roles_give"):
            role, row = owner_connection.execute(
                "SELECT a.role_id, a.id FROM access_assignment a WHERE a.user_id = %s",
                [company.people["chen"]],
            ).fetchone()
            to = company.people["qian"]
            form = {"role": str(role), "who": str(to), "seen": f"{role} user:{to}", "term": "never"}
            args = [row] if name.startswith("roles_given_") else []
            return reverse(name, args=args), {**form, "reason": "x"}
        if name == "role_new":
            return reverse(name), {"name": "新", "key": "new"}
        if name.startswith("role_drafted"):
            a_draft(owner_connection, company.people["he"])
            return reverse(name, args=["drafted"]), {"permission": "customer.view", "scope": "own"}
        if kind == "role":
            role = owner_connection.execute("SELECT id FROM access_role WHERE key = 'rep'").fetchone()
            return reverse(name, args=role), {"permission": "customer.view", "scope": "own"}
        if page.startswith("draft"):
            a_draft(owner_connection, company.people["he"])
            return reverse(name), {"place": "base_access/customer"}
        if name in ("policy_version", "policy_roll_back"):
            return reverse(name, args=[1]), {"reason": "x"}
        if name in ("policy_rebase", "policy_withdraw"):
            return reverse(name, args=[a_change_set(owner_connection, 2, company.people["he"])]), {}
        if kind == "policy" and page:
            return reverse(name, args=[a_change_set(owner_connection)]), {"reason": "x"}
        if name == "log_entry":
            return reverse(
                name, args=owner_connection.execute("SELECT id FROM audit_event LIMIT 1").fetchone()
            ), {}
        if name == "account_reset_password_from_key":
            return reverse(name, kwargs={"uidb36": "1", "key": "never-sent"}), {}
        if kind == "sso":
            return reverse(name, args=["office"]), {}
        return reverse(name), {"login": "lin", "password": "wrong", "username": "lin"}

    return of


READ = [row for row in TABLE if row.method == "GET"]
DONE = [row for row in TABLE if row.method != "GET"]


@pytest.mark.parametrize("row", READ, ids=lambda row: f"{row.name} by {row.who_may}")
def test_who_may_gets_the_page(unharmed, sign_in, address, row):
    url, _form = address(row)
    answer = sign_in(row.who_may).get(url)
    assert answer.status_code == row.answer, answer.content.decode()[-2000:]


@pytest.mark.parametrize("row", DONE, ids=lambda row: f"{row.method} {row.name} by {row.who_may}")
def test_who_may_does_the_deed(sign_in, address, row):
    url, form = address(row)
    answer = sign_in(row.who_may).post(url, form)
    assert answer.status_code == row.answer, answer.content.decode()[-2000:]


KEYS = {"access_change_set": "number", "access_draft": "author_id"}
REFUSED = [row for row in TABLE if row.refusal]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: f"{row.method} {row.name} by {row.who_may_not}")
def test_who_may_not_is_refused_and_nothing_changes(unharmed, sign_in, address, owner_connection, row):
    url, form = address(row)
    tables = (
        *("crm_customer", "crm_opportunity", "people_user", "access_assignment"),
        *("crm_contact", "access_team_member", "access_share", "crm_consent", "crm_attachment"),
        *("access_change_set", "access_draft"),
    )
    before = [
        owner_connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS.get(table, 'id')}").fetchall()
        for table in tables
    ]
    client = sign_in(row.who_may_not)
    before[2] = owner_connection.execute("SELECT * FROM people_user ORDER BY id").fetchall()
    answer = client.get(url) if row.method == "GET" else client.post(url, form)
    assert answer.status_code == row.refusal
    if row.refusal == 302:
        assert "/accounts/login/" in answer["Location"]
    after = [
        owner_connection.execute(f"SELECT * FROM {table} ORDER BY {KEYS.get(table, 'id')}").fetchall()
        for table in tables
    ]
    assert after == before


CLOSED = [row for row in TABLE if row.needs != "public"]


def _is_sent_to_sign_in(client, row, url, form):
    answer = client.get(url) if row.method == "GET" else client.post(url, form)
    return answer.status_code == 302 and "/accounts/login/" in answer["Location"]


def test_a_visitor_is_sent_to_sign_in_from_every_page_that_is_not_public(unharmed, sign_in, address):
    for row in CLOSED:
        assert _is_sent_to_sign_in(sign_in(VISITOR), row, *address(row)), row


def test_a_suspended_person_with_an_open_session_gets_no_page(sign_in, address, company, owner_connection):
    # Each page meets a session of its own: the first answer may end one.
    open_sessions = [(row, sign_in("lin"), address(row)) for row in CLOSED]
    owner_connection.execute(
        "UPDATE people_user SET status = 'suspended' WHERE id = %s", [company.people["lin"]]
    )
    for row, client, (url, form) in open_sessions:
        assert _is_sent_to_sign_in(client, row, url, form), row


def test_an_address_that_is_none_is_no_page(unharmed, sign_in):
    for path in (
        "/admin/",
        "/api/",
        "/accounts/signup/",
        "/customers/1",
        "/customers/-1/",
        "/static/../settings.py",
    ):
        assert sign_in("li").get(path).status_code in (301, 404), path
