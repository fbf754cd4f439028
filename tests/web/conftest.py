"""The company of named people, and a browserless visitor for each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from hufu.people.models import User
from tests.company import Company, company, company_database

__all__ = ["company", "company_database"]

PASSWORD = "老虎-two-halves-7"
Visit = Callable[[str], Client]


@pytest.fixture
def visit(company: Company) -> Visit:
    """Return a function that gives the client of somebody who is signed in."""

    def signed_in(name: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(
            User.objects.get(pk=company.people[name]), backend="hufu.web.accounts.backend.PasswordBackend"
        )
        return client

    return signed_in


@pytest.fixture
def visitor(company: Company) -> Client:
    """Somebody who is not signed in."""
    return Client(headers={"accept-language": "en"})
