"""hufu join, move and leave: what they say is what they do, and a dry run does nothing."""

from __future__ import annotations

import pytest

from hufu.people.models import Status, User


def account(name: str) -> User:
    return User.objects.select_related("main_department", "manager", "level").get(username=name)


def test_somebody_joins_and_the_answer_says_what_they_hold_and_through_what(hufu, company):
    said = hufu(
        "join", "fang", "--name", "方晴", "--department", "east", "--level", "sales.rep", "--manager", "wang"
    )
    assert said.code == 0, said.err
    assert "方晴 (fang) joins:" in said.out
    assert "代表 (level “销售代表” and those above it)" in said.out
    assert "hufu invite fang" in said.err
    fang = account("fang")
    assert (fang.main_department.code, fang.manager.username) == ("east", "wang")


def test_a_dry_run_says_the_same_and_lets_nobody_join(hufu, company, events):
    words = ("join", "fang", "--name", "方晴", "--department", "east", "--json")
    rehearsed = hufu(*words, "--dry-run").json
    assert not User.objects.filter(username="fang").exists()
    assert events("user.joined") == []
    done = hufu(*words).json
    assert (rehearsed.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert rehearsed == done


def test_somebody_moves_with_their_records_or_without(hufu, company, customer, connect_as):
    owner = connect_as("hufu_owner")
    department = "SELECT d.code FROM crm_customer c JOIN people_department d ON d.id = c.department_id"
    said = hufu("move", "li", "--department", "west", "--leave-records", "--json")
    assert said.code == 0, said.err
    assert said.json["taken_along"] == []
    assert owner.execute(department).fetchone() == ("east",)
    assert hufu("move", "li", "--department", "east", "--leave-records").code == 0
    said = hufu("move", "li", "--department", "west", "--manager", "-", "--title", "顾问")
    assert said.code == 0, said.err
    assert "department: 华东部 → 西南部" in said.out
    assert "taken along to 西南部: Customers 1" in said.out
    assert owner.execute(department).fetchone() == ("west",)
    li = account("li")
    assert (li.manager, li.title, li.level.key) == (None, "顾问", "rep")


def test_a_role_by_name_ends_with_the_move_or_is_kept(hufu, company, connect_as):
    owner = connect_as("hufu_owner")
    owner.execute(
        "INSERT INTO access_assignment (role_id, user_id, reason, given_by)"
        " SELECT r.id, u.id, 'x', -1 FROM access_role r, people_user u"
        " WHERE r.key IN ('reader', 'manager') AND u.username = 'li'"
    )
    assert hufu("move", "li", "--department", "west", "--keep", "ghost").code == 2
    said = hufu("move", "li", "--department", "west", "--keep", "reader", "--dry-run", "--json").json
    assert said["ended"]["roles"] == ["manager"]
    said = hufu("move", "li", "--department", "west", "--keep-all", "--json").json
    assert said["ended"]["roles"] == []
    said = hufu("move", "li", "--level", "sales.manager")
    assert "roles that end: 只读 (reader), 经理 (manager)" in said.out


def test_leaving_without_a_successor_is_refused_with_the_numbers(hufu, company, customer):
    said = hufu("leave", "li")
    assert said.code == 1
    assert "上海公司" in said.err
    assert "Customers 1" in said.err
    assert account("li").status == Status.ACTIVE
    said = hufu("leave", "li", "--json")
    assert said.code == 1
    assert list(said.json["problems"]) == ["successor"]


@pytest.mark.parametrize("successor", ["chen", "sh=chen"])
def test_somebody_leaves_and_the_successor_has_the_records(hufu, company, customer, successor):
    said = hufu("leave", "li", "--successor", successor, "--reason", "离职")
    assert said.code == 0, said.err
    assert "records in “上海公司” for 陈二: Customers 1" in said.out
    assert account("li").status == Status.LEFT
    assert hufu("count", "customer.edit", "--as", "chen").out.strip() == "1"
    assert hufu("reach", "li").code == 1


def test_whoever_leads_hands_over_their_reports(hufu, company):
    said = hufu("leave", "wang", "--reports-to", "zhao", "--json")
    assert said.code == 0, said.err
    assert said.json["reports"] == {"people": ["li", "chen"], "to": "zhao"}
    assert account("li").manager.username == "zhao"


@pytest.mark.parametrize(
    "words",
    [
        ("leave", "nobody"),
        ("leave", "li", "--successor", "nobody"),
        ("leave", "li", "--successor", "bj=chen"),
        ("leave", "li", "--successor", "chen", "--successor", "wang"),
        ("move", "li", "--department", "north"),
        ("move", "li", "--level", "rep"),
        ("move", "li", "--leave-group", "bidders"),
        ("join", "fang", "--name", "方晴", "--position", "king"),
    ],
)
def test_a_name_that_stands_for_nothing_is_wrong_usage(hufu, company, words):
    assert hufu(*words).code == 2
