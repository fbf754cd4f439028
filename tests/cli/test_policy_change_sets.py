"""`hufu policy` after version 1: files become change sets, and who publishes them signs in."""

from __future__ import annotations

import getpass
import sys

import pytest
from django.utils.formats import date_format
from django.utils.timezone import localtime

from hufu.access.models import ChangeSet, Version
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from tests.cli.conftest import POLICY
from tests.cli.test_signing_in import Terminal

PASSWORD = "老虎-two-halves-7"
# Zhao drafts and publishes what takes away; Wang approves.
WITH_APPROVER = POLICY.replace(
    "grants: {role.view: everything, role.assign: everything, policy.apply: everything}",
    "grants: {role.view: everything, role.assign: everything, policy.apply: everything, role.manage: everything}\n"
    "  - {key: approver, name: 复核员, grants: {role.view: everything, policy.approve: everything}}",
).replace("admissions:", "  - {role: approver, to: {user: wang}, reason: 复核}\nadmissions:")
WIDER = WITH_APPROVER.replace("customer.view: department", "customer.view: everything")
NARROWER = WITH_APPROVER.replace("customer.view: department", "customer.view: own")


@pytest.fixture
def published(hufu, people, write, monkeypatch):
    """Version 1, under which Zhao and Wang sign in with a password."""
    said = hufu("policy", "apply", write(WITH_APPROVER))
    assert said.code == 0, said.err
    for name in ("zhao", "wang"):
        people[name].set_password(PASSWORD)
        people[name].save(update_fields=["password"])
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: PASSWORD)
    return people


def versions():
    with acting(Actor.operator()):
        return Version.objects.count()


def test_the_operator_submits_and_whoever_signs_in_approves(hufu, published, write, events):
    said = hufu("policy", "apply", write(WIDER), "--title", "大家都看")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "changed  Role: 只读",
        "    View customers: own department → everything",
        "Change set 1 waits for approval.",
    ]
    assert versions() == 1
    assert hufu("explain", "--as", "li", "customer.view", "--json").json["path"][0]["scope"] == ["department"]
    refused = hufu("policy", "approve", 1, "--sign-in", "zhao")
    assert refused.code == 1
    assert "Approve change sets of others" in refused.err
    said = hufu("policy", "approve", 1, "--sign-in", "wang", "--reason", "同意")
    assert (said.code, said.out) == (0, "Version 2 of the policy is published.\n")
    assert hufu("explain", "--as", "li", "customer.view", "--json").json["path"][0]["scope"] == ["everything"]
    assert [event["data"]["version"] for event in events("policy.applied")] == [1, 2]
    # The file says what stands.
    assert hufu("policy", "apply", write(WIDER)).out.startswith("There is nothing to change")
    listed = hufu("policy", "history", "--json").json
    assert [(row["version"], row["by"], row["author"], row["risk"]) for row in listed["versions"]] == [
        (2, "wang", "operator", "high"),
        (1, "operator", "operator", None),
    ]
    told = hufu("policy", "history").out
    assert "大家都看" in told
    # In the company's time and form, as pages print it; programs get the moment.
    with acting(Actor.operator()):
        at = Version.objects.get(number=2).published_at
    assert date_format(localtime(at), "DATETIME_FORMAT") in told
    assert at.isoformat(timespec="seconds") not in told
    assert listed["versions"][0]["at"] == at.isoformat(timespec="seconds")
    assert (
        hufu("policy", "diff", 1, 2).out.splitlines()[1] == "    View customers: own department → everything"
    )


def test_zhao_takes_away_alone_and_returns_to_version_1_with_wang(hufu, published, write, customer_of_li):
    said = hufu("policy", "apply", write(NARROWER), "--sign-in", "zhao")
    assert said.out.splitlines()[-1] == "Version 2 of the policy is published: it only takes away.", said.err
    back = hufu("policy", "rollback", 1, "--reason", "还是要看", "--sign-in", "zhao")
    assert back.out.splitlines()[-1] == "Change set 2 waits for approval."
    assert hufu("policy", "approve", 2, "--sign-in", "zhao").code == 1
    assert hufu("policy", "approve", 2, "--sign-in", "wang").code == 0
    assert hufu("policy", "diff", 1, 3).out == "There is no difference.\n"


@pytest.fixture
def customer_of_li(published):
    """Li's customer."""
    from hufu.crm.actions import NewRecord, create_record
    from hufu.crm.resources import CUSTOMER

    actor = Actor(published["li"].id, "李一")
    with acting(actor):
        return create_record(
            actor, CUSTOMER, NewRecord(1, actor.user_id, {"name": "上海启明机械有限公司", "stage": "new"})
        )


def test_a_preview_is_by_person_in_numbers_and_leaves_nothing(
    hufu, published, write, customer_of_li, owner_connection
):
    def rows():
        tables = owner_connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'hufu')"
            " AND tablename NOT IN ('spent', 'hufu_cache')"
        ).fetchall()
        return {
            f"{schema}.{name}": owner_connection.execute(
                f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {schema}.\"{name}\" t"
            ).fetchone()
            for schema, name in tables
        }

    before = rows()
    said = hufu("policy", "preview", write(WIDER), "--json")
    assert said.code == 0, said.err
    assert (said.json["narrows"], said.json["risk"]) == (False, "high")
    chen = next(person for person in said.json["people"] if person["username"] == "chen")
    assert chen["records"]["customer"]["gained"] == 1
    assert "上海启明" not in said.out
    text = hufu("policy", "preview", write(WIDER)).out
    assert f"customer:{customer_of_li}" in text
    assert rows() == before, "no row of any table is another one, events among them"


def test_a_test_that_fails_blocks_the_approval(hufu, published, write, customer_of_li):
    tests = (
        "tests:\n  - {who: chen, may: customer.view, expect: no, because: out_of_scope, "
        f"record: 'customer:{customer_of_li}'}}\n"
        "  - {who: li, count: customer.view, is: 1}\n"
    )
    assert hufu("policy", "test", write(WITH_APPROVER + tests)).out.splitlines()[-1] == "2 tests, 0 failed."
    hufu("policy", "apply", write(WITH_APPROVER + tests))
    assert hufu("policy", "approve", 1, "--sign-in", "wang").code == 0
    assert hufu("policy", "test").code == 0
    said = hufu("policy", "test", write(WIDER))
    assert said.code == 1
    assert f"FAILS  陈二 · View customers · Customer, number {customer_of_li} · no" in said.out
    assert said.out.splitlines()[0].endswith("  — yes (the record is reached)")
    hufu("policy", "apply", write(WIDER))
    refused = hufu("policy", "approve", 2, "--sign-in", "wang")
    assert refused.code == 1
    assert "陈二 · View customers" in refused.err
    assert "it is yes (the record is reached)" in refused.err
    with acting(Actor.operator()):
        assert ChangeSet.objects.get(number=2).state == "submitted"


def test_two_drafts_of_one_version(hufu, published, write):
    other = WITH_APPROVER.replace("name: 经理", "name: 销售主管")
    hufu("policy", "apply", write(WIDER), "--sign-in", "zhao")
    hufu("policy", "apply", write(other), "--sign-in", "zhao")
    hufu(
        "policy",
        "apply",
        write(
            WITH_APPROVER.replace("customer.view: department", "customer.view: [department, subordinates]")
        ),
        "--sign-in",
        "zhao",
    )
    assert hufu("policy", "approve", 1, "--sign-in", "wang").code == 0
    late = hufu("policy", "approve", 2, "--sign-in", "wang")
    assert late.code == 1
    assert "written for version 1, and version 2 stands" in late.err
    anew = hufu("policy", "rebase", 2, "--sign-in", "zhao")
    assert anew.out.splitlines() == [
        "changed  Role: 经理",
        "    Name: 经理 → 销售主管",
        "Change set 4 waits for approval.",
    ]
    assert hufu("policy", "approve", 4, "--sign-in", "wang").code == 0
    overlapping = hufu("policy", "rebase", 3, "--sign-in", "zhao")
    assert overlapping.code == 1
    assert "roles.reader: Both" in overlapping.err
    assert hufu("policy", "withdraw", 3, "--sign-in", "zhao").code == 0
    # The file as it was exported, and again: nothing to change, and the same bytes.
    exported = hufu("policy", "export").out
    assert hufu("policy", "apply", write(exported)).out.startswith("There is nothing to change")
    assert hufu("policy", "export").out == exported
