"""Cells count what everybody views, whatever was done to records, and whoever did it at the same moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection

from hufu.access import guard, registry
from hufu.access.actions import Principal
from hufu.access.cell_sql import LOOKED_AT
from hufu.access.cells import AtLeast
from hufu.access.doctor import KEPT_TWICE
from hufu.cli.commands import doctor
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import actions, queries
from hufu.crm.actions import NewRecord
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from hufu.people.models import User
from hufu.web.templatetags.ui import grouped
from tests.access.world import INDEPENDENT, TABLES
from tests.company import PEOPLE
from tests.crm.acts import by
from tests.pools import a_pool, a_pooled_customer

CELLS = ("access_cell", "access_cell_change", "access_cell_total")
ACTIVE = [name for name in PEOPLE if name != "zheng"]


def missing(owner):
    """Return how far cells are from the records; as long as nothing is wrong, nothing."""
    return owner.execute("SELECT * FROM hufu.cells_missing()").fetchall()


def counted(company, name, resource=CUSTOMER):
    with by(company, name) as actor:
        return queries.count_records(actor, resource)


def seen(company, owner, name):
    """Return how many customers there are, in partitions open to somebody, and in cells that they view."""
    with owner.transaction(force_rollback=True):
        owner.execute("SELECT hufu.enter(%s)", [company.people[name]])
        return owner.execute("SELECT total, open, visible FROM hufu.cells_seen_crm_customer()").fetchone()


def assert_everybody_is_counted(company, owner):
    """Everybody's numbers are what their lists hold, before and after the differences went into their cells."""
    for _folded in range(2):
        for name in ACTIVE:
            with by(company, name) as actor:
                for resource in registry.resource_types():
                    listed = guard.scope(actor, resource.permission("view"))
                    assert queries.count(actor, resource.permission("view")) == listed.count()
                    void = listed.filter(voided_at__isnull=False).count() if resource.states else 0
                    assert queries.count_records(actor, resource) == listed.count() - void
        assert missing(owner) == []
        owner.execute("SELECT hufu.fold_cells()")
    assert owner.execute("SELECT count(*) FROM access_cell_change").fetchone() == (0,)
    assert owner.execute("SELECT count(*) FROM access_cell WHERE records = 0").fetchone() == (0,)


def test_everybody_is_told_how_many_records_their_lists_hold(company, owner_connection):
    assert [counted(company, name) for name in ("li", "wang", "lin", "zhang", "sun", "he")] == [
        5,
        4,
        3,
        1,
        1,
        0,
    ]
    assert_everybody_is_counted(company, owner_connection)


def test_every_deed_on_a_record_is_counted(company, owner_connection):
    qiming, yunhe = company.customer("qiming"), company.customer("yunhe")
    with by(company, "lin") as lin:
        actions.transfer_record(lin, CUSTOMER, qiming, to=company.people["zhang"], reason="x", version=1)
    assert counted(company, "zhang") == 2
    assert_everybody_is_counted(company, owner_connection)
    with by(company, "li") as li:
        actions.move_record(
            li, CUSTOMER, yunhe, to=company.partitions["sz"], owner=li.user_id, reason="x", version=1
        )
    assert counted(company, "sun", OPPORTUNITY) == counted(company, "sun") == 1
    assert_everybody_is_counted(company, owner_connection)
    with by(company, "wang") as wang:
        actions.void_record(wang, CUSTOMER, qiming, version=2, reason="重复建档")
    assert counted(company, "zhang") == 1
    with by(company, "zhang") as zhang:
        assert queries.count(zhang, "customer.view") == queries.count_records(zhang, CUSTOMER) + 1
        actions.delete_record(zhang, CUSTOMER, qiming, version=3)
    assert_everybody_is_counted(company, owner_connection)
    with by(company, "zhang") as zhang:
        actions.restore_record(zhang, CUSTOMER, qiming, version=4)
    assert_everybody_is_counted(company, owner_connection)
    with by(company, "zhang") as zhang:
        actions.delete_record(zhang, CUSTOMER, qiming, version=5)
    with by(company, "wang") as wang:
        actions.purge_record(wang, CUSTOMER, qiming, version=6, reason="x")
    assert_everybody_is_counted(company, owner_connection)


def test_what_is_created_in_many_and_handed_over_is_counted(company, owner_connection):
    many = 300
    with by(company, "lin") as lin:
        new = [
            NewRecord(company.partitions["sh"], lin.user_id, {"name": f"新客户{n}", "stage": "new"})
            for n in range(many)
        ]
        actions.create_many(lin, CUSTOMER, new)
        # One statement, one difference.
        assert queries.count_records(lin, CUSTOMER) == many + 3
    assert_everybody_is_counted(company, owner_connection)
    with by(company, "feng"), connection.cursor() as cursor:
        people = [company.people["lin"], company.people["tang"]]
        cursor.execute("SELECT hufu.hand_over_crm_customer(%s, %s, false, NULL)", people)
    assert counted(company, "lin") == counted(company, "tang") == many + 3
    assert_everybody_is_counted(company, owner_connection)


def test_a_change_of_people_moves_no_cell_and_is_counted_at_once(company, owner_connection):
    before = owner_connection.execute("SELECT max(id) FROM access_cell_change").fetchone()
    south = [company.departments["south"], company.people["lin"]]
    owner_connection.execute("UPDATE people_user SET main_department_id = %s WHERE id = %s", south)
    assert_everybody_is_counted(company, owner_connection)
    assert owner_connection.execute("SELECT max(id) FROM access_cell_change").fetchone() in (before, (None,))


def test_what_reaches_somebody_in_several_ways_is_counted_once(company, owner_connection):
    """南方 is shared with 林悦, she is in its team, and 王芳, whose it is by the line, lends her the view of it."""
    nanfang, pengcheng = company.customer("nanfang"), company.customer("pengcheng")
    owner_connection.execute(
        "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
        " VALUES (%s, %s, '{customer.view}', now() - interval '1 hour', now() + interval '1 day', '')",
        [company.people["wang"], company.people["lin"]],
    )
    assert counted(company, "lin") == 4
    with by(company, "li") as li:
        lin = User.objects.get(pk=company.people["lin"])
        actions.share_record(li, CUSTOMER, nanfang, to=Principal(user=lin), access="read", reason="x")
        actions.add_member(li, CUSTOMER, nanfang, who=lin.pk, access="read")
    assert counted(company, "lin") == 4
    owner_connection.execute("DELETE FROM access_delegation")
    assert counted(company, "lin") == 4, "by the share and the team alone"
    # A rule over fields, and one over departments, hold what she has and what she has not.
    for number, condition in (
        (1, '{"field": "stage", "is": ["new", "following", "won"]}'),
        (2, '{"department": %s}'),
    ):
        condition = condition.replace("%s", str(company.departments["east"]))
        owner_connection.execute(
            "INSERT INTO access_rule (id, key, name, type, access, condition)"
            " VALUES (%s, %s, '共享', 'customer', 'read', %s)",
            [number, f"r{number}", condition],
        )
        owner_connection.execute(
            "INSERT INTO access_rule_to (rule_id, user_id) SELECT %s, unnest(%s::int[])",
            [number, [company.people["lin"], company.people["zhang"]]],
        )
    assert_everybody_is_counted(company, owner_connection)
    # Across the wall.
    owner_connection.execute(
        "INSERT INTO access_share (type, record_id, user_id, below, post, access, superiors, reason, given_by,"
        " across_by, ends_at)"
        " VALUES ('customer', %s, %s, false, '', 'read', false, '', -1, -1, now() + interval '1 day')",
        [pengcheng, company.people["lin"]],
    )
    assert counted(company, "lin") == 5
    assert_everybody_is_counted(company, owner_connection)


def test_what_lies_in_a_pool_is_counted_for_its_members(company, owner_connection):
    pool, _haitian = a_pool(owner_connection, company), a_pooled_customer(owner_connection, company)
    before = counted(company, "zhang")
    assert_everybody_is_counted(company, owner_connection)
    owner_connection.execute(
        "INSERT INTO access_pool_member (pool_id, user_id) VALUES (%s, %s)", [pool, company.people["zhang"]]
    )
    assert counted(company, "zhang") == before + 1
    assert_everybody_is_counted(company, owner_connection)


def test_where_all_of_a_partition_is_viewed_its_total_is_the_number(company, owner_connection):
    # In all, in the partitions open to them, and in the cells that they view.
    assert seen(company, owner_connection, "li") == (5, 5, 5)
    assert seen(company, owner_connection, "lin") == (5, 4, 3)
    assert seen(company, owner_connection, "sun") == (5, 1, 1)
    assert seen(company, owner_connection, "he") == (5, 0, 0)


def test_with_whom_thousands_are_shared_one_by_one_is_told_at_least_how_many(company, owner_connection):
    many = LOOKED_AT + 100
    owner_connection.execute(
        "INSERT INTO crm_customer (id, partition_id, department_id, owner_id, name, name_sort, name_initials, stage,"
        " created_at, created_by_id, updated_at, updated_by_id, lock_version, pending_tasks, void_reason, lock_reason,"
        " customer_level, industry, source, region, code, code_repeated, phone, website, address, parent_company, note)"
        " SELECT nextval('crm_customer_id_seq'), partition_id, department_id, owner_id, '客户' || n, 'kehu', 'kh',"
        " 'new', now(), -1, now(), -1, 1, 0, '', '', '', '', '', '', '', false, '', '', '', '', ''"
        " FROM crm_customer, generate_series(1, %s) n WHERE id = %s",
        [many, company.customer("qiming")],
    )
    owner_connection.execute(
        "INSERT INTO access_share (type, record_id, user_id, access, reason, given_by)"
        " SELECT 'customer', id, %s, 'read', '', -1 FROM crm_customer WHERE name LIKE '客户%%'",
        [company.people["zhang"]],
    )
    with by(company, "zhang") as zhang:
        shown = queries.count_records(zhang, CUSTOMER)
        assert isinstance(shown, AtLeast)
        assert shown == LOOKED_AT + 1, "all that were looked at, and his own"
        assert grouped(shown) == "2,000+"
        exact = queries.count(zhang, "customer.view")
        assert (exact, type(exact)) == (many + 1, int)
        # So many shares are asked about one by one, and nobody gains or loses by it.
        assert guard.scope(zhang, "customer.view").count() == many + 1
        assert len(queries.list_records(zhang, CUSTOMER, ListQuery(limit=200)).records) == 200


def test_what_is_found_is_counted_to_a_bound(company, monkeypatch):
    monkeypatch.setattr(queries, "MOST_COUNTED", 1)
    with by(company, "lin") as lin:
        found = queries.count_records(lin, CUSTOMER, ListQuery(search="海"))
        assert (found, isinstance(found, AtLeast)) == (1, True)
        assert grouped(found) == "1+"
        assert type(queries.count_records(lin, CUSTOMER, ListQuery(search="上海"))) is int
        assert type(queries.count_records(lin, CUSTOMER)) is int


def test_nobody_is_told_another_persons_number(company):
    with by(company, "lin"), pytest.raises(RuntimeError):
        queries.count_records(company.actor("li"), CUSTOMER)


@pytest.mark.parametrize("table", CELLS)
def test_the_application_neither_reads_nor_writes_cells(company, connect_as, table):
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [company.people["li"]])
        for statement in (
            f"SELECT 1 FROM {table}",
            f"INSERT INTO {table} (partition_id) VALUES (1)",
            f"UPDATE {table} SET records = 0",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            "SELECT hufu.fold_cells()",
            "SELECT hufu.cells_missing()",
            "SELECT hufu.repair_cells()",
            "SELECT hufu.drift()",
            "SELECT hufu.mend_drift()",
            "SELECT * FROM hufu.cells",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(statement)


def test_twenty_who_write_at_once_wait_for_nobody_and_leave_no_difference(
    company, connect_as, owner_connection
):
    writers, rounds = 20, 3
    with by(company, "lin") as lin:
        new = [
            NewRecord(company.partitions["sh"], lin.user_id, {"name": f"客户{n}", "stage": "new"})
            for n in range(writers)
        ]
        numbers = actions.create_many(lin, CUSTOMER, new)
    people = [company.people[name] for name in ("tang", "lin", "tang")]
    together = threading.Barrier(writers, timeout=60)

    def write(number):
        # All take from the same cell and add to the same one, and all have done so before any of them commits.
        own = connections[number]
        for turn in range(rounds):
            with own.transaction(force_rollback=number % 5 == 0):
                own.execute("UPDATE crm_customer SET owner_id = %s WHERE id = %s", [people[turn], number])
                together.wait()
                own.execute("SELECT hufu.fold_cells()")

    connections = {number: connect_as("hufu_owner") for number in numbers}
    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(write, numbers))
    assert missing(owner_connection) == []
    rolled_back = sum(number % 5 == 0 for number in numbers)
    # His own, and those of whoever did not take them back.
    owned = owner_connection.execute(
        "SELECT sum(records) FROM hufu.cells WHERE type = 'customer' AND owner_id = %s",
        [company.people["tang"]],
    ).fetchone()[0]
    assert owned == 1 + writers - rolled_back
    assert_everybody_is_counted(company, owner_connection)


@pytest.mark.parametrize("type_name", INDEPENDENT)
def test_a_type_is_counted_from_its_installation_on(company, owner_connection, type_name):
    """What was there before the cells is in them."""
    table = TABLES[type_name]
    there = f"SELECT count(*) FROM {table} WHERE deleted_at IS NULL"
    cells = "SELECT sum(records) FROM hufu.cells WHERE type = %s"
    with acting(Actor.operator()):
        assert (
            owner_connection.execute(there).fetchone()
            == owner_connection.execute(cells, [type_name]).fetchone()
        )


def test_the_doctor_finds_what_differs_and_sets_it_right(company, owner_connection, capsys):
    qiming, haitian = company.customer("qiming"), company.customer("haitian")
    owner_connection.execute(
        "INSERT INTO access_rule (id, key, name, type, access, condition)"
        """ VALUES (1, 'won', '共享', 'customer', 'read', '{"field": "stage", "is": ["won", "new", "following"]}')"""
    )
    with by(company, "li") as li:
        lin = Principal(user=User.objects.get(pk=company.people["lin"]))
        actions.share_record(li, CUSTOMER, company.customer("nanfang"), to=lin, access="read", reason="x")
    assert found(deep=True) == {}
    owner_connection.execute("SELECT hufu.fold_cells()")
    # Somebody worked by hand, past the triggers.
    owner_connection.execute("UPDATE access_cell SET records = records + 7 WHERE type = 'opportunity'")
    owner_connection.execute("UPDATE access_cell_total SET records = 1 WHERE type = 'customer'")
    owner_connection.execute("UPDATE crm_customer SET pending_tasks = 4 WHERE id = %s", [haitian])
    owner_connection.execute("DELETE FROM access_rule_match WHERE record_id = %s", [qiming])
    owner_connection.execute("INSERT INTO access_rule_match SELECT id, 999999, now() FROM access_rule_part")
    owner_connection.execute(
        "UPDATE access_rule_match SET updated_at = '2020-01-01' WHERE record_id = %s", [haitian]
    )
    owner_connection.execute("UPDATE access_shared_record SET updated_at = '2020-01-01'")
    wrong = found(deep=True)
    assert wrong.keys() == {
        *("counted records", "pending tasks of records", "what sharing rules match"),
        "shared records in the order of lists",
    }
    assert "customer (share " in wrong["shared records in the order of lists"]
    assert "opportunity (partition" in wrong["counted records"]
    assert ": -7" in wrong["counted records"]
    assert wrong["pending tasks of records"] == f"customer (record {haitian}): -4"
    for place in (f"record {qiming}): +1", "record 999999): -1", f"record {haitian}): +1"):
        assert place in wrong["what sharing rules match"]
    assert found(deep=False) == {}, "whoever does not ask for it is not told"
    assert found(deep=True, repair=True) == {}
    assert found(deep=True) == {}
    assert_everybody_is_counted(company, owner_connection)


def found(**how):
    """Return what the doctor says is wrong with what is kept twice, or with checks themselves."""
    return {
        finding.name: finding.problem
        for finding in doctor.examine(**how)
        if not finding.ok and (finding.name in KEPT_TWICE.values() or "deep" in finding.name)
    }
