"""The company of named people."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import connections

from hufu.core.postgres import roles
from tests.company import (
    Company,
    company,
    company_database,
    database_of_module,
    shared,
    shared_database,
    unharmed,
)
from tests.database import TestServer, django_on

__all__ = ["company", "company_database", "database_of_module", "shared", "shared_database", "unharmed"]


@pytest.fixture
def on_company_as_owner(postgres: TestServer, company: Company) -> Callable[[], AbstractContextManager[None]]:
    """Return a context manager in which Django works on the company's database as the owner."""
    name = connections.settings["default"]["NAME"]
    return lambda: django_on(postgres.url(roles.OWNER, name))
