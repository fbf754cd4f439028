"""Previews that count by cells: the numbers of everybody's lists, however many people there are (decision 0036).

Generated companies compare them with the lists as well (test_preview_differential).
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hufu.access import policy_document
from hufu.access.change_sets import by_cells, by_lists, rehearsal
from hufu.access.change_sets.rehearsal import Rehearsal, Way
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm.actions import NewRecord
from hufu.crm.resources import CUSTOMER
from tests.access.test_change_sets import ROLES, WIDE, views, with_grants
from tests.access.test_delegation import lend
from tests.access.world import INDEPENDENT, TABLES
from tests.company import Company, approver, publish
from tests.crm.acts import by
from tests.pools import a_pool, a_pooled_customer

OPERATOR = Actor.operator()
pytestmark = pytest.mark.usefixtures("in_english")


def rehearsed(document: dict[str, Any], way: Way | None = Way.CELLS) -> Rehearsal:
    with acting(OPERATOR):
        return rehearsal.rehearse(OPERATOR, document, way=way)


def said(of: Rehearsal) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return the numbers of a preview, by person and type."""
    return {
        (effect.username, kind): (records.before, records.after, records.gained, records.lost)
        for effect in of.people
        for kind, records in effect.records.items()
    }


def published(company: Company, document: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Publish it, and return what became of everybody's lists."""
    before = views(company)
    publish(company, document)
    after = views(company)
    return {
        place: (len(was), len(after[place]), len(after[place] - was), len(was - after[place]))
        for place, was in before.items()
        if was != after[place]
    }


def test_what_the_cells_say_is_what_everybody_s_lists_hold_afterwards(company: Company) -> None:
    approver(company)
    told = rehearsed(WIDE)
    assert said(told) == said(rehearsed(WIDE, Way.LISTS)) == published(company, WIDE)
    assert {kind for _who, kind in said(told)} == {"customer", "opportunity", "contact"}


def test_of_few_people_and_records_lists_are_read_and_examples_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def samples() -> list[tuple[int, ...]]:
        told = rehearsed(with_grants("rep", customer__view="own"), way=None)
        return [records.samples_lost for effect in told.people for records in effect.records.values()]

    assert any(samples())
    monkeypatch.setattr(rehearsal, "FEW", 0)
    assert set(samples()) == {()}


def test_of_many_people_all_that_they_view_is_counted_for_those_alone_for_whom_most_changes(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = said(rehearsed(WIDE))
    monkeypatch.setattr(by_cells, "COUNTED", 1)
    part = said(rehearsed(WIDE))
    assert part.keys() == whole.keys()
    for kind in ("customer", "contact"):
        of_kind = {place: numbers for place, numbers in part.items() if place[1] == kind}
        counted = [place for place, numbers in of_kind.items() if numbers[0] is not None]
        assert counted == [max(of_kind, key=lambda place: sum(whole[place][2:]))]
    for place, (before, after, *moved) in part.items():
        assert moved == list(whole[place][2:])
        assert (before, after) in ((None, None), whole[place][:2])


def test_its_statements_are_as_many_for_one_person_as_for_everybody(company: Company) -> None:
    def statements(role: str) -> int:
        with acting(OPERATOR), CaptureQueriesContext(connection) as queries:
            told = rehearsal.rehearse(
                OPERATOR, with_grants(role, customer__view="subordinates"), way=Way.CELLS
            )
        assert told.people
        return len(queries)

    assert len(rehearsed(with_grants("rep", customer__view="subordinates")).people) > 3
    assert statements("rep") <= statements("service")


def test_who_is_reached_by_a_rule_about_owners_of_a_role_is_told_when_others_get_that_role(
    company: Company,
) -> None:
    rule = {
        **{"key": "of_reps", "name": "代表的客户", "type": "customer", "to": {"user": "chen"}},
        "condition": {"owner_role": "finance"},
    }
    narrow = with_grants("service", customer__view="own")
    publish(company, {**narrow, "sharing_rules": [rule]})
    # 陈晨's own reach stays what it is: representatives hold the role from now on, and the rule gives her theirs.
    document = {"format": 1, "roles": [{**ROLES["rep"], "inherits": ["finance"]}]}
    told = said(rehearsed(document))
    assert told["chen", "customer"][2] > 0
    assert said(rehearsed(document, Way.LISTS)) == told == published(company, document)


def test_what_a_rule_gives_counts_where_somebody_is_admitted_and_not_where_they_only_stand_in(
    company: Company,
) -> None:
    rule = {
        **{"key": "of_far", "name": "深圳的客户", "type": "customer", "to": {"user": "zhao"}},
        "condition": {"owner_department": "far"},
    }
    publish(company, {"format": 1, "sharing_rules": [rule]})
    lend(company, "li", "zhao", "customer.view")
    # 赵敏 views 深圳 as long as 李强 does; the rule gives her nothing there.
    document = with_grants("executive", customer__view="subordinates")
    told = said(rehearsed(document))
    assert told["zhao", "customer"] == (5, 4, 0, 1)
    assert said(rehearsed(document, Way.LISTS)) == told == published(company, document)


def test_what_a_rule_over_fields_gave_is_read_where_it_goes_and_counted_where_it_stays(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {
        **{"key": "won", "name": "新客户", "type": "customer", "to": {"user": "sun"}},
        "condition": {"field": "stage", "is": ["new", "won", "following"]},
    }
    looked: list[str] = []
    seen = by_lists.seen
    monkeypatch.setattr(by_lists, "seen", lambda user: looked.append(user.username) or seen(user))
    publish(company, {**with_grants("rep", customer__view="own"), "sharing_rules": [rule]})
    looked.clear()
    goes = {"format": 1, "removes": {"sharing_rules": ["won"]}, **{"roles": [ROLES["rep"]]}}
    told = said(rehearsed(goes))
    assert set(looked) == {"sun"}
    assert said(rehearsed(goes, Way.LISTS)) == told
    looked.clear()
    stays = {"format": 1, "roles": [ROLES["rep"]]}
    told = said(rehearsed(stays))
    assert not looked
    assert said(rehearsed(stays, Way.LISTS)) == told == published(company, stays)


def test_every_section_of_a_policy_is_known_to_previews() -> None:
    """What nobody thought of is looked at in everybody's lists; here is whoever adds a section told to think of it."""
    assert {each.name for each in policy_document.SECTIONS} == rehearsal.IN_VIEWS | rehearsal.OPENS_NOTHING
    assert not rehearsal.IN_VIEWS & rehearsal.OPENS_NOTHING


def test_a_share_and_a_match_say_in_which_cell_their_record_lies_whatever_is_done_to_it(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    qiming, haitian = company.customer("qiming"), company.customer("haitian")
    owner_connection.execute(
        "INSERT INTO access_rule (id, key, name, type, access, condition)"
        """ VALUES (1, 'won', '共享', 'customer', 'read', '{"field": "stage", "is": ["won", "new", "following"]}')"""
    )
    with by(company, "lin") as lin:
        actions.add_member(lin, CUSTOMER, qiming, who=company.people["zhang"], access="read")
    a_pooled_customer(owner_connection, company)

    def kept(table: str, record: int) -> set[tuple[Any, ...]]:
        return set(
            owner_connection.execute(
                f"SELECT partition_id, owner_id, department_id, pool_id FROM {table} WHERE record_id = %s",
                [record],
            ).fetchall()
        )

    sh, east = company.partitions["sh"], company.departments["east"]
    for table in ("access_shared_record", "access_rule_match"):
        assert kept(table, qiming) == {(sh, company.people["lin"], east, None)}
    assert kept("access_rule_match", haitian) == {(sh, None, east, a_pool(owner_connection, company))}
    with by(company, "lin") as lin:
        actions.delete_record(lin, CUSTOMER, qiming, version=1)
    for table in ("access_shared_record", "access_rule_match"):
        assert kept(table, qiming) == {(sh, None, None, None)}, "in the bin it is in no cell"
    with by(company, "lin") as lin:
        actions.restore_record(lin, CUSTOMER, qiming, version=2)
    for table in ("access_shared_record", "access_rule_match"):
        assert kept(table, qiming) == {(sh, company.people["lin"], east, None)}
    for amount in (1, 3):
        with by(company, "lin") as lin:
            new = [
                NewRecord(sh, lin.user_id, {"name": f"新客户{amount}-{n}", "stage": "new"})
                for n in range(amount)
            ]
            created = actions.create_many(lin, CUSTOMER, new)
        assert [kept("access_rule_match", each) for each in created] == amount * [
            {(sh, company.people["lin"], east, None)}
        ]
    with acting(OPERATOR), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM hufu.drift()")
        assert cursor.fetchall() == []


EVERYBODY = (
    "held_by_everybody()",
    "views_of_everybody('{}')",
    "rules_of_everybody()",
    "pools_of_everybody()",
)
COUNTING = (
    *(f"preview_places_{table}('{{}}', '{{}}')" for table in TABLES.values()),
    *(f"preview_owners_{table}({', '.join(8 * [repr('{}')])})" for table in TABLES.values()),
    *(f"preview_named_{TABLES[name]}('', {', '.join(9 * [repr('{}')])})" for name in INDEPENDENT),
    "records_in_all()",
)


@pytest.mark.parametrize("asked", [*EVERYBODY, *COUNTING])
def test_outside_of_a_rehearsal_nobody_is_told_what_everybody_views(
    company: Company, connect_as: Any, asked: str
) -> None:
    app = connect_as("hufu_app")
    for who in ("he", "lin"):
        with app.transaction(), pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s, '{}')", [company.people[who]])
            app.execute(f"SELECT * FROM hufu.{asked}")
