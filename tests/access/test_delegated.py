"""Delegated administration: 王芳 gives the read-only role, by name, to the people of the sales department. No more."""

from __future__ import annotations

import psycopg
import pytest

from hufu.access import actions, delegated, guard, policy_document
from hufu.access.actions import Principal
from hufu.access.delegated_models import Delegated
from hufu.access.models import Assignment, Role
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Department, Level, User
from tests.access.test_delegation import lend
from tests.company import company, company_database, publish

__all__ = ["company", "company_database"]

SECTION = [{"to": {"user": "wang"}, "within": "sales", "roles": ["rep_reading"], "reason": "部门自管"}]


@pytest.fixture
def entrusted(company):
    he = company.actor("he")
    assert publish(company, {"format": 1, "delegated_administration": SECTION}) == 2
    with acting(he):
        assert policy_document.export()["delegated_administration"] == SECTION
        assert policy_document.plan({"format": 1, "delegated_administration": SECTION}) == ()
    return company


def give(company, who, key, **to):
    actor = company.actor(who)
    with acting(actor):
        return actions.assign_role(actor, Role.objects.get(key=key), to=Principal(**to), reason="x")


def user(name):
    return User.objects.get(username=name)


def test_wang_gives_the_listed_role_to_her_people_and_takes_it_back(entrusted):
    given = give(entrusted, "wang", "rep_reading", user=user("qian"))
    qian = entrusted.actor("qian")
    with acting(qian):
        assert guard.scope(qian, "customer.view").count() == 3
    wang = entrusted.actor("wang")
    with acting(wang):
        actions.end_assignment(wang, Assignment.objects.get(pk=given.pk), reason="x")


def test_she_gives_no_other_role_to_nobody_else_to_no_principal_and_nothing_to_herself(entrusted, connect_as):
    # Nor to whom she stands in for: it would come to herself.
    lend(entrusted, "tang", "wang", "customer.view")
    with acting(entrusted.actor("he")):
        others = [
            ("rep_reading", {"user": user("tang")}),
            ("rep", {"user": user("qian")}),
            ("security", {"user": user("qian")}),
            ("rep_reading", {"user": user("sun")}),
            ("rep_reading", {"user": user("wang")}),
            ("rep_reading", {"department": Department.objects.get(code="east")}),
            ("rep_reading", {"level": Level.objects.get(key="rep")}),
        ]
        numbers = dict(Role.objects.values_list("key", "id"))
    app = connect_as("hufu_app")
    for key, to in others:
        with pytest.raises(Denied):
            give(entrusted, "wang", key, **to)
        ((kind, thing),) = to.items()
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [entrusted.people["wang"]])
            app.execute(
                f"INSERT INTO access_assignment (role_id, {kind}_id, reason, given_by) VALUES (%s, %s, 'x', %s)",
                [numbers[key], thing.pk, entrusted.people["wang"]],
            )
    # Nobody else is entrusted by it, and neither she nor the security administrator widens it for themselves.
    with pytest.raises(Denied):
        give(entrusted, "tang", "rep_reading", user=user("qian"))
    for who in ("wang", "he"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(%s)", [entrusted.people[who]])
            app.execute(
                "INSERT INTO access_delegated (user_id, within_id, reason) VALUES (%s, %s, 'x')",
                [entrusted.people[who], entrusted.departments["hq"]],
            )


def test_no_administrator_is_made_so_and_it_ends(entrusted):
    he = entrusted.actor("he")
    with acting(he), pytest.raises(Invalid):
        policy_document.plan(
            {"format": 1, "delegated_administration": [{**SECTION[0], "roles": ["security"]}]}
        )
    with pytest.raises(Denied), acting(he):
        delegated.entrust(he, user("he"), within=Department.objects.get(code="hq"), roles=[], reason="x")
    with acting(he):
        delegated.end(he, Delegated.objects.get(), reason="x")
    with pytest.raises(Denied):
        give(entrusted, "wang", "rep_reading", user=user("qian"))
