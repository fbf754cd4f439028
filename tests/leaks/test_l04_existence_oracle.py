"""L04, existence oracle: absent and forbidden answer alike, to the byte, for every deed and way to name a record."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from hufu.core.errors import Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions, queries
from hufu.crm.resources import CUSTOMER, OPPORTUNITY

ABSENT = 987_654
DEEDS = {
    "view": lambda a, n: queries.get_record(a, CUSTOMER, n),
    "edit": lambda a, n: actions.edit_record(a, CUSTOMER, n, {"stage": "won"}, version=1),
    "edit of a field that is none": lambda a, n: actions.edit_record(a, CUSTOMER, n, {"x": "won"}, version=1),
    "edit of an old version": lambda a, n: actions.edit_record(a, CUSTOMER, n, {"stage": "won"}, version=7),
    "delete": lambda a, n: actions.delete_record(a, CUSTOMER, n, version=1),
    "transfer": lambda a, n: actions.transfer_record(a, CUSTOMER, n, to=a.user_id, reason="x", version=1),
    "transfer to nobody": lambda a, n: actions.transfer_record(a, CUSTOMER, n, to=0, reason="x", version=1),
}


def _outcome(company, name, deed, number):
    actor = company.actor(name)
    with pytest.raises(NotFound) as refused, acting(actor):
        DEEDS[deed](actor, number)
    event = dict(refused.value.event)
    target = event.pop("target")
    assert target is None or (target.id, target.partition_id) == (number, None)
    return type(refused.value), str(refused.value), event


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("name", ["zhang", "sun", "qian", "he", "wu", "feng"])
def test_a_deed_on_a_record_out_of_sight_fails_like_one_on_an_absent_record(unharmed, name, deed):
    hidden = _outcome(unharmed, name, deed, unharmed.customer("qiming"))
    absent = _outcome(unharmed, name, deed, ABSENT)
    assert hidden == absent


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63 - 1, 2**63, 10**30])
@pytest.mark.parametrize("deed", ["view", "edit", "delete", "transfer"])
def test_a_number_that_no_record_can_have_is_absent_too(unharmed, deed, number):
    assert _outcome(unharmed, "lin", deed, number) == _outcome(unharmed, "lin", deed, ABSENT)


def test_the_same_deeds_by_lin_are_not_refused_that_way(company):
    with acting(company.actor("lin")):
        DEEDS["view"](company.actor("lin"), company.customer("qiming"))
        DEEDS["edit"](company.actor("lin"), company.customer("qiming"))


def test_a_deleted_record_looks_absent(company):
    number = company.customer("qiming")
    with acting(company.actor("lin")):
        DEEDS["delete"](company.actor("lin"), number)
    for deed in DEEDS:
        assert _outcome(company, "lin", deed, number) == _outcome(company, "lin", deed, ABSENT)


NUMBERS = (ABSENT, 0, 2**31, 2**63 - 1, 2**63, 10**30)
PAGES = [
    (type_name, suffix, method)
    for type_name in ("customer", "opportunity")
    for suffix, methods in {
        "record": ("GET",),
        "edit": ("GET", "POST"),
        "transfer": ("GET", "POST"),
        "delete": ("POST",),
    }.items()
    for method in methods
]
# What differs between any two answers of one page.
VARIES = {"Date", "Expires", "X-Request-ID"}


@pytest.mark.parametrize(("type_name", "suffix", "method"), PAGES)
def test_a_page_of_a_record_out_of_sight_and_of_an_absent_one_are_the_same(
    unharmed, sign_in, type_name, suffix, method
):
    number = unharmed.customer("qiming") if type_name == "customer" else unharmed.opportunity("machines")
    client = sign_in("zhang")
    answers = []
    for each in (number, *NUMBERS):
        url = reverse(f"{type_name}_{suffix}", args=[4321]).replace("4321", str(each))
        form = {
            "version": "1",
            "to": str(unharmed.people["zhang"]),
            "reason": "x",
            "name": "x",
            "stage": "won",
        }
        answer = client.get(url) if method == "GET" else client.post(url, form)
        headers = {name: value for name, value in answer.headers.items() if name not in VARIES}
        answers.append((answer.status_code, answer.content.replace(f"/{each}/".encode(), b"/N/"), headers))
    assert answers[0][0] == 404
    for answer in answers[1:]:
        assert answer == answers[0]
    assert sign_in("lin").get(reverse(f"{type_name}_record", args=[number])).status_code == 200


def test_both_leave_an_event_of_the_same_shape(unharmed, sign_in, owner_connection):
    client = sign_in("zhang")
    shapes = []
    for number in (unharmed.customer("qiming"), ABSENT):
        client.get(f"/customers/{number}/edit")
        body = owner_connection.execute(
            "SELECT body FROM audit_event WHERE type = 'access.refused' AND target_id = %s ORDER BY at DESC LIMIT 1",
            [str(number)],
        ).fetchone()[0]
        event = json.loads(bytes(body))
        told = {name: event[name] for name in ("type", "result", "reason", "partition", "personal")}
        shapes.append({**told, "permission": event["data"]["permission"]})
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("version", ["0", "2", "99999999999", "-1", "x", "", "9" * 40, "٣"])
@pytest.mark.parametrize("suffix", ["edit", "transfer", "delete"])
def test_a_version_in_the_request_tells_nothing_about_a_record_out_of_sight(
    unharmed, sign_in, suffix, version
):
    client, number = sign_in("zhang"), unharmed.customer("qiming")
    form = {"version": version, "to": "1", "reason": "x", "name": "x", "stage": "won"}
    hidden, absent = (client.post(f"/customers/{each}/{suffix}", form) for each in (number, ABSENT))
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404


@pytest.mark.parametrize("version", ["0", "2", "99999999999", "-1", "x", "", "9" * 40, "٣"])
@pytest.mark.parametrize("suffix", ["edit", "transfer", "delete"])
def test_a_wrong_version_by_whoever_may_is_a_conflict_and_no_accident(
    unharmed, sign_in, owner_connection, suffix, version
):
    number = unharmed.customer("qiming")
    form = {
        "version": version,
        "to": str(unharmed.people["tang"]),
        "reason": "x",
        "name": "x",
        "stage": "won",
    }
    answer = sign_in("lin").post(f"/customers/{number}/{suffix}", form)
    assert answer.status_code in (200, 400, 409), answer.status_code
    row = owner_connection.execute(
        "SELECT lock_version, deleted_at FROM crm_customer WHERE id = %s", [number]
    )
    assert row.fetchone() == (1, None)


def test_relating_to_a_hidden_customer_and_to_an_absent_one_is_refused_with_the_same_words(company, sign_in):
    told = []
    for number in (company.customer("nanfang"), company.customer("pengcheng"), ABSENT, 10**30):
        with pytest.raises(Invalid) as refused, acting(company.actor("lin")):
            new = actions.NewRecord(
                company.partitions["sh"],
                company.people["lin"],
                {"name": "x", "stage": "won", "customer": number},
            )
            actions.create_record(company.actor("lin"), OPPORTUNITY, new)
        form = {"name": "x", "stage": "won", "customer": str(number)}
        page = sign_in("lin").post("/opportunities/new", form)
        told.append((str(refused.value), page.status_code, page.content.replace(str(number).encode(), b"N")))
    assert [each[:2] for each in told] == [told[0][:2]] * 4
    assert sign_in("lin").post("/opportunities/new", {"name": "x", "stage": "won"}).status_code == 302


def test_two_people_may_enter_the_same_name_and_phone_without_a_word(company):
    """No unique index answers for a record out of sight: 张伟 enters what 林悦 has.

    The exclusive code is the documented exception (tests/crm/test_duplicates.py).
    """
    for name in ("lin", "zhang"):
        actor = company.actor(name)
        with acting(actor):
            values = {"name": "上海启明精密机械有限公司", "stage": "new", "phone": "13800006621"}
            assert actions.create_record(
                actor, CUSTOMER, actions.NewRecord(company.partitions["sh"], actor.user_id, values)
            )


def test_numbers_of_new_records_come_from_a_sequence_that_tells_only_how_many_there_are(company):
    """Accepted: whoever creates two records a day apart learns how many were created between (as in every CRM)."""
    numbers = []
    for name in ("lin", "sun", "lin"):
        actor = company.actor(name)
        with acting(actor):
            place = company.partitions["sz" if name == "sun" else "sh"]
            numbers.append(
                actions.create_record(
                    actor, CUSTOMER, actions.NewRecord(place, actor.user_id, {"name": "x", "stage": "new"})
                )
            )
    assert numbers == sorted(numbers)
