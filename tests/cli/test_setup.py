"""`hufu setup`: the first administrators, without a password anybody knows, and only once."""

from __future__ import annotations

import io
import sys

import pytest

from hufu.access import company as the_company
from hufu.access.models import Assignment, Mode, Role, Version
from hufu.cli import environment
from hufu.core.actor import Actor
from hufu.core.setup_code import SetupCode, Verdict
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.cli.conftest import POLICY

STANDARD = ("setup", "--system", "wei:卫东:wei@example.com", "--audit", "he:何青")


def held(hufu, who: str) -> set[str]:
    names = ("user.manage", "role.manage", "role.assign", "policy.apply", "audit.view", "customer.view")
    return {name for name in names if hufu("explain", "--as", who, name).code == 0}


def test_in_standard_mode_one_person_is_system_and_security_administrator(hufu, committed):
    said = hufu(*STANDARD, "--json")
    assert said.code == 0
    assert said.json["mode"] == "standard"
    assert [(one["username"], one["posts"]) for one in said.json["people"]] == [
        ("wei", ["system", "security"]),
        ("he", ["audit"]),
    ]
    assert len({one["link"] for one in said.json["people"]}) == 2
    assert held(hufu, "wei") == {"user.manage", "role.manage", "role.assign", "policy.apply"}
    assert held(hufu, "he") == {"audit.view"}
    with acting(Actor.operator()):
        assert not any(user.has_usable_password() for user in User.objects.all())
        assert not Version.objects.exists()


def test_three_administrators_are_three_people(hufu, committed):
    names = ("--system", "wei:卫东", "--security", "an:安宁", "--audit", "he:何青")
    same = hufu("setup", "--mode", "three", *names[:2], "--security", "wei", *names[4:])
    assert same.code == 1
    assert "needs three different people" in same.err
    said = hufu("setup", "--mode", "three", "--company", "虎啸集团", *names, "--json")
    assert (said.json["mode"], said.json["company"]) == ("three", "虎啸集团")
    assert held(hufu, "wei") == {"user.manage"}
    assert held(hufu, "an") == {"role.manage", "role.assign", "policy.apply"}
    assert held(hufu, "he") == {"audit.view"}


def test_the_audit_administrator_is_always_somebody_else(hufu, committed):
    said = hufu("setup", "--system", "wei:卫东", "--audit", "wei:卫东")
    assert said.code == 1
    assert "must be somebody else" in said.err
    with acting(Actor.operator()):
        assert not User.objects.exists()


def test_a_second_time_is_refused_and_says_what_to_do(hufu, committed):
    assert hufu(*STANDARD).code == 0
    said = hufu("setup", "--system", "evil:坏人", "--audit", "eve:更坏")
    assert said.code == 1
    assert (
        "There are administrators already: 何青 (Audit administrator), "
        "卫东 (System administrator, Security administrator). Nothing was changed." in said.err
    )
    assert "hufu invite USER" in said.err
    with acting(Actor.operator()):
        assert User.objects.count() == 2


def test_after_version_1_without_setup_it_is_refused(hufu, company):
    said = hufu(*STANDARD)
    assert said.code == 1
    assert "There are administrators already: 赵三 (Security administrator)" in said.err


def test_the_policy_that_follows_takes_over_roles_of_the_same_keys_and_publishes_version_1(
    hufu, people, write
):
    assert hufu("setup", "--system", "zhao", "--audit", "he:何青").code == 0
    said = hufu("policy", "apply", write(POLICY))
    assert said.code == 0, said.err
    assert "changed  role:security_administrator" in said.out
    with acting(Actor.operator()):
        role = Role.objects.get(key="security_administrator")
        assert role.name == "安全管理员"
        assert Assignment.objects.filter(role=role).count() == 1
    assert held(hufu, "zhao") == {"user.manage", "role.assign", "policy.apply"}


def test_an_account_that_stands_is_taken_and_one_that_is_closed_is_not(hufu, people):
    said = hufu("setup", "--system", "sun", "--audit", "he:何青")
    assert said.code == 1
    assert "is suspended or has left" in said.err
    said = hufu("setup", "--system", "wang", "--audit", "he:何青", "--json")
    assert said.json["people"][0]["name"] == "王经理"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--system"),
        (("--system", "wei:卫东"), "--audit"),
        (("--mode", "three", "--system", "wei:卫东", "--audit", "he:何青"), "--security"),
        (("--system", "wei wei:卫东", "--audit", "he:何青"), "cannot be used"),
        (("--system", "wei:卫东:no-mail", "--audit", "he:何青"), "cannot be used"),
        (("--system", "a:b:c:d", "--audit", "he:何青"), "USERNAME:NAME[:MAIL]"),
        (("--system", ":卫东", "--audit", "he:何青"), "cannot be used"),
        (("--system", "wei:\u200e", "--audit", "he:何青"), "none that can be seen"),
        (("--mode", "four", "--system", "wei:卫东", "--audit", "he:何青"), "--mode"),
    ],
)
def test_what_is_missing_or_wrong_is_named(hufu, committed, monkeypatch, words, told):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    said = hufu("setup", *words)
    assert said.code == 2
    assert told in said.err


def test_somebody_new_needs_a_name(hufu, committed):
    said = hufu("setup", "--system", "wei", "--audit", "he:何青")
    assert said.code == 1
    assert "There is no account wei yet: give a name." in said.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_asks(hufu, committed, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("虎啸集团\n\nwei\n卫东\n\n\nhe\n何青\nhe@example.com\n"))
    said = hufu("setup")
    assert said.code == 0, said.err
    assert "卫东 (wei): System administrator, Security administrator" in said.out
    assert "何青 (he): Audit administrator" in said.out
    assert said.out.count("/accounts/password/") == 2
    assert "does not conform" in said.err
    with acting(Actor.operator()):
        assert str(the_company.current()) == "虎啸集团"
        assert the_company.mode() is Mode.STANDARD


def test_on_a_terminal_it_asks_for_the_mode_until_it_is_one(hufu, committed, monkeypatch):
    typed = "\nfour\nThree\nwei\n卫东\n\nan\n安宁\n\nhe\n何青\n\n"
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    said = hufu("setup")
    assert said.code == 0, said.err
    assert "the three stay three people" in said.err
    with acting(Actor.operator()):
        assert the_company.mode() is Mode.THREE


def test_answers_that_end_early_change_nothing(hufu, committed, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal("\n\nwei\n卫东\n\n"))
    said = hufu("setup")
    assert said.code == 2
    with acting(Actor.operator()):
        assert not User.objects.exists()


def test_the_mode_and_who_set_the_company_up_stand_in_the_log(hufu, committed, events):
    assert hufu(*STANDARD, "--mode", "three", "--security", "an:安宁", "--company", "虎啸集团").code == 0
    [event] = events("company.set_up")
    assert event["data"] == {"name": "虎啸集团", "mode": "three"}


def test_the_code_of_the_browser_is_void_once_the_command_line_was_first(hufu, committed):
    code = SetupCode(environment.secrets())
    issued = code.issue()
    assert hufu(*STANDARD).code == 0
    assert code.attempt(issued) is Verdict.VOID


def test_two_people_of_one_mail_address_are_refused(hufu, committed):
    said = hufu("setup", "--system", "wei:卫东:x@example.com", "--audit", "he:何青:X@example.com")
    assert said.code == 1
    assert "is given to two people" in said.err


def test_after_version_1_without_any_administrator_it_says_so(hufu, people, connect_as):
    connect_as("hufu_owner").execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (1, -1, 'x', '')"
    )
    said = hufu(*STANDARD)
    assert said.code == 1
    assert "names no administrator" in said.err


@pytest.mark.parametrize(("mode", "told"), [("standard", "does not conform"), ("three", "three people")])
def test_doctor_says_in_which_mode_the_company_is_administered(hufu, committed, mode, told):
    nobody = hufu("doctor", "--json").json["findings"]
    assert "nobody yet" in next(one["note"] for one in nobody if one["name"] == "administrators")
    hufu(*STANDARD, "--mode", mode, "--security", "an:安宁")
    found = hufu("doctor", "--json").json["findings"]
    [finding] = [one for one in found if one["name"] == "administrators"]
    assert finding["ok"]
    assert told in finding["note"]
