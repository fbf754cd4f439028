"""The two modes of administration: what they forbid when a role is given, in the application and in the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.utils import translation

from hufu.access import actions, company
from hufu.access.actions import Principal
from hufu.access.company import AlreadySetUp
from hufu.access.models import Assignment, Mode, Role
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Department, User
from hufu.staffing.actions import Person, create_department, create_users

OPERATOR = Actor.operator()
VIEW_CUSTOMERS = {"customer.view": ["own"]}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def roles(committed: str) -> dict[str, Role]:
    """The three administrators' roles, and two of business: one that sees customers by what it inherits."""
    with acting(OPERATOR):
        made = {
            kind: actions.create_role(OPERATOR, key=kind, name=kind, administrator=kind, grants={})
            for kind in ("system", "security", "audit")
        }
        made["business"] = actions.create_role(OPERATOR, key="rep", name="rep", grants=VIEW_CUSTOMERS)
        made["above"] = actions.create_role(OPERATOR, key="boss", name="boss", grants={})
        actions.set_inherited_roles(OPERATOR, made["above"], [made["business"]])
        made["harmless"] = actions.create_role(
            OPERATOR, key="x", name="x", grants={"user.view": ["everything"]}
        )
        create_users(OPERATOR, [Person("wei", "卫东"), Person("an", "安宁"), Person("he", "何青")])
    return made


def set_up(mode: Mode | None) -> None:
    if mode:
        with acting(OPERATOR):
            company.set_up(OPERATOR, name="虎啸", mode=mode)


def give(role: Role, username: str = "wei", **term: object) -> None:
    with acting(OPERATOR):
        to = Principal(user=User.objects.get(username=username))
        actions.assign_role(OPERATOR, role, to=to, reason="x", **term)


def insert(connection: psycopg.Connection, role: Role, username: str = "wei") -> None:
    """Give a role past the application."""
    connection.execute(
        "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by)"
        " SELECT %s, id, false, '', -1 FROM people_user WHERE username = %s",
        [role.id, username],
    )


REFUSED = [
    # Without a set-up (a policy of the command line alone) a company is in standard mode.
    (None, "system", "audit"),
    (None, "audit", "security"),
    (Mode.STANDARD, "system", "audit"),
    (Mode.STANDARD, "security", "audit"),
    (Mode.STANDARD, "audit", "system"),
    (Mode.STANDARD, "audit", "security"),
    (Mode.THREE, "system", "security"),
    (Mode.THREE, "security", "audit"),
    (Mode.THREE, "audit", "system"),
    (Mode.THREE, "system", "business"),
    (Mode.THREE, "audit", "above"),
    (Mode.THREE, "business", "security"),
    (Mode.THREE, "above", "system"),
]
ALLOWED = [
    (None, "system", "security"),
    (Mode.STANDARD, "system", "security"),
    (Mode.STANDARD, "security", "system"),
    (Mode.STANDARD, "system", "business"),
    (Mode.STANDARD, "system", "system"),
    (Mode.THREE, "system", "harmless"),
    (Mode.THREE, "system", "system"),
    (Mode.THREE, "harmless", "audit"),
    (Mode.THREE, "business", "above"),
]


@pytest.mark.parametrize(("mode", "first", "second"), REFUSED)
def test_what_the_mode_forbids_is_refused_by_the_deed_and_by_the_database(
    roles, owner_connection, mode, first, second
):
    set_up(mode)
    give(roles[first])
    with pytest.raises(Invalid) as refused:
        give(roles[second])
    assert "卫东" in str(refused.value)
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(owner_connection, roles[second])
    # Somebody else may have it.
    give(roles[second], "he")


@pytest.mark.parametrize(("mode", "first", "second"), ALLOWED)
def test_what_the_mode_allows_is_given(roles, owner_connection, mode, first, second):
    set_up(mode)
    give(roles[first])
    give(roles[second])
    insert(owner_connection, roles[second])


def test_in_three_administrator_mode_an_administrator_who_sees_customers_by_their_own_role_is_none(roles):
    set_up(Mode.THREE)
    with acting(OPERATOR):
        actions.change_role(
            OPERATOR, roles["system"], name="s", description="", administrator="system", grants=VIEW_CUSTOMERS
        )
    with pytest.raises(Invalid, match="see business data"):
        give(roles["system"])


def test_in_three_administrator_mode_administrators_are_people_and_not_departments(roles, owner_connection):
    for mode in (Mode.STANDARD, Mode.THREE):
        if mode is Mode.THREE:
            owner_connection.execute("DELETE FROM access_assignment")
            owner_connection.execute("UPDATE access_company SET mode = 'three'")
        else:
            set_up(mode)
            with acting(OPERATOR):
                create_department(OPERATOR, code="hq", name="总部", parent=None)
        with acting(OPERATOR):
            to = Principal(department=Department.objects.get())
            if mode is Mode.STANDARD:
                actions.assign_role(OPERATOR, roles["audit"], to=to, reason="x")
            else:
                with pytest.raises(Invalid, match="is given to a person"):
                    actions.assign_role(OPERATOR, roles["audit"], to=to, reason="x")
                actions.assign_role(OPERATOR, roles["business"], to=to, reason="x")
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_connection.execute(
            "INSERT INTO access_assignment (role_id, department_id, below, reason, given_by)"
            " SELECT %s, id, false, '', -1 FROM people_department",
            [roles["audit"].id],
        )


def test_a_post_that_has_ended_is_no_obstacle_and_one_to_come_is(roles, owner_connection):
    set_up(Mode.THREE)
    now = clock.now()
    give(roles["system"], starts_at=now - timedelta(days=2), ends_at=now - timedelta(days=1))
    give(roles["audit"], starts_at=now + timedelta(days=1))
    for role in ("security", "business"):
        with pytest.raises(Invalid):
            give(roles[role])
        with pytest.raises(psycopg.errors.CheckViolation):
            insert(owner_connection, roles[role])


def test_the_company_is_set_up_once_and_by_nobody_after_version_1(roles, owner_connection, connect_as):
    set_up(Mode.STANDARD)
    with pytest.raises(AlreadySetUp):
        set_up(Mode.THREE)
    with acting(OPERATOR):
        assert company.mode() is Mode.STANDARD
    owner_connection.execute("DELETE FROM access_company")
    owner_connection.execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (1, -1, 'x', '')"
    )
    with pytest.raises(Denied):
        set_up(Mode.THREE)


def test_nobody_changes_or_removes_it_not_even_the_application_as_somebody(roles, connect_as):
    set_up(Mode.THREE)
    app = connect_as("hufu_app")
    for statement in (
        "UPDATE access_company SET mode = 'standard'",
        "DELETE FROM access_company",
        "INSERT INTO access_company (id, name, mode) VALUES (1, '', 'standard')"
        " ON CONFLICT (id) DO UPDATE SET mode = 'standard'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("SELECT hufu.enter(-1)")
            app.execute(statement)


def test_without_an_identity_the_application_learns_only_whether_anything_was_entered(roles, connect_as):
    set_up(Mode.THREE)
    app = connect_as("hufu_app")
    assert app.execute("SELECT * FROM access_company").fetchall() == []
    assert app.execute("SELECT hufu.never_set_up()").fetchone() == (False,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("INSERT INTO access_company (id, name, mode) VALUES (1, '', 'three')")


def test_the_actor_of_the_set_up_page_can_nothing_once_version_1_stands(roles, owner_connection, connect_as):
    held = "SELECT permission FROM access_term_grant WHERE user_id = -2 ORDER BY permission"
    assert [row[0] for row in owner_connection.execute(held)] == [
        *("role.assign", "role.manage", "role.view"),
        *("user.manage", "user.view"),
    ]
    owner_connection.execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (1, -1, 'x', '')"
    )
    assert owner_connection.execute(held).fetchall() == []


def test_its_past_is_kept(roles, owner_connection):
    set_up(Mode.STANDARD)
    owner_connection.execute("UPDATE access_company SET name = '虎啸集团'")
    assert owner_connection.execute("SELECT name, mode FROM access_company_history").fetchall() == [
        ("虎啸", "standard")
    ]
    assert not Assignment.objects.exists()
