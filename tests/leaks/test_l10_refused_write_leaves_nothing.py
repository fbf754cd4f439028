"""L10, write first, authorize later: a refused write leaves no row and no side effect; its event stays."""

from __future__ import annotations

import pytest

from hufu.audit import refusals
from tests.pools import a_pool

# Everything that a request could leave behind, besides the log, and from where and when its session was last seen.
QUIET = ("django_session", "audit_event", "audit_subject", "hufu_cache")
SEEN = {"people_session": ("last_seen_at", "address", "agent"), "people_device": ("last_seen_at", "address")}


def everything(owner):
    tables = [
        row[0]
        for row in owner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s) ORDER BY 1",
            [list(QUIET)],
        )
    ]
    return {
        table: sorted(
            map(
                repr,
                owner.execute(
                    f"SELECT to_jsonb(t) - %s::text[] FROM {table} t", [list(SEEN.get(table, ()))]
                ).fetchall(),
            )
        )
        for table in tables
    }


def refused_events(owner):
    return owner.execute("SELECT target_type, target_id FROM audit_event WHERE result = 'refused'").fetchall()


WRITES = {
    "create": ("/customers/new", {"name": "x", "stage": "won"}),
    "edit": ("/customers/{number}/edit", {"name": "x", "stage": "won", "version": "1"}),
    "transfer": ("/customers/{number}/transfer", {"to": "{tang}", "reason": "x", "version": "1"}),
    "delete": ("/customers/{number}/delete", {"version": "1"}),
    "release": ("/customers/{number}/release", {"pool": "{pool}", "reason": "x", "version": "1"}),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    ("who", "status"), [("lin", 302), ("zhao", 403), ("chen", 403), ("sun", 404), ("he", 404)]
)
def test_a_refused_write_leaves_its_event_and_nothing_else(
    company, sign_in, owner_connection, write, who, status
):
    url, form = WRITES[write]
    number = company.customer("qiming")
    said = {"{tang}": company.people["tang"], "{pool}": a_pool(owner_connection, company)}
    form = {name: str(said.get(value, value)) for name, value in form.items()}
    if write == "create":
        if who == "sun":
            form["partition"] = str(company.partitions["sh"])
        status = 403 if status == 404 else status
    client = sign_in(who)
    before = everything(owner_connection)
    assert client.post(url.format(number=number), form).status_code == status
    if status == 302:
        assert everything(owner_connection) != before
        assert refused_events(owner_connection) == []
        return
    assert everything(owner_connection) == before
    assert refused_events(owner_connection) == [(None, None) if write == "create" else ("customer", number)]


def test_a_refusal_that_the_log_cannot_take_is_503_and_still_leaves_nothing(
    company, sign_in, owner_connection, monkeypatch, settings, tmp_path
):
    settings.HUFU_VAR = tmp_path
    client = sign_in("chen")
    before = everything(owner_connection)

    def full(*_arguments, **_named):
        from django.db import OperationalError

        raise OperationalError("disk full")

    monkeypatch.setattr(refusals, "record", full)
    answer = client.post(
        f"/customers/{company.customer('qiming')}/edit", {"name": "x", "stage": "won", "version": "1"}
    )
    assert answer.status_code == 503
    assert "disk full" not in answer.content.decode()
    assert everything(owner_connection) == before
    assert any(path.is_file() for path in tmp_path.rglob("*")), "the refusal waits in the spool"


def test_a_write_without_the_token_of_its_form_is_refused(company, owner_connection):
    from django.test import Client

    from hufu.people.models import User
    from tests.leaks.conftest import BACKEND

    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=company.people["lin"]), backend=BACKEND)
    before = everything(owner_connection)
    for url, form in WRITES.values():
        assert client.post(url.format(number=company.customer("qiming")), form).status_code == 403
    assert everything(owner_connection) == before


def test_nothing_is_written_by_asking_for_a_form(company, sign_in, owner_connection):
    client, number = sign_in("lin"), company.customer("qiming")
    before = everything(owner_connection)
    for url in ("/customers/new", f"/customers/{number}/edit", f"/customers/{number}/transfer"):
        assert client.get(url, {"name": "x", "to": "1", "version": "1", "stage": "won"}).status_code == 200
    assert client.get(f"/customers/{number}/delete", {"version": "1"}).status_code == 405
    assert everything(owner_connection) == before
