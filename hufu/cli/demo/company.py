"""The whole demo company as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hufu.cli.demo.customers import Customer, build_customers
from hufu.cli.demo.opportunities import Opportunity, build_opportunities
from hufu.cli.demo.organisation import Department, Person, departments, people

SEED = 20260101


@dataclass(frozen=True)
class Company:
    departments: tuple[Department, ...]  # parents before children
    people: tuple[Person, ...]
    customers: tuple[Customer, ...]
    opportunities: tuple[Opportunity, ...]


def build(today: date, seed: int = SEED) -> Company:
    """Return the company on the morning of ``today``: the same one for the same arguments, anywhere."""
    customers = build_customers(seed, today)
    return Company(
        departments=tuple(departments().values()),
        people=tuple(people().values()),
        customers=customers,
        opportunities=build_opportunities(seed, today, customers),
    )
