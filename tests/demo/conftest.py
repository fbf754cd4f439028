"""A small demo company whose year was played, and what was answered at some moments of it, for tests that only read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from hufu.access import guard, queries, registry
from hufu.cli import asking
from hufu.cli.demo.build import build, is_empty
from hufu.cli.demo.build import steps as length
from hufu.cli.demo.clock import held_open
from hufu.cli.demo.company import Company
from hufu.cli.demo.company import build as build_company
from hufu.cli.demo.year import Year, build_year
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.postgres.roles import APP, OWNER
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.database import TestServer, django_on

# At how many moments of the year the answers are kept; `make prove` asks for twenty.
MOMENTS = int(os.environ.get("HUFU_MOMENTS", "3"))
TODAY = date(2026, 1, 15)
SMALL = 400
RARELY = 180 if MOMENTS < 10 else 40
ASKED = 8
Answers = dict[tuple[str, int], set[int]]


@dataclass
class Played:
    """The company, its year, and what its database holds at the end; `kept` was answered in the course of the year."""

    company: Company
    year: Year
    url: str
    events: list[dict[str, Any]]
    users: dict[str, int]
    kept: list[tuple[datetime, Answers]]

    def of(self, type_name: str) -> list[dict[str, Any]]:
        """Return the events of a type."""
        return [event for event in self.events if event["type"] == type_name]


@pytest.fixture(scope="session")
def played_database(
    postgres: TestServer, template_database: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[str, Played]]:
    """The name of the database in which the year was played, once for all tests, and what is known of it."""
    with django_db_blocker.unblock():
        name = postgres.clone(template_database)
        try:
            with django_on(postgres.url(APP, name)):
                found = _play(postgres, name)
            yield name, found
        finally:
            postgres.drop(name)


@pytest.fixture
def played(
    postgres: TestServer, played_database: tuple[str, Played], django_db_blocker: DjangoDbBlocker
) -> Iterator[Played]:
    """The company in the database of all these tests, which they only read."""
    name, found = played_database
    with django_db_blocker.unblock(), django_on(postgres.url(APP, name)):
        yield found


def _play(postgres: TestServer, name: str) -> Played:
    url = postgres.url(OWNER, name)
    company = build_company(TODAY, customers=SMALL)
    year = build_year(company, TODAY, every=RARELY)
    assert is_empty()
    advanced: list[int] = []
    kept: list[tuple[datetime, Answers]] = []
    chosen = [len(year.sessions) * (n + 1) // (MOMENTS + 1) for n in range(MOMENTS)]
    parts, sessions = 0, -1

    def counted(analyze: Callable[[], None]) -> None:
        # The books are opened in two parts; then the year begins, one session after the other.
        nonlocal sessions, parts
        analyze()
        parts += 1
        sessions = 0 if parts == 2 else -1

    def after(amount: int) -> None:
        nonlocal sessions
        advanced.append(amount)
        if sessions >= 0:
            sessions += 1
            if sessions in chosen:
                moment = year.sessions[sessions - 1].at + timedelta(hours=2)
                kept.append((moment, _answers(moment)))

    with held_open(url) as analyze:
        build(company, year, advance=after, analyze=partial(counted, analyze))
    assert sum(advanced) == length(company, year)
    with postgres.admin(name) as admin:
        bodies = admin.execute("SELECT body FROM audit_event ORDER BY at, id").fetchall()
    events = [json.loads(bytes(body)) for (body,) in bodies]
    return Played(company, year, url, events, dict(User.objects.values_list("username", "id")), kept)


def _answers(moment: datetime) -> Answers:
    """Return who may view and edit some records of each type, as it stands."""
    operator = Actor.operator()
    found: Answers = {}
    chance = Random(moment.isoformat())
    with clock.simulated(moment), acting(operator):
        snapshot = queries.snapshot()
        for resource in registry.resource_types():
            numbers = sorted(guard.scope(operator, resource.permission("view")).values_list("pk", flat=True))
            for number in chance.sample(numbers, min(ASKED, len(numbers))):
                facts = asking.facts_of(operator, resource, number)
                for verb in ("view", "edit"):
                    permission = resource.permission(verb)
                    decisions = queries.who_can(snapshot, permission, facts) if facts else ()
                    found[permission, number] = {decision.person_id for decision in decisions}
    return found
