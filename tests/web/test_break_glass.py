"""Break-glass on its page: opened with a reason, told on every page of those concerned, ended, reviewed."""

from __future__ import annotations

from django.urls import reverse

from hufu.access.break_glass_models import BreakGlassUse
from hufu.core.transaction import acting
from tests.company import publish

RULE = {"key": "night", "name": "夜间应急", "role": "rep", "types": ["customer", "contact"], "minutes": 60}


def test_zhang_breaks_the_glass_and_wu_reviews_it(company, visit):
    publish(company, {"format": 1, "break_glass": [RULE]})
    zhang, wu, lin = visit("zhang"), visit("wu"), visit("lin")
    customer = f"/customers/{company.customer('qiming')}/"
    page = reverse("break_glass")
    assert zhang.get(customer).status_code == 404
    assert "lets you open nothing" in visit("chen").get(page).content.decode()
    form = {"rule": "night", "minutes": "30", "reason": "客户产线停机"}
    assert 'max="60"' in zhang.get(page).content.decode()
    assert "At most 60 minutes." in zhang.post(page, {**form, "minutes": "90"}).content.decode()
    assert zhang.post(page, form).status_code == 302
    # What is open is not offered again, and a form of another window says so.
    assert "Break the glass" not in zhang.get(page).content.decode()
    assert "“夜间应急” is open already." in zhang.post(page, form).content.decode()
    seen = zhang.get(customer)
    assert seen.status_code == 200
    assert "Records are open to you by break-glass" in seen.content.decode()
    assert "EMERGENCY: 张伟 opened records by break-glass" in wu.get(reverse("home")).content.decode()
    assert "EMERGENCY" not in lin.get(reverse("home")).content.decode()
    with acting(company.actor("zhang")):
        number = BreakGlassUse.objects.get().pk
    ended, review = reverse("break_glass_end", args=[number]), reverse("break_glass_review", args=[number])
    assert "still open" in wu.post(review, {"finding": "x"}, follow=True).content.decode()
    assert lin.post(review, {"finding": "x"}).status_code == 403
    for each in (number, 987654):
        said = lin.post(reverse("break_glass_end", args=[each]), follow=True).content.decode()
        assert "There was nothing to end." in said
        assert "It is closed" not in said
    assert zhang.get(customer).status_code == 200
    assert "It is closed" in zhang.post(ended, follow=True).content.decode()
    assert zhang.get(customer).status_code == 404
    assert "客户产线停机" in wu.get(page).content.decode()
    assert zhang.post(review, {"finding": "x"}).status_code == 403
    assert "at most 500 characters" in wu.post(review, {"finding": "长" * 501}, follow=True).content.decode()
    assert "cannot be stored" in wu.post(review, {"finding": "属实\0"}, follow=True).content.decode()
    assert "Reviewed." in wu.post(review, {"finding": "属实"}, follow=True).content.decode()
    assert "EMERGENCY" not in wu.get(reverse("home")).content.decode()
