"""Deeds on records: what they change, what they leave in the log, and what a refused one leaves: its event alone."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from hufu.audit import Subject
from hufu.audit.keys import subject_keys
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions, queries
from hufu.crm.resources import CUSTOMER, OPPORTUNITY

TABLES = ("crm_customer", "crm_opportunity")


class Watch:
    """The rows of the business tables and the events of the log, as the owner of the database sees them."""

    def __init__(self, owner):
        self.owner = owner
        self.rows = self._rows()
        self.seen = {row[0] for row in owner.execute("SELECT id FROM audit_event")}

    def _rows(self):
        return {
            table: self.owner.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in TABLES
        }

    def row(self, table, number):
        cursor = self.owner.execute(f"SELECT * FROM {table} WHERE id = %s", [number])
        names = [column.name for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))

    def events(self):
        """Return the bodies of the events that are new, oldest first."""
        rows = self.owner.execute("SELECT id, body FROM audit_event ORDER BY at, id").fetchall()
        return [json.loads(bytes(body)) for number, body in rows if number not in self.seen]

    def nothing_changed(self):
        return self._rows() == self.rows


@pytest.fixture
def watch(company, owner_connection):
    return Watch(owner_connection)


@contextmanager
def by(company, name):
    actor = company.actor(name)
    with acting(actor):
        yield actor


def new(company, owner="lin", partition="sh", **values):
    values = {"name": "苏州新客户有限公司", "stage": "new", **values}
    return actions.NewRecord(company.partitions[partition], company.people[owner], values)


def test_lin_creates_a_customer_of_her_department(company, watch):
    with by(company, "lin") as lin:
        number = actions.create_record(lin, CUSTOMER, new(company, phone="13812345678"))
    row = watch.row("crm_customer", number)
    assert (row["owner_id"], row["department_id"]) == (lin.user_id, company.departments["east"])
    assert (row["name_sort"], row["name_initials"]) == ("suzhouxinkehuyouxiangongsi", "szxkhyxgs")
    (event,) = watch.events()
    assert event["type"] == "customer.created"
    assert event["data"]["changes"]["name"] == {"after": "苏州新客户有限公司"}
    assert "13812345678" not in json.dumps(event), "personal values are ciphertext"
    with by(company, "lin"):
        key = subject_keys({Subject("customer", number)})[Subject("customer", number)]
    from uuid import UUID

    phone = event["personal"]["changes"]["phone"]
    assert key.open(UUID(event["id"]), "changes.phone", phone) == {"after": "13812345678"}


@pytest.mark.parametrize(
    ("who", "owner", "partition", "error"),
    [
        ("lin", "lin", "sz", Denied),
        ("lin", "tang", "sh", Denied),
        ("zhao", "zhao", "sh", Denied),
        ("chen", "chen", "sh", Denied),
        ("he", "he", "sh", Denied),
        ("zheng", "zheng", "sh", Denied),
        ("wang", "zheng", "sh", Invalid),
        ("wang", "chen", "sh", Invalid),
        ("wang", "sun", "sh", Invalid),
    ],
)
def test_a_record_that_is_not_theirs_to_create_leaves_at_most_a_refusal(
    company, watch, who, owner, partition, error
):
    with pytest.raises(error), by(company, who) as actor:
        actions.create_record(actor, CUSTOMER, new(company, owner, partition))
    assert watch.nothing_changed()
    assert [event["result"] for event in watch.events()] == ["refused"] * (error is Denied)


def test_many_are_created_all_or_none(company, watch):
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.create_many(lin, CUSTOMER, [new(company), new(company, "tang")])
    assert watch.nothing_changed()


@pytest.mark.parametrize("difference", [{"department_id": 1}, {"created_at": "2020-01-01T00:00:00Z"}])
def test_the_past_and_another_department_are_for_whoever_imports(company, watch, difference):
    record = actions.NewRecord(**{**vars(new(company)), **difference})
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.create_many(lin, CUSTOMER, [record])
    assert watch.nothing_changed()


def test_wang_edits_a_customer_of_the_line_and_the_log_says_before_and_after(company, watch):
    number = company.customer("qiming")
    with by(company, "wang") as wang:
        after = actions.edit_record(wang, CUSTOMER, number, {"stage": "won", "region": "上海"}, version=1)
    assert (after.stage, after.lock_version) == ("won", 2)
    (event,) = watch.events()
    assert event["type"] == "customer.changed"
    assert event["target"] == {"type": "customer", "id": number}
    assert event["data"]["changes"] == {
        "region": {"before": "", "after": "上海"},
        "stage": {"before": "following", "after": "won"},
    }


def test_a_change_of_a_personal_field_is_ciphertext_before_and_after(company, watch):
    with by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, company.customer("qiming"), {"phone": "13911112222"}, version=1)
    (event,) = watch.events()
    assert "changes" not in event["data"]
    assert list(event["personal"]["changes"]) == ["phone"]
    for number in ("13800006621", "13911112222"):
        assert number not in json.dumps(event)


def test_whoever_saves_second_overwrites_nothing(company, watch):
    number = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, number, {"stage": "won"}, version=1)
    for deed in (
        lambda a: actions.edit_record(a, CUSTOMER, number, {"stage": "lost"}, version=1),
        lambda a: actions.delete_record(a, CUSTOMER, number, version=1),
        lambda a: actions.transfer_record(
            a, CUSTOMER, number, to=company.people["tang"], reason="x", version=1
        ),
    ):
        with pytest.raises(Conflict), by(company, "lin") as lin:
            deed(lin)
    assert watch.row("crm_customer", number)["stage"] == "won"
    assert len(watch.events()) == 1


def test_saving_without_a_change_leaves_no_event(company, watch):
    with by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, company.customer("qiming"), {"stage": "following"}, version=1)
    assert watch.events() == []
    assert watch.nothing_changed()


DEEDS = {
    "edit": lambda a, c, n: actions.edit_record(a, CUSTOMER, n, {"stage": "won"}, version=1),
    "delete": lambda a, c, n: actions.delete_record(a, CUSTOMER, n, version=1),
    "transfer": lambda a, c, n: actions.transfer_record(
        a, CUSTOMER, n, to=c.people["zhang"], reason="调整", version=1
    ),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(
    ("who", "error"),
    [("lin", None), ("tang", Denied), ("zhao", Denied), ("chen", Denied), ("zhou", Denied)]
    + [(name, NotFound) for name in ("zhang", "sun", "qian", "feng", "he", "wu", "zheng")],
)
def test_who_may_do_what_with_lins_customer(company, watch, who, error, deed):
    number = company.customer("qiming")
    if error is None:
        with by(company, who) as actor:
            DEEDS[deed](actor, company, number)
        assert not watch.nothing_changed()
        assert [event["result"] for event in watch.events()] == ["done"]
        return
    with pytest.raises(error), by(company, who) as actor:
        DEEDS[deed](actor, company, number)
    assert watch.nothing_changed()
    (event,) = watch.events()
    assert (event["type"], event["result"]) == ("access.refused", "refused")
    assert event["data"]["permission"] == f"customer.{deed}"
    assert (
        event["reason"] == {Denied: "no_grant", NotFound: "not_found"}[error]
        or event["reason"] == "out_of_scope"
    )


def test_what_was_done_before_the_refusal_in_the_same_request_is_undone(company, watch):
    with pytest.raises(Denied), by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, company.customer("qiming"), {"stage": "won"}, version=1)
        actions.create_record(lin, CUSTOMER, new(company))
        actions.delete_record(lin, CUSTOMER, company.customer("haitian"), version=1)
    assert watch.nothing_changed()
    assert [event["type"] for event in watch.events()] == ["access.refused"]


@pytest.mark.parametrize("name", ["owner", "department", "partition", "created_at", "nonsense", "deleted_at"])
def test_a_field_that_deeds_alone_set_is_refused(company, watch, name):
    place = company.partitions["sh"]
    for deed in (
        lambda a: actions.edit_record(a, CUSTOMER, company.customer("qiming"), {name: 1}, version=1),
        lambda a: actions.create_record(
            a, CUSTOMER, actions.NewRecord(place, a.user_id, {"name": "x", name: 1})
        ),
    ):
        with pytest.raises(Denied), by(company, "lin") as lin:
            deed(lin)
    assert watch.nothing_changed()


def test_a_transfer_takes_the_new_owners_department_and_the_giver_loses_sight(company, watch):
    number = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.transfer_record(
            lin, CUSTOMER, number, to=company.people["zhang"], reason="区域调整", version=1
        )
        assert not queries.visible_titles(lin, CUSTOMER, [number])
    row = watch.row("crm_customer", number)
    assert (row["owner_id"], row["department_id"], row["lock_version"]) == (
        company.people["zhang"],
        company.departments["south"],
        2,
    )
    (event,) = watch.events()
    assert (event["type"], event["reason"]) == ("customer.transferred", "区域调整")
    assert event["data"]["to_owner"] == company.people["zhang"]


@pytest.mark.parametrize("to", ["zheng", "sun", "chen", "lin", None])
def test_nobody_becomes_owner_who_is_suspended_or_not_admitted_or_owner_already(company, watch, to):
    with pytest.raises(Invalid), by(company, "wang") as wang:
        actions.transfer_record(
            wang,
            CUSTOMER,
            company.customer("qiming"),
            to=company.people[to] if to else 999_999,
            reason="x",
            version=1,
        )
    assert watch.nothing_changed()


def test_those_offered_as_owners_are_those_who_may_own(company):
    with by(company, "wang") as wang:
        offered = {user.username for user in actions.possible_owners(wang, company.partitions["sh"])}
        assert offered == {"li", "wang", "lin", "tang", "zhang", "zhao", "qian"}
        offered = {user.username for user in actions.possible_owners(wang, company.partitions["sz"])}
        assert offered == {"li", "sun"}


def test_a_deleted_record_is_gone_for_everybody_and_stays_in_the_table(company, watch):
    number = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.delete_record(lin, CUSTOMER, number, version=1)
    row = watch.row("crm_customer", number)
    assert row["deleted_by_id"] == company.people["lin"]
    assert row["deleted_at"] is not None
    for name in ("lin", "wang", "li", "chen"):
        with pytest.raises(NotFound), by(company, name) as actor:
            queries.get_record(actor, CUSTOMER, number)
    deleted = next(event for event in watch.events() if event["type"] == "customer.deleted")
    assert deleted["data"]["changes"]["name"] == {"before": "上海启明精密机械有限公司"}


@pytest.mark.parametrize(
    ("who", "customer", "error"),
    [
        ("lin", "haitian", None),
        ("lin", "nanfang", Invalid),
        ("lin", "pengcheng", Invalid),
        ("li", "pengcheng", Invalid),
    ],
)
def test_an_opportunity_names_a_customer_that_its_author_may_view_in_its_partition(
    company, watch, who, customer, error
):
    record = new(company, who, "sh", stage="won", customer=company.customer(customer))
    if error is None:
        with by(company, who) as actor:
            actions.create_record(actor, OPPORTUNITY, record)
        return
    with pytest.raises(error), by(company, who) as actor:
        actions.create_record(actor, OPPORTUNITY, record)
    assert watch.nothing_changed()


def test_an_absent_customer_and_one_out_of_sight_are_refused_with_the_same_words(company):
    told = []
    for customer in (company.customer("nanfang"), 999_999):
        with pytest.raises(Invalid) as refused, by(company, "lin") as lin:
            actions.create_record(lin, OPPORTUNITY, new(company, stage="won", customer=customer))
        told.append(str(refused.value))
    assert told[0] == told[1]


def test_an_opportunity_may_have_no_customer(company, watch):
    with by(company, "lin") as lin:
        number = actions.create_record(lin, OPPORTUNITY, new(company, stage="won"))
    assert watch.row("crm_opportunity", number)["customer_id"] is None


def test_reading_a_list_is_one_event_with_what_was_asked_and_given(company, watch):
    with by(company, "lin") as lin:
        queries.list_records(
            lin, CUSTOMER, queries.ListQuery(filters={"stage": ["following"]}, search="上海")
        )
    (event,) = watch.events()
    assert event["type"] == "customer.listed"
    assert event["data"]["ids"] == [company.customer("qiming")]
    assert event["data"]["filter"] == ["stage"]
    assert "上海" not in json.dumps(event, ensure_ascii=False), "what somebody looks for is theirs"
