"""The pages of the duplicate check: for whoever checks, for whoever is refused a code, and for the steward."""

from __future__ import annotations

import re
from datetime import timedelta

from django.urls import reverse
from django.utils.timezone import localdate

from tests.web.log import entries

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
    join, nanfang = reverse("customer_join", args=[hit]), company.customer("nanfang")
    assert join in found
    asking = {"access": "read", "until": str(localdate() + timedelta(days=7)), "reason": "客户来电找我"}
    asked = [lin.get(join), lin.post(join, asking, follow=True), lin.get(reverse("requests"))]
    assert "Customer that a duplicate check found" in asked[2].content.decode()
    for answer in asked:
        # Neither address nor text tells which customer it is.
        assert answer.status_code == 200
        assert f"/customers/{nanfang}/" not in answer.content.decode()
        assert f"number {nanfang}" not in answer.content.decode()
        assert "南方" not in answer.content.decode()
    assert "You asked for this already" in lin.post(join, asking).content.decode()
    # What another check of hers found by other fields is another thing to her, though it is the same record.
    by_name = lin.post(page, {"text": "广州南方电子有限公司"}).content.decode()
    other = re.search(r"/customers/check/join/(\d+)", by_name)[1]
    assert lin.post(reverse("customer_join", args=[other]), asking).status_code == 302
    # Nor does what she types by hand answer otherwise than before.
    assert lin.post(reverse("customer_ask", args=[nanfang]), asking).status_code == 302
    assert visit("tang").get(join).status_code == 404
    # Whoever decides sees which one; it opens until the day.
    inbox = visit("wang").get(reverse("requests")).content.decode()
    assert "Customer: 广州南方电子有限公司" in inbox
    number = re.search(r"/requests/(\d+)/", inbox)[1]
    granted = {"do": "grant", "access": "read", "ends": asking["until"], "reason": ""}
    assert visit("wang").post(reverse("request_answer", args=[number]), granted).status_code == 302
    # Once granted, the answer says which one it is, and leads there.
    opened = lin.get(reverse("requests")).content.decode()
    assert (
        f'<a href="{reverse("customer_record", args=[nanfang])}">Customer: 广州南方电子有限公司</a>' in opened
    )
    owner_connection.execute("DELETE FROM access_request_decision")
    owner_connection.execute("DELETE FROM access_share")
    disputed = lin.post(reverse("customer_dispute"), {"hit": hit, "reason": "一直是我在跟进"}, follow=True)
    assert "Disputed." in disputed.content.decode()
    assert "Say why" in lin.post(reverse("customer_dispute"), {"hit": hit}, follow=True).content.decode()
    steward = reverse("customer_duplicates")
    asked = li.get(steward).content.decode()
    assert "一直是我在跟进" in asked
    number = re.search(r'name="dispute" value="(\d+)"', asked)[1]
    answered = li.post(
        reverse("customer_dispute_answer"),
        {"dispute": number, "outcome": "kept", "answer": "归张伟"},
        follow=True,
    )
    mine = lin.get(reverse("requests")).content.decode()
    assert "It stays as it is" in mine
    assert "李强: 归张伟" in mine
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


def test_where_no_check_is_left_the_page_says_when_and_still_shows_what_is_disputed(
    company, visit, owner_connection
):
    lin, page = visit("lin"), reverse("customer_check")
    found = lin.post(page, {"text": "广州南方电子有限公司"}).content.decode()
    hit = re.search(r'name="hit" value="(\d+)"', found)[1]
    lin.post(reverse("customer_dispute"), {"hit": hit, "reason": "一直是我在跟进"})
    owner_connection.execute(
        "INSERT INTO access_quota (id, key, name, counts, per_day, zone, warn_at, below)"
        " VALUES (1, 'checks', '查重', 'customer.check_duplicate', 1, 'Asia/Shanghai', 80, false)"
    )
    assert "1 of 1 checks are left today" in lin.get(page).content.decode()
    assert lin.post(page, {"text": "没有这样的公司"}).status_code == 200
    closed, refused = lin.get(page), lin.post(page, {"text": "广州南方电子有限公司"})
    assert (closed.status_code, refused.status_code) == (200, 403)
    for answer in (closed.content.decode(), refused.content.decode()):
        assert "No check is left for now." in answer
        assert "It opens again:" in answer
        assert "一直是我在跟进" in answer
        # Nothing is found, and what was found before is told when it opens again.
        assert "张伟" not in answer
    # Whoever does not hold the permission gets no page, and a quota changes nothing of that.
    assert visit("chen").get(page).status_code == 403
    refusals = [each.data for each in entries(owner_connection, "access.refused") if each.reason == "quota"]
    assert refusals == [{"permission": "customer.check_duplicate", "quota": "checks"}]
