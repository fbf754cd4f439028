"""Sharing by hand: view, and edit where it is given, for those who hold these at any scope; never more."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hufu.access import guard, principals, queries
from hufu.access.decision.scopes import Scope
from hufu.access.explain import sentences
from hufu.access.models import RecordShare
from hufu.core import clock
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.crm import actions, share_notes
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.crm.acts import by, last, may


def share(company, by_whom, to, access="read", *, record="qiming", **more):
    with by(company, by_whom) as actor:
        return actions.share_record(
            actor,
            CUSTOMER,
            company.customer(record),
            to=principals.read(to if ":" in to else f"user:{company.people[to]}"),
            access=access,
            reason="联合投标",
            **more,
        )


def test_zhang_views_what_lin_shares_with_him_and_its_contacts_and_edits_only_where_she_says_so(
    company, owner_connection
):
    qiming, gao = company.customer("qiming"), company.contact("gao")
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    number = share(company, "lin", "zhang")
    assert may(company, "zhang", "customer.view", CUSTOMER, qiming)
    assert may(company, "zhang", "contact.view", CONTACT, gao)
    assert not may(company, "zhang", "customer.edit", CUSTOMER, qiming)
    said = last(owner_connection, "customer.shared")
    assert (said.reason, said.data["to"], said.data["share"]) == (
        "联合投标",
        f"user:{company.people['zhang']}",
        number,
    )
    share(company, "lin", "zhang", "edit")
    assert may(company, "zhang", "customer.edit", CUSTOMER, qiming)
    for verb in ("delete", "transfer", "share"):
        assert not may(company, "zhang", f"customer.{verb}", CUSTOMER, qiming)


def test_a_share_with_a_department_reaches_whoever_belongs_to_it_now_and_ends_with_its_day(
    company, owner_connection, in_english
):
    qiming = company.customer("qiming")
    with by(company, "zhang"):
        department = queries.snapshot().people[company.people["zhang"]].main_department_id
    share(company, "lin", f"department:{department}+", ends_at=clock.now() + timedelta(days=1))
    assert may(company, "zhang", "customer.view", CUSTOMER, qiming)
    with by(company, "zhang") as zhang:
        record = guard.get(zhang, "customer.view", qiming)
        decision = queries.explain(
            queries.snapshot(), zhang.user_id, "customer.view", queries.facts(CUSTOMER, record)
        )
        assert decision.covers[-1].because is Scope.SHARED
        said = " ".join(sentences(queries.snapshot(), decision))
    assert "林悦 shared the record with department" in said
    owner_connection.execute(
        "UPDATE access_share SET starts_at = now() - interval '2 days', ends_at = now() - interval '1 second'"
    )
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)


def test_superiors_get_it_only_where_the_share_says_so(company):
    with by(company, "zhang"):
        above = set(queries.snapshot().line_above(company.people["zhang"]))
    names = {number: name for name, number in company.people.items()}
    share(company, "lin", "zhang")

    def viewers():
        with by(company, "li") as li:
            return set(queries.who_may(li, "customer.view", company.customer("qiming")))

    before = viewers()
    share(company, "lin", "zhang", superiors=True)
    gained = viewers() - before
    assert gained <= above
    for number in gained:
        assert may(company, names[number], "customer.view", CUSTOMER, company.customer("qiming"))


def test_whoever_gave_a_share_gains_nothing_by_it(company, owner_connection):
    """A share with one's own department, given before the record was lost, does not bring it back."""
    qiming, zhang = company.customer("qiming"), company.people["zhang"]
    given = (
        "INSERT INTO access_share (type, record_id, department_id, below, access, reason, given_by)"
        " SELECT 'customer', %s, main_department_id, true, 'edit', '', %s FROM people_user WHERE id = %s"
    )
    owner_connection.execute(given, [qiming, zhang, zhang])
    assert not may(company, "zhang", "customer.view", CUSTOMER, qiming)
    owner_connection.execute(given, [qiming, company.people["lin"], zhang])
    assert may(company, "zhang", "customer.view", CUSTOMER, qiming)


def test_nobody_gives_to_themselves_or_what_they_do_not_have_or_where_they_may_not_share(company):
    with pytest.raises(Invalid):
        share(company, "lin", "lin")
    share(company, "lin", "zhang", "edit")
    with pytest.raises(Denied):
        share(company, "zhang", "sun")
    with pytest.raises(NotFound):
        share(company, "sun", "zhang")
    with pytest.raises(Invalid), by(company, "lin"):
        principals.read("user:1+")


def test_opportunities_come_along_where_one_may_share_them_and_go_with_the_share(company, owner_connection):
    number = share(company, "lin", "zhang", along=["opportunity"])
    came = owner_connection.execute(
        "SELECT record_id FROM access_share WHERE type = 'opportunity' AND along_with_id = %s", [number]
    ).fetchall()
    assert came
    for (opportunity,) in came:
        assert may(company, "zhang", "opportunity.view", OPPORTUNITY, opportunity)
    with by(company, "zhang") as zhang:
        actions.end_share(zhang, CUSTOMER, company.customer("qiming"), number)
        assert not RecordShare.objects.exists()
    assert last(owner_connection, "opportunity.share_ended").data["along"] is True
    for (opportunity,) in came:
        assert not may(company, "zhang", "opportunity.view", OPPORTUNITY, opportunity)


def test_a_share_that_is_over_or_opens_view_alone_is_told_as_near(company, owner_connection, in_english):
    qiming, zhang = company.customer("qiming"), company.people["zhang"]
    share(company, "lin", "zhang")
    with by(company, "li") as li:
        record = guard.get(li, "customer.view", qiming)
        facts = queries.facts(CUSTOMER, record)
        snapshot = queries.snapshot()
        told = " ".join(sentences(snapshot, queries.explain(snapshot, zhang, "customer.edit", facts)))
    assert "only to view" in told


def test_a_share_that_opens_nothing_is_known_to_whoever_may_share_and_to_nobody_else(company, connect_as):
    """钱多 and 安全办公室 hold no permission, 赵敏 and 财务部 none to edit; 陈静 may not share the customer."""
    qiming = company.customer("qiming")
    with by(company, "lin") as lin:
        for who, access, lacks in (
            ("tang", "edit", None),
            ("qian", "read", "customer.view"),
            ("qian", "edit", "customer.view"),
            ("zhao", "read", None),
            ("zhao", "edit", "customer.edit"),
            ("office", "read", "customer.view"),
            ("finance", "read", None),
            ("finance", "edit", "customer.edit"),
            ("east", "edit", None),
        ):
            department = company.departments.get(who)
            to = principals.read(f"department:{department}" if department else f"user:{company.people[who]}")
            assert share_notes.lacking(lin, CUSTOMER, qiming, to, access, superiors=False) == lacks
    app = connect_as("hufu_app")
    for who in ("chen", "sun"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[who]])
            app.execute(
                "SELECT hufu.lacks_for_share('customer', %s, %s, 'read')", [qiming, company.people["qian"]]
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[who]])
            of_office = f"department:{company.departments['office']}"
            app.execute(
                "SELECT hufu.all_lack_for_share('customer', %s, %s, false, 0, 'read')", [qiming, of_office]
            )
