"""Why somebody may or may not, and who can see a record: for whoever explains rights, and for oneself."""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
from django.utils.timezone import localdate

from hufu.core import clock
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from tests.company import CUSTOMERS, Company
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_records import text


def why(company: Company, who: str, permission: str, number: int | str = "", **more: str) -> str:
    further = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/access/why/?person={company.people[who]}&permission={permission}&number={number}{further}"


def test_he_is_told_why_chen_may_not_edit_and_sees_nothing_of_the_customer(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    page = text(visit("he"), why(company, "chen", "customer.edit", company.customer("qiming")))
    assert "No: 陈静 may not: Edit customers." in page
    assert "No role of 陈静 grants “Edit customers”." in page
    assert f"Customer, number {company.customer('qiming')}" in page
    assert CUSTOMERS["qiming"][0] not in page
    assert 'href="/roles/given/"' in page
    (event,) = entries(owner_connection, "access.asked")
    assert event.target == ("user", company.people["chen"])
    assert event.data["permission"] == "customer.edit"
    assert event.data["record"] == f"customer:{company.customer('qiming')}"


def test_a_missing_role_leads_to_the_page_that_gives_it(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    page = text(visit("he"), why(company, "chen", "customer.edit"))
    found = owner_connection.execute("SELECT id FROM access_role WHERE key = 'rep'").fetchone()
    assert found is not None
    assert f'href="/roles/give/?role={found[0]}&amp;to={company.people["chen"]}"' in page
    # Nobody is offered to give a role to themselves.
    assert (
        "/roles/give/" not in text(visit("he"), why(company, "he", "customer.edit")).split('id="verdict"')[1]
    )


def test_what_is_allowed_is_drawn_as_a_path(company: Company, visit: Visit) -> None:
    page = text(visit("he"), why(company, "wang", "customer.edit", company.customer("qiming")))
    assert "Yes: 王芳 may: Edit customers." in page
    answer = page[page.index('id="verdict"') :]
    assert answer.count('class="rights-way"') == 2
    assert "The record&#x27;s owner stands below them in the reporting line." in answer


def test_everybody_asks_about_themselves(company: Company, visit: Visit) -> None:
    lin = visit("lin")
    page = text(lin, why(company, "lin", "customer.lock", company.customer("qiming")))
    assert "No: 林悦 may not" in page
    assert CUSTOMERS["qiming"][0] in page
    assert 'href="/requests/permission/customer.lock/"' in page
    assert "Yes: 林悦 may: View customers." in text(lin, "/access/why/?permission=customer.view")


def test_nobody_else_asks_about_others_or_about_the_past(company: Company, visit: Visit) -> None:
    yesterday = (localdate() - timedelta(days=1)).isoformat()
    for who in ("wang", "lin", "chen", "feng", "wu"):
        client = visit(who)
        assert client.get(why(company, "tang", "customer.view")).status_code == 404
        assert client.get(f"/access/why/?permission=customer.view&on={yesterday}").status_code == 404


def test_a_record_out_of_sight_is_answered_like_one_that_is_not_there(company: Company, visit: Visit) -> None:
    zhang = visit("zhang")
    zhang.get("/")
    pages = {}
    for number in (company.customer("qiming"), 987654):
        page = text(zhang, f"/access/why/?permission=customer.edit&number={number}")
        assert "There is no such record." in page
        answer = page[page.index('id="verdict"') : page.index("</main>")]
        pages[number] = re.sub(rf"\b{number}\b", "NUMBER", answer)
    assert len(set(pages.values())) == 1


def test_a_name_finds_what_one_may_view_and_nothing_else(company: Company, visit: Visit) -> None:
    qiming = company.customer("qiming")
    page = text(visit("lin"), "/access/why/?permission=customer.edit&number=上海启明")
    assert f"number={qiming}" in page
    page = text(visit("he"), f"{why(company, 'lin', 'customer.edit', '上海启明')}")
    assert "Nothing found that you may view. Write its number." in page


def test_a_refusal_leads_to_the_reason_to_the_request_and_back(company: Company, visit: Visit) -> None:
    qiming = company.customer("qiming")
    page = text(visit("chen"), f"/customers/{qiming}/edit", 403)
    assert f'href="/access/why/?permission=customer.edit&amp;number={qiming}"' in page
    assert f'href="/customers/{qiming}/"' in page
    assert "Ask for access" in page
    assert "No: 陈静 may not" in text(visit("chen"), f"/access/why/?permission=customer.edit&number={qiming}")


def test_who_can_see_names_people_by_the_way_that_decides(company: Company, visit: Visit) -> None:
    page = text(visit("he"), f"/access/who/?permission=customer.view&number={company.customer('qiming')}")
    assert "7 people may" in page
    for name in ("林悦", "唐亮", "王芳", "李强", "赵敏", "陈静", "周涛"):
        assert name in page
    assert "张伟" not in page
    assert "Owner of the record" in page
    assert CUSTOMERS["qiming"][0] not in page
    assert "There is no such record." in text(
        visit("he"), "/access/who/?permission=customer.view&number=987654"
    )


def test_who_could_see_it_last_month(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    """启明 changed hands today: last month it was 林悦's, whose department viewed it."""
    qiming, past = company.customer("qiming"), clock.now() - timedelta(days=40)
    owner_connection.execute("UPDATE access_change SET at = %s", [past])
    owner_connection.execute("ALTER TABLE crm_customer DISABLE TRIGGER USER")
    owner_connection.execute("UPDATE crm_customer SET valid_from = %s", [past])
    owner_connection.execute("ALTER TABLE crm_customer ENABLE TRIGGER USER")
    wang = company.actor("wang")
    with acting(wang):
        crm.transfer_record(wang, CUSTOMER, qiming, to=company.people["zhang"], reason="调整", version=1)
    he = visit("he")
    now = text(he, f"/access/who/?permission=customer.view&number={qiming}")
    assert "张伟" in now
    assert "唐亮" not in now
    day = (localdate() - timedelta(days=20)).isoformat()
    then = text(he, f"/access/who/?permission=customer.view&number={qiming}&on={day}")
    assert "唐亮" in then
    assert "张伟" not in then
    assert f"As of {day}, not as of today." in then
    reason = text(he, why(company, "tang", "customer.view", qiming, on=day))
    assert "Yes: 唐亮 may: View customers." in reason
