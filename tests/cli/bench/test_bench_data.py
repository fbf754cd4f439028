"""The measured company is what its words say: who is in it, who owns how much, who sees what; and it is whole."""

from __future__ import annotations

import psycopg
import pytest

from hufu.cli.bench import archetypes
from hufu.cli.bench.archetypes import ARCHETYPES
from hufu.cli.bench.people import people
from hufu.cli.commands import doctor
from hufu.core.actor import Actor
from hufu.core.text import sound
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.actions import NewRecord, create_record
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User
from tests.cli.bench.conftest import RECORDS

# What hangs on tables, as the catalogue says it.
SHAPE = """
    SELECT pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
    ORDER BY 1
"""


@pytest.fixture(scope="module")
def visible(database: str) -> dict[str, int]:
    """How many customers the measured person of each archetype may view."""
    found = {}
    for archetype, actor in people():
        with acting(actor):
            found[archetype.title] = queries.count_records(actor, CUSTOMER)
    return found


def one(owner: psycopg.Connection, question: str) -> int:
    row = owner.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("users", [archetypes.FEWEST_PEOPLE, 60, 999, 1000, 5000, 12_345])
def test_a_company_of_any_size_has_everybody_in_it_once(users):
    found = archetypes.numbers(users)
    assert [each.first for each in found] == [1, *(each.last + 1 for each in found[:-1])]
    assert found[-1].last == users
    assert all(each.first <= each.last for each in found)
    assert {each.archetype for each in found} == set(ARCHETYPES) - {archetypes.DORMANT}


def test_five_thousand_people_are_led_by_two_hundred_and_fifty():
    found = {each.archetype: each for each in archetypes.numbers(5000)}
    assert found[archetypes.LEAD].last == 250
    assert found[archetypes.SHARED].last - found[archetypes.SHARED].first == 499


def test_everybody_but_the_first_reports_to_somebody_and_is_of_a_kind(owner):
    assert one(owner, "SELECT count(*) FROM people_user WHERE manager_id IS NULL") == 1
    titles = {row[0] for row in owner.execute("SELECT DISTINCT title FROM people_user").fetchall()}
    assert titles == {archetype.title for archetype in ARCHETYPES}
    assert one(owner, "SELECT count(*) FROM people_department") == 600
    assert one(owner, "SELECT count(*) FROM access_partition") == 40


def test_each_house_account_owns_two_of_a_hundred_customers(owner):
    rows = owner.execute(
        "SELECT count(*) FROM crm_customer c JOIN people_user u ON u.id = c.owner_id"
        " WHERE u.title = 'house account' GROUP BY u.id"
    ).fetchall()
    assert len(rows) == 3
    assert all(0.012 * RECORDS < amount < 0.028 * RECORDS for (amount,) in rows), rows


def test_dates_are_bunched_towards_now_and_those_of_a_dormant_representative_are_old(owner):
    recent = "updated_at > timestamptz '2026-01-15' - interval '365 days'"
    assert one(owner, f"SELECT count(*) FROM crm_customer WHERE {recent}") > 0.4 * RECORDS
    of_dormant = (
        f"SELECT count(*) FILTER (WHERE {recent}) FROM crm_customer c JOIN people_user u ON u.id = c.owner_id"
        " WHERE u.title = 'dormant representative'"
    )
    assert one(owner, of_dormant) == 0
    assert one(owner, of_dormant.replace("count(*) FILTER (WHERE " + recent + ")", "count(*)")) > 0


def test_everybody_sees_what_their_archetype_says(visible):
    assert visible["chief executive"] == RECORDS
    assert visible["nobody"] == 0
    assert 0 < visible["manager of departments elsewhere"] + 1 <= visible["director of rare partitions"] < 40
    assert (
        visible["director of rare partitions"] < visible["customer service"] < visible["director"] < RECORDS
    )
    assert 0 < visible["representative"] < visible["middle manager"] < RECORDS
    assert 0 < visible["dormant representative"] < RECORDS
    assert 0 < visible["lead"] < RECORDS
    assert visible["representative"] < visible["house account"]
    assert visible["representative"] < visible["representative with thousands of shares"]


def test_teams_and_shares_come_to_three_and_two_of_ten_customers(owner):
    assert 0.27 * RECORDS < one(owner, "SELECT count(*) FROM access_team_member") <= 0.3 * RECORDS
    assert 0.17 * RECORDS < one(owner, "SELECT count(*) FROM access_share") <= 0.2 * RECORDS
    assert one(owner, "SELECT count(*) FROM access_share WHERE group_id IS NOT NULL") > 0.05 * RECORDS
    assert not one(
        owner,
        "SELECT count(*) FROM access_team_member m JOIN crm_customer c ON c.id = m.record_id"
        " WHERE c.owner_id = m.user_id",
    )


def test_names_are_found_by_their_sound_and_none_comes_twice(owner):
    rows = owner.execute("SELECT name, name_sort, name_initials FROM crm_customer").fetchall()
    assert [(name, *sound(name)) for name, _sort, _initials in rows] == rows
    assert len({name for name, _sort, _initials in rows}) == RECORDS


def test_rules_have_found_their_customers(owner):
    matched = dict(
        owner.execute(
            "SELECT r.key, count(*) FROM access_rule_match m JOIN access_rule_part p ON p.id = m.part"
            " JOIN access_rule r ON r.id = p.rule_id GROUP BY r.key"
        ).fetchall()
    )
    assert matched["key_accounts"] == one(
        owner, "SELECT count(*) FROM crm_customer WHERE customer_level = 'A'"
    )
    assert matched["medical"] == one(
        owner, "SELECT count(*) FROM crm_customer WHERE industry = 'medical' AND stage = 'lost'"
    )
    assert matched["of_the_city"] > 0


def test_what_is_shared_stands_in_lists_where_its_customers_stand(owner):
    written = (
        "SELECT source, source_id, type, record_id, principal, superiors, given_by, starts_at, ends_at, partition_id,"
        " owner_id, department_id, pool_id, updated_at FROM access_shared_record"
    )
    wanted = "SELECT * FROM hufu.placed_records"
    assert one(owner, f"SELECT count(*) FROM ({written}) w") > 0.4 * RECORDS
    for these, those in ((written, wanted), (wanted, written)):
        assert not one(owner, f"SELECT count(*) FROM ({these} EXCEPT {those}) differ")


def test_cells_count_them(owner):
    assert not one(owner, "SELECT count(*) FROM hufu.cells_missing()")


def test_what_was_taken_from_the_tables_for_the_load_is_back(owner, postgres, template_database):
    with postgres.admin(template_database) as template:
        wanted = template.execute(SHAPE).fetchall()
    assert owner.execute(SHAPE).fetchall() == wanted
    assert not one(owner, "SELECT count(*) FROM pg_namespace WHERE nspname = 'bench'")


def test_the_past_knows_all_of_them(owner):
    with owner.transaction():
        owner.execute("SELECT hufu.enter(-1)")
        assert (
            one(owner, "SELECT count(*) FROM hufu.crm_customer_all_at(hufu.last_change(), hufu.now())")
            == RECORDS
        )


def test_the_doctor_finds_nothing(database):
    assert not [each for each in doctor.examine() if not each.ok and each.name != "assets"]


def test_a_representative_enters_a_further_customer_there(database):
    with acting(Actor.operator()):
        user = User.objects.filter(title="representative").first()
    actor = Actor(user.id, user.name)
    with acting(actor):
        partition = queries.guard.creatable_partitions(actor, CUSTOMER)
        number = create_record(
            actor,
            CUSTOMER,
            NewRecord(min(partition), actor.user_id, {"name": "上海启明机械有限公司", "stage": "new"}),
        )
    assert number > RECORDS
