"""A policy document: all of it or nothing, every problem with its place, and never a way around a rule."""

from __future__ import annotations

import copy
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hufu.access import policy_document, policy_file, queries
from hufu.access.models import Admission, Assignment, Grant, Partition, Role, Version
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from tests.company import POLICY, unpublish

OPERATOR = Actor.operator()
TABLES = (Partition, Role, Grant, Assignment, Admission, Version)


@pytest.fixture
def company(company, owner_connection):
    """The company before version 1 of its policy: by deeds of one's own definitions change until then."""
    unpublish(owner_connection)
    return company


def document(**changes):
    """The company's policy without its organisation, with some sections replaced."""
    return {**{key: copy.deepcopy(part) for key, part in POLICY.items() if key != "organisation"}, **changes}


def role(key, **more):
    return {"key": key, "name": key, "grants": {}, **more}


def counts():
    with acting(OPERATOR):
        return [model.objects.count() for model in TABLES]


def apply(company, changed, who="he"):
    with acting(company.actor(who)):
        return policy_file.apply(company.actor(who), changed)


def problems(company, changed):
    before = counts()
    with pytest.raises(Invalid) as refused:
        apply(company, changed)
    assert counts() == before, "nothing of a wrong document is kept"
    return {place: " ".join(map(str, messages)) for place, messages in refused.value.problems.items()}


def test_the_same_document_twice_is_once(company):
    before = counts()
    report = apply(company, document())
    assert report.is_empty
    assert report.version == 0
    assert counts() == before


def test_a_change_is_a_version_and_holds_at_once(company):
    changed = document(roles=[{**POLICY["roles"][5], "grants": {"customer.view": "own"}}])
    assert apply(company, changed).version == 1
    with acting(company.actor("zhou")):
        assert not queries.guard.may(company.actor("zhou"), "opportunity.view")
        assert queries.guard.scope(company.actor("zhou"), "customer.view").count() == 0


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"format": 2}, "format"),
        ({"polices": []}, ""),
        ({"roles": [role("x", grants={"customer.fly": "own"})]}, "roles[1].grants.customer.fly"),
        ({"roles": [role("x", grants={"customer.view": "all"})]}, "roles[1].grants.customer.view"),
        ({"roles": [role("x", grants={"customer.create": "department"})]}, "roles[1].grants.customer.create"),
        ({"roles": [role("x", inherits=["nobody"])]}, "roles[1].inherits"),
        ({"roles": [role("x", administrator="root")]}, "roles[1].administrator"),
        ({"roles": [role("x"), role("x")]}, "roles[2]"),
        (
            {"assignments": [{"role": "nobody", "to": {"user": "lin"}, "reason": "x"}]},
            "assignments[1].role",
        ),
        (
            {"assignments": [{"role": "rep", "to": {"user": "nobody"}, "reason": "x"}]},
            "assignments[1].to",
        ),
        (
            {"assignments": [{"role": "rep", "to": {"user": "lin", "level": "sales.rep"}, "reason": "x"}]},
            "assignments[1].to",
        ),
        (
            {"assignments": [{"role": "rep", "to": {"department": "hq", "below": "false"}, "reason": "x"}]},
            "assignments[1].to",
        ),
        (
            {"admissions": [{"partition": "sh", "to": {"user": "lin"}, "rights": ["own"], "reason": "x"}]},
            "admissions[1].rights",
        ),
        ({"assignments": [{"role": "rep", "to": {"user": "lin"}}]}, "assignments[1]"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(company, changes, place):
    assert place in problems(company, document(**changes))


def test_one_wrong_line_keeps_everything_out(company):
    good = [role("good", grants={"customer.view": "own"}), role("bad", grants={"customer.fly": "own"})]
    assert set(problems(company, document(roles=good))) == {"roles[2].grants.customer.fly"}
    with acting(OPERATOR):
        assert not Role.objects.filter(key="good").exists()


@pytest.mark.parametrize(
    "roles",
    [
        [role("a", inherits=["b"]), role("b", inherits=["c"]), role("c", inherits=["a"])],
        [role("a", inherits=["a"])],
        # 销售经理 inherits 销售代表 already; the document names only the other half of the circle.
        [{**POLICY["roles"][0], "inherits": ["manager"]}],
    ],
)
def test_roles_in_a_circle_are_refused_with_the_path(company, roles):
    found = problems(company, document(roles=roles, assignments=[], admissions=[]))
    assert any(place.endswith(".inherits") and " → " in told for place, told in found.items()), found


@pytest.mark.parametrize("order", [1, -1])
def test_inheritance_can_be_turned_around_in_one_document(company, order):
    by_key = {entry["key"]: copy.deepcopy(entry) for entry in POLICY["roles"]}
    by_key["manager"].pop("inherits")
    by_key["rep"]["inherits"] = ["manager"]
    report = apply(company, document(roles=list(by_key.values())[::order]))
    assert set(report.changed) == {"role:manager", "role:rep"}


ON_A_LEVEL = {"role": "system", "to": {"level": "sales.rep"}, "reason": "x"}


@pytest.mark.parametrize(
    "changes",
    [
        {"assignments": [ON_A_LEVEL]},
        {
            "roles": [role("x", inherits=["y"]), role("y", inherits=["audit"]), *POLICY["roles"]],
            "assignments": [{**ON_A_LEVEL, "role": "x"}],
        },
        {"roles": [{**POLICY["roles"][0], "administrator": "security"}]},
        {"roles": [{**POLICY["roles"][0], "inherits": ["security"]}]},
        {"roles": [{**POLICY["roles"][0], "administrator": "security"}], "assignments": []},
        {"roles": [{**POLICY["roles"][0], "inherits": ["security"]}], "assignments": []},
    ],
    ids=[
        "given",
        "given a role that inherits it",
        "a role on a level becomes one",
        "a role on a level inherits one",
        "becomes one in a document without assignments",
        "inherits one in a document without assignments",
    ],
)
def test_an_administrator_role_does_not_come_onto_a_level(company, changes):
    assert problems(company, document(**changes))


@pytest.mark.parametrize("name", ["lin", "li", "feng", "wu", "qian"])
def test_nobody_else_changes_the_policy(company, name):
    before = counts()
    with pytest.raises(Denied):
        apply(company, document(roles=[role("x")]), name)
    assert counts() == before


def test_after_version_1_nobody_changes_it_by_a_deed_of_their_own(company):
    apply(company, document(roles=[role("x")]))
    for actor in (OPERATOR, company.actor("he")):
        with pytest.raises(Denied), acting(actor):
            policy_file.apply(actor, document(roles=[role("y")]))


@pytest.mark.parametrize(
    "to",
    [
        {"user": "he"},
        {"department": "office"},
        {"department": "office", "below": True},
        {"department": "hq", "below": True},
    ],
)
@pytest.mark.parametrize("what", ["assignments", "admissions"])
def test_he_gives_himself_nothing_by_a_document(company, owner_connection, what, to):
    thing = {"role": "executive"} if what == "assignments" else {"partition": "sh", "rights": ["edit"]}
    before = counts()
    with pytest.raises(Denied):
        apply(company, document(**{what: [{**thing, "to": to, "reason": "x"}]}))
    assert counts() == before
    refused = owner_connection.execute(
        "SELECT count(*) FROM audit_event WHERE type = 'access.refused'"
    ).fetchone()
    assert refused == (1,), "the refusal is in the log"


def test_he_gives_others_by_a_document(company):
    gift = {"role": "executive", "to": {"user": "qian"}, "reason": "x"}
    assert apply(company, document(assignments=[gift])).version == 1


def read(ask):
    """The tables of the policy that a question reads, and its answer."""
    with acting(OPERATOR), CaptureQueriesContext(connection) as asked:
        answer = ask()
    return {table for each in asked for table in re.findall(r'"(access_\w+)"', each["sql"])}, answer


def test_of_the_policy_that_stands_only_what_a_document_names_is_read(shared):
    always = {"access_partition", "access_role", "access_role_inherits", "access_grant", "access_assignment"}
    tables, steps = read(lambda: policy_document.plan({"format": 1}))
    assert (tables - always, steps) == (set(), ())
    tables, steps = read(lambda: policy_document.plan({"format": 1, "admissions": POLICY["admissions"]}))
    assert (tables - always, steps) == ({"access_admission"}, ())
    tables, whole = read(policy_document.export)
    assert "access_admission" in tables
    # Who is admitted, and given roles by name, is no definition: there are as many of these as people.
    tables, definitions = read(policy_document.definitions)
    assert "access_admission" not in tables
    assert [entry for entry in whole["assignments"] if entry not in definitions["assignments"]] == [
        entry for entry in POLICY["assignments"] if "level" not in entry["to"]
    ]
