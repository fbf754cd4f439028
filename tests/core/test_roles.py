"""The five roles of the database: made, repaired, and no more than they may be."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from hufu.core.postgres import roles
from hufu.core.postgres.embedded import Server, server

PASSWORDS = {role: f"secret of {role}" for role in roles.ROLES}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own: roles belong to a whole server."""
    with server(tmp_path_factory.mktemp("roles") / "var") as running:
        yield running


@pytest.fixture
def admin(own_server: Server) -> Iterator[psycopg.Connection]:
    with psycopg.connect(own_server.admin_url(), autocommit=True) as connection:
        yield connection
        for name in ("hufu", "hufu2"):
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        for role in (*roles.ROLES, "dba"):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


def connect(own_server: Server, role: str, password: str, database: str = "hufu") -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=own_server.port, user=role, password=password, dbname=database, autocommit=True
    )


def test_a_superuser_makes_all_five_with_their_passwords(own_server, admin):
    assert roles.ensure(admin, PASSWORDS) == []
    roles.ensure_database(admin, "hufu")
    for role in roles.ROLES:
        with connect(own_server, role, PASSWORDS[role]) as connection:
            assert connection.info.user == role


def test_making_them_again_changes_nothing(admin):
    roles.ensure(admin, PASSWORDS)
    before = roles.states(admin)
    assert roles.ensure(admin, {}) == []
    assert roles.states(admin) == before


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER ROLE hufu_app SUPERUSER",
        "ALTER ROLE hufu_app BYPASSRLS",
        "ALTER ROLE hufu_app CREATEROLE CREATEDB REPLICATION",
        "ALTER ROLE hufu_backup NOBYPASSRLS",
        "ALTER ROLE hufu_sealer NOLOGIN",
        "GRANT pg_write_all_data TO hufu_app",
        "GRANT hufu_owner TO hufu_app",
        "REVOKE pg_read_all_data FROM hufu_backup",
    ],
)
def test_what_somebody_changed_is_seen_and_put_right(admin, damage):
    roles.ensure(admin, PASSWORDS)
    admin.execute(damage.encode())
    assert any(state.problems for state in roles.states(admin).values())
    assert roles.ensure(admin, {}) == []
    assert not any(state.problems for state in roles.states(admin).values())


def test_a_role_that_may_only_create_roles_is_told_what_a_superuser_has_to_run(own_server, admin):
    admin.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'dba'")
    admin.execute("GRANT pg_read_all_data TO dba WITH ADMIN OPTION")
    with connect(own_server, "dba", "dba", "postgres") as dba:
        left = roles.ensure(dba, PASSWORDS)
        assert left == ["ALTER ROLE hufu_backup BYPASSRLS;"]
        roles.ensure_database(dba, "hufu2")
        for statement in left:
            admin.execute(statement.encode())
        assert roles.ensure(dba, {}) == []
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'hufu2'"
    assert admin.execute(owner).fetchone() == ("hufu_owner",)
    admin.execute("DROP DATABASE hufu2")
    admin.execute("DROP OWNED BY dba")
    for role in roles.ROLES:
        admin.execute(f"DROP ROLE {role}".encode())


def test_only_our_roles_enter_the_database_and_only_the_owner_makes_tables(own_server, admin):
    roles.ensure(admin, PASSWORDS)
    roles.ensure_database(admin, "hufu")
    admin.execute("CREATE ROLE dba LOGIN PASSWORD 'dba'")
    with connect(own_server, roles.OWNER, PASSWORDS[roles.OWNER]) as owner:
        roles.close_database(owner)
        owner.execute("CREATE TABLE made_by_owner (n int)")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(own_server, "dba", "dba")
    for role in (roles.APP, roles.SEALER, roles.READER, roles.BACKUP):
        with connect(own_server, role, PASSWORDS[role]) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE TABLE public.mine (n int)")


def test_the_database_orders_by_code_point_and_holds_every_character(own_server, admin):
    roles.ensure(admin, PASSWORDS)
    roles.ensure_database(admin, "hufu")
    row = admin.execute(
        "SELECT pg_encoding_to_char(encoding), datcollate, datlocale FROM pg_database WHERE datname = 'hufu'"
    ).fetchone()
    assert row == ("UTF8", "C", "C.UTF-8")
