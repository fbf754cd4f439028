"""A small company for the commands, and the command itself, run in this process on a database of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import translation
from pytest_django import DjangoDbBlocker

from hufu.access import policy_file
from hufu.cli.main import main
from hufu.core.actor import Actor
from hufu.core.postgres import roles
from hufu.core.transaction import acting
from hufu.crm.actions import NewRecord, create_record
from hufu.crm.resources import CUSTOMER
from hufu.people.models import Department, Level, Status, User
from hufu.staffing import actions, organisation_file
from tests.database import TestServer, django_on

ORGANISATION = """
format: 1
organisation:
  departments:
    - code: hq
      name: 总部
      children:
        - {code: east, name: 华东部}
        - {code: west, name: 西南部}
  ladders:
    - key: sales
      name: 销售序列
      levels: [{key: rep, name: 销售代表}, {key: manager, name: 销售经理}]
"""
POLICY = (
    ORGANISATION
    + """
partitions:
  - {key: sh, name: 上海公司}
  - {key: sz, name: 深圳公司}
roles:
  - key: reader
    name: 只读
    grants: {customer.view: department}
  - key: rep
    name: 代表
    inherits: [reader]
    grants: {customer.create: own, customer.edit: own}
  - key: manager
    name: 经理
    grants: {customer.view: subordinates, customer.edit: subordinates}
  - key: security_administrator
    name: 安全管理员
    administrator: security
    grants: {role.view: everything, role.assign: everything, policy.apply: everything}
assignments:
  - {role: rep, to: {level: sales.rep}, reason: 岗位职责}
  - {role: manager, to: {level: sales.manager}, reason: 岗位职责, ends: 2099-12-31}
  - {role: security_administrator, to: {user: zhao}, reason: 安全}
admissions:
  - {partition: sh, to: {department: hq, below: true}, rights: [create, edit], reason: 本公司, starts: 2020-01-01}
approved_moves:
  - {anything: true, reason: 小公司}
"""
)


@dataclass(frozen=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Hufu = Callable[..., Said]


@pytest.fixture
def hufu(committed: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Hufu]:
    """Return a function that runs a command, in English."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    with translation.override("en"):
        yield run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a file and says where."""

    def written(text: str) -> Path:
        path = tmp_path / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture(scope="session")
def people_database(
    postgres: TestServer, template_database: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The people in a database that nobody works in: each test gets a copy."""
    yield from _database(postgres, template_database, django_db_blocker, _enter_people)


@pytest.fixture(scope="session")
def company_database(
    postgres: TestServer, people_database: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The same under version 1 of the policy."""
    yield from _database(postgres, people_database, django_db_blocker, _publish_policy)


def _database(
    postgres: TestServer, before: str, blocker: DjangoDbBlocker, fill: Callable[[], None]
) -> Iterator[str]:
    with blocker.unblock():
        name = postgres.clone(before)
        try:
            with django_on(postgres.url(roles.APP, name)):
                fill()
            yield name
        finally:
            postgres.drop(name)


@pytest.fixture
def starting_point(request: pytest.FixtureRequest, template_database: str) -> str:
    """With the people, or the company, where a test asks for them."""
    for fixture in ("company", "people"):
        if fixture in request.fixturenames:
            name: str = request.getfixturevalue(f"{fixture}_database")
            return name
    return template_database


@pytest.fixture
def people(committed: str) -> dict[str, User]:
    """Wang leads Li (east) and Chen (west); Zhao is to become the security administrator; Sun has left."""
    return _people()


@pytest.fixture
def company(committed: str) -> dict[str, User]:
    """The people, under version 1 of the policy."""
    return _people()


def _people() -> dict[str, User]:
    with acting(Actor.operator()):
        return {user.username: user for user in User.objects.all()}


def _publish_policy() -> None:
    operator = Actor.operator()
    with acting(operator):
        policy_file.apply(operator, yaml.safe_load(POLICY))


def _enter_people() -> None:
    operator = Actor.operator()
    with acting(operator):
        organisation_file.apply(operator, yaml.safe_load(ORGANISATION)["organisation"])
        at = {department.code: department.id for department in Department.objects.all()}
        level = {level.key: level.id for level in Level.objects.all()}
        person = actions.Person
        users = actions.create_users(
            operator,
            [
                person(
                    "wang",
                    "王经理",
                    "wang@example.com",
                    "1001",
                    main_department_id=at["hq"],
                    level_id=level["manager"],
                ),
                person("li", "李一", main_department_id=at["east"], level_id=level["rep"]),
                person("chen", "陈二", main_department_id=at["west"], level_id=level["rep"]),
                person("zhao", "赵三", main_department_id=at["hq"]),
                person(
                    "sun", "孙四", main_department_id=at["east"], level_id=level["rep"], status=Status.LEFT
                ),
            ],
        )
        found = {user.username: user for user in users}
        actions.set_managers(operator, {found[name].id: found["wang"].id for name in ("li", "chen")})


@pytest.fixture
def customer(company: dict[str, User]) -> int:
    """The number of Li's customer, in Shanghai."""
    actor = Actor(company["li"].id, "李一")
    with acting(actor):
        return create_record(
            actor, CUSTOMER, NewRecord(1, actor.user_id, {"name": "上海启明机械有限公司", "stage": "new"})
        )


@pytest.fixture
def events(connect_as: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that reads the bodies of events of a type from the log."""

    def read(type_name: str) -> list[dict[str, Any]]:
        rows = connect_as("hufu_owner").execute("SELECT body FROM audit_event").fetchall()
        bodies = [json.loads(bytes(row[0])) for row in rows]
        return [body for body in bodies if body["type"] == type_name]

    return read
