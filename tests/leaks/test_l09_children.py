"""L09, child and related objects: contacts, opportunities, team and timeline are authorized on their own and through
what they belong to."""

from __future__ import annotations

import pytest

from hufu.core.errors import Denied, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.crm.timeline import timeline
from hufu.crm.who_sees import who_sees
from tests.company import CONTACTS, OPPORTUNITIES, PEOPLE

EVERYBODY = [name for name, (*_facts, status) in PEOPLE.items() if status == "active"]
CONTACT_OF_QIMING, DEAL_OF_QIMING = CONTACTS["gao"][0], OPPORTUNITIES["machines"][0]


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_contact_is_seen_by_those_who_see_its_customer_and_may_view_contacts(shared, name):
    actor = shared.actor(name)
    with acting(actor):
        customers = {row.pk for row in queries.list_records(actor, CUSTOMER, ListQuery()).records}
        contacts = queries.list_records(actor, CONTACT, ListQuery()).records
        assert {row.customer_id for row in contacts} <= customers
        for of, (_name, customer, _phone) in CONTACTS.items():
            seen = shared.contacts[of] in {row.pk for row in contacts}
            if seen:
                assert shared.customer(customer) in customers
            else:
                with pytest.raises(NotFound):
                    queries.get_record(actor, CONTACT, shared.contacts[of])


@pytest.mark.parametrize(
    ("name", "sees_contacts", "sees_deals"),
    [("lin", True, True), ("wang", True, True), ("chen", True, True), ("zhou", False, False)],
)
def test_the_page_of_a_customer_tells_of_children_only_what_their_own_list_would(
    sign_in, unharmed, name, sees_contacts, sees_deals
):
    number = unharmed.customer("qiming")
    client = sign_in(name)
    page = client.get(f"/customers/{number}/").content.decode()
    assert (CONTACT_OF_QIMING in page) is sees_contacts
    assert ("Contacts" in page) is sees_contacts
    assert (DEAL_OF_QIMING in page) is sees_deals
    for address, seen, title in (
        ("contacts", sees_contacts, CONTACT_OF_QIMING),
        ("opportunities", sees_deals, DEAL_OF_QIMING),
    ):
        answer = client.get(f"/customers/{number}/{address}")
        assert answer.status_code == (200 if seen else 403)
        assert (title in answer.content.decode()) is seen


def test_an_opportunity_of_somebody_elses_stays_hidden_on_the_customers_page(
    company, sign_in, owner_connection
):
    """张伟 takes over 启明's opportunity: 林悦, who owns the customer, neither sees it nor what happens to it."""
    deal, number = company.opportunity("machines"), company.customer("qiming")
    wang = company.actor("wang")
    with acting(wang):
        crm.transfer_record(wang, OPPORTUNITY, deal, to=company.people["zhang"], reason="x", version=1)
    for address in ("", "opportunities"):
        assert DEAL_OF_QIMING not in sign_in("lin").get(f"/customers/{number}/{address}").content.decode()
    assert DEAL_OF_QIMING in sign_in("wang").get(f"/customers/{number}/opportunities").content.decode()


@pytest.mark.parametrize("name", ["zhang", "sun", "qian", "feng", "wu", "he"])
def test_whoever_may_not_view_a_record_learns_nothing_of_what_happened_to_it(shared, name):
    actor = shared.actor(name)
    with acting(actor):
        assert timeline(actor, CUSTOMER, shared.customer("qiming")).entries == ()
        assert queries.team(actor, CUSTOMER, shared.customer("qiming")) == []


def test_a_timeline_names_no_field_that_its_reader_may_not_read(company, sign_in):
    number = company.customer("qiming")
    lin = company.actor("lin")
    with acting(lin):
        crm.edit_record(lin, CUSTOMER, number, {"phone": "13900000000", "region": "浦东"}, version=1)
    mine = sign_in("lin").get(f"/customers/{number}/").content.decode()
    theirs = sign_in("tang").get(f"/customers/{number}/").content.decode()
    for page in (mine, theirs):
        said = page.partition('class="moments"')[2]
        assert "浦东" in said
        assert "13900000000" not in said
        assert "13800006621" not in said
    assert "Phone" in mine.partition('class="moments"')[2]
    assert "Phone" not in theirs.partition('class="moments"')[2]


def test_reading_is_no_part_of_a_timeline_and_reasons_are_for_those_who_may_edit(company, sign_in):
    number = company.customer("qiming")
    assert sign_in("chen").get(f"/customers/{number}/").status_code == 200
    wang = company.actor("wang")
    with acting(wang):
        crm.transfer_record(wang, CUSTOMER, number, to=company.people["tang"], reason="休产假", version=1)
    pages = {who: sign_in(who).get(f"/customers/{number}/").content.decode() for who in ("chen", "tang")}
    for page in pages.values():
        said = page.partition('class="moments"')[2]
        assert "changed the owner from 林悦 to 唐亮" in said
        assert "陈静" not in said
    assert "休产假" in pages["tang"]
    assert "休产假" not in pages["chen"]


@pytest.mark.parametrize(
    ("name", "raises"),
    [
        ("lin", None),
        ("wang", None),
        ("he", None),
        ("tang", Denied),
        ("chen", Denied),
        ("zhang", NotFound),
        ("feng", NotFound),
    ],
)
def test_who_can_see_a_record_is_told_to_those_who_may_edit_it_or_explain_rights(shared, name, raises):
    actor, number = shared.actor(name), shared.customer("qiming")
    if raises is not None:
        with pytest.raises(raises), acting(actor):
            who_sees(actor, CUSTOMER, number)
        return
    with acting(actor):
        people = {person.pk for viewers in who_sees(actor, CUSTOMER, number) for person in viewers.people}
    seeing = set()
    for other in EVERYBODY:
        with acting(shared.actor(other)):
            if queries.visible_titles(shared.actor(other), CUSTOMER, [number]):
                seeing.add(shared.people[other])
    assert people == seeing


def test_whoever_explains_rights_learns_people_and_reasons_and_nothing_of_the_record(sign_in, unharmed):
    page = sign_in("he").get(f"/customers/{unharmed.customer('qiming')}/who").content.decode()
    assert "林悦" in page
    assert "Owner of the record" in page
    assert "启明" not in page
    assert sign_in("he").get("/customers/987654321/who").status_code == 404
