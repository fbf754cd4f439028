"""The demo company's year, asked about afterwards: who could then is who could when it was then.

At some moments of the year (three in a usual run, twenty with `make prove`) the answers of the present are kept as a
copy of the database would give them; when the year is over, `who-can --at` is held against them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from hufu.access import as_of, guard, queries, registry
from hufu.cli import asking
from hufu.cli.demo.build import build
from hufu.cli.demo.clock import held_open
from hufu.cli.demo.company import build as build_company
from hufu.cli.demo.year import build_year
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.postgres.roles import APP, OWNER
from hufu.core.transaction import acting
from tests.database import django_on

MOMENTS = int(os.environ.get("HUFU_MOMENTS", "3"))
TODAY = date(2026, 1, 15)
CUSTOMERS = 400
EVERY = 180 if MOMENTS < 10 else 40
ASKED = 8
Answers = dict[tuple[str, int], set[int]]


def test_who_could_at_moments_of_the_year_is_who_could_when_it_was_then(
    postgres, template_database, django_db_setup, django_db_blocker
):
    operator = Actor.operator()
    kept: list[tuple[datetime, Answers]] = []
    with django_db_blocker.unblock():
        name = postgres.clone(template_database)
        try:
            with django_on(postgres.url(APP, name)):
                company = build_company(TODAY, customers=CUSTOMERS)
                year = build_year(company, TODAY, every=EVERY)
                chosen = [len(year.sessions) * (n + 1) // (MOMENTS + 1) for n in range(MOMENTS)]
                sessions = -1

                def counted(analyze: Callable[[], None]) -> None:
                    # The books are opened in two parts; then the year begins, one session after the other.
                    nonlocal sessions, parts
                    analyze()
                    parts += 1
                    sessions = 0 if parts == 2 else -1

                def after(_amount: int) -> None:
                    nonlocal sessions
                    if sessions >= 0:
                        sessions += 1
                        if sessions in chosen:
                            moment = year.sessions[sessions - 1].at + timedelta(hours=2)
                            kept.append((moment, _answers(operator, moment)))

                parts = 0
                with held_open(postgres.url(OWNER, name)) as analyze:
                    build(company, year, advance=after, analyze=partial(counted, analyze))
                assert len(kept) == MOMENTS
                compared = allowed = 0
                for moment, answers in kept:
                    with acting(operator):
                        for (permission, number), people in answers.items():
                            then = as_of.who_could_at(operator, permission, number, moment)
                            assert {each.person_id for each in then.decisions} == people, (
                                moment,
                                permission,
                                number,
                            )
                            compared += 1
                            allowed += len(people)
        finally:
            postgres.drop(name)
    print(f"\n{len(kept)} moments, {compared} questions, {allowed} people who could: as it was then")
    assert allowed > compared


def _answers(operator: Actor, moment: datetime) -> Answers:
    """Return who may view and edit some records of each type, as it stands."""
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
