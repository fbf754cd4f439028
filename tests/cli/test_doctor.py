"""`hufu doctor`: finds nothing on a fresh database, and finds what was broken on purpose."""

from __future__ import annotations

import json

import pytest

from hufu.cli.commands import doctor
from hufu.cli.main import main
from hufu.core.health import Finding, guarded

LOOSE = "CREATE FUNCTION hufu.loose() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"


def failed() -> dict[str, Finding]:
    # Whether assets were built says nothing about these tests.
    return {
        finding.name: finding for finding in doctor.examine() if not finding.ok and finding.name != "assets"
    }


def test_a_fresh_database_is_well(committed):
    assert failed() == {}


@pytest.mark.parametrize(
    ("damage", "name", "told"),
    [
        ("GRANT DELETE ON audit_event TO hufu_app", "rights on audit_event", "DELETE"),
        ("GRANT UPDATE (body) ON audit_event TO hufu_app", "rights on audit_event", "UPDATE"),
        ("GRANT INSERT ON access_term TO hufu_app", "rights on access_term", "INSERT"),
        ("GRANT UPDATE ON access_change TO hufu_app", "rights on access_change", "UPDATE"),
        ("GRANT SELECT (id) ON people_user_history TO hufu_app", "the past", "people_user_history"),
        ("GRANT TRUNCATE ON crm_customer TO hufu_app", "truncating", "crm_customer"),
        ("ALTER TABLE crm_customer DISABLE ROW LEVEL SECURITY", "row policies", "crm_customer"),
        (
            "CREATE TABLE forgotten (n int); GRANT SELECT ON forgotten TO hufu_app",
            "row policies",
            "forgotten",
        ),
        ("GRANT CREATE ON SCHEMA public TO hufu_app", "making tables", "hufu_app in public"),
        ("ALTER FUNCTION hufu.enter OWNER TO hufu_app", "ownership", "hufu.enter"),
        (LOOSE, "definer functions", "loose"),
        ("DELETE FROM hufu.installed", "installed functions, policies and grants", "not those"),
        ("DELETE FROM django_migrations WHERE app = 'crm'", "migrations", "crm.0001_initial"),
    ],
)
def test_it_finds_what_was_broken(committed, postgres, damage, name, told):
    with postgres.admin(committed) as superuser:
        superuser.execute(damage.encode())
    findings = failed()
    assert told in findings[name].problem
    assert findings[name].remedy


def test_secrets_that_others_may_read_are_found(committed, settings):
    path = settings.HUFU_SECRETS / "log-kek"
    path.chmod(0o644)
    try:
        assert str(path) in failed()["secrets are closed"].problem
    finally:
        path.chmod(0o600)


def test_it_speaks_json_and_its_exit_code_means_something(committed, owner_connection, capsys):
    main(["doctor", "--json"])
    before = json.loads(capsys.readouterr().out)
    owner_connection.execute("ALTER TABLE crm_customer DISABLE ROW LEVEL SECURITY")
    assert main(["doctor", "--json"]) == 1
    after = json.loads(capsys.readouterr().out)
    assert not after["ok"]
    broken = {one["name"] for one in after["findings"] if not one["ok"]}
    assert broken - {one["name"] for one in before["findings"] if not one["ok"]} == {"row policies"}


def test_a_check_that_breaks_off_is_a_finding():
    def broken():
        raise ZeroDivisionError

    assert [finding.ok for finding in guarded("something", broken)] == [False]
