"""The measured company, small unless a module names RECORDS and USERS, in a database of the module's own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from hufu.cli.bench.records import load
from hufu.core.postgres import roles
from tests.database import TestServer, django_on

RECORDS = 4000
USERS = 300


@pytest.fixture(scope="module")
def database(
    request: pytest.FixtureRequest,
    postgres: TestServer,
    template_database: str,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """The company with its customers; Django works in it."""
    records, users = (
        getattr(request.module, name, usual) for name, usual in (("RECORDS", RECORDS), ("USERS", USERS))
    )
    with django_db_blocker.unblock():
        name = postgres.clone(template_database)
        try:
            load(postgres.url(roles.OWNER, name), records, users, lambda _words: None)
            with django_on(postgres.url(roles.APP, name)):
                yield name
        finally:
            postgres.drop(name)


@pytest.fixture
def owner_url(postgres: TestServer, database: str) -> str:
    return postgres.url(roles.OWNER, database)


@pytest.fixture
def owner(owner_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(owner_url, autocommit=True) as connection:
        yield connection
