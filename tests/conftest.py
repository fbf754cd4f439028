"""What every test may use.

| fixture            | what it gives                                                                             |
|--------------------|-------------------------------------------------------------------------------------------|
| `db`               | the database as the application sees it; everything is rolled back at the end               |
| `committed`        | a database of the test's own, with real commits (0.1 s); needed wherever it matters what is   |
|                    | committed, rolled back or carried over: refusals, requests, several connections             |
| `as_owner`         | `with as_owner():` Django works as the owner of the tables (with `committed` only)            |
| `connect_as`       | `connect_as("hufu_app")`: a psycopg connection to the test's database as any role             |
| `in_english`       | the program speaks English                                                                |
| `owner_connection` | the same as the owner, committing each statement                                           |
| `folder_of_data`   | a folder of data (HUFU_VAR) of the test's own, its database migrated and empty, no server runs |

`@pytest.mark.django_db` means `db`, with `transaction=True` it means `committed`. Tests marked `browser` are skipped
where there is no Chromium.

The server is the embedded one; `HUFU_TEST_POSTGRES=/usr/lib/postgresql/15/bin` makes it one of the PostgreSQL whose
programs are in that folder, for this run.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import hypothesis
import psycopg
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections, transaction
from django.utils import translation
from pytest_django import DjangoDbBlocker

from hufu.core.postgres import roles
from hufu.core.postgres.secret_files import LOG_KEK, SECRET_KEY, SecretFolder
from hufu.core.vault import MASTER_KEY
from tests import other_postgres
from tests.database import (
    FOLDER,
    SERVER_VARIABLE,
    Connect,
    TestServer,
    connected,
    copied,
    django_on,
    migrated_folder,
    test_server,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# tools/check.py knows skipped browser tests by this beginning.
BROWSER_SKIP = (
    "browser: no Chromium on this machine; as root, `make test` installs it (apt-get install chromium)"
)

# How many objects come between two looks for unreachable ones; usually 700, which takes a twentieth of a run.
COLLECTED_AFTER = 50_000

ENDS_WITH_THE_RUN = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Make passwords cheap, no test measures how expensive they are; and leave second factors to those about them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The tests of what is required of administrators say so; in all others they sign in with one step.
    settings.HUFU_SECOND_FACTOR = "optional"
    # So do those of limits: a test asks more in a second than people do in a minute.
    settings.LIMITS = {}
    settings.ACCESS_LOG = False
    # How long anything takes says nothing about whether it is right.
    hypothesis.settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("untimed")
    programs = os.environ.get(other_postgres.VARIABLE)
    # The workers of a run find the address of the one server in their environment.
    if programs and not hasattr(config, "workerinput"):
        stack = config.stash[ENDS_WITH_THE_RUN] = ExitStack()
        os.environ[SERVER_VARIABLE] = stack.enter_context(other_postgres.other_server(Path(programs)))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server that was started for this run."""
    if stack := config.stash.get(ENDS_WITH_THE_RUN, None):
        stack.close()


def pytest_report_header(config: pytest.Config) -> str:
    """Say on which PostgreSQL the tests run, where it is not the embedded one."""
    programs = os.environ.get(other_postgres.VARIABLE)
    return f"server: {other_postgres.version(Path(programs))} in {programs}" if programs else ""


def pytest_collection_finish() -> None:
    """Look for unreachable objects more rarely, and not among what is loaded for the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no browser."""
    if chromium():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=BROWSER_SKIP))


def chromium() -> str | None:
    """Return the path of the system's Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session", autouse=True)
def installation(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give the run a folder of data and secrets of its own: never the developer's."""
    folder = tmp_path_factory.mktemp("hufu") / "var"
    os.environ["HUFU_VAR"] = str(folder)
    for name in ("HUFU_SECRETS", "HUFU_ATTACHMENTS", "DATABASE_URL", "HUFU_OWNER_URL", "HUFU_ADMIN_URL"):
        os.environ.pop(name, None)
    settings.HUFU_VAR = folder
    settings.HUFU_SECRETS = folder / "secrets"
    settings.HUFU_ATTACHMENTS = folder / "attachments"
    for key in (SECRET_KEY, LOG_KEK):
        SecretFolder(settings.HUFU_SECRETS).key(key)
    # The template, which outlives the run, is sealed with a master key that outlives it, too.
    master_key = SecretFolder(FOLDER / "secrets").key(MASTER_KEY)
    (settings.HUFU_SECRETS / MASTER_KEY).write_bytes(master_key)
    (settings.HUFU_SECRETS / MASTER_KEY).chmod(0o600)


@pytest.fixture
def in_english() -> Iterator[None]:
    """Let the program speak English for this test, whatever a test before it has left."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def postgres(django_db_blocker: DjangoDbBlocker) -> Iterator[TestServer]:
    """The server of this run."""
    with test_server() as server:
        yield server


@pytest.fixture(scope="session")
def template_database(postgres: TestServer, django_db_blocker: DjangoDbBlocker) -> str:
    """The name of the migrated, empty database that all others are copies of."""
    with django_db_blocker.unblock():
        return postgres.template()


@pytest.fixture(scope="session")
def django_db_setup(
    postgres: TestServer, template_database: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Point Django at this worker's copy, as the application's role. pytest-django's own set-up never runs."""
    with django_db_blocker.unblock():
        name = postgres.clone(template_database)
        try:
            with django_on(postgres.url(roles.APP, name)):
                yield
        finally:
            postgres.drop(name)


@pytest.fixture
def _django_db_helper(request: pytest.FixtureRequest, django_db_setup: None) -> None:
    """Decide what `db` and the mark `django_db` mean here: never a flush, which takes rights we do not give."""
    mark = request.node.get_closest_marker("django_db")
    own = (mark and mark.kwargs.get("transaction")) or "committed" in request.fixturenames
    request.getfixturevalue("committed" if own else "rolled_back")


@pytest.fixture
def rolled_back(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One transaction around the test, with deferred constraints checked and everything undone at the end."""
    with django_db_blocker.unblock():
        outer = transaction.atomic()
        outer.__enter__()
        try:
            yield
            if not transaction.get_connection().needs_rollback:
                transaction.get_connection().check_constraints()
        finally:
            transaction.set_rollback(True)
            outer.__exit__(None, None, None)
            if connections["autonomous"].connection is not None:
                cache.clear()


@pytest.fixture
def starting_point(template_database: str) -> str:
    """The database that `committed` is a copy of; a folder of tests may begin with one that has something in it."""
    return template_database


@pytest.fixture
def committed(
    postgres: TestServer, starting_point: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """A fresh copy of the starting point with real commits; the value is its name."""
    with django_db_blocker.unblock(), copied(postgres, starting_point) as name:
        yield name


@pytest.fixture
def as_owner(postgres: TestServer, committed: str) -> Callable[[], AbstractContextManager[None]]:
    """Return a context manager in which Django works as the owner, whom row policies do not bind."""
    return lambda: django_on(postgres.url(roles.OWNER, committed))


@pytest.fixture
def connect_as(postgres: TestServer, django_db_setup: None) -> Iterator[Connect]:
    """Return a function that connects to the test's database as a role, committing each statement."""
    with ExitStack() as stack:

        def connect(role: str) -> psycopg.Connection:
            name = connections.settings["default"]["NAME"]
            return stack.enter_context(connected(postgres.url(role, name)))

        yield connect


@pytest.fixture
def owner_connection(connect_as: Connect) -> psycopg.Connection:
    """A connection to the test's database as the owner of the tables."""
    return connect_as(roles.OWNER)


@pytest.fixture
def folder_of_data(tmp_path: Path) -> Path:
    """A folder of data of the test's own, as `hufu migrate` leaves a new one; no server runs in it."""
    shutil.copytree(migrated_folder(), tmp_path / "var")
    return tmp_path / "var"
