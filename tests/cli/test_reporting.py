"""`hufu reporting`: a login for Li, made by an administrator of the server or by hand, and its end."""

from __future__ import annotations

import re

import psycopg
import pytest

from hufu.core.postgres import logins, roles
from hufu.core.postgres.urls import make_url


@pytest.fixture
def server(committed, postgres, monkeypatch):
    """The server as a command finds it, with an administrator; what was made there is gone afterwards."""
    monkeypatch.setenv("DATABASE_URL", postgres.url(roles.APP, committed))
    monkeypatch.setenv("HUFU_ADMIN_URL", postgres.admin_url)
    yield postgres
    with postgres.admin(committed) as admin:
        for login in logins.states(admin):
            logins.end(admin, login)


def address(said, server, database):
    """Return the address that was printed, as one line."""
    told = dict(re.findall(r"^  (user|password) +(\S+)$", said.out, re.MULTILINE))
    with server.admin() as admin:
        return make_url(told["user"], told["password"], admin.info.host, admin.info.port, database)


def test_li_is_given_a_login_that_reads_once_the_policy_allows_it_and_until_it_is_closed(
    hufu, company, customer, server, committed, owner_connection, events
):
    said = hufu("reporting", "open", "li", "--reason", "月度报表", "--ends", "2099-01-01")
    assert said.code == 0, said.err
    assert "report.sign_in is missing" in said.err
    url = address(said, server, committed)
    with psycopg.connect(url, autocommit=True) as reader:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT * FROM report.customer")
        owner_connection.execute(
            "INSERT INTO access_grant (role_id, permission, scope)"
            " SELECT id, 'report.sign_in', 'everything' FROM access_role WHERE key = 'rep'"
        )
        assert reader.execute("SELECT id, owner FROM report.customer").fetchall() == [(customer, "李一")]
    again = hufu("reporting", "open", "li", "--reason", "再来一次")
    assert again.code == 1
    assert "has a login already" in again.err
    (listed,) = hufu("reporting", "list", "--json").json
    assert (listed["username"], listed["reason"], listed["problem"]) == ("li", "月度报表", None)
    assert "李一 (li)" in hufu("reporting", "list").out
    assert hufu("reporting", "close", "li").code == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert hufu("reporting", "close", "li").code == 1
    assert hufu("reporting", "list").out == "Nobody has a login to the database.\n"
    (opened,) = events("reporting.opened")
    assert opened["reason"] == "月度报表"
    assert len(events("reporting.closed")) == 1
    assert said.out not in str(opened)


def test_without_an_administrators_address_the_sql_for_a_superuser_is_printed(
    hufu, company, server, committed, monkeypatch
):
    monkeypatch.delenv("HUFU_ADMIN_URL")
    said = hufu("reporting", "open", "li", "--reason", "月度报表")
    assert said.code == 0
    url = address(said, server, committed)
    assert url.split(":")[2].split("@")[0] not in said.err, "the password itself stands in no statement"
    statements = [line for line in said.err.splitlines() if line.startswith("  ")]
    with server.admin(committed) as admin:
        for statement in statements:
            admin.execute(statement.encode())
    with (
        psycopg.connect(url) as reader,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not query"),
    ):
        reader.execute("SELECT * FROM report.customer")
    closed = hufu("reporting", "close", "li")
    with server.admin(committed) as admin:
        for line in closed.err.splitlines():
            if line.startswith("  "):
                admin.execute(line.encode())
        assert logins.states(admin) == {}


def test_whoever_is_not_active_or_not_known_gets_no_login(hufu, company, server):
    for who, reason in (("sun", "x"), ("li", " ")):
        said = hufu("reporting", "open", who, "--reason", reason)
        assert said.code == 1
        assert "Nothing was changed" in said.err
    assert hufu("reporting", "open", "nobody", "--reason", "x").code == 2
    assert hufu("reporting", "open", "li", "--reason", "x", "--ends", "2000-01-01").code == 1
    with server.admin() as admin:
        assert not any(name.startswith("hufu_report_") for name in logins.states(admin))
