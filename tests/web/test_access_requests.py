"""From the page of a refusal to the request, the answer and the record; absent and forbidden to the byte alike."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urljoin

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from hufu.access import actions as access
from hufu.access.models import Role
from hufu.access.request_models import AccessRequest
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.access.test_delegation import lend
from tests.company import publish


def link_of(answer):
    found = re.search(r'href="([^"]*ask[^"]*|/requests/permission/[^"]*)"', answer.content.decode())
    return found[1] if found else None


def nameless(answer, number):
    """Return a page without its tokens and without the number that was typed."""
    page = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.content.decode())
    return page.replace(f"number {number}", "number N").replace(f"customers/{number}/", "customers/N/")


FORM = {"access": "read", "until": str(localdate() + timedelta(days=7)), "reason": "跟进交货"}


def test_zhang_asks_on_the_page_that_says_there_is_none_and_lin_grants(company, visit):
    zhang, lin = visit("zhang"), visit("lin")
    customer = f"/customers/{company.customer('qiming')}/"
    refused = zhang.get(customer)
    assert (refused.status_code, link_of(refused)) == (404, "ask")
    form = urljoin(customer, "ask")
    assert zhang.get(form).status_code == 200
    again = zhang.post(form, {**FORM, "reason": "", "until": "2020-01-01"})
    assert "Name a day that is to come." in again.content.decode() or "required" in again.content.decode()
    sent = zhang.post(form, FORM, follow=True)
    assert "Your request was sent." in sent.content.decode()
    assert "Waiting" in sent.content.decode()
    with acting(company.actor("zhang")):
        number = AccessRequest.objects.get().pk
    told = "access request waits for your answer"
    assert told in lin.get(reverse("home")).content.decode()
    assert told not in zhang.get(reverse("home")).content.decode()
    page = lin.get(reverse("requests")).content.decode()
    assert "张伟" in page
    assert "Customer: 上海启明精密机械有限公司" in page
    answer = reverse("request_answer", args=[number])
    assert "上海启明精密机械有限公司" in lin.get(answer).content.decode()
    # Theirs to decide or not, there or not: one page.
    tang, nowhere = visit("tang"), reverse("request_answer", args=[987654])
    tang.get(nowhere)
    absent = tang.get(nowhere)
    for client in (zhang, tang, visit("he")):
        refused = client.get(answer)
        assert refused.status_code == absent.status_code == 409
        assert "There is nothing to decide here" in refused.content.decode()
        assert "Somebody else changed" not in refused.content.decode()
    assert nameless(tang.get(answer), number).replace(answer, nowhere) == nameless(absent, 987654)
    given = {"do": "grant", "access": "read", "ends": str(localdate() + timedelta(days=3)), "reason": "好的"}
    assert "Nothing was saved" in lin.post(answer, {**given, "ends": ""}).content.decode()
    assert "from 1970 to 2999" in lin.post(answer, {**given, "ends": "9999-12-31"}).content.decode()
    # 唐亮 withdraws nothing that is not there, and nothing that is not his; nor does 张伟 what is granted.
    there = reverse("request_withdraw", args=[number])
    for address in (there, reverse("request_withdraw", args=[987654])):
        assert "There was nothing to withdraw." in tang.post(address, follow=True).content.decode()
    assert lin.post(answer, given).status_code == 302
    assert zhang.get(customer).status_code == 200
    mine = zhang.get(reverse("requests")).content.decode()
    assert "Granted" in mine
    assert "林悦: 好的" in mine
    late = zhang.post(there, follow=True).content.decode()
    assert "There was nothing to withdraw." in late
    assert "The request is withdrawn." not in late


def test_the_form_answers_alike_whatever_the_number(company, visit):
    zhang = visit("zhang")
    shown, sent, listed = [], [], []
    zhang.get("/customers/1/ask")
    for number in (company.customer("qiming"), company.customer("pengcheng"), 987654, 10**30):
        address = f"/customers/{number}/ask"
        shown.append(nameless(zhang.get(address), number))
        answer = zhang.post(address, FORM)
        sent.append((answer.status_code, answer["Location"]))
        page = nameless(zhang.get(reverse("requests")), number)
        row = re.search(r"<tbody.*?</tr>", page, re.DOTALL)[0]
        # A link where a record could have such a number; the button's address; the minute.
        listed.append(re.sub(r"<a href=[^>]*>|</a>|/requests/\d+/|\d\d?:\d\d", "", row))
    assert len(set(shown)) == len(set(sent)) == len(set(listed)) == 1


def test_where_something_is_refused_the_page_leads_to_what_would_help(company, visit):
    customer = company.customer("haitian")
    lin = visit("lin")
    assert link_of(lin.get(f"/customers/{customer}/edit")) == f"/customers/{customer}/ask?access=edit"
    assert 'value="edit" checked' in lin.get(f"/customers/{customer}/ask?access=edit").content.decode()
    assert link_of(lin.get(reverse("log"))) == "/requests/permission/audit.view/"
    assert link_of(visit("zhang").get(f"/customers/{customer}/team/remove")) is None
    deep = visit("zhang").post(f"/customers/{customer}/team/remove", {"who": "1"})
    assert urljoin(f"/customers/{customer}/team/remove", link_of(deep)) == f"/customers/{customer}/ask"
    assert link_of(lin.get("/nowhere/")) is None
    assert lin.get("/requests/permission/no.such/").status_code == 404
    # 钱多 asks for a permission, and 何明 gives a role that grants it.
    qian, he = visit("qian"), visit("he")
    for address, about_a_record in (
        ("/requests/permission/customer.view/", False),
        (f"/customers/{customer}/ask", True),
    ):
        assert ("there is such a record" in qian.get(address).content.decode()) == about_a_record
    assert qian.post("/requests/permission/customer.view/", FORM).status_code == 302
    with acting(company.actor("qian")):
        number = AccessRequest.objects.get().pk
    page = he.get(reverse("request_answer", args=[number])).content.decode()
    role = re.search(r'value="(\d+)"[^>]*>客服代表<', page)[1]
    given = {"do": "grant", "role": role, "ends": str(localdate() + timedelta(days=3)), "reason": ""}
    assert he.post(reverse("request_answer", args=[number]), given).status_code == 302
    assert "Granted" in qian.get(reverse("requests")).content.decode()


def test_whoever_decides_reads_the_name_of_a_record_that_they_view_and_else_its_number(company, visit):
    """钱多 may share 启明 and views no contact: of 高 he reads the number. 林悦 reads the name."""
    grants = {"customer.view": "everything", "customer.share": "everything"}
    share = {"key": "sharing", "name": "共享", "grants": grants}
    publish(company, {"format": 1, "roles": [share]})
    with acting(company.actor("he")) as unit:
        to = access.Principal(user=User.objects.get(pk=company.people["qian"]))
        access.assign_role(unit.actor, Role.objects.get(key="sharing"), to=to, reason="x")
    gao, zhang = company.contact("gao"), visit("zhang")
    for address in (f"/contacts/{gao}/ask", f"/customers/{company.customer('qiming')}/ask"):
        assert zhang.post(address, FORM).status_code == 302
    lin, qian = (visit(name).get(reverse("requests")).content.decode() for name in ("lin", "qian"))
    for page in (lin, qian):
        assert "Customer: 上海启明精密机械有限公司" in page
    assert f"Contact, number {gao}" not in lin
    assert f"Contact, number {gao}" in qian
    assert "高工" in lin
    assert "高工" not in qian


def test_the_page_of_requests_asks_the_database_as_often_for_many_requests_as_for_one(company, visit):
    zhang, lin = visit("zhang"), visit("lin")

    def asked():
        with CaptureQueriesContext(connection) as seen:
            assert lin.get(reverse("requests")).status_code == 200
        return len(seen)

    assert zhang.post(f"/customers/{company.customer('qiming')}/ask", FORM).status_code == 302
    asked()
    one = asked()
    assert zhang.post(f"/customers/{company.customer('yunhe')}/ask", FORM).status_code == 302
    assert asked() == one


def test_whoever_stands_in_for_the_asker_reads_why_they_give_them_no_role(company, visit, in_english):
    zhou, he = visit("zhou"), visit("he")
    assert zhou.post("/requests/permission/customer.edit/", FORM).status_code == 302
    lend(company, "zhou", "he", "customer.view")
    with acting(company.actor("zhou")):
        answer = reverse("request_answer", args=[AccessRequest.objects.get().pk])
    page = he.get(answer).content.decode()
    assert "You stand in for 周涛: a role that you give them comes to you, too." in page
    assert 'value="grant"' not in page
    granted = he.post(answer, {"do": "grant", "role": "1", "ends": str(localdate() + timedelta(days=3))})
    assert "You stand in for 周涛" in granted.content.decode()
    assert he.post(answer, {"do": "reject", "reason": "不需要"}).status_code == 302
    assert "不需要" in zhou.get(reverse("requests")).content.decode()
