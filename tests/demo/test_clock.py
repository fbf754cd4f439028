"""Times are simulated for the demo company alone: the application cannot forge one, and every event says so."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, connection

import hufu
from hufu.audit import record
from hufu.cli.demo.clock import held_open
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.postgres.roles import APP, OWNER
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.staffing import actions
from tests.database import Connect, TestServer

LAST_YEAR = datetime(2025, 3, 4, 1, 30, tzinfo=UTC)
SOON = timedelta(minutes=5)


def hire(username: str) -> None:
    actions.create_users(Actor.operator(), [actions.Person(username, "某人")])


def database_time(database: psycopg.Connection) -> datetime:
    row = database.execute("SELECT hufu.now()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def test_while_the_owner_holds_the_clock_open_deeds_lie_in_the_past_and_their_events_say_so(
    postgres: TestServer, committed: str, owner_connection: psycopg.Connection
) -> None:
    with held_open(postgres.url(OWNER, committed)):
        with clock.simulated(LAST_YEAR), acting(Actor.operator()):
            hire("then")
        with acting(Actor.operator()):
            hire("now")
    said = [
        json.loads(bytes(body))
        for (body,) in owner_connection.execute("SELECT body FROM audit_event ORDER BY at")
    ]
    then, now = said
    assert then["at"] == "2025-03-04T01:30:00.000000Z"
    assert then["simulated"] is True
    assert abs(datetime.fromisoformat(then["recorded_at"]) - datetime.now(UTC)) < SOON
    assert not {"simulated", "recorded_at"} & set(now)
    assert abs(datetime.fromisoformat(now["at"]) - datetime.now(UTC)) < SOON
    users = {user.username: user for user in User.objects.all()}
    assert users["then"].created_at == users["then"].valid_from == LAST_YEAR
    assert users["now"].valid_from > LAST_YEAR


def test_with_the_clock_closed_a_simulated_event_cannot_be_written_and_so_no_deed_is_done(
    committed: str,
) -> None:
    with (
        pytest.raises(IntegrityError, match="demo clock"),
        clock.simulated(LAST_YEAR),
        acting(Actor.operator()),
    ):
        hire("then")
    assert not User.objects.exists()


def test_while_it_is_open_an_event_that_does_not_say_so_is_refused(
    postgres: TestServer, committed: str
) -> None:
    with (
        held_open(postgres.url(OWNER, committed)),
        pytest.raises(IntegrityError, match="demo clock"),
        acting(Actor.operator()),
    ):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('hufu.simulated_at', %s, true)", [LAST_YEAR.isoformat()])
        record(Actor.operator(), "system.started", data={"version": "1"})


def test_the_application_can_neither_open_the_clock_nor_be_late_by_a_setting(
    postgres: TestServer, committed: str, connect_as: Connect
) -> None:
    application = connect_as(APP)
    application.execute("SELECT set_config('hufu.simulated_at', %s, false)", [LAST_YEAR.isoformat()])
    assert abs(database_time(application) - datetime.now(UTC)) < SOON
    for statement in (
        "INSERT INTO hufu.demo_clock VALUES (pg_backend_pid(), now())",
        "DELETE FROM hufu.demo_clock",
        "SELECT 1 FROM hufu.demo_clock",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(statement)
    with held_open(postgres.url(OWNER, committed)):
        assert database_time(application) == LAST_YEAR
        application.execute("SELECT set_config('hufu.simulated_at', '2999-01-01', false)")
        assert database_time(application) < datetime.now(UTC) + SOON
    assert database_time(application) > LAST_YEAR + timedelta(days=30)


def test_the_clock_closes_with_the_session_that_held_it_even_where_that_was_killed(
    postgres: TestServer, committed: str, connect_as: Connect, owner_connection: psycopg.Connection
) -> None:
    application = connect_as(APP)
    application.execute("SELECT set_config('hufu.simulated_at', %s, false)", [LAST_YEAR.isoformat()])
    with pytest.raises(psycopg.OperationalError), held_open(postgres.url(OWNER, committed)):
        assert database_time(application) == LAST_YEAR
        with postgres.admin() as admin:
            holding = owner_connection.execute("SELECT pid FROM hufu.demo_clock").fetchone()
            assert holding is not None
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", [holding[0]])
    assert owner_connection.execute("SELECT count(*) FROM hufu.demo_clock").fetchone() == (1,)
    assert abs(database_time(application) - datetime.now(UTC)) < SOON


def test_only_the_demo_simulates() -> None:
    root = Path(hufu.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = getattr(node, "attr", None) or getattr(node, "id", None)
            imported = {each.name for each in node.names} if isinstance(node, ast.ImportFrom) else set()
            if named in {"simulated", "held_open"} or {"simulated", "held_open"} & imported:
                found.add(str(path.relative_to(root)))
    assert found == {"cli/commands/demo.py", "cli/demo/build.py", "cli/demo/play.py"}
