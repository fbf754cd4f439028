"""`hufu policy`: applied whole or not at all, the same file again does nothing, and export reads back to the same."""

from __future__ import annotations

import os

import pytest
import yaml

from hufu.access.models import Partition, Role, Version
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import Department
from tests.cli.conftest import ORGANISATION, POLICY


def test_a_file_is_applied_and_published_as_version_1(hufu, people, write, events):
    said = hufu("policy", "apply", write(POLICY))
    assert said.code == 0
    assert "created  partition:sh" in said.out
    assert "created  assignment:rep → level sales.rep" in said.out
    assert said.out.splitlines()[-1] == "Version 1 of the policy is published."
    assert [event["data"]["version"] for event in events("policy.applied")] == [1]


def test_the_same_file_again_says_nothing_to_change_also_after_version_1(hufu, company, write, events):
    for words in ((), ("--dry-run",)):
        said = hufu("policy", "apply", write(POLICY), *words)
        assert (said.code, said.err) == (0, "")
        assert said.out == "There is nothing to change: the policy is what the file says.\n"
    assert not events("access.refused")
    with acting(Actor.operator()):
        assert Version.objects.count() == 1


def test_a_dry_run_after_version_1_still_says_what_differs(hufu, company, write):
    changed = write(POLICY.replace("customer.view: department", "customer.view: everything"))
    said = hufu("policy", "apply", changed, "--dry-run", "--json")
    assert said.code == 0
    assert said.json == {
        "version": 1,
        "published": False,
        "dry_run": True,
        "created": [],
        "changed": ["role:reader"],
        "removed": [],
    }


def test_a_dry_run_changes_nothing(hufu, people, write):
    said = hufu("policy", "apply", write(POLICY.replace("name: 总部", "name: 集团")), "--dry-run")
    assert said.code == 0
    assert "changed  department:hq" in said.out
    assert said.out.splitlines()[-1] == "This was a dry run: nothing was changed."
    with acting(Actor.operator()):
        assert not Partition.objects.exists()
        assert Department.objects.get(code="hq").name == "总部"


def test_everything_that_is_wrong_is_told_with_its_place_and_nothing_is_applied(hufu, people, write):
    said = hufu(
        "policy",
        "apply",
        write(
            ORGANISATION
            + """
partitions: [{key: sh, name: 上海}, {key: sh, name: 再来}]
roles:
  - {key: a, name: 甲, grants: {customer.veiw: own, customer.view: sometimes}, inherits: [b]}
  - {key: b, name: 乙, inherits: [a, ghost], colour: red}
  - {key: no, name: 丙}
  - {key: sec, name: 丁, administrator: security}
assignments:
  - {role: a, to: {level: sales.boss}, reason: x}
  - {role: sec, to: {level: sales.rep}, reason: x}
  - {role: a, to: {user: li}, reason: x, starts: 2027-01-02, ends: 2027-01-01}
  - {role: a, to: {user: li}, reason: x, ends: soon}
admissions:
  - {partition: bj, to: {user: li, level: sales.rep}, rights: [fly], reason: x}
  - {partition: sh, to: {user: nobody}}
"""
        ),
        "--json",
    )
    assert said.code == 1
    problems = said.json["problems"]
    assert problems["partitions[2]"] == ["“sh” stands here twice."]
    assert problems["roles[1].grants.customer.veiw"] == ["There is no permission “customer.veiw”."]
    assert "sometimes" in problems["roles[1].grants.customer.view"][0]
    assert problems["roles[2]"] == ["There is no setting “colour” here."]
    assert problems["roles[3]"] == ["“key” must be text; put it in quotes."]
    assert problems["assignments[1].to"] == ["There is no level “sales.boss”."]
    assert problems["assignments[2].to"] == ["“sec” is an administrator role and cannot hang on a level."]
    assert problems["assignments[3].ends"] == ["It would end before it starts."]
    assert problems["assignments[4].ends"] == ["“soon” is not a date such as 2027-03-31."]
    assert problems["admissions[1].partition"] == ["There is no partition “bj”."]
    assert problems["admissions[1].to"] == ["Name exactly one of: user, group, department, position, level."]
    assert problems["admissions[1].rights"] == ["“fly” is not one of read, create, edit, delete."]
    assert problems["admissions[2]"] == ["“reason” is missing."]
    with acting(Actor.operator()):
        assert not Role.objects.exists()


def test_a_circle_through_a_role_that_the_file_does_not_name_is_refused(hufu, people, write):
    first = """
format: 1
roles:
  - {key: a, name: 甲}
  - {key: b, name: 乙, inherits: [a]}
  - key: sec
    name: 丁
    administrator: security
    grants: {policy.apply: everything, role.assign: everything}
assignments:
  - {role: sec, to: {user: zhao}, reason: 安全}
"""
    assert hufu("policy", "apply", write(first)).code == 0
    said = hufu(
        "policy", "apply", write("format: 1\nroles: [{key: a, name: 甲, inherits: [b]}]"), "--dry-run"
    )
    assert said.code == 1
    assert "roles[1].inherits: Roles would inherit in a circle: a → b → a." in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("format: 1\nroles: []\nroles: []\n", "line 3, column 1: “roles” stands twice in the same mapping."),
        ("format: 1\n  roles: []\n", "line 2"),
        ("", "holds no settings"),
        ("- format: 1\n", "holds no settings"),
        ("roles: []\n", "“format” is missing."),
        ("format: 2\n", "format: This version reads format 1."),
        ("format: 1\norganisation: here\n", "organisation: This must be a mapping."),
        ("format: 1\nroles: {a: b}\n", "roles: This must be a list."),
        ("format: 1\nroles: [{key: a, name: !!python/object:os.system {}}]\n", "line 2"),
        ("format: 1\norganisation: {departments: [{code: a, name: %s}]}" % ("长" * 121), "longer than 120"),
        (
            "format: 1\norganisation: {ladders: [{key: a, name: b, levels: c}]}",
            "levels: This must be a list.",
        ),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_without_a_stack_trace(hufu, write, text, told):
    said = hufu("policy", "apply", write(text))
    assert said.code == 1
    assert told in said.err
    assert "Traceback" not in said.err


def test_a_file_that_is_not_there_or_not_text_is_told(hufu, tmp_path):
    assert "cannot be read: No such file" in hufu("policy", "apply", tmp_path / "none.yaml").err
    assert "cannot be read: Is a directory" in hufu("policy", "apply", tmp_path).err
    (tmp_path / "gbk.yaml").write_bytes("format: 1 # 中文".encode("gbk"))
    assert "is not UTF-8 text" in hufu("policy", "apply", tmp_path / "gbk.yaml").err


def test_version_1_is_not_published_while_nobody_could_change_the_policy_after_it(hufu, people, write):
    alone = POLICY.replace("  - {role: security_administrator, to: {user: zhao}, reason: 安全}\n", "")
    said = hufu("policy", "apply", write(alone))
    assert said.code == 1
    assert "Run `hufu setup` first" in said.err
    with acting(Actor.operator()):
        assert not Version.objects.exists()
        assert not Role.objects.exists()
    gone = POLICY.replace("{user: zhao}", "{user: sun}")
    assert hufu("policy", "apply", write(gone)).code == 1


def test_an_export_reads_back_to_the_same(hufu, company, tmp_path):
    file = tmp_path / "export.yaml"
    assert hufu("policy", "export", file).code == 0
    assert os.stat(file).st_mode & 0o077 == 0
    said = hufu("policy", "apply", file)
    assert (said.code, said.out) == (0, "There is nothing to change: the policy is what the file says.\n")
    exported = yaml.safe_load(file.read_text(encoding="utf-8"))
    wanted = yaml.safe_load(POLICY)
    assert exported["organisation"] == wanted["organisation"]
    assert exported["partitions"] == wanted["partitions"]
    assert exported["roles"] == wanted["roles"]


def test_an_export_goes_into_an_empty_company_as_it_is(hufu, company, tmp_path, postgres, template_database):
    from tests.database import django_on

    file = tmp_path / "export.yaml"
    assert hufu("policy", "export", file).code == 0
    text = file.read_text(encoding="utf-8").replace("user: zhao", "user: chief")
    file.write_text(text, encoding="utf-8")
    other = postgres.clone(template_database)
    try:
        with django_on(postgres.url("hufu_app", other)):
            assert hufu("setup", "--system", "chief:总管", "--audit", "eye:审计").code == 0
            said = hufu("policy", "apply", file)
            assert said.code == 0, said.err
            again = yaml.safe_load(hufu("policy", "export").out)
    finally:
        postgres.drop(other)
    before = yaml.safe_load(text)
    assert again["organisation"] == before["organisation"]
    assert again["admissions"] == before["admissions"]
    assert {role["key"]: role for role in again["roles"]} | {
        role["key"]: role for role in before["roles"]
    } == {role["key"]: role for role in again["roles"]}


def test_an_export_never_overwrites_a_file(hufu, company, write):
    file = write("# mine\n")
    said = hufu("policy", "export", file)
    assert said.code == 1
    assert "exists already and was not overwritten" in said.err
    assert file.read_text() == "# mine\n"
