"""The company in which every outcome of a decision happens, and the questions that meet them.

`docs/access.md` and `docs/access.zh-CN.md` end with what the program answers to each; tests/access/test_outcomes.py
holds them to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.utils.translation import get_language

from hufu.access import explain, explain_fields, policy_file, queries, registry
from hufu.access import gates as access_gates
from hufu.access.decision import gates as decision_gates
from hufu.access.decision.gates import Gate
from hufu.access.models import Gate as StoredGate
from hufu.access.models import Quota as StoredQuota
from hufu.cli import asking
from hufu.core.actor import Actor, Ceiling, Context
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.staffing import organisation_file
from tests.company import Company, unpublish

# Further customers: one that waits for an approval, one that lies in a pool, one that nobody is near.
FURTHER = {
    "boxin": ("上海博信物流有限公司", "lin"),
    "minghe": ("上海明和家具有限公司", "tang"),
    "yewan": ("广州夜湾冷链有限公司", "zhang"),
}
LATER = datetime(2030, 1, 1, tzinfo=UTC)
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)
# A Sunday morning in Shanghai.
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

LIMITS = {
    "office": ("办公网", {"networks": ["10.1.0.0/16"]}, "opportunity.edit"),
    "hours": (
        "工作时间",
        {
            "hours": {
                **{"zone": "Asia/Shanghai", "days": ["mon", "tue", "wed", "thu", "fri"]},
                **{"from": "09:00", "to": "18:00"},
            }
        },
        "opportunity.delete",
    ),
    "factor": ("动态验证", {"second_factor": 15}, "opportunity.transfer"),
    "course": ("个人信息培训", {"training": ["personal-data"]}, "opportunity.share"),
}


def _role(
    key: str, name: str, grants: dict[str, str], fields: Any = None, inherits: tuple[str, ...] = ()
) -> dict[str, Any]:
    made = {"key": key, "name": name, "grants": grants}
    return made | ({"fields": fields} if fields else {}) | ({"inherits": list(inherits)} if inherits else {})


def _given(role: str, **to: Any) -> dict[str, Any]:
    return {"role": role, "to": to, "reason": "示例"}


DOCUMENT: dict[str, Any] = {
    "format": 1,
    "base_access": {"opportunity": "public_read"},
    "roles": [
        _role("care", "客户关怀", {"customer.import": "everything"}),
        _role("lead", "小组长", {}, inherits=("rep_reading",)),
        _role("heads", "部门负责人", {"customer.transfer": "department"}),
        _role("files", "档案查阅", {"opportunity.view": "own"}),
        _role("project", "项目成员", {"customer.delete": "everything"}),
        _role("season", "旺季支援", {"opportunity.create": "own"}),
        _role("blind", "客服(不看电话)", {"contact.view": "everything"}, {"contact": {"phone": "hidden"}}),
        _role("seller", "直销", {"customer.create": "own"}),
    ],
    "duties": [{"key": "sell-and-bill", "name": "销售与财务", "roles": ["seller", "finance"]}],
    "assignments": [
        _given("lead", user="qian"),
        _given("heads", department="sales", post="head", below=True),
        _given("files", group="archive"),
        _given("care", level="service.agent"),
        _given("seller", position="stand"),
        _given("blind", user="chen"),
    ],
    "gates": [
        {"key": key, "name": name, "conditions": conditions, "binds": {"permissions": [permission]}}
        for key, (name, conditions, permission) in LIMITS.items()
    ],
    "quotas": [
        {
            **{"key": "opened", "name": "查看客户", "counts": "customer.view"},
            **{"per_day": 200, "zone": "Asia/Shanghai", "to": {"user": "chen"}},
        }
    ],
    "prohibitions": [
        {"permission": "opportunity.create", "to": {"user": "zhang"}, "reason": "示例"},
    ],
    "sharing_rules": [
        {
            **{"key": "south", "name": "华南客户", "type": "customer", "to": {"user": "lin"}},
            "condition": {"owner_department": "south"},
        },
        {
            **{"key": "gone", "name": "旧部门客户", "type": "customer", "to": {"user": "tang"}},
            "condition": {"owner_department": "closing"},
        },
    ],
    "pools": [
        {
            **{"key": "east", "name": "上海公海", "type": "customer", "partition": "sh"},
            "members": [{"department": "sales", "below": True}],
        }
    ],
    "break_glass": [
        {
            **{"key": "night", "name": "夜间应急", "role": "rep_reading", "types": ["customer"]},
            "minutes": 60,
        }
    ],
    "territories": [
        {
            **{"key": "key", "name": "重点客户区", "type": "customer", "members": {"user": "zhao"}},
            "condition": {"field": "customer_level", "is": "B"},
        }
    ],
}
ORGANISATION: dict[str, Any] = {
    "departments": [{"code": "closing", "name": "旧部门"}],
    "groups": [{"key": "archive", "name": "档案组", "members": ["zhou"]}],
    "positions": [{"key": "stand", "name": "展位销售"}],
    "posts": [{"department": "east", "head": ["tang"]}],
    "ladders": [{"key": "service", "name": "客服序列", "levels": [{"key": "agent", "name": "客服专员"}]}],
}


def arrange(company: Company, owner: psycopg.Connection) -> None:
    """Bring the company to where all outcomes happen."""
    operator = Actor.operator()
    unpublish(owner)
    with acting(operator):
        organisation_file.apply(operator, ORGANISATION)
        policy_file.apply(operator, DOCUMENT)
        for name, owner_of_it in FURTHER.values():
            new = crm.NewRecord(
                company.partitions["sh"], company.people[owner_of_it], {"name": name, "stage": "won"}
            )
            crm.create_record(operator, CUSTOMER, new)
    people, customers = company.people, company.customers
    values = {**people, **{f"c_{name}": number for name, number in customers.items()}}
    values |= {"later": LATER, "earlier": EARLIER}
    for statement in _FACTS:
        owner.execute(statement, values)


_ROLE = "(SELECT id FROM access_role WHERE key = '{}')"
_FACTS = (
    # What stands in no document, or with moments that stay the same.
    "INSERT INTO people_level_includes (level_id, includes_id) SELECT a.id, b.id FROM people_level a, people_level b"
    " WHERE a.key = 'executive' AND b.key = 'agent'",
    "INSERT INTO access_share (type, record_id, user_id, access, superiors, reason, given_by)"
    " VALUES ('customer', %(c_nanfang)s, %(tang)s, 'read', false, '', %(wang)s)",
    "INSERT INTO access_share (type, record_id, user_id, access, superiors, reason, given_by, ends_at, across_by)"
    " VALUES ('customer', %(c_yunhe)s, %(sun)s, 'read', false, '', %(lin)s, %(later)s, %(he)s)",
    "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
    " VALUES ('customer', %(c_qiming)s, %(tang)s, 'edit', '', -1)",
    "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
    " VALUES (%(lin)s, %(zhang)s, '{customer.view,customer.edit}', %(earlier)s, %(later)s, '')",
    "INSERT INTO access_assignment (role_id, user_id, below, post, starts_at, ends_at, reason, given_by) VALUES"
    f" ({_ROLE.format('project')}, %(qian)s, false, '', NULL, %(earlier)s, '', -1),"
    f" ({_ROLE.format('season')}, %(qian)s, false, '', %(later)s, NULL, '', -1)",
    "DELETE FROM people_department WHERE code = 'closing'",
    "UPDATE crm_customer SET locked_at = %(earlier)s, locked_by_id = %(wang)s, lock_reason = '' WHERE id = %(c_yunhe)s",
    "UPDATE crm_customer SET voided_at = %(earlier)s, voided_by_id = %(wang)s, void_reason = ''"
    " WHERE id = %(c_haitian)s",
    "INSERT INTO access_task (type, record_id, kind, user_id, opened_by)"
    f" SELECT 'customer', id, '信用审批', %(zhang)s, %(lin)s FROM crm_customer WHERE name = '{FURTHER['boxin'][0]}'",
    "UPDATE crm_customer SET owner_id = NULL, pool_id = (SELECT id FROM access_pool)"
    f" WHERE name = '{FURTHER['minghe'][0]}'",
    "INSERT INTO access_break_glass_use (user_id, rule_id, starts_at, ends_at, reason)"
    " SELECT %(zhao)s, id, %(earlier)s, %(later)s, '客户产线停机' FROM access_break_glass",
    "INSERT INTO access_pending_change (user_id, field, value, adds, asked_by, asked_at)"
    " SELECT %(zhao)s, 'level', id, '{}', %(feng)s, %(earlier)s FROM people_level WHERE key = 'rep'",
)


@dataclass(frozen=True)
class Outcome:
    """A question and where it leads: who asks for what, of which record and field; what is closed to them."""

    name: str
    who: str
    permission: str
    record: str = ""
    field: str = ""
    limit: str = ""
    ceiling: Ceiling | None = None

    @property
    def title(self) -> str:
        """What happens, in the language that is on."""
        return CHINESE[self.name] if get_language() == "zh-hans" else self.name

    @property
    def asked(self) -> str:
        """The question as a command."""
        words = ["hufu explain --as", self.who, self.permission, self.record]
        return " ".join(word for word in [*words, f"--field {self.field}" if self.field else ""] if word)


OUTCOMES = (
    Outcome("level", "lin", "customer.edit", "customer:qiming"),
    Outcome("higher level of the ladder", "wang", "contact.edit", "contact:gao"),
    Outcome("level of another ladder", "li", "customer.import"),
    Outcome("role inheritance", "qian", "customer.view", "customer:qiming"),
    Outcome("reporting line", "wang", "customer.edit", "customer:nanfang"),
    Outcome("head of a department", "tang", "customer.transfer", "customer:qiming"),
    Outcome("group and base access", "zhou", "opportunity.view", "opportunity:boards"),
    Outcome("share by hand", "tang", "customer.view", "customer:nanfang"),
    Outcome("share across the wall", "sun", "customer.view", "customer:yunhe"),
    Outcome("sharing rule", "lin", "customer.view", "customer:nanfang"),
    Outcome("territory", "zhao", "customer.view", "customer:nanfang"),
    Outcome("team", "tang", "customer.edit", "customer:qiming"),
    Outcome("pool", "zhang", "customer.view", "customer:minghe"),
    Outcome("break-glass", "zhao", "customer.view", "customer:yewan"),
    Outcome("task", "zhang", "customer.view", "customer:boxin"),
    Outcome("delegation", "zhang", "customer.edit", "customer:qiming"),
    Outcome("whole partition", "chen", "customer.view", "customer:haitian"),
    Outcome("system permission", "feng", "user.manage"),
    Outcome("no permission", "zhao", "customer.edit", "customer:qiming"),
    Outcome("scope too narrow", "zhang", "customer.share", "customer:qiming"),
    Outcome("no view", "zhou", "customer.edit", "customer:pengcheng"),
    Outcome("wall", "sun", "customer.view", "customer:qiming"),
    Outcome("missing parent", "tang", "contact.edit", "contact:he"),
    Outcome("field hidden", "chen", "contact.view", "contact:gao", "phone"),
    Outcome("field masked", "wang", "customer.view", "customer:qiming", "phone"),
    Outcome("network", "lin", "opportunity.edit", "opportunity:machines", limit="office"),
    Outcome("hours", "lin", "opportunity.delete", "opportunity:machines", limit="hours"),
    Outcome("second factor", "lin", "opportunity.transfer", "opportunity:machines", limit="factor"),
    Outcome("training", "lin", "opportunity.share", "opportunity:machines", limit="course"),
    Outcome("quota", "chen", "customer.view", "customer:qiming", limit="opened"),
    Outcome("prohibition", "zhang", "opportunity.create"),
    Outcome("expired", "qian", "customer.delete", "customer:qiming"),
    Outcome("not yet begun", "qian", "opportunity.create"),
    Outcome("locked", "lin", "customer.edit", "customer:yunhe"),
    Outcome("void", "tang", "customer.edit", "customer:haitian"),
    Outcome("held by a task", "lin", "customer.edit", "customer:boxin"),
    Outcome("waits for release", "zhao", "customer.create"),
    Outcome("separation of duties", "zhou", "customer.create"),
    Outcome("error in a rule", "tang", "customer.view", "customer:pengcheng"),
    Outcome("account closed", "zheng", "customer.view", "customer:qiming"),
    Outcome(
        "ceiling",
        "lin",
        "customer.edit",
        "customer:qiming",
        ceiling=Ceiling("报表令牌", frozenset({"customer.view"})),
    ),
    Outcome("unknown person", "nobody", "customer.view", "customer:qiming"),
    Outcome("no such record", "lin", "customer.view", "customer:none"),
)


CHINESE = {
    "level": "级别",
    "higher level of the ladder": "同序列的更高级别",
    "level of another ladder": "包含其他序列的级别",
    "role inheritance": "角色继承",
    "reporting line": "汇报线",
    "head of a department": "部门负责人",
    "group and base access": "群组与基础权限",
    "share by hand": "手工共享",
    "share across the wall": "跨分区共享",
    "sharing rule": "共享规则",
    "territory": "区域",
    "team": "相关团队",
    "pool": "公海",
    "break-glass": "紧急授权",
    "task": "审批任务",
    "delegation": "工作代理",
    "whole partition": "整个分区",
    "system permission": "系统权限",
    "no permission": "没有权限",
    "scope too narrow": "范围不够",
    "no view": "看不到记录",
    "wall": "分区隔离",
    "missing parent": "上级记录不可用",
    "field hidden": "字段隐藏",
    "field masked": "字段脱敏",
    "network": "网络",
    "hours": "时间",
    "second factor": "二次验证",
    "training": "培训",
    "quota": "配额",
    "prohibition": "禁止",
    "expired": "已到期",
    "not yet begun": "尚未开始",
    "locked": "锁定",
    "void": "作废",
    "held by a task": "被审批任务占用",
    "waits for release": "待授权",
    "separation of duties": "角色互斥",
    "error in a rule": "规则出错",
    "account closed": "账号停用",
    "ceiling": "权限上限",
    "unknown person": "没有此人",
    "no such record": "没有此记录",
}


def answers(company: Company, outcome: Outcome) -> Iterator[str]:
    """Yield what the program says to a question: the explanation, then what stands before the person."""
    operator = Actor.operator()
    resource = registry.type_of(outcome.permission)
    person = company.people.get(outcome.who, 0)
    with acting(operator):
        snapshot = queries.snapshot()
        limits = _limits()
        closed = frozenset({limits[outcome.limit].gate.id} if outcome.limit else ())
        facts = None
        if outcome.record and resource is not None:
            kind, _colon, name = outcome.record.partition(":")
            numbers = {
                "customer": {
                    **company.customers,
                    **{
                        key: CUSTOMER.model_class._base_manager.get(name=called).pk
                        for key, (called, _owner) in FURTHER.items()
                    },
                },
                "opportunity": company.opportunities,
                "contact": company.contacts,
            }
            facts = asking.facts_of(operator, resource, numbers[kind].get(name, 0))
        if outcome.record and facts is None:
            decision = queries.about_no_record(snapshot, person, outcome.permission)
        else:
            decision = queries.explain(snapshot, person, outcome.permission, facts, closed, outcome.ceiling)
        if outcome.field and resource is not None:
            of_field = explain_fields.decide(snapshot, decision, resource, resource.by_name[outcome.field])
            yield from explain_fields.sentences(snapshot, of_field)
        else:
            yield from explain.sentences(snapshot, decision)
        if outcome.limit:
            yield access_gates.sentence(limits[outcome.limit])


def _limits() -> dict[str, decision_gates.ClosedGate]:
    found = {row.key: Gate(row.id, row.key, row.name, row.conditions) for row in StoredGate.objects.all()}
    shut = decision_gates.closed(found.values(), Context(), NOW)
    quota = StoredQuota.objects.get(key="opened")
    until = datetime(2026, 11, 23, tzinfo=ZoneInfo("Asia/Shanghai"))
    used_up = Gate(-quota.id, quota.key, quota.name, {"most": 200, "span": "day"})
    return {
        **{key: shut[gate.id] for key, gate in found.items()},
        "opened": decision_gates.ClosedGate(used_up, (decision_gates.Condition.QUOTA,), until),
    }
