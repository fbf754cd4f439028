"""My delegations: somebody lends, the colleague sees and uses it, either ends it."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.timezone import localdate

from hufu.access import delegations, guard
from hufu.access.delegation_models import Delegation
from hufu.access.fields import FieldAccess
from hufu.core import clock
from hufu.core.transaction import acting
from hufu.crm.queries import get_record
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User


def test_lin_lends_sun_her_customers_and_he_ends_it(company, visit):
    lin, sun = visit("lin"), visit("sun")
    customer = f"/customers/{company.customer('qiming')}/"
    assert sun.get(customer).status_code == 404
    form = {
        "to": "sun",
        "permissions": ["customer.view", "contact.view"],
        "begins": localdate().isoformat(),
        "ends": (localdate() + timedelta(days=3)).isoformat(),
        "reason": "年假",
    }
    refused = lin.post(reverse("my_delegations"), {**form, "permissions": ["customer.edit"], "to": "nobody"})
    assert "There is no account" in refused.content.decode()
    refused = lin.post(reverse("my_delegations"), {**form, "permissions": ["customer.edit"]})
    assert "does nothing without" in refused.content.decode()
    for wrong in ({"ends": "9999-12-31"}, {"begins": "9999-12-31"}, {"begins": "0001-01-01"}):
        refused = lin.post(reverse("my_delegations"), {**form, **wrong})
        assert "from 1970 to 2999" in refused.content.decode()
    answer = lin.post(reverse("my_delegations"), form)
    assert answer.status_code == 302, answer.content.decode()
    assert "孙海 stands in for you." in lin.get(reverse("my_delegations")).content.decode()
    assert sun.get(customer).status_code == 200
    said = sun.get(reverse("my_delegations")).content.decode()
    assert "You stand in for" in said
    assert "林悦" in said
    with acting(company.actor("sun")):
        number = Delegation.objects.get().pk
    # Somebody else learns nothing of it, and ends nothing.
    assert "林悦" not in visit("zhang").get(reverse("my_delegations")).content.decode()
    for each in (number, 987654):
        said = visit("zhang").post(reverse("my_delegation_end", args=[each]), follow=True).content.decode()
        assert "There was nothing to end." in said
        assert "has ended" not in said
    assert sun.get(customer).status_code == 200
    sun.post(reverse("my_delegation_end", args=[number]))
    assert sun.get(customer).status_code == 404


def test_the_timeline_and_the_answer_name_in_whose_stead_a_record_was_changed(company, visit):
    """陈静 reads all of 上海 and edits nothing; 张伟 lends her the work with his customers."""
    zhang = company.actor("zhang")
    with acting(zhang):
        delegations.delegate(
            zhang,
            User.objects.get(username="chen"),
            permissions=["customer.view", "customer.edit"],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=3),
            reason="年假",
        )
    number = company.customer("nanfang")
    chen = visit("chen")
    with acting(company.actor("chen")) as unit:
        record = get_record(unit.actor, CUSTOMER, number)
    saved = chen.post(
        f"/customers/{number}/edit",
        {"name": record.name, "stage": "won", "version": record.lock_version},
        follow=True,
    )
    assert "Saved, in the stead of 张伟." in saved.content.decode()
    for name in ("chen", "zhang", "wang"):
        page = visit(name).get(f"/customers/{number}/").content.decode()
        assert "<strong>陈静, for 张伟</strong>" in page, name
    # What she does by her own role is hers.
    assert "for 陈静" not in page


def test_fields_are_not_lent_and_the_page_says_so(company, visit):
    """林悦 reads the phone of her customer in clear; 陈静, who stands in for her, reads what her own rules show."""
    lin = company.actor("lin")
    with acting(lin):
        delegations.delegate(
            lin,
            User.objects.get(username="chen"),
            permissions=["customer.view", "customer.edit"],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=3),
            reason="年假",
        )
    number = company.customer("qiming")
    shown = {}
    for name in ("lin", "chen"):
        with acting(company.actor(name)) as unit:
            record = get_record(unit.actor, CUSTOMER, number)
            assert guard.may(unit.actor, "customer.edit", record)
            shown[name] = guard.fields(unit.actor, CUSTOMER, record)["phone"]
    assert shown == {"lin": FieldAccess.EDITABLE, "chen": FieldAccess.MASKED}
    said = "Fields follow your colleague's own rules"
    assert said in visit("lin").get(reverse("my_delegations")).content.decode()
