"""The year of the demo company as a plan: a year of working days up to yesterday, the same one every time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from hufu.cli.demo import steps
from hufu.cli.demo.company import Company, build
from hufu.cli.demo.organisation import people
from hufu.cli.demo.year import LONGEST, Year, build_year

TODAY = date(2026, 1, 15)


@pytest.fixture(scope="module")
def company() -> Company:
    return build(TODAY)


@pytest.fixture(scope="module")
def year(company: Company) -> Year:
    return build_year(company, TODAY)


def local(moment: datetime) -> datetime:
    return (moment + timedelta(hours=8)).replace(tzinfo=UTC)


def test_the_same_seed_and_day_give_the_same_year(company: Company, year: Year) -> None:
    assert build_year(company, TODAY) == year
    assert build_year(company, TODAY, seed=1).sessions != year.sessions


@pytest.mark.parametrize("days", [1, 2, 3, 4, 5, 6])
def test_there_is_a_year_on_every_day_of_the_week(days: int) -> None:
    today = TODAY + timedelta(days=days)
    small = build(today, customers=400)
    assert len(build_year(small, today).sessions) > 800


def test_it_lasts_a_year_of_working_days_up_to_yesterday(year: Year) -> None:
    days = [local(session.at).date() for session in year.sessions]
    assert days == sorted(days)
    assert TODAY - timedelta(days=LONGEST + 3) <= local(year.opened).date() <= days[0]
    assert TODAY - timedelta(days=4) < days[-1] < TODAY
    assert all(day.weekday() < 5 for day in days)
    assert all(7 <= local(session.at).hour < 21 for session in year.sessions)
    assert len({(day.year, day.month) for day in days}) >= 12


def test_every_record_is_entered_once_and_after_what_it_names(company: Company, year: Year) -> None:
    customers, opportunities = (list(numbers) for numbers in year.at_first)
    entered = {("customer", number) for number in customers}
    entered |= {("opportunity", number) for number in opportunities}
    contacts = Counter[int](customers)
    for session in year.sessions:
        for step in session.steps:
            if isinstance(step, steps.Enter):
                for number in step.numbers:
                    assert (step.kind, number) not in entered
                    entered.add((step.kind, number))
                    if step.kind == "opportunity" and (
                        customer := company.opportunities[number - 1].customer
                    ):
                        assert ("customer", customer) in entered
            elif isinstance(step, steps.EnterContacts):
                contacts.update(step.customers)
            elif isinstance(step, (steps.Open, steps.Transfer, steps.Join, steps.Delete)):
                assert (step.kind, step.number) in entered
            elif isinstance(step, steps.Edit):
                assert all((step.kind, number) in entered for number in step.values)
    assert len(entered) == len(company.customers) + len(company.opportunities)
    assert set(contacts.values()) == {1}
    assert set(company.contacts) <= set(contacts)


def test_what_changes_ends_as_the_company_is_today(company: Company, year: Year) -> None:
    stages = {number: each.stage for number, each in year.opportunities.items()}
    for session in year.sessions:
        for step in session.steps:
            if isinstance(step, steps.Edit) and step.kind == "opportunity":
                for number, values in step.values.items():
                    assert stages[number] not in ("won", "lost")
                    stages[number] = values["stage"]
    differing = [each.number for each in company.opportunities if stages[each.number] != each.stage]
    assert len(differing) < 0.05 * len(stages)  # closed so lately that the owner has not said so yet
    closed = [each for each in company.opportunities if each.closed_on]
    assert sum(stages[each.number] in ("won", "lost") for each in closed) > 0.9 * len(closed)


def test_the_stories_of_people_are_told(year: Year) -> None:
    told = Counter(type(step).__name__ for session in year.sessions for step in session.steps)
    assert {kind.__name__ for kind in steps.Step.__args__} == set(told)
    assert told["Transfer"] > 50
    assert told["Delete"] > told["Restore"] > told["Purge"] > 0
    assert told["MovePerson"] == 5
    assert told["Dismiss"] == 2
    assert sum(session.refused for session in year.sessions) > 20
    names = {person.username: person for person in year.staff}
    assert "langyifan" not in names
    assert names["fenghaibo"].active
    assert names["xuletian"].department == people()["xuletian"].former_department
    assert names["hualei"].department == people()["hualei"].department
