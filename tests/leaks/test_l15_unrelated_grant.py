"""L15, unrelated grant: each operation fails with every OTHER permission granted, and succeeds with its own."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hufu.access import actions as access
from hufu.access import (
    admission_requests,
    break_glass,
    change_sets,
    delegations,
    drafting,
    duplicate_facts,
    field_rules,
    giving,
    guard,
    policy_file,
    principals,
    queries,
    registry,
    requests,
)
from hufu.access.actions import Principal
from hufu.access.decision.field_access import FieldAccess
from hufu.access.decision.terms import Right
from hufu.access.field_rules import Rule
from hufu.access.models import Admission, Assignment, Partition, Role
from hufu.audit import queries as log
from hufu.audit.queries import LogFilter
from hufu.core import clock
from hufu.core.errors import Denied, Invalid, NotFound, NothingToDecide
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm import attachments, duplicates, persons, reveals
from hufu.crm import queries as crm_queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import Department, Device, User
from hufu.staffing import actions as staffing
from hufu.staffing.devices import end_trust, forget_device
from hufu.staffing.holdings import holdings
from hufu.staffing.posture import Looking
from tests.company import republish, unpublish
from tests.pools import a_pooled_customer


def records(resource):
    """The operations on records of a type, each with the permissions that it takes."""
    name = resource.name
    new = {"name": "新", "stage": "won"}

    def number(company):
        return getattr(company, {"customer": "customers", "opportunity": "opportunities"}[name])[
            {"customer": "qiming", "opportunity": "machines"}[name]
        ]

    view = f"{name}.view"
    return {
        f"{name}: one": ({view}, lambda a, c: crm_queries.get_record(a, resource, number(c))),
        f"{name}: list": (
            {view},
            lambda a, c: _some(crm_queries.list_records(a, resource, ListQuery()).records),
        ),
        f"{name}: count": ({view}, lambda a, c: _some(crm_queries.count_records(a, resource))),
        f"{name}: picker": ({view}, lambda a, c: _some(crm_queries.find(a, resource, ""))),
        f"{name}: title of a reference": (
            {view},
            lambda a, c: _some(crm_queries.visible_titles(a, resource, [number(c)])),
        ),
        f"{name}: create": (
            {f"{name}.create"},
            lambda a, c: crm.create_record(a, resource, crm.NewRecord(c.partitions["sh"], a.user_id, new)),
        ),
        f"{name}: create with a past": (
            {f"{name}.create", f"{name}.import"},
            lambda a, c: crm.create_many(
                a,
                resource,
                [crm.NewRecord(c.partitions["sh"], a.user_id, new, department_id=c.departments["east"])],
            ),
        ),
        f"{name}: edit": (
            {view, f"{name}.edit"},
            lambda a, c: crm.edit_record(a, resource, number(c), {"stage": "won"}, version=1),
        ),
        f"{name}: delete": (
            {view, f"{name}.delete"},
            lambda a, c: crm.delete_record(a, resource, number(c), version=1),
        ),
        f"{name}: restore": (
            {view, f"{name}.restore"},
            lambda a, c: crm.restore_record(a, resource, c.binned[name], version=2),
        ),
        f"{name}: purge": (
            {view, f"{name}.purge"},
            lambda a, c: crm.purge_record(a, resource, c.binned[name], version=2, reason="x"),
        ),
        f"{name}: add to the team": (
            {view, f"{name}.share"},
            lambda a, c: crm.add_member(a, resource, number(c), who=c.people["chen"], access="read"),
        ),
        f"{name}: add an editor to the team": (
            {view, f"{name}.share", f"{name}.edit"},
            lambda a, c: crm.add_member(a, resource, number(c), who=c.people["tang"], access="edit"),
        ),
        f"{name}: share": (
            {view, f"{name}.share"},
            lambda a, c: crm.share_record(
                a, resource, number(c), to=principals.read("level:1"), access="read", reason="x"
            ),
        ),
        f"{name}: share for editing": (
            {view, f"{name}.share", f"{name}.edit"},
            lambda a, c: crm.share_record(
                a, resource, number(c), to=principals.read("level:1"), access="edit", reason="x"
            ),
        ),
        f"{name}: add a file": (
            {view, f"{name}.edit"},
            lambda a, c: attachments.attach(a, resource, number(c), name="a.txt", content=b"a"),
        ),
        f"{name}: void": (
            {view, f"{name}.void"},
            lambda a, c: crm.void_record(a, resource, number(c), version=1, reason="x"),
        ),
        f"{name}: lock": (
            {view, f"{name}.lock"},
            lambda a, c: crm.lock_record(a, resource, number(c), version=1, reason="x"),
        ),
        f"{name}: transfer": (
            {view, f"{name}.transfer"},
            lambda a, c: crm.transfer_record(
                a, resource, number(c), to=c.people["tang"], reason="x", version=1
            ),
        ),
    }


def of_pools():
    """Into a pool and out of it: 海天 lies there already."""
    return {
        "customer: release to a pool": (
            {"customer.view", "customer.transfer"},
            lambda a, c: crm.release_record(a, CUSTOMER, c.customer("qiming"), pool=1, reason="x", version=1),
        ),
        "customer: claim": (
            {"customer.view", "customer.claim"},
            lambda a, c: crm.claim_record(a, CUSTOMER, c.customer("haitian"), version=1),
        ),
    }


def contacts():
    """The operations on contacts: their own permission, and view or edit of the customer."""
    view, edit = {"contact.view", "customer.view"}, {"contact.view", "customer.view", "customer.edit"}
    return {
        "contact: one": (view, lambda a, c: crm_queries.get_record(a, CONTACT, c.contact("gao"))),
        "contact: list": (
            view,
            lambda a, c: _some(crm_queries.list_records(a, CONTACT, ListQuery()).records),
        ),
        "contact: create": (
            {"contact.create", "customer.view", "customer.edit"},
            lambda a, c: crm.create_child(a, CONTACT, crm.NewChild(c.customer("qiming"), {"name": "新"})),
        ),
        "contact: edit": (
            {*edit, "contact.edit"},
            lambda a, c: crm.edit_record(a, CONTACT, c.contact("gao"), {"title": "总监"}, version=1),
        ),
        "contact: delete": (
            {*edit, "contact.delete"},
            lambda a, c: crm.delete_record(a, CONTACT, c.contact("gao"), version=1),
        ),
        "contact: restore": (
            {*edit, "contact.restore"},
            lambda a, c: crm.restore_record(a, CONTACT, c.binned["contact"], version=2),
        ),
        "contact: masked value": (
            {*view, "contact.reveal"},
            lambda a, c: reveals.reveal(a, CONTACT, c.contact("gao"), "phone", reason="x"),
        ),
        "contact: copy of the data": (
            {*edit, "contact.disclose"},
            lambda a, c: persons.disclose(a, CONTACT, c.contact("gao"), reason="x"),
        ),
        "contact: erase": (
            {*edit, "contact.erase"},
            lambda a, c: persons.erase(a, CONTACT, c.contact("gao"), version=1, reason="x"),
        ),
        "contact: purge": (
            {*edit, "contact.purge"},
            lambda a, c: crm.purge_record(a, CONTACT, c.binned["contact"], version=2, reason="x"),
        ),
    }


def moves(resource, name, number):
    """Moving a record to another partition, for which one must also be able to create there."""
    return {
        f"{name}: move to another partition": (
            {f"{name}.view", f"{name}.move_partition", f"{name}.create"},
            lambda a, c: crm.move_record(
                a,
                resource,
                number(c),
                to=c.partitions["sz"],
                owner=None,
                reason="x",
                version=1,
            ),
        )
    }


def _some(found):
    """An operation that answers with nothing where it may not is refused that way."""
    if not found:
        raise NotFound


def _assigned(actor, company):
    """Give 林悦 a role, and return that."""
    return access.assign_role(
        actor, Role.objects.get(key="rep"), to=Principal(user=_lin(company)), reason="x"
    )


def _lin(company):
    return User.objects.get(pk=company.people["lin"])


def _trusted(company):
    now = clock.now()
    return Device.objects.create(
        user=_lin(company),
        hash="x",
        first_seen_at=now,
        last_seen_at=now,
        trusted_until=now + timedelta(days=1),
    ).pk


def _soon():
    return clock.now() + timedelta(days=7)


# What stands before the operation is asked: made by the owner of the tables, so that no permission counts for it.
_MADE = {}


def _asked(actor, company, who, permission=""):
    return _MADE["request", who, permission]


def _across(company):
    return _MADE["across"]


def _hit(actor, company):
    return _MADE["hit"]


def _dispute(company):
    return _MADE["dispute"]


def _make(owner_connection, company):
    """Make requests of 张伟 and 赵敏, a share that waits at the wall, a hit of 赵敏's and a dispute of 张伟's.

    赵敏 stands in for 唐亮, and decides about nothing of his.
    """
    people, qiming = company.people, company.customer("qiming")

    for table in (
        *("access_break_glass_review", "access_break_glass_use", "access_break_glass", "access_delegation"),
        "access_admission_request",
        "access_request_decision",
        "access_request",
        "crm_duplicate_dispute",
    ):
        owner_connection.execute(f"DELETE FROM {table}")

    def made(sql, *values):
        return owner_connection.execute(f"{sql} RETURNING id", values).fetchone()[0]

    for who in ("zhang", "zhao"):
        _MADE["request", who, ""] = made(
            "INSERT INTO access_request (user_id, type, number, record_id, access, reason, until, asked_at)"
            " VALUES (%s, 'customer', %s, %s, 'edit', 'x', now() + interval '9 days', now())",
            *(people[who], str(qiming), qiming),
        )
    _MADE["request", "zhang", "user.view"] = made(
        "INSERT INTO access_request (user_id, permission, reason, until, asked_at)"
        " VALUES (%s, 'user.view', 'x', now() + interval '9 days', now())",
        people["zhang"],
    )
    share = made(
        "INSERT INTO access_share (type, record_id, user_id, access, ends_at, reason, given_by)"
        " VALUES ('customer', %s, %s, 'read', '2099-01-01', 'x', %s)",
        *(company.customer("yunhe"), people["sun"], people["zhang"]),
    )
    _MADE["across"] = made(
        "INSERT INTO access_admission_request (type, record_id, partition_id, user_id, access, ends_at, reason,"
        " share_id, asked_by_id, asked_at) VALUES ('customer', %s, %s, %s, 'read', '2099-01-01', 'x', %s, %s, now())",
        *(company.customer("yunhe"), company.partitions["sh"], people["sun"], share, people["zhang"]),
    )
    found = "'customer', %s, %s, '{name}'"
    place = (company.customer("nanfang"), company.partitions["sh"])
    _MADE["hit"] = made(
        "INSERT INTO crm_duplicate_hit (type, record_id, partition_id, fields, told, found_at, found_by)"
        f" VALUES ({found}, '{{}}', now(), %s)",
        *(*place, people["zhao"]),
    )
    _MADE["dispute"] = made(
        "INSERT INTO crm_duplicate_dispute (type, record_id, partition_id, fields, reason, raised_at, raised_by,"
        " answer)"
        f" VALUES ({found}, 'x', now(), %s, '')",
        *(*place, people["zhang"]),
    )
    rule = made(
        "INSERT INTO access_break_glass (key, name, role_id, types, partitions, access, minutes)"
        " SELECT 'night', 'x', id, '{customer}', '{}', 'read', 60 FROM access_role WHERE key = 'executive'"
    )
    for name, who, begins, ends in (
        ("glass", "tang", "now()", "now() + interval '1 hour'"),
        ("own glass", "zhao", "now()", "now() + interval '1 hour'"),
        ("glass that ended", "tang", "now() - interval '2 hours'", "now() - interval '1 hour'"),
    ):
        _MADE[name] = made(
            "INSERT INTO access_break_glass_use (user_id, rule_id, starts_at, ends_at, reason)"
            f" VALUES (%s, %s, {begins}, {ends}, 'x')",
            *(people[who], rule),
        )
    owner_connection.execute(
        "INSERT INTO access_break_glass (key, name, role_id, types, partitions, access, minutes)"
        " SELECT 'day', 'x', id, '{customer}', '{}', 'read', 60 FROM access_role WHERE key = 'executive'"
    )
    for name, giver, to in (("delegation", "tang", "chen"), ("own delegation", "tang", "zhao")):
        _MADE[name] = made(
            "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
            " VALUES (%s, %s, '{customer.view}', now(), now() + interval '1 day', 'x')",
            *(people[giver], people[to]),
        )
    owner_connection.execute(
        "INSERT INTO access_role (id, key, name, description, administrator) VALUES (900, 'clerk', '文员', '', '')"
        " ON CONFLICT DO NOTHING"
    )


OPERATIONS = {
    **records(CUSTOMER),
    **records(OPPORTUNITY),
    **contacts(),
    **of_pools(),
    "customer: masked value": (
        {"customer.view", "customer.reveal"},
        lambda a, c: reveals.reveal(a, CUSTOMER, c.customer("qiming"), "phone", reason="x"),
    ),
    "customer: duplicate check": (
        {"customer.check_duplicate"},
        lambda a, c: _some(duplicates.check(a, CUSTOMER, "上海启明精密机械有限公司")),
    ),
    "customer: duplicates": ({"customer.steward"}, lambda a, c: duplicates.pairs(a, CUSTOMER)),
    "policy: what a duplicate check tells": (
        {"role.manage"},
        lambda a, c: duplicate_facts.set_facts(a, CUSTOMER, ["owner", "stage"]),
    ),
    "policy: field rules": (
        {"role.manage"},
        lambda a, c: field_rules.set_field_rules(
            a,
            Role.objects.get(key="empty"),
            {("customer", "phone"): Rule(FieldAccess.MASKED, FieldAccess.MASKED)},
        ),
    ),
    # Asking takes nothing at all, and so does taking back what one asked for oneself.
    "request: asked": (
        set(),
        lambda a, c: requests.ask_for_record(
            a, "customer", str(c.customer("pengcheng")), access="read", until=_soon(), reason="x"
        ),
    ),
    "request: withdrawn": (set(), lambda a, c: _some(requests.withdraw(a, _asked(a, c, "zhao")))),
    "request: granted": (
        {"customer.view", "customer.share"},
        lambda a, c: crm.grant_record(a, _asked(a, c, "zhang"), access="read", ends_at=_soon(), reason="x"),
    ),
    "request: granted for editing": (
        {"customer.view", "customer.share", "customer.edit"},
        lambda a, c: crm.grant_record(a, _asked(a, c, "zhang"), access="edit", ends_at=_soon(), reason="x"),
    ),
    "request: declined": (
        {"customer.view", "customer.share"},
        lambda a, c: requests.reject(a, _asked(a, c, "zhang"), reason="x"),
    ),
    "request: granted with a role": (
        {"role.assign"},
        lambda a, c: requests.grant_role(
            a,
            _asked(a, c, "zhang", permission="user.view"),
            role=Role.objects.get(key="clerk"),
            ends_at=_soon(),
            reason="x",
        ),
    ),
    "share across the wall: asked": (
        {"customer.view", "customer.share"},
        lambda a, c: crm.ask_across(
            a,
            CUSTOMER,
            c.customer("qiming"),
            to=User.objects.get(username="sun"),
            access="read",
            ends_at=_soon(),
            reason="x",
        ),
    ),
    "share across the wall: answered": (
        {"role.assign"},
        lambda a, c: admission_requests.answer(a, _across(c), yes=True, reason="x"),
    ),
    "duplicate: disputed": (
        {"customer.check_duplicate"},
        lambda a, c: duplicates.dispute(a, CUSTOMER, _hit(a, c), reason="x"),
    ),
    "duplicate: asked to join": (
        {"customer.check_duplicate"},
        lambda a, c: duplicates.ask_to_join(
            a, CUSTOMER, _hit(a, c), access="read", until=_soon(), reason="x"
        ),
    ),
    "duplicate: dispute answered": (
        {"customer.steward"},
        lambda a, c: duplicates.answer_dispute(a, CUSTOMER, _dispute(c), outcome="kept", answer="x"),
    ),
    **moves(CUSTOMER, "customer", lambda c: c.customer("yunhe")),
    "people: department": (
        {"user.manage"},
        lambda a, c: staffing.create_department(a, code="x", name="x", parent=None),
    ),
    "people: account": ({"user.manage"}, lambda a, c: staffing.create_users(a, [staffing.Person("x", "x")])),
    "people: managers": ({"user.manage"}, lambda a, c: staffing.set_managers(a, {c.people["lin"]: None})),
    "people: facts": (
        {"user.manage"},
        lambda a, c: staffing.change_users(a, {c.people["lin"]: {"title": "x"}}),
    ),
    "people: invitation": ({"user.manage"}, lambda a, c: staffing.renew_link(a, _lin(c))),
    "people: device": (
        {"user.manage"},
        lambda a, c: forget_device(a, _trusted(c), user_id=c.people["lin"]),
    ),
    "people: trust of a device": (
        {"role.manage"},
        lambda a, c: end_trust(a, _trusted(c), user_id=c.people["lin"]),
    ),
    "people: joiner": (
        {"user.manage"},
        lambda a, c: staffing.join(a, staffing.Person("x", "x", main_department_id=c.departments["east"])),
    ),
    "people: mover": (
        {"user.manage"},
        lambda a, c: staffing.move_person(
            a, _lin(c), staffing.Move(department=c.departments["south"]), reason="x"
        ),
    ),
    "people: leaver": (
        {"user.manage"},
        lambda a, c: staffing.leave(a, _lin(c), handover=staffing.Handover(), reason="x"),
    ),
    "people: what somebody holds": ({"user.manage"}, lambda a, c: holdings(a, c.people["lin"])),
    "people: head of a department": (
        {"user.manage"},
        lambda a, c: staffing.appoint_head(
            a, Department.objects.get(pk=c.departments["east"]), c.people["lin"]
        ),
    ),
    "people: group": ({"role.manage"}, lambda a, c: staffing.create_group(a, key="x", name="x")),
    "people: position": ({"role.manage"}, lambda a, c: staffing.create_position(a, key="x", name="x")),
    "people: ladder": ({"role.manage"}, lambda a, c: staffing.create_ladder(a, key="x", name="x", levels=[])),
    "policy: partition": ({"role.manage"}, lambda a, c: access.create_partition(a, key="x", name="x")),
    "policy: role": ({"role.manage"}, lambda a, c: access.create_role(a, key="x", name="x", grants={})),
    "policy: change of a role": (
        {"role.manage"},
        lambda a, c: access.change_role(
            a, Role.objects.get(key="empty"), name="x", description="", administrator="", grants={}
        ),
    ),
    "policy: inheritance": (
        {"role.manage"},
        lambda a, c: access.set_inherited_roles(
            a, Role.objects.get(key="empty"), [Role.objects.get(key="finance")]
        ),
    ),
    "policy: assignment": (
        {"role.assign"},
        lambda a, c: access.assign_role(
            a, Role.objects.get(key="rep"), to=Principal(user=_lin(c)), reason="x"
        ),
    ),
    "policy: admission": (
        {"role.assign"},
        lambda a, c: access.admit(
            a, Partition.objects.get(key="sz"), to=Principal(user=_lin(c)), rights=[Right.READ], reason="x"
        ),
    ),
    "policy: end of an assignment": (
        {"role.assign"},
        lambda a, c: access.end_assignment(a, Assignment.objects.first(), reason="x"),
    ),
    "policy: another end of an assignment": (
        {"role.assign"},
        lambda a, c: _some(access.change_end(a, _assigned(a, c), ends_at=_soon(), reason="x")),
    ),
    "policy: another end of an admission": (
        {"role.assign"},
        lambda a, c: _some(
            access.change_end(a, Admission.objects.get(user=c.people["chen"]), ends_at=_soon(), reason="x")
        ),
    ),
    "role: what it would add": (
        {"role.assign", "role.view"},
        lambda a, c: _some(giving.would_add(a, Role.objects.get(key="clerk"), to=Principal(user=_lin(c)))),
    ),
    "policy: end of an admission": (
        {"role.assign"},
        lambda a, c: access.end_admission(a, Admission.objects.first(), reason="x"),
    ),
    "policy: delegation": (
        {"customer.view"},
        lambda a, c: delegations.delegate(
            a,
            _lin(c),
            permissions=["customer.view"],
            starts_at=clock.now(),
            ends_at=clock.now() + timedelta(days=1),
            reason="x",
        ),
    ),
    "delegation: one's own ended": (
        set(),
        lambda a, c: _some(delegations.end_delegation(a, _MADE["own delegation"])),
    ),
    "delegation: ended between others": (
        {"role.assign"},
        lambda a, c: _some(delegations.end_delegation(a, _MADE["delegation"])),
    ),
    "glass: broken": (set(), lambda a, c: break_glass.break_glass(a, "day", minutes=5, reason="x")),
    "glass: one's own ended": (set(), lambda a, c: _some(break_glass.end(a, _MADE["own glass"]))),
    "policy: base access": (
        {"role.manage"},
        lambda a, c: access.set_base_access(a, "opportunity", "public_read"),
    ),
    "change set: submitted": (
        {"role.manage", "role.view"},
        lambda a, c: change_sets.submit(a, MORE, title="x"),
    ),
    "change set: published by whoever takes away": (
        {"role.manage", "role.view", "policy.apply"},
        lambda a, c: _published(change_sets.submit(a, LESS, title="x"), a),
    ),
    "change set: approved": ({"policy.approve", "role.view"}, lambda a, c: change_sets.approve(a, 1)),
    "change set: rejected": (
        {"policy.approve", "role.view"},
        lambda a, c: change_sets.reject(a, 1, reason="x"),
    ),
    "draft: a grant": (
        {"role.manage"},
        lambda a, c: drafting.set_scopes(a, "finance", {"customer.edit": ("own",)}),
    ),
    "draft: base access": (
        {"role.manage"},
        lambda a, c: drafting.set_base_access(a, "customer", "public_read"),
    ),
    "draft: a role": ({"role.manage"}, lambda a, c: drafting.add_role(a, "x", "x")),
    "draft: undone": ({"role.manage"}, lambda a, c: drafting.undo(a, "base_access/customer")),
    "draft: discarded": ({"role.manage"}, lambda a, c: drafting.discard(a)),
    "draft: carried over": ({"role.manage"}, lambda a, c: drafting.carry_over(a)),
    "draft: rehearsed": ({"role.manage", "role.view"}, lambda a, c: drafting.rehearse(a)),
    "draft: submitted": ({"role.manage", "role.view"}, lambda a, c: drafting.submit(a, title="x")),
    "change set: rehearsed": ({"role.view"}, lambda a, c: change_sets.rehearse(a, MORE)),
    "policy: roles": ({"role.view"}, lambda a, c: queries.roles(a)),
    "policy: assignments": ({"role.view"}, lambda a, c: queries.assignments(a)),
    "posture": ({"role.view"}, lambda a, c: Looking(a).posture()),
    "policy: admissions": ({"role.view"}, lambda a, c: queries.admissions(a)),
    "policy: document": (
        {"policy.apply", "role.manage"},
        lambda a, c: policy_file.apply(a, {"format": 1, "partitions": [{"key": "x", "name": "x"}]}),
    ),
    "the log": ({"audit.view"}, lambda a, c: _some(log.events(a, filters=LogFilter()).entries)),
}


# What each of several permissions lets do: one of them is enough, and none of the others is.
BY_ANY_OF = {
    "glass: another's ended": (
        {"role.assign", "audit.view"},
        lambda a, c: _some(break_glass.end(a, _MADE["glass"])),
    ),
    "glass: reviewed": (
        {"role.assign", "audit.view"},
        lambda a, c: break_glass.review(a, _MADE["glass that ended"], finding="x"),
    ),
}


# What changes definitions by a deed of one's own, which is possible until version 1.
BEFORE_VERSION_1 = {
    f"policy: {name}"
    for name in (
        "partition",
        "role",
        "change of a role",
        "inheritance",
        "base access",
        "document",
        "field rules",
        "what a duplicate check tells",
    )
} | {
    # The only security administrator stays from version 1 on.
    "policy: end of an assignment"
}
MORE = {"format": 1, "partitions": [{"key": "x", "name": "x"}]}
LESS = {"format": 1, "removes": {"roles": ["finance"]}}


def _published(submitted, actor):
    if not submitted.version:
        raise guard.denied(actor, "policy.apply")


@pytest.fixture
def somebody(request):
    """Return a function that gives 赵敏 exactly these permissions, as widely as they go, and nothing else.

    林悦's customer and opportunity become hers to begin with: nothing but the permission can be missing.
    """
    company = request.getfixturevalue("unharmed" if "unharmed" in request.fixturenames else "company")
    owner_connection = request.getfixturevalue("owner_connection")
    zhao = company.people["zhao"]
    called = getattr(request.node, "callspec", None)
    operation = called.params.get("operation", "") if called else ""
    # One transaction: reach is made true once.
    with owner_connection.transaction():
        if operation in BEFORE_VERSION_1:
            unpublish(owner_connection)
        else:
            republish(owner_connection)
        if operation in ("change set: approved", "change set: rejected"):
            owner_connection.execute(
                "INSERT INTO access_change_set (number, title, reason, author, base_version, document, narrows, risk,"
                " outcome, submitted_at) VALUES (1, '', '', %s, 1, %s, false, 'low', '', now()) ON CONFLICT DO NOTHING",
                [company.people["he"], json.dumps(MORE)],
            )
        if operation.startswith("draft: "):
            owner_connection.execute(
                "INSERT INTO access_draft (author_id, base_version, document, changes, changed_at)"
                " VALUES (%s, 1, %s, 1, now()) ON CONFLICT DO NOTHING",
                [zhao, json.dumps({"format": 1, "base_access": {"customer": "public_read"}})],
            )
        for table in ("crm_customer", "crm_opportunity"):
            owner_connection.execute(
                f"UPDATE {table} SET owner_id = %s WHERE owner_id = %s", [zhao, company.people["lin"]]
            )

        # What moves to another partition must be able to stand there.
        owner_connection.execute(
            "INSERT INTO access_admission (partition_id, user_id, can_create, can_edit, can_delete, reason, given_by)"
            " SELECT id, %s, true, true, true, '', -1 FROM access_partition WHERE key = 'sz'",
            [zhao],
        )

        a_pooled_customer(owner_connection, company)
        made = ("request:", "share across", "duplicate:", "delegation:", "glass:", "role: what it would")
        if operation.startswith(made):
            _make(owner_connection, company)

    def holding(permissions):
        with owner_connection.transaction():
            owner_connection.execute("DELETE FROM access_assignment")
            owner_connection.execute("DELETE FROM access_grant")
            owner_connection.execute(
                "INSERT INTO access_grant (role_id, permission, scope)"
                " SELECT r.id, p, 'everything' FROM access_role r, unnest(%s::text[]) p WHERE r.key = 'executive'",
                [sorted(permissions)],
            )
            owner_connection.execute(
                "INSERT INTO access_grant (role_id, permission, scope)"
                " SELECT id, 'user.view', 'everything' FROM access_role WHERE key = 'clerk'"
            )
            owner_connection.execute(
                "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by)"
                " SELECT id, %s, false, '', -1 FROM access_role WHERE key = 'executive'",
                [zhao],
            )
        return company.actor("zhao")

    return holding


ALL = frozenset(declared.name for declared in registry.permissions())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_succeeds_with_its_own_permissions_alone(company, somebody, operation):
    needed, deed = OPERATIONS[operation]
    actor = somebody(needed)
    with acting(actor):
        deed(actor, company)


@pytest.mark.parametrize(
    ("operation", "missing"),
    [(operation, missing) for operation, (needed, _deed) in OPERATIONS.items() for missing in sorted(needed)],
)
def test_an_operation_fails_with_every_other_permission(
    unharmed, somebody, owner_connection, operation, missing
):
    _needed, deed = OPERATIONS[operation]
    actor = somebody(ALL - {missing})
    tables = (
        "crm_customer",
        "crm_opportunity",
        "crm_contact",
        "access_team_member",
        "access_share",
        "people_user",
        "access_role",
        "access_grant",
        "access_assignment",
        *("access_request", "access_request_decision", "crm_duplicate_dispute", "access_delegation"),
    )
    count = " || ',' || ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    before = owner_connection.execute(f"SELECT {count}").fetchone()
    with pytest.raises((Denied, NotFound, NothingToDecide)), acting(actor):
        deed(actor, unharmed)
    assert owner_connection.execute(f"SELECT {count}").fetchone() == before


@pytest.mark.parametrize(
    ("operation", "permission"),
    [(operation, each) for operation, (enough, _deed) in BY_ANY_OF.items() for each in sorted(enough)],
)
def test_one_of_several_permissions_is_enough(company, somebody, operation, permission):
    actor = somebody({permission})
    with acting(actor):
        BY_ANY_OF[operation][1](actor, company)


@pytest.mark.parametrize("operation", BY_ANY_OF)
def test_none_of_all_other_permissions_is(unharmed, somebody, owner_connection, operation):
    enough, deed = BY_ANY_OF[operation]
    actor = somebody(ALL - enough)
    state = (
        "SELECT array_agg((id, ends_at) ORDER BY id), (SELECT count(*) FROM access_break_glass_review)"
        " FROM access_break_glass_use"
    )
    before = owner_connection.execute(state).fetchone()
    with pytest.raises((Denied, NotFound, Invalid)), acting(actor):
        deed(actor, unharmed)
    assert owner_connection.execute(state).fetchone() == before


def test_every_permission_is_needed_by_some_operation_or_is_asked_by_a_page_alone():
    asked = set().union(*(needed for needed, _deed in OPERATIONS.values()))
    # Pages and commands that show people and reasons, and the imports, ask these (see the table of pages).
    # An opportunity of no customer moves by the same deed as a customer. The views of reports ask by themselves.
    assert ALL - asked == {"user.view", "explain.any", "opportunity.move_partition", "report.sign_in"}


def test_a_right_in_the_partition_is_needed_besides_the_permission(company, somebody, owner_connection):
    """The wall: with every permission and without the right, 赵敏 does nothing there."""
    rights = {
        "create": "customer: create",
        "edit": "customer: edit",
        "delete": "customer: delete",
    }
    for right, operation in rights.items():
        actor = somebody(ALL)
        others = ", ".join(f"can_{other} = {other != right}" for other in rights)
        owner_connection.execute(f"UPDATE access_admission SET {others}")
        with pytest.raises((Denied, NotFound, Invalid)), acting(actor):
            OPERATIONS[operation][1](actor, company)
    owner_connection.execute("DELETE FROM access_admission")
    with acting(actor):
        assert guard.scope(actor, "customer.view").count() == 0
