"""Separation of duties: what nobody may hold together is refused on every way by which a role can arrive.

财务 (finance) and 销售代表 (rep) exclude each other. 周涛 holds the one by name, 林悦 the other by her level.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import translation
from django.utils.timezone import localdate

from hufu.access import (
    actions,
    change_sets,
    delegations,
    duties,
    explain,
    policy_document,
    policy_file,
    queries,
    reach,
)
from hufu.access.actions import Principal
from hufu.access.delegation_models import Delegation
from hufu.access.duties import Tolerated
from hufu.access.duty_models import Duty, DutyException
from hufu.access.models import Assignment, Role
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Department, Group, Level, Position, User
from hufu.staffing import actions as staffing
from tests.company import company, company_database, unpublish

__all__ = ["company", "company_database"]

OPERATOR = Actor.operator()


@pytest.fixture(autouse=True)
def before_version_1(request, company, owner_connection):
    """The company before version 1 of its policy: by deeds of one's own definitions change until then.

    The last security administrator is held from version 1 on.
    """
    if request.node.name != "test_the_last_security_administrator_cannot_go":
        unpublish(owner_connection)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def role(key):
    return Role.objects.get(key=key)


def user(name):
    return User.objects.get(username=name)


def as_he(company):
    return company.actor("he")


def publish(company, **more):
    he = as_he(company)
    with acting(he):
        more = {"roles": [role("finance"), role("rep")], **more}
        return duties.set_duty(he, key="sell_or_bill", name="销售与财务", **more)


@pytest.fixture
def duty(company):
    return publish(company)


def give(company, key, **to):
    he = as_he(company)
    term = {name: to.pop(name) for name in ("starts_at", "ends_at") if name in to}
    with acting(he):
        return actions.assign_role(he, role(key), to=Principal(**to), reason="x", **term)


def refused(company, deed):
    """Return the sentence with which a deed is refused."""
    with pytest.raises(Invalid) as raised:
        deed()
    return str(raised.value)


# Every way by which a role can arrive.


def test_a_role_by_name_beside_one_by_level_is_refused_with_both_roles_and_both_ways(company, duty):
    said = refused(company, lambda: give(company, "finance", user=user("lin")))
    assert said == (
        "林悦 would hold “销售代表” (given to level “销售代表” and those above it) and “财务” (given to them by name): "
        "by the separation of duties “销售与财务” nobody holds both. Nothing was changed."
    )
    assert not Assignment.objects.filter(role__key="finance", user=company.people["lin"]).exists()


def test_by_department_with_those_below(company, duty):
    with acting(OPERATOR):
        sales = Department.objects.get(code="sales")
    said = refused(company, lambda: give(company, "finance", department=sales, below=True))
    assert "department “销售部” and those below" in said
    assert "林悦" in said
    assert "唐亮" in said


def test_by_a_level_that_holds_the_lower_one_and_by_inheritance(company, duty):
    with acting(OPERATOR):
        level = Level.objects.get(key="executive")
    # 李强 is an executive: his level holds that of the representatives.
    said = refused(company, lambda: give(company, "finance", level=level))
    assert "李强" in said
    assert "level “高管”" in said
    he = as_he(company)

    def inherit():
        with acting(he):
            actions.set_inherited_roles(he, role("service"), [role("rep"), role("finance")])

    said = refused(company, inherit)
    assert "陈静 would hold “客服代表” → “销售代表” (given to them by name) and “客服代表” → “财务”" in said


def test_by_group_position_post_and_move(company, duty, connect_as):
    """What feng does with people is refused as well; he is told the ways, too."""
    he, feng = as_he(company), company.actor("feng")
    with acting(he):
        group = staffing.create_group(he, key="g", name="对账组")
        position = staffing.create_position(he, key="p", name="出纳")
        actions.assign_role(he, role("finance"), to=Principal(group=group), reason="x")
        actions.assign_role(he, role("finance"), to=Principal(position=position), reason="x")
        office = Department.objects.get(code="office")
        actions.assign_role(
            he, role("finance"), to=Principal(department=office, post="assistant"), reason="x"
        )
    lin = company.people["lin"]
    for deed in (
        lambda: staffing.add_members(feng, Group.objects.get(key="g"), [lin]),
        lambda: staffing.add_holders(feng, Position.objects.get(key="p"), [lin]),
        lambda: staffing.add_assistants(feng, Department.objects.get(code="office"), [lin]),
        lambda: staffing.change_users(feng, {company.people["zhou"]: {"level_id": company.levels["rep"]}}),
    ):

        def tried(deed=deed):
            with acting(feng):
                deed()

        assert "“销售与财务” nobody holds both" in refused(company, tried)
    # The database refuses the same, at the end of the transaction.
    app = connect_as("hufu_app")
    with pytest.raises(psycopg.errors.CheckViolation), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [feng.user_id])
        app.execute(
            "INSERT INTO people_group_member (group_id, user_id) SELECT id, %s FROM people_group", [lin]
        )


def test_a_move_of_several_statements_is_judged_by_its_end(company, duty):
    he = as_he(company)
    with acting(he):
        zhou = user("zhou")
        given = Assignment.objects.get(role__key="finance", user=zhou)
        with reach.one_change():
            actions.assign_role(he, role("rep"), to=Principal(user=zhou), reason="x")
            actions.end_assignment(he, given, reason="x")
    with acting(OPERATOR):
        assert set(Assignment.objects.filter(user=zhou).values_list("role__key", flat=True)) == {"rep"}


def test_what_begins_later_counts_and_what_ends_before_it_does_not(company, duty):
    now = clock.now()
    later = now + timedelta(days=30)
    said = refused(company, lambda: give(company, "finance", user=user("lin"), starts_at=later))
    assert "(given to them by name, from " in said
    # 钱多 sells until that day, and bills from then on.
    give(company, "rep", user=user("qian"), ends_at=later)
    give(company, "finance", user=user("qian"), starts_at=later)
    assert "钱多" in refused(
        company, lambda: give(company, "rep", user=user("qian"), ends_at=later + timedelta(days=1))
    )


def test_at_most_two_of_three(company):
    with acting(OPERATOR):
        three = [role("finance"), role("rep"), role("service")]
    publish(company, roles=three, most=2)
    give(company, "finance", user=user("lin"))
    assert "more than 2 of these roles" in refused(
        company, lambda: give(company, "service", user=user("lin"))
    )


def test_the_owner_of_the_tables_is_refused_as_well(company, duty, connect_as):
    with pytest.raises(psycopg.errors.CheckViolation):
        connect_as("hufu_owner").execute(
            "INSERT INTO access_assignment (role_id, user_id, reason, given_by)"
            " SELECT id, %s, 'x', -1 FROM access_role WHERE key = 'finance'",
            [company.people["lin"]],
        )


# Publishing.


def test_a_new_duty_against_which_somebody_stands_is_refused_with_the_list_or_borne_until_a_day(company):
    give(company, "finance", user=user("lin"))
    give(company, "finance", user=user("tang"))
    said = refused(company, lambda: publish(company))
    assert "林悦" in said
    assert "唐亮" in said
    assert not Duty.objects.exists()
    until = clock.now() + timedelta(days=30)
    publish(company, tolerated=Tolerated(until, "年末交接"))
    he = as_he(company)
    with acting(he):
        assert sorted(DutyException.objects.values_list("user_id", flat=True)) == sorted(
            [company.people["lin"], company.people["tang"]]
        )
        # Others are no exception; and who gave it up has none any more.
        assert duties.overdue(clock.now()) == []
        assert duties.overdue(until) == [("sell_or_bill", ["lin", "tang"])]
    assert "赵敏" in refused(
        company,
        lambda: (give(company, "finance", user=user("zhao")), give(company, "rep", user=user("zhao"))),
    )
    with acting(he):
        actions.end_assignment(he, Assignment.objects.get(role__key="finance", user=user("lin")), reason="x")
    assert "林悦" in refused(company, lambda: give(company, "finance", user=user("lin")))


def test_nobody_loosens_a_duty_that_binds_them_nor_excuses_themselves(company):
    he = as_he(company)
    with acting(he):
        duty = duties.set_duty(he, key="own", name="x", roles=[role("security"), role("finance")])
    with pytest.raises(Denied), acting(he):
        duties.end_duty(he, duty)
    with pytest.raises(Denied), acting(he):
        duties.set_duty(he, key="own", name="x", roles=[role("rep"), role("finance")])


def test_the_section_of_the_policy_file_goes_round_and_refuses_what_nobody_could_hold(
    company, owner_connection
):
    section = [
        {
            "key": "sell_or_bill",
            "name": "销售与财务",
            "roles": ["finance", "rep"],
            "tolerate": {"until": "2099-01-31", "reason": "年末交接"},
        }
    ]
    he = as_he(company)
    with acting(he):
        document = {"format": 1, "duties": section}
        assert policy_file.apply(he, document).created == ["duty:sell_or_bill"]
        exported = policy_document.export()
        assert exported["duties"][0]["roles"] == ["finance", "rep"]
        assert policy_document.plan(exported) == ()
        # An assignment in the same document is none of what stood.
        bad = {**document, "assignments": [{"role": "finance", "to": {"user": "lin"}, "reason": "x"}]}
    unpublish(owner_connection)
    with pytest.raises(Invalid, match="nobody holds both"), acting(he):
        policy_file.apply(he, bad)
    with pytest.raises(Invalid, match="nobody could hold it"), acting(he):
        policy_document.plan(
            {"format": 1, "duties": [{"key": "x", "name": "x", "roles": ["manager", "rep"]}]}
        )


def test_the_explanation_says_why_the_role_that_would_help_may_not_be_given(company, duty):
    with acting(OPERATOR):
        snapshot = queries.snapshot()
        decision = queries.explain(snapshot, company.people["zhou"], "customer.create", None)
        said = list(explain.sentences(snapshot, decision))
    assert (
        "“销售代表” may not be given to 周涛, who holds “财务” (given to them by name): by the separation of duties "
        "“销售与财务” nobody holds these together."
    ) in said


# The administrators, by every way; and the last of them.


def test_whoever_audits_does_not_come_to_administer_by_a_group(company, connect_as):
    he, feng = as_he(company), company.actor("feng")
    with acting(he):
        group = staffing.create_group(he, key="g", name="值班组")
        actions.assign_role(he, role("system"), to=Principal(group=group), reason="x")

    def join():
        with acting(feng):
            staffing.add_members(feng, Group.objects.get(key="g"), [company.people["wu"]])

    assert "these administrators are different people" in refused(company, join)


def test_in_three_administrator_mode_no_administrator_comes_to_see_customers_by_a_department(
    company, connect_as
):
    owner = connect_as("hufu_owner")
    owner.execute("INSERT INTO access_company (id, name, mode) VALUES (1, '', 'three')")
    with acting(OPERATOR):
        hq = Department.objects.get(code="hq")
    said = refused(company, lambda: give(company, "rep", department=hq))
    assert "冯刚" in said
    assert "no administrator sees business data" in said


def test_the_last_security_administrator_cannot_go(company, connect_as):
    he, feng = as_he(company), company.actor("feng")
    last = "the last security administrator cannot go"
    given = Assignment.objects
    give(company, "security", user=user("qian"), ends_at=clock.now() + timedelta(days=9))
    qian = company.actor("qian")
    # 钱多 holds it as well, but not for long: 何明 is the last.
    with pytest.raises(Invalid, match=last), acting(qian):
        actions.end_assignment(qian, given.get(role__key="security", user=user("he")), reason="x")
    with pytest.raises(Invalid, match=last), acting(qian):
        security = {"key": "security", "name": "x", "administrator": "security", "grants": {}}
        change_sets.submit(qian, {"format": 1, "roles": [security]}, title="x")
    app = connect_as("hufu_app")
    with pytest.raises(psycopg.errors.CheckViolation), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [feng.user_id])
        app.execute("UPDATE people_user SET status = 'suspended' WHERE id = %s", [he.user_id])
    with pytest.raises(psycopg.errors.CheckViolation), app.transaction():
        app.execute("SELECT hufu.enter(%s)", [qian.user_id])
        app.execute(
            "UPDATE access_assignment SET ends_at = now() + interval '1 day', given_by = hufu.actor()"
            " WHERE user_id = %s",
            [he.user_id],
        )
    # With another one without an end, he may go.
    with acting(he):
        actions.assign_role(he, role("security"), to=Principal(user=user("qian")), reason="x")
    with acting(feng):
        staffing.suspend(feng, user("he"), reason="x")


def lend(company, giver, to, *permissions, days=7, starts=0):
    actor, now = company.actor(giver), clock.now()
    with acting(actor):
        return delegations.delegate(
            actor,
            user(to),
            permissions=permissions,
            starts_at=now + timedelta(days=starts),
            ends_at=now + timedelta(days=starts + days),
            reason="年假",
        )


def test_nobody_comes_to_both_by_standing_in_for_somebody(company, duty, owner_connection):
    """周涛 (财务) views customers by his own role: that he may be lent. What only the sales role gives he may not."""
    lend(company, "lin", "zhou", "customer.view")
    with pytest.raises(Invalid) as refused:
        lend(company, "lin", "zhou", "customer.view", "customer.edit")
    assert refused.value.problems == {
        "duties": [
            "周涛 would hold “销售代表” (in the stead of 林悦, by delegation) and “财务” (given to them by name): "
            "by the separation of duties “销售与财务” nobody holds both. Nothing was changed."
        ]
    }
    assert owner_connection.execute("SELECT count(*) FROM access_delegation").fetchone() == (1,)
    # One that begins later is no way around it, nor is the database itself.
    with pytest.raises(Invalid):
        lend(company, "lin", "zhou", "customer.view", "customer.edit", starts=30)
    app_insert = (
        "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
        " VALUES (%s, %s, '{customer.view,customer.edit}', now(), now() + interval '1 day', 'x')"
    )
    numbers = [company.people["lin"], company.people["zhou"]]
    with pytest.raises(IntegrityError), acting(company.actor("lin")), connection.cursor() as cursor:
        cursor.execute(app_insert, numbers)
        cursor.execute("SELECT hufu.settle_reach()")
    # Somebody without any role of the duty stands in for either, not for both at a time.
    lend(company, "lin", "qian", "customer.view", "customer.edit")
    with pytest.raises(Invalid, match="in the stead of"):
        give(company, "finance", user=user("qian"))


def test_a_duty_that_a_delegation_breaks_is_not_published(company, owner_connection):
    lend(company, "lin", "zhou", "customer.view", "customer.edit")
    with pytest.raises(Invalid, match="in the stead of 林悦, by delegation"):
        publish(company)
    owner_connection.execute("DELETE FROM access_delegation")
    publish(company)


def test_who_delegates_on_the_page_is_told_what_stands_in_the_way(company, duty):
    client = Client(headers={"accept-language": "en"})
    client.force_login(user("lin"), backend="hufu.web.accounts.backend.PasswordBackend")
    today = localdate()
    answer = client.post(
        "/accounts/delegations/",
        {
            "to": "zhou",
            "permissions": ["customer.view", "customer.edit"],
            "begins": today.isoformat(),
            "ends": (today + timedelta(days=3)).isoformat(),
            "reason": "年假",
        },
    )
    assert "by the separation of duties “销售与财务” nobody holds both" in answer.content.decode()
    assert not Delegation.objects.exists()
