"""The company of named people, and a browserless visitor for each of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from hufu.people.models import User
from tests.company import (
    Company,
    company,
    company_database,
    database_of_module,
    shared,
    shared_database,
    unharmed,
)

__all__ = ["company", "company_database", "database_of_module", "shared", "shared_database", "unharmed"]

BACKEND = "hufu.web.accounts.backend.PasswordBackend"


@pytest.fixture
def sign_in(request: pytest.FixtureRequest) -> Callable[[str | None], Client]:
    """Return a function that gives the client of somebody signed in; of a visitor for None."""
    name = "unharmed" if "unharmed" in request.fixturenames else "company"
    company: Company = request.getfixturevalue(name)

    def client_of(name: str | None) -> Client:
        client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
        if name is not None:
            client.force_login(User.objects.get(pk=company.people[name]), backend=BACKEND)
        return client

    return client_of
