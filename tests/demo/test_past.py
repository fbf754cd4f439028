"""The demo company's year, asked about afterwards: who could then is who could when it was then.

At some moments of the year (three in a usual run, twenty with `make prove`) the answers of the present are kept as a
copy of the database would give them; when the year is over, `who-can --at` is held against them.
"""

from __future__ import annotations

from hufu.access import as_of
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from tests.demo.conftest import MOMENTS, Played


def test_who_could_at_moments_of_the_year_is_who_could_when_it_was_then(played: Played) -> None:
    operator = Actor.operator()
    assert len(played.kept) == MOMENTS
    compared = allowed = 0
    for moment, answers in played.kept:
        with acting(operator):
            for (permission, number), people in answers.items():
                then = as_of.who_could_at(operator, permission, number, moment)
                assert {each.person_id for each in then.decisions} == people, (moment, permission, number)
                compared += 1
                allowed += len(people)
    print(f"\n{len(played.kept)} moments, {compared} questions, {allowed} people who could: as it was then")
    assert allowed > compared
