"""The pages of the duplicate check: for whoever checks, for whoever is refused a code, and for the steward."""

from __future__ import annotations

import re

from django.urls import reverse

CODE = "91310000MA1FL00043"


def test_lin_checks_asks_to_join_and_disputes_and_li_answers(company, visit, owner_connection):
    lin, li = visit("lin"), visit("li")
    page = reverse("customer_check")
    assert page in lin.get(reverse("customer_list")).content.decode()
    assert page not in visit("chen").get(reverse("customer_list")).content.decode()
    assert "There is none" in lin.post(page, {"text": "没有这样的公司"}).content.decode()
    found = lin.post(page, {"text": "137 0000 2222"}).content.decode()
    assert "There is 1 already" in found
    assert "张伟" in found
    assert "南方" not in found
    assert reverse("customer_record", args=[company.customer("nanfang")]) not in found
    hit = re.search(r'name="hit" value="(\d+)"', found)[1]
    joined = lin.post(reverse("customer_join"), {"hit": hit})
    assert joined["Location"] == reverse("customer_ask", args=[company.customer("nanfang")])
    disputed = lin.post(reverse("customer_dispute"), {"hit": hit, "reason": "一直是我在跟进"}, follow=True)
    assert "Disputed." in disputed.content.decode()
    assert "Say why" in lin.post(reverse("customer_dispute"), {"hit": hit}, follow=True).content.decode()
    steward = reverse("customer_duplicates")
    asked = li.get(steward).content.decode()
    assert "一直是我在跟进" in asked
    number = re.search(r'name="dispute" value="(\d+)"', asked)[1]
    answered = li.post(
        reverse("customer_dispute_answer"), {"dispute": number, "answer": "归张伟"}, follow=True
    )
    assert "一直是我在跟进" not in answered.content.decode()
    # It becomes hers, and is told with its name, and nothing to ask for or dispute.
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = %s WHERE id = %s",
        [company.people["lin"], company.customer("nanfang")],
    )
    hers = lin.get(page).content.decode()
    assert (
        f'{reverse("customer_record", args=[company.customer("nanfang")])}">广州南方电子有限公司</a>' in hers
    )
    assert 'name="hit"' not in hers


def test_a_taken_code_is_told_in_the_form_and_a_taken_name_is_not(company, visit, owner_connection):
    owner_connection.execute(
        "UPDATE crm_customer SET code = %s WHERE id = %s", [CODE, company.customer("nanfang")]
    )
    lin, li = visit("lin"), visit("li")
    new = reverse("customer_new")
    refused = lin.post(new, {"name": "新客户", "stage": "new", "code": CODE})
    said = refused.content.decode()
    assert refused.status_code == 200
    assert "you may not view it. Owner: 张伟. Department: 华南." in said
    assert "张伟" in lin.get(reverse("customer_check")).content.decode()
    [saved, taken] = [
        lin.post(new, {"name": name, "stage": "new"}, follow=True).content.decode()
        for name in ("独一无二有限公司", "广州南方电子有限公司")
    ]

    def as_anybody(page):
        page = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", page)
        return re.sub(r"独一无二有限公司|广州南方电子有限公司|\d+|独|广", "", page)

    assert as_anybody(saved) == as_anybody(taken)
    pairs = li.get(reverse("customer_duplicates")).content.decode()
    assert pairs.count("广州南方电子有限公司") >= 2
    pair = re.search(r'name="pair" value="(\d+)"', pairs)[1]
    li.post(reverse("customer_duplicate_decide"), {"pair": pair, "state": "not_one"})
    assert "No pairs here" in li.get(reverse("customer_duplicates")).content.decode()
    assert "广州南方" in li.get(reverse("customer_duplicates") + "?state=not_one").content.decode()
