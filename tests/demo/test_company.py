"""The demo company is the same everywhere, is whole, and belongs to nobody."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import phonenumbers
import pytest
from stdnum.cn import uscc

from hufu.cli.demo.company import SEED, Company, build
from hufu.cli.demo.names import WELL_KNOWN, organisation_check
from hufu.cli.demo.organisation import departments, people, policy

TODAY = date(2026, 1, 15)
REGISTER = Path(__file__).parents[3] / "shared" / "data" / "companies-cn" / "companies_utf8_5000.csv"


@pytest.fixture(scope="module")
def company() -> Company:
    return build(TODAY)


def test_the_same_seed_and_day_give_the_same_company(company: Company) -> None:
    assert build(TODAY) == company
    assert build(TODAY, seed=SEED + 1).customers != company.customers


def test_on_any_day_of_the_week_a_number_is_the_same_customer_of_the_same_owner(company: Company) -> None:
    facts = [(each.number, each.name, each.owner, each.department) for each in company.customers]
    assert [number for number, *_ in facts] == list(range(1, 5001))
    for days in (1, 3, 4):
        later = build(TODAY + timedelta(days=days))
        assert [(each.number, each.name, each.owner, each.department) for each in later.customers] == facts, (
            days
        )


def test_a_week_later_only_the_dates_have_moved(company: Company) -> None:
    later = build(TODAY + timedelta(days=7))
    assert all(
        after.created_at == before.created_at + timedelta(days=7)
        for before, after in zip(company.customers, later.customers, strict=True)
    )


def test_it_has_the_promised_size(company: Company) -> None:
    assert len(company.departments) == 31
    assert len(company.people) == 84
    assert len(policy()["partitions"]) == 3
    assert len(company.customers) == 5000
    assert len(company.opportunities) == 3000


def test_departments_are_four_levels_deep_and_every_one_has_people(company: Company) -> None:
    assert max(each.depth for each in company.departments) == 4
    assert sum(each.parent is None for each in company.departments) == 1
    assert {each.department for each in company.people} == set(departments())


def test_everybody_reports_to_the_president_without_going_round(company: Company) -> None:
    known = people()
    assert [each.username for each in company.people if each.manager is None] == ["shenhuaijin"]
    for person in company.people:
        seen = {person.username}
        while person.manager:
            assert person.manager not in seen
            seen.add(person.manager)
            person = known[person.manager]
        assert person.username == "shenhuaijin"


def test_people_stand_on_three_ladders_and_have_one_account_each(company: Company) -> None:
    levels = {
        f"{ladder['key']}.{level['key']}"
        for ladder in policy()["organisation"]["ladders"]
        for level in ladder["levels"]
    }
    assert {each.level for each in company.people} == levels
    assert len({each.level.split(".")[0] for each in company.people}) == 3
    assert (
        len({each.username for each in company.people}) == len({each.name for each in company.people}) == 84
    )
    assert any(each.secondary for each in company.people)
    assert all(each.department not in each.secondary for each in company.people)


def test_every_credit_code_is_valid_and_stands_once_in_a_partition(company: Company) -> None:
    for customer in company.customers:
        assert uscc.is_valid(customer.credit_code), customer.credit_code
    codes = Counter((each.partition, each.credit_code) for each in company.customers)
    assert set(codes.values()) == {1}
    assert len({each.credit_code for each in company.customers}) == 4940  # sixty are served by two companies


def test_a_credit_code_carries_the_check_digit_of_its_organisation_too(company: Company) -> None:
    assert organisation_check("D2143569") == "X"  # the example of GB 11714-1997
    for customer in company.customers:
        assert organisation_check(customer.credit_code[8:16]) == customer.credit_code[16]


def test_no_company_code_or_telephone_number_can_be_somebodys(company: Company) -> None:
    for customer in company.customers:
        assert not any(known in customer.name for known in WELL_KNOWN), customer.name
        assert customer.credit_code[8:10] == "DM"
        assert customer.website.endswith(".example")
        number = phonenumbers.parse(customer.phone)
        assert phonenumbers.is_possible_number(number)
        assert not phonenumbers.is_valid_number(number)


def test_no_invented_company_is_in_a_register_of_real_ones(company: Company) -> None:
    if not REGISTER.exists():
        pytest.skip(f"the register of real companies is not at {REGISTER}")
    with REGISTER.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not {row["企业名称"] for row in rows} & {each.name for each in company.customers}
    assert not {row["统一社会信用代码"] for row in rows} & {each.credit_code for each in company.customers}


def test_contacts_belong_to_most_customers_and_cannot_be_reached(company: Company) -> None:
    assert 0.55 * 5000 < len(company.contacts) < 0.65 * 5000
    by_number = {each.number: each for each in company.customers}
    roles = Counter[str]()
    for number, contacts in company.contacts.items():
        assert 1 <= len(contacts) <= 4
        for contact in contacts:
            assert contact.customer == number
            assert contact.email.endswith(by_number[number].website.removeprefix("https://www."))
            assert contact.email.endswith(".example")
            parsed = phonenumbers.parse(contact.phone)
            assert phonenumbers.is_possible_number(parsed)
            assert not phonenumbers.is_valid_number(parsed)
            roles[contact.decision_role] += 1
    assert set(roles) == {"decides", "advises", "uses", "pays", "introduces", "opposes"}


def test_customers_are_spread_over_two_years_and_unevenly_over_owners(company: Company) -> None:
    days = sorted(each.created_at.date() for each in company.customers)
    assert days[0] > TODAY - timedelta(days=740)
    assert days[-1] < TODAY
    assert (days[-1] - days[0]).days > 700
    assert all(
        each.created_at <= each.updated_at and each.updated_at.date() < TODAY for each in company.customers
    )
    counts = sorted(Counter(each.owner for each in company.customers).values())
    assert counts[-1] > 10 * counts[0]


def test_records_stay_in_the_department_of_an_owner_who_has_moved(company: Company) -> None:
    known = people()
    for records in (company.customers, company.opportunities):
        moved = [each for each in records if each.department != known[each.owner].department]
        assert len(moved) > 50
        assert all(each.department == known[each.owner].former_department for each in moved)


def test_every_record_has_an_active_owner_of_its_own_partition(company: Company) -> None:
    known, tree = people(), departments()
    for records in (company.customers, company.opportunities):
        for record in records:
            assert known[record.owner].active
            assert tree[record.department].partition == record.partition
            assert tree[known[record.owner].department].partition == record.partition


def test_an_opportunity_belongs_to_a_customer_of_its_partition_or_to_none(company: Company) -> None:
    by_number = {each.number: each for each in company.customers}
    of_the_owner = 0
    for opportunity in company.opportunities:
        if opportunity.customer is not None:
            customer = by_number[opportunity.customer]
            assert customer.partition == opportunity.partition
            assert customer.created_at <= opportunity.created_at
            of_the_owner += customer.owner == opportunity.owner
    without = sum(each.customer is None for each in company.opportunities)
    assert 60 < without < 300
    assert of_the_owner > 0.85 * (3000 - without)


def test_only_what_was_won_or_lost_is_closed(company: Company) -> None:
    stages = Counter(each.stage for each in company.opportunities)
    assert set(stages) == {"prospecting", "engaging", "proposal", "negotiation", "won", "lost"}
    for opportunity in company.opportunities:
        assert (opportunity.closed_on is not None) == (opportunity.stage in ("won", "lost"))
        if opportunity.closed_on:
            assert opportunity.created_at.date() <= opportunity.closed_on < TODAY
        assert opportunity.amount > 0
        assert opportunity.amount % 100 == 0


def test_full_names_are_told_apart_within_a_partition(company: Company) -> None:
    names = sorted((each.partition, each.name) for each in company.customers)
    assert all(before != after for before, after in pairwise(names))
