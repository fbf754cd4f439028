"""The policy of the demo company gives each role the world it promises. Checked on the file alone."""

from __future__ import annotations

from typing import Any

import pytest

from hufu.cli.demo.cast import cast
from hufu.cli.demo.organisation import (
    ASSISTANTS,
    GROUPS,
    INCLUDES,
    POSITIONS,
    departments,
    heads,
    people,
    policy,
)

WIDTH = ("nothing", "own", "team", "subordinates", "department", "department_and_below", "everything")
ADMINISTRATORS = {
    "chenxiangdong": "system_administrator",
    "chuanran": "security_administrator",
    "weishuning": "security_administrator",
    "hanjingshu": "audit_administrator",
}


def _roles() -> dict[str, dict[str, Any]]:
    return {role["key"]: role for role in policy()["roles"]}


def _within(department: str | None, ancestor: str) -> bool:
    while department and department != ancestor:
        department = departments()[department].parent
    return department == ancestor


def _reaches(username: str, to: dict[str, Any]) -> bool:
    person = people()[username]
    if "user" in to:
        return bool(to["user"] == username)
    if "group" in to or "position" in to:
        _name, members = GROUPS[to["group"]] if "group" in to else POSITIONS[to["position"]]
        return username in members
    if "post" in to:
        assert not to.get("below")
        holders = (heads()[to["department"]],) if to["post"] == "head" else ASSISTANTS[to["department"]]
        return username in holders
    if "department" in to:
        mine = (person.department, *person.secondary)
        return any(
            _within(each, to["department"]) if to.get("below") else each == to["department"] for each in mine
        )
    return any(_is_at_least(each, to["level"]) for each in (person.level, *INCLUDES.get(person.level, ())))


def _is_at_least(own: str, wanted: str) -> bool:
    ladder, level = wanted.split(".")
    own_ladder, own_level = own.split(".")
    ranks = {
        each["key"]: [rank["key"] for rank in each["levels"]] for each in policy()["organisation"]["ladders"]
    }
    return ladder == own_ladder and ranks[ladder].index(own_level) >= ranks[ladder].index(level)


def held_roles(username: str) -> set[str]:
    """Return the roles that reach somebody, inherited ones included."""
    found: set[str] = set()
    waiting = [each["role"] for each in policy()["assignments"] if _reaches(username, each["to"])]
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting.extend(_roles()[key].get("inherits", ()))
    return found


def grants(username: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key in held_roles(username):
        for permission, scope in _roles()[key]["grants"].items():
            found.setdefault(permission, set()).add(scope)
    return found


def admissions(username: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in policy()["admissions"]:
        if _reaches(username, each["to"]):
            found.setdefault(each["partition"], set()).update(each["rights"])
    return found


TEAM = {"department", "subordinates"}
STORIES = [
    # username, customer.view, customer.edit, customer.create, opportunity.view, partitions
    ("wangsiyuan", {"department"}, {"own"}, {"own"}, {"department"}, {"sh"}),
    ("linxiaomeng", {"department"}, set(), set(), {"department"}, {"sh"}),
    ("limengjie", TEAM, {"own", "subordinates"}, {"own"}, TEAM, {"sh"}),
    ("taozhixia", {"everything"}, set(), set(), set(), {"sh"}),
    ("sunwanqing", {"everything"}, set(), set(), set(), {"sh", "sz", "bj"}),
    ("shiruolan", {"everything"}, set(), {"everything"}, set(), {"sh", "sz", "bj"}),
    ("yezhiqiu", {"everything"}, {"everything"}, {"everything"}, {"everything"}, {"sh", "sz", "bj"}),
    ("chenxiangdong", set(), set(), set(), set(), set()),
    ("chuanran", set(), set(), set(), set(), set()),
    ("hanjingshu", set(), set(), set(), set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("username", "view", "edit", "create", "opportunity", "partitions"), STORIES)
def test_each_of_the_cast_lives_in_a_world_of_their_own(
    username: str,
    view: set[str],
    edit: set[str],
    create: set[str],
    opportunity: set[str],
    partitions: set[str],
) -> None:
    held = grants(username)
    assert held.get("customer.view", set()) == view
    assert held.get("customer.edit", set()) == edit
    assert held.get("customer.create", set()) == create
    assert held.get("opportunity.view", set()) == opportunity
    assert set(admissions(username)) == partitions


def test_a_representative_may_delete_and_hand_over_what_they_own_and_nothing_else() -> None:
    held = grants("wangsiyuan")
    for thing in ("customer", "opportunity"):
        assert held[f"{thing}.delete"] == held[f"{thing}.transfer"] == {"own"}
    assert admissions("wangsiyuan")["sh"] >= {"edit", "delete"}


def test_the_regional_director_reaches_the_departments_below_and_holds_what_the_manager_holds() -> None:
    held = grants("chenliqun")
    assert {"department_and_below", "subordinates"} <= held["customer.edit"]
    assert held_roles("limengjie") < held_roles("chenliqun")


def test_an_executive_holds_every_right_on_records_in_every_partition_and_all_that_is_held_below() -> None:
    held = grants("shenhuaijin")
    business = {permission for role in _roles().values() for permission in role["grants"]}
    business = {each for each in business if each.startswith(("customer.", "contact.", "opportunity."))}
    assert all("everything" in held[permission] for permission in business)
    assert set(admissions("shenhuaijin")) == {"sh", "sz", "bj"}
    assert held_roles("chenliqun") < held_roles("shenhuaijin")


def test_the_presidents_assistant_makes_reports_of_what_she_may_read_and_the_executive_may_too() -> None:
    may = {username for username in people() if "report.sign_in" in grants(username)}
    assert {"xujianing", "shenhuaijin"} <= may
    assert held_roles("xujianing") == {"assistant"}
    # Reports leave no trace of what is read: nobody who sells or serves has them.
    assert not may & {"wangsiyuan", "limengjie", "chenliqun", "linxiaomeng", "yezhiqiu", *ADMINISTRATORS}


def test_somebody_who_reads_only_is_admitted_to_read_only_or_holds_no_right_to_write() -> None:
    for username in ("taozhixia", "sunwanqing"):
        assert all(rights == {"read"} for rights in admissions(username).values())
    assert not [permission for permission in grants("linxiaomeng") if not permission.endswith(".view")]


def test_a_representative_of_two_companies_is_admitted_to_both() -> None:
    assert set(admissions("penglihua")) == {"sz", "sh"}


def test_contacts_are_for_those_who_work_with_customers_and_kept_by_those_who_edit_them() -> None:
    for username in ("wangsiyuan", "limengjie", "chenliqun", "yezhiqiu"):
        assert {"contact.view", "contact.create", "contact.edit", "contact.restore"} <= set(grants(username))
    for username in ("linxiaomeng", "taozhixia"):
        assert {each for each in grants(username) if each.startswith("contact.")} == {"contact.view"}
    for username in ("sunwanqing", "shiruolan"):
        assert not [each for each in grants(username) if each.startswith(("contact.", "opportunity."))]


def test_the_crm_administrator_cares_for_the_data_and_has_neither_accounts_nor_grants_nor_the_log() -> None:
    held = grants("yezhiqiu")
    for thing in ("customer", "opportunity"):
        assert {
            f"{thing}.{verb}" for verb in ("import", "restore", "purge", "share", "move_partition")
        } <= set(held)
        assert f"{thing}.delete" not in held
    assert all(each.startswith(("customer.", "contact.", "opportunity.")) for each in held)


def test_positions_groups_and_posts_carry_roles() -> None:
    assert "key_account" in held_roles("youjiahe")
    assert "project_member" in held_roles("zhengyiming")
    assert "opportunity.view" in grants("zhengyiming")
    assert "service_head" in held_roles("jinshuxian")
    assert "opportunity.view" not in grants("weiqinglan")
    assert held_roles("xujianing") == {"assistant"}
    assert "service_agent" in held_roles("guchangfeng")  # executives include the service manager's level


def test_the_three_administrators_are_different_people_and_hold_nothing_else() -> None:
    for username in people():
        held = held_roles(username)
        administrator = {key for key in held if _roles()[key].get("administrator")}
        if username in ADMINISTRATORS:
            assert held == {ADMINISTRATORS[username]}
        else:
            assert not administrator


def test_administrator_roles_hang_on_people_only_and_hold_no_right_on_records() -> None:
    for assignment in policy()["assignments"]:
        if _roles()[assignment["role"]].get("administrator"):
            assert set(assignment["to"]) == {"user"}
    for role in _roles().values():
        touches_records = any(
            each.startswith(("customer.", "contact.", "opportunity.")) for each in role["grants"]
        )
        assert touches_records != bool(role.get("administrator"))


def test_every_name_in_the_policy_exists() -> None:
    levels = {each.level for each in people().values()}
    partitions = {each["key"] for each in policy()["partitions"]}
    for each in policy()["assignments"] + policy()["admissions"]:
        to = each["to"]
        assert to.get("user", "wangsiyuan") in people()
        assert to.get("department", "hq") in departments()
        assert to.get("group", "five-axis") in GROUPS
        assert to.get("position", "key-account") in POSITIONS
        assert to.get("level", "sales.rep") in levels
        assert each["reason"]
    assert all(each["role"] in _roles() for each in policy()["assignments"])
    assert all(each["partition"] in partitions for each in policy()["admissions"])
    for role in _roles().values():
        assert set(role["grants"].values()) <= set(WIDTH)
        assert set(role.get("inherits", ())) <= set(_roles())


def test_the_cast_names_thirteen_people_of_thirteen_kinds_who_are_all_there() -> None:
    parts = cast()
    assert len(parts) == 13
    assert all(people()[part.username].active for part in parts)
    assert (
        len({(people()[part.username].level, frozenset(held_roles(part.username))) for part in parts}) == 13
    )
    assert all(part.can and part.can_en for part in parts)


def test_the_read_only_representative_and_the_manager_work_in_one_team() -> None:
    known = people()
    assert known["linxiaomeng"].department == known["limengjie"].department == known["wangsiyuan"].department
    assert known["wangsiyuan"].manager == "limengjie"
