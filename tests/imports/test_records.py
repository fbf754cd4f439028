"""Customers and opportunities from files, into the company of named people."""

from __future__ import annotations

import random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hufu.access import guard
from hufu.audit.models import AuditEvent
from hufu.core.actor import Actor
from hufu.core.errors import Denied
from hufu.core.imports import ImportRefused, Plan, read_map
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.imports import import_records, shape
from hufu.crm.resources import CUSTOMER, OPPORTUNITY

CUSTOMERS = """
format: 1
import: customers
files:
  main:
    name: main.csv
    translate: {name: {启明股份: 启明股份有限公司}}
records:
  - fields:
      external_id: {column: no}
      name: {column: name}
      owner: {column: owner}
      partition: {rule: partition_of_owner, otherwise: sh}
      stage: new
      industry: {column: industry, translate: {IT: software}}
      employees: {column: employees, unknown: empty}
      annual_revenue: {column: revenue, scale: 10000}
"""
HEADER = ["no", "name", "owner", "industry", "employees", "revenue"]
QIMING = ["K1", "启明股份", "lin", "IT", "120", "35.5"]
PENGFEI = ["K2", "鹏飞科技", "sun", "retail", "", ""]

OPPORTUNITIES = """
format: 1
import: opportunities
files: {deals: deals.csv}
records:
  - fields:
      external_id: {column: no}
      owner: {column: owner, by: name}
      partition: {rule: partition_of_owner}
      customer: {column: customer, by: name}
      name: {template: "{product}[ · {customer}]"}
      stage: {column: stage}
      amount: {column: amount}
      expected_close: {column: close, date_format: "%d.%m.%y"}
"""
DEALS = ["no", "owner", "customer", "product", "stage", "amount", "close"]

OPERATOR = Actor.operator()


def records(resource=CUSTOMER):
    """The records with an external number, by it, as the operator sees them."""
    with acting(OPERATOR):
        return _records(resource)


def _records(resource=CUSTOMER):
    rows = guard.scope(OPERATOR, resource.permission("view")).exclude(external_id=None)
    return {row.external_id: row for row in rows}


def refused(imported, *arguments):
    with pytest.raises(ImportRefused) as raised:
        imported(*arguments)
    return raised.value.report


def test_customers_are_created_translated_scaled_and_placed(company, sheet, imported):
    report = imported("customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING, PENGFEI))
    assert (report.created, report.updated, report.unchanged) == (2, 0, 0)
    assert report.translated == {
        ("name", "启明股份", "启明股份有限公司"): 1,
        ("industry", "IT", "software"): 1,
    }
    assert report.left_empty == {"employees": 1, "annual_revenue": 1}
    found = records()
    qiming, pengfei = found["K1"], found["K2"]
    assert (qiming.name, qiming.industry, qiming.employees) == ("启明股份有限公司", "software", 120)
    assert qiming.annual_revenue == 355_000_00
    assert qiming.partition_id == company.partitions["sh"]
    assert pengfei.partition_id == company.partitions["sz"]
    assert qiming.department_id == company.departments["east"]


def test_importing_twice_is_importing_once(company, sheet, imported):
    file = sheet("main.csv", HEADER, QIMING, PENGFEI)
    imported("customers", CUSTOMERS, file)
    before = {number: row.lock_version for number, row in records().items()}
    report = imported("customers", CUSTOMERS, file)
    assert (report.created, report.updated, report.unchanged) == (0, 0, 2)
    assert {number: row.lock_version for number, row in records().items()} == before


def test_a_dry_run_says_what_would_happen_and_changes_nothing(company, sheet, imported, as_owner_of_company):
    def state():
        with as_owner_of_company():
            return list(AuditEvent.objects.values_list("id")), list(records())

    before = state()
    report = imported("customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING), dry_run=True)
    assert report.created == 1
    wrong = sheet("main.csv", HEADER, ["K9", "九州", "nobody", "IT", "", ""])
    assert imported("customers", CUSTOMERS, wrong, dry_run=True).refused_rows == 1
    assert state() == before


def test_rows_that_differ_are_edited_and_their_owner_stays(company, sheet, imported, as_owner_of_company):
    imported("customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING, PENGFEI))
    changed = ["K1", "启明集团", "tang", "IT", "140", "35.5"]
    report = imported("customers", CUSTOMERS, sheet("main.csv", HEADER, changed, PENGFEI))
    assert (report.created, report.updated, report.unchanged) == (0, 1, 1)
    assert report.kept == {"owner": 1}
    qiming = records()["K1"]
    assert (qiming.name, qiming.name_sort, qiming.employees) == ("启明集团", "qimingjituan", 140)
    assert (qiming.owner_id, qiming.lock_version) == (company.people["lin"], 2)
    with as_owner_of_company():
        body = bytes(AuditEvent.objects.get(type="customer.changed").body).decode()
    assert '"employees":{"after":140,"before":120}' in body


def test_one_refused_row_leaves_nothing_but_the_event_of_the_refusal(
    company, sheet, imported, as_owner_of_company
):
    report = refused(
        imported,
        "customers",
        CUSTOMERS,
        sheet("main.csv", HEADER, QIMING, ["K9", "九州", "nobody", "IT", "", ""]),
    )
    assert [(each.row, each.field, each.column, each.value) for each in report.refused] == [
        (3, "owner", "owner", "nobody")
    ]
    assert records() == {}
    with as_owner_of_company():
        made = ("customer.created", "customer.deleted")
        events = AuditEvent.objects.filter(type__startswith="customer.").exclude(type__in=made)
        assert [(event.type, event.result) for event in events] == [("customer.imported", "refused")]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (["", "启明", "lin", "", "", ""], "external_id"),
        (["K1", "", "lin", "", "", ""], "name"),
        (["K1", "启明", "", "", "", ""], "owner"),
        (["K1", "启明", "zheng", "", "", ""], "owner"),
        (["K1", "启明", "feng", "", "", ""], "partition"),
        (["K1", "启明", "lin", "magic", "", ""], "industry"),
        (["K1", "启明", "lin", "", "", "much"], "annual_revenue"),
        (["K1", "启明", "lin", "", ""], ""),
    ],
)
def test_every_refusal_names_its_field(company, sheet, imported, row, field):
    text = CUSTOMERS if field != "partition" else CUSTOMERS.replace(", otherwise: sh", "")
    report = refused(imported, "customers", text, sheet("main.csv", HEADER, row))
    assert field in {problem.field for problem in report.refused}
    assert report.refused_rows == 1
    assert records() == {}


def test_a_value_that_does_not_fit_is_left_out_where_the_map_says_so_and_counted(company, sheet, imported):
    row = ["K1", "启明", "lin", "IT", "about a hundred", ""]
    report = imported("customers", CUSTOMERS, sheet("main.csv", HEADER, row))
    assert records()["K1"].employees is None
    assert [(field, value, count) for (field, value, _why), count in report.emptied.items()] == [
        ("employees", "about a hundred", 1)
    ]


def test_rows_that_repeat_another_are_counted_and_rows_that_contradict_it_refused(company, sheet, imported):
    report = imported("customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING, QIMING))
    assert (report.created, report.repeated) == (1, 1)
    other = ["K1", "另一家", *QIMING[2:]]
    report = refused(imported, "customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING, other))
    assert [each.row for each in report.refused] == [3]


def test_blank_rows_and_unused_columns_are_reported(company, sheet, imported):
    report = imported(
        "customers", CUSTOMERS, sheet("main.csv", [*HEADER, "fax"], [*QIMING, "1"], [""] * 7, [*PENGFEI, ""])
    )
    assert report.skipped == {"blank row": 1}
    assert report.unused_columns == {"main.csv": ["fax"]}


def test_an_external_number_of_a_record_in_the_bin_is_refused(company, sheet, imported):
    file = sheet("main.csv", HEADER, QIMING, PENGFEI)
    imported("customers", CUSTOMERS, file)
    number = records()["K1"].pk
    with acting(company.actor("lin")):
        crm.delete_record(company.actor("lin"), CUSTOMER, number, version=1)
    report = refused(
        imported, "customers", CUSTOMERS, sheet("main.csv", HEADER, QIMING, ["K3", *PENGFEI[1:]])
    )
    assert [(each.row, each.field) for each in report.refused] == [(2, "external_id")]
    assert "bin" in report.refused[0].reason


def test_opportunities_find_their_customer_in_their_own_partition(company, sheet, imported):
    report = imported(
        "opportunities",
        OPPORTUNITIES,
        sheet(
            "deals.csv",
            DEALS,
            ["D1", "林悦", "宁波海天重工有限公司", "机床", "won", "1054", "31.03.26"],
            ["D2", "林悦", "", "机床", "lost", "", ""],
        ),
    )
    assert report.left_empty == {"customer": 1, "amount": 1, "expected_close": 1}
    found = records(OPPORTUNITY)
    assert found["D1"].customer_id == company.customers["haitian"]
    assert (found["D1"].name, found["D1"].amount) == ("机床 · 宁波海天重工有限公司", 105_400)
    assert found["D1"].expected_close.isoformat() == "2026-03-31"
    assert (found["D2"].name, found["D2"].customer_id, found["D2"].amount) == ("机床", None, None)


@pytest.mark.parametrize("customer", ["深圳鹏程科技有限公司", "没有这家公司"])
def test_a_customer_of_another_partition_is_as_unknown_as_one_that_is_absent(
    company, sheet, imported, customer
):
    file = sheet("deals.csv", DEALS, ["D1", "林悦", customer, "机床", "won", "", ""])
    report = refused(imported, "opportunities", OPPORTUNITIES, file)
    assert [(each.field, each.value) for each in report.refused] == [("customer", customer)]
    lenient = OPPORTUNITIES.replace("customer, by: name", "customer, by: name, unknown: empty")
    report = imported("opportunities", lenient, file)
    assert records(OPPORTUNITY)["D1"].customer_id is None
    assert sum(report.emptied.values()) == 1


SEEN = """
format: 1
import: customers
files:
  accounts: accounts.csv
  deals: {name: deals.csv, join: {file: team, on: {person: agent}}}
  team: team.csv
rows: accounts
records:
  - for_each: {as: company, file: deals, column: team.company, where: {account: account}}
    fields:
      external_id: {column: account}
      name: {column: account}
      stage: new
      partition: {column: company}
      owner:
        lookup:
          file: deals
          column: agent
          where: {account: account, team.company: company}
          take: most_frequent
"""


def test_one_row_becomes_a_customer_in_every_partition_that_another_file_names(company, sheet, imported):
    report = imported(
        "customers",
        SEEN,
        sheet("accounts.csv", ["account"], ["启明"]),
        sheet("deals.csv", ["account", "agent"], *[["启明", who] for who in ("lin", "tang", "tang", "sun")]),
        sheet(
            "team.csv",
            ["person", "company"],
            ["lin", "上海公司"],
            ["tang", "上海公司"],
            ["sun", "深圳公司"],
        ),
    )
    assert report.created == 2
    with acting(OPERATOR):
        rows = guard.scope(OPERATOR, "customer.view").filter(external_id="启明")
        assert {(row.partition.key, row.owner.username) for row in rows.select_related()} == {
            ("sh", "tang"),
            ("sz", "sun"),
        }


def test_a_row_that_no_other_file_knows_is_refused(company, sheet, imported):
    report = refused(
        imported,
        "customers",
        SEEN,
        sheet("accounts.csv", ["account"], ["启明"]),
        sheet("deals.csv", ["account", "agent"]),
        sheet("team.csv", ["person", "company"]),
    )
    assert [(each.row, each.column, each.value) for each in report.refused] == [(2, "account", "启明")]


def test_who_may_not_import_is_refused(company, sheet, map_file, tmp_path):
    plan = Plan(read_map(map_file(CUSTOMERS), shape(CUSTOMER)), [str(sheet("main.csv", HEADER, QIMING))])
    lin = company.actor("lin")
    with pytest.raises(Denied), acting(lin):
        import_records(lin, CUSTOMER, plan)
    assert records() == {}


rows = st.lists(
    st.tuples(
        st.sampled_from(["K1", "K2", "K3", "K4"]),
        st.sampled_from(["启明", "云合"]),
        st.sampled_from(["lin", "tang", "sun"]),
        st.sampled_from(["", "retail", "IT"]),
        st.sampled_from(["", "12", "many"]),
        st.sampled_from(["", "3.5"]),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter_and_a_second_time_changes_nothing(
    company, sheet, map_file, rows, seed
):
    read = read_map(map_file(CUSTOMERS), shape(CUSTOMER))

    def outcome(ordered):
        """What stands after importing these rows, and what importing them again does; then all is undone."""
        file = str(sheet("main.csv", HEADER, *ordered))
        with acting(OPERATOR), transaction.atomic():
            try:
                first = import_records(OPERATOR, CUSTOMER, Plan(read, [file]))
            except ImportRefused:
                transaction.set_rollback(True)
                return "refused"
            again = import_records(OPERATOR, CUSTOMER, Plan(read, [file]))
            assert (again.created, again.updated, again.unchanged) == (0, 0, first.created)
            stands = {
                (row.partition_id, row.external_id, row.name, row.owner_id, row.industry, row.employees)
                for row in _records().values()
            }
            transaction.set_rollback(True)
        return stands, first.created, first.translated, first.emptied, first.repeated

    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    assert outcome(rows) == outcome(shuffled)
