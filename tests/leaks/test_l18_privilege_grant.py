"""L18, privilege grant: nobody gives themselves or others a right that they do not hold the power to give.

Each way is tried by whoever could profit most, and reach is compared before and after: what was refused left nothing.
"""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from hufu.access import actions, delegations, prohibitions, sharing
from hufu.access.actions import Principal
from hufu.access.decision.terms import Right
from hufu.access.models import Partition, Role
from hufu.core import clock
from hufu.core.errors import Invalid, Refusal
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import User
from hufu.staffing import actions as staffing


def to(name):
    return Principal(user=User.objects.get(username=name))


def _role(key):
    return Role.objects.get(key=key)


def _widens(actor):
    role = _role("rep")
    said = {"name": role.name, "description": "", "administrator": ""}
    actions.change_role(actor, role, grants={"customer.view": ["everything"]}, **said)


def _lends_to_herself(actor, company):
    now = clock.now()
    delegations.delegate(
        actor,
        to=User.objects.get(pk=actor.user_id),
        permissions=["customer.view"],
        starts_at=now,
        ends_at=now + timedelta(days=1),
        reason="x",
    )


def _makes_a_rule(actor, company):
    person = Principal(user=User.objects.get(pk=actor.user_id))
    sharing.set_rule(
        actor,
        sharing.Rule(
            key="mine",
            name="给自己",
            type="customer",
            access="read",
            condition={"field": "stage", "is": ["won"]},
            to=(person,),
        ),
    )


# Who tries it, and what: by deeds that pages, imports and commands are made of.
WAYS = {
    "a representative gives herself a role": (
        "lin",
        lambda a, c: actions.assign_role(a, _role("executive"), to=to("lin"), reason="x"),
    ),
    "a representative gives a colleague a role": (
        "lin",
        lambda a, c: actions.assign_role(a, _role("manager"), to=to("tang"), reason="x"),
    ),
    "the manager admits herself elsewhere": (
        "wang",
        lambda a, c: actions.admit(
            a, Partition.objects.get(key="sz"), to=to("wang"), rights=[Right.READ], reason="x"
        ),
    ),
    "the executive gives a role": (
        "li",
        lambda a, c: actions.assign_role(a, _role("manager"), to=to("lin"), reason="x"),
    ),
    "the system administrator gives a role": (
        "feng",
        lambda a, c: actions.assign_role(a, _role("rep"), to=to("qian"), reason="x"),
    ),
    "the system administrator promotes himself": (
        "feng",
        lambda a, c: staffing.change_users(a, {a.user_id: {"level_id": c.levels["executive"]}}),
    ),
    "the security administrator gives himself a role": (
        "he",
        lambda a, c: actions.assign_role(a, _role("executive"), to=to("he"), reason="x"),
    ),
    "the security administrator gives his department a role": (
        "he",
        lambda a, c: actions.assign_role(
            a,
            _role("executive"),
            to=Principal(department=User.objects.get(username="he").main_department, below=True),
            reason="x",
        ),
    ),
    "the security administrator admits himself": (
        "he",
        lambda a, c: actions.admit(
            a, Partition.objects.get(key="sh"), to=to("he"), rights=[Right.READ], reason="x"
        ),
    ),
    "the security administrator moves himself": (
        "he",
        lambda a, c: staffing.change_users(a, {a.user_id: {"level_id": c.levels["executive"]}}),
    ),
    "the auditor gives herself a role": (
        "wu",
        lambda a, c: actions.assign_role(a, _role("rep"), to=to("wu"), reason="x"),
    ),
    "a representative widens her role": (
        "lin",
        lambda a, c: _widens(a),
    ),
    "the security administrator widens a role by himself": (
        "he",
        lambda a, c: _widens(a),
    ),
    "a representative lets hers inherit the executive's": (
        "lin",
        lambda a, c: actions.set_inherited_roles(a, _role("rep"), [_role("executive")]),
    ),
    "a representative opens all customers": (
        "lin",
        lambda a, c: actions.set_base_access(a, "customer", "public_read_write"),
    ),
    "a representative makes a sharing rule for herself": ("lin", _makes_a_rule),
    "the security administrator makes one for himself": ("he", _makes_a_rule),
    "a reader shares what he only views": (
        "zhao",
        lambda a, c: crm.share_record(
            a, CUSTOMER, c.customer("qiming"), to=to("zhang"), access="edit", reason="x"
        ),
    ),
    "a representative shares her customer with herself": (
        "lin",
        lambda a, c: crm.share_record(
            a, CUSTOMER, c.customer("qiming"), to=to("lin"), access="edit", reason="x"
        ),
    ),
    "a reader puts a colleague into a team": (
        "zhao",
        lambda a, c: crm.add_member(a, CUSTOMER, c.customer("qiming"), who=c.people["zhang"], access="edit"),
    ),
    "somebody lends to themselves": ("lin", _lends_to_herself),
    "a representative lifts nothing by forbidding others": (
        "lin",
        lambda a, c: prohibitions.forbid(a, permission="customer.view", to=to("tang"), reason="x"),
    ),
}


def held(owner_connection):
    """Return everybody's reach, and all that is given and shared by hand."""
    tables = (
        "access_assignment",
        "access_admission",
        "access_share",
        "access_team_member",
        "access_delegation",
    )
    asked = [f"SELECT * FROM {table} ORDER BY id" for table in tables]
    asked += [f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4" for table in ("access_term", "access_term_grant")]
    return [owner_connection.execute(statement).fetchall() for statement in asked]


@pytest.mark.parametrize("way", WAYS)
def test_no_way_gives_anybody_anything_that_the_one_who_tries_may_not_give(company, owner_connection, way):
    name, tries = WAYS[way]
    owner_connection.execute("DELETE FROM access_approved_move")
    before = held(owner_connection)
    actor = company.actor(name)
    try:
        with acting(actor):
            tries(actor, company)
    except (Refusal, Invalid):
        pass
    else:
        # A change of people may be put down; it waits for somebody else.
        assert owner_connection.execute("SELECT count(*) FROM access_pending_change").fetchone()[0] == 1
    assert held(owner_connection) == before


STATEMENTS = (
    "INSERT INTO access_assignment (role_id, user_id, below, post, reason, given_by)"
    " SELECT id, {me}, false, '', '', {me} FROM access_role WHERE key = 'executive'",
    "INSERT INTO access_admission (partition_id, user_id, below, post, can_create, can_edit, can_delete, reason,"
    " given_by) SELECT id, {me}, false, '', true, true, true, '', {me} FROM access_partition",
    "INSERT INTO access_grant (role_id, permission, scope) SELECT id, 'customer.purge', 'everything' FROM access_role",
    "UPDATE access_grant SET scope = 'everything'",
    "UPDATE people_user SET level_id = (SELECT id FROM people_level WHERE key = 'executive') WHERE id = {me}",
    "UPDATE access_assignment SET user_id = {me}, level_id = NULL",
    "INSERT INTO access_share (type, record_id, user_id, access, reason, given_by)"
    " SELECT 'customer', id, {me}, 'edit', '', {me} FROM crm_customer",
    "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
    " SELECT 'customer', id, {me}, 'edit', '', {me} FROM crm_customer",
    "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
    " SELECT id, {me}, '{{customer.view}}', now(), now() + interval '1 day', '' FROM people_user WHERE id <> {me}",
    "UPDATE access_term_grant SET scopes = 127",
    "INSERT INTO access_base_access (type, access) VALUES ('customer', 'public_read_write')",
    "DELETE FROM access_prohibition",
)


@pytest.mark.parametrize("name", ["lin", "li", "feng", "he", "wu"])
def test_nor_does_sql_as_the_application(company, connect_as, owner_connection, name):
    owner_connection.execute("DELETE FROM access_approved_move")
    before = held(owner_connection)
    app = connect_as("hufu_app")
    for statement in STATEMENTS:
        try:
            with app.transaction():
                app.execute("SELECT hufu.enter(%s)", [company.people[name]])
                app.execute(statement.format(me=company.people[name]))
        except psycopg.Error:
            pass
        assert held(owner_connection) == before, statement
