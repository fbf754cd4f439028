"""The whole demo company as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from hufu.cli.demo.contacts import Contact, build_contacts
from hufu.cli.demo.customers import CUSTOMERS, Customer, build_customers
from hufu.cli.demo.opportunities import OPPORTUNITIES, Opportunity, build_opportunities
from hufu.cli.demo.organisation import Department, Person, departments, people

SEED = 20260101


@dataclass(frozen=True)
class Company:
    departments: tuple[Department, ...]  # parents before children
    people: tuple[Person, ...]
    customers: tuple[Customer, ...]  # number N is the Nth
    opportunities: tuple[Opportunity, ...]
    contacts: dict[int, tuple[Contact, ...]] = field(default_factory=dict)  # by the number of their customer


def build(today: date, seed: int = SEED, customers: int = CUSTOMERS) -> Company:
    """Return the company on the morning of ``today``: the same one for the same arguments, anywhere.

    With fewer customers it is another, smaller company of the same people.
    """
    made = build_customers(seed, today, customers)
    return Company(
        departments=tuple(departments().values()),
        people=tuple(people().values()),
        customers=made,
        opportunities=build_opportunities(seed, today, made, customers * OPPORTUNITIES // CUSTOMERS),
        contacts=build_contacts(seed, made),
    )
