"""Whom one can be in the demo: thirteen people in different worlds, and one line on what each may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from hufu.cli.demo.organisation import people

_CAN = (
    (
        "wangsiyuan",
        "Sales representative",
        "查看本部门的客户和商机，新建、修改、删除自己的，维护其联系人和相关团队，并可更换负责人",
        "Views the customers and opportunities of the department; creates, edits, deletes and transfers their own, "
        "and keeps their contacts and teams",
    ),
    (
        "linxiaomeng",
        "Trainee sales representative (read-only)",
        "查看本部门的客户和商机，不能新建或修改",
        "Views the customers and opportunities of the department, creates and edits none",
    ),
    (
        "limengjie",
        "Sales manager",
        "查看、修改、恢复并更换本人及下属的客户和商机",
        "Views, edits, transfers and restores what belongs to them and to everybody below",
    ),
    (
        "chenliqun",
        "Regional director, East China",
        "查看、修改本大区及下级部门的客户和商机，可为他人新建",
        "Views and edits everything in the region and the departments below, creates for others",
    ),
    (
        "taozhixia",
        "Customer service agent",
        "查看本公司的全部客户和联系人，不能修改，看不到商机",
        "Views every customer and contact of their own company, edits none, sees no opportunity",
    ),
    (
        "sunwanqing",
        "Finance (receivables)",
        "查看三家公司的全部客户，不能修改，看不到联系人和商机",
        "Views every customer of the three companies, edits none, sees neither contacts nor opportunities",
    ),
    (
        "shiruolan",
        "Marketing",
        "查看三家公司的全部客户，把展会客户录给销售；电话脱敏，不能修改，看不到联系人和商机",
        "Views every customer of the three companies, enters those of exhibitions for the sales; phones are masked, "
        "edits none, sees neither contacts nor opportunities",
    ),
    (
        "yezhiqiu",
        "CRM administrator",
        "代他人导入，恢复或彻底删除回收站中的记录，移动数据分区；不管账号、授权和日志",
        "Imports for others, restores from the bin or deletes for good, moves between partitions; has neither "
        "accounts nor grants nor the log",
    ),
    (
        "shenhuaijin",
        "President of the group",
        "查看并处理三家公司的全部客户、联系人和商机",
        "Views and edits everything in all three companies",
    ),
    (
        "chenxiangdong",
        "System administrator",
        "管理用户和部门，看不到客户，不能分配角色",
        "Manages people and departments; sees no customer and assigns no role",
    ),
    (
        "chuanran",
        "Security administrator",
        "管理角色和权限、解释权限，看不到客户，不能管理用户",
        "Manages roles and rights and explains them; sees no customer and manages no people",
    ),
    (
        "weishuning",
        "Security administrator (second approver)",
        "复核并批准另一位安全管理员提交的权限变更单",
        "Reviews and approves the change sets that the other security administrator submits",
    ),
    (
        "hanjingshu",
        "Audit administrator",
        "查看操作日志和权限配置，看不到客户，不能更改设置",
        "Reads the log and the roles; sees no customer and changes nothing",
    ),
)


@dataclass(frozen=True)
class Part:
    """Somebody whom one can be: what the sign-in page and the terminal say."""

    username: str
    name: str
    title: str
    title_en: str
    can: str
    can_en: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def cast() -> tuple[Part, ...]:
    """Return the people to try, in the order in which to try them."""
    known = people()
    return tuple(
        Part(username, known[username].name, known[username].title, title_en, can, can_en)
        for username, title_en, can, can_en in _CAN
    )


def is_whole(addresses: Mapping[str, str]) -> bool:
    """Tell whether accounts (user name → mail address) have everybody of the cast as the demo company made them."""
    return all(addresses.get(part.username) == people()[part.username].email for part in cast())
