"""`hufu demo` lets anybody on this machine sign in: it must never do so on somebody's own data, nor throw that away."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from django.db import connections

from hufu.cli.commands import demo
from hufu.cli.demo.cast import cast
from hufu.cli.demo.organisation import people
from hufu.cli.environment import Database
from hufu.core.actor import Actor
from hufu.core.errors import Unavailable
from hufu.core.postgres.roles import OWNER
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.staffing import actions
from tests.database import TestServer

TODAY = date(2026, 1, 15)
pytestmark = pytest.mark.usefixtures("in_english")


@pytest.fixture
def database(postgres: TestServer, committed: str) -> Database:
    return Database({OWNER: postgres.url(OWNER, committed)}, postgres.admin_url, embedded=True)


def hire(*hired: actions.Person) -> None:
    with acting(Actor.operator()):
        actions.create_users(Actor.operator(), hired)


def cast_as_hired() -> list[actions.Person]:
    known = people()
    return [
        actions.Person(part.username, part.name, email=known[part.username].email, external_id=part.username)
        for part in cast()
    ]


def exists(postgres: TestServer, name: str) -> bool:
    with postgres.admin() as admin:
        return admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def test_a_database_with_other_people_is_refused(database: Database) -> None:
    hire(actions.Person("lilei", "李雷", email="lilei@company.example"))
    with pytest.raises(Unavailable, match="not those of the demo company"):
        demo.prepare(database, TODAY)
    with acting(Actor.operator()):
        assert User.objects.count() == 1


def test_somebody_elses_account_under_a_name_of_the_cast_is_not_the_demo(database: Database) -> None:
    hired = cast_as_hired()
    hire(*hired[1:], actions.Person(hired[0].username, hired[0].name, email="me@company.example"))
    with pytest.raises(Unavailable, match="not those of the demo company"):
        demo.prepare(database, TODAY)


def test_a_second_start_keeps_what_is_there(database: Database) -> None:
    hire(*cast_as_hired())
    demo.prepare(database, TODAY)
    with acting(Actor.operator()):
        assert User.objects.count() == len(cast())


def test_reset_throws_the_demo_away(postgres: TestServer, database: Database, committed: str) -> None:
    hire(*cast_as_hired())
    connections.close_all()
    demo.reset(database)
    assert not exists(postgres, committed)
    demo.reset(database)


def test_reset_never_throws_other_people_away(
    postgres: TestServer, database: Database, committed: str
) -> None:
    hire(actions.Person("lilei", "李雷", email="lilei@company.example"))
    connections.close_all()
    with pytest.raises(Unavailable, match="Nothing was changed"):
        demo.reset(database)
    assert exists(postgres, committed)


def test_reset_leaves_a_database_that_is_in_use(
    postgres: TestServer, database: Database, committed: str
) -> None:
    with acting(Actor.operator()), pytest.raises(Unavailable, match="still uses the database"):
        demo.reset(database)
    assert exists(postgres, committed)


def test_reset_does_not_touch_a_real_server(database: Database) -> None:
    with pytest.raises(Unavailable, match="embedded database only"):
        demo.reset(Database(database.urls, None, embedded=False))


def test_the_sign_in_page_and_the_terminal_are_told_the_same_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUFU_VAR", str(tmp_path))
    demo.introduce()
    written = json.loads((tmp_path / demo.PEOPLE_FILE).read_text(encoding="utf-8"))
    assert len(written) == 13
    assert all({"username", "name", "title", "can", "can_en"} <= set(entry) for entry in written)
    printed = capsys.readouterr().out
    assert all(entry["name"] in printed for entry in written)
