"""Putting the demo company into an empty database, through the deeds that everybody else uses.

The operator of the command line does it in one transaction: it is there as a whole or not at all, every check
applies, and the log has an event for every person and record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from hufu.access import company as the_company
from hufu.access import policy_file
from hufu.access.models import Mode, Partition
from hufu.cli.demo import organisation
from hufu.cli.demo.cast import is_whole
from hufu.cli.demo.company import Company
from hufu.cli.demo.customers import Customer
from hufu.cli.demo.opportunities import Opportunity
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm.actions import NewRecord, create_many
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from hufu.people.models import Department, Level, Status, User
from hufu.staffing import actions, organisation_file

BATCH = 500

T = TypeVar("T")
Advance = Callable[[int], None]


def steps(company: Company) -> int:
    """Return how far `build` will advance in all."""
    return len(company.people) + len(company.customers) + len(company.opportunities)


def is_empty() -> bool:
    """Tell whether nobody and nothing has been entered yet."""
    with acting(Actor.operator()):
        return not User.objects.exists() and not Department.objects.exists()


def is_demo() -> bool:
    """Tell whether the people to try are those of the demo company, and not somebody's own."""
    with acting(Actor.operator()):
        return is_whole(dict(User.objects.values_list("username", "email")))


def build(company: Company, *, advance: Advance) -> None:
    """Enter the company into an empty database; call `advance` with the number of things just entered."""
    operator = Actor.operator()
    policy = organisation.policy()
    with acting(operator):
        the_company.set_up(operator, name=policy["organisation"]["departments"][0]["name"], mode=Mode.THREE)
        organisation_file.apply(operator, policy["organisation"])
        users = _people(operator, company)
        advance(len(company.people))
        policy_file.apply(operator, policy)
        places = _Places(users)
        numbers = _customers(operator, company.customers, places, advance)
        _opportunities(operator, company.opportunities, numbers, places, advance)


class _Places:
    """Where records go: the numbers of people, departments and partitions, by their names."""

    def __init__(self, users: dict[str, int]) -> None:
        self.users = users
        self.departments = dict(Department.objects.values_list("code", "id"))
        self.partitions = dict(Partition.objects.values_list("key", "id"))


def _people(operator: Actor, company: Company) -> dict[str, int]:
    departments = dict(Department.objects.values_list("code", "id"))
    levels = {f"{each.ladder.key}.{each.key}": each.id for each in Level.objects.select_related("ladder")}
    created = actions.create_users(
        operator,
        (
            actions.Person(
                username=person.username,
                name=person.name,
                email=person.email,
                title=person.title,
                status=Status.ACTIVE if person.active else Status.LEFT,
                main_department_id=departments[person.department],
                level_id=levels[person.level],
                other_department_ids=tuple(departments[code] for code in person.secondary),
            )
            for person in company.people
        ),
    )
    users = {user.username: user.id for user in created}
    actions.set_managers(
        operator,
        {users[person.username]: users[person.manager] for person in company.people if person.manager},
    )
    return users


def _customers(
    operator: Actor, customers: Sequence[Customer], places: _Places, advance: Advance
) -> dict[int, int]:
    numbers: dict[int, int] = {}
    for batch in _batches(customers):
        created = create_many(
            operator,
            CUSTOMER,
            [
                NewRecord(
                    partition_id=places.partitions[each.partition],
                    owner_id=places.users[each.owner],
                    department_id=places.departments[each.department],
                    created_at=each.created_at,
                    updated_at=each.updated_at,
                    values={
                        "name": each.name,
                        "customer_level": each.level,
                        "stage": each.stage,
                        "phone": each.phone,
                        "industry": each.industry,
                        "source": each.source,
                        "region": each.region,
                        "code": each.credit_code,
                        "website": each.website,
                        "address": each.address,
                        "employees": each.employees,
                        "annual_revenue": each.annual_revenue,
                        "founded": each.founded,
                        "note": each.note,
                    },
                )
                for each in batch
            ],
        )
        numbers.update(zip((each.number for each in batch), created, strict=True))
        advance(len(batch))
    return numbers


def _opportunities(
    operator: Actor,
    opportunities: Sequence[Opportunity],
    numbers: dict[int, int],
    places: _Places,
    advance: Advance,
) -> None:
    for batch in _batches(sorted(opportunities, key=lambda each: each.created_at)):
        create_many(
            operator,
            OPPORTUNITY,
            [
                NewRecord(
                    partition_id=places.partitions[each.partition],
                    owner_id=places.users[each.owner],
                    department_id=places.departments[each.department],
                    created_at=each.created_at,
                    updated_at=each.updated_at,
                    values={
                        "name": each.name,
                        "customer": numbers[each.customer] if each.customer else None,
                        "stage": each.stage,
                        "product": each.product,
                        "amount": each.amount,
                        "opened_on": each.created_at.date(),
                        "expected_close": each.expected_close,
                        "closed_on": each.closed_on,
                    },
                )
                for each in batch
            ],
        )
        advance(len(batch))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
