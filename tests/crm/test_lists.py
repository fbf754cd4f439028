"""Lists: every sort in pages, forwards and backwards; filters; search by parts of names, sound, initials and code."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import sound
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from tests.access.world import store

ME = Actor(1, "员工1")
WORLD = {
    "departments": {1: {"parent": None, "head": None, "assistants": []}},
    "levels": {},
    "people": {
        1: {
            **{"active": True, "main": 1, "others": [], "manager": None, "level": None},
            **{"groups": [], "positions": []},
        }
    },
    "groups": [],
    "positions": [],
    "partitions": [1],
    "base_access": {},
    "roles": {
        1: {"inherits": [], "grants": [("customer.view", "everything"), ("opportunity.view", "everything")]}
    },
    "assignments": [{"role": 1, "to": {"user": 1}, "starts": None, "ends": None}],
    "admissions": [{"partition": 1, "rights": [], "to": {"user": 1}, "starts": None, "ends": None}],
    "records": {"customer": {}, "opportunity": {}, "contact": {}},
}
SORTS = [
    (resource, f"{sign}{declared.name}")
    for resource in (CUSTOMER, OPPORTUNITY)
    for declared in resource.fields
    if declared.sort
    for sign in ("", "-")
]
DAY = datetime(2026, 3, 1, tzinfo=UTC)
# Few different values, so that many records are equal in what they are sorted by.
VALUES = {
    "name": st.sampled_from(["阿里", "中华", "abc", "Ähre", "重庆"]),
    "customer_level": st.sampled_from(["A", "B", ""]),
    "amount": st.sampled_from([None, 0, 5, 2**40]),
    "expected_close": st.sampled_from([None, date(2026, 1, 1), date(2026, 1, 2)]),
    "updated_at": st.sampled_from([DAY, DAY + timedelta(microseconds=1), DAY + timedelta(days=1)]),
    "created_at": st.sampled_from([DAY, DAY + timedelta(days=1)]),
}


def fill(owner, resource, rows):
    """Replace the records of the world by these."""
    table = resource.table
    owner.execute(f"DELETE FROM {table}")
    blank = ("product", "note", "currency")
    if table == "crm_customer":
        blank = (
            "industry",
            "source",
            "region",
            "code",
            "phone",
            "website",
            "address",
            "parent_company",
            "note",
        )
        blank += ("customer_level",)
    for number, row in enumerate(rows, start=1):
        stored = {
            **dict.fromkeys(blank, ""),
            **{"id": number, "partition_id": 1, "owner_id": 1, "department_id": 1, "stage": "won"},
            **{
                "created_by_id": 1,
                "updated_by_id": 1,
                "lock_version": 1,
                "created_at": DAY,
                "updated_at": DAY,
            },
            **row,
            **dict(zip(("name_sort", "name_initials"), sound(row["name"]), strict=True)),
        }
        places = ", ".join(["%s"] * len(stored))
        owner.execute(f"INSERT INTO {table} ({', '.join(stored)}) VALUES ({places})", list(stored.values()))


def walk(resource, query, follow):
    """Return the records of all pages from a query on, and the last page."""
    found, page = [], queries.list_records(ME, resource, query)
    while True:
        found.append([row.pk for row in page.records])
        cursor = getattr(page, follow)
        if not cursor:
            return found, page
        page = queries.list_records(
            ME, resource, ListQuery(query.filters, query.search, query.sort, cursor, query.limit)
        )


@pytest.mark.parametrize(("resource", "sort"), SORTS, ids=[f"{r.name} {s}" for r, s in SORTS])
def test_pages_forwards_and_backwards_give_every_record_once(committed, owner_connection, resource, sort):
    store(owner_connection, WORLD)
    columns = {field.name for field in resource.model_class._meta.concrete_fields}
    rows = st.fixed_dictionaries({name: values for name, values in VALUES.items() if name in columns})

    @settings(
        max_examples=8,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(rows, max_size=11), st.integers(1, 4))
    def holds(records, limit):
        fill(owner_connection, resource, records)
        with acting(ME):
            forwards, last = walk(resource, ListQuery(sort=sort, limit=limit), "next_cursor")
            whole = [number for page in forwards for number in page]
            assert sorted(whole) == list(range(1, len(records) + 1))
            everything, _page = walk(resource, ListQuery(sort=sort, limit=200), "next_cursor")
            assert whole == everything[0], "pages do not change the order"
            if last.previous_cursor:
                backwards, first = walk(
                    resource,
                    ListQuery(sort=sort, cursor=last.previous_cursor, limit=limit),
                    "previous_cursor",
                )
                before = [number for page in reversed(backwards) for number in page]
                assert before == whole[: len(whole) - len(forwards[-1])]
                assert first.previous_cursor == ""
            else:
                assert len(forwards) == 1

    holds()


def packed(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


BROKEN = {
    "no base64": "%%%",
    "not ASCII": "光标",
    "no JSON": "AAAA",
    "no list": packed({"a": 1}),
    "too short": packed(["name", False]),
    "another sort": packed(["amount", False, 5, 1]),
    "no direction": packed(["name", "yes", "abc", 1]),
    "no number": packed(["name", False, "abc", "1"]),
    "a number that is none": packed(["name", False, "abc", 1.5]),
    "a huge number": packed(["name", False, "abc", 10**30]),
    "a value of another kind": packed(["name", False, {"a": [1]}, 1]),
    "nothing, where every record has something": packed(["name", False, None, 1]),
    "nothing, backwards": packed(["name", True, None, 1]),
    "NUL": packed(["name", False, "a\0b", 1]),
    "half a character": packed(["name", False, "\ud800", 1]),
    "half a character backwards": packed(["name", True, "\udfff", 1]),
}


@pytest.mark.parametrize("cursor", BROKEN.values(), ids=BROKEN)
def test_a_broken_cursor_means_the_beginning_or_a_place_and_never_an_error(
    committed, owner_connection, cursor
):
    store(owner_connection, WORLD)
    fill(owner_connection, CUSTOMER, [{"name": "阿里"}, {"name": "中华"}])
    with acting(ME):
        page = queries.list_records(ME, CUSTOMER, ListQuery(sort="name", cursor=cursor))
        assert [row.pk for row in page.records] == [1, 2]


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("amount", 10**30),
        ("amount", "x"),
        ("amount", 1e400),
        ("expected_close", "yesterday"),
        ("expected_close", "99999-01-01"),
        ("updated_at", "0001-01-01T00:00:00+14:00"),
        ("updated_at", "9999-12-31T23:59:59-14:00"),
        ("updated_at", 5),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_cursor_with_a_value_that_no_record_has_is_no_error(
    committed, owner_connection, sort, value, backwards
):
    store(owner_connection, WORLD)
    fill(owner_connection, OPPORTUNITY, [{"name": "阿里", "amount": 1}])
    with acting(ME):
        query = ListQuery(sort=sort, cursor=packed([sort, backwards, value, 1]))
        assert len(queries.list_records(ME, OPPORTUNITY, query).records) <= 1


def test_a_cursor_is_a_position_and_no_right(company):
    with acting(company.actor("li")):
        page = queries.list_records(company.actor("li"), CUSTOMER, ListQuery(sort="name", limit=1))
    with acting(company.actor("sun")):
        found = queries.list_records(
            company.actor("sun"), CUSTOMER, ListQuery(sort="name", cursor=page.next_cursor)
        )
        assert [row.pk for row in found.records] == [company.customer("pengcheng")]


def names(company, name, query):
    with acting(company.actor(name)):
        found = queries.list_records(company.actor(name), CUSTOMER, query).records
        assert queries.count_records(company.actor(name), CUSTOMER, query) == len(found)
        return {row.name for row in found}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("上海", {"上海启明精密机械有限公司"}),
        ("上海启明精密机械有限公司", {"上海启明精密机械有限公司"}),
        ("shanghai", {"上海启明精密机械有限公司"}),
        ("Shang Hai", {"上海启明精密机械有限公司"}),
        ("shqm", {"上海启明精密机械有限公司"}),
        ("SHQM", {"上海启明精密机械有限公司"}),
        ("hz", {"杭州云合软件有限公司"}),
        ("启明", {"上海启明精密机械有限公司"}),
        ("精密机械", {"上海启明精密机械有限公司"}),
        ("海", {"上海启明精密机械有限公司", "宁波海天重工有限公司"}),
        ("机械 上海", {"上海启明精密机械有限公司"}),
        ("软件 hz", {"杭州云合软件有限公司"}),
        ("软件 上海", set()),
        ("启精", set()),
        ("%", set()),
        ("_", set()),
        ("上%", set()),
        ("' OR 1=1 --", set()),
        ("13800006621", {"上海启明精密机械有限公司"}),
        ("1380000662", set()),
        ("138", set()),
        ("广州", set()),
        ("gz", set()),
    ],
)
def test_search_finds_parts_of_names_every_word_and_beginnings_of_sound_and_initials(company, text, found):
    assert names(company, "lin", ListQuery(search=text)) == found


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udfffx", "x" * 5000])
def test_search_for_what_no_name_can_hold_finds_nothing(company, text):
    assert names(company, "lin", ListQuery(search=text)) in (set(), {"上海启明精密机械有限公司"})


def test_a_code_is_found_whole_and_not_by_its_beginning(company, owner_connection):
    owner_connection.execute(
        "UPDATE crm_customer SET code = '91310000MA1FL2AB3X' WHERE id = %s", [company.customer("qiming")]
    )
    assert names(company, "lin", ListQuery(search="91310000MA1FL2AB3X")) == {"上海启明精密机械有限公司"}
    for typed in ("91310000ma1fl2ab3x", "9131 0000-MA1F L2AB 3X", "９１３１００００ＭＡ１ＦＬ２ＡＢ３Ｘ"):
        assert names(company, "lin", ListQuery(search=typed)) == {"上海启明精密机械有限公司"}, typed
    assert names(company, "lin", ListQuery(search="91310000MA1FL2AB3")) == set()
    assert names(company, "zhang", ListQuery(search="91310000MA1FL2AB3X")) == set()


def test_filters_narrow_and_unite_within_a_field(company, owner_connection):
    owner_connection.execute(
        "UPDATE crm_customer SET stage = 'won' WHERE id = %s", [company.customer("haitian")]
    )
    won, both = {"宁波海天重工有限公司"}, {"stage": ["won", "following"]}
    assert names(company, "lin", ListQuery(filters={"stage": ["won"]})) == won
    assert len(names(company, "lin", ListQuery(filters=both))) == 3
    assert names(company, "lin", ListQuery(filters={"stage": []})) == names(company, "lin", ListQuery())
    owner = {"owner": [str(company.people["tang"])], "stage": ["won"]}
    assert names(company, "lin", ListQuery(filters=owner)) == won


@pytest.mark.parametrize(
    "filters",
    [
        {"phone": ["13800006621"]},
        {"note": ["x"]},
        {"name": ["x"]},
        {"nonsense": ["x"]},
        {"owner__password": ["x"]},
        {"stage__in": ["won"]},
        {"stage": ["no such stage"]},
        {"stage": ["\0"]},
        {"owner": ["x"]},
        {"owner": [""], "partition_id": ["1"]},
        {"deleted_at": ["x"]},
    ],
    ids=str,
)
def test_a_filter_that_may_not_be_asked_is_refused_and_not_ignored(company, filters):
    with pytest.raises(Invalid):
        names(company, "lin", ListQuery(filters=filters))


@pytest.mark.parametrize("value", ["99999999999999999999", "2147483648", "-1", "٣"])
def test_a_number_that_is_nobodys_filters_everything_out(company, value):
    assert len(names(company, "lin", ListQuery(filters={"owner": [value]}))) <= 3


@pytest.mark.parametrize(
    "sort", ["phone", "-phone", "note", "nonsense", "owner", "owner__name", "pk", "--name", "?"]
)
def test_a_sort_that_may_not_be_asked_is_refused(company, sort):
    with pytest.raises(Invalid):
        names(company, "lin", ListQuery(sort=sort))


@pytest.mark.parametrize("limit", [-1, 0, 10**9])
def test_a_page_has_at_least_one_and_at_most_two_hundred_records(company, limit):
    assert 1 <= len(names_of_page(company, limit)) <= 200


def names_of_page(company, limit):
    with acting(company.actor("lin")):
        return queries.list_records(company.actor("lin"), CUSTOMER, ListQuery(limit=limit)).records


def test_pickers_find_what_a_list_would(company):
    for name in ("lin", "zhang", "sun", "qian", "wu"):
        actor = company.actor(name)
        with acting(actor):
            for text in ("", "s", "上海", "广州"):
                listed = queries.list_records(actor, CUSTOMER, ListQuery(search=text)).records
                assert {row.pk for row in queries.find(actor, CUSTOMER, text)} == {row.pk for row in listed}
