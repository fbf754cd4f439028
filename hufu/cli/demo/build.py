"""Putting the demo company into an empty database, through the deeds that everybody else uses.

The operator of the command line opens the books of a year ago; from then on the people of the company work by
themselves, under the demo clock. Every check applies, and the log has an event for every deed. There are many
transactions; the mark of the demo clock says until the last one that the company is not whole (`clock.held_open`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import connection

from hufu.access import company as the_company
from hufu.access import policy_file, reach
from hufu.access.models import Mode
from hufu.cli.demo import organisation
from hufu.cli.demo.cast import is_whole
from hufu.cli.demo.company import Company
from hufu.cli.demo.organisation import Person
from hufu.cli.demo.play import Player, hire
from hufu.cli.demo.year import Year
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import Department, Level, User
from hufu.staffing import actions, organisation_file

Advance = Callable[[int], None]


def steps(company: Company, year: Year) -> int:
    """Return how far `build` will advance in all."""
    customers, opportunities = year.at_first
    contacts = sum(len(company.contacts.get(number, ())) for number in customers)
    return len(year.staff) + len(customers) + len(opportunities) + contacts + len(year.sessions)


def is_empty() -> bool:
    """Tell whether nobody and nothing has been entered yet."""
    with acting(Actor.operator()):
        return not User.objects.exists() and not Department.objects.exists()


def is_demo() -> bool:
    """Tell whether the people to try are those of the demo company, and not somebody's own."""
    with acting(Actor.operator()):
        return is_whole(dict(User.objects.values_list("username", "email")))


def build(company: Company, year: Year, *, advance: Advance, analyze: Callable[[], None]) -> None:
    """Enter the company into an empty database, and play its year; call `advance` with what was just done.

    The demo clock must be held open. `analyze` lets the database count its rows: what follows is planned by them.
    """
    with connection.cursor() as cursor:
        # Thousands of small commits: what counts is the last one, when the mark of the demo clock goes.
        cursor.execute("SET synchronous_commit = off")
    operator = Actor.operator()
    with clock.simulated(year.opened):
        organise(year.staff, analyze=analyze)
        advance(len(year.staff))
        with acting(operator):
            player = Player(company, year)
            customers, opportunities = year.at_first
            player.enter(operator, "customer", customers, imported=True, advance=advance)
            player.enter_contacts(operator, customers, advance=advance)
            player.enter(operator, "opportunity", opportunities, imported=True, advance=advance)
    analyze()
    for session in year.sessions:
        player.play(session)
        advance(1)
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")


def organise(staff: Sequence[Person], *, analyze: Callable[[], None]) -> None:
    """Make departments, ladders, people and the policy in an empty database."""
    operator = Actor.operator()
    policy = organisation.policy()
    with acting(operator), reach.one_change():
        the_company.set_up(operator, name=policy["organisation"]["departments"][0]["name"], mode=Mode.THREE)
        organisation_file.apply(operator, policy["organisation"])
        _staff(operator, staff)
    analyze()
    with acting(operator):
        policy_file.apply(operator, policy)


def _staff(operator: Actor, staff: Sequence[Person]) -> None:
    hire(operator, staff)
    users = dict(User.objects.values_list("username", "id"))
    departments = {department.code: department for department in Department.objects.all()}
    actions.set_managers(
        operator, {users[person.username]: users[person.manager] for person in staff if person.manager}
    )
    for key, (name, members) in organisation.GROUPS.items():
        group = actions.create_group(operator, key=key, name=name)
        actions.add_members(operator, group, [users[who] for who in members])
    for key, (name, holders) in organisation.POSITIONS.items():
        position = actions.create_position(operator, key=key, name=name)
        actions.add_holders(operator, position, [users[who] for who in holders])
    for code, head in organisation.heads().items():
        actions.appoint_head(operator, departments[code], users[head])
    for code, names in organisation.ASSISTANTS.items():
        actions.add_assistants(operator, departments[code], [users[who] for who in names])
    levels = {f"{each.ladder.key}.{each.key}": each for each in Level.objects.select_related("ladder")}
    for level, others in organisation.INCLUDES.items():
        for other in others:
            actions.include_level(operator, levels[level], levels[other])
