"""L25, list ≠ check: whatever the list shows the point check allows, and the row policy; for everybody, at any moment.

Generated companies stand in tests/access/test_differential.py; here the company of named people lives through
changes, and every door is asked again after each.
"""

from __future__ import annotations

import pytest

from hufu.access import guard, registry
from hufu.core.errors import Denied, NotFound
from hufu.core.transaction import acting
from hufu.crm import queries
from tests.access.world import TABLES
from tests.company import PEOPLE

CHANGES = {
    "nothing": "SELECT 1",
    "lin moves to another department": "UPDATE people_user SET main_department_id = 5 WHERE username = 'lin'",
    "lin becomes a manager": "UPDATE people_user SET level_id = 2 WHERE username = 'lin'",
    "wang is suspended": "UPDATE people_user SET status = 'suspended' WHERE username = 'wang'",
    "wang reports to nobody": "UPDATE people_user SET manager_id = NULL WHERE username = 'wang'",
    "zhao takes a second department": "INSERT INTO people_membership (user_id, department_id)"
    " SELECT id, 5 FROM people_user WHERE username = 'zhao'",
    "a department moves": "UPDATE people_department SET parent_id = 7 WHERE code = 'east'",
    "the wall closes for sales": "DELETE FROM access_admission WHERE department_id IS NOT NULL",
    "the wall lets sales read": "UPDATE access_admission SET can_create = false, can_edit = false, can_delete = false",
    "the manager's role loses edit": "DELETE FROM access_grant WHERE role_id = 3 AND permission = 'customer.edit'",
    "everybody's view ends": "DELETE FROM access_grant WHERE permission LIKE '%.view'",
    "representatives see everything": "UPDATE access_grant SET scope = 'everything' WHERE scope = 'department'",
    "every customer goes to a pool of the service": "INSERT INTO access_pool (id, key, name, type, partition_id)"
    " SELECT id, key, name, 'customer', id FROM access_partition;"
    " INSERT INTO access_pool_member (pool_id, department_id, below, post)"
    " SELECT p.id, d.id, true, '' FROM access_pool p, people_department d WHERE d.code = 'service';"
    " UPDATE crm_customer SET owner_id = NULL, pool_id = partition_id",
    "every customer goes to a pool of everybody": "INSERT INTO access_pool (id, key, name, type, partition_id)"
    " SELECT id, key, name, 'customer', id FROM access_partition;"
    " INSERT INTO access_pool_member (pool_id, department_id, below, post)"
    " SELECT p.id, d.id, true, '' FROM access_pool p, people_department d WHERE d.parent_id IS NULL;"
    " INSERT INTO access_grant (role_id, permission, scope)"
    " SELECT DISTINCT role_id, 'customer.claim', 'own' FROM access_grant WHERE permission = 'customer.view';"
    " UPDATE crm_customer SET owner_id = NULL, pool_id = partition_id",
    "every record of the other partitions is let across the wall to sun": "INSERT INTO access_share (type, record_id,"
    " user_id, access, reason, given_by, across_by, ends_at) SELECT 'customer', c.id, u.id, 'edit', '', -1, -1,"
    " now() + interval '1 day' FROM crm_customer c, people_user u WHERE u.username = 'sun';"
    " INSERT INTO access_share (type, record_id, user_id, access, reason, given_by, across_by, ends_at)"
    " SELECT 'opportunity', o.id, u.id, 'read', '', -1, -1, now() + interval '1 day'"
    " FROM crm_opportunity o, people_user u WHERE u.username = 'sun'",
    "every record is deleted": "UPDATE crm_customer SET deleted_at = now();"
    " UPDATE crm_opportunity SET deleted_at = now()",
    "every contact is deleted": "UPDATE crm_contact SET deleted_at = now()",
    "customers are open to all who view any": "INSERT INTO access_base_access (type, access)"
    " VALUES ('customer', 'public_read')",
    "customers are open to all who edit any": "INSERT INTO access_base_access (type, access)"
    " VALUES ('customer', 'public_read_write')",
    "zhang reads in the teams of all customers": "INSERT INTO access_team_member (type, record_id, user_id, access,"
    " role, added_by) SELECT 'customer', c.id, u.id, 'read', '', -1 FROM crm_customer c, people_user u"
    " WHERE u.username = 'zhang'",
    "zhang edits in the teams of all customers": "INSERT INTO access_team_member (type, record_id, user_id, access,"
    " role, added_by) SELECT 'customer', c.id, u.id, 'edit', '', -1 FROM crm_customer c, people_user u"
    " WHERE u.username = 'zhang'",
    "deletion is for the team": "UPDATE access_grant SET scope = 'team' WHERE permission = 'customer.delete'",
    "wang sees whom she manages directly": "UPDATE access_grant SET scope = 'direct_reports'"
    " WHERE scope = 'subordinates'",
    "the manager's role goes to heads of departments": "UPDATE access_assignment SET level_id = NULL,"
    " department_id = 2, post = 'head', below = true WHERE role_id = 3;"
    " INSERT INTO people_department_post (department_id, post, user_id)"
    " SELECT 3, 'head', id FROM people_user WHERE username = 'tang'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_door_agrees_for_everybody_after_a_change(company, owner_connection, connect_as, change):
    owner_connection.execute(CHANGES[change])
    app = connect_as("hufu_app")
    tables = {resource: TABLES[resource.name] for resource in registry.resource_types()}
    numbers = {
        resource: [row[0] for row in owner_connection.execute(f"SELECT id FROM {table}")]
        for resource, table in tables.items()
    }
    for name in PEOPLE:
        actor = company.actor(name)
        with acting(actor):
            listed = {resource: _listed(actor, resource, numbers[resource]) for resource in tables}
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [actor.user_id])
            for resource, table in tables.items():
                _compare_database(app, resource, table, numbers[resource], listed[resource])


def _listed(actor, resource, numbers):
    """Return what is listed for each verb; whatever is asked about a record alone says the same."""
    listed = {}
    viewed = {number: _got(actor, resource.permission("view"), number) for number in numbers}
    for verb in [v for v in ("view", "restore", "edit", "delete", "transfer", "claim") if resource.has(v)]:
        permission = resource.permission(verb)
        listed[verb] = set(guard.scope(actor, permission).values_list("pk", flat=True))
        assert queries.count(actor, permission) == len(listed[verb])
        if verb == "restore":
            got = {number for number in numbers if _got(actor, permission, number)}
        else:
            # Whatever is asked for, only a record that is viewed is there at all.
            got = {n for n, row in viewed.items() if row and guard.may(actor, permission, row)}
        assert got == listed[verb]
    return listed


def _compare_database(app, resource, table, numbers, listed):
    """Assert that row policies and the database's own check say the same."""
    shown = {row[0] for row in app.execute(f"SELECT id FROM {table} WHERE deleted_at IS NULL")}
    assert shown == listed["view"]
    binned = {row[0] for row in app.execute(f"SELECT id FROM {table} WHERE deleted_at IS NOT NULL")}
    assert binned >= listed["restore"]
    changed = app.execute(f"UPDATE {table} SET updated_by_id = hufu.actor() RETURNING id").fetchall()
    assert {row[0] for row in changed} == listed["edit"]
    for verb in listed:
        covered = app.execute(
            f"SELECT id FROM unnest(%s::bigint[]) id WHERE hufu.covers_{table}(%s, id)",
            [numbers, resource.permission(verb)],
        ).fetchall()
        assert {row[0] for row in covered} == listed[verb]


def _got(actor, permission, number):
    try:
        return guard.get(actor, permission, number)
    except (Denied, NotFound):
        return None


def test_a_button_stands_where_the_deed_is_allowed_for_everybody(company, sign_in):
    """The page of each record links to the deeds that the point check allows, and to no other."""
    for name in ("li", "wang", "lin", "tang", "zhao", "chen", "zhou"):
        actor, client = company.actor(name), sign_in(name)
        for number in company.customers.values():
            answer = client.get(f"/customers/{number}/")
            with acting(actor):
                if _got(actor, "customer.view", number) is None:
                    assert answer.status_code == 404
                    continue
                allowed = {
                    verb: _got(actor, f"customer.{verb}", number) is not None
                    for verb in ("edit", "transfer", "delete")
                }
            page = answer.content.decode()
            for verb, may in allowed.items():
                assert (f"/customers/{number}/{verb}" in page) == may, (name, number, verb)
