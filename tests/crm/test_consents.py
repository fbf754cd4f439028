"""Consents of contacts: whoever may view the person sees them, whoever may edit records and withdraws them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from hufu.core import clock
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.crm import actions, consents
from hufu.crm.models import Consent
from hufu.crm.resources import CONTACT
from hufu.crm.timeline import timeline
from tests.crm.acts import by, last

GIVEN = {
    "purpose": "marketing_mail",
    "basis": "consent",
    "source": "exhibition",
    "given_on": date(2026, 3, 1),
    "evidence": "登记表 17 号,本人手机 13800007777",
}


def give(company, name, contact="gao", **differently):
    with by(company, name) as actor:
        return consents.give(actor, CONTACT, company.contact(contact), **{**GIVEN, **differently})


def withdraw(company, name, number, contact="gao", **more):
    with by(company, name) as actor:
        consents.withdraw(actor, CONTACT, company.contact(contact), number, **more)


def seen(company, name, contact="gao"):
    with by(company, name) as actor:
        return [
            (each.purpose, each.withdrawn_at is None)
            for each in consents.consents(actor, CONTACT, company.contact(contact))
        ]


def test_lin_records_a_consent_and_those_who_see_the_contact_see_it(company, owner_connection):
    give(company, "lin")
    for name in ("lin", "wang", "chen", "li"):
        assert seen(company, name) == [("marketing_mail", True)], name
    for name in ("zhang", "zhou", "sun", "qian", "feng", "he", "wu"):
        assert seen(company, name) == [], name
    event = last(owner_connection, "contact.consent_given")
    assert event.data["purpose"] == "marketing_mail"
    assert event.personal == {}
    assert "13800007777" not in str(event), "the evidence may name the person: the log does not keep it"


@pytest.mark.parametrize(
    ("name", "error"),
    [("chen", Denied), ("tang", Denied), ("zhang", NotFound), ("zhou", NotFound), ("he", NotFound)],
)
def test_whoever_may_not_edit_the_contact_neither_records_nor_withdraws(
    company, owner_connection, name, error
):
    number = give(company, "lin")
    before = owner_connection.execute("SELECT * FROM crm_consent").fetchall()
    with pytest.raises(error):
        give(company, name)
    with pytest.raises(error):
        withdraw(company, name, number)
    assert owner_connection.execute("SELECT * FROM crm_consent").fetchall() == before


def test_a_withdrawn_consent_stays_as_history_and_never_stands_again(company, owner_connection):
    number = give(company, "lin")
    withdraw(company, "wang", number, reason="电话要求停止")
    assert seen(company, "lin") == [("marketing_mail", False)]
    row = owner_connection.execute(
        "SELECT withdrawn_by, withdrawn_reason, withdrawn_at FROM crm_consent"
    ).fetchone()
    assert row[:2] == (company.people["wang"], "电话要求停止")
    withdraw(company, "lin", number, reason="anew")
    assert (
        owner_connection.execute(
            "SELECT withdrawn_by, withdrawn_reason, withdrawn_at FROM crm_consent"
        ).fetchone()
        == row
    )
    give(company, "lin")
    assert seen(company, "lin") == [("marketing_mail", True), ("marketing_mail", False)]
    with by(company, "lin") as lin:
        verbs = [each.verb for each in timeline(lin, CONTACT, company.contact("gao")).entries]
    assert verbs[:3] == ["consent_given", "consent_withdrawn", "consent_given"]


def test_the_consent_of_another_contact_is_not_there(company):
    number = give(company, "li", "he")
    with pytest.raises(NotFound):
        withdraw(company, "li", number, "gao")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("purpose", "anything"),
        ("basis", ""),
        ("source", "rumour"),
        ("given_on", None),
        ("given_on", date(2999, 1, 1)),
        ("evidence", "x" * 501),
        ("evidence", "\x00"),
    ],
)
def test_what_is_no_consent_is_said_beside_its_field(company, field, value):
    with pytest.raises(Invalid) as raised:
        give(company, "lin", **{field: value})
    assert list(raised.value.problems) == [field]


def test_sharing_and_transfer_abroad_need_a_separate_consent(company):
    for purpose in consents.BY_SEPARATE_CONSENT:
        with pytest.raises(Invalid) as raised:
            give(company, "lin", purpose=purpose, basis="contract")
        assert list(raised.value.problems) == ["basis"]
        give(company, "lin", purpose=purpose, basis="separate_consent")


def test_today_is_that_of_the_companys_time_zone(company):
    give(company, "lin", given_on=timezone.localdate(clock.now()))
    with pytest.raises(Invalid):
        give(company, "lin", given_on=timezone.localdate(clock.now()) + timedelta(days=1))


def execute(sql, values=()):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


ADD = (
    "INSERT INTO crm_consent (contact_id, purpose, basis, source, given_on, evidence, recorded_at, recorded_by,"
    " withdrawn_reason) VALUES (%s, 'service', 'consent', 'form', '2026-01-31', '', now(), %s, '')"
)
END = "UPDATE crm_consent SET withdrawn_at = now(), withdrawn_by = %s WHERE id = %s"


def test_the_database_itself_follows_the_contacts_rule(company):
    """The same, by plain SQL as the application's role."""
    gao, number = company.contact("gao"), give(company, "lin")
    for name, sees, edits in (("lin", 1, True), ("chen", 1, False), ("zhang", 0, False), ("he", 0, False)):
        me = company.people[name]
        with by(company, name):
            assert Consent.objects.count() == sees, name
            assert execute(END, [me, number]) == 0 or edits
            if edits:
                assert execute(ADD, [gao, me]) == 1
            else:
                with pytest.raises(DatabaseError):
                    execute(ADD, [gao, me])
            transaction.set_rollback(True)
    with by(company, "lin"):
        with pytest.raises(DatabaseError):
            execute(ADD, [gao, company.people["wang"]])
        with pytest.raises(DatabaseError):
            execute(END, [company.people["wang"], number])
        with pytest.raises(DatabaseError):
            execute("UPDATE crm_consent SET purpose = 'contract' WHERE id = %s", [number])
        with pytest.raises(DatabaseError):
            execute("DELETE FROM crm_consent")
    assert seen(company, "lin") == [("marketing_mail", True)]
    with transaction.atomic():
        assert Consent.objects.count() == 0, "without an actor no row is there"


def test_consents_go_into_the_bin_with_the_contact_and_go_for_good_with_it(company, owner_connection):
    give(company, "lin")
    with by(company, "lin") as lin:
        actions.delete_record(lin, CONTACT, company.contact("gao"), version=1)
    assert seen(company, "lin") == []
    with by(company, "wang") as wang:
        actions.purge_record(wang, CONTACT, company.contact("gao"), version=2, reason="误建")
    assert owner_connection.execute("SELECT count(*) FROM crm_consent").fetchone() == (0,)
