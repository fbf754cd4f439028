"""L06, empty scope read as unrestricted: no role, an empty one, one of a department that is gone: nothing is seen."""

from __future__ import annotations

import pytest

from hufu.access import guard, reach, registry
from hufu.access.decision.terms import Right
from hufu.core import clock
from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from tests.access.world import TABLES

RECORD_PERMISSIONS = [
    declared.name
    for resource in registry.resource_types()
    for declared in resource.permissions
    if registry.is_about_records(declared.name)
]


def assert_sees_nothing(company, name, connect_as):
    actor = company.actor(name)
    with acting(actor):
        for permission in RECORD_PERMISSIONS:
            assert guard.scope(actor, permission).count() == 0, permission
        for resource in registry.resource_types():
            assert queries.count_records(actor, resource) == 0
            assert queries.find(actor, resource, "") == []
            assert queries.list_records(actor, resource, ListQuery()).records == ()
            if not resource.parent:
                assert guard.creatable_partitions(actor, resource) == frozenset()
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [actor.user_id])
        for table in TABLES.values():
            assert app.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
            assert app.execute(f"UPDATE {table} SET note = '' RETURNING id").fetchall() == []


def give(owner, company, role, name, **term):
    owner.execute(
        "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by, starts_at, ends_at)"
        " SELECT id, %s, false, '', -1, %s, %s FROM access_role WHERE key = %s",
        [company.people[name], term.get("starts"), term.get("ends"), role],
    )


def test_qian_with_the_service_role_sees_the_partition(company, owner_connection):
    """The set-up of the following tests, granted: with a role that holds view, 钱多 does see."""
    give(owner_connection, company, "service", "qian")
    with acting(company.actor("qian")):
        assert guard.scope(company.actor("qian"), "customer.view").count() == 4


def test_admitted_without_any_role(company, connect_as):
    assert_sees_nothing(company, "qian", connect_as)


def test_a_role_without_grants(company, owner_connection, connect_as):
    give(owner_connection, company, "empty", "qian")
    assert_sees_nothing(company, "qian", connect_as)


@pytest.mark.parametrize("roles", [("system", "security"), ("audit",)])
def test_roles_without_these_permissions(company, owner_connection, connect_as, roles):
    for role in roles:
        give(owner_connection, company, role, "qian")
    assert_sees_nothing(company, "qian", connect_as)


def test_an_assignment_that_has_ended_or_not_begun(company, owner_connection, connect_as):
    give(owner_connection, company, "service", "qian", ends=clock.now())
    give(owner_connection, company, "service", "qian", starts=clock.now().replace(year=2090))
    assert_sees_nothing(company, "qian", connect_as)


def test_a_role_without_any_admission(company, owner_connection, connect_as):
    owner_connection.execute("DELETE FROM access_admission")
    for name in ("li", "wang", "lin", "chen"):
        assert_sees_nothing(company, name, connect_as)


def test_the_widest_role_of_somebody_without_department_manager_and_level(
    company, owner_connection, connect_as
):
    """Department scopes of somebody without a department hold nothing; not every record without one."""
    owner_connection.execute("DELETE FROM access_grant WHERE scope = 'everything'")
    owner_connection.execute(
        "UPDATE people_user SET main_department_id = NULL, level_id = NULL, manager_id = NULL WHERE id = %s",
        [company.people["qian"]],
    )
    owner_connection.execute(
        "INSERT INTO access_admission"
        " (partition_id, user_id, below, reason, given_by, can_create, can_edit, can_delete)"
        " SELECT id, %s, false, '', -1, true, true, true FROM access_partition",
        [company.people["qian"]],
    )
    owner_connection.execute(
        "INSERT INTO access_grant (role_id, permission, scope)"
        " SELECT r.id, p, s FROM access_role r, unnest(%s::text[]) p,"
        " unnest('{own,subordinates,department,department_and_below}'::text[]) s WHERE r.key = 'empty'",
        [[name for name in RECORD_PERMISSIONS if "create" not in name and "import" not in name]],
    )
    give(owner_connection, company, "empty", "qian")
    assert_sees_nothing(company, "qian", connect_as)


def test_a_role_given_to_a_department_or_level_that_is_nobodys_any_more(
    company, owner_connection, connect_as
):
    owner_connection.execute("DELETE FROM access_assignment")
    owner_connection.execute(
        "INSERT INTO people_department (id, name, code) VALUES (900, '空', 'void');"
        "INSERT INTO access_assignment (role_id, department_id, below, reason, given_by)"
        " SELECT id, 900, true, '', -1 FROM access_role"
    )
    for name in ("li", "lin", "qian"):
        assert_sees_nothing(company, name, connect_as)


def test_a_scope_that_nobody_declared_holds_nothing(company, owner_connection, connect_as):
    owner_connection.execute(
        "INSERT INTO access_grant (role_id, permission, scope)"
        " SELECT id, 'customer.view', 'all' FROM access_role WHERE key = 'empty'"
    )
    give(owner_connection, company, "empty", "qian")
    assert_sees_nothing(company, "qian", connect_as)


def test_people_with_no_record_permission_have_no_menu_and_no_page(sign_in):
    for name in ("qian", "he", "feng", "wu"):
        page = sign_in(name).get("/").content.decode()
        assert "/customers/" not in page
        assert sign_in(name).get("/customers/").status_code == 403
    assert "/customers/" in sign_in("lin").get("/").content.decode()


@pytest.mark.parametrize("right", list(Right))
def test_empty_bitmaps_hold_no_number(right):
    assert reach.numbers(b"") == reach.numbers(b"\0\0") == frozenset()


def test_an_unknown_permission_is_an_error_and_never_everything(company):
    lin = company.actor("lin")
    with acting(lin):
        for ask in (guard.scope, guard.may, guard.authorize):
            with pytest.raises(KeyError):
                ask(lin, "customer.fly")
        with pytest.raises(ValueError, match="not about records"):
            guard.scope(lin, "audit.view")


def test_rights_are_never_asked_in_somebody_elses_name(company):
    with acting(company.actor("qian")), pytest.raises(RuntimeError):
        guard.scope(company.actor("li"), "customer.view")
    with pytest.raises(RuntimeError):
        guard.scope(company.actor("li"), "customer.view")
