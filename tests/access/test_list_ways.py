"""How a page of a list is read: by the cheaper of two ways, which never changes what stands on it.

That each way lists the same, in the same order, is compared for generated companies in test_differential.py.
"""

from __future__ import annotations

import psycopg
import pytest

from hufu.access import lists, registry
from hufu.core.transaction import acting
from hufu.crm.resources import CUSTOMER

TEN_MILLION = 10_000_000


@pytest.fixture
def way(owner_connection):
    """Return the way that is chosen for somebody, and how far a walk goes."""

    def chosen(
        visible,
        streams,
        *,
        passed=None,
        newest_first=True,
        filtered=False,
        finds=None,
        at_most=None,
        among=TEN_MILLION,
    ):
        facts = (TEN_MILLION, among, streams, passed or visible, visible, newest_first, filtered)
        return owner_connection.execute(
            "SELECT way, budget FROM hufu.list_way(%s, %s, %s, %s, %s, %s, %s, %s, %s, 51)",
            [*facts, finds, at_most or finds],
        ).fetchone()

    return chosen


def test_a_chief_executive_walks_through_the_newest(way):
    assert way(TEN_MILLION, 40)[0] == "walk"


def test_a_representative_reads_their_own_stream(way):
    assert way(2_000, 1)[0] == "keys"


def test_who_views_a_few_records_sorts_them_by_name_rather_than_walk_past_millions(way):
    assert way(2_000, 1, newest_first=False)[0] == "keys"


def test_a_manager_of_large_departments_sorts_all_that_is_theirs_by_name(way):
    assert way(12_601, 120, newest_first=False)[0] == "keys"


def test_who_views_little_of_what_is_shared_with_many_walks_through_the_names(way):
    assert way(12_601, 60, passed=343_451, newest_first=False)[0] == "walk"


def test_who_views_many_records_walks_through_the_names(way):
    assert way(1_000_000, 60, newest_first=False)[0] == "walk"


def test_under_a_filter_a_manager_looks_at_all_that_is_theirs_and_a_chief_executive_at_the_newest(way):
    assert way(12_601, 120, filtered=True)[0] == "keys"
    assert way(TEN_MILLION, 40, passed=6 * TEN_MILLION, filtered=True)[0] == "walk"


def test_who_reaches_into_few_partitions_walks_through_the_newest_of_these(way):
    assert way(12_601, 120, among=343_451)[0] == "walk"
    assert way(12_601, 120)[0] == "keys"
    assert way(241_000, 1, passed=6 * 241_000, finds=120_000, among=241_000)[0] == "walk"


def test_what_is_rarely_found_is_looked_up_and_what_is_often_found_is_met_among_the_newest(way):
    assert way(TEN_MILLION, 40, finds=20)[0] == "match"
    assert way(TEN_MILLION, 40, passed=6 * TEN_MILLION, finds=3_000_000)[0] == "walk"
    assert way(12_601, 120, finds=20)[0] == "match"


def test_words_that_are_frequent_each_are_met_among_the_newest_as_often_as_both_go_together(way):
    chosen, budget = way(TEN_MILLION, 40, finds=50_000, at_most=500_000)
    assert chosen == "walk"
    assert budget > 51 * TEN_MILLION / 50_000
    assert way(TEN_MILLION, 40, finds=250, at_most=50_000)[0] == "match"


def test_what_several_words_find_is_between_all_that_the_rarest_finds_and_what_chance_leaves_of_it(
    owner_connection,
):
    names = [
        f"{place}{trade}{n}" for n in range(50) for place in ("上海", "杭州") for trade in ("澜川", "云合")
    ]
    owner_connection.execute("CREATE TABLE public.shops AS SELECT unnest(%s::text[]) AS name", [names])
    owner_connection.execute("CREATE INDEX shops_name_pieces ON public.shops USING gin (hufu.pieces(name))")
    owner_connection.execute("ANALYZE public.shops")
    declared = '{"table": "shops", "searched": {"name": ["contains"]}}'
    search = '[[[["contains", "name", "上海"]], [["contains", "name", "澜川"]]]]'
    assert owner_connection.execute(
        "SELECT round(about), round(at_most) FROM hufu.list_finds(%s, %s, 200)", [declared, search]
    ).fetchone() == (50, 100)


def test_a_representative_looks_for_a_frequent_name_among_what_is_theirs(way):
    assert way(1_000, 1, finds=20_000)[0] == "keys"


def test_a_walk_that_meets_hardly_anything_is_given_up_when_streams_would_have_been_cheaper(way):
    chosen, budget = way(1_000_000, 100)
    assert chosen == "walk"
    assert 4_000 <= budget < TEN_MILLION / 100


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (resource.table, declared.sort)
        for resource in registry.resource_types()
        if resource.parent_type is None
        for declared in resource.fields
        if declared.sort
    ],
)
def test_every_order_of_a_list_has_an_index_with_all_that_decides_what_is_kept(
    owner_connection, table, column
):
    described = [
        row[0]
        for row in owner_connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s", [table]
        )
    ]
    kept = ("partition_id", "owner_id", "department_id", "deleted_at", "voided_at")
    assert any(
        f"({column}, id) INCLUDE" in text.replace(" DESC", "")
        and all(name in text.partition("INCLUDE")[2] for name in kept)
        for text in described
    ), described


@pytest.mark.parametrize(
    "resource",
    [each for each in registry.resource_types() if each.parent_type is None],
    ids=lambda each: each.name,
)
def test_the_streams_of_owners_and_departments_hold_all_by_which_a_list_is_ordered_narrowed_and_searched(
    owner_connection, resource
):
    """So whoever views some thousands of many millions is answered from these alone."""
    [(wanted,)] = owner_connection.execute(
        "SELECT ARRAY(SELECT jsonb_object_keys(d -> 'sorts') UNION SELECT jsonb_object_keys(d -> 'filters'))"
        " FROM hufu.listed_type(%s) d",
        [resource.name],
    ).fetchall()
    wanted += ["id", "name", "name_initials", "deleted_at", "voided_at", "locked_at", "pending_tasks"]
    for beginning in ("owner_id, updated_at", "department_id, partition_id, updated_at"):
        [columns] = [
            columns
            for (columns,) in owner_connection.execute(
                "SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_index i"
                " JOIN pg_attribute a ON a.attrelid = i.indexrelid WHERE i.indrelid = %s::regclass"
                " AND i.indpred IS NULL GROUP BY i.indexrelid",
                [resource.table],
            )
            if columns.startswith(beginning)
        ]
        assert set(wanted) <= set(columns.split(", "))


@pytest.mark.parametrize("wrong", ["name", "updated_at; DROP TABLE crm_customer", "phone"])
def test_a_list_is_sorted_and_narrowed_by_what_the_type_declares_alone(owner_connection, wrong):
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        owner_connection.execute("SELECT hufu.page('customer', %s, true, NULL, '{}', 5, 'keys')", [wrong])
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        owner_connection.execute(
            "SELECT hufu.list_narrowed(hufu.listed_type('customer'), jsonb_build_object(%s::text, '[1]'::jsonb))",
            [wrong],
        )


@pytest.mark.parametrize(
    ("narrowing", "most", "way"),
    [
        ('{"search": [[[["begins", "address", "上"]]]]}', 5, None),
        ('{"search": [[[["contains", "phone", "上"]]]]}', 5, "match"),
        ('{"search": [[[["begins", "code", "上"]]]]}', 5, "keys"),
        ('{"state": ["kept", "nosuch"]}', 5, None),
        ("{}", 5, "x"),
        ("{}", None, None),
    ],
)
def test_a_list_is_searched_as_the_type_declares_alone(company, connect_as, narrowing, most, way):
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [company.people["wang"]])
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            app.execute(
                "SELECT hufu.page('customer', 'updated_at', true, NULL, %s::jsonb, %s, %s)",
                [narrowing, most, way],
            )


@pytest.mark.parametrize("way", lists.Way)
def test_what_reaches_zhang_twice_takes_one_place_of_a_page(company, owner_connection, way):
    """Each customer by the team and by a share: a page of any length is the beginning of the whole list."""
    zhang, newest = company.actor("zhang"), lists.Order("updated_at", descending=True)
    owner_connection.execute(
        "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
        " SELECT 'customer', id, %(zhang)s, 'read', '', -1 FROM crm_customer;"
        " INSERT INTO access_share (type, record_id, user_id, access, reason, given_by)"
        " SELECT 'customer', id, %(zhang)s, 'read', '', -1 FROM crm_customer".replace(
            "%(zhang)s", str(zhang.user_id)
        )
    )
    with acting(zhang):
        whole = lists.page(zhang, CUSTOMER, newest, None, {}, 1_000, way)
        assert len(whole) > 2
        for length in range(1, len(whole) + 1):
            assert lists.page(zhang, CUSTOMER, newest, None, {}, length, way) == whole[:length]


def test_what_a_rule_shares_with_zhang_moves_up_his_list_when_it_is_changed(company, owner_connection):
    """A match knows when its record changed: the first of a rule's records are read without reading all of them."""
    zhang, newest = company.actor("zhang"), lists.Order("updated_at", descending=True)
    owner_connection.execute(
        "INSERT INTO access_rule (id, key, name, type, access, condition)"
        """ VALUES (1, 'open', '共享', 'customer', 'read', '{"field": "stage", "is": ["following"]}');"""
        " INSERT INTO access_rule_to (rule_id, user_id, below, post)"
        " SELECT 1, id, false, '' FROM people_user WHERE username = 'zhang'"
    )
    qiming = company.customer("qiming")
    for changed in (qiming, company.customer("haitian")):
        owner_connection.execute("UPDATE crm_customer SET updated_at = now() WHERE id = %s", [changed])
        with acting(zhang):
            by_rule = lists.page(zhang, CUSTOMER, newest, None, {}, 1_000, lists.Way.KEYS)
            assert by_rule == lists.page(zhang, CUSTOMER, newest, None, {}, 1_000, lists.Way.WALK)
            assert by_rule[0] == changed
            assert len(by_rule) > 2
            for length in range(1, len(by_rule)):
                assert (
                    lists.page(zhang, CUSTOMER, newest, None, {}, length, lists.Way.KEYS) == by_rule[:length]
                )
    wrong = "SELECT count(*) FROM access_rule_match m JOIN crm_customer c ON c.id = m.record_id"
    wrong += " WHERE m.updated_at <> c.updated_at"
    assert owner_connection.execute(wrong).fetchone() == (0,)


@pytest.mark.parametrize(
    "call",
    [
        "hufu.list_walk(hufu.listed_type('customer'), 'updated_at', 'updated_at DESC, id DESC',"
        " 'EXISTS (SELECT 1 FROM access_shared_record)', NULL, '{}', 5, NULL, false)",
        "hufu.list_merge(hufu.listed_type('customer'), ARRAY[('partition', 1, NULL, NULL, NULL, NULL, false, NULL)]"
        "::hufu.stream[], 'updated_at', 'updated_at DESC, id DESC',"
        " 'EXISTS (SELECT 1 FROM access_shared_record)', NULL, '{}', 5)",
        "hufu.list_shared(hufu.listed_type('customer'), true, NULL, '{}', 5, NULL)",
    ],
)
def test_what_becomes_sql_runs_with_the_rights_of_whoever_calls_it(company, connect_as, call):
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [company.people["wang"]])
        assert app.execute(
            "SELECT cardinality(hufu.page('customer', 'updated_at', true, NULL, '{}', 5))"
        ).fetchone()[0]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"SELECT {call}")
