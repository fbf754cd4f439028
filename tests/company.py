"""虎符测试公司: a small company of named people, the same in every test that wants one.

| who | name | what she or he may do |
|---|---|---|
| lin  | 林悦 | sales representative in 华东: edits her own customers, views her department's |
| tang | 唐亮 | sales representative in 华东, too; a colleague of 林悦 |
| zhang | 张伟 | sales representative in 华南 |
| zhao | 赵敏 | read-only representative in 华东: views her department's, edits nothing |
| wang | 王芳 | sales manager of 林悦, 唐亮 and (through the suspended 郑凯) 张伟 |
| chen | 陈静 | customer service: reads every customer of 上海 and its opportunities, edits none |
| zhou | 周涛 | finance: reads every customer of 上海, sees no opportunity |
| li   | 李强 | executive: every partition, and all that a manager may |
| sun  | 孙海 | sales representative, admitted to 深圳 alone |
| zheng | 郑凯 | representative in 华东, suspended |
| qian | 钱多 | no role at all |
| feng | 冯刚 | system administrator |
| he   | 何明 | security administrator |
| wu   | 吴洁 | audit administrator |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from hufu.access import actions as access
from hufu.access import change_sets, policy_file, registry
from hufu.access.models import Assignment, Role
from hufu.core.actor import Actor
from hufu.core.postgres import roles
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import Department, Level, User
from hufu.staffing import actions as staffing
from hufu.staffing import organisation_file
from tests.database import TestServer, copied, django_on, lasting

# name → (Chinese name, department, level, manager, status)
PEOPLE: dict[str, tuple[str, str, str | None, str | None, str]] = {
    "li": ("李强", "hq", "executive", None, "active"),
    "wang": ("王芳", "sales", "manager", "li", "active"),
    "zheng": ("郑凯", "east", "rep", "wang", "suspended"),
    "lin": ("林悦", "east", "rep", "wang", "active"),
    "tang": ("唐亮", "east", "rep", "wang", "active"),
    "zhang": ("张伟", "south", "rep", "zheng", "active"),
    "zhao": ("赵敏", "east", None, "wang", "active"),
    "chen": ("陈静", "service", None, None, "active"),
    "zhou": ("周涛", "finance", None, None, "active"),
    "sun": ("孙海", "far", "rep", None, "active"),
    "qian": ("钱多", "east", None, None, "active"),
    "feng": ("冯刚", "hq", None, None, "active"),
    "he": ("何明", "office", None, None, "active"),
    "wu": ("吴洁", "hq", None, None, "active"),
}

# All that are declared, with those that only tests have as well (tests.added_type).
TYPES = tuple(resource for resource in registry.resource_types() if not resource.parent)
FOLLOWING = tuple(resource for resource in registry.resource_types() if resource.parent)


def _each(verb: str, scope: str) -> dict[str, str]:
    return {resource.permission(verb): scope for resource in TYPES}


def _contacts(*verbs: str) -> dict[str, str]:
    return {
        f"{resource.name}.{verb}": "everything"
        for resource in FOLLOWING
        for verb in verbs
        if resource.has(verb)
    }


def _to_user(role: str, username: str) -> dict[str, Any]:
    return {"role": role, "to": {"user": username}, "reason": "岗位需要"}


def _admitted(partition: str, rights: list[str], **to: Any) -> dict[str, Any]:
    return {"partition": partition, "to": to, "rights": rights, "reason": "岗位需要"}


ALL_RIGHTS = ["create", "edit", "delete"]
POLICY: dict[str, Any] = {
    "format": 1,
    "organisation": {
        "departments": [
            {
                "code": "hq",
                "name": "总部",
                "children": [
                    {
                        "code": "sales",
                        "name": "销售部",
                        "children": [
                            {"code": "east", "name": "华东"},
                            {"code": "south", "name": "华南"},
                        ],
                    },
                    {"code": "service", "name": "客服部"},
                    {"code": "finance", "name": "财务部"},
                    {"code": "office", "name": "安全办公室"},
                ],
            },
            {"code": "far", "name": "深圳公司"},
        ],
        "ladders": [
            {
                "key": "sales",
                "name": "销售序列",
                "levels": [
                    {"key": "rep", "name": "销售代表"},
                    {"key": "manager", "name": "销售经理"},
                    {"key": "executive", "name": "高管"},
                ],
            }
        ],
    },
    "partitions": [{"key": "sh", "name": "上海公司"}, {"key": "sz", "name": "深圳公司"}],
    "roles": [
        {
            "key": "rep",
            "name": "销售代表",
            "grants": {
                **_each("view", "department"),
                **_each("create", "own"),
                **_each("edit", "own"),
                **_each("delete", "own"),
                **_each("restore", "own"),
                **_each("transfer", "own"),
                **_each("share", "own"),
                **_contacts("view", "create", "edit", "delete", "restore"),
                "customer.check_duplicate": "everything",
            },
        },
        {
            "key": "rep_reading",
            "name": "销售代表(只读)",
            "grants": {**_each("view", "department"), **_contacts("view")},
        },
        {
            "key": "manager",
            "name": "销售经理",
            "inherits": ["rep"],
            "grants": {
                **_each("view", "subordinates"),
                **_each("edit", "subordinates"),
                **_each("restore", "subordinates"),
                **_each("purge", "subordinates"),
                **_each("void", "subordinates"),
                **_each("lock", "subordinates"),
                **_each("transfer", "subordinates"),
                **_each("share", "subordinates"),
                **_each("create", "everything"),
                **_contacts("purge", "disclose", "erase", "reveal"),
                "customer.reveal": "subordinates",
            },
        },
        {
            "key": "executive",
            "name": "高管",
            "grants": {
                **_each("view", "everything"),
                **_each("move_partition", "everything"),
                "customer.steward": "everything",
                "customer.claim": "everything",
            },
        },
        {
            "key": "service",
            "name": "客服代表",
            "grants": {**_each("view", "everything"), **_contacts("view")},
        },
        {"key": "finance", "name": "财务", "grants": {"customer.view": "everything"}},
        {
            "key": "system",
            "name": "系统管理员",
            "administrator": "system",
            "grants": {"user.view": "everything", "user.manage": "everything"},
        },
        {
            "key": "security",
            "name": "安全管理员",
            "administrator": "security",
            "grants": {
                "user.view": "everything",
                "role.view": "everything",
                "role.manage": "everything",
                "role.assign": "everything",
                "policy.apply": "everything",
                "policy.approve": "everything",
                "explain.any": "everything",
            },
        },
        {
            "key": "audit",
            "name": "审计管理员",
            "administrator": "audit",
            "grants": {"audit.view": "everything"},
        },
        {"key": "empty", "name": "空角色", "grants": {}},
        # Nobody holds it at first: see `approver`.
        {
            "key": "approver",
            "name": "权限复核员",
            "grants": {"role.view": "everything", "policy.approve": "everything"},
        },
    ],
    "assignments": [
        {"role": "rep", "to": {"level": "sales.rep"}, "reason": "级别"},
        {"role": "manager", "to": {"level": "sales.manager"}, "reason": "级别"},
        {"role": "executive", "to": {"level": "sales.executive"}, "reason": "级别"},
        _to_user("rep_reading", "zhao"),
        _to_user("service", "chen"),
        _to_user("finance", "zhou"),
        _to_user("system", "feng"),
        _to_user("security", "he"),
        _to_user("audit", "wu"),
    ],
    "admissions": [
        _admitted("sh", ALL_RIGHTS, department="sales", below=True),
        _admitted("sh", [], user="chen"),
        _admitted("sh", [], user="zhou"),
        _admitted("sh", ALL_RIGHTS, user="li"),
        _admitted("sz", ALL_RIGHTS, user="li"),
        _admitted("sz", ALL_RIGHTS, department="far", below=True),
    ],
    # A small company, in which whoever manages people is trusted with it; tests of what waits end this.
    "approved_moves": [{"anything": True, "reason": "小公司"}],
}

# name → (Chinese name, partition, owner, phone)
CUSTOMERS = {
    "qiming": ("上海启明精密机械有限公司", "sh", "lin", "13800006621"),
    "yunhe": ("杭州云合软件有限公司", "sh", "lin", ""),
    "haitian": ("宁波海天重工有限公司", "sh", "tang", "13900001111"),
    "nanfang": ("广州南方电子有限公司", "sh", "zhang", "13700002222"),
    "pengcheng": ("深圳鹏程科技有限公司", "sz", "sun", "13600003333"),
}
# name → (Chinese name, customer, owner)
OPPORTUNITIES = {
    "machines": ("启明数控机床项目", "qiming", "lin"),
    "software": ("云合软件续约", "yunhe", "lin"),
    "cranes": ("海天起重机项目", "haitian", "tang"),
    "boards": ("南方电路板项目", "nanfang", "zhang"),
    "chips": ("鹏程芯片项目", "pengcheng", "sun"),
}
# name → (Chinese name, customer, phone)
CONTACTS = {
    "gao": ("高工", "qiming", "13800007777"),
    "he": ("贺经理", "nanfang", "13700008888"),
    "ma": ("马总", "pengcheng", "13600009999"),
}


@dataclass
class Company:
    """The numbers of the company's people, departments, partitions and records, by name."""

    database: str = ""
    people: dict[str, int] = field(default_factory=dict)
    departments: dict[str, int] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    opportunities: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    # One record of each type that is 林悦's, or follows one of hers.
    of_lin: dict[str, int] = field(default_factory=dict)
    # One record of each type that 林悦 put into the bin.
    binned: dict[str, int] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """Return the person as an actor."""
        return Actor(self.people[name], PEOPLE[name][0])

    def customer(self, name: str) -> int:
        return self.customers[name]

    def opportunity(self, name: str) -> int:
        return self.opportunities[name]

    def contact(self, name: str) -> int:
        return self.contacts[name]


def build() -> Company:
    """Make the company in the connected database, by the deeds that a real one would be made by."""
    operator = Actor.operator()
    made = Company()
    with acting(operator):
        organisation_file.apply(operator, POLICY["organisation"])
        made.departments = dict(Department.objects.values_list("code", "id"))
        made.levels = dict(Level.objects.values_list("key", "id"))
        people = [
            staffing.Person(
                username=username,
                name=name,
                email=f"{username}@hufu.example",
                status=status,
                main_department_id=made.departments[department],
                level_id=made.levels[level] if level else None,
            )
            for username, (name, department, level, _manager, status) in PEOPLE.items()
        ]
        made.people = {user.username: user.id for user in staffing.create_users(operator, people)}
        staffing.set_managers(
            operator,
            {made.people[name]: made.people[boss] for name, (*_facts, boss, _s) in PEOPLE.items() if boss},
        )
        policy_file.apply(operator, POLICY)
    with acting(operator):
        made.partitions = {entry["key"]: index for index, entry in enumerate(POLICY["partitions"], start=1)}
        numbers = crm.create_many(
            operator,
            CUSTOMER,
            [
                crm.NewRecord(
                    made.partitions[partition],
                    made.people[owner],
                    {"name": name, "stage": "following", "phone": phone, "customer_level": "B"},
                )
                for name, partition, owner, phone in CUSTOMERS.values()
            ],
        )
        made.customers = dict(zip(CUSTOMERS, numbers, strict=True))
        numbers = crm.create_many(
            operator,
            OPPORTUNITY,
            [
                crm.NewRecord(
                    made.partitions[CUSTOMERS[customer][1]],
                    made.people[owner],
                    {
                        "name": name,
                        "stage": "proposal",
                        "customer": made.customers[customer],
                        "amount": 100_000 * (index + 1),
                    },
                )
                for index, (name, customer, owner) in enumerate(OPPORTUNITIES.values())
            ],
        )
        made.opportunities = dict(zip(OPPORTUNITIES, numbers, strict=True))
        numbers = crm.create_children(
            operator,
            CONTACT,
            [
                crm.NewChild(made.customers[customer], {"name": name, "phone": phone})
                for name, customer, phone in CONTACTS.values()
            ],
        )
        made.contacts = dict(zip(CONTACTS, numbers, strict=True))
        made.of_lin = {
            CUSTOMER.name: made.customers["qiming"],
            OPPORTUNITY.name: made.opportunities["machines"],
            CONTACT.name: made.contacts["gao"],
        }
        for resource in registry.resource_types():
            if resource.name not in made.of_lin:
                made.of_lin[resource.name] = _one_of_lin(made, operator, resource)
    _fill_bin(made)
    return made


def _one_of_lin(made: Company, operator: Actor, resource: registry.ResourceType) -> int:
    if resource.parent:
        child = crm.NewChild(made.of_lin[resource.parent], {"name": "启明的记录"})
        return crm.create_children(operator, resource, [child])[0]
    new = crm.NewRecord(made.partitions["sh"], made.people["lin"], {"name": "启明的记录", "stage": "won"})
    return crm.create_many(operator, resource, [new])[0]


def approver(company: Company) -> Actor:
    """Return 钱多, whom 何明 makes the one who approves change sets."""
    he = company.actor("he")
    with acting(he):
        role = Role.objects.get(key="approver")
        if not Assignment.objects.filter(role=role).exists():
            to = access.Principal(user=User.objects.get(username="qian"))
            access.assign_role(he, role, to=to, reason="复核")
    return company.actor("qian")


def publish(company: Company, document: Mapping[str, Any]) -> int:
    """Have 何明 submit a document, and 钱多 approve it where that is needed; return the number of the version."""
    he, qian = company.actor("he"), approver(company)
    with acting(he):
        submitted = change_sets.submit(he, document, title="变更")
    if submitted.version or not submitted.number:
        return submitted.version
    with acting(qian):
        return change_sets.approve(qian, submitted.number)


def unpublish(owner_connection: psycopg.Connection) -> None:
    """Take the policy back to before its version 1, when whoever manages roles changes it by deeds of their own."""
    owner_connection.execute("DELETE FROM access_version_text")
    owner_connection.execute("DELETE FROM access_version")


def republish(owner_connection: psycopg.Connection) -> None:
    """Let version 1 stand again: organisation changes wait from then on."""
    owner_connection.execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (1, -1, '', '') ON CONFLICT DO NOTHING"
    )


def _fill_bin(made: Company) -> None:
    lin = made.actor("lin")
    with acting(lin):
        for resource in TYPES:
            new = crm.NewRecord(made.partitions["sh"], lin.user_id, {"name": "误建记录", "stage": "won"})
            made.binned[resource.name] = crm.create_record(lin, resource, new)
        for resource in FOLLOWING:
            child = crm.NewChild(made.of_lin[resource.parent], {"name": "误建联系人"})
            made.binned[resource.name] = crm.create_child(lin, resource, child)
        for resource in registry.resource_types():
            crm.delete_record(lin, resource, made.binned[resource.name], version=1)


@pytest.fixture(scope="session")
def company_database(
    postgres: TestServer, template_database: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Company]:
    """The company in a database that nobody works in: each test gets a copy."""
    with django_db_blocker.unblock():
        name = postgres.clone(template_database)
        try:
            with django_on(postgres.url(roles.APP, name)):
                made = build()
            made.database = name
            yield made
        finally:
            postgres.drop(name)


@pytest.fixture
def company(
    postgres: TestServer, company_database: Company, django_db_blocker: DjangoDbBlocker
) -> Iterator[Company]:
    """The company in a database of the test's own, with real commits."""
    with django_db_blocker.unblock(), copied(postgres, company_database.database):
        yield company_database


@pytest.fixture(scope="module")
def database_begun(
    postgres: TestServer,
    company_database: Company,
    beginning: Callable[[Company], None],
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """The company after what the module's tests begin with, done once: each of them gets a copy.

    A module whose tests ask for `begun` says it by a fixture of its own, `beginning`: what is done to the company.
    """
    with django_db_blocker.unblock():
        name = postgres.clone(company_database.database)
        try:
            with django_on(postgres.url(roles.APP, name)):
                beginning(company_database)
            yield name
        finally:
            postgres.drop(name)


@pytest.fixture
def begun(
    postgres: TestServer, company_database: Company, database_begun: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Company]:
    """The company as the module's tests begin, in a database of the test's own, with real commits."""
    with django_db_blocker.unblock(), copied(postgres, database_begun):
        yield company_database


@pytest.fixture(scope="session")
def shared_database(
    postgres: TestServer, company_database: Company, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """One more copy, for all tests of this worker that leave nothing behind."""
    with django_db_blocker.unblock():
        name = postgres.clone(company_database.database)
        with lasting(name):
            yield name
        postgres.drop(name)


@pytest.fixture
def shared(
    postgres: TestServer, company_database: Company, shared_database: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Company]:
    """The company in a database that others use, too: the test must roll back what it changes."""
    with django_db_blocker.unblock(), django_on(postgres.url(roles.APP, shared_database)):
        yield company_database


@pytest.fixture(scope="module")
def database_of_module(
    postgres: TestServer, company_database: Company, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """One copy for those tests of a module that are all refused."""
    with django_db_blocker.unblock():
        name = postgres.clone(company_database.database)
        with lasting(name):
            yield name
        postgres.drop(name)


@pytest.fixture
def unharmed(
    postgres: TestServer,
    company_database: Company,
    database_of_module: str,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Company]:
    """The company in a database that the module's tests of refusals share: each finds what the last one left.

    Real commits; only events and sessions may be added.
    """
    with django_db_blocker.unblock(), django_on(postgres.url(roles.APP, database_of_module)):
        yield company_database
