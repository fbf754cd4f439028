"""L02 and L03, filters, sorts and searches on a field that one may not read: refused, or over those records alone on
which one reads it.

客服 (陈静) sees no level of customers and no amounts; 销售代表 (林悦, 唐亮) read these of their own alone; 李强, whose
level holds that of the 销售代表, has a rule that opens more.
"""

from __future__ import annotations

import copy
import re

import pytest
from django.urls import reverse

from hufu.core.errors import Invalid
from hufu.core.transaction import acting
from hufu.crm import actions, persons, queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from tests.company import POLICY, publish
from tests.crm.acts import by

OF_OWN = {"mine": "editable", "others": "masked"}
RULES = {
    "service": {
        "customer": {"customer_level": "hidden", "stage": "hidden", "code": "masked"},
        "opportunity": {"amount": "hidden", "stage": "hidden", "expected_close": "hidden"},
        "contact": {"note": "hidden"},
    },
    "executive": {
        "customer": {"customer_level": "editable", "code": "editable"},
        "opportunity": {"amount": "editable"},
    },
    "rep": {
        "customer": {"customer_level": OF_OWN, "code": OF_OWN},
        "opportunity": {"amount": OF_OWN},
    },
}
CODE = "91310000MA1FL0TH41"


@pytest.fixture
def ruled(company, owner_connection):
    """The company with these rules, a code for two customers, and a planned end for 启明's opportunity."""
    roles = [{**role, "fields": RULES.get(role["key"], {})} for role in copy.deepcopy(POLICY["roles"])]
    publish(company, {"format": 1, "roles": roles})
    # As two customers have it that shared it before codes became exclusive.
    owner_connection.execute("ALTER TABLE crm_customer DISABLE TRIGGER code_repeated")
    for name, repeated in (("qiming", False), ("haitian", True)):
        owner_connection.execute(
            "UPDATE crm_customer SET code = %s, code_repeated = %s WHERE id = %s",
            [CODE, repeated, company.customer(name)],
        )
    owner_connection.execute("ALTER TABLE crm_customer ENABLE TRIGGER code_repeated")
    owner_connection.execute(
        "UPDATE crm_opportunity SET expected_close = '2030-01-31' WHERE id = %s",
        [company.opportunity("machines")],
    )
    return company


def listed(company, name, resource, **query):
    with by(company, name) as actor:
        asked = ListQuery(**query)
        rows = [row.pk for row in queries.list_records(actor, resource, asked).records]
        assert len(rows) == queries.count_records(actor, resource, asked)
        return rows


def test_a_hidden_field_is_neither_filtered_nor_sorted_by_and_an_unknown_one_is_refused_alike(ruled):
    for query in (
        {"filters": {"customer_level": ["B"]}},
        {"filters": {"stage": ["following"]}},
        {"sort": "customer_level"},
        {"sort": "-customer_level"},
    ):
        with pytest.raises(Invalid):
            listed(ruled, "chen", CUSTOMER, **query)
        assert listed(ruled, "li", CUSTOMER, **query)
    with pytest.raises(Invalid):
        listed(ruled, "chen", OPPORTUNITY, sort="amount")


def test_a_field_that_is_read_on_ones_own_filters_sorts_and_searches_over_these_alone(ruled):
    """唐亮 views 启明, 云合 and 海天, and owns 海天: of the others he learns nothing by asking."""
    c = ruled
    everything = {c.customer(name) for name in ("qiming", "yunhe", "haitian")}
    own = [c.customer("haitian")]
    assert set(listed(c, "tang", CUSTOMER)) == everything
    assert listed(c, "tang", CUSTOMER, filters={"customer_level": ["A", "B", "C", "D"]}) == own
    assert listed(c, "tang", CUSTOMER, sort="customer_level") == own
    assert listed(c, "tang", CUSTOMER, search=CODE) == own
    assert set(listed(c, "li", CUSTOMER, search=CODE)) == {c.customer("qiming"), *own}
    assert listed(c, "chen", CUSTOMER, search=CODE) == []
    assert listed(c, "tang", OPPORTUNITY, sort="-amount") == [c.opportunity("cranes")]
    # A cursor with a guessed value finds nothing either.
    for side in (True, False):
        forged = queries._write_cursor(OPPORTUNITY, OPPORTUNITY.by_name["amount"], Guess(), side)
        found = listed_page(c, "tang", OPPORTUNITY, sort="amount", cursor=forged)
        assert set(found) <= {c.opportunity("cranes")}


class Guess:
    pk, amount = 1, 150_000


def listed_page(company, name, resource, **query):
    with by(company, name) as actor:
        return [row.pk for row in queries.list_records(actor, resource, ListQuery(**query)).records]


def test_filter_on_a_masked_phone_finds_only_over_readable_ones(ruled):
    """By rule 林悦's phones are read by all of 客服; 唐亮 still finds his own alone."""
    roles = [role for role in copy.deepcopy(POLICY["roles"]) if role["key"] == "service"]
    roles[0]["fields"] = {"customer": {"phone": "read_only"}}
    publish(ruled, {"format": 1, "roles": roles})
    assert listed(ruled, "chen", CUSTOMER, search="13800006621") == [ruled.customer("qiming")]
    assert listed(ruled, "tang", CUSTOMER, search="13800006621") == []
    assert listed(ruled, "tang", CUSTOMER, search="1111") == [ruled.customer("haitian")]


def test_pages_offer_and_tell_nothing_of_a_hidden_field(ruled, sign_in):
    chen, li = sign_in("chen"), sign_in("li")
    for client, shown in ((chen, False), (li, True)):
        page = client.get(reverse("customer_list")).content.decode()
        for asked in ({}, {"customer_level": "B"}):
            panel = client.get(reverse("customer_filters"), asked).content.decode()
            assert ('name="customer_level"' in panel) is shown
        assert ("sort=" in page and "customer_level" in re.findall(r"sort=-?(\w+)", page)) is shown
        palette = client.get(reverse("palette"), {"q": "上海启明"}).content.decode()
        assert ("Following up" in palette) is shown
        record = client.get(
            reverse("opportunity_record", args=[ruled.opportunity("machines")])
        ).content.decode()
        assert ("1,000" in record) is shown
        # The next step of a customer tells of the planned end of its opportunity, and of its stage.
        assert ("启明数控机床项目" in page) is shown
    assert chen.get(reverse("customer_list"), {"customer_level": "B"}).status_code == 400
    assert chen.get(reverse("customer_list"), {"sort": "customer_level"}).status_code == 400
    page = sign_in("tang").get(reverse("opportunity_list"), {"sort": "amount"}).content.decode()
    assert "Sorted or filtered by Amount" in page


def test_the_timeline_tells_of_no_change_that_one_may_not_read(ruled):
    number = ruled.opportunity("machines")
    with by(ruled, "lin") as lin:
        actions.edit_record(lin, OPPORTUNITY, number, {"amount": 777_00, "product": "五轴"}, version=1)
    for name, expected in (("li", {"amount", "product"}), ("tang", {"product"}), ("chen", {"product"})):
        with by(ruled, name) as actor:
            told = timeline_of(actor, OPPORTUNITY, number)
        assert {change.field.name for change in told} == expected
    with by(ruled, "lin") as lin:
        [amount] = [each for each in timeline_of(lin, OPPORTUNITY, number) if each.field.name == "amount"]
    # Her own, and still not told in the past tense: others' values may be among them.
    assert (amount.is_told, amount.after) == (False, None)


def timeline_of(actor, resource, number):
    from hufu.crm.timeline import timeline

    entries = timeline(actor, resource, number).entries
    return [change for entry in entries if entry.verb == "changed" for change in entry.changes]


def test_a_copy_for_a_person_holds_nothing_that_may_not_be_exported(ruled):
    """L05: what leaves is never more than what is read, less what a rule keeps from leaving."""
    roles = [role for role in copy.deepcopy(POLICY["roles"]) if role["key"] in ("manager", "rep")]
    roles[0]["fields"] = {"contact": {"phone": {"mine": "editable", "others": "read_only", "export": False}}}
    publish(ruled, {"format": 1, "roles": roles})
    with acting(ruled.actor("wang")) as unit:
        copied = persons.disclose(unit.actor, CONTACT, ruled.contact("gao"), reason="x")
        assert queries.get_record(unit.actor, CONTACT, ruled.contact("gao")).phone == "13800007777"
    assert "phone" in copied.data["withheld"]
    assert "13800007777" not in copied.content.decode()
