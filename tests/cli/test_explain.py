"""`hufu explain`: the whole path, or the missing links and what would nearly have done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from hufu.access import actions
from hufu.access.actions import Principal
from hufu.core.actor import Actor
from hufu.core.transaction import acting


def test_a_manager_may_edit_what_belongs_to_somebody_below_and_is_told_the_whole_path(
    hufu, company, customer
):
    said = hufu("explain", "--as", "wang", "customer.edit", f"customer:{customer}")
    assert said.code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    assert lines[0] == "Yes: 王经理 may: Edit customers."
    assert any(line.startswith("Edit customers: role “经理”, given to level “销售经理”") for line in lines)
    assert "The record's owner stands below them in the reporting line." in lines
    assert any(line.startswith("Partition “上海公司” is open to department “总部”") for line in lines)


def test_the_path_goes_through_inherited_roles_and_lower_levels(hufu, company, customer):
    answer = hufu("explain", "--as", "li", "customer.view", f"customer:{customer}", "--json").json
    (path,) = answer["path"]
    assert answer["allowed"] is True
    assert answer["code"] == "covered"
    assert [role["key"] for role in path["roles"]] == ["rep", "reader"]
    assert path["given"]["to"] == {"kind": "level", "id": 1, "name": "销售代表"}
    assert (path["scope"], path["because"]) == (["department"], "own")
    assert path["admission"]["partition"]["name"] == "上海公司"
    higher = hufu("explain", "--as", "wang", "customer.create")
    assert "王经理 stands on level “销售经理”, above “销售代表” on the same ladder." in higher.out


def test_a_colleague_elsewhere_is_told_which_scope_misses_and_which_role_would_reach_it(
    hufu, company, customer
):
    said = hufu("explain", "--as", "chen", "customer.view", f"customer:{customer}")
    assert said.code == 1
    assert "“View customers” is granted for: own department. The record is outside of that." in said.out
    answer = hufu("explain", "--as", "chen", "customer.view", f"customer:{customer}", "--json").json
    assert answer["code"] == "out_of_scope"
    assert answer["missing"][0]["near"] == []


def test_a_role_that_ended_yesterday_and_one_that_others_hold_are_named(hufu, people):
    operator = Actor.operator()
    now = datetime.now(UTC)
    with acting(operator):
        old = actions.create_role(
            operator, key="old", name="旧角色", grants={"customer.view": ["everything"]}
        )
        new = actions.create_role(operator, key="new", name="新角色", grants={"customer.view": ["own"]})
        actions.create_role(operator, key="idle", name="闲置", grants={"customer.view": ["own"]})
        boss = actions.create_role(operator, key="boss", name="主管", grants={"customer.view": ["own"]})
        li, level = people["li"], people["wang"].level
        actions.assign_role(operator, old, to=Principal(user=li), reason="x", ends_at=now - timedelta(days=1))
        actions.assign_role(
            operator, new, to=Principal(user=li), reason="x", starts_at=now + timedelta(days=1)
        )
        actions.assign_role(operator, boss, to=Principal(level=level), reason="x")
    said = hufu("explain", "--as", "li", "customer.view", "--json")
    assert said.code == 1
    (link,) = said.json["missing"]
    assert link["code"] == "no_grant"
    assert [(miss["nearness"], miss["roles"][0]["key"]) for miss in link["near"]] == [
        ("ended", "old"),
        ("not_begun", "new"),
        ("given_to_others", "boss"),
    ]
    said = hufu("explain", "--as", "li", "customer.view")
    assert (
        "Role “旧角色” would give it, with the scope everything; it was given to the person 李一" in said.out
    )
    assert "Role “主管” would give it, with the scope own; it is given to level “销售经理”" in said.out


def test_an_admission_that_falls_short_is_named(hufu, people):
    operator = Actor.operator()
    with acting(operator):
        partition = actions.create_partition(operator, key="sh", name="上海公司")
        role = actions.create_role(operator, key="rep", name="代表", grants={"customer.create": ["own"]})
        actions.assign_role(operator, role, to=Principal(user=people["li"]), reason="x")
        actions.admit(operator, partition, to=Principal(user=people["li"]), rights=(), reason="x")
    said = hufu("explain", "--as", "li", "customer.create")
    assert said.code == 1
    assert "李一 is admitted to no partition with the right to create." in said.out
    assert "Partition “上海公司” is open to the person 李一, only to: read." in said.out


def test_whether_somebody_may_create_says_where(hufu, company):
    said = hufu("explain", "--as", "li", "customer.create")
    assert said.code == 0
    assert "Partition “上海公司” is open to department “总部” and those below." in said.out
    assert "李一 belongs to department “华东部”, below “总部”." in said.out


def test_nobody_who_has_left_may_anything(hufu, company):
    said = hufu("explain", "--as", "sun", "customer.view")
    assert said.code == 1
    assert "The account of 孙四 is suspended or has left" in said.out


def test_system_permissions_are_explained_too(hufu, company):
    assert hufu("explain", "--as", "zhao", "policy.apply").code == 0
    assert hufu("explain", "--as", "li", "policy.apply", "--json").json["code"] == "no_grant"


def test_a_record_that_is_not_there_and_one_in_the_bin_are_none(hufu, company, customer, owner_connection):
    owner_connection.execute("UPDATE crm_customer SET deleted_at = now() WHERE id = %s", [customer])
    for number in (customer, 999_999):
        said = hufu("explain", "--as", "wang", "customer.view", f"customer:{number}", "--json")
        assert (said.code, said.json["code"], said.json["path"]) == (1, "no_record", [])
    assert (
        "There is no such record." in hufu("explain", "--as", "wang", "customer.view", "customer:999999").out
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--as", "li", "customer.veiw"), "Did you mean: customer.view"),
        (("--as", "li", "customer"), "customer.view"),
        (("--as", "nobody", "customer.view"), "There is no account “nobody”"),
        (("--as", "李一", "customer.view"), "Use the user name: li (李一)."),
        (("--as", "li", "customer.view", "opportunity:1"), "“opportunity:1” is none"),
        (("--as", "li", "customer.view", "customer:x"), "“customer:x” is none"),
        (("--as", "li", "customer.view", "customer:" + "9" * 30), "is none"),
        (("--as", "li", "customer.create", "customer:1"), "ask without a record"),
        (("--as", "li", "audit.view", "customer:1"), "“audit.view” is not about records"),
        (("customer.view",), "--as"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_2(hufu, company, words, told):
    said = hufu("explain", *words)
    assert said.code == 2
    assert told in said.err
    assert said.out == ""


def test_people_are_found_by_user_name_mail_and_external_number(hufu, company):
    for text in ("wang", "WANG@example.com", "1001"):
        assert hufu("explain", "--as", text, "customer.view", "--json").json["person"]["username"] == "wang"


def test_somebody_ambiguous_is_refused(hufu, company, owner_connection):
    owner_connection.execute("UPDATE people_user SET external_id = 'wang' WHERE username = 'li'")
    said = hufu("explain", "--as", "wang", "customer.view")
    assert said.code == 2
    assert "“wang” stands for several accounts: wang (王经理), li (李一)." in said.err


def test_the_question_is_in_the_log_and_the_answer_is_not(hufu, company, customer, events):
    hufu("explain", "--as", "li", "customer.view", f"customer:{customer}")
    (event,) = events("access.asked")
    assert event["target"] == {"type": "user", "id": company["li"].id}
    assert event["data"] == {
        "question": "explain",
        "permission": "customer.view",
        "record": f"customer:{customer}",
    }
    assert event["channel"] == "cli"


def test_the_answer_is_in_the_language_of_the_terminal(hufu, company):
    with translation.override("zh-hans"):
        said = hufu("explain", "--as", "zhao", "policy.apply", "--json")
    assert said.json["allowed"]


def test_explain_and_count_agree(hufu, company, customer):
    for name in ("wang", "li", "chen", "sun", "zhao"):
        code = hufu("explain", "--as", name, "customer.view", f"customer:{customer}").code
        counted = hufu("count", "customer.view", "--as", name, "--json").json["count"]
        assert (code == 0) == (counted == 1), name


# Another day.


def moment_of(owner_connection):
    return owner_connection.execute("SELECT clock_timestamp()").fetchone()[0].isoformat()


def test_another_day_is_told_as_it_stood(hufu, company, customer, owner_connection):
    before = moment_of(owner_connection)
    owner_connection.execute("UPDATE people_user SET level_id = NULL WHERE username = 'li'")
    question = ("explain", "--as", "li", "customer.edit", f"customer:{customer}")
    assert hufu(*question).code == 1
    said = hufu(*question, "--at", before)
    assert said.code == 0
    assert said.out.startswith("Yes: 李一 may")
    assert "under version 1 of the policy" in said.out
    assert "Access limits are not evaluated for the past." in said.out
    assert hufu(*question, "--at", moment_of(owner_connection)).code == 1


def test_access_limits_on_the_way_are_named_and_not_evaluated(hufu, company, customer, owner_connection):
    owner_connection.execute(
        "INSERT INTO access_gate (id, key, name, conditions) VALUES (1, 'office', '办公网', '{}')"
    )
    owner_connection.execute(
        "INSERT INTO access_gate_use (gate_id, sign_in, permission) VALUES (1, false, 'customer.edit')"
    )
    said = hufu("explain", "--as", "wang", "customer.edit", f"customer:{customer}")
    assert said.out.startswith("Yes: ")
    assert "while the access limit “办公网” is; it is not evaluated here." in said.out
    assert "办公网" not in hufu("explain", "--as", "wang", "customer.view", f"customer:{customer}").out
    assert hufu("explain", "--as", "wang", "customer.edit", f"customer:{customer}", "--json").json[
        "gates"
    ] == ["办公网"]


def test_another_day_for_programs(hufu, company, customer, owner_connection):
    before = moment_of(owner_connection)
    owner_connection.execute("UPDATE crm_customer SET owner_id = %s", [company["chen"].id])
    question = ("explain", "--as", "li", "customer.edit", f"customer:{customer}", "--json", "--at")
    said = hufu(*question, before).json
    assert (said["allowed"], said["path"][1]["because"]) == (True, "own")
    assert said["as_of"]["gates"] == "not_evaluated"
    assert said["as_of"]["version"] == 1
    assert hufu(*question, moment_of(owner_connection)).json["allowed"] is False


def test_a_record_that_was_not_there_yet_is_none(hufu, company, owner_connection, customer):
    early = owner_connection.execute(
        "SELECT valid_from - interval '1 millisecond' FROM crm_customer"
    ).fetchone()[0]
    said = hufu(
        "explain",
        "--as",
        "li",
        "customer.view",
        f"customer:{customer}",
        "--at",
        early.isoformat(),
        "--json",
    )
    assert (said.code, said.json["code"]) == (1, "no_record")


def test_before_everything_there_is_nobody(hufu, company):
    said = hufu("explain", "--as", "li", "customer.view", "--at", "2020-02-29", "--json")
    assert (said.code, said.json["code"]) == (1, "unknown_person")
    assert said.json["as_of"]["at"] == "2020-02-29T00:00:00+08:00"


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        ("2199-01-01", "still to come"),
        ("yesterday", "is no moment"),
        ("2026-02-30", "is no moment"),
        ("2026-03-01T25:00", "is no moment"),
        ("0001-01-01T00:00+14:00", "is no moment"),
        ("9999-12-31T23:59+00:00", "is no moment"),
    ],
)
def test_a_moment_that_is_none_ends_with_2(hufu, company, moment, told):
    said = hufu("explain", "--as", "li", "customer.view", "--at", moment)
    assert (said.code, said.out) == (2, "")
    assert told in said.err


def test_a_question_about_another_day_is_in_the_log_with_its_moment(hufu, company, customer, events):
    hufu("explain", "--as", "li", "customer.view", f"customer:{customer}", "--at", "2026-03-01T10:00")
    (event,) = events("access.asked")
    assert event["data"]["question"] == "explain"
    assert event["data"]["record"] == f"customer:{customer}"
    assert event["data"]["at"] == "2026-03-01T02:00:00.000000Z"


def test_whether_a_role_may_be_given_says_which_separation_of_duties_forbids_it(
    hufu, company, owner_connection
):
    owner_connection.execute("INSERT INTO access_duty (id, key, name, most) VALUES (1, 'x', '销售与管理', 1)")
    owner_connection.execute(
        "INSERT INTO access_duty_role (duty_id, role_id)"
        " SELECT 1, id FROM access_role WHERE key IN ('rep', 'security_administrator')"
    )
    said = hufu("explain", "--as", "li", "--role", "security_administrator")
    assert said.code == 1
    assert (
        "“安全管理员” may not be given to 李一, who holds “代表” (given to level “销售代表” and those above it)"
        in said.out
    )
    asked = hufu("explain", "--as", "li", "--role", "security_administrator", "--json").json
    assert (asked["allowed"], asked["code"]) == (False, "duty_conflict")
    assert hufu("explain", "--as", "li", "--role", "reader").code == 0
    for words in (
        ("--as", "li"),
        ("--as", "li", "customer.view", "--role", "reader"),
        ("--as", "li", "--role", "nix"),
    ):
        assert hufu("explain", *words).code == 2
