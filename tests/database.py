"""The databases of the tests: one server for the whole run, one migrated template, one clone per worker.

The server is the embedded one, in `.pytest-postgres`, shared by all workers and by runs at the same time; or a real
one when HUFU_TEST_SERVER_URL names its superuser (tests/other_postgres.py starts one for a run and names it). A
template is kept as long as nothing changes that goes into it. Data lie in memory where there is room (tests/memory.py).
Programs that start a server of their own begin with a copy of one folder in which the same was done.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql
from psycopg.pq import TransactionStatus

from hufu.cli.site import serving_environment
from hufu.core import schema
from hufu.core.postgres import roles
from hufu.core.postgres.embedded import attach_or_start
from hufu.core.postgres.secret_files import SecretFolder
from hufu.core.postgres.urls import database_in, django_settings, make_url, with_database
from tests import memory

ROOT = Path(__file__).resolve().parent.parent
FOLDER = memory.folder(ROOT / ".pytest-postgres")
TEMPLATE = "hufu_template_"
CLONE = "hufu_test_"
KEPT_TEMPLATES = 4
CLONE_ATTEMPTS = 50
SCRAM_ITERATIONS_SINCE = 160000
SERVER_VARIABLE = "HUFU_TEST_SERVER_URL"
# Names a template that a run with more types begins with, instead of an empty database.
BEFORE_VARIABLE = "HUFU_TEST_TEMPLATE"
_numbers = itertools.count(1)


class TestServer:
    """The server of this run, as its superuser sees it."""

    __test__ = False

    def __init__(self, admin_url: str, secrets: SecretFolder) -> None:
        self.admin_url = admin_url
        self.secrets = secrets
        self._copying: psycopg.Connection | None = None

    def url(self, role: str, database: str) -> str:
        """Return the address of a role on one database."""
        parts = urlsplit(self.admin_url)
        assert parts.hostname
        assert parts.port
        return make_url(role, self.secrets.password(role), parts.hostname, parts.port, database)

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """Connect as the superuser, committing each statement."""
        return psycopg.connect(with_database(self.admin_url, database), autocommit=True)

    def template(self) -> str:
        """Return the name of the migrated template; make it if need be."""
        name = TEMPLATE + _fingerprint()
        with _locked(FOLDER / "template.lock"), self.admin() as admin:
            roles.ensure(admin, {role: self.secrets.password(role) for role in roles.ROLES})
            if name in _databases(admin, TEMPLATE):
                return name
            self._sweep(admin)
            if before := os.environ.get(BEFORE_VARIABLE):
                draft = self.clone(before)
            else:
                draft = f"{CLONE}{os.getpid()}_template"
                admin.execute(_drop(draft))
                roles.ensure_database(admin, draft)
            self._migrate(draft)
            admin.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(draft), sql.Identifier(name))
            )
        return name

    def clone(self, template: str) -> str:
        """Return the name of a fresh copy of the template."""
        name = f"{CLONE}{os.getpid()}_{next(_numbers)}"
        # As files: to copy by way of the log, as is usual, takes twice the time and drops as much more.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template), sql.Identifier(roles.OWNER)
        )
        admin = self._copier()
        admin.execute(_drop(name))
        for attempt in range(CLONE_ATTEMPTS):
            try:
                admin.execute(statement)
                break
            except psycopg.errors.ObjectInUse:
                if attempt == CLONE_ATTEMPTS - 1:
                    raise
                time.sleep(0.1)
        roles.admit_to_database(admin, name)
        return name

    def drop(self, name: str) -> None:
        """Drop a copy, whoever is still connected."""
        self._copier().execute(_drop(name))

    def close(self) -> None:
        """Let go of the server."""
        if self._copying is not None:
            self._copying.close()

    def _copier(self) -> psycopg.Connection:
        # A test may have had the server restarted meanwhile, or ended everybody's connections.
        if self._copying is None or self._copying.closed:
            self._copying = self.admin()
        return self._copying

    def _migrate(self, name: str) -> None:
        from hufu.cli.migration import bring_up_to_date

        with self.admin(name) as admin:
            roles.close_database(admin)
        with django_on(self.url(roles.OWNER, name)):
            bring_up_to_date(quiet=True)

    def _sweep(self, admin: psycopg.Connection) -> None:
        # What runs that were killed left behind, and templates of states of the code that nobody tests any more.
        for name in _databases(admin, CLONE):
            pid = name.removeprefix(CLONE).split("_")[0]
            if not Path(f"/proc/{pid}").exists():
                admin.execute(_drop(name))
        for name in _databases(admin, TEMPLATE)[: -KEPT_TEMPLATES + 1]:
            admin.execute(_drop(name))


@contextmanager
def test_server() -> Iterator[TestServer]:
    """Have the server of this run; stop it at the end, once the other workers are done."""
    FOLDER.mkdir(exist_ok=True)
    secrets = SecretFolder(FOLDER / "secrets")
    with ExitStack() as stack:
        admin_url = os.environ.get(SERVER_VARIABLE)
        if not admin_url:
            admin_url = stack.enter_context(attach_or_start(FOLDER)).admin_url()
            _care_less(admin_url)
        server = TestServer(admin_url, secrets)
        stack.callback(server.close)
        yield server


def _care_less(admin_url: str) -> None:
    """Let the server of the tests write without waiting for the disk: dropping a copy takes a checkpoint each time."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            admin.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        admin.execute("ALTER SYSTEM SET max_wal_size = '256MB'")
        # Every connection proves its password, thousands of times in a run; nobody guesses those of tests.
        if admin.info.server_version >= SCRAM_ITERATIONS_SINCE:
            admin.execute("ALTER SYSTEM SET scram_iterations = 1")
        admin.execute("SELECT pg_reload_conf()")


test_server.__test__ = False  # type: ignore[attr-defined]


@contextmanager
def django_on(url: str) -> Iterator[None]:
    """Let all of Django's connections, in all threads, use another address for the body."""
    before = {alias: dict(connections.settings[alias]) for alias in connections.settings}
    try:
        _point({alias: django_settings(url) for alias in before})
        _go_on(database_in(url))
        yield
    finally:
        _leave_open(database_in(url))
        _point(before)


def _point(wanted: dict[str, dict[str, Any]]) -> None:
    connections.close_all()
    for alias, values in wanted.items():
        connections.settings[alias].update(values)


@contextmanager
def copied(server: TestServer, template: str) -> Iterator[str]:
    """Have a fresh copy of a database in which Django works as the application; its name."""
    name = server.clone(template)
    try:
        with django_on(server.url(roles.APP, name)):
            yield name
    finally:
        server.drop(name)


# Databases in which test after test works, and their open connections: they last, as those of a serving process do.
_lasting: dict[str, dict[str, psycopg.Connection]] = {}


@contextmanager
def lasting(database: str) -> Iterator[None]:
    """Let the connections to a database stay open from test to test, with what they have planned."""
    _lasting[database] = {}
    try:
        yield
    finally:
        for connection in _lasting.pop(database).values():
            connection.close()


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Connect, committing each statement; to a database that lasts by the connection of the test before."""
    open_ones = _lasting.get(database_in(url), {})
    connection = open_ones.pop(url, None) or psycopg.connect(url, autocommit=True)
    try:
        yield connection
    finally:
        if database_in(url) in _lasting and url not in open_ones and is_idle(connection):
            connection.execute("RESET ALL")
            open_ones[url] = connection
        else:
            connection.close()


def _go_on(database: str) -> None:
    for alias in connections.settings:
        if connection := _lasting.get(database, {}).pop(alias, None):
            connections[alias].connection = connection


def _leave_open(database: str) -> None:
    if database in _lasting:
        for alias in connections.settings:
            wrapper = connections[alias]
            if wrapper.connection is not None and not wrapper.in_atomic_block and is_idle(wrapper.connection):
                _lasting[database][alias] = wrapper.connection
                wrapper.connection = None


def is_idle(connection: psycopg.Connection) -> bool:
    """Say whether no transaction is open in a connection."""
    return not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE


def _fingerprint() -> str:
    whole = hashlib.sha256(schema.digest().encode())
    whole.update(repr(settings.INSTALLED_APPS).encode())
    for path in sorted(
        [*(ROOT / "hufu").glob("*/migrations/*.py"), *(ROOT / "tests/added_type").rglob("*.py")]
    ):
        whole.update(path.read_bytes())
    for path in sorted(Path(roles.__file__).parent.glob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def migrated_folder() -> Path:
    """Return a folder of data (HUFU_VAR) whose own server's database is migrated and empty; make it if need be.

    INVARIANT: nobody works in it. Tests of programs that have a folder of their own work in copies.
    """
    folders = FOLDER / "folders"
    made = folders / _fingerprint()
    with _locked(FOLDER / "folders.lock"):
        if not made.exists():
            shutil.rmtree(folders, ignore_errors=True)
            draft = folders / "draft"
            environment = {**serving_environment(os.environ, ""), "HUFU_VAR": str(draft)}
            command = [sys.executable, "-m", "hufu.cli.main", "migrate", "--quiet"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
            draft.rename(made)
    return made


def _databases(admin: psycopg.Connection, prefix: str) -> list[str]:
    """Return the databases with this prefix, oldest first."""
    rows = admin.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid", [prefix]
    )
    return [row[0] for row in rows]


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


Connect = Callable[[str], psycopg.Connection]
