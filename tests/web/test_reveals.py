"""One masked value is shown to whoever says why, and may: recorded without the value, counted, never a hidden one."""

from __future__ import annotations

import copy
import re

import pytest
from django.urls import reverse

from hufu.core.errors import Denied, Invalid, NotFound
from hufu.crm import reveals
from hufu.crm.resources import CONTACT, CUSTOMER
from tests.company import POLICY, publish
from tests.crm.acts import by, last
from tests.web.conftest import Visit
from tests.web.log import entries

PHONE = "13800007777"


def show(company, name, field="phone", reason="客户要求回电", contact="gao"):
    with by(company, name) as actor:
        return reveals.reveal(actor, CONTACT, company.contact(contact), field, reason=reason)


def test_wang_sees_one_number_with_a_reason_and_the_log_has_everything_but_the_number(
    company, owner_connection
):
    assert show(company, "wang") == PHONE
    event = last(owner_connection, "contact.revealed")
    assert (event.data, event.reason) == ({"field": "phone"}, "客户要求回电")
    assert PHONE not in str(event)


@pytest.mark.parametrize("reason", ["", "   ", "\n\t"])
def test_without_a_reason_nothing_is_shown(company, owner_connection, reason):
    with pytest.raises(Invalid):
        show(company, "wang", reason=reason)
    assert entries(owner_connection, "contact.revealed") == []


def test_a_hidden_field_is_never_shown_and_looks_like_one_that_is_not_there(company):
    roles = [role for role in copy.deepcopy(POLICY["roles"]) if role["key"] == "manager"]
    roles[0]["fields"] = {"contact": {"phone": "hidden"}}
    publish(company, {"format": 1, "roles": roles})
    said = set()
    for field in ("phone", "phon", "lock_version", "phone_index"):
        with pytest.raises(NotFound) as refused:
            show(company, "wang", field)
        said.add((str(refused.value), str(refused.value.event)))
    assert len(said) == 1
    with pytest.raises(NotFound):
        show(company, "wang", contact="ma")
    with pytest.raises(Denied):
        show(company, "lin")


def test_the_quota_on_it_is_used_up_by_it(company, owner_connection):
    quota = {
        "key": "shown",
        "name": "查看明文",
        "counts": "contact.reveal",
        "per_day": 1,
        "zone": "Asia/Shanghai",
    }
    publish(company, {"format": 1, "quotas": [quota]})
    assert show(company, "wang") == PHONE
    with pytest.raises(Denied):
        show(company, "wang")
    assert len(entries(owner_connection, "contact.revealed")) == 1


def test_the_page_asks_for_the_reason_in_the_place_of_the_mask_and_no_address_has_the_value(
    company, visit: Visit, owner_connection
):
    wang, number = visit("wang"), company.contact("gao")
    page = wang.get(reverse("contact_record", args=[number])).content.decode()
    assert PHONE not in page
    [address] = set(re.findall(r'hx-get="([^"]*/reveal\?field=phone)"', page))
    asked = wang.get(address, headers={"hx-request": "true"}).content.decode()
    assert 'name="reason"' in asked
    assert PHONE not in asked.replace(" ", "")
    blank = wang.post(address, {"reason": " "}).content.decode()
    assert "138 0000 7777" not in blank
    assert entries(owner_connection, "contact.revealed") == []
    answer = wang.post(address, {"reason": "回电"})
    assert "138 0000 7777" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert len(entries(owner_connection, "contact.revealed")) == 1
    # Who may not has no button, and lists have none at all.
    assert "/reveal" not in visit("chen").get(reverse("contact_record", args=[number])).content.decode()
    assert "/reveal" not in wang.get(reverse("contact_list")).content.decode()


def test_whoever_may_see_masked_fields_needs_no_right_to_edit(company):
    """陈静 reads customers and nothing else: the permission, held, suffices."""
    roles = [role for role in copy.deepcopy(POLICY["roles"]) if role["key"] == "service"]
    roles[0]["grants"] |= {"contact.reveal": "everything", "customer.reveal": "everything"}
    publish(company, {"format": 1, "roles": roles})
    assert show(company, "chen") == PHONE
    with by(company, "chen") as chen:
        assert (
            reveals.reveal(chen, CUSTOMER, company.customer("qiming"), "phone", reason="x") == "13800006621"
        )
