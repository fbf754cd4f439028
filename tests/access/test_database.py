"""The database refuses by itself: plain SQL as the application's role, without any of our Python in between."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from hufu.access import guard, registry
from hufu.access.models import POLICY_COLUMNS
from hufu.access.policies import FIXED_COLUMNS
from hufu.audit.keys import Subject, subject_keys
from hufu.core import clock
from hufu.core.transaction import acting
from hufu.people.models import FACT_COLUMNS
from tests.access.world import INDEPENDENT, TABLES
from tests.company import PEOPLE, unpublish

REFUSED = psycopg.errors.InsufficientPrivilege
REACH = (
    *("access_reach", "access_term", "access_term_grant", "access_reach_stale"),
    *("access_rule_part", "access_rule_match", "access_rule_reach", "access_pool_reach"),
)
POLICY = (
    *("access_partition", "access_role", "access_role_inherits", "access_base_access"),
    *("access_grant", "access_assignment", "access_admission", "access_gate", "access_gate_use"),
    *("access_quota", "access_prohibition", "access_rule", "access_rule_to", "access_delegation"),
    *("access_approver", "access_request", "access_request_decision", "access_admission_request"),
    *("access_pool", "access_pool_member", "access_pool_hidden"),
    *("access_break_glass", "access_break_glass_use", "access_break_glass_review"),
)

# Exactly what each person's list shows.
CUSTOMERS = {
    "li": {"qiming", "yunhe", "haitian", "nanfang", "pengcheng"},
    "wang": {"qiming", "yunhe", "haitian", "nanfang"},
    "zheng": set(),
    "lin": {"qiming", "yunhe", "haitian"},
    "tang": {"qiming", "yunhe", "haitian"},
    "zhang": {"nanfang"},
    "zhao": {"qiming", "yunhe", "haitian"},
    "chen": {"qiming", "yunhe", "haitian", "nanfang"},
    "zhou": {"qiming", "yunhe", "haitian", "nanfang"},
    "sun": {"pengcheng"},
    "qian": set(),
    "feng": set(),
    "he": set(),
    "wu": set(),
}
OPPORTUNITY_OF = {
    "qiming": "machines",
    "yunhe": "software",
    "haitian": "cranes",
    "nanfang": "boards",
    "pengcheng": "chips",
}


@pytest.fixture
def app(request, connect_as):
    """A connection as the application's role, committing each statement that stands alone."""
    request.getfixturevalue("shared" if "shared" in request.fixturenames else "company")
    return connect_as("hufu_app")


@pytest.fixture
def owner(company, connect_as):
    """A connection as the owner of the tables, in a database of the test's own."""
    return connect_as("hufu_owner")


@contextmanager
def entered(connection, number, *, keep=False):
    """A transaction in which somebody acts, rolled back at the end unless it is to be kept."""
    with connection.transaction(force_rollback=not keep):
        connection.execute("SELECT hufu.enter(%s)", [number])
        yield connection


def ids(connection, table):
    """Return the records that somebody sees, without those in the bin."""
    return {row[0] for row in connection.execute(f"SELECT id FROM {table} WHERE deleted_at IS NULL")}


def refused(connection, statement, values=None, *, error=REFUSED):
    """Assert that a statement is refused, and leave the transaction usable."""
    with pytest.raises(error), connection.transaction():
        connection.execute(statement, values)


# What somebody sees.


@pytest.mark.parametrize(
    "table",
    [
        *(*TABLES.values(), *POLICY, "access_task", "audit_event", "audit_subject"),
        *("access_reach", "access_term", "access_term_grant"),
    ],
)
def test_without_an_actor_there_are_no_rows(company, app, owner, table):
    owner.execute("INSERT INTO access_base_access (type, access) VALUES ('opportunity', 'public_read')")
    owner.execute("INSERT INTO access_gate (id, key, name, conditions) VALUES (1, 'office', '办公网', '{}')")
    owner.execute(
        "INSERT INTO access_gate_use (gate_id, sign_in, permission, below) VALUES (1, false, 'x.y', false)"
    )
    owner.execute(
        "INSERT INTO access_prohibition (permission, user_id, reason, given_by)"
        " VALUES ('customer.edit', (SELECT min(id) FROM people_user), '', -1)"
    )
    owner.execute(
        "INSERT INTO access_quota (id, key, name, counts, zone, warn_at) VALUES (1, 'q', '配额', 'x.y', 'UTC', 80)"
    )
    owner.execute(
        "INSERT INTO access_rule (id, key, name, type, access, condition) VALUES (1, 'r', '共享', 'customer', 'read',"
        """ '{"field": "stage", "is": ["won"]}')"""
    )
    owner.execute("INSERT INTO access_rule_to (rule_id, user_id) VALUES (1, %s)", [company.people["lin"]])
    owner.execute(
        "INSERT INTO access_pool (id, key, name, type, partition_id) VALUES (1, 'p', '公海', 'customer', 1)"
    )
    owner.execute("INSERT INTO access_pool_member (pool_id, user_id) VALUES (1, %s)", [company.people["lin"]])
    owner.execute("INSERT INTO access_pool_hidden (pool_id, type, field) VALUES (1, 'customer', 'phone')")
    owner.execute(
        "INSERT INTO access_delegation (delegator_id, user_id, permissions, starts_at, ends_at, reason)"
        " SELECT min(id), max(id), '{customer.view}', now(), now() + interval '1 day', '' FROM people_user"
    )
    owner.execute("INSERT INTO access_approver (type, by) VALUES ('customer', 'owner')")
    owner.execute(
        "INSERT INTO access_request (user_id, type, number, access, reason, until, asked_at)"
        " SELECT min(id), 'customer', '1', 'read', '', now(), now() FROM people_user"
    )
    owner.execute(
        "INSERT INTO access_request_decision (request_id, granted, told, decided_by_id, decided_at)"
        " SELECT q.id, false, true, q.user_id, now() FROM access_request q"
    )
    owner.execute(
        "INSERT INTO access_admission_request (type, record_id, partition_id, user_id, access, ends_at, reason,"
        " share_id, asked_by_id, asked_at)"
        " SELECT 'customer', 1, 1, min(id), 'read', now(), '', 1, max(id), now() FROM people_user"
    )
    owner.execute(
        "INSERT INTO access_break_glass (key, name, role_id, types, partitions, access, minutes)"
        " SELECT 'x', 'x', min(id), '{customer}', '{}', 'read', 60 FROM access_role"
    )
    owner.execute(
        "INSERT INTO access_break_glass_use (user_id, rule_id, starts_at, ends_at, reason)"
        " SELECT min(id), 1, now(), now() + interval '1 hour', 'x' FROM people_user"
    )
    owner.execute(
        "INSERT INTO access_break_glass_review (use_id, reviewed_by_id, reviewed_at, finding)"
        " SELECT id, user_id, now(), 'x' FROM access_break_glass_use"
    )
    owner.execute(
        "INSERT INTO access_task (type, record_id, kind, user_id, opened_by)"
        " SELECT 'customer', min(c.id), 'test.approval', min(u.id), -1 FROM crm_customer c, people_user u"
    )
    owner.execute(
        "INSERT INTO access_task_kind (kind, type, permission) VALUES ('k', 'customer', 'customer.edit')"
    )
    assert owner.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0, "the table holds rows"
    assert app.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize("name", PEOPLE)
def test_psql_shows_a_person_exactly_what_their_list_shows(shared, app, name):
    actor = shared.actor(name)
    customers = {shared.customer(each) for each in CUSTOMERS[name]}
    deals = {shared.opportunity(OPPORTUNITY_OF[each]) for each in CUSTOMERS[name] if name != "zhou"}
    with entered(app, actor.user_id):
        assert ids(app, "crm_customer") == customers
        assert ids(app, "crm_opportunity") == deals
    with acting(actor):
        assert set(guard.scope(actor, "customer.view").values_list("pk", flat=True)) == customers
        assert set(guard.scope(actor, "opportunity.view").values_list("pk", flat=True)) == deals


def test_wu_alone_reads_the_log(shared, app):
    for name in PEOPLE:
        with entered(app, shared.actor(name).user_id):
            seen = app.execute("SELECT count(*) FROM audit_event").fetchone()[0]
            assert (seen > 0) == (name == "wu"), name


def test_nobody_but_readers_of_the_log_lists_whom_it_knows(company, app):
    """The numbers of all people and records, of every partition, stand there: only who is named is told."""
    hidden = company.customer("pengcheng")
    with acting(company.actor("sun")):
        subject_keys({Subject("customer", hidden)})
    listed = "SELECT count(*) FROM audit_subject WHERE kind = 'customer'"
    for name in PEOPLE:
        with entered(app, company.actor(name).user_id):
            assert (app.execute(listed).fetchone()[0] > 0) == (name == "wu"), name
    assert app.execute(listed).fetchone() == (0,)


def test_lin_reads_her_own_reach_and_nobody_elses(shared, app):
    with entered(app, shared.actor("lin").user_id):
        for table in ("access_reach", "access_term", "access_term_grant"):
            found = app.execute(f"SELECT DISTINCT user_id FROM {table}").fetchall()
            assert found == [(shared.people["lin"],)]


def test_lin_sees_what_was_given_to_her_and_not_what_was_given_to_others(shared, app):
    with entered(app, shared.actor("lin").user_id):
        roles = "SELECT key FROM access_assignment a JOIN access_role r ON r.id = a.role_id"
        assert app.execute(roles).fetchall() == [("rep",)]
    with entered(app, shared.actor("he").user_id):
        assert len(app.execute(roles).fetchall()) == 9


def test_a_suspended_person_enters_nothing(company, app, owner):
    zheng = company.people["zheng"]
    assert owner.execute("SELECT count(*) FROM access_term_grant WHERE user_id = %s", [zheng]).fetchone()[0]
    with app.transaction():
        assert app.execute("SELECT hufu.enter(%s)", [zheng]).fetchone() == (False,)
        assert app.execute("SELECT hufu.actor()").fetchone() == (None,)
        assert ids(app, "crm_customer") == set()


@pytest.mark.parametrize("number", [0, -3, 999_999])
def test_nobody_enters_under_a_number_that_is_nobodys(shared, app, number):
    with app.transaction():
        assert app.execute("SELECT hufu.enter(%s)", [number]).fetchone() == (False,)
        assert ids(app, "crm_customer") == set()


@pytest.mark.parametrize("end", ["commit", "roll back", "error"])
def test_an_identity_ends_with_its_transaction(shared, app, end):
    app.autocommit = False
    app.execute("SELECT hufu.enter(%s)", [shared.people["lin"]])
    assert ids(app, "crm_customer")
    if end == "error":
        with pytest.raises(psycopg.errors.DivisionByZero):
            app.execute("SELECT 1/0")
    app.commit() if end == "commit" else app.rollback()
    assert app.execute("SELECT hufu.actor()").fetchone() == (None,)
    assert ids(app, "crm_customer") == set()


# What nobody may write.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET body = body",
        "UPDATE audit_event SET type = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "DELETE FROM audit_subject",
        "UPDATE audit_subject SET wrapped_key = NULL",
        "INSERT INTO audit_event (id, body) VALUES (gen_random_uuid(), '')",
    ],
)
@pytest.mark.parametrize("name", ["lin", "wu", "he", "feng"])
def test_the_log_is_final(shared, app, name, statement):
    with entered(app, shared.actor(name).user_id):
        refused(app, statement)


def test_nobody_writes_the_log_in_anothers_name(company, app, owner):
    body = owner.execute(
        "SELECT e.body FROM audit_event e JOIN audit_subject s ON s.pseudonym = e.actor WHERE s.kind = 'system' LIMIT 1"
    ).fetchone()[0]
    with entered(app, company.actor("lin").user_id):
        refused(app, "INSERT INTO audit_event (body) VALUES (%s)", [body])


@pytest.mark.parametrize("table", REACH)
@pytest.mark.parametrize("name", ["lin", "he", "li", None])
def test_nobody_writes_reach(shared, app, name, table):
    column = {
        "access_reach_stale": "transaction",
        "access_rule_part": "rule_id",
        "access_rule_match": "part",
    }.get(table, "user_id")
    with app.transaction():
        if name:
            app.execute("SELECT hufu.enter(%s)", [shared.people[name]])
        refused(app, f"INSERT INTO {table} ({column}) VALUES (1)")
        refused(app, f"UPDATE {table} SET {column} = {column}")
        refused(app, f"DELETE FROM {table}")
        refused(app, f"TRUNCATE {table}")


def test_nobody_has_reach_built_as_they_like(shared, app):
    with entered(app, shared.actor("he").user_id):
        refused(app, "SELECT hufu.rebuild_reach()")
        refused(app, "CREATE VIEW hufu.mine AS SELECT 1")
        refused(app, "CREATE OR REPLACE VIEW hufu.levels_held AS SELECT 1 AS level_id, 1 AS held_id")
        refused(app, "SELECT * FROM hufu.user_assignments")


def test_the_application_calls_no_function_that_builds_reach(owner):
    """Found by what they write, so that a new one cannot be forgotten."""
    tables = (*REACH, "access_principal")
    writes = "(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE) (public\\.)?(" + "|".join(tables) + ")\\M"
    builders = dict(
        owner.execute(
            "SELECT proname::text, has_function_privilege('hufu_app', oid, 'EXECUTE') FROM pg_proc"
            " WHERE pronamespace = 'hufu'::regnamespace AND prorettype <> 'trigger'::regtype"
            " AND (prosrc ~ %s OR proname ~ '(^|_)rebuild_|^add_.*_terms$')",
            [writes],
        ).fetchall()
    )
    assert builders.keys() >= {"rebuild_reach", "pool_rebuild_reach", "rule_rebuild_reach", "add_glass_terms"}
    # settle_reach works off what was marked as out of date and takes no wish of the caller's.
    assert {name for name, may in builders.items() if may} == {"settle_reach"}


@pytest.mark.parametrize("table", TABLES.values())
def test_no_record_is_deleted_for_good(shared, app, table):
    with entered(app, shared.actor("li").user_id):
        refused(app, f"DELETE FROM {table}")
        refused(app, f"TRUNCATE {table}")


@pytest.mark.parametrize(
    ("type_name", "table", "column"),
    [
        (resource.name, resource.table, column)
        for resource in registry.resource_types()
        for column in sorted(FIXED_COLUMNS | ({f"{resource.parent}_id"} if resource.parent else set()))
        if column in {field.column for field in resource.model_class._meta.concrete_fields}
    ],
)
def test_lin_changes_her_customer_but_not_whose_it_is_or_where(shared, app, type_name, table, column):
    number = shared.of_lin[type_name]
    with entered(app, shared.actor("lin").user_id):
        changed = app.execute(
            f"UPDATE {table} SET note = 'x', updated_by_id = hufu.actor() WHERE id = %s RETURNING id",
            [number],
        )
        assert changed.fetchall() == [(number,)]
        refused(app, f"UPDATE {table} SET {column} = {column} WHERE id = %s", [number])


def test_lin_updates_what_she_may_edit_and_nothing_that_she_only_views(shared, app):
    with entered(app, shared.actor("lin").user_id):
        changed = {
            row[0]
            for row in app.execute(
                "UPDATE crm_customer SET note = 'x', updated_by_id = hufu.actor() RETURNING id"
            )
        }
        assert changed == {shared.customer("qiming"), shared.customer("yunhe")}
    with entered(app, shared.actor("chen").user_id):
        assert (
            app.execute(
                "UPDATE crm_customer SET note = 'x', updated_by_id = hufu.actor() RETURNING id"
            ).fetchall()
            == []
        )


INSERT = """INSERT INTO crm_opportunity (id, partition_id, owner_id, department_id, created_by_id, updated_by_id,
    created_at, updated_at, lock_version, name, name_sort, name_initials, stage, product, currency, note,
    customer_id, deleted_at)
    VALUES (%(id)s, %(partition)s, %(owner)s, %(department)s, coalesce(%(by)s, hufu.actor()), hufu.actor(),
            now(), now(), 1, 'x', 'x', 'x', 'won', '', 'CNY', '',
            %(customer)s, %(deleted)s)"""


@pytest.fixture
def new(shared):
    """An opportunity that 林悦 may add for herself."""
    return {
        "id": 9000,
        "partition": shared.partitions["sh"],
        "owner": shared.people["lin"],
        "department": shared.departments["east"],
        "customer": None,
        "deleted": None,
        "by": None,
    }


def test_lin_adds_an_opportunity_of_her_own(shared, app, new):
    with entered(app, shared.people["lin"]):
        app.execute(INSERT, new)
        assert 9000 in ids(app, "crm_opportunity")


@pytest.mark.parametrize(
    ("who", "difference"),
    [
        ("lin", {"partition": "sz"}),
        ("lin", {"owner": "tang"}),
        ("lin", {"department": "south"}),
        ("lin", {"deleted": "now"}),
        ("lin", {"by": "wang"}),
        ("lin", {"customer": "pengcheng"}),
        ("wang", {"owner": "zheng"}),
        ("wang", {"owner": "sun"}),
        ("chen", {}),
        ("chen", {"owner": "chen", "department": "service"}),
        ("sun", {}),
        ("qian", {"owner": "qian"}),
        ("he", {}),
        ("feng", {}),
        ("zheng", {"owner": "zheng"}),
    ],
)
def test_an_insert_that_is_not_theirs_is_refused(shared, app, new, who, difference):
    named = {
        "partition": shared.partitions,
        "owner": shared.people,
        "department": shared.departments,
        "deleted": {"now": clock.now()},
        "by": shared.people,
        "customer": {"pengcheng": shared.customer("pengcheng")},
    }
    for column, name in difference.items():
        new[column] = named[column][name]
    with entered(app, shared.people[who]):
        refused(app, INSERT, new)


def test_wang_adds_one_for_lin_and_the_same_insert_by_tang_is_refused(shared, app, new):
    with entered(app, shared.people["tang"]):
        refused(app, INSERT, new)
    with entered(app, shared.people["wang"]):
        app.execute(INSERT, new)


def test_a_reference_stays_within_its_partition_for_the_owner_of_the_table_too(company, owner):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute(
            "UPDATE crm_opportunity SET customer_id = %s WHERE id = %s",
            [company.customer("pengcheng"), company.opportunity("machines")],
        )


def test_lin_points_her_opportunity_at_no_customer_that_she_cannot_view(shared, app):
    hidden, absent = shared.customer("pengcheng"), 987_654
    with entered(app, shared.people["lin"]):
        for customer in (hidden, absent):
            refused(
                app,
                "UPDATE crm_opportunity SET customer_id = %s, updated_by_id = hufu.actor() WHERE id = %s",
                [customer, shared.opportunity("machines")],
            )


def test_nobody_changes_a_record_in_anothers_name(shared, app):
    with entered(app, shared.people["lin"]):
        refused(
            app,
            "UPDATE crm_customer SET updated_by_id = %s WHERE id = %s",
            [shared.people["wang"], shared.customer("qiming")],
        )


# Who may change policy and people.

ASSIGN = "INSERT INTO access_assignment (role_id, user_id, department_id, level_id, below, reason, given_by) VALUES "
ADMIT = (
    "INSERT INTO access_admission (partition_id, can_create, can_edit, can_delete,"
    " user_id, department_id, level_id, below, reason, given_by) VALUES "
)


def gift(table, thing, *, user=None, department=None, level=None, below=False, by):
    values = [user, department, level, below, "", by]
    if table == "access_assignment":
        return f"{ASSIGN} (%s, %s, %s, %s, %s, %s, %s)", [thing, *values]
    return f"{ADMIT} (%s, true, true, true, %s, %s, %s, %s, %s, %s)", [thing, *values]


GIFTS = pytest.mark.parametrize("table", ["access_assignment", "access_admission"])


@GIFTS
def test_he_gives_to_qian_and_nobody_without_role_assign_does(shared, app, table):
    qian = shared.people["qian"]
    for name in ("lin", "li", "feng", "wu", "qian"):
        with entered(app, shared.people[name]):
            refused(app, *gift(table, 1, user=qian, by=shared.people[name]))
    with entered(app, shared.people["he"]):
        app.execute(*gift(table, 1, user=qian, by=shared.people["he"]))


@GIFTS
def test_he_gives_nothing_to_himself_on_any_way(company, app, owner, table):
    he, office, hq = company.people["he"], company.departments["office"], company.departments["hq"]
    owner.execute("UPDATE people_user SET level_id = %s WHERE id = %s", [company.levels["manager"], he])
    # What levels hold is given by a change set from version 1 on.
    unpublish(owner)
    with entered(app, he):
        for to in (
            {"user": he},
            {"department": office},
            {"department": office, "below": True},
            {"department": hq, "below": True},
            {"level": company.levels["manager"]},
            {"level": company.levels["rep"]},
        ):
            refused(app, *gift(table, 1, by=he, **to))
        # Others of the same kind are fine.
        app.execute(*gift(table, 1, by=he, department=hq))
        app.execute(*gift(table, 1, by=he, level=company.levels["executive"]))


@GIFTS
def test_he_turns_no_gift_to_another_into_one_to_himself(shared, app, table):
    he = shared.people["he"]
    with entered(app, he):
        app.execute(*gift(table, 1, user=shared.people["qian"], by=he))
        refused(app, f"UPDATE {table} SET user_id = %s WHERE user_id = %s", [he, shared.people["qian"]])


@GIFTS
def test_he_gives_in_nobody_elses_name(shared, app, table):
    with entered(app, shared.people["he"]):
        refused(app, *gift(table, 1, user=shared.people["qian"], by=shared.people["li"]))


@pytest.mark.parametrize("table", ["access_role", "access_grant", "access_partition", "access_role_inherits"])
@pytest.mark.parametrize("name", ["lin", "li", "feng", "wu"])
def test_definitions_are_changed_by_role_manage_alone(shared, app, name, table):
    with entered(app, shared.people[name]):
        assert app.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
        assert app.execute(f"UPDATE {table} SET id = id RETURNING id").fetchall() == []
        assert app.execute(f"DELETE FROM {table} RETURNING id").fetchall() == []
        refused(
            app,
            "INSERT INTO access_grant (role_id, permission, scope) VALUES (1, 'audit.view', 'everything')",
        )


def test_a_grant_that_he_adds_before_version_1_is_one_that_lin_cannot_add(company, app, owner):
    add = "INSERT INTO access_grant (role_id, permission, scope) VALUES (10, 'customer.view', 'own')"
    with entered(app, company.people["he"]):
        refused(app, add)
    unpublish(owner)
    with entered(app, company.people["lin"]):
        refused(app, add)
    with entered(app, company.people["he"]):
        app.execute(add)


def test_he_widens_no_role_that_he_holds_and_narrows_it_freely(company, app, owner):
    role = owner.execute(
        "SELECT role_id FROM access_assignment WHERE user_id = %s LIMIT 1", [company.people["he"]]
    ).fetchone()[0]
    unpublish(owner)
    with entered(app, company.people["he"]):
        refused(
            app,
            "INSERT INTO access_grant (role_id, permission, scope) VALUES (%s, 'customer.view', 'everything')",
            [role],
        )
        refused(app, "UPDATE access_grant SET role_id = %s WHERE role_id <> %s", [role, role])
        refused(
            app,
            "INSERT INTO access_role_inherits (role_id, inherits_id)"
            " SELECT %s, id FROM access_role WHERE administrator = '' LIMIT 1",
            [role],
        )
        assert app.execute("DELETE FROM access_grant WHERE role_id = %s RETURNING id", [role]).fetchall()


@pytest.mark.parametrize(
    "change", ["level_id = 3", "main_department_id = 3", "manager_id = NULL", "status = 'left'"]
)
def test_feng_changes_no_fact_that_her_own_rights_are_derived_from(company, app, owner, change):
    feng = company.people["feng"]
    column, _equals, value = change.partition(" = ")
    owner.execute(
        f"UPDATE people_user SET {column} = {'3' if value == 'NULL' else column} WHERE id = %s", [feng]
    )
    with entered(app, feng):
        refused(app, f"UPDATE people_user SET {change} WHERE id = %s", [feng])


def test_feng_makes_nobody_report_to_her_and_chooses_nobodys_password(shared, app):
    feng, lin = shared.people["feng"], shared.people["lin"]
    with entered(app, feng):
        refused(app, "UPDATE people_user SET manager_id = %s WHERE id = %s", [feng, lin])
        refused(app, "UPDATE people_user SET password = 'x' WHERE id = %s", [lin])
        refused(
            app,
            "INSERT INTO people_membership (user_id, department_id) VALUES (%s, %s)",
            [feng, shared.departments["far"]],
        )


@pytest.mark.parametrize(
    "change",
    [
        "manager_id = NULL",
        "level_id = 3",
        "main_department_id = 1",
        "status = 'left'",
        "username = 'root'",
        "email = 'x@hufu.example'",
        "external_id = 'x'",
        "name = 'x'",
    ],
)
def test_facts_of_a_person_change_with_user_manage_alone(shared, app, change):
    lin = shared.people["lin"]
    for name in ("lin", "wang", "he", "wu"):
        with entered(app, shared.people[name]):
            refused(app, f"UPDATE people_user SET {change} WHERE id = %s", [lin])
    with entered(app, shared.people["feng"]):
        app.execute(f"UPDATE people_user SET {change} WHERE id = %s", [lin])


def test_lin_changes_her_own_password_and_language_and_nobody_elses(shared, app):
    for change in ("password = 'x'", "language = 'en'"):
        with entered(app, shared.people["lin"]):
            app.execute(f"UPDATE people_user SET {change} WHERE id = %s", [shared.people["lin"]])
            refused(app, f"UPDATE people_user SET {change} WHERE id = %s", [shared.people["he"]])


def test_no_account_is_deleted_and_only_user_manage_adds_one(shared, app):
    add = (
        "INSERT INTO people_user (id, username, name, password, name_sort, email, title, status, language)"
        " VALUES (900, 'x', 'x', '', '', '', '', 'active', '')"
    )
    with entered(app, shared.people["he"]):
        refused(app, add)
    with entered(app, shared.people["feng"]):
        app.execute(add)
        refused(app, "DELETE FROM people_user")


@pytest.mark.parametrize("table", ["people_department", "people_membership", "people_ladder", "people_level"])
def test_the_organisation_is_changed_by_its_administrators_alone(shared, app, table):
    for name in ("lin", "li", "wu"):
        with entered(app, shared.people[name]):
            assert app.execute(f"UPDATE {table} SET id = id RETURNING id").fetchall() == []
            assert app.execute(f"DELETE FROM {table} RETURNING id").fetchall() == []
            if table == "people_membership":
                refused(
                    app,
                    "INSERT INTO people_membership (user_id, department_id) VALUES (%s, %s)",
                    [shared.people[name], shared.departments["far"]],
                )


def test_only_whoever_may_publish_publishes_a_version_and_in_their_own_name(company, app, owner):
    publish = "INSERT INTO access_version (number, published_by, digest, note) VALUES (%s, %s, '', '')"
    with entered(app, company.people["he"]):
        refused(app, publish, [2, company.people["he"]])
    unpublish(owner)
    with entered(app, company.people["lin"]):
        refused(app, publish, [1, company.people["lin"]])
    with entered(app, company.people["he"]):
        refused(app, publish, [1, company.people["lin"]])
        refused(app, publish, [2, company.people["he"]])
        app.execute(publish, [1, company.people["he"]])


def test_nobody_forges_the_past_with_a_trigger_of_their_own(shared, app):
    with entered(app, shared.people["lin"]):
        app.execute("CREATE TEMPORARY TABLE forged (LIKE access_assignment) ON COMMIT DROP")
        for function in (
            "keep_access_assignment",
            "facts_change",
            "settle_at_commit",
            "no_administrator_level",
        ):
            refused(
                app,
                f"CREATE TRIGGER t BEFORE DELETE ON forged FOR EACH ROW EXECUTE FUNCTION hufu.{function}()",
            )


def test_the_past_is_neither_read_nor_written_by_the_application(company, app, owner):
    tables = [
        row[0] for row in owner.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%\\_history'")
    ]
    assert set(tables) == {f"{table}_history" for table in KEPT}
    with entered(app, company.people["he"]):
        for table in tables:
            refused(app, f"SELECT * FROM {table}")
            refused(app, f"DELETE FROM {table}")
            refused(app, f"INSERT INTO {table} (id) VALUES (1)")
            refused(app, f"UPDATE {table} SET id = id")
            refused(app, f"TRUNCATE {table}")


# When a change holds.


def give_for(owner, company, table, thing, name, *, starts=None, ends=None):
    """Give something to a person from or until so many hours from now, as the owner."""
    columns = {"access_assignment": "role_id", "access_admission": "partition_id"}[table]
    rights = ", can_create, can_edit, can_delete" if table == "access_admission" else ""
    true = ", true, true, true" if rights else ""
    owner.execute(
        f"INSERT INTO {table} ({columns}{rights}, user_id, below, reason, given_by, starts_at, ends_at)"
        f" VALUES (%s{true}, %s, false, '', -1, %s, %s)",
        [
            thing,
            company.people[name],
            *(clock.now() + timedelta(hours=hours) if hours else None for hours in (starts, ends)),
        ],
    )


def let_pass(owner, hours):
    """Let hours pass: no fact and no policy changes, but everything that was written lies so much farther back."""
    earlier = f"- interval '{hours} hours'"
    with owner.transaction():
        for table in ("access_assignment", "access_admission"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            owner.execute(f"UPDATE {table} SET starts_at = starts_at {earlier}, ends_at = ends_at {earlier}")
            owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        owner.execute(
            f"UPDATE access_reach SET built_at = built_at {earlier}, valid_until = valid_until {earlier}"
        )


def test_reach_past_a_time_limit_is_built_again_when_somebody_enters(company, app, owner):
    service = owner.execute("SELECT id FROM access_role WHERE key = 'service'").fetchone()[0]
    give_for(owner, company, "access_admission", company.partitions["sz"], "qian", starts=1)
    give_for(owner, company, "access_assignment", service, "qian", ends=3)

    def sees_shenzhen():
        with entered(app, company.people["qian"]):
            return company.customer("pengcheng") in ids(app, "crm_customer")

    assert not sees_shenzhen(), "the admission has not begun"
    let_pass(owner, 2)
    assert sees_shenzhen()
    let_pass(owner, 2)
    assert not sees_shenzhen(), "the assignment has ended"


def test_what_begins_for_qian_is_not_forgotten_when_something_else_is_changed_first(company, app, owner):
    """A change of roles makes no partitions anew, but for whomever time has run out."""
    service = owner.execute("SELECT id FROM access_role WHERE key = 'service'").fetchone()[0]
    give_for(owner, company, "access_assignment", service, "qian")
    give_for(owner, company, "access_admission", company.partitions["sz"], "qian", starts=1)
    let_pass(owner, 2)
    owner.execute("DELETE FROM access_grant WHERE permission = 'customer.delete'")
    with entered(app, company.people["qian"]):
        assert company.customer("pengcheng") in ids(app, "crm_customer")


def test_whoever_was_admitted_until_a_moment_ago_is_given_no_record(company, app, owner):
    far = company.partitions["sz"]
    give_for(owner, company, "access_admission", far, "tang", ends=1)
    give_for(owner, company, "access_admission", far, "zhang", starts=1)

    def may_own(name):
        return app.execute("SELECT hufu.may_own(%s, %s)", [company.people[name], far]).fetchone()[0]

    assert may_own("tang")
    assert not may_own("zhang")
    let_pass(owner, 2)
    assert not may_own("tang")
    assert may_own("zhang")


def test_a_change_of_people_or_policy_holds_from_the_very_next_transaction(company, app, owner):
    lin = company.people["lin"]

    def seen():
        with entered(app, lin):
            return len(ids(app, "crm_customer"))

    assert seen() == 3
    owner.execute(
        "UPDATE people_user SET main_department_id = %s WHERE id = %s", [company.departments["south"], lin]
    )
    assert seen() == 3  # her own two, and 南方
    owner.execute("UPDATE people_user SET level_id = NULL WHERE id = %s", [lin])
    assert seen() == 0
    owner.execute("UPDATE people_user SET level_id = %s WHERE id = %s", [company.levels["manager"], lin])
    assert seen() == 3
    owner.execute("DELETE FROM access_admission WHERE department_id = %s", [company.departments["sales"]])
    assert seen() == 0


def test_a_change_holds_in_its_own_transaction_once_it_is_settled(company, app, owner):
    unpublish(owner)
    he = company.people["he"]
    with entered(app, he, keep=True):
        assert app.execute("SELECT hufu.holds('role.view')").fetchone() == (True,)
        app.execute("DELETE FROM access_grant WHERE permission = 'role.view'")
        assert app.execute("SELECT hufu.settle_reach()").fetchone() == (True,)
        assert app.execute("SELECT hufu.holds('role.view')").fetchone() == (False,)
        assert app.execute("SELECT hufu.settle_reach()").fetchone() == (False,)
    with entered(app, he):
        assert app.execute("SELECT hufu.holds('role.view')").fetchone() == (False,)


def test_a_change_that_is_rolled_back_leaves_reach_as_it_was(company, app, owner):
    unpublish(owner)
    he = company.people["he"]
    with entered(app, he):
        with pytest.raises(ZeroDivisionError), app.transaction():
            app.execute("DELETE FROM access_grant WHERE permission = 'role.view'")
            app.execute("SELECT hufu.settle_reach()")
            raise ZeroDivisionError
        assert app.execute("SELECT hufu.holds('role.view')").fetchone() == (True,)
    assert owner.execute("SELECT count(*) FROM access_reach_stale").fetchone() == (0,)


PARENTS = tuple(f"crm_contact_{verb}_below" for verb in ("view", "edit", "create", "bin"))


@pytest.mark.parametrize("name", PEOPLE)
def test_what_row_policies_ask_tells_everybody_their_own_alone(shared, app, name):
    """The parents of contacts are customers that one may view; terms and teams are those of whoever asks."""
    for view in PARENTS:
        assert app.execute(f"SELECT count(*) FROM hufu.{view}").fetchone() == (0,)
    assert app.execute("SELECT * FROM hufu.my_terms('customer.view', 'customer.edit')").fetchall() == []
    with entered(app, shared.people[name]):
        seen = ids(app, "crm_customer")
        parents = [{row[0] for row in app.execute(f"SELECT id FROM hufu.{view}")} for view in PARENTS]
        assert parents[0] == seen or not app.execute("SELECT hufu.holds('contact.view')").fetchone()[0]
        assert all(each <= seen for each in parents)
        mine = app.execute("SELECT user_id, scopes FROM hufu.my_terms('customer.view')").fetchall()
        of_reach = app.execute(
            "SELECT user_id, scopes FROM access_term_grant WHERE permission = 'customer.view'"
        )
        assert sorted(mine) == sorted(of_reach.fetchall())
        teams = app.execute("SELECT record_id, access FROM hufu.my_teams('customer')").fetchall()
        assert (
            teams
            == app.execute(
                "SELECT record_id, access FROM access_team_member WHERE type = 'customer' AND user_id = hufu.actor()"
            ).fetchall()
        )


@pytest.mark.parametrize("type_name", TABLES)
def test_a_list_plans_no_row_policy_but_its_own(shared, app, type_name):
    """Every statement plans the whole policy: what it names beside the table are parents and matches of rules."""
    table, parent = TABLES[type_name], registry.resource_type(type_name).parent_type
    planned = set()

    def walk(node):
        planned.add(node.get("Relation Name"))
        for below in node.get("Plans", ()):
            walk(below)

    with entered(app, shared.people["wang"]):
        [(found,)] = app.execute(f"EXPLAIN (FORMAT JSON) SELECT id FROM {table}").fetchall()
        walk(found[0]["Plan"])
    assert planned - {None} <= {table, "access_rule_match", parent and parent.table}


# What the roles of the database are.


def test_the_application_owns_nothing_and_stands_under_every_policy(app):
    attributes = app.execute(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles"
        " WHERE rolname = current_user"
    ).fetchone()
    assert attributes == (False,) * 5
    me = "(SELECT oid FROM pg_roles WHERE rolname = current_user)"
    for catalogue, column in {
        "pg_class": "relowner",
        "pg_proc": "proowner",
        "pg_namespace": "nspowner",
        "pg_database": "datdba",
        "pg_type": "typowner",
    }.items():
        assert app.execute(f"SELECT count(*) FROM {catalogue} WHERE {column} = {me}").fetchone() == (0,)
    assert app.execute(f"SELECT count(*) FROM pg_auth_members WHERE member = {me}").fetchone() == (0,)
    for schema in ("public", "hufu"):
        assert app.execute("SELECT has_schema_privilege(%s, 'CREATE')", [schema]).fetchone() == (False,)


# Tables that stand outside row policies, and why.
OUTSIDE = {
    "django_": "the framework's own",
    "auth_": "the framework's own, read only and empty",
    "account_": "mail addresses of accounts, asked before anybody is signed in",
    "mfa_": "second factors, asked before anybody is signed in; their secrets are sealed",
    "socialaccount_": "who is bound to which identity provider, asked before anybody is signed in; no token is kept",
    "hufu_cache": "the cache",
    "people_chosen_password": "hashes of former passwords; whoever follows a link to choose one has no identity yet",
    "people_device": "the browsers in which people signed in, asked while somebody signs in; their tokens as hashes",
    "people_session": "the register of open sign-ins, asked before anybody has an identity",
    **{
        f"crm_contact_{verb}_below": "it shows numbers of parents that whoever asks may view, and no others"
        for verb in ("view", "edit", "create", "bin")
    },
}


def test_every_table_that_the_application_can_touch_has_row_policies_or_a_reason(owner):
    open_tables = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname IN ('public', 'hufu') AND NOT c.relrowsecurity"
        " AND has_table_privilege('hufu_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
    ).fetchall()
    unexplained = {
        name for (name,) in open_tables if not any(name.startswith(beginning) for beginning in OUTSIDE)
    }
    # Names of system actors; data keys, wrapped by the master key, which the database never sees; a digest.
    assert unexplained == {"access_system_actor", "data_key", "installed"}


def test_the_application_binds_a_person_to_an_identity_provider_and_never_to_another(company, app, owner):
    """Nobody's subject is turned to an administrator's account, and no token or secret of a provider is written."""
    lin, he = company.people["lin"], company.people["he"]
    bind = (
        "INSERT INTO socialaccount_socialaccount (provider, uid, user_id, last_login, date_joined, extra_data)"
        " VALUES ('https://id.example', 's-lin', %s, now(), now(), '{}')"
    )
    app.execute(bind, [lin])
    assert app.execute("SELECT user_id FROM socialaccount_socialaccount").fetchall() == [(lin,)]
    refused(app, bind, [he], error=psycopg.errors.UniqueViolation)
    refused(app, "UPDATE socialaccount_socialaccount SET user_id = %s", [he])
    refused(app, "UPDATE socialaccount_socialaccount SET uid = 'another'")
    refused(app, "DELETE FROM socialaccount_socialaccount")
    refused(app, "TRUNCATE socialaccount_socialaccount CASCADE")
    for table in ("socialaccount_socialapp", "socialaccount_socialtoken"):
        for statement in ("SELECT 1 FROM {}", "UPDATE {} SET id = id", "DELETE FROM {}"):
            refused(app, statement.format(table))
        refused(app, f"INSERT INTO {table} (id) VALUES (1)")
    rights = owner.execute(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'hufu_app' AND table_name LIKE 'socialaccount\\_%' ORDER BY 2"
    ).fetchall()
    assert rights == [("socialaccount_socialaccount", right) for right in ("INSERT", "SELECT")]


def test_every_registered_type_has_policies_for_reading_adding_and_changing(owner):
    for resource in registry.resource_types():
        policies = owner.execute(
            "SELECT cmd FROM pg_policies WHERE schemaname = 'public' AND tablename = %s", [resource.table]
        ).fetchall()
        assert sorted(policies) == [("INSERT",), ("SELECT",), ("SELECT",), ("UPDATE",)], resource.name


def test_no_policy_is_for_everybody(owner):
    assert owner.execute("SELECT tablename FROM pg_policies WHERE 'public' = ANY (roles)").fetchall() == []


OF_RECORDS = ("access_team_member", "access_share", "access_task")
KEPT = (*FACT_COLUMNS, *POLICY_COLUMNS, *OF_RECORDS, *TABLES.values())
# SECURITY DEFINER: what runs as the owner of the tables. A new one is added here by hand, after a review.
EVERY = ("covers", "bin", "restore", "purge", "timeline")
OWNED = (
    *("transfer", "join", "leave", "share", "unshare", "move", "hand_over", "owned", "teams", "end_teams"),
    *("end_shares", "who", "ask_across"),
    *("void", "unvoid", "lock", "unlock", "open_tasks"),
)
POOLED = ("release", "claim")
DEFINERS = {
    *(
        "rebuild_reach",
        "settle_reach",
        "settle_at_commit",
        "freshen_reach",
        "freshen_everybody",
        "simulated_at",
        "demo_is_unfinished",
        "erase_crm_contact",
        "facts_change",
    ),
    *("my_shares", "has_many_shares", "recipients", "take_away_shares", "count_tasks", "end_task"),
    *("my_terms", "my_teams"),
    # Sharing rules: what builds them, what tells the actor their own, and numbers for whoever manages rights.
    *("rule_role_holders", "rule_owners", "departments_for", "rule_alternatives", "rule_rebuild"),
    *(
        "rules_are_fresh",
        "rule_freshen",
        "rule_rebuild_reach",
        "rule_recipients",
        "rule_fill",
        "try_condition",
    ),
    *("my_rules", "my_rule_parts", "holders_for_my_rules", "gives_me_by_rule", "no_territory_cycle"),
    *(
        f"{what}_{TABLES[name]}"
        for what in ("match", "match_new", "unmatch", "rule_fill", "rule_try")
        for name in INDEPENDENT
    ),
    # Pools: who is a member, what they hide.
    *("pool_rebuild_reach", "my_pools", "pool_members", "pools_hiding", "is_pool_of_mine"),
    *(f"{deed}_crm_customer" for deed in POOLED),
    # Change sets: they ask who may, and the mark of a transaction is theirs alone.
    *(
        "publishes",
        "may_define",
        "may_narrow",
        "holds_wider",
        "has_another_approver",
        "rehearse",
        "end_publishing",
    ),
    *("publish", "offered_to_everybody"),
    # Previews: what everybody holds and views, and how many records; in a rehearsal alone.
    *(
        "require_rehearsal",
        "held_by_everybody",
        "views_of_everybody",
        "rules_of_everybody",
        "pools_of_everybody",
    ),
    "records_in_all",
    *(f"preview_{what}_{table}" for what in ("places", "owners") for table in TABLES.values()),
    *(f"preview_named_{TABLES[name]}" for name in INDEPENDENT),
    "lift_gate",  # asks by itself that it is the operator
    *("quotas_of", "quotas_standing", "my_quotas", "consume_quota", "not_yet_counted", "quota_binds_me"),
    *("forget_quota", "take_out_forbidden", "take_out_lent", "my_prohibitions", "holds_any"),
    *("build_principals", "build_lines", "build_places", "build_held", "build_limits", "build_system_actors"),
    *("all_gates", "gate_binds_me", "gates_for", "permission_is_open", "person_is_closed"),
    *(
        "is_active",
        "is_fresh",
        "is_admitted",
        "may_own",
        "my_principals",
        "holds_role",
        "roles_held",
        "who_covers",
    ),
    *("no_administrator_level", "no_level_cycle", "holds_level"),
    *("gifts_of", "drop_gifts", "alone_holds"),
    *("gifts_below", "endings_below"),  # of whoever stands below the actor, and of nobody else
    # Who holds what together: looked at when reach is made true; told to whoever may view or manage roles.
    *(
        "ways_to",
        "lent_ways_to",
        "duty_conflicts",
        "known_duty_conflicts",
        "duty_binds_me",
        "somebody_gives_roles",
    ),
    *("check_duties", "check_administrators", "check_last_security"),
    # Access requests: which record is asked for is told to nobody; the others tell the actor what they may decide.
    *(
        "asked_record",
        "asked_numbers",
        "is_approver",
        "decides",
        "may_decide",
        "gave_for",
        "roles_granting",
        "stands_above",
    ),
    *("asked_by_me", "decided_by_me"),
    # Across the wall: what reaches the actor; whether they own a partition; the answer, which asks that again.
    "lacks_for_share",  # asks by itself that the actor may share the record
    "all_lack_for_share",  # so does this
    *(
        "my_crossings",
        "owns_partition",
        "lets_across",
        "decides_crossing",
        "answer_admission",
        "end_admission_request",
    ),
    # Break-glass: what builds it into reach, and what tells the actor which rules are theirs.
    *(
        "glass_in_force",
        "add_glass_terms",
        "glass_limits",
        "my_break_glass",
        "glass_minutes",
        "watches_glass",
    ),
    "may_review_glass",
    # What waits for release: compared and refused when reach is made true; asked and released by deeds that look first.
    *("gained", "gained_unapproved", "is_approved", "is_new_department", "changes_wait", "check_release"),
    *("what_waits", "what_waits_of", "write_facts", "release_changes", "is_at_or_below"),
    "may_give_there",
    *("somebody_can_give_roles", "appoint_in_emergency"),  # asks by itself that it is the operator
    # Standing in for somebody: what it adds to reach, and who may lend what.
    *("with_delegators", "gates_on_principal", "add_delegated_terms", "delegated_limits", "my_delegators"),
    *("may_delegate", "stays_without_business"),
    *("end_sessions", "only_active_come_in"),
    *("spend", "rows_to_reseal"),
    "administers_more",
    # Reporting: who signed in to the database, whether they may read, the views. Opening and ending are the operator's.
    *(
        "reporting_actor",
        "reporting_closed_gates",
        "reporting_user",
        "closed_to_reporting",
        "reporting_problem",
    ),
    *("require_reporting", "reads_field", "begin", "open_reporting", "close_reporting", "reporting_logins"),
    *(f"report_{name}" for name in TABLES),
    *("never_set_up", "administrators_apart", "gains_by_move", "no_gain_by_move"),
    *(f"{deed}_{table}" for deed in EVERY for table in TABLES.values()),
    *(f"{deed}_{TABLES[name]}" for deed in OWNED for name in INDEPENDENT),
    *(
        "hit_to_join",
        "ask_to_join",
        "my_joined",
    ),  # what the actor's own check found; neither tells which record it is
    "my_disputes",  # what the actor disputed, without numbers
    # The duplicate check: it asks for its permission and counts; what is found out of that is nobody else's to call.
    *(f"{what}_duplicates_crm_customer" for what in ("enter", "follow", "forget", "find")),
    *("check_duplicate_crm_customer", "taken_crm_customer", "stewarded_crm_customer", "count_check"),
    *("my_duplicate_hits", "dispute_duplicate"),
    "page",  # of a list: numbers of records that the actor may view, in order, from their own reach
    # Triggers: what is shared of single records keeps the record's place.
    *("keep_given", "place_shared_again", *(f"follow_place_{TABLES[name]}" for name in INDEPENDENT)),
    # Keys of the log: of subjects that are named, and samples without names; the actor's own pseudonym.
    *("log_subjects", "log_add_subjects", "log_key_samples", "log_pseudonym"),
    # How backups stand, for the operator: three types of events, none about a person or a record.
    "last_of_operation",
    # Cells: triggers note differences; what the actor sees of cells, and how many records they view.
    *("fold_cells", "cells_missing", "repair_cells", "cells_totals"),
    *("drift", "mend_drift"),  # they ask by themselves that it is the operator
    *(
        f"{what}_{TABLES[name]}"
        for what in ("note_cells", "cells_seen", "cells_missing", "count")
        for name in INDEPENDENT
    ),
    # The past: triggers write it; what reads it asks for explain.any first.
    *("last_change", "close_change", "number_change"),
    *(f"keep_{table}" for table in KEPT),
    *(f"{table}_{asked}" for table in KEPT for asked in ("at", "of")),
    *(f"{table}_all_at" for table in (*OF_RECORDS, *TABLES.values())),
}


def test_what_runs_as_the_owner_is_a_closed_list(owner):
    found = owner.execute(
        "SELECT proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE prosecdef AND nspname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert {name for (name,) in found} == DEFINERS


def test_every_function_of_more_than_one_expression_has_its_own_search_path(owner):
    loose = owner.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'hufu'::regnamespace AND NOT EXISTS ("
        "   SELECT 1 FROM unnest(proconfig) setting"
        "   WHERE setting LIKE 'search\\_path=pg_catalog,%%' AND setting LIKE '%%pg\\_temp')"
    ).fetchall()
    # Inlined into policies, defaults and what finds the records of a rule; they name nothing but built-in functions.
    of_rules = {"text_is", "number_is", "day_is", *(f"atom_of_{TABLES[name]}" for name in INDEPENDENT)}
    assert {name for (name,) in loose} == of_rules | {
        *("actor", "bit", "scope_bit", "field_level", "principal", "moment", "closed_gates"),
        *("permission_ceiling", "partition_ceiling", "totals_of", "folded"),
    }


# What the views of reporting users stand on, and what works out their own reach anew.
CALLED_BY_READERS = {*(f"report_{name}" for name in TABLES), "begin"}


@pytest.mark.parametrize("role", ["hufu_reader", "hufu_sealer", "hufu_backup"])
def test_the_other_roles_call_nothing_and_take_no_identity(company, connect_as, owner, role):
    callable_by_role = owner.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace IN ('hufu'::regnamespace, 'report'::regnamespace)"
        " AND has_function_privilege(%s, oid, 'EXECUTE')",
        [role],
    ).fetchall()
    assert {name for (name,) in callable_by_role} == (CALLED_BY_READERS if role == "hufu_reader" else set())


@pytest.mark.parametrize("role", ["hufu_reader", "hufu_sealer"])
def test_reader_and_sealer_see_no_record_and_no_policy(company, connect_as, role):
    other = connect_as(role)
    for table in (*TABLES.values(), *POLICY, *REACH, "people_user", "audit_subject"):
        with pytest.raises(REFUSED), other.transaction():
            other.execute("SELECT set_config('hufu.user_id', %s, true)", [str(company.people["li"])])
            other.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table)))


# Circles that two transactions would close together.


@pytest.mark.parametrize(
    ("table", "column", "first", "second"),
    [
        ("people_department", "parent_id", ("departments", "east"), ("departments", "south")),
        ("people_user", "manager_id", ("people", "lin"), ("people", "tang")),
    ],
)
def test_two_changes_at_once_close_no_circle(company, owner, connect_as, table, column, first, second):
    one, other = (getattr(company, group)[name] for group, name in (first, second))
    meanwhile = connect_as("hufu_owner")
    statement = f"UPDATE {table} SET {column} = %s WHERE id = %s"
    with owner.transaction():
        owner.execute(statement, [one, other])
        with pytest.raises(psycopg.errors.LockNotAvailable), meanwhile.transaction():
            meanwhile.execute("SET LOCAL lock_timeout = '300ms'")
            meanwhile.execute(statement, [other, one])
    with pytest.raises(psycopg.errors.CheckViolation):
        meanwhile.execute(statement, [other, one])
