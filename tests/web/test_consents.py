"""The tab of a contact's consents, and its card in the drawer."""

from __future__ import annotations

import psycopg
from django.utils.html import escape

from tests.company import Company
from tests.web.conftest import Visit

FORM = {
    "purpose": "marketing_mail",
    "basis": "consent",
    "source": "exhibition",
    "given_on": "2026-03-01",
    "evidence": "登记表 17 号",
}


def test_lin_records_and_withdraws_a_consent_and_chen_only_reads(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    page = f"/contacts/{company.contact('gao')}/"
    lin, chen = visit("lin"), visit("chen")
    assert "No purpose is recorded yet." in lin.get(f"{page}consents").content.decode()
    assert "Consent recorded." in lin.post(f"{page}consents/give", FORM, follow=True).content.decode()
    for client, may in ((lin, True), (chen, False)):
        shown = client.get(f"{page}consents").content.decode()
        assert "Marketing by mail" in shown
        assert "登记表 17 号" in shown
        assert "Since 2026-03-01 · Exhibition · recorded by 林悦" in shown
        assert ("consents/withdraw" in shown) is may
        assert ("consents/give" in shown) is may
        assert "Marketing by mail" in client.get(f"{page}drawer").content.decode()
        assert "recorded a ground for “Marketing by mail”" in client.get(page).content.decode()
    assert chen.post(f"{page}consents/give", FORM).status_code == 403
    (number,) = owner_connection.execute("SELECT id FROM crm_consent").fetchone() or (0,)
    shown = lin.post(
        f"{page}consents/withdraw", {"consent": str(number), "reason": "来电"}, follow=True
    ).content.decode()
    assert "Consent withdrawn." in shown
    assert "来电" in shown
    assert "consents/withdraw" not in shown
    assert "No purpose is recorded yet." in lin.get(f"{page}drawer").content.decode()


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    company: Company, visit: Visit
) -> None:
    wrong = {**FORM, "purpose": "abroad", "evidence": "<b>表单"}
    answer = visit("lin").post(f"/contacts/{company.contact('gao')}/consents/give", wrong)
    shown = answer.content.decode()
    assert answer.status_code == 400
    assert "This purpose needs a separate consent of the person." in shown
    assert escape("<b>表单") in shown
    assert "<b>表单" not in shown


def test_customers_have_no_consents(company: Company, visit: Visit) -> None:
    assert visit("lin").get(f"/customers/{company.customer('qiming')}/consents").status_code == 404
