"""My delegations: somebody lends, the colleague sees and uses it, either ends it."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.timezone import localdate

from hufu.access.delegation_models import Delegation
from hufu.core.transaction import acting


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
