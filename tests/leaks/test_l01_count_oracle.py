"""L01, count oracle: totals, page counts, badges and "n results" count only what the actor may see."""

from __future__ import annotations

import re

import pytest

from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER, OPPORTUNITY

SEEN = {
    "li": (5, 5),
    "wang": (4, 4),
    "lin": (3, 3),
    "zhang": (1, 1),
    "zhou": (4, 0),
    "sun": (1, 1),
    "qian": (0, 0),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_total_counts_what_the_list_shows(shared, name):
    actor = shared.actor(name)
    with acting(actor):
        for resource, expected in zip((CUSTOMER, OPPORTUNITY), SEEN[name], strict=True):
            assert queries.count_records(actor, resource) == expected
            assert queries.count(actor, resource.permission("view")) == expected


@pytest.mark.parametrize(
    ("query", "lin", "zhang"),
    [
        (ListQuery(search="上海"), 1, 0),
        (ListQuery(search="guangzhou"), 0, 1),
        (ListQuery(filters={"stage": ["following"]}), 3, 1),
        (ListQuery(filters={"customer_level": ["B"]}, search="sz"), 0, 0),
    ],
)
def test_a_total_under_filters_and_search_counts_no_hidden_match(shared, query, lin, zhang):
    for name, expected in (("lin", lin), ("zhang", zhang)):
        with acting(shared.actor(name)):
            assert queries.count_records(shared.actor(name), CUSTOMER, query) == expected


@pytest.mark.parametrize("name", ["owner", "department", "partition"])
def test_a_filter_by_somebody_out_of_sight_counts_nothing(shared, name):
    of_sun = {"owner": shared.people["sun"], "department": shared.departments["far"], "partition": 2}
    query = ListQuery(filters={name: [str(of_sun[name])]})
    for who, expected in (("lin", 0), ("sun", 1), ("li", 1)):
        with acting(shared.actor(who)):
            assert queries.count_records(shared.actor(who), CUSTOMER, query) == expected


def test_the_pages_say_the_same_numbers(sign_in, company):
    """The list's heading; 启明 exists for 林悦 and for 张伟 it does not count."""
    for name, (customers, _deals) in SEEN.items():
        if not customers:
            continue
        page = sign_in(name).get("/customers/").content.decode()
        rows = set(re.findall(r"/customers/(\d+)/", page))
        assert len(rows) == customers, name
        assert re.search(rf"\b{customers}\b", page)


def test_deleting_and_transferring_counts_at_once(sign_in, company):
    lin, zhang = sign_in("lin"), sign_in("zhang")
    number = company.customer("qiming")
    form = {"version": "1", "to": str(company.people["zhang"]), "reason": "x"}
    assert lin.post(f"/customers/{number}/transfer", form).status_code == 302
    assert f'href="/customers/{number}/"' not in lin.get("/customers/").content.decode()
    assert f'href="/customers/{number}/"' in zhang.get("/customers/").content.decode()
    assert zhang.post(f"/customers/{number}/delete", {"version": "2"}).status_code == 302
    assert f'href="/customers/{number}/"' not in zhang.get("/customers/").content.decode()
