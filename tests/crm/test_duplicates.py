"""The duplicate check (查重), values that are nobody else's, and the steward's list."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import Error, connection
from django.utils import translation

from hufu.access import change_sets, policy_document, policy_file, quotas, requests
from hufu.access.models import ChangeSet
from hufu.core import clock
from hufu.core.errors import Conflict, Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions, duplicates
from hufu.crm.resources import CONTACT, CUSTOMER
from tests.company import publish, unpublish
from tests.web.log import entries

CODE = "91310000MA1FL00043"
OTHER = "91310115MA1K35LD4R"
CHECK = "customer.check_duplicate"


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def coded(company, owner_connection):
    """The company, in which 张伟's 南方, whom 林悦 does not see, has a code, and so has 孙海's in Shenzhen."""
    for name, code in (("nanfang", CODE), ("pengcheng", OTHER)):
        owner_connection.execute(
            "UPDATE crm_customer SET code = %s WHERE id = %s", [code, company.customer(name)]
        )
    return company


def check(company, who, text):
    actor = company.actor(who)
    with acting(actor):
        return duplicates.check(actor, CUSTOMER, text)


def new(company, who, partition="sh", **values):
    actor = company.actor(who)
    with acting(actor):
        place = company.partitions[partition]
        said = {"name": "新客户", "stage": "new", **values}
        return actions.create_record(actor, CUSTOMER, actions.NewRecord(place, actor.user_id, said))


def edit(company, who, customer, version=1, **values):
    actor = company.actor(who)
    with acting(actor):
        return actions.edit_record(actor, CUSTOMER, company.customer(customer), values, version=version)


def limit(company, per_day, **more):
    """何明 gives out so many checks a day, before version 1."""
    he = company.actor("he")
    said = {"key": "checks", "name": "查重", "counts": CHECK, "per_day": per_day}
    said |= {"zone": "Asia/Shanghai", "warn_at": 80, **more}
    with acting(he):
        policy_file.apply(he, {"format": 1, "quotas": [said]})


def left(company, who):
    actor = company.actor(who)
    with acting(actor):
        return [one.left for one in quotas.standing(actor, CHECK)]


def take_away(owner_connection, permission):
    owner_connection.execute("DELETE FROM access_grant WHERE permission = %s", [permission])
    owner_connection.execute("DELETE FROM access_term_grant WHERE permission = %s", [permission])


def test_a_check_tells_that_there_is_one_whose_it_is_and_nothing_else(coded, owner_connection):
    [found] = check(coded, "lin", "广州南方电子有限公司")
    assert found.record is None
    assert duplicates.facts_in_words(CUSTOMER, found.told) == [("Owner", "张伟"), ("Department", "华南")]
    # By code however it is written, by phone in any form, and never by a part.
    [by_code] = check(coded, "lin", f" {CODE[:8].lower()}-{CODE[8:]} ")
    [by_phone] = check(coded, "lin", "+86 137-0000-2222")
    assert (by_code.fields, by_phone.fields) == (("code",), ("phone",))
    for nothing in ("广州南方", "2222", CODE[:17], "没有这样的公司", "深圳鹏程科技有限公司", OTHER):
        assert check(coded, "lin", nothing) == []
    # Her own is named, and a colleague's whose phone she reads only masked is not, by that phone.
    assert check(coded, "lin", "上海启明精密机械有限公司")[0].record == coded.customer("qiming")
    assert check(coded, "lin", "13900001111")[0].record is None
    event = entries(owner_connection, "customer.duplicate_checked")[0]
    assert event.data == {"fields": ["name"], "found": 1, "hits": [found.hit], "refused": False}
    assert "南方" not in str(event)


def test_a_check_takes_the_permission_and_counts_against_the_quota(coded, owner_connection):
    unpublish(owner_connection)
    with pytest.raises(Denied):
        check(coded, "chen", "广州南方电子有限公司")
    limit(coded, 2)
    check(coded, "lin", "没有这样的公司")
    check(coded, "lin", "广州南方电子有限公司")
    with pytest.raises(Denied, match="used up"):
        check(coded, "lin", "广州南方电子有限公司")
    assert left(coded, "lin") == [0]
    assert len(check(coded, "tang", "广州南方电子有限公司")) == 1
    for empty in ("", "  ", "\x00", "x" * 501):
        with pytest.raises(Invalid):
            check(coded, "tang", empty)
    assert left(coded, "tang") == [1]


def test_a_taken_code_is_refused_and_that_is_a_check(coded, owner_connection):
    unpublish(owner_connection)
    limit(coded, 3)
    with pytest.raises(Invalid) as refused:
        new(coded, "lin", code=CODE)
    said = refused.value.problems["code"][0]
    assert "张伟" in said
    assert "华南" in said
    assert "南方" not in said
    assert left(coded, "lin") == [2]
    event = entries(owner_connection, "customer.duplicate_checked")[0]
    assert (event.data["refused"], event.data["found"]) == (True, 1)
    # Editing, and written in another way.
    with pytest.raises(Invalid, match="张伟"):
        edit(coded, "lin", "qiming", code=CODE)
    assert left(coded, "lin") == [1]
    # What is in another partition is nobody's business here.
    edit(coded, "lin", "qiming", code=OTHER)
    assert left(coded, "lin") == [1]
    # A record that one views is named, and nothing counts.
    with pytest.raises(Invalid, match="上海启明精密机械有限公司"):
        new(coded, "lin", code=OTHER)
    assert left(coded, "lin") == [1]
    # Twice found by the same, once told.
    [hit] = _hits(coded, "lin")
    assert hit.fields == ("code",)
    assert hit.record is None


def _hits(company, who):
    actor = company.actor(who)
    with acting(actor):
        return duplicates.my_hits(actor, CUSTOMER)


def test_a_record_that_one_may_view_by_now_is_named_among_what_was_found_and_stands_once(
    coded, owner_connection
):
    for text in ("广州南方电子有限公司", CODE, "137 0000 2222", CODE):
        check(coded, "lin", text)
    # One record, and nothing says so: it stands once for each field that found it.
    assert [(one.fields, one.record) for one in _hits(coded, "lin")] == [
        (("code",), None),
        (("phone",), None),
        (("name",), None),
    ]
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = %s WHERE id = %s",
        [coded.people["lin"], coded.customer("nanfang")],
    )
    [now] = _hits(coded, "lin")
    assert (now.fields, now.record) == (("code",), coded.customer("nanfang"))


def test_whoever_may_not_check_learns_only_that_the_code_is_taken(coded, owner_connection):
    take_away(owner_connection, CHECK)
    with pytest.raises(Invalid) as refused:
        new(coded, "lin", code=CODE)
    said = refused.value.problems["code"][0]
    assert "张伟" not in said
    assert "华南" not in said
    assert "another record of this partition" in said.lower()
    assert entries(owner_connection, "customer.duplicate_checked")[0].data["hits"] == []
    assert owner_connection.execute("SELECT count(*) FROM crm_duplicate_hit").fetchone() == (0,)


def test_without_a_check_left_codes_free_and_taken_are_refused_alike(coded, owner_connection):
    unpublish(owner_connection)
    limit(coded, 1)
    with pytest.raises(Invalid):
        new(coded, "lin", code=CODE)
    said = []
    for code in (CODE, "91310000MA1FL0005X"):
        with pytest.raises(Invalid) as refused:
            new(coded, "lin", code=code)
        said.append(refused.value.problems)
        with pytest.raises(Invalid) as refused:
            edit(coded, "lin", "qiming", code=code)
        said.append(refused.value.problems)
    assert said[0] == said[1] == said[2] == said[3]
    assert "used up" in str(said[0])
    assert new(coded, "lin", name="没有代码")
    assert edit(coded, "lin", "qiming", name="改名")
    # Whoever may not check counts, too: forms answer nobody more often than the quota allows.
    take_away(owner_connection, CHECK)
    with pytest.raises(Invalid, match="may not view"):
        new(coded, "tang", code=CODE)
    assert left(coded, "tang") == [0]
    with pytest.raises(Invalid, match="used up"):
        new(coded, "tang", code="91310000MA1FL0005X")


def test_the_unique_conflict_is_no_oracle(coded, owner_connection):
    """A name or phone of a record that 林悦 does not see saves, answers like any other, and waits for the steward."""
    before = owner_connection.execute("SELECT count(*) FROM audit_event").fetchone()[0]
    free = new(coded, "lin", name="独一无二", phone="13512345678")
    between = owner_connection.execute("SELECT count(*) FROM audit_event").fetchone()[0]
    taken = new(coded, "lin", name="广州南方电子有限公司", phone="137 0000 2222")
    after = owner_connection.execute("SELECT count(*) FROM audit_event").fetchone()[0]
    assert taken
    assert free
    assert after - between == between - before
    rows = owner_connection.execute(
        "SELECT field, record_id, other_id, found_by FROM crm_duplicate ORDER BY id"
    )
    lin = coded.people["lin"]
    assert rows.fetchall() == [
        ("name", taken, coded.customer("nanfang"), lin),
        ("phone", taken, coded.customer("nanfang"), lin),
    ]
    # Another partition never conflicts.
    new(coded, "lin", name="深圳鹏程科技有限公司", phone="13600003333")
    # An edit that ends it takes it off the list, one that begins it puts it on.
    actor = coded.actor("lin")
    with acting(actor):
        actions.edit_record(actor, CUSTOMER, taken, {"name": "改名"}, version=1)
        actions.edit_record(actor, CUSTOMER, free, {"name": "广州南方电子有限公司"}, version=1)
    rows = owner_connection.execute("SELECT field, record_id FROM crm_duplicate ORDER BY id").fetchall()
    assert rows == [("phone", taken), ("name", free)]


def test_sql_of_the_application_tells_no_more(coded):
    """Whoever runs SQL as 林悦, in the application's place, gets neither number nor name of what she may not view."""
    lin = coded.actor("lin")
    found = check(coded, "lin", "广州南方电子有限公司")
    with acting(lin), connection.cursor() as cursor:
        for table in ("crm_duplicate", "crm_duplicate_dispute"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT hufu.check_duplicate_crm_customer(%s, 1)", ['{"name": "广州南方电子有限公司"}']
        )
        said = cursor.fetchone()[0]
        assert f'"record": {coded.customer("nanfang")}' not in said
        cursor.execute("SELECT * FROM hufu.stewarded_crm_customer(%s)", [[coded.customer("nanfang")]])
        assert cursor.fetchall() == []
        cursor.execute("SELECT record FROM hufu.my_duplicate_hits(9)")
        assert cursor.fetchall() == [(None,)]
    for sql in (
        "SELECT * FROM crm_duplicate_hit",
        "SELECT hufu.find_duplicates_crm_customer('{}', ARRAY[1])",
        "SELECT hufu.count_check('customer.check_duplicate', 1)",
        "SELECT hufu.check_duplicate_crm_customer('{}', 0)",
        f"SELECT hufu.taken_crm_customer('code', '{OTHER}', {coded.partitions['sz']}, 1)",
        f"SELECT hufu.taken_crm_customer('name', '广州南方电子有限公司', {coded.partitions['sh']}, 1)",
        f"UPDATE crm_customer SET code_repeated = true WHERE id = {coded.customer('qiming')}"
        " RETURNING 1 / (code_repeated::int)",
    ):
        with pytest.raises(Error) as refused, acting(lin), connection.cursor() as cursor:
            cursor.execute(sql)
        assert type(refused.value.__cause__) in (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.DivisionByZero,
        ), sql
    with pytest.raises(Error) as refused, acting(lin), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_customer SET code = %s, updated_by_id = %s WHERE id = %s",
            [CODE, lin.user_id, coded.customer("qiming")],
        )
    assert refused.value.__cause__.diag.message_detail is None
    # What was refused found nothing: the latest is that of the check by SQL.
    assert [f'"hit": {one.hit},' in said for one in _hits(coded, "lin")] == [True]
    assert f'"hit": {found[0].hit},' not in said


def test_a_code_is_freed_by_the_bin_and_taken_back_only_if_nobody_has_it(coded, owner_connection):
    zhang = coded.actor("zhang")
    with acting(zhang):
        actions.delete_record(zhang, CUSTOMER, coded.customer("nanfang"), version=1)
    new(coded, "lin", code=CODE)
    with pytest.raises(Invalid, match="林悦"), acting(zhang):
        actions.restore_record(zhang, CUSTOMER, coded.customer("nanfang"), version=2)
    # Nor does a move into a partition bring a code that is taken there.
    li = coded.actor("li")
    owner_connection.execute(
        "UPDATE crm_customer SET code = %s WHERE id = %s", [CODE, coded.customer("pengcheng")]
    )
    with pytest.raises(Invalid, match="新客户"), acting(li):
        actions.move_record(
            li,
            CUSTOMER,
            coded.customer("pengcheng"),
            to=coded.partitions["sh"],
            owner=coded.people["lin"],
            reason="x",
            version=1,
        )


def test_what_is_told_is_the_companys_choice(coded, owner_connection):
    """何明 lets a check tell the stage, too; the policy file says so and comes back to the byte."""
    publish(coded, {"format": 1, "duplicate_check": {"customer": ["owner", "stage", "created_at"]}})
    [found] = check(coded, "lin", "广州南方电子有限公司")
    assert set(found.told) == {"owner", "stage", "created_at"}
    he = coded.actor("he")
    with acting(he):
        assert policy_document.export()["duplicate_check"] == {"customer": ["owner", "stage", "created_at"]}
        assert policy_document.plan(policy_document.export()) == ()
        for wrong in ("phone", "name", "note", "nonsense"):
            with pytest.raises(Invalid):
                policy_document.plan({"format": 1, "duplicate_check": {"customer": [wrong]}})
        # To tell less takes nobody else.
        [step] = policy_document.plan({"format": 1, "duplicate_check": {"customer": []}})
        assert step.narrows
    with acting(he):
        assert change_sets.submit(
            he, {"format": 1, "duplicate_check": {"customer": []}}, title="少说"
        ).version
    assert check(coded, "lin", "广州南方电子有限公司")[0].told == {}
    with acting(he):
        back = change_sets.roll_back(he, 1, reason="退回")
        assert not back.version
        assert "duplicate_check" in ChangeSet.objects.get(number=back.number).document


def test_the_steward_works_off_pairs_and_disputes(coded, owner_connection):
    taken = new(coded, "lin", name="广州南方电子有限公司")
    [found] = check(coded, "lin", CODE)
    lin, li = coded.actor("lin"), coded.actor("li")
    with acting(lin):
        with pytest.raises(Invalid):
            duplicates.dispute(lin, CUSTOMER, found.hit, reason=" ")
        number = duplicates.dispute(lin, CUSTOMER, found.hit, reason="我去年就在跟进")
    for who, hit in (("lin", found.hit), ("tang", found.hit), ("lin", 10**9)):
        actor = coded.actor(who)
        with pytest.raises(NotFound), acting(actor):
            duplicates.dispute(actor, CUSTOMER, hit, reason="再来一次")
    assert _hits(coded, "lin")[0].disputed
    with acting(li):
        [pair] = duplicates.pairs(li, CUSTOMER)
        assert (pair.first.number, pair.second.number) == (taken, coded.customer("nanfang"))
        assert pair.second.title == "广州南方电子有限公司"
        assert pair.second.facts["owner"] == coded.people["zhang"]
        [(row, side)] = duplicates.disputes(li, CUSTOMER)
        assert (row.pk, row.reason, side.number) == (number, "我去年就在跟进", coded.customer("nanfang"))
        duplicates.decide(li, CUSTOMER, pair.row.pk, state="merge")
        with pytest.raises(Invalid):
            duplicates.answer_dispute(li, CUSTOMER, number, outcome="", answer="归张伟")
        duplicates.answer_dispute(li, CUSTOMER, number, outcome="kept", answer="归张伟")
        assert duplicates.pairs(li, CUSTOMER) == []
        assert duplicates.disputes(li, CUSTOMER) == []
        assert len(duplicates.pairs(li, CUSTOMER, state="merge")) == 1
    # Whoever disputed reads the answer, and nobody else; it names no number.
    with acting(lin):
        [said] = duplicates.my_disputes(lin)
    assert (said.outcome, said.answer, said.closed_by) == ("kept", "归张伟", li.user_id)
    assert not hasattr(said, "record_id")
    tang = coded.actor("tang")
    with acting(tang):
        assert duplicates.my_disputes(tang) == []
    # 王芳 is no steward; a steward of Shenzhen alone would see nothing of Shanghai.
    wang = coded.actor("wang")
    with pytest.raises(Denied), acting(wang):
        duplicates.pairs(wang, CUSTOMER)
    # What was looked at stays so while both are what they were.
    owner_connection.execute("UPDATE crm_customer SET phone_index = NULL WHERE id = %s", [taken])
    assert owner_connection.execute("SELECT state FROM crm_duplicate").fetchall() == [("merge",)]
    # A record that goes for good takes all of it along.
    owner_connection.execute("DELETE FROM access_team_member")
    owner_connection.execute("DELETE FROM crm_customer WHERE id = %s", [coded.customer("nanfang")])
    for table in ("crm_duplicate", "crm_duplicate_hit", "crm_duplicate_dispute"):
        assert owner_connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_whoever_asks_to_join_does_not_read_by_sql_which_record_it_is(coded):
    [found] = check(coded, "lin", CODE)
    lin, wang = coded.actor("lin"), coded.actor("wang")
    with acting(lin):
        number = duplicates.ask_to_join(
            lin, CUSTOMER, found.hit, access="read", until=clock.now() + timedelta(days=7), reason="客户来电"
        )
    asked = "SELECT record_id FROM hufu.asked_numbers(%s::bigint[])"
    with acting(lin), connection.cursor() as cursor:
        cursor.execute("SELECT hit FROM access_request WHERE id = %s", [number])
        assert cursor.fetchall() == [(found.hit,)]
        cursor.execute(asked, [[number]])
        assert cursor.fetchall() == []
    with pytest.raises(Error, match="permission denied"), acting(lin), connection.cursor() as cursor:
        cursor.execute("SELECT record_id FROM access_request WHERE id = %s", [number])
    # Whoever may decide learns it, and so does everybody of what they typed themselves.
    with acting(wang), connection.cursor() as cursor:
        cursor.execute(asked, [[number]])
        assert cursor.fetchall() == [(coded.customer("nanfang"),)]
    with acting(lin), connection.cursor() as cursor:
        typed = requests.ask_for_record(
            lin, "customer", "999", access="read", until=clock.now() + timedelta(days=7), reason="客户来电"
        )
        cursor.execute(asked, [[number, typed.pk]])
        assert cursor.fetchall() == [(999,)]


def test_disputing_one_hit_does_not_tell_which_others_are_the_same_record(coded):
    [by_code] = check(coded, "lin", CODE)
    [by_name] = check(coded, "lin", "广州南方电子有限公司")
    assert by_code.fields != by_name.fields
    lin, li = coded.actor("lin"), coded.actor("li")
    with acting(lin):
        duplicates.dispute(lin, CUSTOMER, by_code.hit, reason="我去年就在跟进")
        standing = {one.fields: one.disputed for one in duplicates.my_hits(lin, CUSTOMER)}
        assert standing == {by_code.fields: True, by_name.fields: False}
        # The other is disputed by itself, as if it were another record.
        duplicates.dispute(lin, CUSTOMER, by_name.hit, reason="一直是我的")
        assert all(one.disputed for one in duplicates.my_hits(lin, CUSTOMER))
        with pytest.raises(NotFound):
            duplicates.dispute(lin, CUSTOMER, by_name.hit, reason="再来一次")
    # The steward sees that both are one customer.
    with acting(li):
        assert {side.number for _row, side in duplicates.disputes(li, CUSTOMER)} == {
            coded.customer("nanfang")
        }


def test_what_was_learnt_counts_whatever_becomes_of_the_rest(coded, owner_connection):
    """A door that gives up after the refusal, or is refused itself, undoes neither the count nor the record."""
    unpublish(owner_connection)
    limit(coded, 9)
    lin = coded.actor("lin")
    said = {"name": "新客户", "stage": "new", "code": CODE}
    for error in (Conflict("x"), Denied(None, "x"), None):
        try:
            with acting(lin):
                with pytest.raises(Invalid):
                    actions.create_record(
                        lin, CUSTOMER, actions.NewRecord(coded.partitions["sh"], lin.user_id, said)
                    )
                if error:
                    raise error
        except (Conflict, Denied):
            pass
    assert left(coded, "lin") == [6]
    assert len(entries(owner_connection, "customer.duplicate_checked")) == 3
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE code = %s", [CODE]
    ).fetchone() == (1,)


def test_the_phone_of_a_contact_finds_its_customer_and_tells_no_more_of_it(coded, owner_connection):
    """唐亮 reads the phones of 林悦's contacts only masked; of 张伟's customer 林悦 learns whose it is, no contact."""
    gao = contact_with(coded, "lin", "qiming", "13500009999")
    contact_with(coded, "zhang", "nanfang", "13500008888")
    [found] = check(coded, "lin", "+86 135 0000 8888")
    assert (found.fields, found.record) == (("contact.phone",), None)
    assert duplicates.facts_in_words(CUSTOMER, found.told) == [("Owner", "张伟"), ("Department", "华南")]
    assert duplicates.fields_in_words(CUSTOMER, found.fields) == "Phone (Contact)"
    [own] = check(coded, "lin", "13500009999")
    assert own.record == coded.customer("qiming")
    assert check(coded, "tang", "13500009999")[0].record is None
    assert [hit.record for hit in _hits(coded, "tang")] == [None]
    for nothing in ("9999", "1350000", "13500007777"):
        assert check(coded, "lin", nothing) == []
    assert check(coded, "sun", "13500009999") == []
    # What lies in the bin is not found, and neither is what was erased.
    owner_connection.execute("UPDATE crm_contact SET deleted_at = now() WHERE id = %s", [gao])
    assert check(coded, "lin", "13500009999") == []


def contact_with(company, who, customer, phone):
    """Let somebody add a contact with a phone to a customer; return its number."""
    actor = company.actor(who)
    with acting(actor):
        new_contact = actions.NewChild(company.customer(customer), {"name": "新联系人", "phone": phone})
        return actions.create_child(actor, CONTACT, new_contact)
