"""Standing in for a colleague: what is lent, what is never put together, and what ends when."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hufu.access import as_of, delegations, guard, policy_file, principals, queries
from hufu.access.actions import assign_role
from hufu.access.decision.decide import Code
from hufu.access.delegation_models import Delegation
from hufu.access.explain import sentences
from hufu.access.models import Role
from hufu.core import clock
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.crm import actions, who_sees
from hufu.crm.queries import get_record
from hufu.crm.resources import CONTACT, CUSTOMER
from hufu.people.models import User
from hufu.staffing import actions as staffing
from tests.company import unpublish

VIEW = ("customer.view", "contact.view")
WORK = (*VIEW, "customer.edit", "contact.create", "contact.edit")


def lend(company, giver, to, *permissions, days=7, **more):
    actor, now = company.actor(giver), clock.now()
    term = {"starts_at": now, "ends_at": now + timedelta(days=days)} | more
    with acting(actor):
        return delegations.delegate(
            actor, User.objects.get(username=to), permissions=permissions, reason="年假", **term
        )


def seen(company, name, permission="customer.view"):
    """The customers that somebody may use a permission on."""
    actor = company.actor(name)
    with acting(actor):
        listed = set(guard.scope(actor, permission).values_list("pk", flat=True))
    return {key for key, number in company.customers.items() if number in listed}


@pytest.fixture
def passes(owner_connection):
    """Return a function that lets all delegations begin and end so many days earlier."""

    def earlier(days):
        owner_connection.execute(
            "UPDATE access_delegation SET starts_at = starts_at - %s, ends_at = ends_at - %s",
            [timedelta(days=days)] * 2,
        )

    return earlier


def edit(company, name, customer, **values):
    actor = company.actor(name)
    with acting(actor):
        current = get_record(actor, CUSTOMER, company.customer(customer))
        actions.edit_record(
            actor, CUSTOMER, current.pk, values or {"stage": "won"}, version=current.lock_version
        )


def test_chen_stands_in_for_zhang_and_everything_ends_with_the_term(company, owner_connection, passes):
    """陈静 reads all of 上海 and edits nothing; for a week 张伟 lends her the work with his customers."""
    with pytest.raises(Denied):
        edit(company, "chen", "nanfang")
    lend(company, "zhang", "chen", *WORK)
    edit(company, "chen", "nanfang")
    assert seen(company, "chen", "customer.edit") == {"nanfang"}
    with acting(company.actor("chen")) as unit:
        made = actions.create_child(
            unit.actor, CONTACT, actions.NewChild(company.customer("nanfang"), {"name": "新联系人"})
        )
    # She does it, for him: the log names both.
    for kind in ("customer.changed", "contact.created"):
        both = owner_connection.execute(
            "SELECT a.ref, b.ref FROM audit_event e JOIN audit_subject a ON a.pseudonym = e.actor"
            " JOIN audit_subject b ON b.pseudonym = e.on_behalf WHERE e.type = %s ORDER BY e.at DESC LIMIT 1",
            [kind],
        ).fetchone()
        assert both == (company.people["chen"], company.people["zhang"]), kind
    assert made
    # Without anybody's doing it ends with the term: reach is not held to be true for longer.
    until, ends = owner_connection.execute(
        "SELECT r.valid_until, d.ends_at FROM access_reach r JOIN access_delegation d USING (user_id)"
    ).fetchone()
    assert until == ends
    passes(days=8)
    assert seen(company, "chen", "customer.edit") == set()
    with pytest.raises(Denied):
        edit(company, "chen", "nanfang")


def test_a_delegate_does_not_put_two_peoples_halves_together(company, connect_as):
    """陈静 views 启明 by her own role; 张伟 lends her the edit of all that he may edit, and that is not 启明.

    周涛 lends her nothing but his view; 林悦 the edit of hers without the view: neither half makes a whole.
    """
    lend(company, "zhang", "chen", *WORK)
    with pytest.raises(Denied):
        edit(company, "chen", "qiming")
    # 唐亮 views 启明 with his department, 林悦 edits it: lent to 钱多, view by one and edit by the other.
    now = clock.now()
    lend(company, "tang", "qian", "customer.view")
    owner = connect_as("hufu_owner")
    owner.execute(
        "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
        " VALUES (%s, %s, '{customer.edit}', %s, %s, '')",
        [company.people["lin"], company.people["qian"], now, now + timedelta(days=1)],
    )
    assert "qiming" in seen(company, "qian")
    assert seen(company, "qian", "customer.edit") == set()
    with pytest.raises(Denied):
        edit(company, "qian", "qiming")
    app = connect_as("hufu_app")
    with app.transaction(force_rollback=True):
        app.execute("SELECT hufu.enter(%s)", [company.people["qian"]])
        changed = app.execute("UPDATE crm_customer SET updated_by_id = hufu.actor() RETURNING id").fetchall()
        assert changed == []
        covered = app.execute(
            "SELECT hufu.covers_crm_customer('customer.edit', %s)", [company.customer("qiming")]
        ).fetchone()
        assert covered == (False,)
    # With both from one person it is whole.
    lend(company, "lin", "qian", "customer.view", "customer.edit")
    edit(company, "qian", "qiming")


def test_what_is_lent_is_not_shared_for_editing_nor_lent_on(company):
    """孙海 reads nothing of 上海. 王芳 lends him the work with 启明; nobody gets it through him."""
    lend(company, "wang", "sun", *WORK)
    sun = company.actor("sun")
    assert "qiming" in seen(company, "sun", "customer.edit")
    with pytest.raises(Denied), acting(sun):
        actions.share_record(
            sun,
            CUSTOMER,
            company.customer("qiming"),
            to=principals.read(f"user:{company.people['chen']}"),
            access="read",
            reason="x",
        )
    # Sharing and transfer are never lent, and what he holds by delegation he does not lend.
    with pytest.raises(Invalid):
        lend(company, "wang", "sun", "customer.view", "customer.share")
    lend(company, "wang", "zhou", "customer.view", "contact.view")
    with pytest.raises(Denied):
        lend(company, "zhou", "sun", "contact.view", "customer.view")
    # He owns nothing there: he is not admitted, whatever he may do for her.
    with pytest.raises(Invalid), acting(company.actor("wang")):
        wang = company.actor("wang")
        actions.transfer_record(
            wang, CUSTOMER, company.customer("qiming"), to=sun.user_id, reason="x", version=1
        )


def test_what_is_shared_with_somebody_is_not_lent(company):
    """启明 is shared with 张伟, who lends his view to 孙海: his own customers, and not what was shared with him."""
    lin = company.actor("lin")
    with acting(lin):
        actions.share_record(
            lin,
            CUSTOMER,
            company.customer("qiming"),
            to=principals.read(f"user:{company.people['zhang']}"),
            access="read",
            reason="x",
        )
    assert seen(company, "zhang") == {"nanfang", "qiming"}
    lend(company, "zhang", "sun", "customer.view")
    assert seen(company, "sun") == {"pengcheng", "nanfang"}
    # Nor does what is shared with 孙海 himself count together with what 张伟 lends.
    assert seen(company, "sun", "customer.edit") == {"pengcheng"}


def test_what_ends_for_the_giver_ends_for_the_other(company):
    lend(company, "lin", "sun", "customer.view")
    assert {"qiming", "yunhe"} <= seen(company, "sun")
    feng = company.actor("feng")
    with acting(feng):
        staffing.suspend(feng, User.objects.get(username="lin"), reason="x")
    assert seen(company, "sun") == {"pengcheng"}


def test_gates_of_both_bind(company, owner_connection, in_english):
    """A gate on 林悦 closes what she lends while it is closed to 孙海, and nothing of what is his own."""
    lend(company, "lin", "sun", "customer.view")
    he = company.actor("he")
    office = {
        "key": "office",
        "name": "办公网",
        "conditions": {"networks": ["10.0.0.0/8"]},
        "binds": {"principals": [{"user": "lin"}]},
    }
    unpublish(owner_connection)
    with acting(he):
        policy_file.apply(he, {"format": 1, "gates": [office]})
    assert seen(company, "sun") == {"pengcheng"}
    with acting(he):
        snapshot = queries.snapshot()
        [gate] = snapshot.gate_names
        told = snapshot_decision(company, snapshot, "sun", "qiming", frozenset({gate}))
    assert told.code is Code.GATE_CLOSED


def test_a_quota_of_lin_does_not_bind_sun_who_stands_in_for_her(company, owner_connection):
    """It counts what she does; what he does for her counts against his own. The explanation differed."""
    lend(company, "lin", "sun", "customer.view")
    he = company.actor("he")
    views = {"key": "views", "name": "查看客户", "counts": "customer.view", "per_day": 1}
    unpublish(owner_connection)
    with acting(he):
        policy_file.apply(
            he,
            {
                "format": 1,
                "quotas": [{**views, "zone": "Asia/Shanghai", "warn_at": 80, "to": {"user": "lin"}}],
            },
        )
        snapshot = queries.snapshot()
        [quota] = snapshot.quotas
        used_up = frozenset({-quota.id})
        assert snapshot_decision(company, snapshot, "lin", "qiming", used_up).code is Code.QUOTA_EXHAUSTED
        assert snapshot_decision(company, snapshot, "sun", "qiming", used_up).allowed


def snapshot_decision(company, snapshot, name, customer, closed=frozenset()):
    from hufu.access.decision.decide import decide
    from hufu.access.decision.terms import RecordFacts
    from hufu.access.registry import permission, requirement

    record = RecordFacts(company.partitions["sh"], company.people["lin"], company.departments["east"])
    return decide(
        snapshot,
        company.people[name],
        "customer.view",
        permission("customer.view").right,
        requirement("customer.view"),
        record,
        closed,
    )


def test_the_explanation_names_the_giver_and_the_end(company, in_english):
    lend(company, "lin", "sun", "customer.view")
    he = company.actor("he")
    with acting(he):
        snapshot = queries.snapshot()
        said = list(sentences(snapshot, snapshot_decision(company, snapshot, "sun", "qiming")))
    assert said[0] == "Yes: 孙海 may: View customers."
    assert said[1].startswith("By delegation of 林悦, until ")
    assert said[1].endswith(". 林悦 holds it like this:")
    with acting(company.actor("lin")) as unit:
        found = who_sees.who_sees(unit.actor, CUSTOMER, company.customer("qiming"))
    assert company.people["sun"] in {person.pk for viewers in found for person in viewers.people}
    past = clock.now()
    with acting(company.actor("sun")) as unit:
        delegations.end_delegation(unit.actor, delegations.received(unit.actor)[0].pk)
    lend(company, "lin", "sun", "customer.view", starts_at=past + timedelta(days=2))
    with acting(he):
        snapshot = queries.snapshot()
        said = list(sentences(snapshot, snapshot_decision(company, snapshot, "sun", "qiming")))
    assert any(line.startswith("林悦 delegates it to them, from then on: ") for line in said)
    with acting(he):
        told = as_of.who_could_at(he, "customer.view", company.customer("qiming"), past)
    assert company.people["sun"] in {decision.person_id for decision in told.decisions}


def test_what_may_not_be_lent_at_all(company, connect_as, in_english):
    """Nothing to oneself, nothing administrative, nothing that one does not hold; not by plain SQL either."""
    with pytest.raises(Invalid, match="themselves"):
        lend(company, "lin", "lin", "customer.view")
    with pytest.raises(Invalid, match="never lent"):
        lend(company, "he", "lin", "role.assign")
    with pytest.raises(Denied):
        lend(company, "zhao", "lin", "customer.edit", "customer.view")
    with pytest.raises(Invalid, match="does nothing without"):
        lend(company, "lin", "sun", "customer.edit")
    with pytest.raises(Invalid, match="suspended"):
        lend(company, "lin", "zheng", "customer.view")
    with pytest.raises(Invalid, match="At most"):
        lend(company, "lin", "sun", "customer.view", days=400)
    app = connect_as("hufu_app")
    for giver, as_giver, to, permission in (
        ("lin", "wang", "lin", "customer.view"),
        ("lin", "lin", "sun", "customer.purge"),
        ("he", "he", "lin", "role.assign"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[giver]])
            app.execute(
                "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
                " VALUES (%s, %s, %s, now(), now() + interval '1 day', '')",
                [company.people[as_giver], company.people[to], [permission]],
            )
    # A row that names more than may be lent gives no more.
    owner = connect_as("hufu_owner")
    owner.execute(
        "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
        " VALUES (%s, %s, '{role.assign,customer.purge,customer.view}', now() - interval '1 hour',"
        " now() + interval '1 day', '')",
        [company.people["he"], company.people["lin"]],
    )
    with acting(company.actor("lin")) as unit:
        assert not guard.may(unit.actor, "role.assign")


def test_whoever_stands_in_for_somebody_gives_them_no_roles(company):
    """何明 assigns roles; what he gave to 林悦 would come to him by what she lends him."""
    lend(company, "lin", "he", "customer.view")
    he = company.actor("he")
    with pytest.raises(Denied), acting(he):
        assign_role(
            he,
            Role.objects.get(key="executive"),
            to=principals.read(f"user:{company.people['lin']}"),
            reason="x",
        )
    # He may put an end to it, as she may.
    with acting(he):
        [lent] = delegations.received(he)
        delegations.end_delegation(he, lent.pk)
    assert seen(company, "he") == set()
    with acting(he):
        assert not Delegation.objects.exists()


def test_what_sun_adds_for_lin_is_hers(company):
    """孙海 is not admitted to 上海: what he adds in her stead is her own, and never his."""
    lend(company, "lin", "sun", "customer.view", "customer.create")
    sun = company.actor("sun")
    new = {"name": "新客户", "stage": "following"}
    with acting(sun):
        made = actions.create_record(
            sun, CUSTOMER, actions.NewRecord(company.partitions["sh"], company.people["lin"], new)
        )
        assert get_record(sun, CUSTOMER, made).owner_id == company.people["lin"]
    with pytest.raises((Denied, Invalid)), acting(sun):
        actions.create_record(sun, CUSTOMER, actions.NewRecord(company.partitions["sh"], sun.user_id, new))
    with pytest.raises(NotFound), acting(company.actor("zhang")) as unit:
        get_record(unit.actor, CUSTOMER, made)
