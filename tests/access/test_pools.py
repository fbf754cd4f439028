"""Pools: a record without owner is viewed and claimed by members of its pool, and by `everything`; by nobody else."""

from __future__ import annotations

from threading import Thread

import psycopg
import pytest

from hufu.access import as_of, explain, explain_fields, guard, policy_document, pools, queries
from hufu.access.actions import Principal
from hufu.access.decision.decide import Code
from hufu.access.decision.field_access import FieldCode
from hufu.access.models import Pool
from hufu.access.pools import PoolSays
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Conflict, Denied, Invalid, NotFound, TooLate
from hufu.core.transaction import acting
from hufu.crm import actions
from hufu.crm import queries as crm
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER
from hufu.people.models import Department
from tests.company import publish, unpublish
from tests.crm.acts import by, last, may

OPERATOR = Actor.operator()
HIDES = ["customer.phone", "contact.phone", "customer.customer_level"]
POOLS = [
    {
        "key": "east",
        "name": "华东公海",
        "type": "customer",
        "partition": "sh",
        "members": [{"department": "east"}, {"user": "chen"}],
        "hides": HIDES,
    },
    {"key": "far", "name": "深圳公海", "type": "customer", "partition": "sz", "members": {"user": "lin"}},
]


@pytest.fixture(scope="module")
def beginning():
    """Two pools, 启明 in that of 华东, put there by 林悦; representatives claim from theirs."""
    return with_pools


@pytest.fixture
def pooled(begun):
    return begun


def with_pools(company):
    with acting(company.actor("he")):
        standing = {role["key"]: role for role in policy_document.export()["roles"]}
    rep = {**standing["rep"], "grants": {**standing["rep"]["grants"], "customer.claim": "own"}}
    executive = {**standing["executive"]}
    executive["grants"] = {**executive["grants"], "customer.claim": "everything"}
    publish(company, {"format": 1, "pools": POOLS, "roles": [rep, executive]})
    release(company, "lin", "qiming")


def release(company, name, customer, pool="east", version=1):
    with by(company, name) as actor:
        into = Pool.objects.get(key=pool).pk
        actions.release_record(
            actor, CUSTOMER, company.customer(customer), pool=into, reason="久未跟进", version=version
        )


def seen(company, name, permission="customer.view"):
    """Return the customers that somebody's list shows, by name."""
    numbers = {number: customer for customer, number in company.customers.items()}
    with by(company, name) as actor:
        return {numbers[pk] for pk in guard.scope(actor, permission).values_list("pk", flat=True)}


def told(company, name, permission, customer):
    """Return the decision about somebody, and its sentences, as 何明 is told."""
    he = company.actor("he")
    with acting(OPERATOR):
        row = guard.scope(OPERATOR, "customer.view").get(pk=company.customer(customer))
        facts = queries.facts(CUSTOMER, row)
    with acting(he):
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, company.people[name], permission, facts)
        return decision, list(explain.sentences(snapshot, decision))


def test_members_view_and_claim_what_lies_in_their_pool_and_everybody_else_does_not(pooled):
    # 唐亮 by the department, 李强 by `everything`, 陈静 and 周涛 (who view all of 上海) by it, too.
    assert {name for name in ("lin", "tang", "li", "chen", "zhou") if "qiming" in seen(pooled, name)} == {
        *("lin", "tang", "li", "chen", "zhou")
    }
    # 王芳: her people are members, she is not; her department and her subordinates are no way to it.
    assert "qiming" not in seen(pooled, "wang")
    # 张伟 is of another department.
    assert "qiming" not in seen(pooled, "zhang")
    assert seen(pooled, "tang", "customer.claim") == {"qiming"}
    assert seen(pooled, "li", "customer.claim") == {"qiming"}
    # 赵敏 and 陈静 are members and hold view, not claim.
    assert "qiming" in seen(pooled, "zhao")
    assert seen(pooled, "zhao", "customer.claim") == seen(pooled, "chen", "customer.claim") == set()
    # To be a member opens nothing but view and claim: not even to the one whose it was.
    for permission in ("customer.edit", "customer.delete", "customer.transfer", "customer.share"):
        assert "qiming" not in seen(pooled, "lin", permission), permission


def test_membership_opens_nothing_beyond_the_wall_and_nothing_without_the_permission(
    pooled, owner_connection
):
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = NULL, pool_id = (SELECT id FROM access_pool WHERE key = 'far')"
        " WHERE id = %s",
        [pooled.customer("pengcheng")],
    )
    # 林悦 is a member of the pool of 深圳 and not admitted there; 孙海 is admitted and no member: it was his own.
    assert "pengcheng" not in seen(pooled, "lin")
    assert "pengcheng" not in seen(pooled, "sun")
    assert "pengcheng" in seen(pooled, "li")
    # 钱多 is of 华东, and holds nothing.
    assert seen(pooled, "qian") == set()


def test_who_claims_becomes_the_owner_in_their_own_department(pooled, owner_connection):
    qiming = pooled.customer("qiming")
    with by(pooled, "tang") as tang:
        actions.claim_record(tang, CUSTOMER, qiming, version=2)
    with by(pooled, "tang") as tang:
        row = guard.get(tang, "customer.edit", qiming)
        assert (row.owner_id, row.pool_id) == (pooled.people["tang"], None)
        assert row.department_id == pooled.departments["east"]
    said = last(owner_connection, "customer.claimed").data
    assert said["to_owner"] == pooled.people["tang"]
    # Claimed once, claimed for all.
    for name, version in (("lin", 3), ("li", 3), ("tang", 2)):
        with by(pooled, name) as late, pytest.raises(TooLate):
            actions.claim_record(late, CUSTOMER, qiming, version=version)
    # 张伟, who does not see what is 唐亮's, learns nothing.
    with by(pooled, "zhang") as zhang, pytest.raises(NotFound):
        actions.claim_record(zhang, CUSTOMER, qiming, version=3)


@pytest.mark.parametrize(("name", "refused"), [("zhao", Denied), ("chen", Denied), ("wang", NotFound)])
def test_who_only_views_claims_nothing(pooled, connect_as, name, refused):
    qiming = pooled.customer("qiming")
    with by(pooled, name) as actor, pytest.raises(refused):
        actions.claim_record(actor, CUSTOMER, qiming, version=2)
    app = connect_as("hufu_app")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [pooled.people[name]])
        app.execute("SELECT hufu.claim_crm_customer(%s, 2)", [qiming])


def test_of_two_who_claim_at_one_moment_exactly_one_gets_it(pooled, connect_as, owner_connection):
    qiming = pooled.customer("qiming")
    one, other = connect_as("hufu_app"), connect_as("hufu_app")
    answers = {}

    def claim():
        with other.transaction():
            other.execute("SELECT hufu.enter(%s)", [pooled.people["lin"]])
            answers["lin"] = other.execute("SELECT hufu.claim_crm_customer(%s, 2)", [qiming]).fetchone()[0]

    waiting = Thread(target=claim)
    with one.transaction():
        one.execute("SELECT hufu.enter(%s)", [pooled.people["tang"]])
        answers["tang"] = one.execute("SELECT hufu.claim_crm_customer(%s, 2)", [qiming]).fetchone()[0]
        waiting.start()
        blocked = "SELECT cardinality(pg_blocking_pids(%s))"
        while waiting.is_alive() and owner_connection.execute(
            blocked, [other.info.backend_pid]
        ).fetchone() == (0,):
            waiting.join(0.02)
    waiting.join()
    assert answers == {"tang": True, "lin": False}
    assert owner_connection.execute(
        "SELECT owner_id FROM crm_customer WHERE id = %s", [qiming]
    ).fetchone() == (pooled.people["tang"],)
    # The deed says so in words: who comes with the version that they saw is too late.
    release(pooled, "tang", "qiming", version=3)
    with by(pooled, "lin") as lin, pytest.raises(Conflict):
        actions.claim_record(lin, CUSTOMER, qiming, version=2)


def test_what_is_released_has_no_owner_no_team_and_no_shares(pooled, owner_connection):
    haitian = pooled.customer("haitian")
    with by(pooled, "tang") as tang:
        actions.add_member(tang, CUSTOMER, haitian, who=pooled.people["zhang"], access="edit")
        actions.share_record(
            tang,
            CUSTOMER,
            haitian,
            to=Principal(department=Department.objects.get(code="south")),
            access="read",
            reason="一起跟进",
        )
    assert "haitian" in seen(pooled, "zhang")
    release(pooled, "tang", "haitian")
    assert "haitian" not in seen(pooled, "zhang")
    assert last(owner_connection, "customer.released").data["from_owner"] == pooled.people["tang"]
    assert last(owner_connection, "customer.member_left").data["member"] == pooled.people["zhang"]
    for table in ("access_team_member", "access_share"):
        assert owner_connection.execute(
            f"SELECT count(*) FROM {table} WHERE type = 'customer' AND record_id = %s", [haitian]
        ).fetchone() == (0,)


def test_nobody_releases_what_is_not_theirs_to_give_away(pooled):
    # 唐亮 views 云合 and may not transfer it; 孙海 does not see it.
    with pytest.raises(Denied):
        release(pooled, "tang", "yunhe")
    with pytest.raises(NotFound):
        release(pooled, "sun", "yunhe")
    # A pool of another partition is none for it.
    with pytest.raises(Invalid):
        release(pooled, "lin", "yunhe", pool="far")


def test_a_record_has_an_owner_or_a_pool_of_its_partition_whoever_writes(
    pooled, connect_as, owner_connection
):
    east, far = (
        owner_connection.execute("SELECT id FROM access_pool ORDER BY id").fetchall()[i][0] for i in (0, 1)
    )
    yunhe = pooled.customer("yunhe")
    for change in (
        "owner_id = NULL",
        f"pool_id = {east}",
        f"owner_id = NULL, pool_id = {far}",
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            owner_connection.execute(f"UPDATE crm_customer SET {change} WHERE id = %s", [yunhe])
    with pytest.raises(psycopg.errors.IntegrityError):
        owner_connection.execute("UPDATE crm_opportunity SET owner_id = NULL")
    app = connect_as("hufu_app")
    columns = (
        "id, partition_id, owner_id, pool_id, department_id, stage, created_at, created_by_id, updated_at,"
        " updated_by_id, lock_version, name, name_sort, name_initials, customer_level, industry, source, region,"
        " code, phone, website, address, parent_company, note"
    )
    for pool in ("NULL", str(east)):
        with pytest.raises(psycopg.errors.DatabaseError), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [pooled.people["li"]])
            app.execute(
                f"INSERT INTO crm_customer ({columns}) VALUES (9000, 1, NULL, {pool}, %s, 'new', now(), hufu.actor(),"
                " now(), hufu.actor(), 1, 'x', 'x', 'x', '', '', '', '', '', '', '', '', '', '')",
                [pooled.departments["east"]],
            )
    with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [pooled.people["lin"]])
        app.execute("UPDATE crm_customer SET pool_id = NULL WHERE id = %s", [pooled.customer("qiming")])


def test_contacts_follow_a_customer_into_the_pool(pooled):
    gao = pooled.contact("gao")
    assert may(pooled, "tang", "contact.view", CONTACT, gao)
    assert not may(pooled, "tang", "contact.edit", CONTACT, gao)
    assert not may(pooled, "lin", "contact.edit", CONTACT, gao)
    assert not may(pooled, "wang", "contact.view", CONTACT, gao)


def test_what_the_pool_hides_is_hidden_and_cannot_be_guessed_by_filter_sort_or_search(pooled):
    qiming, gao = pooled.customer("qiming"), pooled.contact("gao")
    with by(pooled, "li") as li:
        access = guard.fields(li, CUSTOMER, guard.get(li, "customer.view", qiming))
        assert access["phone"] == access["customer_level"] == "hidden"
        assert access["industry"] == "editable"
    with by(pooled, "tang") as tang:
        assert guard.fields(tang, CONTACT, guard.get(tang, "contact.view", gao))["phone"] == "hidden"

        def listed(**query):
            return {row.pk for row in crm.list_records(tang, CUSTOMER, ListQuery(**query)).records}

        assert qiming in listed()
        by_level = listed(filters={"customer_level": ["B"]})
        assert by_level == listed(sort="customer_level") == listed() - {qiming}
        assert qiming not in listed(search="13800006621")
        said = crm.leaves_out(tang, CUSTOMER, ListQuery(sort="customer_level"))
        assert [declared.name for declared in said] == ["customer_level"]
        actions.claim_record(tang, CUSTOMER, qiming, version=2)
    with by(pooled, "tang") as tang:
        access = guard.fields(tang, CUSTOMER, guard.get(tang, "customer.view", qiming))
        assert access["phone"] == "editable"
        assert qiming in {
            row.pk for row in crm.list_records(tang, CUSTOMER, ListQuery(search="13800006621")).records
        }


def test_why_and_why_not_are_told(pooled, in_english):
    decision, said = told(pooled, "tang", "customer.claim", "qiming")
    assert decision.allowed
    assert (
        "The record lies in the pool “华东公海”, of which they are a member through department “华东”: they may"
        " view and claim it as far as they hold these permissions at all." in said
    )
    decision, said = told(pooled, "wang", "customer.view", "qiming")
    assert [link.code for link in decision.missing] == [Code.OUT_OF_SCOPE, Code.IN_POOL]
    assert (
        "The record lies in the pool “华东公海” and has no owner: it is nobody's own or subordinates', and of no"
        " department, until somebody claims it." in said
    )
    assert "A member of the pool “华东公海” is department “华东”." in said
    decision, said = told(pooled, "zhao", "customer.claim", "qiming")
    assert (
        "They are a member of the pool “华东公海” through department “华东”, but only those profit who hold the"
        " permission." in said
    )
    decision, said = told(pooled, "lin", "customer.claim", "yunhe")
    assert decision.code is Code.NOT_IN_POOL
    assert "The record has an owner: only what lies in a pool can be claimed." in said
    decision, _said = told(pooled, "li", "customer.view", "qiming")
    with acting(pooled.actor("he")):
        snapshot = queries.snapshot()
        field = explain_fields.decide(snapshot, decision, CUSTOMER, CUSTOMER.by_name["phone"])
        assert field.code is FieldCode.POOL
        assert "The pool “华东公海” hides it until somebody claims the record." in list(
            explain_fields.sentences(snapshot, field)
        )


def test_pool_and_members_keep_their_past(pooled):
    he, qiming = pooled.actor("he"), pooled.customer("qiming")

    def could(name, permission, moment):
        with acting(he):
            return as_of.decide_at(he, pooled.people[name], permission, qiming, moment).decision.allowed

    with acting(OPERATOR):
        in_pool = clock.now()
    publish(pooled, {"format": 1, "pools": [{**POOLS[0], "members": {"user": "chen"}}]})
    with acting(OPERATOR):
        without = clock.now()
    with by(pooled, "li") as li:
        actions.claim_record(li, CUSTOMER, qiming, version=2)
    with acting(OPERATOR):
        claimed = clock.now()
    assert could("tang", "customer.claim", in_pool)
    assert not could("tang", "customer.view", without)
    assert could("li", "customer.claim", without)
    assert not could("li", "customer.claim", claimed)


def test_the_document_says_pools_and_reads_itself(pooled, in_english):
    with acting(OPERATOR):
        exported = policy_document.export()
        assert exported["pools"] == POOLS
        assert policy_document.plan(exported) == ()
    # To take members out and to hide more is narrowing: at once, by one person.
    narrower = {**POOLS[0], "members": {"user": "chen"}, "hides": [*HIDES, "customer.address"]}
    assert publish(pooled, {"format": 1, "pools": [narrower]})
    assert "qiming" not in seen(pooled, "tang")
    with pytest.raises(Invalid, match="claim or transfer it first"):
        publish(pooled, {"format": 1, "removes": {"pools": ["east"]}})
    assert publish(pooled, {"format": 1, "removes": {"pools": ["far"]}})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("type", "opportunity"),
        ("partition", "nowhere"),
        ("hides", ["customer.name"]),
        ("hides", ["customer.owner"]),
        ("hides", ["opportunity.amount"]),
        ("members", [{"user": "nobody"}]),
    ],
)
def test_a_pool_that_cannot_be_is_refused_with_its_place(company, setting, value):
    with acting(OPERATOR), pytest.raises(Invalid) as refused:
        policy_document.plan({"format": 1, "pools": [{**POOLS[0], setting: value}]})
    assert any(place.startswith(f"pools[1].{setting}") for place in refused.value.problems)


def test_nobody_makes_themselves_a_member(company, owner_connection, connect_as):
    unpublish(owner_connection)
    he = company.actor("he")
    with acting(he):
        office = Principal(department=Department.objects.get(code="office"))
        with pytest.raises(Denied):
            pools.set_pool(he, PoolSays("mine", "我的公海", "customer", "sh", (office,)))
    with acting(he):
        pools.set_pool(he, PoolSays("east", "华东公海", "customer", "sh"))
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [he.user_id])
        for statement, value in (
            (
                "INSERT INTO access_pool_member (pool_id, user_id, below, post) VALUES (1, %s, false, '')",
                he.user_id,
            ),
            (
                "INSERT INTO access_pool_member (pool_id, department_id, below, post) VALUES (1, %s, true, '')",
                company.departments["hq"],
            ),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(statement, [value])


def test_after_version_1_pools_change_by_change_sets_alone(pooled, connect_as):
    app, he = connect_as("hufu_app"), pooled.actor("he")
    with acting(he), pytest.raises(Denied):
        pools.set_pool(he, PoolSays("x", "新公海", "customer", "sh"))
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [he.user_id])
        for statement in (
            "INSERT INTO access_pool (id, key, name, type, partition_id) VALUES (9, 'x', 'x', 'customer', 1)",
            "INSERT INTO access_pool_member (pool_id, department_id, below, post) VALUES (1, 1, false, '')",
            "INSERT INTO access_pool_hidden (pool_id, type, field) VALUES (1, 'customer', 'note')",
            "INSERT INTO access_pool_reach (user_id, pool_id) VALUES (1, 1)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(statement)
        for table in ("access_pool", "access_pool_member", "access_pool_hidden"):
            assert app.execute(f"DELETE FROM {table} RETURNING id").fetchall() == []


def test_a_move_and_a_transfer_take_a_record_out_of_its_pool(pooled, owner_connection):
    qiming = pooled.customer("qiming")
    # 李强 may move and holds no transfer: to name an owner for it is one.
    with by(pooled, "li") as li, pytest.raises(Denied):
        actions.move_record(
            li, CUSTOMER, qiming, to=pooled.partitions["sz"], owner=li.user_id, reason="划转", version=2
        )
    with acting(OPERATOR):
        actions.transfer_record(
            OPERATOR, CUSTOMER, qiming, to=pooled.people["zhang"], reason="分配", version=2
        )
    assert owner_connection.execute(
        "SELECT owner_id, pool_id FROM crm_customer WHERE id = %s", [qiming]
    ).fetchone() == (
        pooled.people["zhang"],
        None,
    )
