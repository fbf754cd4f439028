"""What lists, searches and counts read of 200,000 customers: pages of the database, the same on every machine.

The customers alone fill seven thousand pages: who reads fewer reads no table whole.
"""

from __future__ import annotations

import pytest

from hufu.cli.bench import counts, lists, people
from hufu.cli.bench.archetypes import HOUSE
from hufu.core.transaction import acting

RECORDS = 200_000
USERS = 1_000
MOST = 5_000
# What is looked for is fetched: a part of a name that one of a hundred has, an industry that one of thirty has.
MOST_SEARCHED = 20_000
# Two have more to fetch: the house accounts, to whom a rule over fields gives thousands that are asked one by one, and
# a count under a filter, which goes on to a thousand.
MOST_FETCHED = 45_000
LIMIT = 60_000.0


def bound(archetype, situation):
    if not situation.query.filters and not situation.query.search:
        return MOST
    return MOST_FETCHED if archetype is HOUSE else MOST_SEARCHED


def test_no_page_of_a_list_and_no_search_of_anybody_reads_much(database):
    found = {
        (archetype.title, situation.name, situation.page): (cost.buffers, bound(archetype, situation))
        for archetype, actor in people.people()
        for situation in (*lists.SITUATIONS, *lists.SEARCHES)
        for cost in [lists.cost(actor, situation, LIMIT)]
    }
    assert {what: read for what, (read, most) in found.items() if read > most} == {}
    assert all(read > 0 for (who, _name, _page), (read, _most) in found.items() if who != "nobody")


def test_no_count_of_anybody_reads_much(database):
    found = {}
    for archetype, actor in people.people():
        for situation in counts.SITUATIONS:
            with acting(actor):
                read = counts.cost(actor, situation, LIMIT).buffers
            found[archetype.title, situation.name] = (
                read,
                MOST_FETCHED if situation.query.filters else MOST_SEARCHED,
            )
    assert {what: read for what, (read, most) in found.items() if read > most} == {}


@pytest.mark.parametrize("column", ["name", "customer_level", "created_at", "updated_at"])
def test_every_order_of_a_list_reads_little_for_everybody(database, column):
    for archetype, actor in people.people():
        for direction in ("", "-"):
            situation = lists.Situation(column, lists.ListQuery(sort=f"{direction}{column}"))
            assert lists.cost(actor, situation, LIMIT).buffers < MOST, (archetype.title, situation)
