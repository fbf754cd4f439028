"""Look whether everything is as it has to be, and say what to do where it is not.

Database: version, roles, ownership, row policies, what the application must not be able to do, pending migrations,
installed functions. Files: secrets, rules of the embedded server, assets. Exit code 0 if all is well, 1 if not.
With --deep also what is kept twice (counters, matches of rules), compared record by record; --repair sets it right.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from hufu.core.errors import Unavailable
from hufu.core.health import Finding, guarded

NAME = "doctor"
HELP = "check the installation and say what to do"

# The application reads and appends the log, and reads reach and what quotas count, of cells nothing; all are written by
# definer functions alone.
FORBIDDEN = {
    "audit_event": ("UPDATE", "DELETE", "TRUNCATE"),
    "access_change": ("INSERT", "UPDATE", "DELETE", "TRUNCATE"),
    **dict.fromkeys(
        (
            *("access_reach", "access_term", "access_term_grant", "access_quota_used", "access_quota_seen"),
            *("access_rule_part", "access_rule_match", "access_rule_reach", "access_pool_reach"),
        ),
        ("INSERT", "UPDATE", "DELETE", "TRUNCATE"),
    ),
    **dict.fromkeys(
        ("access_cell", "access_cell_change", "access_cell_total"),
        ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"),
    ),
}
# Tables of our own without row policies, and why: names that stand in the code; what is asked before anybody has an
# identity, hashes of former passwords, devices and open sign-ins.
OUTSIDE_ROW_POLICIES = (
    "access_system_actor",
    "people_chosen_password",
    "people_device",
    "people_session",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print findings as JSON")
    parser.add_argument(
        "--deep", action="store_true", help="also compare what is kept twice, over all records"
    )
    parser.add_argument(
        "--repair", action="store_true", help="with --deep: set right what differs from the records"
    )


def run(args: argparse.Namespace) -> int:
    """Print every finding."""
    from hufu.cli import environment

    try:
        with environment.connected(current=False):
            findings = list(examine(deep=args.deep or args.repair, repair=args.repair))
    except environment.NeverSetUp as error:
        findings = [Finding("set up", error.problem, error.remedy)]
    failed = [finding for finding in findings if not finding.ok]
    if args.json:
        listed = [
            {
                "name": one.name,
                "ok": one.ok,
                "problem": one.problem,
                "remedy": "" if one.ok else one.remedy,
                "note": one.note,
            }
            for one in findings
        ]
        print(json.dumps({"ok": not failed, "findings": listed}, ensure_ascii=False, indent=2))
    else:
        for one in findings:
            print(
                f"ok      {one.name}{': ' if one.note else ''}{one.note}"
                if one.ok
                else f"FAILED  {one.name}: {one.problem}\n        {one.remedy}"
            )
        print(f"{len(findings) - len(failed)} ok, {len(failed)} failed")
    return 1 if failed else 0


def examine(*, deep: bool = False, repair: bool = False) -> Iterator[Finding]:
    """Yield all findings; Django is set up as the application."""
    from django.apps import apps
    from django.db import connection

    from hufu.core.postgres import inspection

    yield from guarded("secrets", check_secrets)
    yield from guarded("access rules of the embedded server", check_access_rules)
    yield from guarded("assets", check_assets)
    try:
        connection.ensure_connection()
    except Exception as error:
        yield Finding(
            "database connection",
            str(error).strip().splitlines()[0],
            "If the database was never set up, run `hufu migrate`; otherwise check DATABASE_URL.",
        )
        return
    yield Finding("database connection")
    database = connection.connection
    yield from guarded("server", partial(inspection.check_server, database))
    yield from guarded("roles", partial(inspection.check_roles, database))
    yield from guarded("ownership", partial(inspection.check_ownership, database))
    yield from guarded(
        "row policies", lambda: inspection.check_row_policies(database, outside_row_policies())
    )
    yield from guarded("rights", partial(inspection.check_privileges, database, FORBIDDEN))
    yield from guarded("the past", partial(inspection.check_past, database))
    yield from guarded("functions", partial(inspection.check_functions, database))
    yield from guarded("version of the database", check_version)
    yield from guarded("master key", check_master_key)
    for app in apps.get_app_configs():
        checks = getattr(app, "doctor_checks", None)
        if checks is not None:
            yield from guarded(app.label, checks)
        checks = getattr(app, "deep_checks", None) if deep else None
        if checks is not None:
            yield from guarded(f"{app.label}, deep", partial(checks, repair=repair))


def outside_row_policies() -> set[str]:
    """Return the tables that have no row policies: the libraries' (sessions, sign-in, cache) and a few of ours."""
    from django.apps import apps
    from django.conf import settings

    libraries = {
        model._meta.db_table
        for app in apps.get_app_configs()
        if not app.name.startswith("hufu.")
        for model in app.get_models(include_auto_created=True)
    }
    return libraries | {
        str(settings.CACHES["default"]["LOCATION"]),
        "django_migrations",
        *OUTSIDE_ROW_POLICIES,
    }


def check_version() -> Iterator[Finding]:
    """Check that tables and installed functions are those of this version."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from hufu.core import schema

    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _backwards in pending)
    yield Finding("migrations", f"pending: {names}" if names else "", "Run `hufu migrate`.")
    same = schema.installed_digest(connection) == schema.digest()
    problem = "" if same else "they are not those of this version of the program"
    yield Finding("installed functions, policies and grants", problem, "Run `hufu migrate`.")


def check_secrets() -> Iterator[Finding]:
    """Check that nobody else may read the secrets, and that they are there."""
    from django.conf import settings

    from hufu.core.postgres.secret_files import LOG_KEK, SECRET_KEY, SecretFolder

    folder = SecretFolder(Path(settings.HUFU_SECRETS))
    missing = [name for name in (SECRET_KEY, LOG_KEK) if not folder.path(name).exists()]
    yield Finding(
        "secrets are there",
        f"missing in {folder.folder}: {', '.join(missing)}" if missing else "",
        "Restore them from a backup of that folder: without log-kek, personal values in the log stay unreadable.",
    )
    open_to_others = folder.wrong_modes()
    yield Finding(
        "secrets are closed",
        f"others may read {', '.join(open_to_others)}" if open_to_others else "",
        f"chmod -R go= {folder.folder}",
    )


def check_master_key() -> Iterator[Finding]:
    """Check that the master key opens every data key of this database."""
    from hufu.core import vault

    problem = ""
    try:
        vault.check()
    except Unavailable as error:
        problem = str(error)
    yield Finding(
        "master key", problem, "Without it personal data stays unreadable: restore it from its backup."
    )


def check_access_rules() -> Iterator[Finding]:
    """Check that the embedded server trusts nobody."""
    from hufu.cli import environment

    rules = environment.var() / "postgres" / "pg_hba.conf"
    if not rules.exists() or not os.access(rules, os.R_OK):
        return
    methods = {
        line.split()[-1] for line in rules.read_text().splitlines() if line and not line.startswith("#")
    }
    problem = "" if methods <= {"scram-sha-256"} else f"{rules} allows {', '.join(sorted(methods))}"
    yield Finding(
        "embedded server trusts nobody", problem, "Restart it: the rules are written at every start."
    )


def check_assets() -> Iterator[Finding]:
    """Check that the browser's assets were built."""
    from hufu.cli.site import assets_built

    yield Finding("assets", "" if assets_built() else "not built", "In a clone, run `make setup`.")
