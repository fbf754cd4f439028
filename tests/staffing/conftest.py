"""The company of named people, in which 林悦 owns 40 customers more, and what the log says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import Department, User
from hufu.staffing import actions as staffing
from tests.company import (
    Company,
    company,
    company_database,
    database_of_module,
    unharmed,
)

__all__ = ["company", "company_database", "database_of_module", "unharmed"]

OPERATOR = Actor.operator()


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Callable[[str], User]:
    """Return a function that reads somebody's account as it stands now."""
    made: Company = request.getfixturevalue("unharmed" if "unharmed" in request.fixturenames else "company")
    return lambda name: User.objects.get(pk=made.people[name])


@pytest.fixture
def department(company: Company) -> Callable[[str], Department]:
    """Return a function that reads a department."""
    return lambda code: Department.objects.get(pk=company.departments[code])


@pytest.fixture
def belonging(company: Company) -> Callable[..., list[Any]]:
    """Return a function with which 何明 makes groups and positions, by key, in which nobody is yet."""
    names = {
        "bidders": ("投标小组", staffing.create_group),
        "sports": ("篮球队", staffing.create_group),
        "key_account": ("大客户经理", staffing.create_position),
    }
    he = company.actor("he")

    def make(*keys: str) -> list[Any]:
        with acting(he):
            return [names[key][1](he, key=key, name=names[key][0]) for key in keys]

    return make


@pytest.fixture
def forty(company: Company) -> list[int]:
    """The numbers of 40 customers that 林悦 owns beside 启明 and 云合."""
    with acting(OPERATOR):
        return crm.create_many(
            OPERATOR,
            CUSTOMER,
            [
                crm.NewRecord(
                    company.partitions["sh"],
                    company.people["lin"],
                    {"name": f"客户{number}", "stage": "new"},
                )
                for number in range(40)
            ],
        )


@pytest.fixture
def events(connect_as: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that reads the bodies of the events of a type, in their order."""

    def read(type_name: str) -> list[dict[str, Any]]:
        rows = connect_as("hufu_owner").execute("SELECT body FROM audit_event").fetchall()
        bodies = [json.loads(bytes(row[0])) for row in rows]
        return sorted(
            (body for body in bodies if body["type"] == type_name), key=lambda body: str(body["id"])
        )

    return read
